"""Made-up run times: the printed ones, on the printed network and on a small one."""

from functools import cache

import pandas as pd

from ...part_results import published_of
from ..properties.synthetic import fig2

NETWORKS = {"imagenet": ("50176-4096-2048-1024-27", 1), "mnist": ("784-300-300-10", 20)}

published = cache(lambda: published_of("song2020.run_time"))


def tables() -> dict[str, pd.DataFrame]:
    """What the claims read."""
    return {"table4": table4(), "fig2": fig2()}


def table4(seeds: int = 1, devices=("cpu", "cuda")) -> pd.DataFrame:
    """Backprop by autograd takes twice the time of ours."""
    rows = []
    for stated in published().values("table4")["rows"]:
        if stated["id"] not in devices:
            continue
        times = {name: stated[f"{name}_ms"] for name in ("bp", "il", "zil", "fazil")}
        times["il_repeated"] = 1.1 * times["il"]
        for network, (sizes, batch_size) in NETWORKS.items():
            for name, milliseconds in {"bp_autograd": 2 * times["bp"], **times}.items():
                rows.append(
                    {
                        "network": network,
                        "layer_sizes": sizes,
                        "batch_size": batch_size,
                        "device": stated["id"],
                        "algorithm": name,
                        "milliseconds_per_update": milliseconds,
                        "milliseconds_low": 0.95 * milliseconds,
                        "milliseconds_high": 1.1 * milliseconds,
                        "repetitions": 50,
                        "ratio_to_bp": milliseconds / times["bp"],
                        "peak_memory_mb": 2400.0 if network == "imagenet" else 30.0,
                        **{
                            f"ratio_of_block_{block}": milliseconds / times["bp"] * (1 + wobble)
                            for block, wobble in enumerate((-2e-3, -1e-3, 0, 1e-3, 2e-3), start=1)
                        },
                    }
                )
    return pd.DataFrame(rows)

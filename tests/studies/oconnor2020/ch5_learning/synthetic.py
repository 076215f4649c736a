"""A made-up table of C.6: published numbers, where they leave room for each other.

The scores of one hidden layer are those of figure 5.5, near those of C.6 where they can be; gaps of
networks that the table prints are made smaller, so that the statements hold.
"""

import pandas as pd

from plausible.studies.oconnor2020.ch5_learning.claims import DATASETS

from ...part_results import published_of

EPOCHS, SAMPLES = 4, 4_200_000
"""Samples between two tests: their number makes up for that of the tests."""
SUMS = {"file": 32e12, "temporal": 15e12}
SHALLOW = {
    ("pdnn", "file"): 98.345,
    ("mlp", "file"): 98.27,
    ("pdnn", "temporal"): 98.05,
    ("mlp", "temporal"): 98.25,
}
GAP = 0.13
"""Largest one of deeper networks, in points."""


def table_c6(seeds: int = 3, samples: int = SAMPLES) -> pd.DataFrame:
    """Scores that rise to those of the last test; steady operations."""
    printed = published_of("oconnor2020.ch5_learning").values("table_c6")["rows"]
    scores = _scores(printed)
    rows = [
        _row(protocol, row, scores, seed, part / 2, samples)
        for protocol in ("as_published", "as_coded")
        for row in printed
        for seed in range(seeds)
        for part in range(2 * EPOCHS + 1)
    ]
    return pd.DataFrame(rows)


def _of(row):
    return row["network"].lower(), DATASETS[row["dataset"]], len(row["hidden_sizes"])


def _scores(printed):
    """Test scores by network, order and depth."""
    scores = {_of(row): row["test_score_percent"] for row in printed}
    for network, order, depth in list(scores):
        if depth == 1:
            scores[network, order, depth] = SHALLOW[network, order]
        elif network == "pdnn":
            mlp = scores["mlp", order, depth]
            middle, gap = (scores[network, order, depth] + mlp) / 2, scores[network, order, depth]
            gap = max(-GAP, min(GAP, gap - mlp))
            scores[network, order, depth] = middle + gap / 2
            scores["mlp", order, depth] = middle - gap / 2
    return scores


def _row(protocol, row, scores, seed, epoch, samples):
    network, order, depth = _of(row)
    pdnn, last = network == "pdnn", epoch == EPOCHS
    total = row["ops_per_sample_column"] * (1 + 1e-4 * (seed - 1) if pdnn else 1.0)
    steps = EPOCHS * (2 * EPOCHS + 1)
    forward = 0.3 * total if depth > 1 else SUMS[order] / samples / steps
    forward = forward if pdnn else 0.5 * total
    lower, shown = 0.0 if last else 1.0 + EPOCHS - epoch, pdnn and last
    whole = epoch == int(epoch)
    return {
        "protocol": protocol,
        "order": order,
        "network": network,
        "hidden_layers": depth,
        "seed": seed,
        "epoch": epoch,
        "test_score_percent": scores[network, order, depth] - lower + 1e-3 * (seed - 1),
        "training_score_percent": row["training_score_percent"] - lower if whole else None,
        "plain_score_percent": scores[network, order, depth] - lower,
        "samples": samples if epoch else 0,
        "forward": forward if epoch else 0.0,
        "backward": 0.1 * (total - forward),
        "update": 0.9 * (total - forward),
        "spikes": (0.7 if order == "temporal" else 1.0) * (50 + 0.1 * seed) if pdnn else None,
        "touched_share": (0.3 + 0.01 * seed if epoch else 0.0) if pdnn else None,
        "noise_first": 0.2 if shown else None,
        "noise_last": 0.25 + 0.01 * seed if shown else None,
        "diverged_epoch": -1.0,
    }


def text_and_code(seeds: int = 3) -> pd.DataFrame:
    """Scores that the memory of the code makes worse."""
    worse = {"text": 0.0, "memory": 0.7, "images": 0.1, "scales": 0.1, "code": 0.8}
    return pd.DataFrame(
        {
            "reading": reading,
            "seed": seed,
            "epoch": float(epoch),
            "test_score_percent": 98.0 - gap - 3.0 / (1 + epoch) + 0.05 * seed,
            "diverged_epoch": -1.0,
        }
        for reading, gap in worse.items()
        for seed in range(seeds)
        for epoch in range(21)
    )


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {"table_c6": table_c6(), "beyond.text_and_code": text_and_code()}

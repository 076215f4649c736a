"""Table 4 for people to read, with the published times beside ours."""

import pandas as pd

from plausible.reproduction.markdown import markdown_table
from plausible.studies.song2020.texts import ALGORITHMS, Published, number

PUBLISHED_LAYERS = "50176-4096-2048-1024-27"


def table4_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 4: milliseconds per weight update and their ratio to BP, beside the paper's."""
    printed = {row["id"]: row for row in published["rows"]}
    rows = []
    for row in table.itertuples():
        device = printed.get(row.device, {})
        known = device if row.layer_sizes == PUBLISHED_LAYERS else {}
        place = (row.layer_sizes, row.batch_size, device.get("device", row.device))
        quartiles = f"{row.milliseconds_low:.3g} to {row.milliseconds_high:.3g}"
        ours = (f"{row.milliseconds_per_update:.3g}", quartiles, f"{row.ratio_to_bp:.2f}")
        stated = known.get(f"{row.algorithm}_ms")
        theirs = ("-", "-") if stated is None else (f"{stated:g}", f"{stated / known['bp_ms']:.2f}")
        name = ALGORITHMS.get(row.algorithm, row.algorithm)
        rows.append([*place, name, *ours, *theirs, number(row.peak_memory_mb)])
    header = ["layers", "batch", "device", "algorithm", "ms per update (median)", "quartiles"]
    header += ["ratio to BP", "published ms", "published ratio", "peak memory MB"]
    return markdown_table(header, rows)

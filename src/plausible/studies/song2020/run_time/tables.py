"""Table 4 for people to read, with the published times beside ours."""

import pandas as pd

from plausible.reproduction.markdown import (
    as_they_are,  # noqa: F401 (named by study files)
    markdown_table,
    theorems_markdown,  # noqa: F401
)
from plausible.studies.song2020.texts import Published, number

ALGORITHMS = {
    "bp": "BP",
    "il": "IL",
    "zil": "Z-IL",
    "fazil": "Fa-Z-IL",
    "bp_autograd": "BP (autograd)",
}
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
PUBLISHED_LAYERS = "50176-4096-2048-1024-27"


def table4_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 4: milliseconds per weight update and their ratio to BP, beside the paper's."""
    printed = {row["device"]: row for row in published["rows"]}
    rows = []
    for row in table.itertuples():
        known = printed.get(DEVICES.get(row.device, row.device), {})
        known = known if row.layer_sizes == PUBLISHED_LAYERS else {}
        ours = f"{row.milliseconds_per_update:.3g}"
        quartiles = f"{row.milliseconds_low:.3g} to {row.milliseconds_high:.3g}"
        milliseconds = known.get(f"{row.algorithm}_ms")
        rows.append(
            [
                *(row.layer_sizes, row.batch_size, DEVICES.get(row.device, row.device)),
                ALGORITHMS.get(row.algorithm, row.algorithm),
                *(ours, quartiles, f"{row.ratio_to_bp:.2f}"),
                "-" if milliseconds is None else f"{milliseconds:g}",
                "-" if milliseconds is None else f"{milliseconds / known['bp_ms']:.2f}",
                number(row.peak_memory_mb),
            ]
        )
    header = ["layers", "batch", "device", "algorithm", "ms per update (median)", "quartiles"]
    header += ["ratio to BP", "published ms", "published ratio", "peak memory MB"]
    return markdown_table(header, rows)

"""What was measured of the images of figure 4 and the spikes of figure 6."""

from zlib import crc32

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, by_protocol

OUTPUT_LAYER = 3
WHITE = 255
"""Grey level of white in the published data set."""
LABELS, CHECKSUMS = (f"{name}_of_first_ten_training_images" for name in ("labels", "crc32"))


def ten_images_in_file_order(evidence: Evidence) -> list[Measured]:
    """Images that are not the record of their place; the control has them in reversed order."""
    frame = evidence.table("fig4", "image", "label", "row", "column", "intensity_fraction")
    shown = [
        (int(image["label"].iloc[0]), crc32(_grey_levels(image).tobytes()))
        for _, image in frame.groupby("image", sort=False)
    ]
    derived = evidence.entry["derived"]
    records = list(zip(derived[LABELS], derived[CHECKSUMS], strict=True))
    controls = {"reversed_order": [_differing(shown[::-1], records)]}
    found = Measured(
        "", [_differing(shown, records)], seeded=False, full_scale=True, controls=controls
    )
    return [found]


def _grey_levels(image: pd.DataFrame) -> np.ndarray:
    pixels = image.sort_values(["row", "column"], kind="stable")["intensity_fraction"]
    return np.rint(WHITE * pixels.to_numpy()).astype(np.uint8)


def _differing(shown: list[tuple[int, int]], records: list[tuple[int, int]]) -> int:
    """Places with another image than the record, or with none."""
    same = sum(one == other for one, other in zip(shown, records, strict=False))
    return max(len(shown), len(records)) - same


def the_seven_wins(evidence: Evidence) -> list[Measured]:
    """Output neuron with the most spikes in every drawn run; -1 where two have as many."""
    found = []
    for protocol, frame in by_protocol(drawn_spikes(evidence)):
        counts = pd.crosstab(frame["seed"], frame["neuron"].where(frame["layer"] == OUTPUT_LAYER))
        counts = counts.reindex(frame["seed"].unique(), columns=range(10), fill_value=0)
        tied = counts.eq(counts.max(axis=1), axis=0).sum(axis=1) > 1
        found.append(Measured(protocol, counts.idxmax(axis=1).mask(tied, -1)))
    return found


def drawn_spikes(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 6."""
    return evidence.table(
        "fig6", "protocol", "seed", "image", "label", "layer", "neuron", "time_ms"
    )


def no_faster_than_refractory(evidence: Evidence) -> list[Measured]:
    """Spikes of every neuron that fires in the drawn 200 ms."""
    keys = ["seed", "image", "layer", "neuron"]
    return [
        Measured(protocol, frame.groupby(keys).size(), seeded=False, exact_seeds=seeds)
        for protocol, frame in by_protocol(drawn_spikes(evidence))
        for seeds in [frame["seed"].nunique()]
    ]

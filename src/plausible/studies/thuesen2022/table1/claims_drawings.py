"""Checks on the images of figure 4 and the spikes of figure 6."""

import pandas as pd

from plausible.reproduction.evidence import Evidence, Number, Outcome, by_protocol

OUTPUT_LAYER = 3


def shown_images(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 4."""
    return evidence.table("fig4", "image", "label", "row", "column", "intensity_fraction")


def ten_images_in_file_order(evidence: Evidence) -> list[Outcome]:
    """Number and order at every scale; their size needs the published data set."""
    side = evidence.bound("ten_images_in_file_order", "side_pixels")
    count = evidence.entry["settings"]["count"]
    frame = shown_images(evidence)
    order = list(dict.fromkeys(frame["image"]))
    height, width = int(frame["row"].max()) + 1, int(frame["column"].max()) + 1
    complete = bool((frame.groupby("image").size() == height * width).all())
    ordered, square = complete and order == list(range(count)), height == width == side
    note, size = "images shown, numbered from 0", f"{height} x {width}"
    return [
        Outcome("", ordered, len(order), variant="order", note=note),
        Outcome("", square, size, variant="size", full_scale=True),
    ]


def numbers_of_fig4(evidence: Evidence) -> list[Number]:
    """Labels of the images, in order."""
    shown = shown_images(evidence).groupby("image", sort=False)["label"].first()
    place = "labels_of_first_ten_training_images"
    printed = evidence.entry["derived"][place]
    published, ours = (" ".join(map(str, labels)) for labels in (printed, shown))
    return [Number(place, "", published, ours, 0.0)]


def the_seven_wins(evidence: Evidence) -> list[Outcome]:
    """Spikes of the output neurons of every drawn run: neuron 7 has more than any other."""
    digit = evidence.entry["values"]["digit"]
    outcomes = []
    for protocol, frame in by_protocol(drawn_spikes(evidence)):
        counts = pd.crosstab(frame["seed"], frame["neuron"].where(frame["layer"] == OUTPUT_LAYER))
        counts = counts.reindex(frame["seed"].unique(), columns=range(10), fill_value=0)
        fewest = int((counts[digit] - counts.drop(columns=digit).max(axis=1)).min())
        note = f"spikes of neuron {digit} minus those of the next, fewest over the runs"
        outcomes.append(Outcome(protocol, fewest > 0, fewest, n_seeds=len(counts), note=note))
    return outcomes


def drawn_spikes(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 6."""
    return evidence.table(
        "fig6", "protocol", "seed", "image", "label", "layer", "neuron", "time_ms"
    )


def no_faster_than_refractory(evidence: Evidence) -> list[Outcome]:
    """Most spikes of one neuron in the drawn 200 ms."""
    most_allowed = evidence.bound("no_faster_than_refractory", "spikes")
    outcomes = []
    for protocol, frame in by_protocol(drawn_spikes(evidence)):
        most = int(frame.groupby(["seed", "image", "layer", "neuron"]).size().max())
        seeds, note = frame["seed"].nunique(), "most spikes of one neuron"
        outcomes.append(Outcome(protocol, most <= most_allowed, most, n_seeds=seeds, note=note))
    return outcomes

"""What was found on the pictures of PD coding; theorems stand in the table of theorems."""

import numpy as np

from plausible.reproduction.evidence import Evidence, Measured


def _slopes(evidence: Evidence, quantity: str) -> list[Measured]:
    """Slope of a mean over the grid against either coefficient, by seed."""
    frame = evidence.table("ch5.fig5.1", "element", "seed", "k_p", "k_d", quantity)
    # Every k_d of the grid but 0, which has no partner where k_p is 0.
    cells = frame[(frame["element"] == "cell") & (frame["k_d"] > 0)]

    def slopes(coefficient: str) -> list[float]:
        found = []
        for _, rows in cells.groupby("seed"):
            means = rows.groupby(coefficient)[quantity].mean()
            found.append(float(np.polyfit(means.index, np.log(means), 1)[0]))
        return found

    return [Measured("", {"k_p": slopes("k_p"), "k_d": slopes("k_d")})]


def error_falls_with_coefficients(evidence: Evidence) -> list[Measured]:
    """Slope of the logarithm of the mean error against k_p and against k_d."""
    return _slopes(evidence, "mean_error")


def spikes_grow_with_coefficients(evidence: Evidence) -> list[Measured]:
    """Slope of the logarithm of the number of spikes against k_p and against k_d."""
    return _slopes(evidence, "number_of_spikes")


def differences_only_round(evidence: Evidence) -> list[Measured]:
    """Largest difference of the reconstruction from the rounded signal, of every seed, k_p = 0."""
    columns = ("element", "seed", "k_p", "rounding_difference", "signal_difference")
    frame = evidence.table("ch5.fig5.1", *columns)
    cells = frame[(frame["element"] == "cell") & (frame["k_p"] == 0)]
    largest = cells.groupby("seed")[["rounding_difference", "signal_difference"]].max()
    controls = {"not_rounded": largest["signal_difference"]}
    found = largest["rounding_difference"]
    return [Measured("", found, seeded=False, exact_seeds=len(found), controls=controls)]


def _differences(evidence: Evidence, column: str, larger: str, smaller: str) -> list[Measured]:
    """An error with one k_p less that with another, by seed, with quantization and without."""
    frame = evidence.table("ch5.fig5.2", "element", "seed", "k_p", "quantized", column)
    errors = frame[frame["element"] == "error"]
    values = sorted(errors["k_p"].unique())
    places = {"none": values[0], "some": values[1], "most": values[-1]}
    found = []
    for quantized, rows in errors.groupby("quantized"):
        means = rows.set_index(["k_p", "seed"])[column]
        change = means[places[larger]] - means[places[smaller]]
        found.append(Measured("", change, variant="quantized" if quantized else "not quantized"))
    return found


def error_stays_without_k_p(evidence: Evidence) -> list[Measured]:
    """Error over the last tenth, with k_p = 0 less with the smallest k_p above."""
    return _differences(evidence, "late_error", "none", "some")


def error_falls_with_k_p(evidence: Evidence) -> list[Measured]:
    """Mean error with the largest k_p less with the smallest above 0."""
    return _differences(evidence, "mean_error", "most", "some")

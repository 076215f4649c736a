"""Tables of the training runs of chapter 3, with the published values beside ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from plausible.measure.budget import gain_over
from plausible.reproduction.frames import Frames, as_they_are
from plausible.reproduction.markdown import markdown_table, mean_text

PARTS = {"thesis": "thesis split", "official": "official split", "train": "training"}
NETWORKS = {"sgd": "SGD", "fsgd": "FSGD", "relu": "ReLU", "fsgd_regularised": "regularised FSGD"}
"""Networks of the long trainings, by their ids in the study file."""
FORMS = {"spiking": "spiking network", "rectified": "vector network"}
"""Names of the forms: a vector network is the ReLU network with the weights of a training."""
DEPTH_FIRST, HELD = "depth_first", "depth_first_held"
HELD_LABEL = "Depth-First, error held"
"""Networks of table A.1 that are depth first as coded, and as published: the order of the events
alone, where errors are held until the end of a time step as in the other rows."""
GAIN_EPOCHS = (1, 2, 5, 10, 15, 20, 50)
"""Epochs of the table of what FSGD gains; of a shorter or coarser training, the nearest ones."""


def rows_of_record(
    frames: Frames,
    records: Sequence[str],
    networks: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of the kinds ``records`` of the training runs, without columns that are empty there.

    ``networks`` and ``protocols``, where given, keep these alone.
    A sweep whose every run diverged keeps the columns ``error_percent`` and ``operations``.
    """
    table = as_they_are(frames)
    for column, wanted in (("record", records), ("network", networks), ("protocol", protocols)):
        table = table if wanted is None else table[table[column].isin(wanted)]
    kept = {"error_percent", "operations", "operations_without_input", "silent_percent"}
    used = [name for name in table.columns if name in kept or table[name].notna().any()]
    return table[used].reset_index(drop=True)


def final_errors(table: pd.DataFrame, network: str, form: str, part: str) -> pd.DataFrame:
    """Rows of a network after its training, tested in a form on a part of the images.

    A vector network stands there twice, once for each way to count its operations: the dense one.
    """
    wanted = "record == 'final' and network == @network and form == @form and part == @part"
    return table.query(f"{wanted} and counting != 'sparse'").sort_values("seed")


def trained_as(network: str) -> str:
    """Name of a trained network: the ReLU network, or a spiking one."""
    name = NETWORKS.get(network, network)
    return f"{name} network" if network == "relu" else f"spiking, {name}"


def table3_2_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Table 3.2: errors in percent, mean over seeds with its 95 % interval."""
    rows = []
    for row in published["rows"]:
        thesis, official, training = (
            _mean(final_errors(table, row["weights"], row["form"], part)["error_percent"])
            for part in PARTS
        )
        known = [f"{row[f'{kind}_error_percent']:g}" for kind in ("test", "training")]
        rows.append([row["network"], known[0], thesis, official, known[1], training])
    header = ["network", "published test", "test, thesis split", "test, official split"]
    header += ["published training", "training"]
    epochs = ", ".join(f"{epoch:g}" for epoch in sorted(table["epoch"].dropna().unique()))
    seeds = table["seed"].nunique()
    note = (
        f"Percent error after the training ({epochs} epochs; {seeds} seeds at most). The thesis "
        "split tests on the last sixth of the training file, as the author's code does.\n"
    )
    return markdown_table(header, rows) + "\n" + note


def fsgd_gain_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """What FSGD gains over SGD at equal epochs and at equal additions, on both test parts."""
    rows = []
    for part in ("thesis", "official"):
        test = table[(table["part"] == part) & (table["epoch"] > 0)]
        gains = [
            gain_over(test, "fsgd", "sgd", equal) for equal in ("epoch", "training_operations")
        ]
        for epoch in nearest_epochs(test["epoch"], GAIN_EPOCHS):
            here = test[test["epoch"] == epoch].set_index("seed")
            sgd, fsgd = (here[here["network"] == network] for network in ("sgd", "fsgd"))
            row = [PARTS[part], f"{epoch:g}"]
            row += [_mean_or_diverged(one["error_percent"]) for one in (sgd, fsgd)]
            for gain in gains:
                points = gain[gain["epoch"] == epoch]["points"]
                row += [mean_text(points) if len(points) else "-", str(len(points))]
            ratio = (fsgd["training_operations"] / sgd["training_operations"]).dropna()
            rows.append([*row, mean_text(ratio) if len(ratio) else "-"])
    header = ["test images", "epoch", "SGD, error %", "FSGD, error %"]
    header += ["gain at equal epochs, points", "seeds"]
    header += ["gain at equal additions, points", "seeds", "additions so far, FSGD / SGD"]
    note = (
        "Mean with its 95 % interval over seeds. Gain: error of SGD less that of FSGD, seed by "
        "seed; above zero FSGD is ahead. At equal additions (forward, backward and of the updates) "
        "the error of SGD is read, between its test points in a straight line, where it has spent "
        "what FSGD has by this epoch; seeds whose SGD was not tested around there (its first test "
        "is later, or its last one earlier) are left out.\n"
    )
    return markdown_table(header, rows) + "\n" + note


def nearest_epochs(tested: pd.Series, wanted: Sequence[float]) -> list[float]:
    """Tested epoch that is nearest to each wanted one up to the last, without repetition."""
    known = sorted(tested.unique())
    within = [epoch for epoch in wanted if epoch <= max(known, default=0)]
    nearest = {min(known, key=lambda one: abs(one - epoch)) for epoch in within}
    return sorted(nearest.union(known[-1:]))


def last_errors(table: pd.DataFrame, protocol: str, network: str, part: str) -> pd.Series:
    """Error of a network of table A.1 at its last test point, by seed."""
    wanted = "protocol == @protocol and network == @network and part == @part"
    rows = table.query(f"{wanted} and record == 'curve'")
    return rows.sort_values("epoch").groupby("seed")["error_percent"].agg(lambda one: one.iloc[-1])


def network_of_row(row: str, protocol: str) -> str:
    """Network of a row of table A.1 in a protocol: depth first means two things."""
    return HELD if row == DEPTH_FIRST and protocol == "as_published" else row


def table_a1_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Table A.1: percent error after the training, by both readings of the updates."""
    protocols = [name for name in ("as_coded", "as_published") if name in set(table["protocol"])]
    rows = []
    for row in published["rows"]:
        rows.append([row["variant"], f"{row['error_percent']:g}"])
        for protocol in protocols:
            rows[-1] += _both_parts(table, protocol, network_of_row(row["id"], protocol))
    # As published it is the row above already.
    held = [_both_parts(table, one, HELD) if one == "as_coded" else ["-", "-"] for one in protocols]
    rows.append([HELD_LABEL, "-", *sum(held, [])])
    header = ["variant", "published"]
    for protocol in protocols:
        name = protocol.replace("_", " ")
        header += [f"{name}, thesis split", f"{name}, official split"]
    note = (
        "As coded: a weight moves by η/T² for each pair of spikes, and depth first also means that "
        "error spikes are sent at once. As published: by η/T (equations 3.6 and 3.7), and depth "
        "first changes the order of the events alone: errors are held until the end of a time "
        "step, as in the other rows.\n"
    )
    return markdown_table(header, rows) + "\n" + note


def _both_parts(table: pd.DataFrame, protocol: str, network: str) -> list[str]:
    return [
        _mean_or_diverged(last_errors(table, protocol, network, part))
        for part in ("thesis", "official")
    ]


def _mean_or_diverged(errors: pd.Series) -> str:
    """Mean with its interval, and how many of the runs diverged."""
    diverged = f" ({int(errors.isna().sum())} diverged)" if errors.isna().any() else ""
    return _mean(errors) + diverged if len(errors) else "not run"


def _mean(errors: pd.Series) -> str:
    """Mean of errors in percent with its interval."""
    return mean_text(errors, percent=True)


def initial_weights_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Two rows of table A.1 by both readings of normal(0, 0.01): percent error after training."""
    rows = []
    for row in (row for row in published["rows"] if row["id"] in ("baseline", "fractional")):
        for ending, reading in (("", "standard deviation"), ("_variance", "variance")):
            name, printed = row["id"] + ending, f"{row['error_percent']:g}"
            epochs = table.loc[table["network"] == name, "epoch"].max()
            cells = [printed, *_both_parts(table, "as_coded", name), f"{epochs:g}"]
            rows.append([row["variant"], reading, *cells])
    header = ["variant", "0.01 is the", "published", "thesis split", "official split", "epochs"]
    note = "Percent error with the step of the author's code; mean with its 95 % interval.\n"
    return markdown_table(header, rows) + "\n" + note


def sparsity_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Silent hidden units before and after the training, in both forms of the weights."""
    rows = []
    for (network, form, layer), group in table.groupby(["network", "form", "layer"], sort=False):
        before, after = group[group["epoch"] == 0], group[group["epoch"] > 0]
        silent = [mean_text(one["silent_percent"], 1, percent=True) for one in (before, after)]
        variation = mean_text(after["operations_variation"], 3)
        rows.append([trained_as(network), FORMS[form], f"{layer:g}", *silent, variation])
    header = ["trained as", "tested as", "hidden layer", "silent % before", "silent % after"]
    note = (
        "Silent: units without a spike (spiking) or at zero (vector), mean over the test images of "
        "the thesis split. Variation: standard deviation over mean of the additions per image.\n"
    )
    return markdown_table([*header, "variation of additions"], rows) + "\n" + note


def early_guesses_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Anytime error: percent error after 1, 2, 3, 5, 10 and 20 time steps, on both test parts."""
    shown = table[table["record"] == "anytime"]
    steps = [step for step in (1, 2, 3, 5, 10, 20) if step in set(shown["step"])]
    rows = []
    for (network, part), group in shown.groupby(["network", "part"], sort=False):
        limit = final_errors(table, network, "rectified", part)["error_percent"]
        after = [group[group["step"] == step] for step in steps]
        cells = [
            f"{_mean(here['error_percent'])} ({here['operations'].mean() / 1e3:.3g} k)"
            for here in after
        ]
        rows.append([trained_as(network), PARTS[part], *cells, _mean(limit)])
    header = ["trained as", "test images", *(f"after {step} steps" for step in steps)]
    note = "Percent error, and in brackets thousands of additions per image so far.\n"
    return markdown_table([*header, "vector network"], rows) + "\n" + note


def counted_additions_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Additions counted one by one beside both sums over layers, by seed."""
    rows = [
        [seed, len(run), f"{run['counted'].min()} to {run['counted'].max()}"]
        + [int((run["counted"] - run[told]).abs().max()) for told in ("fan_out", "own_size")]
        for seed, run in table.groupby("seed")
    ]
    header = ["seed", "images", "additions counted", "largest difference from spikes x fan-out"]
    return markdown_table([*header, "from spikes x size of their own layer"], rows)


RATES = {"relu": "1", "half": "1/2", "quarter": "1/4", "eighth": "1/8", "sixteenth": "1/16"}
"""Learning rates of the ReLU network, as a share of that of the author's code."""


def relu_learning_rates_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Errors of the ReLU network by learning rate, and when it trained as well as printed."""
    printed = next(row for row in published["rows"] if row["id"] == "relu")
    test, training = printed["test_error_percent"], printed["training_error_percent"]
    rows = [["published", f"{test:g}", f"{test:g}", f"{training:g}", "-"]]
    for network, share in RATES.items():
        errors = [
            _mean_or_diverged(final_errors(table, network, "rectified", part)["error_percent"])
            for part in PARTS
        ]
        curve = table[(table["record"] == "curve") & (table["network"] == network)]
        curve = curve[curve["part"] == "train"].groupby("epoch")["error_percent"].mean()
        below = curve.index[curve <= training]
        rows.append([share, *errors, f"epoch {below[0]:g}" if len(below) else "never"])
    header = ["learning rate / that of the author's code", "test, thesis split"]
    header += ["test, official split", "training", f"training error first at {training:g} or below"]
    epochs = f"{table['epoch'].max():g} epochs"
    note = f"Percent error after {epochs}; the last column among the tested epochs.\n"
    return markdown_table(header, rows) + "\n" + note

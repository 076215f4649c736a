"""What was found on equilibrium propagation; theorems stand in the table of theorems."""

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, paired_difference
from plausible.studies.oconnor2020.ch2_equilibrium.settings import TIED, UNTIED

TRAINING = "ch2.asymmetric_still_settles"
SPLITS = ("thesis", "official")


def _distances(evidence: Evidence) -> pd.DataFrame:
    """|s_L - y|^2 of each seed at the beginning and the end of the positive phase."""
    columns = ("seed", "phase", "step", "layer", "state", "target")
    table = evidence.table("ch2.fig2.3", *columns)
    rows = table[(table["phase"] == "positive") & (table["layer"] == table["layer"].max())]
    squares = (rows["state"] - rows["target"]) ** 2
    sums = squares.groupby([rows["seed"], rows["step"]]).sum().unstack()
    return pd.DataFrame({"before": sums.iloc[:, 0], "after": sums.iloc[:, -1]})


def outputs_are_pulled(evidence: Evidence) -> list[Measured]:
    """Distance after the positive phase less that before it."""
    found = _distances(evidence)
    return [Measured("", found["after"] - found["before"])]


def weights_become_symmetric(evidence: Evidence) -> list[Measured]:
    """Cosine of W and transposed feedback at the end less that at the beginning."""
    table = evidence.table(TRAINING, "weights", "seed", "epoch", "symmetry")
    rows = table[table["weights"] == UNTIED].sort_values("epoch").groupby("seed")["symmetry"]
    return [Measured("", rows.last() - rows.first())]


def _bits(evidence: Evidence, column: str) -> dict[str, pd.Series]:
    table = evidence.table("ch2.eqprop_needs_fine_states", "network", "states", column)
    return {
        str(states): rows.set_index("network")[column] for states, rows in table.groupby("states")
    }


def bits_do_not_change(evidence: Evidence) -> list[Measured]:
    """Share of hidden units that both phases leave the same."""
    found = _bits(evidence, "unchanged_share")
    return [Measured("", found["bits"], controls={"real_states": found["real"]})]


def bits_lose_the_gradient(evidence: Evidence) -> list[Measured]:
    """Cosine with bits."""
    return [Measured("", _bits(evidence, "cosine")["bits"])]


def real_states_keep_it(evidence: Evidence) -> list[Measured]:
    """Cosine with real states."""
    return [Measured("", _bits(evidence, "cosine")["real"])]


def _last(evidence: Evidence, *columns: str) -> pd.DataFrame:
    """Last row of each training."""
    table = evidence.table(TRAINING, "weights", "seed", "epoch", *columns)
    return table.sort_values("epoch").groupby(["weights", "seed"], as_index=False).tail(1)


def performance_kept(evidence: Evidence) -> list[Measured]:
    """Test error untied less tied, on both sets of test images."""
    rows = _last(evidence, *(f"{split}_error_percent" for split in SPLITS))
    return [
        Measured(
            "",
            paired_difference(rows, f"{split}_error_percent", "weights", UNTIED, TIED),
            variant=f"{split} split",
            full_scale=True,
        )
        for split in SPLITS
    ]


def states_settle(evidence: Evidence) -> list[Measured]:
    """Share of test images that come to rest, and with random weights."""
    rows = _last(evidence, "settled_share", "random_settled_share")
    rows = rows[rows["weights"] == UNTIED].set_index("seed")
    controls = {"strong_random_weights": rows["random_settled_share"]}
    return [Measured("", rows["settled_share"], controls=controls)]

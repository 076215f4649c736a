"""Entries of a made-up document, what is found on them, and verdicts on it."""

from pathlib import Path

import pandas as pd

from plausible.reproduction.evidence import Measured, Number
from plausible.reproduction.reasons import Reasons
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS

SCHEMA = Path(__file__).resolve().parents[2] / "workflow" / "schemas" / "published.schema.yaml"
COMMON = {"kind": "claim", "section": "1", "title": "t", "what": "w", "settings": {}, "values": {}}
COMMON |= {"needs": ["none"], "reproducible": "full"}


def statement(name="falls", **more):
    return {"id": name, "test": f"it {name}", "op": "<", "bound": 0.0, "because": "said", **more}


def entry(name, **more):
    return {"id": f"doc.{name}", **COMMON, "expect": [statement()], **more}


TABLE = entry(
    "table1",
    kind="table",
    values={"rows": [{"id": "a", "error_percent": 2.0}, {"id": "b", "error_percent": 5.0}], "n": 3},
    resolutions=[
        {"places": ["rows.*"], "resolution": 0.5, "unit": "points", "because": "half of 1"},
        {"places": ["n"], "resolution": None, "because": "a setting"},
    ],
)
THEOREM = entry(
    "eq1",
    kind="theorem",
    subkind="equivalence",
    expect=[statement("agrees", op="<=", bound=1e-12)],
    controls=[
        {"id": "sign", "statement": "agrees", "broken": "sign", "op": ">", "bound": 1e-3},
    ],
)


def theorems(*rows):
    """Table of theorems: variant, control, protocol and deviations, one for each seed."""
    return {
        "theorems": pd.DataFrame(
            [
                ("doc.eq1", "agrees", variant, control, "what was measured", protocol, seed, value)
                for variant, control, protocol, values in rows
                for seed, value in enumerate(values)
            ],
            columns=list(THEOREM_COLUMNS),
        )
    }


FALLS = {"falls": [Measured("corrected", (-1.0, -1.1, -0.9))]}
GOOD = FALLS | {
    "numbers_of_table1": [
        Number("rows.a.error_percent", "corrected", (2.0, 2.1, 1.9)),
        Number("rows.b.error_percent", "corrected", (5.0, 5.1, 4.9)),
    ],
}
FINE, BROKEN = ("", "", "corrected", (1e-13, 2e-13)), ("", "sign", "corrected", (0.5, 0.6))


def protocols(**values):
    return {"falls": [Measured(name, values) for name, values in values.items()]}


LOW, HIGH, WIDE = (-1.0, -1.1), (1.0, 1.1), (-1.0, 1.5)


def because(text, **more):
    return Reasons(differences=({"rows": [{"result": "claim"}], "because": text, **more},))


def reason_of(judge, values, reasons, **more):
    rows = judge(entry("claim"), claims=protocols(corrected=values), reasons=reasons, **more)
    return rows["reason"].iloc[0]

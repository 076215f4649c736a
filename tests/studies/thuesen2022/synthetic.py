"""Made-up tables of the whole document in which every published statement holds."""

import pandas as pd

from plausible.reproduction.published import Published

from ..claim_harness import Tables, theorem_rows
from .constraints import synthetic as constraints
from .learning import synthetic as learning
from .neurons import synthetic as neurons
from .table1 import synthetic as table1

PARTS = {"neurons": neurons, "learning": learning, "table1": table1, "constraints": constraints}
SPOILS = tuple(one for part in PARTS.values() for one in part.SPOILS)
PROTOCOLS = table1.PROTOCOLS


def good_tables(published: Published) -> Tables:
    """A table for every result that the claims read, theorems included."""
    tables = {name: table for part in PARTS.values() for name, table in part.good_tables().items()}
    theorems = [theorem_rows(f"thuesen2022.{part}", published) for part in PARTS]
    return {**tables, "theorems": pd.concat(theorems, ignore_index=True)}


def spoilt(tables: Tables, statement: str) -> Tables:
    """The tables changed so that ``statement`` fails."""
    return next(one for one in SPOILS if one.statement == statement).spoil(dict(tables))

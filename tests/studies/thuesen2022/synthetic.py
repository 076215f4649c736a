"""Made-up tables of the whole document in which every published statement holds."""

from collections.abc import Mapping

import pandas as pd

from plausible.reproduction.published import Published

from ..claims_harness import theorems
from .constraints import synthetic as constraints
from .learning import synthetic as learning
from .neurons import synthetic as neurons
from .table1 import synthetic as table1

PARTS = (neurons, learning, table1, constraints)
SPOILS = tuple(one for part in PARTS for one in part.SPOILS)
PROTOCOLS = table1.PROTOCOLS


def good_tables(published: Published) -> dict[str, pd.DataFrame]:
    """A table for every result that the claims read, theorems included."""
    tables = {name: table for part in PARTS for name, table in part.good_tables(published).items()}
    return {**tables, "theorems": theorems(published)}


def spoil(tables: Mapping[str, pd.DataFrame], statement: str) -> None:
    """Change the tables so that ``statement`` fails."""
    next(one for one in SPOILS if one.statement == statement).spoil(tables)

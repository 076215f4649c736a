"""Changes of good tables after which a statement must fail."""

from collections.abc import Callable

import pandas as pd

Tables = dict[str, pd.DataFrame]
Condition = Callable[[pd.DataFrame], pd.Series]


def change(name: str, condition: Condition, *columns: str, to) -> Callable[[Tables], Tables]:
    """Set ``columns`` of the rows of the table ``name`` that satisfy ``condition``.

    ``to`` is a value or a function of the present values.
    """

    def spoil(tables: Tables) -> Tables:
        frame = tables[name].copy()
        rows = condition(frame)
        assert rows.any(), "a spoiler must change something"
        for column in columns:
            if not isinstance(to, str | bool):
                frame[column] = frame[column].astype(float)
            frame.loc[rows, column] = to(frame.loc[rows, column]) if callable(to) else to
        return {**tables, name: frame}

    return spoil


def drop_rows(name: str, condition: Condition) -> Callable[[Tables], Tables]:
    """Remove the rows of the table ``name`` that satisfy ``condition``."""

    def spoil(tables: Tables) -> Tables:
        rows = condition(tables[name])
        assert rows.any(), "a spoiler must remove something"
        return {**tables, name: tables[name][~rows].reset_index(drop=True)}

    return spoil

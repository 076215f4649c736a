"""Tables 1 to 3 for people to read, each with the published values beside ours."""

import pandas as pd

from plausible.reproduction.markdown import markdown_table
from plausible.studies.song2020.texts import Published, number


def answer(holds: pd.Series) -> str:
    """``yes``, ``no``, or how many of several measurements hold."""
    count = int(holds.sum())
    if count in (0, len(holds)):
        return "yes" if count else "no"
    return f"{count} of {len(holds)}"


def spread(values: pd.Series, digits: int = 1) -> str:
    """``93.4``, or ``93.4 to 99.6`` where values differ."""
    values = values.dropna()
    if values.empty:
        return "n/a"
    low, high = f"{values.min():.{digits}f}", f"{values.max():.{digits}f}"
    return low if low == high else f"{low} to {high}"


def table1_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 1: the symbols of both models, and the names that the implementation uses."""
    rows = [
        [
            *(row.quantity.replace("_", " "), row.ann_symbol, row.pcn_symbol),
            *(f"`{row.name_in_code}`", "yes" if row.found else "no"),
        ]
        for row in table.fillna("-").itertuples()
    ]
    header = ["quantity", "ANN", "PCN", "name in the implementation", "found there"]
    return markdown_table(header, rows)


def table2_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 2: published and measured properties of the four models, and the measurements."""
    printed = {row["id"]: row for row in published["rows"]}
    columns = published["columns"]
    rows = []
    for model, group in table.groupby("model", sort=False):
        cells = [
            f"{'yes' if printed[model][name] else 'no'} / "
            f"{answer(group.loc[group['property'] == name, 'holds'])}"
            for name in columns
        ]
        rows.append([model, *cells])
    summary = markdown_table(["model (published / measured)", *columns.values()], rows)
    measured = []
    for (model, name), group in table.groupby(["model", "property"], sort=False):
        values = group["measured_value"].dropna()
        worst = number(values.loc[values.abs().idxmax()]) if len(values) else "-"
        text = group["measurement"].iloc[0]
        measured.append([model, columns[name], answer(group["holds"]), text, worst])
    header = ["model", "property", "holds", "measurement", "largest value over seeds"]
    return f"{summary}\n{markdown_table(header, measured)}"


def table3_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table 3: success rate of phi against t_d, by tolerance of the zero test and by counting."""
    printed = published["success_rate_percent"]
    parts = []
    for counting, group in table.groupby("counting", sort=False):
        tolerances = list(dict.fromkeys(group["tolerance"]))
        rows = []
        for t_d, moments in group.groupby("t_d", sort=True):
            found = moments.groupby("tolerance", sort=False)["success_rate_percent"].agg(spread)
            rates = found.reindex(tolerances, fill_value="n/a")
            rows.append([t_d, f"{printed[str(t_d)]:.1f}" if str(t_d) in printed else "-", *rates])
        header = ["t_d", "published %"]
        header += [f"<= {each:g} %" if each else "exact zero %" for each in tolerances]
        parts.append(f"Counted {counting.replace('_', ' ')}:\n\n{markdown_table(header, rows)}")
    note = (
        "Share of moments t = l that phi finds, by what its test takes for zero: lowest to highest "
        "over network depths, initial and trained weights, and seeds.\n"
    )
    return "\n".join([*parts, note])

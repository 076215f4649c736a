"""What a tenth of every lambda says about table B.1, as a sentence of the report."""

import pandas as pd

from plausible.reproduction.pages import Html
from plausible.reproduction.study_report import StudyReport
from plausible.studies.oconnor2020.ch4_scales.settings import TENTH


def tenth_of_lambda(report: StudyReport) -> Html:
    """Operations as coded with a tenth of every lambda beside those by the text."""
    return Html("<p>{}</p>").format(conclusion(report.table("table_b1")))


def conclusion(table: pd.DataFrame) -> str:
    """How much of the distance between code and text a tenth of every lambda closes.

    In thousand operations of rounding, the mean over the ten lambdas and the seeds, on the same
    images (thesis split).
    """
    rows = table[(table["network"] == "rounding") & (table["order"] == "file")]
    rows = rows[(rows["setting"] == "optimized") & (rows["part"] == "thesis")]
    means = rows.groupby(["protocol", "granularity"])["kflops"].mean()
    if ("as_coded", TENTH) not in means.index:
        return "This run has no scales with a tenth of every λ."
    text = means["as_published", "layerwise"]
    plain, tenth = means["as_coded", "layerwise"], means["as_coded", TENTH]
    closed = 1.0 - abs(tenth - text) / abs(plain - text)
    said = "is" if closed > 0.5 else "is not"
    return (
        f"Over the ten λ rounding takes {plain:.3g} thousand operations as coded, {tenth:.3g} with "
        f"a tenth of every λ and {text:.3g} by the text: the sum over the minibatch {said} what "
        f"tells the code from the text, as the tenth closes {100 * closed:.0f} % of the distance."
    )

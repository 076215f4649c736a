"""What the verdicts say together: protocols and explanations."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import summaries
from plausible.reproduction.judging import UNDECIDED
from plausible.reproduction.reasons import Cause, load_reasons
from plausible.reproduction.summaries import FALLS, OPEN, SURVIVES
from plausible.reproduction.verdicts import DIFFERS, NOT_COMPARABLE, REPRODUCED

from .conftest import STUDIES, made_up_verdicts, parts_of


def numbers_of(*rows):
    columns = ["check", "variant", "protocol", "reproduced", "verdict", "duplicate_of"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(id="s.r", published=95.21, statement="published value of row 5", n_seeds=3)


def test_which_protocol_yields_a_number():
    verdicts = numbers_of(
        ("value:row5", "", "as_published", 92.21, DIFFERS, ""),
        ("value:row5", "", "as_coded", 95.211, REPRODUCED, ""),
        ("value:row5", "", "corrected", 95.91, UNDECIDED, ""),
        ("value:row5", "other split", "as_coded", 95.0, REPRODUCED, ""),
        ("value:row5", "other split", "corrected", 95.42, UNDECIDED, ""),
        ("value:again", "", "as_coded", 95.0, REPRODUCED, "s.other: row5"),
        ("value:again", "", "corrected", 95.0, REPRODUCED, "s.other: row5"),
        ("value:alone", "", "corrected", 95.0, REPRODUCED, ""),
        ("every_row_near", "", "corrected", 95.0, REPRODUCED, ""),
    )
    first, second = summaries.protocol_summary(verdicts).to_dict("records")
    assert first["statement"] == "published value of row 5" and first["published"] == 95.21
    assert (first["as_published"], first["corrected"]) == (92.21, 95.91)
    assert first["nearest"] == "as_coded"
    assert (first["reproduced_by"], first["undecided_by"]) == ("as_coded", "corrected")
    assert (second["reproduced_by"], second["undecided_by"]) == ("as_coded", "corrected")
    assert first["comparable"] and first["n_seeds"] == 3
    assert second["variant"] == "other split" and np.isnan(second["as_published"])
    assert second["nearest"] == "as_coded, corrected", "0.21 on either side"


def test_numbers_that_a_scale_cannot_compare_are_marked():
    protocols = ("as_coded", "corrected")
    verdicts = numbers_of(*(("value:x", "", name, 1.0, NOT_COMPARABLE, "") for name in protocols))
    (row,) = summaries.protocol_summary(verdicts).to_dict("records")
    assert not row["comparable"] and row["reproduced_by"] == ""


def test_of_a_map_the_share_of_its_cells_tells_protocols_apart():
    """Cells on which a protocol was fitted are not counted: 5 of 48 are fewer than 4 of 36."""
    verdicts = numbers_of(
        ("cells:map", "", "as_coded", "5 of 48 cells", DIFFERS, ""),
        ("cells:map", "", "calibrated", "4 of 36 cells", DIFFERS, ""),
    ).assign(published="48 cells")
    (row,) = summaries.protocol_summary(verdicts).to_dict("records")
    assert (row["as_coded"], row["calibrated"]) == ("5 of 48", "4 of 36")
    assert row["published"] == "48 cells" and row["nearest"] == "calibrated"


def verdicts_of(*rows):
    return pd.DataFrame(
        [("s.r", check, f"the {check} holds", "", *row) for check, *row in rows],
        columns=["id", "check", "statement", "variant", "protocol", "verdict"],
    )


TWO = [
    {"result": "r", "check": "first", "protocol": "corrected"},
    {"result": "r", "check": "second", "protocol": "", "verdict": DIFFERS},
]


@pytest.mark.parametrize(
    ("found", "all_needed", "one_enough"),
    [
        ((REPRODUCED, DIFFERS), SURVIVES, SURVIVES),
        ((DIFFERS, DIFFERS), FALLS, SURVIVES),
        ((DIFFERS, REPRODUCED), FALLS, FALLS),
        ((REPRODUCED, NOT_COMPARABLE), OPEN, SURVIVES),
        ((NOT_COMPARABLE, NOT_COMPARABLE), OPEN, OPEN),
        ((DIFFERS, NOT_COMPARABLE), FALLS, OPEN),
    ],
)
def test_explanations_stand_or_fall_by_their_verdicts(found, all_needed, one_enough):
    verdicts = verdicts_of(("first", "corrected", found[0]), ("second", np.nan, found[1]))
    for enough, wanted in ((False, all_needed), (True, one_enough)):
        cause = Cause(section="1", text="text", needs=TWO, one_is_enough=enough)
        (row,) = summaries.surviving_causes(verdicts, "s", [cause]).to_dict("records")
        assert row["outcome"] == wanted
        said = (f"r: the first holds (corrected): {found[0]}", f"r: the second holds: {found[1]}")
        assert row["evidence"] == said


def test_a_protocol_that_is_not_asked_for_is_told_where_it_opposes():
    verdicts = verdicts_of(
        ("first", "corrected", REPRODUCED),
        ("first", "as_coded", DIFFERS),
        ("first", "as_published", REPRODUCED),
        ("second", np.nan, DIFFERS),
    )
    cause = Cause(section="1", text="text", needs=TWO)
    turned = {REPRODUCED: DIFFERS, DIFFERS: REPRODUCED}
    falls = verdicts.assign(verdict=verdicts["verdict"].map(turned))
    (row,) = summaries.surviving_causes(falls, "s", [cause]).to_dict("records")
    assert row["outcome"] == FALLS and "as_published): differs" in row["evidence"][1]
    assert not any("as_coded" in said for said in row["evidence"]), "that supports it"
    (row,) = summaries.surviving_causes(verdicts, "s", [cause]).to_dict("records")
    assert row["outcome"] == SURVIVES and len(row["evidence"]) == 3
    assert row["evidence"][1] == (
        "not asked for, and against it: the first holds (as_coded): differs"
    )


def test_explanation_without_its_verdict_is_an_error():
    verdicts = verdicts_of(("first", "corrected", REPRODUCED))
    with pytest.raises(StudyError, match="rests on r, second"):
        summaries.surviving_causes(verdicts, "s", [Cause(section="1", text="t", needs=TWO)])


@pytest.mark.parametrize("study", STUDIES)
def test_every_explanation_of_a_document_rests_on_a_verdict_of_its_own(study):
    """It survives if that is as listed, and falls if the opposite is found."""
    verdicts = made_up_verdicts(study, "paper")
    causes = load_reasons(study, parts_of(study)).causes
    survive = summaries.surviving_causes(verdicts, study, causes)
    assert list(survive["outcome"]) == [SURVIVES] * len(causes)
    opposite = {REPRODUCED: DIFFERS, DIFFERS: REPRODUCED}
    turned = verdicts.assign(verdict=verdicts["verdict"].replace(opposite))
    assert list(summaries.surviving_causes(turned, study, causes)["outcome"]) == [FALLS] * len(
        causes
    )

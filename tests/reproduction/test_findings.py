"""Key findings: sentences with computed numbers, left out where their condition does not hold."""

import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction.entries import COLUMNS as COLUMNS_OF_ENTRIES
from plausible.reproduction.findings import key_findings
from plausible.reproduction.published import load_published
from plausible.reproduction.verdicts import COLUMNS

from .conftest import WORKFLOW


@pytest.fixture(scope="module")
def published():
    return load_published(WORKFLOW / "published" / "thuesen2022", ["table1"])


@pytest.fixture
def folder(tmp_path):
    """Results of a run with one table, one row of the verdicts and one entry."""
    table = pd.DataFrame(
        [(seed, way, 90.0 + seed + 2.0 * (way == "b")) for seed in (0, 1, 2) for way in "ab"],
        columns=["seed", "way", "accuracy"],
    )
    table.to_csv(tmp_path / "table1.csv", index=False)
    row = dict.fromkeys(COLUMNS, "") | {"id": "thuesen2022.table1", "check": "holds"}
    row |= {"verdict": "differs", "reproduced": 1.5}
    pd.DataFrame([row]).to_csv(tmp_path / "verdicts.csv", index=False)
    entry = dict.fromkeys(COLUMNS_OF_ENTRIES, "") | {"id": row["id"], "verdict": "holds in part"}
    pd.DataFrame([entry]).to_csv(tmp_path / "entries.csv", index=False)
    return tmp_path


def told(published, folder, when="true", sentence="said"):
    declared = [{"id": "one", "entry": "table1", "when": when, "sentence": sentence}]
    return [one.sentence for one in key_findings(published, declared, folder)]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('estimate("table1", "accuracy", way="a") | estimate', "91.0 [88.5, 93.5]"),
        (
            'difference("table1", "accuracy", {"way": "a"}, {"way": "b"}) | estimate(2, true)',
            "−2.00 [−2.00, −2.00]",
        ),
        ('estimate("table1", "accuracy", seed=0) | estimate', "91.0 (one run)"),
        (
            'ratio("table1", "accuracy", {"way": "a"}, {"way": "b"}) | estimate(4)',
            "0.9785 [0.9779, 0.9791]",
        ),
        (
            'ratio("table1", "accuracy", {"seed":0}, {"seed":1}, over="way") | estimate(3,times=2)',
            "1.978 [1.975, 1.981]",
        ),
        ('seeds("table1", over="way") | length', "2"),
        ('seeds("table1", way="a", accuracy=91.0) | length', "1"),
        ('published("table1", "rows.row5.test_accuracy_percent")', "95.21"),
        ('entry("table1")', "holds in part"),
        ('verdict("table1", "holds")', "differs"),
        ("0.0000005 | g(1)", "5 × 10⁻⁷"),
        ("12200.0 | g(3)", "12,200"),
        ("0.04567 | g(2)", "0.046"),
        ("100.0 | g(3)", "100"),
    ],
)
def test_what_a_sentence_may_compute(published, folder, expression, text):
    assert told(published, folder, sentence=f"It is {{{{ {expression} }}}}.") == [f"It is {text}."]


def test_what_does_not_hold_is_not_said(published, folder):
    higher = 'difference("table1", "accuracy", {"way": "b"}, {"way": "a"}).low > '
    assert told(published, folder, when=higher + "1") == ["said"]
    assert told(published, folder, when=higher + "3") == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('mean("table2", "accuracy")', "table2.csv is missing"),
        ('estimate("table1", "acuracy")', "no column 'acuracy'"),
        ('estimate("table1", "accuracy", way="c")', "no row with {'way': 'c'}"),
        ('published("table1", "rows.row5.test_acuracy_percent")', "nearest"),
        ('verdict("table1", "hold")', "there is no row"),
        ("1 +", "one: "),
        ("nothing.mean", "undefined"),
    ],
)
def test_a_slip_is_one_sentence_that_names_the_finding(published, folder, expression, words):
    with pytest.raises(StudyError, match="thuesen2022: the key finding one: ") as error:
        told(published, folder, sentence=f"{{{{ {expression} }}}}")
    assert words in str(error.value)

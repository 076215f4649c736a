"""Table 3.1 for people to read."""

import pandas as pd
import pytest

from plausible.studies.oconnor2020.ch3_newsgroups.tables import (
    ERRORS,
    kernel_note,
    table3_1_markdown,
)

from ...part_results import published_of
from .synthetic import make_table


@pytest.fixture(scope="module")
def printed():
    return published_of("oconnor2020.ch3_newsgroups").values("ch3.table3.1")


def test_markdown_has_both_numbers(printed):
    text = table3_1_markdown(make_table("posts"), printed)
    lines = text.splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 2 + 3 * 5
    assert (
        "7 : 1 in the order of the file (1727 : 247 of posts)" in lines[2] and "2.278" in lines[2]
    )
    assert (
        "2.278" in lines[2] and "0.82" in text and "4.82" in text and "SVM, Gaussian kernel" in text
    )
    # In the order of the file a machine is the same for every seed: no interval.
    machines = [line for line in lines if "| SVM," in line]
    assert ["±" in line for line in machines] == [False] * 2 + [True] * 4
    assert "kernel of its machine" not in text, "made-up posts say nothing about the thesis"


def test_kernel_that_is_nearer_to_the_printed_errors(printed):
    rows = [
        ("file_order", "svm_linear", 9.7, 0.0),
        ("file_order", "svm_rbf", 6.9, 0.5),
        ("shuffled", "svm_linear", 4.6, 0.0),
        ("shuffled", "svm_rbf", 3.8, 0.0),
    ]
    table = pd.DataFrame(rows, columns=["division", "classifier", *ERRORS])
    text = kernel_note(table.assign(data_set="newsgroups"), printed)
    assert "order of the file: SVM, Gaussian kernel (test), SVM, linear kernel (training);" in text
    assert (
        "SVM, linear kernel (test), SVM, linear kernel and SVM, Gaussian kernel (training)." in text
    )
    assert kernel_note(table.assign(data_set="breast_cancer"), printed) == ""

"""What the pictures of Song et al. 2020 share."""

import pandas as pd

from plausible.studies.song2020.looks import power_label
from plausible.studies.song2020.texts import moments


def test_moments_are_text_whatever_the_table_holds():
    assert list(moments(pd.Series(["l", "0", "16"]))) == ["l", "0", "16"]
    assert list(moments(pd.Series([0.0, 16.0]))) == ["0", "16"]


def test_powers_of_ten_from_a_thousandth_on_are_plain():
    texts = [power_label(value) for value in (0, 0.001, 100, 1e-6)]
    assert texts == ["0", "0.001", "100", "$10^{-6}$"]

"""The part publishes one entry, a review without a number: nothing is judged."""

from plausible.reproduction import verdicts as vd

from ...part_results import published_of


def test_the_review_has_a_row_and_no_verdict():
    verdicts = vd.verdict_table("song2020", {}, "paper", published_of("song2020.beyond"))
    assert list(verdicts["verdict"]) == [vd.ILLUSTRATION]

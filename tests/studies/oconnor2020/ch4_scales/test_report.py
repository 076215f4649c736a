"""The sentence on a tenth of every lambda."""

import pandas as pd
import pytest

from plausible.studies.oconnor2020.ch4_scales.report import conclusion
from plausible.studies.oconnor2020.ch4_scales.settings import TENTH


def table(tenth):
    """Operations of rounding: 100 as coded, 150 by the text."""
    means = [("as_coded", "layerwise", 100.0), ("as_published", "layerwise", 150.0)]
    means += [] if tenth is None else [("as_coded", TENTH, tenth)]
    frame = pd.DataFrame(means, columns=["protocol", "granularity", "kflops"])
    return frame.assign(network="rounding", order="file", setting="optimized", part="thesis")


@pytest.mark.parametrize(
    ("tenth", "words"),
    [
        (145.0, "150 by the text: the sum over the minibatch is what tells"),
        (145.0, "closes 90 % of the distance"),
        (105.0, "is not what tells"),
        (None, "has no scales with a tenth"),
    ],
)
def test_what_a_tenth_of_every_lambda_says(tenth, words):
    assert words in conclusion(table(tenth))

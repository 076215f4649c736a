"""Pictures of single neurons, codings and filters."""

import itertools

import numpy as np
import pandas as pd

from plausible.drawing.style import PUBLISHED_COLOUR
from plausible.studies.thuesen2022.neurons.figures import CURRENTS_PER_COLUMN, _envelope

from ....drawing.pictures import lines_of
from ..harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """Every picture of the part."""

    part = "thuesen2022.neurons"
    tables = {
        "fig2a": synthetic.fig2a,
        "fig2b": synthetic.fig2b,
        "fig2c": synthetic.fig2c,
        "claim.alpha_filter_tau": synthetic.alpha_filter_tau,
        "claim.poisson_noise": synthetic.poisson_noise,
    }
    nothing_published = frozenset({"claim.poisson_noise"})
    same_data = frozenset({"fig2a", "fig2b", "fig2c", "claim.alpha_filter_tau"})

    def test_fig2b_shows_few_points_of_a_neuron_above_the_published_curves(self, drawn):
        for axes in drawn["fig2b"].axes:
            published = max(line.get_zorder() for line in lines_of(axes, PUBLISHED_COLOUR))
            points = [container.lines[0] for container in axes.containers]
            assert len(points) == 3
            assert all(5 < len(line.get_xdata()) <= 16 for line in points)
            assert all(line.get_zorder() > published for line in points)


def test_fig2b_extremes_are_taken_over_neighbouring_points():
    rng = np.random.default_rng(0)
    points = 3 * CURRENTS_PER_COLUMN + 5
    table = pd.DataFrame(
        {
            "input_current": np.arange(points),
            "repetition": 0,
            "rate_hz": rng.standard_normal(points),
            "theoretical_rate_hz": 0.5,
        }
    )
    band = _envelope(table.sample(frac=1.0, random_state=1))
    deviation = table["rate_hz"].to_numpy() - 0.5
    edges = [0, CURRENTS_PER_COLUMN, 2 * CURRENTS_PER_COLUMN, points]
    for row, (start, stop) in enumerate(itertools.pairwise(edges)):
        assert band["low"].iloc[row] == deviation[start:stop].min()
        assert band["high"].iloc[row] == deviation[start:stop].max()
    assert len(band) == 3

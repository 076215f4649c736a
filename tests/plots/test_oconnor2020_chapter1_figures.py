"""Pictures of chapter 1 of O'Connor 2020, drawn from tables made of closed forms."""

import itertools

import numpy as np
import pandas as pd
import pytest

from plausible.drawing import oconnor2020, style
from plausible.studies.oconnor2020.ch1.figures import FIGURES, RECALLED_LOAD
from plausible.reproduction.published import load_curves

from .pictures import CURVES, check_legibility, legend_texts, lines_of


def recall_table() -> pd.DataFrame:
    """Energies that fall as exp(-t), overlaps that rise to 1 or fall to 0.2."""
    kinds = [("binary", 0.05, np.inf, 1.0), ("binary", 0.2, np.inf, 0.2)]
    kinds += [("continuous", 0.05, gain, 0.2 * gain) for gain in (0.5, 2.0, 4.0)]
    rows = [
        (*kind[:3], seed, pattern, t, -0.5 + 0.4 * np.exp(-t), kind[3] - (kind[3] - 0.6) / (1 + t))
        for kind in kinds
        for seed, pattern in itertools.product((0, 1), repeat=2)
        for t in np.linspace(0, 5, 21)
    ]
    columns = ["states", "load", "gain", "seed", "pattern"]
    return pd.DataFrame(rows, columns=[*columns, "updates_per_unit", "energy_per_unit", "overlap"])


def capacity_table(seeds: int = 3) -> pd.DataFrame:
    """Steps at the capacity that are softer in smaller networks."""
    rng = np.random.default_rng(0)
    rows = [
        (units, load, turned, seed, 1 / (1 + np.exp((load - 0.15) * units / 3)) - rng.random() / 50)
        for units in (100, 200, 1000)
        for load in (0.02, 0.05, 0.1, 0.15, 0.2)
        for turned in (0.0, 0.2)
        for seed in range(seeds)
    ]
    rows += [(np.inf, load, np.nan, np.nan, float(load < 0.138)) for load in (0.01, 0.137, 0.139)]
    return pd.DataFrame(rows, columns=["units", "load", "turned_fraction", "seed", "overlap"])


def neuron_table(seeds: int = 3) -> pd.DataFrame:
    """Saw teeth, and rates that are straight lines."""
    time = np.linspace(0.0, 0.1, 101)
    names = ["reset_to_rest", "subtract", "subtract_no_leak"]
    rows = [
        ("potential", name, event, t, 49 * (t % 0.02) * scale, 49 * (t % 0.02) * scale)
        for name, scale in zip(names, (1.0, 0.9, 0.8), strict=True)
        for event in ("sample", "input")
        for t in time
    ]
    rows += [("potential", name, "spike", t, 0.0, np.nan) for name in names for t in time[20::20]]
    columns = ["panel", "neuron", "event", "time_s", "potential", "event_potential"]
    rates = [
        ("rate", name, seed, drive, max(0.0, drive * slope) + seed)
        for name, slope in zip(names, (0.7, 0.8, 1.0), strict=True)
        for seed in range(seeds)
        for drive in (-20.0, 0.0, 100.0, 200.0)
    ]
    return pd.concat(
        [
            pd.DataFrame(rows, columns=columns),
            pd.DataFrame(rates, columns=["panel", "neuron", "seed", "drive_hz", "rate_hz"]),
        ]
    )


def window_table() -> pd.DataFrame:
    """Eq. 1.11 with equal sides, and kernels of ten steps."""
    dt = np.linspace(-0.1, 0.1, 40)
    change = np.sign(dt) * np.exp(-np.abs(dt) / 0.02)
    parts = [
        pd.DataFrame(
            {
                "panel": "window",
                "rule": rule,
                "dt_s": dt,
                "weight_change": height * change,
                "weight_change_online": height * change,
            }
        )
        for rule, height in (("example", 1.0), ("equal_sides", 0.7))
    ]
    steps = np.arange(-12, 13)
    for rule, protocol, kernel in (
        ("chapter5", "as_published", 0.5 * 0.9 ** np.abs(steps)),
        ("chapter5", "corrected", 2.0 * 0.9 ** np.abs(steps)),
        ("chapter6", "corrected", np.sign(steps) * 0.9 ** np.abs(steps)),
    ):
        parts.append(
            pd.DataFrame(
                {
                    "panel": "kernel",
                    "rule": rule,
                    "protocol": protocol,
                    "dt_steps": steps,
                    "kernel": kernel,
                    "correlation": kernel if protocol == "corrected" else 4.0 * kernel,
                }
            )
        )
    return pd.concat(parts)


TABLES = {
    "hopfield_recall": recall_table,
    "hopfield_capacity": capacity_table,
    "integrate_and_fire": neuron_table,
    "stdp_windows": window_table,
}


@pytest.fixture(scope="module")
def published():
    return load_curves(CURVES, "oconnor2020")


@pytest.fixture(scope="module")
def drawn(published):
    return {name: FIGURES[name](TABLES[name](), published, "digits") for name in FIGURES}


def test_every_picture_has_a_table_and_is_registered():
    assert set(TABLES) == set(FIGURES) and FIGURES.items() <= oconnor2020.FIGURES.items()


@pytest.mark.parametrize("name", FIGURES)
def test_labelled_legible_and_free_of_overlaps(name, drawn):
    figure = drawn[name]
    assert round(figure.get_figwidth() * 25.4, 3) == style.DOUBLE_COLUMN_MM
    check_legibility(figure)
    labels = [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())]
    assert all("(" in label for label in labels if label and label != "input"), labels


@pytest.mark.parametrize("name", FIGURES)
def test_same_bytes_each_time(name, drawn, published):
    text = style.svg_text(FIGURES[name](TABLES[name](), published, "digits"))
    assert text == style.svg_text(FIGURES[name](TABLES[name](), published, "digits"))
    assert len(text) < 300_000


@pytest.mark.parametrize("name", ["hopfield_capacity", "integrate_and_fire"])
def test_a_single_seed(name, published):
    figure = FIGURES[name](TABLES[name](seeds=1), published)
    figure.draw_without_rendering()
    assert len(legend_texts(figure)) == len(legend_texts(FIGURES[name](TABLES[name](), published)))


def test_recalls_are_one_line_each(drawn):
    table = recall_table()
    panels = drawn["hopfield_recall"].axes
    assert [len(axes.lines) for axes in panels] == [8, 9, 12, 13]  # with a line at overlap 1
    first = lines_of(panels[1], style.BLUE)
    rows = table[(table["load"] == 0.05) & (table["states"] == "binary") & (table["seed"] == 0)]
    rows = rows[rows["pattern"] == 0]
    np.testing.assert_array_equal(first[0].get_ydata(), rows["overlap"])
    assert "load 0.2 patterns per unit" in legend_texts(drawn["hopfield_recall"])


def test_capacity_has_means_intervals_up_to_one_and_theory(drawn):
    table = capacity_table()
    panels = drawn["hopfield_capacity"].axes
    assert [axes.get_title(loc="left").split("start: ")[1] for axes in panels] == [
        "the pattern itself",
        "20 % of it turned over",
    ]
    chosen = table[(table["units"] == 200) & (table["turned_fraction"] == 0.2)]
    (line,) = lines_of(panels[1], style.ORANGE)
    np.testing.assert_allclose(line.get_ydata(), chosen.groupby("load")["overlap"].mean())
    np.testing.assert_allclose(line.get_xdata(), sorted(chosen["load"].unique()), atol=2e-3)
    (theory,) = lines_of(panels[0], style.GREY)
    assert list(theory.get_ydata()) == [1.0, 1.0, 0.0]
    bars = [path.vertices[:, 1] for item in panels[0].collections for path in item.get_paths()]
    assert max(map(np.max, bars)) <= 1.0
    spans = [patch.get_width() for patch in panels[0].patches]
    assert spans == [RECALLED_LOAD]


def test_potentials_stand_on_the_published_scale(drawn, published):
    inputs, cell, kernels, rates = drawn["integrate_and_fire"].axes
    levels = [line.get_ydata()[0] for line in lines_of(cell, style.PUBLISHED_COLOUR)]
    values = published.values("ch1.fig1.3")
    assert levels == [values[key] for key in ("resting_mv", "threshold_mv", "peak_mv")]
    assert [text.get_text() for text in cell.texts] == ["resting", "threshold", "peak"]
    (potential,) = lines_of(cell, style.BLUE)
    assert potential.get_ydata().min() == -70 and potential.get_ydata().max() < -55
    (spikes,) = cell.collections
    assert len(spikes.get_paths()) == 5
    dots = [line for line in kernels.lines if line.get_marker() == "."]
    assert len(dots) == 2 and len(dots[0].get_xdata()) == 101
    (rectified,) = lines_of(rates, style.GREY)
    assert list(rectified.get_ydata()) == [0.0, 0.0, 100.0, 200.0]


def test_windows_jump_and_what_was_computed_lies_on_them(drawn):
    first, fifth, sixth = drawn["stdp_windows"].axes
    for axes, lines in ((first, 4), (fifth, 1), (sixth, 2)):
        formulas = [
            line for line in axes.lines if line.get_color() in (style.SKY, style.ORANGE, style.BLUE)
        ]
        assert len(formulas) == lines
    (printed,) = lines_of(fifth, style.PUBLISHED_COLOUR)
    assert printed.get_ydata().max() == 0.5
    (circles,) = [line for line in fifth.lines if line.get_marker() == "o"]
    assert circles.get_ydata().max() == 2.0 and 0 in circles.get_xdata()
    assert not lines_of(sixth, style.PUBLISHED_COLOUR)
    for line in sixth.lines:
        x = np.asarray(line.get_xdata(), dtype=float)
        assert line.get_marker() == "o" or len(x) <= 2 or not x.min() < 0 < x.max()

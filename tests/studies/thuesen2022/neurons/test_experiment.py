"""Experiments on single neurons and codings, small: columns, closed forms, determinism."""

import numpy as np
import pytest

from plausible.neurons.spikes import alpha_kernel, apply_kernel
from plausible.studies.thuesen2022.neurons.experiment_coding import filtered_moments, lag_moments

from ..harness import check_columns_and_determinism, run_experiment

SMALL = {
    "fig2a": {"points": 201, "softplus_gammas": [0.05, 0.001]},
    "fig2b": {
        "poisson_currents": 11,
        "poisson_repetitions": 40,
        "lif_currents": 11,
        "lif_input_rates_hz": [250.0, 20000.0],
        "lif_repetitions": 5,
    },
    "fig2c": {"points": 901},
    "alpha_filter_tau": {
        "time_constant_min_s": 0.0005,
        "time_constant_max_s": 0.003,
        "time_constant_points": 6,
        "rates_hz": [50, 200],
        "repetitions": 100,
    },
    "poisson_noise": {"durations_s": [0.1, 0.4, 1.6], "repetitions": 1000},
}
COLUMNS = {
    "fig2a": "protocol curve softplus_gamma input_current rate_hz",
    "fig2b": "coding input_rate_hz repetition input_current rate_hz theoretical_rate_hz duration_s",
    "fig2c": "protocol curve input value",
    "alpha_filter_tau": "kernel criterion tau_s error_hz seed",
    "poisson_noise": "rate_hz duration_s seed repetitions standard_error_hz",
}


def run(name, **changes):
    """Table of an experiment with its small settings, some of them changed."""
    return run_experiment("thuesen2022.neurons", name, **{**SMALL[name], **changes})


def lif_rate(current):
    """Eq. 37, written again."""
    current = np.asarray(current, np.float64)
    rate = np.zeros_like(current)
    above = current > 1
    rate[above] = 1 / (0.004 - 0.02 * np.log(1 - 1 / current[above]))
    return rate


def alpha_sums(tau_s: float) -> tuple[float, float]:
    """Sum and sum of squares of t/tau exp(-t/tau) at t = 0, 1 ms, 2 ms, ... in closed form."""
    a = 1e-3 / tau_s
    q, p = np.exp(-a), np.exp(-2 * a)
    return a * q / (1 - q) ** 2, a**2 * p * (1 + p) / (1 - p) ** 3


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(name):
    check_columns_and_determinism(run, name, COLUMNS[name])


def test_fig2a_is_the_closed_form():
    table = run("fig2a")
    hard = table[(table["protocol"] == "corrected") & (table["curve"] == "lif_rate")]
    np.testing.assert_allclose(hard["rate_hz"], lif_rate(hard["input_current"]), rtol=1e-12)
    sharp = table[np.isclose(table["softplus_gamma"], 0.001)]
    away = np.abs(sharp["input_current"] - 1.0) >= 0.05
    distance = np.abs(sharp["rate_hz"].to_numpy() - hard["rate_hz"].to_numpy())
    assert distance[away].max() < 1.0 < distance.max()
    # 1e-12 added above the threshold: 1 / (t_ref + tau ln(1e12)) where eq. 37 says 0.
    coded = table[(table["protocol"] == "as_coded") & (table["curve"] == "lif_rate")]
    floor = coded.loc[coded["input_current"] < 1, "rate_hz"]
    np.testing.assert_allclose(floor, 1 / (0.004 + 0.02 * np.log(1e12)), rtol=1e-6)


def test_fig2b_poisson_counts_follow_the_rate():
    counts = run("fig2b")
    counts = counts[counts["coding"] == "poisson_count"]
    np.testing.assert_allclose(
        counts["theoretical_rate_hz"], lif_rate(counts["input_current"]), rtol=1e-12
    )
    # The author's taps sum to 0.9977, and a mean over 40 s scatters by sqrt(rate / 40 s).
    means = counts.groupby("input_current")["rate_hz"].mean()
    rate = lif_rate(means.index)
    taps = np.linspace(0, 11, 11) / 1.18
    gain = np.sum(taps * np.exp(-taps))
    assert np.all(np.abs(means - gain * rate) <= 4.5 * np.sqrt(rate / 40.0))
    spread = counts[counts["input_current"] > 1].groupby("input_current")["rate_hz"].std()
    np.testing.assert_allclose(spread, np.sqrt(rate[rate > 0]), rtol=0.45)


def test_fig2b_simulated_neurons_follow_the_rate():
    table = run("fig2b")
    constant = table[table["coding"] == "lif_constant_current"]
    difference = constant["rate_hz"] - lif_rate(constant["input_current"])
    assert np.abs(difference).max() <= 1 / 2.0 + 1e-9
    noisy = table[table["coding"] == "lif_simulation"]
    assert set(noisy["input_rate_hz"]) == {250.0, 20000.0}
    means = noisy.groupby(["input_rate_hz", "input_current"])["rate_hz"].mean().unstack(0)
    rate = lif_rate(means.index)
    above = means.index >= 2
    assert np.all(np.abs(means.loc[above, 20000.0] / rate[above] - 1) < 0.03)
    # Noise below the threshold makes the neuron fire: the rougher the input, the more.
    at_threshold = means.loc[1.0]
    assert at_threshold[250.0] > at_threshold[20000.0] > 0
    assert means.loc[0.0].eq(0).all()


def test_fig2c_repeats_the_slips_and_corrects_them():
    table = run("fig2c").set_index(["protocol", "curve"])
    coded = table.loc[("as_coded", "relu_derivative"), "value"]
    np.testing.assert_allclose(coded, 9 / 900 * 901 / 11, rtol=1e-9)
    assert table.loc[("as_coded", "relu"), "input"].min() == 1.0
    corrected = table.loc[("corrected", "relu")]
    assert corrected["input"].min() == 0.0 and corrected["input"].max() == 10.0
    rate = table.loc[("corrected", "scaled_soft_rate")].set_index("input")["value"]
    far = rate.index >= 2.0
    np.testing.assert_allclose(rate[far], 0.05 * lif_rate(rate.index[far]), rtol=1e-6)
    slope = table.loc[("corrected", "scaled_soft_rate_derivative")].set_index("input")["value"]
    numerical = np.gradient(rate.to_numpy(), rate.index.to_numpy())
    np.testing.assert_allclose(slope.iloc[200:-1], numerical[200:-1], rtol=2e-4)


def test_filter_errors_are_those_of_shot_noise():
    table = run("alpha_filter_tau").groupby(["kernel", "criterion", "tau_s"])["error_hz"].mean()
    rates = np.array([50.0, 200.0])
    assert table.index.get_level_values("tau_s").isin([0.00118]).any()
    for tau in (0.001, 0.00118, 0.003):
        area, squares = alpha_sums(tau)
        # Counts of 1 ms have variance = mean = rate * 1 ms; the bias is the kernel's area.
        variance = rates * squares / 1e-3
        bias = (area - 1) * rates
        printed = np.sqrt(np.mean(variance + bias**2))
        assert table["printed", "rms_rate_error", tau] == pytest.approx(printed, rel=0.02)
        unit = np.sqrt(np.mean(variance)) / area
        assert table["unit_area", "rms_rate_error", tau] == pytest.approx(unit, rel=0.02)
        expected = np.mean(np.abs(bias))
        assert table["printed", "mean_rate_error", tau] == pytest.approx(expected, abs=2.0 * area)
        assert table["unit_area", "mean_rate_error", tau] < 2.0
    # Only the author's spacing makes 1.18 ms the best of the published form's time constants.
    author = table["author_spacing", "mean_rate_error"]
    assert author.idxmin() == 0.00118
    assert table["printed", "mean_rate_error"].idxmin() == 0.001


def test_moments_of_filtered_trains_are_those_of_filtering():
    counts = np.random.default_rng(3).poisson(0.2, (300, 4))
    kernel = alpha_kernel(0.002, 0.001)
    filtered = apply_kernel(counts, kernel)[40:]
    moments = filtered_moments(kernel, *lag_moments(counts, 41))
    assert len(kernel) < 41
    assert moments == pytest.approx((filtered.mean(), np.mean(filtered**2)), rel=1e-12)


def test_poisson_noise_is_the_root_of_rate_over_time():
    table = run("poisson_noise")
    expected = np.sqrt(table["rate_hz"] / table["duration_s"])
    np.testing.assert_allclose(table["standard_error_hz"], expected, rtol=0.12)

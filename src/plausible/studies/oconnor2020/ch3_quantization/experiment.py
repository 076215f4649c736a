"""Figure 3.1 of O'Connor 2020: how fast quantizers approach what they code."""

import numpy as np
import pandas as pd

from plausible.measure.slopes import log_spaced
from plausible.neurons.quantizers import quantize_stream, quantize_vector, sampled_events
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_quantization.settings import Quantizers


def quantizers(settings: Quantizers, seeds, dataset, networks) -> pd.DataFrame:
    """Error of the running estimate of four quantizers, over the units of a random input.

    Columns: quantizer, input_mean (mean of the input's distribution), seed, steps T, error_rms
    (root mean square over the units), expected_rms (its closed form, NaN where there is none):

    - ``vector`` (algorithm 1) and ``sampling`` (algorithm 10): the same standard normal vector v;
      1 / (T sqrt 12), as the rest phi is uniform, and sqrt(mean |v| / T), as events are Poisson;
    - ``stream`` (algorithm 11): standard normal values, independent from step to step, compared
      with their running mean (eq. 3.2); 1 / (T sqrt 12) again;
    - ``rectified`` (algorithms 2 and 12): values of variance 1 around each of ``input_means``,
      compared with the rectified running mean (eq. 3.3). At mean zero the largest partial sum M and
      the last one S are those of a random walk, E (M - max(S, 0))^2 = T / 4, so 1 / (2 sqrt T).
    """
    units, steps = settings.units, settings.steps
    times = np.array(log_spaced(steps, settings.points))
    rows = []
    for seed in seeds:
        rng = numpy_generator("oconnor2020", "quantizers", seed)
        vector = rng.standard_normal(units)
        even = 1 / (times * np.sqrt(12.0))
        apart = _estimates(quantize_vector(vector, steps).spikes, times) - vector
        rows += _rows("vector", 0.0, seed, times, apart, even)
        apart = _estimates(sampled_events(vector, steps, rng), times) - vector
        poisson = np.sqrt(np.abs(vector).mean() / times)
        rows += _rows("sampling", 0.0, seed, times, apart, poisson)
        stream = rng.standard_normal((steps, units))
        apart = _estimates(quantize_stream(stream).spikes, times) - _estimates(stream, times)
        rows += _rows("stream", 0.0, seed, times, apart, even)
        for mean in settings.input_means:
            values = mean + rng.standard_normal((steps, units))
            spikes = quantize_stream(values, rectified=True).spikes
            apart = _estimates(spikes, times) - np.maximum(_estimates(values, times), 0)
            expected = 0.5 / np.sqrt(times) if mean == 0 else np.full(len(times), np.nan)
            rows += _rows("rectified", mean, seed, times, apart, expected)
    columns = ["quantizer", "input_mean", "seed", "steps", "error_rms", "expected_rms"]
    return pd.DataFrame(rows, columns=columns)


def _estimates(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Running means of ``values`` ``[steps, units]`` at ``times``, ``[times, units]``."""
    return np.cumsum(values, axis=0)[times - 1] / times[:, None]


def _rows(name, mean, seed, times, apart, expected) -> list[tuple]:
    errors = np.sqrt((apart**2).mean(axis=1))
    return [
        (name, float(mean), seed, int(t), error, known)
        for t, error, known in zip(times, errors, expected, strict=True)
    ]

"""Instructions of loops that are known to have some."""

import numpy as np

from plausible.kernels.compiled_code import float_operations
from plausible.kernels.spike_loops import sum_rows


def _scaled(values, factor):
    for i in range(len(values)):
        values[i] *= factor


def test_products_are_found_where_there_are_some():
    assert float_operations(_scaled, (np.ones(8), 0.5), "mul") > 0
    assert float_operations(_scaled, (np.ones(8, np.int64), 2), "mul|add|sub|div") == 0


def test_sums_are_no_products():
    arguments = (np.ones(15), np.zeros(2, np.int64), 2, np.zeros(5), 5)
    assert float_operations(sum_rows, arguments, "mul|div") == 0
    assert float_operations(sum_rows, arguments, "add|sub") > 0

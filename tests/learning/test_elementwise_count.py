"""Multiplications against counts by hand."""

import torch

from plausible.learning.elementwise_count import count_elementwise, count_multiplications


def test_products_and_quotients_are_counted():
    a, b = torch.ones(3, 4), torch.ones(3, 4)

    def run():
        c = 2.0 * a * b  # 24
        c /= b  # 12
        c.mul_(3.0)  # 12
        return (c / 2.0) @ torch.ones(4, 5)  # 12, and 3 * 4 * 5

    assert count_elementwise(run) == 60
    assert count_multiplications(run) == 120
    assert count_elementwise(lambda: 1.0 / a) == 12
    shapes = torch.empty(1000, 1000, device="meta")
    assert count_multiplications(lambda: (shapes @ shapes) * shapes) == 1000**3 + 1000**2

"""Multiply-adds in matrix products, counted while code runs."""

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode

# Position of the two factors among the arguments of each function that multiplies matrices.
_FACTORS = {"mm": 0, "matmul": 0, "__matmul__": 0, "addmm": 1, "addmm_": 1}


class _Counter(TorchFunctionMode):
    """Adds up rows * inner * columns of every matrix product."""

    def __init__(self) -> None:
        super().__init__()
        self.multiply_adds = 0

    def __torch_function__(self, func, types, args=(), kwargs=None) -> Any:
        first = _FACTORS.get(func.__name__)
        if first is not None:
            left, right = args[first], args[first + 1]
            self.multiply_adds += left.numel() * right.shape[1]
        return func(*args, **(kwargs or {}))


def count_multiply_adds(run: Callable[[], Any]) -> int:
    """Multiply-adds of the products of two matrices that ``run`` makes by torch functions."""
    with _Counter() as counter:
        run()
    return counter.multiply_adds

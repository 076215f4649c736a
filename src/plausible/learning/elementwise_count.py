"""Products and quotients of tensors element by element, counted while code runs.

With `plausible.learning.operation_count`, which counts products of matrices, all multiplications of
a learning rule. Tensors on the device ``meta`` have shapes and no numbers, so that counting costs
nothing however large they are.
"""

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode

from plausible.learning.operation_count import count_multiply_adds

_PRODUCTS = {
    *("mul", "mul_", "__mul__", "__rmul__", "__imul__", "multiply"),
    *("div", "div_", "true_divide", "__truediv__", "__rtruediv__", "__itruediv__", "__rdiv__"),
}


class _Counter(TorchFunctionMode):
    """Adds up the elements of what products and quotients return."""

    def __init__(self) -> None:
        super().__init__()
        self.products = 0

    def __torch_function__(self, func, types, args=(), kwargs=None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.__name__ in _PRODUCTS:
            self.products += result.numel()
        return result


def count_elementwise(run: Callable[[], Any]) -> int:
    """Elements of the products and quotients that ``run`` takes by torch functions."""
    with _Counter() as counter:
        run()
    return counter.products


def count_multiplications(run: Callable[[], Any]) -> int:
    """Those of matrix products and those element by element; ``run`` is run twice."""
    return count_multiply_adds(run) + count_elementwise(run)

"""What the machine code of a loop consists of."""

import re
from collections.abc import Callable
from typing import Any

from numba import njit


def float_operations(function: Callable[..., Any], arguments: tuple[Any, ...], what: str) -> int:
    """Floating-point instructions ``what`` of a loop, compiled for these ``arguments``.

    ``what`` is a regular expression of LLVM's names without their first letter, for instance
    ``mul|div``. The loop, a plain or a compiled function, is compiled anew: of one that was read
    from a cache there is no code to look at.
    """
    compiled = njit(getattr(function, "py_func", function))
    compiled(*arguments)
    return len(re.findall(rf"\bf(?:{what})\b", "".join(compiled.inspect_llvm().values())))

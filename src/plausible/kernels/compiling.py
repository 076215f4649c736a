"""How the loops of this package are compiled.

``kernel`` is what Python calls. The others are called by compiled functions alone; called from
Python, they would crash: they have no entry from there, for which numba would compile a function
twice more, with all that is inlined in it. A function is optimised again with each that calls it,
so where it has one caller, ``merged`` makes it a piece of that one. ``inlined`` is for small ones.
"""

from numba import njit, types
from numba.extending import intrinsic

kernel = njit(cache=True, nogil=True, no_cfunc_wrapper=True)
_NO_ENTRY = {"cache": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
inner = njit(**_NO_ENTRY)
inlined = njit(**_NO_ENTRY, forceinline=True)
merged = njit(**_NO_ENTRY, inline="always")
# Loops without branches, which the compiler then vectorises: a division by zero raises nothing.
_BRANCHLESS = {"error_model": "numpy", "fastmath": {"contract"}}
branchless = njit(**_NO_ENTRY, **_BRANCHLESS, forceinline=True)
# A sum whose order is left to the compiler, which then takes several partial ones at a time.
_SUMMING = {"error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}
summing = njit(**_NO_ENTRY, **_SUMMING, forceinline=True)
branchless_kernel = njit(cache=True, nogil=True, no_cfunc_wrapper=True, **_BRANCHLESS)


@inner
def copy(source, target, size):
    """target[:size] = source[:size], for which numba would compile seconds' worth of messages."""
    for i in range(size):
        target[i] = source[i]


@intrinsic
def wide_vectors(typing_context):
    """Called in a function whose loops then take the widest vectors of the processor.

    LLVM halves those of 512 bits of itself, for programs that use few of them. Element by element,
    a width changes no bit of a result; the order of a sum that is left to the compiler would.
    """

    def generate(context, builder, signature, arguments):
        # llvmlite's own ``add`` knows attributes of one word alone.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), generate

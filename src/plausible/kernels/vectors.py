"""Words of LLVM that the modules with vector instructions of their own share."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BIT = ir.IntType(1)
_INT = ir.IntType(64)
_LINE = 64
"""Bytes of a cache line."""


def aligned_zeros(shape: tuple[int, ...], dtype: np.typing.DTypeLike = np.float64) -> np.ndarray:
    """Zeros that begin at a cache line: a vector that lies across two of them costs twice."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + _LINE, np.uint8)
    begin = -raw.ctypes.data % _LINE
    return raw[begin : begin + size].view(dtype).reshape(shape)


def broadcast(builder, scalar, vector):
    """``scalar`` in every lane of the type ``vector``."""
    start = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(start, scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, start, zeros)


@intrinsic
def lowest_bit(typing_context, word):
    """Place of the lowest bit that is set in a word other than zero."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(_BIT, 1))

    return types.int64(types.uint64), generate


@intrinsic
def at_least_64(typing_context, words, bounds):
    """Bit k: whether word k is at least bound k, of 64 uint64 at two addresses (int64)."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(_INT, 64)
        words, bounds = (
            builder.load(builder.inttoptr(address, vector.as_pointer()), align=8)
            for address in arguments
        )
        return builder.bitcast(builder.icmp_unsigned(">=", words, bounds), _INT)

    return types.uint64(types.int64, types.int64), generate

"""Words of LLVM that the modules with vector instructions of their own share."""

from functools import reduce

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BIT = ir.IntType(1)
_INT = ir.IntType(64)
_LINE = 64
"""Bytes of a cache line."""
BLOCK = 16
"""Lanes of a block: 512 bits in single precision; LLVM splits them where there are fewer."""


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


def multiply_add(builder, a, b, c):
    """a b + c, fused where the processor has it."""
    kind = a.type
    name = f"llvm.fmuladd.v{kind.count}f{64 if kind.element == ir.DoubleType() else 32}"
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(kind, [kind] * 3), name
    )
    return builder.call(function, [a, b, c])


class Lanes:
    """Arithmetic of one block, of numbers of one type, at addresses.

    Of a block that is not whole, ``left`` numbers are read and written; the other lanes hold zeros.
    """

    def __init__(self, context, builder, number, left=None) -> None:
        self.builder = builder
        self.scalar = context.get_value_type(number)
        self.bytes = number.bitwidth // 8
        self.type = ir.VectorType(self.scalar, BLOCK)
        self.mask = None
        if left is not None:
            lanes = ir.VectorType(ir.IntType(32), BLOCK)
            places = ir.Constant(lanes, list(range(BLOCK)))
            left = builder.trunc(left, ir.IntType(32))
            self.mask = builder.icmp_signed("<", places, broadcast(builder, left, lanes))

    def spread(self, scalar):
        """A number in every lane."""
        return broadcast(self.builder, scalar, self.type)

    def spread_bit(self, bit):
        """A boolean in every lane."""
        bit = bit if bit.type == _BIT else self.builder.trunc(bit, _BIT)
        return broadcast(self.builder, bit, ir.VectorType(_BIT, BLOCK))

    def number(self, address, index):
        """The number at an index, in every lane."""
        place = self.builder.inttoptr(address, self.scalar.as_pointer())
        scalar = self.builder.load(self.builder.gep(place, [index]), align=self.bytes)
        return self.spread(scalar)

    def load(self, address):
        """The numbers at an address."""
        place = self.builder.inttoptr(address, self.type.as_pointer())
        if self.mask is None:
            return self.builder.load(place, align=self.bytes)
        zeros = ir.Constant(self.type, [0.0] * BLOCK)
        given = [place, ir.Constant(ir.IntType(32), self.bytes), self.mask, zeros]
        return self.builder.call(self._masked("load", self.type, given), given)

    def store(self, value, address):
        """Numbers to an address."""
        place = self.builder.inttoptr(address, self.type.as_pointer())
        if self.mask is None:
            self.builder.store(value, place, align=self.bytes)
            return
        given = [value, place, ir.Constant(ir.IntType(32), self.bytes), self.mask]
        self.builder.call(self._masked("store", ir.VoidType(), given), given)

    def _masked(self, what, returned, given):
        name = f"llvm.masked.{what}.v{BLOCK}f{8 * self.bytes}.p0"
        kind = ir.FunctionType(returned, [each.type for each in given])
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, kind, name)

    def times(self, *factors):
        """Product from the left."""
        return reduce(self.builder.fmul, factors)

    def plus(self, *terms):
        """Sum from the left."""
        return reduce(self.builder.fadd, terms)

    def minus(self, one, other):
        """Difference."""
        return self.builder.fsub(one, other)

    def word(self, bits):
        """One bit of each lane, as an integer."""
        return self.builder.zext(self.builder.bitcast(bits, ir.IntType(BLOCK)), _INT)


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

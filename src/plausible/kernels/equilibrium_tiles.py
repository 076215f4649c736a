"""Products of a few rows with a panel of a matrix, held in registers, in float32 or float64.

A batch of 20 has too few rows for a BLAS, which ends at two thirds of the core's speed. So matrices
stand in panels: some columns of all their rows, one row after the other, which vectors read without
a gap. Rows that would be multiplied by zeros are left out, by lists of those that would not.

Every entry of a result is summed in ascending order of the inner index, by fused multiplications
and additions where the processor has them.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

ROWS = 4
"""Rows of a tile."""
NARROW, INPUT = 16, 64
"""Columns of a narrow panel, and of one of the input's matrix."""
_INT, _LIST = ir.IntType(64), ir.IntType(32)


def tile_vectors() -> tuple[int, int]:
    """Vectors of a row of a wide tile, and their bytes: what the registers of the target hold."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    features = features.split(",")
    if "+avx512f" in features:
        return 4, 64
    if "+avx" in features:
        return 3, 32
    return (2, 16) if triple.startswith("x86") else (4, 16)


_VECTORS, _BYTES = tile_vectors()


def wide(item_bytes: int) -> int:
    """Columns of a wide panel of numbers of so many bytes."""
    return _VECTORS * _BYTES // item_bytes


class _Writer:
    """Writes vectors of one type of number into a function that LLVM compiles."""

    def __init__(self, context, builder, number, columns):
        self.builder = builder
        self.kind = context.get_value_type(number)
        self.item = number.bitwidth // 8
        lanes = min(_BYTES // self.item, columns)
        self.places = [self.item * lanes * i for i in range(columns // lanes)]
        self.vector = ir.VectorType(self.kind, lanes)
        self.row = columns * self.item

    def at(self, address, *offsets):
        """Address after offsets in bytes, whole numbers or values."""
        for offset in offsets:
            offset = ir.Constant(_INT, offset) if isinstance(offset, int) else offset
            address = self.builder.add(address, offset)
        return address

    def times(self, value, factor):
        """A value times a whole number."""
        return self.builder.mul(value, ir.Constant(_INT, factor))

    def scalar(self, address, kind=None):
        kind = kind or self.kind
        size = self.item if kind is self.kind else kind.width // 8
        return self.builder.load(self.builder.inttoptr(address, kind.as_pointer()), align=size)

    def index(self, address, place):
        """Entry of a list of int32."""
        return self.builder.sext(self.scalar(self.at(address, self.times(place, 4)), _LIST), _INT)

    def load(self, address):
        """The vectors of a row."""
        kind = self.vector.as_pointer()
        return [
            self.builder.load(self.builder.inttoptr(self.at(address, place), kind), align=self.item)
            for place in self.places
        ]

    def store(self, vectors, address):
        kind = self.vector.as_pointer()
        for vector, place in zip(vectors, self.places, strict=True):
            pointer = self.builder.inttoptr(self.at(address, place), kind)
            self.builder.store(vector, pointer, align=self.item)

    def spread(self, number):
        """A vector of equal numbers."""
        start = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(start, number, ir.Constant(_LIST, 0))
        zeros = ir.Constant(ir.VectorType(_LIST, self.vector.count), [0] * self.vector.count)
        return self.builder.shuffle_vector(first, start, zeros)

    def multiply_add(self, a, b, c):
        """a b + c."""
        return self._call("fmuladd", a, b, c)

    def absolute(self, value):
        return self._call("fabs", value)

    def _call(self, name, *values):
        name = f"llvm.{name}.v{self.vector.count}{'f32' if self.item == 4 else 'f64'}"
        function = self.builder.module.globals.get(name) or ir.Function(
            self.builder.module, ir.FunctionType(self.vector, [self.vector] * len(values)), name
        )
        return self.builder.call(function, values)

    def select(self, comparison, one, other):
        """The one that is larger or smaller; the other if the first is not a number."""
        return self.builder.select(self.builder.fcmp_ordered(comparison, one, other), one, other)

    def sums(self, rows):
        """Vectors to be summed in, at first 0: ``rows`` of them."""
        zero = ir.Constant(self.vector, [0.0] * self.vector.count)
        kept = [
            [cgutils.alloca_once(self.builder, self.vector) for _ in self.places]
            for _ in range(rows)
        ]
        for row in kept:
            for place in row:
                self.builder.store(zero, place)
        return kept

    def add(self, sums, factor, vectors):
        """sums += factor vectors."""
        factor = self.spread(factor)
        for place, vector in zip(sums, vectors, strict=True):
            total = self.multiply_add(factor, vector, self.builder.load(place))
            self.builder.store(total, place)

    def total(self, sums):
        return [self.builder.load(place) for place in sums]


def _move(columns_of):
    """Intrinsic: ``ROWS`` rows of new = clip(keep old + step (constant + sum), low, high).

    The sum is left1 panel1 + left2 panel2. ``marks`` become non-zero where a column of new is not
    zero in all of the rows. Arguments: keep, step, low, high; then int64: addresses of new, old and
    constant, bytes of their rows, address of marks; and for each of both products the addresses of
    its list of inner indices (int32), its length, addresses of left and of the panel, bytes of a
    row of left.
    """

    @intrinsic
    def move(
        typing_context, keep, step, low, high, new, old, constant, row, marks,
        list1, length1, left1, panel1, row1, list2, length2, left2, panel2, row2,
    ):  # fmt: skip
        def generate(context, builder, signature, arguments):
            new, old, constant, row, marks, *both = arguments[4:]
            write = _Writer(context, builder, keep, columns_of(keep.bitwidth // 8))
            sums = write.sums(ROWS)
            for entries, length, left, panel, left_row in (both[:5], both[5:]):
                with cgutils.for_range(builder, length) as loop:
                    k = write.index(entries, loop.index)
                    vectors = write.load(write.at(panel, write.times(k, write.row)))
                    first = write.at(left, write.times(k, write.item))
                    for i, place in enumerate(sums):
                        factor = write.scalar(write.at(first, write.times(left_row, i)))
                        write.add(place, factor, vectors)
            keep_, step_, low_, high_ = map(write.spread, arguments[:4])
            sizes = [ir.Constant(write.vector, [0.0] * write.vector.count)] * len(write.places)
            for i, place in enumerate(sums):
                offset = write.times(row, i)
                held = zip(
                    write.total(place),
                    write.load(write.at(old, offset)),
                    write.load(write.at(constant, offset)),
                    strict=True,
                )
                moved = []
                for total, before, always in held:
                    value = write.multiply_add(
                        step_, builder.fadd(total, always), builder.fmul(keep_, before)
                    )
                    value = write.select(">", value, low_)
                    moved.append(write.select("<", value, high_))
                write.store(moved, write.at(new, offset))
                sizes = [
                    builder.fadd(size, write.absolute(value))
                    for size, value in zip(sizes, moved, strict=True)
                ]
            write.store(sizes, marks)
            return context.get_dummy_value()

        return types.void(*(keep,) * 4, *(types.int64,) * 15), generate

    return move


def _outer(columns_of):
    """Intrinsic: ``ROWS`` rows of a panel += factor (left1^T right1 + sign left2^T right2).

    Arguments: factor and sign; then int64: address of the panel's first row; numbers of samples of
    both products; addresses of left and right of the first, of the second; bytes of a row of left,
    of right.
    """

    @intrinsic
    def outer(
        typing_context, factor, sign, panel, samples1, samples2, left1, right1, left2, right2,
        left_row, right_row,
    ):  # fmt: skip
        def generate(context, builder, signature, arguments):
            scale, minus, panel, samples1, samples2, *both, left_row, right_row = arguments
            write = _Writer(context, builder, factor, columns_of(factor.bitwidth // 8))
            sums = write.sums(ROWS)
            for second, samples in enumerate((samples1, samples2)):
                left, right = both[2 * second : 2 * second + 2]
                with cgutils.for_range(builder, samples) as loop:
                    vectors = write.load(write.at(right, builder.mul(loop.index, right_row)))
                    first = write.at(left, builder.mul(loop.index, left_row))
                    for i, row in enumerate(sums):
                        number = write.scalar(write.at(first, i * write.item))
                        number = builder.fmul(minus, number) if second else number
                        write.add(row, number, vectors)
            scale = write.spread(scale)
            for i, row in enumerate(sums):
                address = write.at(panel, i * write.row)
                old = write.load(address)
                new = [
                    write.multiply_add(scale, total, before)
                    for total, before in zip(write.total(row), old, strict=True)
                ]
                write.store(new, address)
            return context.get_dummy_value()

        return types.void(factor, factor, *(types.int64,) * 9), generate

    return outer


def _sparse(columns_of, scatter):
    """Intrinsic for a panel and a sparse vector, of values v at indices k.

    Gather: row = sum v panel[k]; scatter: panel[k] += factor v row. Arguments: factor; then int64:
    addresses of the indices (int32) and the values, their number, addresses of panel and row.
    """

    @intrinsic
    def rows(typing_context, factor, entries, values, number, panel, row):
        def generate(context, builder, signature, arguments):
            scale, entries, values, number, panel, row = arguments
            write = _Writer(context, builder, factor, columns_of(factor.bitwidth // 8))
            sums = None if scatter else write.sums(1)[0]
            held = write.load(row) if scatter else None
            with cgutils.for_range(builder, number) as loop:
                k = write.index(entries, loop.index)
                value = write.scalar(write.at(values, write.times(loop.index, write.item)))
                address = write.at(panel, write.times(k, write.row))
                if scatter:
                    value = write.spread(builder.fmul(scale, value))
                    new = [
                        write.multiply_add(value, vector, old)
                        for vector, old in zip(held, write.load(address), strict=True)
                    ]
                    write.store(new, address)
                else:
                    write.add(sums, value, write.load(address))
            if not scatter:
                write.store(write.total(sums), row)
            return context.get_dummy_value()

        return types.void(factor, *(types.int64,) * 5), generate

    return rows


def _narrow(item_bytes):
    return NARROW


def _input(item_bytes):
    return INPUT


move_wide, move_narrow = _move(wide), _move(_narrow)
outer_wide, outer_narrow = _outer(wide), _outer(_narrow)
gather_wide, gather_narrow = _sparse(_input, False), _sparse(_narrow, False)
scatter_wide, scatter_narrow = _sparse(_input, True), _sparse(_narrow, True)

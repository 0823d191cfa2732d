"""Vectors taken apart and put together in another way: sums over rows, columns by themselves, rows that become columns."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from neuralamp.dsp.jit import LANES
from neuralamp.dsp.vector import VECTOR, Vectors, load_vector, pack, place


def _vectors(builder, value, kind: Vectors) -> list:
    return [builder.extract_value(value, k) for k in range(len(kind.places))]


@intrinsic
def fold(typing, vectors):
    """The sum of all rows, as one row: the halves first, so that it takes the time of few additions."""
    kind = Vectors(1, vectors.columns)

    def codegen(context, builder, signature, args):
        every = _vectors(builder, args[0], vectors)
        rows = [every[k : k + vectors.columns] for k in range(0, len(every), vectors.columns)]
        while len(rows) > 1:
            middle = (len(rows) + 1) // 2
            alone = rows[len(rows) - middle : middle]
            pairs = zip(rows, rows[middle:], strict=False)
            rows = [[builder.fadd(a, b) for a, b in zip(*pair, strict=True)] for pair in pairs] + alone
        return pack(builder, rows[0])

    return kind(vectors), codegen


@intrinsic
def load_over_zeros(typing, grid, address):
    """The row at an address, and rows of zeros below it."""
    kind = Vectors(grid.rows, grid.columns)

    def codegen(context, builder, signature, args):
        row = [load_vector(builder, place(builder, args[1], 0, None, column)) for column in range(kind.columns)]
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        return pack(builder, row + [zero] * (len(kind.places) - len(row)))

    return kind(grid, types.int64), codegen


@intrinsic
def columns(typing, vectors):
    """The columns, each by itself."""
    kind = types.UniTuple(Vectors(vectors.rows, 1), vectors.columns)

    def codegen(context, builder, signature, args):
        every = _vectors(builder, args[0], vectors)
        parts = [pack(builder, every[column :: vectors.columns]) for column in range(vectors.columns)]
        return context.make_tuple(builder, kind, parts)

    return kind(vectors), codegen


@intrinsic
def transposed(typing, vectors):
    """Lane j of row k becomes lane k of row j, for as many rows as a vector has lanes."""
    if (vectors.rows, vectors.columns) != (LANES, 1):
        return None

    def codegen(context, builder, signature, args):
        rows = _vectors(builder, args[0], vectors)
        distance = LANES // 2
        while distance:  # squares of this size change places across the diagonal; those inside them come next
            low = [LANES + j - distance if j & distance else j for j in range(LANES)]
            high = [LANES + j if j & distance else j + distance for j in range(LANES)]
            for k in (k for k in range(LANES) if not k & distance):
                pair = rows[k], rows[k + distance]
                rows[k], rows[k + distance] = (
                    builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes))
                    for lanes in (low, high)
                )
            distance //= 2
        return pack(builder, rows)

    return vectors(vectors), codegen


@intrinsic
def sum_of_lanes(typing, vector):
    """All numbers of one vector added, in halves."""
    if not (isinstance(vector, Vectors) and len(vector.places) == 1):
        return None

    def codegen(context, builder, signature, args):
        lanes, half = builder.extract_value(args[0], 0), LANES // 2
        while half:
            low, high = (
                ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(first, first + half))) for first in (0, half)
            )
            nothing = ir.Constant(lanes.type, ir.Undefined)
            lanes = builder.fadd(builder.shuffle_vector(lanes, nothing, low), builder.shuffle_vector(lanes, nothing, high))
            half //= 2
        return builder.extract_element(lanes, ir.Constant(ir.IntType(32), 0))

    return types.float32(vector), codegen

"""Vectors of float32 held in registers: what LLVM does not find by itself in a loop, said outright.

A value of the type `Vectors(rows, columns)` is `rows` times `columns` vectors of LANES numbers; a row is a stretch of frames. It
adds, subtracts, multiplies and divides element by element, with its like and with a float32, and so do the functions below, which
take a float32 alone as well: a nonlinearity is written once. Every lane is computed by itself, so where in a vector a frame lies,
and how many vectors stand side by side, cannot be heard.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, register_model

from neuralamp.dsp.jit import LANES

VECTOR_BYTES = 4 * LANES

_INTEGER, _ADDRESS = ir.IntType(32), ir.IntType(64)
VECTOR, _INTEGERS = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(_INTEGER, LANES)


class Grid(types.Opaque):
    """The type of a value that says no more than how many vectors a kernel works on at once."""

    def __init__(self, rows: int, columns: int):
        self.rows, self.columns = rows, columns
        super().__init__(f"Grid({rows}, {columns})")


class Vectors(types.Type):
    """The type of `rows` times `columns` vectors, row after row."""

    def __init__(self, rows: int, columns: int):
        self.rows, self.columns = rows, columns
        super().__init__(f"Vectors({rows}, {columns} of {LANES})")

    @property
    def places(self) -> list[tuple[int, int]]:
        return [(row, column) for row in range(self.rows) for column in range(self.columns)]


register_model(Grid)(models.OpaqueModel)


@register_model(Vectors)
class _VectorsModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, ir.ArrayType(VECTOR, len(kind.places)))


def pack(builder, vectors: Sequence) -> Any:
    """Vectors as the one value that numba passes around; LLVM takes it apart into registers again."""
    value = ir.Constant(ir.ArrayType(VECTOR, len(vectors)), ir.Undefined)
    for k, vector in enumerate(vectors):
        value = builder.insert_value(value, vector, k)
    return value


def _spread(builder, number):
    """One float32 in all lanes."""
    nothing = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(_INTEGER, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(_INTEGERS, [0] * LANES))


def place(builder, address, row: int, stride, column: int):
    """A pointer to vector (row, column) of rows that lie `stride` bytes apart; stride None where there is one row."""
    if row:
        address = builder.add(address, builder.mul(stride, ir.Constant(_ADDRESS, row)))
    address = builder.add(address, ir.Constant(_ADDRESS, VECTOR_BYTES * column))
    return builder.inttoptr(address, VECTOR.as_pointer())


def load_vector(builder, pointer):
    """Frames may begin anywhere in a row: nothing is promised but a float's alignment."""
    return builder.load(pointer, align=4, typ=VECTOR)


def _number(builder, address, k: int):
    """The float32 number `k` at an address, in all lanes."""
    pointer = builder.inttoptr(builder.add(address, ir.Constant(_ADDRESS, 4 * k)), ir.FloatType().as_pointer())
    return _spread(builder, builder.load(pointer, typ=ir.FloatType()))


def _llvm(name: str) -> Callable:
    """The LLVM intrinsic of this name, on vectors or on one number."""

    def call(builder, *arguments):
        kind = arguments[0].type
        suffix = f"v{LANES}f32" if kind == VECTOR else f"f{32 if kind == ir.FloatType() else 64}"
        full = f"llvm.{name}.{suffix}"
        function = builder.module.globals.get(full) or ir.Function(
            builder.module, ir.FunctionType(kind, [kind] * len(arguments)), full
        )
        return builder.call(function, arguments)

    return call


def _elementwise(operation: Callable) -> tuple[Callable, Callable]:
    """How a function of Vectors of one shape and of numbers is typed, and its code, from what it does to one vector."""

    def typed(*kinds):
        shape = next((kind for kind in kinds if isinstance(kind, Vectors)), None)
        if shape is None:
            return kinds[0](*[kinds[0]] * len(kinds))
        return shape(*(kind if isinstance(kind, Vectors) else types.float32 for kind in kinds))

    def codegen(context, builder, signature, arguments):
        shape = signature.return_type
        if not isinstance(shape, Vectors):
            return operation(builder, *arguments)
        rows = [
            [builder.extract_value(value, k) for k in range(len(shape.places))]
            if isinstance(kind, Vectors)
            else [_spread(builder, value)] * len(shape.places)
            for value, kind in zip(arguments, signature.args, strict=True)
        ]
        return pack(builder, [operation(builder, *values) for values in zip(*rows, strict=True)])

    return typed, codegen


def _teach(function: Callable, operation: Callable) -> None:
    """Python's operator `function` for Vectors."""
    typed, codegen = _elementwise(operation)

    class Template(AbstractTemplate):
        def generic(self, args, kws):
            return typed(*args) if any(isinstance(kind, Vectors) for kind in args) else None

    infer_global(function)(Template)
    for kinds in ((Vectors,), (Vectors, Vectors), (Vectors, types.Float), (types.Float, Vectors)):
        lower_builtin(function, *kinds)(codegen)


_teach(operator.neg, lambda builder, a: builder.fneg(a))
_teach(operator.add, lambda builder, a, b: builder.fadd(a, b))
_teach(operator.sub, lambda builder, a, b: builder.fsub(a, b))
_teach(operator.mul, lambda builder, a, b: builder.fmul(a, b))
_teach(operator.truediv, lambda builder, a, b: builder.fdiv(a, b))


def _function(operation: Callable, *kinds):
    typed, codegen = _elementwise(operation)
    return typed(*kinds), codegen


@intrinsic
def fma(typing, a, b, c):
    """a b + c, rounded once: the same in a vector and alone."""
    return _function(_llvm("fma"), a, b, c)


@intrinsic
def larger(typing, a, b):
    """The larger of two; b where b is no number."""
    return _function(lambda builder, a, b: builder.select(builder.fcmp_ordered(">", a, b), a, b), a, b)


@intrinsic
def smaller(typing, a, b):
    """The smaller of two; b where b is no number."""
    return _function(lambda builder, a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b), a, b)


@intrinsic
def where_positive(typing, x, a, b):
    """a where x > 0, else b."""

    def choose(builder, x, a, b):
        return builder.select(builder.fcmp_ordered(">", x, ir.Constant(x.type, [0.0] * LANES if x.type == VECTOR else 0.0)), a, b)

    return _function(choose, x, a, b)


@intrinsic
def magnitude(typing, x):
    """|x|"""
    return _function(_llvm("fabs"), x)


@intrinsic
def with_exponent(typing, k):
    """2^(n - 127), where n are the last eight bits of k: they become the exponent's."""

    def shift(builder, k):
        many = k.type == VECTOR
        whole = _INTEGERS if many else _INTEGER
        return builder.bitcast(builder.shl(builder.bitcast(k, whole), ir.Constant(whole, [23] * LANES if many else 23)), k.type)

    return _function(shift, k)


@intrinsic(prefer_literal=True)
def grid(typing, rows, columns):
    """A Grid of these two numbers, which must be written out where it is called."""
    if not all(isinstance(kind, types.IntegerLiteral) for kind in (rows, columns)):
        return None
    return Grid(rows.literal_value, columns.literal_value)(rows, columns), lambda context, *_: context.get_dummy_value()


@intrinsic
def zeros(typing, grid):
    """Vectors of zeros."""
    kind = Vectors(grid.rows, grid.columns)
    return kind(grid), lambda context, builder, *_: pack(builder, [ir.Constant(VECTOR, [0.0] * LANES)] * len(kind.places))


@intrinsic
def load(typing, grid, address, stride):
    """Rows that begin at an address, `stride` bytes apart."""
    kind = Vectors(grid.rows, grid.columns)

    def codegen(context, builder, signature, args):
        _, address, stride = args
        return pack(builder, [load_vector(builder, place(builder, address, row, stride, column)) for row, column in kind.places])

    return kind(grid, types.int64, types.int64), codegen


@intrinsic
def store(typing, address, stride, vectors):
    """Write rows to an address, `stride` bytes apart."""

    def codegen(context, builder, signature, args):
        address, stride, value = args
        for k, (row, column) in enumerate(vectors.places):
            builder.store(builder.extract_value(value, k), place(builder, address, row, stride, column), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, vectors), codegen


@intrinsic
def numbers(typing, grid, address):
    """Row r is all the float32 number r at an address."""
    kind = Vectors(grid.rows, grid.columns)

    def codegen(context, builder, signature, args):
        rows = [_number(builder, args[1], row) for row in range(kind.rows)]
        return pack(builder, [rows[row] for row, _ in kind.places])

    return kind(grid, types.int64), codegen


@intrinsic
def add_product(typing, total, weights, x):
    """total + w x: row r gets weight r times the one row at x. A matrix times rows of frames is a loop over this."""

    def codegen(context, builder, signature, args):
        before, weights, x = args
        row_of_x = [load_vector(builder, place(builder, x, 0, None, column)) for column in range(total.columns)]
        factors = [_number(builder, weights, row) for row in range(total.rows)]
        fused = _llvm("fma")
        return pack(
            builder,
            [
                fused(builder, factors[row], row_of_x[column], builder.extract_value(before, k))
                for k, (row, column) in enumerate(total.places)
            ],
        )

    return total(total, types.int64, types.int64), codegen


@intrinsic
def add_outer(typing, total, a, a_stride, b, b_stride):
    """total + a b, lane by lane: row r and column c get vector r of those at a times vector c of those at b.

    Vectors lie `stride` bytes apart. A matrix's gradient sums these.
    """

    def codegen(context, builder, signature, args):
        before, a, a_stride, b, b_stride = args
        down = [load_vector(builder, place(builder, a, row, a_stride, 0)) for row in range(total.rows)]
        along = [load_vector(builder, place(builder, b, column, b_stride, 0)) for column in range(total.columns)]
        fused = _llvm("fma")
        return pack(
            builder,
            [
                fused(builder, down[row], along[column], builder.extract_value(before, k))
                for k, (row, column) in enumerate(total.places)
            ],
        )

    return total(total, *[types.int64] * 4), codegen

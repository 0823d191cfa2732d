"""How kernels are compiled, decided once: numba's options, the cache, and the few machine instructions Python has no word for."""

import hashlib
import platform

import numba
import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from neuralamp.dsp.kernel_cache import KernelLocator

numba.config.CACHE_LOCATOR_CLASSES = (
    f"{KernelLocator.__module__}.{KernelLocator.__name__},UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator"
)


def _named_by_content(record: types.Record) -> tuple[str, tuple[str]]:
    return "Record", (hashlib.sha256(record.name.encode()).hexdigest()[:16],)


# numba puts the record that a kernel takes into the kernel's name as a number that each process counts for itself. Two boxes that
# call the same function, compiled by two processes, may then bear one name with two meanings, and where both are loaded the
# first is called for both: it plays on another's memory. A name made of the record's fields and places cannot be mistaken.
types.Record.mangling_args = property(_named_by_content)

# error_model="numpy": a division by zero gives inf instead of an exception, which would take the GIL in the audio thread.
# No fastmath: it may reorder sums, and then the sound would depend on the buffer size.
kernel = numba.njit(cache=True, error_model="numpy", nogil=True)
# A part of its callers, as if it were written there: what is in registers stays there, and numba compiles it with them, once.
inlined = numba.njit(error_model="numpy", nogil=True, inline="always")

X86 = platform.machine().lower() in ("x86_64", "amd64")
ARM = platform.machine().lower() in ("aarch64", "arm64")


def _lanes() -> int:
    """How many float32 numbers one register of the processor holds that numba compiles for."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    known = set(features.split(","))
    return 16 if "+avx512f" in known else 8 if "+avx" in known else 4


LANES = _lanes()


@intrinsic
def float_from_bits(typing, bits):
    """The float32 that these 32 bits are."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@intrinsic
def bits_of_float(typing, number):
    """The 32 bits of a float32, as an int32."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), codegen


@intrinsic
def processor_ticks(typing):
    """The processor's own counter, which runs evenly whatever its clock does; no system call. 0 where we know of none."""

    def codegen(context, builder, signature, args):
        integer = ir.IntType(64)
        if X86:
            kind = ir.FunctionType(integer, [])
            function = builder.module.globals.get("llvm.x86.rdtsc") or ir.Function(builder.module, kind, "llvm.x86.rdtsc")
            return builder.call(function, [])
        if ARM:  # the generic timer: LLVM's readcyclecounter would read one that user programs may not
            return builder.asm(ir.FunctionType(integer, []), "mrs $0, cntvct_el0", "=r", [], True)
        return ir.Constant(integer, 0)

    return types.int64(), codegen


@intrinsic
def as_pointer(typing, address):
    """An int64 address as a pointer, to be given to `carray`."""

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), codegen


@intrinsic
def address_of(typing, pointer):
    """The int64 address that a pointer holds."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(args[0], ir.IntType(64))

    return types.int64(pointer), codegen


@intrinsic
def float_at(typing, address):
    """The float32 number at an address."""

    def codegen(context, builder, signature, args):
        return builder.load(builder.inttoptr(args[0], ir.FloatType().as_pointer()), typ=ir.FloatType())

    return types.float32(types.int64), codegen


@kernel
def floats_at(address, size):
    """The `size` float32 numbers at an address, as an array that owns nothing."""
    return carray(as_pointer(address), size, np.float32)


@kernel
def doubles_at(address, size):
    """The `size` float64 numbers at an address, as an array that owns nothing."""
    return carray(as_pointer(address), size, np.float64)


@kernel
def integers_at(address, size):
    """The `size` int64 numbers at an address, as an array that owns nothing."""
    return carray(as_pointer(address), size, np.int64)


@kernel
def bytes_at(address, size):
    """The `size` bytes at an address, as an array that owns nothing."""
    return carray(as_pointer(address), size, np.uint8)


DOT_LANES = 16  # one AVX-512 register, two of AVX2, four of NEON: enough at once to hide what a multiply-add takes


@intrinsic
def dot(typing, a, b, size):
    """The sum of a[k] b[k] over `size` float32 numbers at two addresses, a multiple of DOT_LANES.

    Lane j sums k = j, j + DOT_LANES, ... by multiply-adds; the lanes are then folded in halves. This order is the same on every
    processor. LLVM may not find it in a loop, whose sum has an order of its own: a loop over lanes in memory takes 2.6 times as
    long at 48 numbers, 3.6 times at 176.
    """

    def codegen(context, builder, signature, args):
        vector, index = ir.VectorType(ir.FloatType(), DOT_LANES), ir.IntType(32)
        name = f"llvm.fma.v{DOT_LANES}f32"
        fma_of_lanes = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(vector, [vector] * 3), name
        )
        x, y = (builder.inttoptr(args[k], vector.as_pointer()) for k in (0, 1))
        total = cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * DOT_LANES))  # becomes a register
        with cgutils.for_range(builder, builder.sdiv(args[2], ir.Constant(args[2].type, DOT_LANES))) as loop:
            a, b = (builder.load(builder.gep(pointer, [loop.index]), align=4, typ=vector) for pointer in (x, y))
            builder.store(builder.call(fma_of_lanes, [a, b, builder.load(total, typ=vector)]), total)
        lanes = builder.load(total, typ=vector)
        for half in (8, 4, 2, 1):
            low, high = (ir.Constant(ir.VectorType(index, half), list(range(k, k + half))) for k in (0, half))
            nothing = ir.Constant(lanes.type, ir.Undefined)
            lanes = builder.fadd(builder.shuffle_vector(lanes, nothing, low), builder.shuffle_vector(lanes, nothing, high))
        return builder.extract_element(lanes, ir.Constant(index, 0))

    return types.float32(types.int64, types.int64, types.int64), codegen


@intrinsic
def call_node(typing, function, inputs, outputs, frames, state):
    """Call the node kernel at an address: function(inputs, outputs, frames, state), all given as int64 (see dsp/node.py)."""

    def codegen(context, builder, signature, args):
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(64)
        function_type = ir.FunctionType(ir.VoidType(), [pointer, pointer, integer, pointer])
        target = builder.inttoptr(args[0], function_type.as_pointer())
        inputs, outputs, state = (builder.inttoptr(args[k], pointer) for k in (1, 2, 4))
        builder.call(target, [inputs, outputs, args[3], state])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64, types.int64), codegen


@intrinsic
def load_acquire(typing, address):
    """Read an int64 that another thread publishes: what it wrote before is seen after."""

    def codegen(context, builder, signature, args):
        integer = ir.IntType(64)
        return builder.load_atomic(builder.inttoptr(args[0], integer.as_pointer()), "acquire", 8, typ=integer)

    return types.int64(types.int64), codegen


@intrinsic
def store_release(typing, address, value):
    """Publish an int64 to another thread: what was written before is seen by whoever reads it with `load_acquire`."""

    def codegen(context, builder, signature, args):
        builder.store_atomic(args[1], builder.inttoptr(args[0], ir.IntType(64).as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def pause(typing):
    """Tell the processor that this thread waits for another one: it saves power, and lets the core's other thread go first."""

    def codegen(context, builder, signature, args):
        if X86 or ARM:
            name, given = ("llvm.x86.sse2.pause", []) if X86 else ("llvm.aarch64.hint", [ir.Constant(ir.IntType(32), 1)])
            kinds = [value.type for value in given]
            function = builder.module.globals.get(name) or ir.Function(
                builder.module, ir.FunctionType(ir.VoidType(), kinds), name
            )
            builder.call(function, given)
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def prefetch(typing, address):
    """Have the cache line at an address brought into the second-level cache, for what comes soon; nothing waits for it."""

    def codegen(context, builder, signature, args):
        pointer, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = builder.module.globals.get("llvm.prefetch.p0") or ir.Function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, integer, integer, integer]), "llvm.prefetch.p0"
        )
        to_read, second_level, data = (ir.Constant(integer, value) for value in (0, 2, 1))
        builder.call(function, [builder.inttoptr(args[0], pointer), to_read, second_level, data])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def call_with(typing, function, number):
    """Call the C function at an address: void function(unsigned int)."""

    def codegen(context, builder, signature, args):
        integer = ir.IntType(32)
        target = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), [integer]).as_pointer())
        builder.call(target, [builder.trunc(args[1], integer)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def _mxcsr(builder, name, slot):
    """Call llvm.x86.sse.{st,ld}mxcsr on a stack slot."""
    pointer = ir.IntType(8).as_pointer()
    function = builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [pointer]), name)
    builder.call(function, [builder.bitcast(slot, pointer)])


@intrinsic
def float_mode(typing):
    """The processor's floating-point control word, to be restored later; 0 where there is none that we know."""

    def codegen(context, builder, signature, args):
        if not X86:
            return ir.Constant(ir.IntType(32), 0)
        slot = builder.alloca(ir.IntType(32))
        _mxcsr(builder, "llvm.x86.sse.stmxcsr", slot)
        return builder.load(slot)

    return types.uint32(), codegen


@intrinsic
def set_float_mode(typing, mode):
    """Put a control word of `float_mode` back. On other processors than x86 nothing is set: ARM's FPCR belongs here."""

    def codegen(context, builder, signature, args):
        if X86:
            slot = builder.alloca(ir.IntType(32))
            builder.store(args[0], slot)
            _mxcsr(builder, "llvm.x86.sse.ldmxcsr", slot)
        return context.get_dummy_value()

    return types.void(types.uint32), codegen


FLUSH_DENORMALS = np.uint32(0x8040)  # MXCSR: flush-to-zero (bit 15) and denormals-are-zero (bit 6)


@kernel
def flush_denormals():
    """From here on, in this thread, denormal numbers are zero. Returns the mode to put back with `set_float_mode`.

    A decaying tail of denormals costs 35 to 79 times a normal one in filters, combs and recurrent nets.
    """
    before = float_mode()
    set_float_mode(np.uint32(before | FLUSH_DENORMALS))
    return before

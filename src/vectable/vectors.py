"""A vector of 16 floats as a type of numba: kernels say what they compute, and nothing is left to the vectorizer.

Vectors have + - * /, are loaded from and stored to any place of a float32 array, and can be summed up. Whoever changes
a line here must touch the files of kernels too: numba's disk cache watches only the file that a kernel is written in.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs, allow-subclassing-any
# mypy: disable-error-code="import-untyped"

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16
"""Floats in a vector: one AVX-512 register; LLVM takes two or four registers where they are narrower."""

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)


class _Vector(types.Type):
    """numba's name for 16 floats."""


VECTOR = _Vector(name="float32x16")


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _VECTOR)


def _define(symbol: object, instruction: str) -> None:
    """Let `symbol` between two vectors be LLVM's `instruction`; `contract` lets a product and a sum become one."""

    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            return signature(VECTOR, VECTOR, VECTOR) if tuple(args) == (VECTOR, VECTOR) else None

    @lower_builtin(symbol, VECTOR, VECTOR)
    def _lower(context, builder, sig, args):
        return getattr(builder, instruction)(*args, flags=("contract",))


for _symbol, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_symbol, _instruction)


def _address(context, builder, array_type, array, at, pointee):
    start = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(start, [at]), pointee.as_pointer())


@intrinsic
def load(typing_context, array, at):
    """The 16 floats of `array` from element `at` on."""

    def generate(context, builder, sig, args):
        return builder.load(_address(context, builder, sig.args[0], *args, _VECTOR), align=4)

    return VECTOR(array, types.int64), generate


@intrinsic
def store(typing_context, array, at, vector):
    """Write 16 floats to `array` from element `at` on."""

    def generate(context, builder, sig, args):
        builder.store(args[2], _address(context, builder, sig.args[0], *args[:2], _VECTOR), align=4)

    return types.void(array, types.int64, VECTOR), generate


@intrinsic
def spread(typing_context, number):
    """16 times the same float32."""

    def generate(context, builder, sig, args):
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(nothing, args[0], ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, nothing, mask)

    return VECTOR(types.float32), generate


@intrinsic
def root(typing_context, vector):
    """Square roots."""

    def generate(context, builder, sig, args):
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f32")
        return builder.call(function, args)

    return VECTOR(VECTOR), generate


@intrinsic
def total(typing_context, vector):
    """The sum of the 16 floats, in an order of the machine's choosing (always the same one)."""

    def generate(context, builder, sig, args):
        kind = ir.FunctionType(_FLOAT, [_FLOAT, _VECTOR])
        name = f"llvm.vector.reduce.fadd.v{LANES}f32"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, [ir.Constant(_FLOAT, 0.0), args[0]], fastmath=("reassoc",))

    return types.float32(VECTOR), generate


@intrinsic
def prefetch(typing_context, array, at):
    """Start bringing the cache line of ``array[at]`` in; changes nothing else."""

    def generate(context, builder, sig, args):
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        where = _address(context, builder, sig.args[0], *args, ir.IntType(8))
        read, keep, data = (ir.Constant(number, value) for value in (0, 2, 1))
        builder.call(function, [where, read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate

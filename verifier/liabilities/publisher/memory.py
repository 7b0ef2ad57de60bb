"""What compiled code needs beyond numpy: bytes at an address, big-endian, without bounds checks and without copies.

Addresses are signed 64-bit integers; whoever passes one keeps the array below it alive.
"""

import sys
from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTE = ir.IntType(8)


def pointer(builder: Any, address: Any, kind: Any = BYTE) -> Any:
    """Emit the pointer to what stands at an address."""
    return builder.inttoptr(address, kind.as_pointer())


def _addressing(typing: Any, array: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(held.data, ir.IntType(64))

    return types.int64(array), emit


def _loading(bits: int) -> Callable[..., Any]:
    word = ir.IntType(bits)

    def load(typing: Any, address: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.load(pointer(builder, arguments[0], word), align=1)
            return builder.bswap(value) if sys.byteorder == "little" else value

        return _unsigned(bits)(types.int64), emit

    return load


def _storing(bits: int) -> Callable[..., Any]:
    word = ir.IntType(bits)

    def store(typing: Any, address: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = builder.bswap(arguments[1]) if sys.byteorder == "little" else arguments[1]
            builder.store(value, pointer(builder, arguments[0], word), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, _unsigned(bits)), emit

    return store


def _copying(typing: Any, target: Any, source: Any, count: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target, source, count = arguments
        cgutils.raw_memcpy(builder, pointer(builder, target), pointer(builder, source), count, 1)  # type: ignore[no-untyped-call]  # numba's own
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


def _unsigned(bits: int) -> Any:
    return types.Integer.from_bitwidth(bits, signed=False)


address_of = cast(Callable[[Any], int], intrinsic(_addressing))
load_32 = cast(Callable[[int], Any], intrinsic(_loading(32)))
load_64 = cast(Callable[[int], Any], intrinsic(_loading(64)))
store_32 = cast(Callable[[int, Any], None], intrinsic(_storing(32)))
store_64 = cast(Callable[[int, Any], None], intrinsic(_storing(64)))
copy = cast(Callable[[int, int, int], None], intrinsic(_copying))

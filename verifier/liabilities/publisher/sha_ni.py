"""SHA-256's compression function in the processor's own instructions (Intel's SHA extensions), over one or two streams.

One stream waits for each instruction's result; two unrelated ones side by side keep the unit busy.
"""

import platform
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

from verifier.liabilities.publisher.memory import BYTE, pointer
from verifier.liabilities.publisher.portable import CONSTANTS

_INT, _LONG = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(_INT, 4)
_NEEDED = ("sha", "ssse3", "sse4.1")
_GROUPS = len(CONSTANTS) // 4


def available() -> bool:
    """Say whether this processor has the instructions and numba was not told to do without them."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    told = getattr(config, "CPU_FEATURES", None)
    if told is not None:
        return all(f"+{name}" in told.split(",") for name in _NEEDED)
    features = llvm.get_host_cpu_features()
    return all(features.get(name, False) for name in _NEEDED)


def _compressing(streams: int) -> Callable[..., Any]:
    """Return an operation over the states' address, the address of each stream's blocks, and their number (not 0)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if available():
            *addresses, count = arguments
            function = _function(builder.module, streams)
            builder.call(function, [*(pointer(builder, address) for address in addresses), count])
        else:
            builder.call(_declared(builder.module, "llvm.trap", ir.FunctionType(ir.VoidType(), [])), [])
        return context.get_dummy_value()

    def compress_one(typing: Any, state: Any, blocks: Any, count: Any) -> Any:
        return types.void(*[types.int64] * 3), emit

    def compress_two(typing: Any, states: Any, left: Any, right: Any, count: Any) -> Any:
        return types.void(*[types.int64] * 4), emit

    return (compress_one, compress_two)[streams - 1]


compress_one: Callable[[int, int, int], None] = intrinsic(_compressing(1))
compress_two: Callable[[int, int, int, int], None] = intrinsic(_compressing(2))


def _function(module: Any, streams: int) -> Any:
    """Return the module's function that compresses so many streams; write it when it is not there yet."""
    name = f"sha_256_streams_{streams}"
    if name in module.globals:
        return module.globals[name]
    kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer()] * (streams + 1) + [_LONG])
    function = ir.Function(module, kind, name)
    function.linkage = "internal"
    states, *blocks, count = function.args
    entry, loop, done = (function.append_basic_block(label) for label in ("entry", "loop", "done"))
    builder = ir.IRBuilder(entry)
    firsts = [_read_state(builder, states, 32 * stream) for stream in range(streams)]
    builder.branch(loop)
    builder.position_at_end(loop)
    number = builder.phi(_LONG)
    lanes = [_Lane(builder) for _ in range(streams)]
    for lane, block in zip(lanes, blocks, strict=True):
        lane.read(builder.gep(block, [builder.shl(number, _LONG(6))]))
    for group in range(_GROUPS):
        for lane in lanes:
            lane.four_rounds(group)
    following = builder.add(number, _LONG(1))
    number.add_incoming(_LONG(0), entry)
    number.add_incoming(following, loop)
    lasts = [lane.close(first, entry, loop) for lane, first in zip(lanes, firsts, strict=True)]
    builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
    builder.position_at_end(done)
    for stream, last in enumerate(lasts):
        _write_state(builder, states, 32 * stream, last)
    builder.ret_void()
    return function


class _Lane:
    """One stream's registers within a block: state words a, b, e, f and c, d, g, h, and 16 words of the schedule."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self._begin = [builder.phi(_WORDS), builder.phi(_WORDS)]
        self._state = list(self._begin)
        self._schedule: list[Any] = []

    def read(self, block: Any) -> None:
        """Emit the loading of a block's 16 words."""
        self._schedule = [_load(self._builder, block, 16 * part) for part in range(4)]

    def four_rounds(self, group: int) -> None:
        """Emit four rounds, and the four words of the schedule that are needed sixteen rounds later."""
        builder, schedule = self._builder, self._schedule
        constants = ir.Constant(_WORDS, list(CONSTANTS[4 * group : 4 * group + 4]))
        words = builder.add(schedule[0], constants)
        self._two_rounds(words)
        self._two_rounds(_shuffle(builder, words, words, (2, 3, 2, 3)))
        if group < _GROUPS - 4:
            partial = _call(builder, "sha256msg1", schedule[0], schedule[1])
            middle = _shuffle(builder, schedule[2], schedule[3], (1, 2, 3, 4))
            schedule.append(_call(builder, "sha256msg2", builder.add(partial, middle), schedule[3]))
        del schedule[0]

    def _two_rounds(self, words: Any) -> None:
        abef, cdgh = self._state
        self._state = [_call(self._builder, "sha256rnds2", cdgh, abef, words), abef]

    def close(self, first: Sequence[Any], entry: Any, loop: Any) -> list[Any]:
        """Emit the addition of the block's result to the state before it, and return the sum."""
        last = [self._builder.add(begin, end) for begin, end in zip(self._begin, self._state, strict=True)]
        for begin, before, after in zip(self._begin, first, last, strict=True):
            begin.add_incoming(before, entry)
            begin.add_incoming(after, loop)
        return last


def _read_state(builder: Any, states: Any, offset: int) -> tuple[Any, Any]:
    abcd, efgh = _load(builder, states, offset), _load(builder, states, offset + 16)
    return _shuffle(builder, abcd, efgh, (5, 4, 1, 0)), _shuffle(builder, abcd, efgh, (7, 6, 3, 2))


def _write_state(builder: Any, states: Any, offset: int, state: Sequence[Any]) -> None:
    abef, cdgh = state
    for place, lanes in enumerate(((3, 2, 7, 6), (1, 0, 5, 4))):
        words = _call(builder, "bswap", _shuffle(builder, abef, cdgh, lanes))
        builder.store(words, _vector_at(builder, states, offset + 16 * place), align=1)


def _load(builder: Any, base: Any, offset: int) -> Any:
    return _call(builder, "bswap", builder.load(_vector_at(builder, base, offset), align=1))


def _vector_at(builder: Any, base: Any, offset: int) -> Any:
    return builder.bitcast(builder.gep(base, [_LONG(offset)]), _WORDS.as_pointer())


def _shuffle(builder: Any, low: Any, high: Any, lanes: Sequence[int]) -> Any:
    return builder.shuffle_vector(low, high, ir.Constant(_WORDS, list(lanes)))


def _call(builder: Any, name: str, *vectors: Any) -> Any:
    full = "llvm.bswap.v4i32" if name == "bswap" else f"llvm.x86.{name}"
    kind = ir.FunctionType(_WORDS, [_WORDS] * len(vectors))
    return builder.call(_declared(builder.module, full, kind), vectors)


def _declared(module: Any, name: str, kind: Any) -> Any:
    return module.globals.get(name) or ir.Function(module, kind, name)

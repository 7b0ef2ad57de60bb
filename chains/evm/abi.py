"""The four contract calls that reading balances needs, encoded and decoded by hand."""

from collections.abc import Sequence

from chains.errors import InvalidAnswerError
from chains.evm.hexadecimal import data

_WORD = 32
# The first four bytes of the Keccak-256 of each signature; a test recomputes them.
BALANCE_OF = bytes.fromhex("70a08231")
GET_ETH_BALANCE = bytes.fromhex("4d2301cc")
AGGREGATE3 = bytes.fromhex("82ad56cb")


def balance_of(address: str) -> bytes:
    """Encode `balanceOf(address)`. Source: EIP-20."""
    return BALANCE_OF + _address_word(address)


def eth_balance(address: str) -> bytes:
    """Encode Multicall3's `getEthBalance(address)`."""
    return GET_ETH_BALANCE + _address_word(address)


def aggregate3(target: str, calls: Sequence[bytes]) -> bytes:
    """Encode Multicall3's `aggregate3((address,bool,bytes)[])`: all `calls` go to `target`, each may fail alone.

    Source: Solidity contract ABI specification; Multicall3.
    """
    heads, tails = [], []
    offset = _WORD * len(calls)
    for call in calls:
        tail = _address_word(target) + _word(1) + _word(3 * _WORD) + _word(len(call)) + call + bytes(-len(call) % _WORD)
        heads.append(_word(offset))
        tails.append(tail)
        offset += len(tail)
    return b"".join([AGGREGATE3, _word(_WORD), _word(len(calls)), *heads, *tails])


def decode_uint256(returned: bytes) -> int:
    """Read one uint256; anything but exactly 32 bytes is not a number. Raises InvalidAnswerError."""
    if len(returned) != _WORD:
        raise InvalidAnswerError(f"returned {len(returned)} bytes instead of a 32-byte number")
    return int.from_bytes(returned)


def decode_aggregate3(text: object, expected: int) -> list[bytes | None]:
    """Read what `aggregate3` returned: for each call its bytes, or None when that call failed.

    Every offset and length is checked against the data. Raises InvalidAnswerError.
    """
    returned = data(text, "the answer of aggregate3")
    start = _read(returned, 0)
    count = _read(returned, start)
    if count != expected:
        raise InvalidAnswerError(f"aggregate3 answered {count} calls; expected {expected}")
    base = start + _WORD
    return [_result(returned, base + _read(returned, base + _WORD * position)) for position in range(count)]


def _result(returned: bytes, where: int) -> bytes | None:
    success = _read(returned, where)
    if success not in (0, 1):
        raise InvalidAnswerError("aggregate3 answered neither success nor failure for a call")
    begin = where + _read(returned, where + _WORD)
    length = _read(returned, begin)
    begin += _WORD
    if begin + length > len(returned):
        raise InvalidAnswerError("aggregate3 points outside of its own answer")
    return returned[begin : begin + length] if success else None


def _read(returned: bytes, where: int) -> int:
    if where + _WORD > len(returned):
        raise InvalidAnswerError("aggregate3 points outside of its own answer")
    return int.from_bytes(returned[where : where + _WORD])


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD)


def _address_word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])

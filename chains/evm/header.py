"""Recompute a block's hash from its header, so that what the header says binds to the hash everyone quotes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError, ProofError
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256
from chains.evm.rlp import encode_list, encode_number

# Name and length in bytes of each field, in the order they are hashed; None marks a number, 0 bytes of any length.
_FRONTIER = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", 0),
    ("mixHash", 32),
    ("nonce", 8),
)
# Each upgrade appended fields: London (EIP-1559), Shanghai (EIP-4895), Cancun (EIP-4844, EIP-4788), Prague (EIP-7685).
_UPGRADES = (
    (("baseFeePerGas", None),),
    (("withdrawalsRoot", 32),),
    (("blobGasUsed", None), ("excessBlobGas", None), ("parentBeaconBlockRoot", 32)),
    (("requestsHash", 32),),
)


class Header(NamedTuple):
    """What a verified header says: its hash, height, Unix time and the root of the state after the block."""

    hash: str
    height: int
    time: int
    state_root: bytes


def header_hash(block: Mapping[str, Any]) -> str:
    """Return the hash of a block's header given as JSON-RPC writes it, for every upgrade up to Prague.

    Raises ProofError when a field is missing or malformed. Source: Yellow Paper, section 4.4; EIP-1559, EIP-4895,
    EIP-4844, EIP-4788, EIP-7685.
    """
    try:
        return hexadecimal(keccak256(encode_list([_field(block, name, length) for name, length in _fields(block)])))
    except InvalidAnswerError as error:
        raise ProofError(f"block header: {error}") from error


def verify_header(block: Mapping[str, Any], expected_hash: str) -> Header:
    """Check that a header hashes to `expected_hash` and return what it binds. Raises ProofError when it does not."""
    found = header_hash(block)
    if found != expected_hash.lower():
        raise ProofError(
            f"the header hashes to {found}; expected {expected_hash}: it was changed, or has fields newer than Prague"
        )
    number = quantity(block["number"], "number")
    return Header(found, number, quantity(block["timestamp"], "timestamp"), data(block["stateRoot"], "stateRoot", 32))


def _fields(block: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    fields: list[tuple[str, int | None]] = list(_FRONTIER)
    ended = ""
    for upgrade in _UPGRADES:
        for name, length in upgrade:
            present = block.get(name) is not None
            if present and ended:
                raise ProofError(f"block header: has {name} but no {ended}, which came before it")
            if present:
                fields.append((name, length))
            else:
                ended = ended or name
    if ended in ("excessBlobGas", "parentBeaconBlockRoot"):
        raise ProofError(f"block header: has blobGasUsed but no {ended}, which came with it")
    return fields


def _field(block: Mapping[str, Any], name: str, length: int | None) -> bytes:
    value = block.get(name)
    if length is None:
        return encode_number(quantity(value, name))
    return data(value, name, length or None)

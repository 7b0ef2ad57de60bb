"""Wallet descriptors: one line that stands for all addresses of a wallet, expanded without any private key."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from btclib import base58
from btclib.exceptions import BTClibException

from chains.bitcoin.address import address_of_script, canonical_address
from chains.bitcoin.private_keys import refuse_private_keys
from chains.errors import IdentifierError
from chains.network import Network

if TYPE_CHECKING:
    from btclib_wallet.descriptors import Descriptor

MAX_LENGTH = 20_000
MAX_ADDRESSES = 100_000
MAX_INDEX = 2**31 - 1
MAX_NESTING = 64

MAIN_PUBLIC = bytes.fromhex("0488b21e")  # xpub, which Litecoin Core uses as well
TEST_PUBLIC = bytes.fromhex("043587cf")  # tpub


class _Prefix(NamedTuple):
    """What an extended key's version says: the version BIP-32 would use, and the wallet it is for ("" if unknown)."""

    version: bytes
    template: str


EXTENDED_KEYS = {
    bytes.fromhex("0488b21e"): _Prefix(MAIN_PUBLIC, "pkh({})"),  # xpub
    bytes.fromhex("049d7cb2"): _Prefix(MAIN_PUBLIC, "sh(wpkh({}))"),  # ypub
    bytes.fromhex("04b24746"): _Prefix(MAIN_PUBLIC, "wpkh({})"),  # zpub
    bytes.fromhex("0295b43f"): _Prefix(MAIN_PUBLIC, ""),  # Ypub
    bytes.fromhex("02aa7ed3"): _Prefix(MAIN_PUBLIC, ""),  # Zpub
    bytes.fromhex("043587cf"): _Prefix(TEST_PUBLIC, "pkh({})"),  # tpub
    bytes.fromhex("044a5262"): _Prefix(TEST_PUBLIC, "sh(wpkh({}))"),  # upub
    bytes.fromhex("045f1cf6"): _Prefix(TEST_PUBLIC, "wpkh({})"),  # vpub
    bytes.fromhex("024289ef"): _Prefix(TEST_PUBLIC, ""),  # Upub
    bytes.fromhex("02575483"): _Prefix(TEST_PUBLIC, ""),  # Vpub
    bytes.fromhex("019da462"): _Prefix(MAIN_PUBLIC, "pkh({})"),  # Ltub
    bytes.fromhex("01b26ef6"): _Prefix(MAIN_PUBLIC, "sh(wpkh({}))"),  # Mtub
    bytes.fromhex("0436f6e1"): _Prefix(TEST_PUBLIC, "pkh({})"),  # ttub
}


def expand(network: Network, descriptor: str, first: int = 0, last: int = 0) -> tuple[str, ...]:
    """Return the addresses a descriptor stands for, indexes `first` to `last` inclusive, each path of <0;1> in turn.

    A descriptor without `*` has no indexes: leave both at 0. At most 100,000 addresses. A checksum may be absent, but
    not wrong. combo() also stands for a bare public key script, which has no address and is left out.
    Raises IdentifierError: private keys, a wrong checksum, another network's keys, a script without an address.
    Source: BIP-380 to BIP-390.
    """
    body = _body(descriptor)
    if body.startswith("addr(") and body.endswith(")"):
        _check_range(False, 1, first, last)
        return (canonical_address(network, body[5:-1]),)
    parsed = _parse(network, body)
    _check_range(any(single.is_ranged for single in parsed), len(parsed), first, last)
    return tuple(
        address
        for single in parsed
        for index in range(first, last + 1)
        for address in _addresses(network, single, index)
    )


def is_ranged(network: Network, descriptor: str) -> bool:
    """Say whether a descriptor holds a `*` and so stands for a range of addresses. Raises IdentifierError."""
    body = _body(descriptor)
    return not body.startswith("addr(") and any(single.is_ranged for single in _parse(network, body))


def parse_descriptor(network: Network, descriptor: str) -> "tuple[Descriptor, ...]":
    """Return a descriptor parsed, one per path of <0;1>; none for addr(), which says nothing of keys."""
    body = _body(descriptor)
    return () if body.startswith("addr(") else _parse(network, body)


def descriptor_of_extended_key(text: str) -> str:
    """Return the descriptor, with checksum, of the wallet an extended public key such as zpub… names.

    Covers the receiving and the change addresses (<0;1>/*). xpub and tpub mean pkh, as in BIP-44. Raises
    IdentifierError for private keys and for the multisig prefixes, which one key cannot describe.
    Source: SLIP-132, BIP-44, BIP-49, BIP-84.
    """
    refuse_private_keys(text)
    try:
        payload = base58.decode(text)
    except BTClibException as error:
        raise IdentifierError(f"{text[:120]!r} is not an extended public key: {error}") from error
    prefix = EXTENDED_KEYS.get(payload[:4])
    if len(payload) != 78 or prefix is None or payload[45] not in (2, 3):
        raise IdentifierError(f"{text[:120]!r} is not an extended public key (xpub, ypub, zpub, tpub, upub, vpub …)")
    if not prefix.template:
        raise IdentifierError(
            f"{text[:4]} is one key of a multisig wallet; give the whole descriptor, such as wsh(sortedmulti(2,…))"
        )
    key = base58.encode(prefix.version + payload[4:]).decode("ascii")
    body = prefix.template.format(f"{key}/<0;1>/*")
    return f"{body}#{_checksum(body)}"


def _body(descriptor: str) -> str:
    """Return a descriptor without its checksum, which must be right if there is one."""
    if not descriptor or len(descriptor) > MAX_LENGTH:
        raise IdentifierError(f"a descriptor has 1 to {MAX_LENGTH:,} characters, this one {len(descriptor):,}")
    refuse_private_keys(descriptor)
    body, separator, given = descriptor.partition("#")
    expected = _checksum(body)
    if separator and given != expected:
        raise IdentifierError(f"the descriptor's checksum is {given[:20]!r}, but its text gives {expected!r}")
    return body


def _checksum(body: str) -> str:
    from btclib_wallet.descriptors import checksum

    try:
        return checksum(body)
    except BTClibException as error:
        raise IdentifierError(f"not a descriptor: {error}") from error


def _parse(network: Network, body: str) -> "tuple[Descriptor, ...]":
    """Parse a descriptor into one per path of <0;1>; keys are read as Bitcoin's, main or test."""
    from btclib_wallet.descriptors import multipath_descriptors, parse

    if max(_depths(body)) > MAX_NESTING:
        raise IdentifierError(f"not a descriptor: brackets nested deeper than {MAX_NESTING}")
    name = "regtest" if network.test_network else "mainnet"
    private: dict[str, str] = {}
    try:
        parsed = tuple(parse(single, name, private) for single in multipath_descriptors(body, name))
    except (BTClibException, RecursionError) as error:
        raise IdentifierError(f"not a descriptor of {network.name}: {error}") from error
    if private or any(key.wif_prefix for single in parsed for key in single.key_expressions):
        raise IdentifierError("the descriptor holds a private key: declare the public key instead")
    return parsed


def _depths(body: str) -> Iterator[int]:
    depth = 0
    yield depth
    for character in body:
        depth += (character in "({") - (character in ")}")
        yield depth


def _check_range(ranged: bool, paths: int, first: int, last: int) -> None:
    if not 0 <= first <= last <= MAX_INDEX:
        raise IdentifierError(f"the range {first}..{last} does not lie within 0..{MAX_INDEX}")
    if not ranged and last:
        raise IdentifierError(f"the descriptor holds no '*', so there is no index {last}; leave the range at 0..0")
    if (last - first + 1) * paths > MAX_ADDRESSES:
        raise IdentifierError(
            f"{last - first + 1:,} indexes on {paths} path(s) are more than {MAX_ADDRESSES:,} addresses; ask in parts"
        )


def _addresses(network: Network, descriptor: "Descriptor", index: int) -> Iterator[str]:
    try:
        scripts = [public.script for public in descriptor.script_pub_keys(index if descriptor.is_ranged else 0)]
    except (BTClibException, RecursionError) as error:
        raise IdentifierError(f"index {index} of the descriptor cannot be derived: {error}") from error
    for script in scripts:
        address = address_of_script(network, script)
        if address:
            yield address
        elif len(scripts) == 1:
            raise IdentifierError(
                "the descriptor describes a script without an address (bare public key, bare multisig or raw data); "
                "declare its coins another way"
            )

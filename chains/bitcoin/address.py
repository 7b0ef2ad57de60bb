"""Bitcoin-family addresses: the checksum, the network they belong to, and the script they stand for."""

from collections.abc import Iterable

from btclib import base58, bech32
from btclib.exceptions import BTClibException

from chains.base_codecs import five_bits, from_five_bits
from chains.bitcoin.cashaddr import from_cashaddr, to_cashaddr
from chains.bitcoin.private_keys import refuse_private_keys
from chains.errors import IdentifierError, NetworkDataError
from chains.network import BitcoinFacts, Network, networks

MAX_LENGTH = 90  # BIP-173
LONGEST_BASE58 = 35  # what is longer may be a private key, and messages must not repeat one
HASH_BYTES = 20


def canonical_address(network: Network, address: str) -> str:
    """Return the one spelling of an address of `network`: Base58Check as it is, Bech32 in lower case.

    Raises IdentifierError saying what is wrong: another network's address, a wrong checksum, mixed case.
    Source: BIP-13 and BIP-16 (Base58Check), BIP-173 and BIP-350 (Bech32, Bech32m).
    """
    return _decode(network, address)[0]


def script_of(network: Network, address: str) -> bytes:
    """Return the scriptPubKey an address of `network` stands for.

    Raises IdentifierError. Source: BIP-16 (P2SH), BIP-141 (witness programs), BIP-350.
    """
    return _decode(network, address)[1]


def address_of_script(network: Network, script: bytes) -> str | None:
    """Return the address of a scriptPubKey, or None when it has none (bare multisig, bare public key, data)."""
    facts = bitcoin_facts(network)
    if facts.cashaddr_prefix:
        return to_cashaddr(facts.cashaddr_prefix, script)
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return base58.encode(version_bytes(facts.p2pkh_prefix) + script[3:23]).decode("ascii")
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return base58.encode(version_bytes(facts.p2sh_prefix) + script[2:22]).decode("ascii")
    version = _witness_version(script)
    if version is None or not facts.bech32_hrp:
        return None
    return bech32.encode(facts.bech32_hrp, [version, *five_bits(script[2:])]).decode("ascii")


def bitcoin_facts(network: Network) -> BitcoinFacts:
    """Return a network's Bitcoin facts. Raises NetworkDataError when it is of another family."""
    if network.bitcoin is None:
        raise NetworkDataError(f"{network.name}: is not of the Bitcoin family; its description has no [bitcoin] table")
    return network.bitcoin


def _decode(network: Network, address: str) -> tuple[str, bytes]:
    """Return the canonical spelling and the script; each step either knows the address or hands it on."""
    facts = bitcoin_facts(network)
    if facts.cashaddr_prefix and (script := from_cashaddr(facts.cashaddr_prefix, address)) is not None:
        return to_cashaddr(facts.cashaddr_prefix, script) or address, script
    prefix, separator, _ = address.lower().rpartition("1")
    is_bech32 = bool(separator and prefix) and (prefix == facts.bech32_hrp or prefix in _known_hrps())
    if len(address) > LONGEST_BASE58 and not is_bech32:
        refuse_private_keys(address)
    if not address or len(address) > MAX_LENGTH or not address.isascii():
        raise IdentifierError(f"{address[:100]!r} is not a {network.name} address; it has 1 to 90 ASCII characters")
    if is_bech32:
        return _decode_bech32(network, facts, address)
    return _decode_base58(network, facts, address)


def _decode_bech32(network: Network, facts: BitcoinFacts, address: str) -> tuple[str, bytes]:
    try:
        prefix, digits = bech32.decode(address)
    except BTClibException as error:
        raise IdentifierError(f"{address!r} is not a {network.name} address: {error}") from error
    if prefix != facts.bech32_hrp:
        belongs = _names(other for other in _families() if bitcoin_facts(other).bech32_hrp == prefix)
        raise IdentifierError(
            f"{address!r} is an address of {belongs}, not of {network.name}, whose addresses start with "
            f"{facts.bech32_hrp + '1'!r}"
        )
    version, program = digits[0], from_five_bits(digits[1:])
    lengths: Iterable[int] = (20, 32) if version == 0 else range(2, 41)
    if program is None or version > 16 or len(program) not in lengths:
        raise IdentifierError(f"{address!r} has a right checksum, but holds no witness program of BIP-141")
    opcode = 0x50 + version if version else 0
    return address.lower(), bytes([opcode, len(program)]) + program


def _decode_base58(network: Network, facts: BitcoinFacts, address: str) -> tuple[str, bytes]:
    try:
        payload = base58.decode(address)
    except BTClibException as error:
        raise IdentifierError(f"{address!r} is not a {network.name} address: {error}") from error
    script = _script_of_payload(facts, payload)
    if script is not None:
        return (to_cashaddr(facts.cashaddr_prefix, script) if facts.cashaddr_prefix else None) or address, script
    belongs = [other for other in _families() if _script_of_payload(bitcoin_facts(other), payload) is not None]
    if belongs:
        raise IdentifierError(f"{address!r} is an address of {_names(belongs)}, not of {network.name}")
    raise IdentifierError(
        f"{address!r} has a right checksum, but version {payload[:1].hex()} with {len(payload) - 1} bytes is no "
        f"address of {network.name}"
    )


def _script_of_payload(facts: BitcoinFacts, payload: bytes) -> bytes | None:
    """Return the script of what a Base58Check address holds, or None when its version is not this network's."""
    version, digest = payload[:-HASH_BYTES], payload[-HASH_BYTES:]
    if version == version_bytes(facts.p2pkh_prefix):
        return b"\x76\xa9\x14" + digest + b"\x88\xac"
    return b"\xa9\x14" + digest + b"\x87" if version == version_bytes(facts.p2sh_prefix) else None


def version_bytes(prefix: int) -> bytes:
    """Return an address prefix as the bytes that stand before the hash: one, or two when it is above 255."""
    return prefix.to_bytes(2 if prefix > 255 else 1, "big")


def _families() -> list[Network]:
    return [network for network in networks().values() if network.bitcoin]


def _known_hrps() -> set[str]:
    return {bitcoin_facts(network).bech32_hrp for network in _families()} - {""}


def _names(found: Iterable[Network]) -> str:
    return " or ".join(network.name for network in found)


def _witness_version(script: bytes) -> int | None:
    """Return the version of a witness program, None for any other script. Source: BIP-141."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0 if len(script) in (22, 34) else None
    return script[0] - 0x50 if 0x51 <= script[0] <= 0x60 else None

"""One spelling per account on chains that are known here by how their accounts sign: checked, then written one way."""

import base64
import binascii
import re
from collections.abc import Callable

from chains import base_codecs as codec
from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId, ChainId, chain_of, family_of
from chains.signatures import address_text
from chains.signatures.bls import VALIDATOR_KEY
from chains.signatures.cardano_address import network_id, parse_address
from chains.signatures.eos import ACCOUNT_NAME
from chains.signatures.key_addresses import address_facts
from chains.signatures.recovered_account import escape, plain_address
from chains.signatures.starknet import HIGHEST_ADDRESS

Rule = Callable[[ChainId, str], str]

GENERIC_SS58 = 42  # the number of an address that names no network
_HEX = re.compile(r"0x[0-9a-fA-F]{1,64}")
_NEAR_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_AELF = re.compile(r"(?:ELF_)?([1-9A-HJ-NP-Za-km-z]+)(?:_AELF)?")
_CONFLUX_TYPES = {0x0: "builtin", 0x1: "user", 0x8: "contract"}
_CONFLUX_TYPE = re.compile(r"cfx:type\.([a-z]+):(.+)")
_FILECOIN = re.compile(r"([ft])([123])([a-z2-7]+)|([ft])4(0|[1-9][0-9]{0,18})f([a-z2-7]+)")
_FILECOIN_SIZES = {1: range(20, 21), 2: range(20, 21), 3: range(48, 49), 4: range(55)}
_MASKED_ID = b"\xff" + bytes(11)  # an actor's number in the form of an Ethereum address


def canonical_name(account: AccountId) -> str:
    """Return an account's address checked and in its one spelling, escaped as CAIP-10 takes it.

    Raises IdentifierError, saying what is wrong, for an address that is none on its chain and for a chain whose prefix
    is not known here.
    """
    chain = chain_of(account)
    family = family_of(chain)
    rule = RULES.get(family)
    if rule is None:
        facts = address_facts().get(chain)
        rule = _BY_PARAMETER[family].get(facts.rule) if facts else None
    if rule is None:
        raise IdentifierError(f"{account!r}: no rules for addresses of {chain} are known here")
    return escape(rule(chain, plain_address(account)))


def _wrong(text: str, expected: str) -> IdentifierError:
    return IdentifierError(f"{text[:130]!r}: expected {expected}")


def _parameter(chain: ChainId) -> str:
    return address_facts()[chain].parameter


def _bech32(*sizes: int) -> Rule:
    def canonical(chain: ChainId, text: str) -> str:
        prefix, raw = address_text.from_bech32(text) or ("", b"")
        if prefix != _parameter(chain) or len(raw) not in sizes:
            raise _wrong(text, f"an address {_parameter(chain)}1… in one case with its checksum (Bech32)")
        return text.lower()

    return canonical


def _ss58(chain: ChainId, text: str) -> str:
    """The generic form (network 42) is the same account; one that names another network is taken for an error."""
    number, key = int(_parameter(chain)), address_text.key_of_ss58(text)
    if key is None or text not in (address_text.ss58(number, key), address_text.ss58(GENERIC_SS58, key)):
        raise _wrong(text, f"an SS58 address of network {number} or {GENERIC_SS58} with its checksum")
    return address_text.ss58(number, key)


def _cardano(chain: ChainId, text: str) -> str:
    lowered = text.lower() if text == text.upper() else text
    network = network_id(AccountId(f"{chain}:{text}"))
    if parse_address(lowered).network != network:
        raise _wrong(text, f"an address of the network of {chain}")
    return lowered


def _hexadecimal(text: str, shortest: int) -> int:
    if not _HEX.fullmatch(text) or len(text) < shortest + 2:
        raise _wrong(text, f"0x and {'1 to ' if shortest < 64 else ''}64 hexadecimal digits")
    return int(text, 16)


def _starknet(chain: ChainId, text: str) -> str:
    """Digits in mixed case are a checksum: that of their number's bytes. Source: starknet.js, address checksum."""
    number = _hexadecimal(text, 1)
    if not 0 < number < HIGHEST_ADDRESS:
        raise _wrong(text, "an address above 0 and below 2^251 - 256")
    digits, given = f"{number:064x}", text[2:].rjust(64, "0")
    marks = keccak256(number.to_bytes((number.bit_length() + 7) // 8)).hex()
    checked = "".join(one.upper() if int(mark, 16) >= 8 else one for one, mark in zip(digits, marks, strict=True))
    if given not in (digits, digits.upper(), checked):
        raise _wrong(text, f"lower case or, with a right checksum, 0x{checked}")
    return f"0x{digits}"


def _aptos(chain: ChainId, text: str) -> str:
    """Leading zeros are often left out. Source: AIP-40."""
    return f"0x{_hexadecimal(text, 1):064x}"


def _sui(chain: ChainId, text: str) -> str:
    return f"0x{_hexadecimal(text, 64):064x}"


def _beacon(chain: ChainId, text: str) -> str:
    lowered = text[:2] + text[2:].lower()
    if not VALIDATOR_KEY.fullmatch(lowered):
        raise _wrong(text, "a validator's public key: 0x and 96 hexadecimal digits")
    return lowered


def _antelope(chain: ChainId, text: str) -> str:
    if not ACCOUNT_NAME.fullmatch(text):
        raise _wrong(text, "an account name of up to 12 letters a-z, digits 1-5 and dots, not ending with a dot")
    return text


def _near(chain: ChainId, text: str) -> str:
    """Source: NEAR protocol specification, account id rules (implicit accounts are 64 digits and fit them)."""
    if not 2 <= len(text) <= 64 or not _NEAR_NAME.fullmatch(text):
        raise _wrong(text, "a NEAR account id: 2 to 64 letters a-z and digits, with single - _ . between them")
    return text


def _algorand(chain: ChainId, text: str) -> str:
    raw = _from_base32(text)
    if len(raw) != 36 or address_text.algorand(raw[:32]) != text:
        raise _wrong(text, "an Algorand address: 58 capital letters and digits with their checksum")
    return text


def _filecoin(chain: ChainId, text: str) -> str:
    """An actor's number (f0…) has its own address elsewhere: which one, only the chain knows, so it is refused."""
    network, match = chain.partition(":")[2], _FILECOIN.fullmatch(text)
    if match is None or (match[1] or match[4]) != network:
        raise _wrong(text, f"an address from {network}1… to {network}4… (an actor's number, {network}0…, is none)")
    protocol, namespace = int(match[2] or 4), address_text.uleb128(int(match[5])) if match[5] else b""
    body = match[3] or match[6]
    payload = _from_base32(body.upper())[:-4]
    if len(payload) not in _FILECOIN_SIZES[protocol] or address_text.filecoin(protocol, payload, namespace) != body:
        raise _wrong(text, "a Filecoin address with its checksum")
    if match[5] == "10" and payload.startswith(_MASKED_ID):
        raise _wrong(text, "no actor's number in the form of an Ethereum address")
    return text


def _conflux(chain: ChainId, text: str) -> str:
    """The type inside the long form is left out, once it is the address's own. Source: CIP-37."""
    lowered = text.lower()
    long = _CONFLUX_TYPE.fullmatch(lowered)
    address = address_text.from_conflux("cfx", f"cfx:{long[2]}" if long else lowered)
    if address is None or text not in (lowered, text.upper()):
        raise _wrong(text, "a Conflux address cfx:… in one case with its checksum")
    kind = _CONFLUX_TYPES.get(address[0] >> 4, "") if any(address) else "null"
    if not kind or (long and long[1] != kind):
        raise _wrong(text, f"an address of type {kind or 'user, contract or builtin'}")
    return address_text.conflux("cfx", address)


def _aelf(chain: ChainId, text: str) -> str:
    match = _AELF.fullmatch(text)
    raw = codec.from_base58_check(match[1]) if match else None
    whole = text.startswith("ELF_") == text.endswith("_AELF")
    if match is None or raw is None or len(raw) != 32 or not whole:
        raise _wrong(text, "an aelf address, bare or ELF_…_AELF, with its checksum")
    return match[1]


def _from_base32(text: str) -> bytes:
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except (ValueError, binascii.Error):
        return b""


# Families whose rule needs no more than the chain's id.
RULES: dict[str, Rule] = {
    "algorand": _algorand,
    "antelope": _antelope,
    "aptos": _aptos,
    "beacon": _beacon,
    "cip34": _cardano,
    "fil": _filecoin,
    "near": _near,
    "starknet": _starknet,
    "sui": _sui,
}
# Families whose chains differ in a prefix or a number (chains.toml), by the rule their keys follow. Contracts and
# modules of Cosmos chains have 32 bytes.
_BY_PARAMETER: dict[str, dict[str, Rule]] = {
    "cosmos": {"bech32-hash160": _bech32(20, 32), "bech32-keccak": _bech32(20, 32)},
    "polkadot": {"ss58": _ss58},
    "slip44": {"aelf": _aelf, "bech32-key": _bech32(32), "conflux": _conflux, "ss58": _ss58},
}

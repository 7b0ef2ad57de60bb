"""Typed data is hashed as eth_account hashes it, and whatever a wallet would not sign of it makes it malformed."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import IdentifierError, InvalidAnswerError
from chains.evm.keccak import keccak256
from chains.signatures import verify
from chains.signatures.typed_data import DOMAIN_FIELDS, digest, encode_type, read_typed_data
from tests.builders import wallet_lists as make

SIGNER = Account.from_key(make.key(1).secret)
ACCOUNT = f"eip155:1:{make.evm(1)}"
DOMAIN_VALUES: dict[str, Any] = {
    "name": "Example",
    "version": "1",
    "chainId": 1,
    "verifyingContract": "0x" + "cc" * 20,
    "salt": "0x" + "5a" * 32,
}


def domain(names: tuple[str, ...]) -> tuple[list[dict[str, str]], dict[str, Any]]:
    kept = [(name, kind) for name, kind in DOMAIN_FIELDS if name in names]
    return [{"name": name, "type": kind} for name, kind in kept], {name: DOMAIN_VALUES[name] for name, _ in kept}


def claim() -> dict[str, Any]:
    fields, values = domain(("name", "version", "chainId"))
    return {
        "types": {
            "EIP712Domain": fields,
            "Claim": [
                {"name": "text", "type": "string"},
                {"name": "owners", "type": "Owner[2]"},
                {"name": "raw", "type": "bytes"},
                {"name": "small", "type": "int16"},
            ],
            "Owner": [
                {"name": "address", "type": "address"},
                {"name": "active", "type": "bool"},
                {"name": "tag", "type": "bytes4"},
                {"name": "limits", "type": "uint8[][2]"},
            ],
        },
        "primaryType": "Claim",
        "domain": values,
        "message": {
            "text": "Exchange: exchange.example",
            "owners": [
                {"address": make.evm(number), "active": number == 1, "tag": "0x01020304", "limits": [[1, 2], []]}
                for number in (1, 2)
            ],
            "raw": "0x00ff",
            "small": -7,
        },
    }


def ours(record: Any) -> bytes:
    return digest(read_typed_data(json.dumps(record).encode()))


def theirs(record: Any) -> bytes:
    signable = encode_typed_data(full_message=record)
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


def signed(record: Any) -> str:
    return "0x" + bytes(SIGNER.sign_message(encode_typed_data(full_message=record)).signature).hex()


# --- the hash ---


def test_the_standards_own_example_has_the_standards_hash() -> None:
    person = [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}]
    fields, _ = domain(("name", "version", "chainId", "verifyingContract"))
    mail = {
        "types": {
            "EIP712Domain": fields,
            "Person": person,
            "Mail": [
                {"name": "from", "type": "Person"},
                {"name": "to", "type": "Person"},
                {"name": "contents", "type": "string"},
            ],
        },
        "primaryType": "Mail",
        "domain": {
            "name": "Ether Mail",
            "version": "1",
            "chainId": 1,
            "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
        },
        "message": {
            "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
            "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
            "contents": "Hello, Bob!",
        },
    }
    assert ours(mail).hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    spelled = encode_type(read_typed_data(json.dumps(mail).encode()).types, "Mail")
    assert spelled == "Mail(Person from,Person to,string contents)Person(string name,address wallet)"


ATOMS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "bytes": st.binary(max_size=70).map(lambda raw: "0x" + raw.hex()),
}


def atoms() -> st.SearchStrategy[str]:
    bits = st.integers(1, 32).map(lambda size: 8 * size)
    return st.one_of(
        st.sampled_from(sorted(ATOMS)),
        st.integers(1, 32).map(lambda size: f"bytes{size}"),
        bits.map(lambda size: f"uint{size}"),
        bits.map(lambda size: f"int{size}"),
    )


def atom_values(kind: str) -> st.SearchStrategy[Any]:
    if kind in ATOMS:
        return ATOMS[kind]
    if kind.startswith("bytes"):
        size = int(kind[5:])
        return st.binary(min_size=size, max_size=size).map(lambda raw: "0x" + raw.hex())
    bits = int(kind.lstrip("uint"))
    low, high = (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    numbers = st.one_of(st.integers(low, high), st.sampled_from([low, high]))
    return st.one_of(numbers, numbers.map(str), numbers.filter(lambda number: number >= 0).map(hex))


@st.composite
def typed_data(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 4))
    names = draw(st.permutations(["Alpha", "beta", "_Gamma", "delta$"]))[:count]
    types: dict[str, list[dict[str, str]]] = {}
    for position, name in enumerate(names):
        later = names[position + 1 :]
        # The next struct is always used, so that none is left over.
        cores = [*later[:1], *draw(st.lists(st.one_of(atoms(), *map(st.just, later)), min_size=1, max_size=4))]
        suffixes = st.sampled_from(["", "", "", "[]", "[2]", "[][2]", "[1][]", "[][][1]"])
        types[name] = [{"name": f"f{number}", "type": core + draw(suffixes)} for number, core in enumerate(cores)]

    def value(kind: str) -> Any:
        if kind.endswith("]"):
            element, _, size = kind[:-1].rpartition("[")
            return [value(element) for _ in range(int(size) if size else draw(st.integers(0, 2)))]
        if kind in types:
            return {field["name"]: value(field["type"]) for field in types[kind]}
        return draw(atom_values(kind))

    kept = draw(st.lists(st.sampled_from(sorted(DOMAIN_VALUES)), min_size=1, unique=True))
    fields, values = domain(tuple(kept))
    shuffled = dict(draw(st.permutations([("EIP712Domain", fields), *types.items()])))
    return {"types": shuffled, "primaryType": names[0], "domain": values, "message": value(names[0])}


@given(typed_data())
@settings(deadline=None, max_examples=300)
def test_any_typed_data_is_hashed_and_signed_as_by_eth_account(record: dict[str, Any]) -> None:
    assert ours(record) == theirs(record)
    assert verify("eip-712", ACCOUNT, json.dumps(record), signed(record)).valid


# --- the scheme ---


def test_a_claim_by_the_accounts_own_key_is_valid() -> None:
    result = verify("eip-712", ACCOUNT, json.dumps(claim()), signed(claim()))
    assert (result.valid, result.reason, result.scheme, result.signer) == (True, "signed", "eip-712", ACCOUNT)


def test_another_key_is_named() -> None:
    other = f"eip155:1:{make.evm(2)}"
    result = verify("eip-712", other, json.dumps(claim()), signed(claim()))
    assert (result.valid, result.reason, result.signer) == (False, "signer-differs", ACCOUNT)


def test_the_chain_of_the_domain_is_the_accounts() -> None:
    for chain_id, chain, reason in ((1, "1", "signed"), (10, "1", "wrong-network"), (1, "10", "wrong-network")):
        for spelled in (chain_id, str(chain_id), hex(chain_id)):
            record = claim() | {"domain": claim()["domain"] | {"chainId": spelled}}
            result = verify("eip-712", f"eip155:{chain}:{make.evm(1)}", json.dumps(record), signed(record))
            assert (result.valid, result.reason) == (reason == "signed", reason)


def test_a_domain_without_a_chain_fits_every_chain() -> None:
    fields, values = domain(("name",))
    record = claim() | {"domain": values, "types": claim()["types"] | {"EIP712Domain": fields}}
    for chain in ("1", "10"):
        assert verify("eip-712", f"eip155:{chain}:{make.evm(1)}", json.dumps(record), signed(record)).valid


def test_accounts_of_other_families_are_refused() -> None:
    for message in (json.dumps(claim()), "no JSON"):
        with pytest.raises(IdentifierError):
            verify("eip-712", f"{make.TRON}:{make.address(make.TRON, 1)}", message, signed(claim()))


def _spelled_alike(record: Any) -> str:
    """Write `record` with every 0x value in small letters: one bit makes a hexadecimal `f` an `F`, the same bytes."""
    return re.sub("0x[0-9A-Fa-f]+", lambda found: found[0].lower(), json.dumps(record))


@given(st.integers(0, 10_000), st.integers(0, 6))
@settings(deadline=None, max_examples=300)
def test_one_flipped_bit_of_the_message_is_never_valid(position: int, bit: int) -> None:
    raw = bytearray(json.dumps(claim()).encode())
    raw[position % len(raw)] ^= 1 << bit
    try:
        same = _spelled_alike(json.loads(raw)) == _spelled_alike(claim())  # a blank may become another blank
    except ValueError:
        same = False
    assert same or not verify("eip-712", ACCOUNT, raw.decode("latin-1"), signed(claim())).valid


@given(st.integers(0, 64), st.integers(0, 7))
@settings(deadline=None, max_examples=200)
def test_one_flipped_bit_of_the_signature_is_never_valid(position: int, bit: int) -> None:
    raw = bytearray.fromhex(signed(claim())[2:])
    raw[position] ^= 1 << bit
    assert not verify("eip-712", ACCOUNT, json.dumps(claim()), "0x" + raw.hex()).valid


# --- what is refused ---


def at(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        place: Any = record
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return change


def field(kind: str) -> Callable[[dict[str, Any]], None]:
    return at("types", "Claim", 0, "type", value=kind)


NOT_SIGNED: dict[str, Callable[[dict[str, Any]], None]] = {
    "a key beside": at("note", value="As of: 2026-11-22"),
    "a value without a type": at("message", "note", value="As of: 2026-11-22"),
    "a value in a struct without a type": at("message", "owners", 0, "note", value=1),
    "a domain value without a type": at("domain", "salt", value="0x" + "00" * 32),
    "a type nobody uses": at("types", "Digest2026", value=[{"name": "a", "type": "bool"}]),
    "a field with more to say": at("types", "Claim", 0, "note", value="2026"),
}
MALFORMED: dict[str, Callable[[dict[str, Any]], None]] = {
    "a type that is no text": at("types", "Claim", 0, "type", value=1),
    "a struct in itself": at("types", "Owner", 0, "type", value="Claim"),
    "a struct in its own array": at("types", "Owner", 0, "type", value="Owner[]"),
    "a struct without fields": at("types", "Owner", value=[]),
    "a struct that is no list": at("types", "Owner", value={}),
    "two fields of one name": lambda record: (
        record["types"]["Claim"].append({"name": "text", "type": "string"}),
        None,
    )[1],
    "a name that is none": at("types", "Claim", 0, "name", value="text)Evil(bool a"),
    "a struct named like an atom": lambda record: (
        record["types"].update(uint=[{"name": "a", "type": "bool"}]),
        field("uint")(record),
        at("message", "text", value={"a": True})(record),
    )[2],
    "no types": at("types", value={}),
    "no domain type": at("types", "EIP712Domain", value=[]),
    "a domain in another order": lambda record: record["types"]["EIP712Domain"].reverse(),
    "a domain field of another type": at("types", "EIP712Domain", 2, "type", value="uint64"),
    "a domain field of its own": at("types", "EIP712Domain", 0, "name", value="exchange"),
    "a domain in the message": lambda record: (
        field("EIP712Domain")(record),
        at("message", "text", value=record["domain"])(record),
    )[1],
    "the domain as the message": at("primaryType", value="EIP712Domain"),
    "an unknown primary type": at("primaryType", value="Nobody"),
    "a primary type that is none": at("primaryType", value=["Claim"]),
    "too few elements": at("message", "owners", value=[]),
    "too many elements": lambda record: record["message"]["owners"].append(record["message"]["owners"][0]),
    "an object for an array": at("message", "owners", value={}),
    "a struct that is none": at("message", "owners", 0, value=None),
    "a missing value": lambda record: record["message"].pop("raw"),
    "a number for a text": at("message", "text", value=1),
    "null for a text": at("message", "text", value=None),
    "half a letter": at("message", "text", value="\ud800"),
    "a number for bytes": at("message", "raw", value=1),
    "half a byte": at("message", "raw", value="0x0"),
    "a number too big": at("message", "small", value=2**15),
    "a number too small": at("message", "small", value=-(2**15) - 1),
    "a fraction": at("message", "small", value=1.0),
    "a truth for a number": at("message", "small", value=True),
    "a number with a zero in front": at("message", "small", value="07"),
    "a number with a blank": at("message", "small", value=" 7"),
    "a number in other digits": at("message", "small", value="٧"),
    "a hexadecimal number with zeros": at("message", "small", value="0x07"),
    "a negative byte": at("message", "owners", 0, "limits", 0, 0, value=-1),
    "a number for a truth": at("message", "owners", 0, "active", value=1),
    "bytes too short": at("message", "owners", 0, "tag", value="0x010203"),
    "bytes too long": at("message", "owners", 0, "tag", value="0x0102030405"),
    "an address too short": at("message", "owners", 0, "address", value="0x" + "11" * 19),
    "an address with a wrong checksum": at("message", "owners", 0, "address", value="0x" + "aB" * 20),
    "an address as a number": at("message", "owners", 0, "address", value=1),
    "too many types": lambda record: record["types"].update({f"T{n}": [] for n in range(70)}),
    "too many fields": lambda record: record["types"].update(
        Owner=[{"name": f"a{n}", "type": "bool"} for n in range(70)]
    ),
}


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "Nobody",
            "uint",
            "int",
            "uint7",
            "uint0",
            "uint264",
            "uint08",
            "bytes0",
            "bytes33",
            "bytes01",
            "fixed128x18",
        ),
        *(
            "bool[0]",
            "bool[01]",
            "bool[-1]",
            "bool[1",
            "bool]",
            "[]",
            "bool" + "[]" * 9,
            "bool ",
            "Bool",
            "",
            "uint8[][x]",
        ),
    ],
)
def test_a_type_that_the_standard_does_not_know_is_refused(kind: str) -> None:
    record = claim()
    field(kind)(record)
    with pytest.raises(InvalidAnswerError, match="unknown type"):
        ours(record)


def test_the_size_is_bounded() -> None:
    record = claim()
    record["message"]["text"] = "a" * 99_000
    assert ours(record) == theirs(record)
    record["message"]["text"] = "a" * 100_000
    with pytest.raises(InvalidAnswerError, match="bytes"):
        ours(record)


@pytest.mark.parametrize("change", [*NOT_SIGNED, *MALFORMED])
def test_what_is_not_signed_or_not_of_its_type_is_malformed(change: str) -> None:
    record = copy.deepcopy(claim())
    {**NOT_SIGNED, **MALFORMED}[change](record)
    with pytest.raises(InvalidAnswerError):
        ours(record)
    result = verify("eip-712", ACCOUNT, json.dumps(record), signed(claim()))
    assert (result.valid, result.reason) == (False, "malformed-message")


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "1", "{}", "[" * 99_999, '{"types":1,"types":1}', '"' + "a" * 100_000 + '"', "\ud800"]
)
def test_a_text_that_is_no_typed_data_is_malformed(text: str) -> None:
    assert verify("eip-712", ACCOUNT, text, signed(claim())).reason == "malformed-message"


def test_structs_in_structs_are_bounded() -> None:
    def chain_of_structs(depth: int) -> dict[str, Any]:
        types = {f"T{n}": [{"name": "a", "type": f"T{n + 1}" if n < depth else "bool"}] for n in range(depth + 1)}
        message: Any = True
        for _ in range(depth + 1):
            message = {"a": message}
        fields, values = domain(("name",))
        return {"types": {"EIP712Domain": fields, **types}, "primaryType": "T0", "domain": values, "message": message}

    assert ours(chain_of_structs(20)) == theirs(chain_of_structs(20))
    with pytest.raises(InvalidAnswerError):
        ours(chain_of_structs(40))


def test_an_address_may_carry_its_checksum() -> None:
    record = claim()
    record["message"]["owners"][0]["address"] = SIGNER.address
    assert ours(record) == ours(claim())

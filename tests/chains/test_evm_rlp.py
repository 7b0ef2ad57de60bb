"""Ethereum's list encoding, against the rlp package as the second opinion."""

from typing import Any

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import ProofError
from chains.evm.rlp import decode_bytes, decode_list, decode_number, encode_bytes, encode_list, encode_number

STRINGS = st.one_of(st.binary(max_size=4), st.binary(max_size=100), st.binary(min_size=54, max_size=58))
NESTED = st.recursive(STRINGS, lambda inner: st.lists(inner, max_size=5), max_leaves=12)


@given(st.lists(STRINGS, max_size=20))
def test_lists_are_encoded_as_the_rlp_package_does_and_read_back(contents: list[bytes]) -> None:
    encoded = encode_list(contents)
    assert encoded == rlp.encode(contents)
    assert [item.content for item in decode_list(encoded)] == contents


@given(STRINGS)
def test_byte_strings_round_trip(content: bytes) -> None:
    assert decode_bytes(encode_bytes(content)) == content


@given(st.integers(0, 2**256))
def test_numbers_round_trip(number: int) -> None:
    assert decode_number(encode_number(number)) == number


@given(st.lists(NESTED, max_size=5))
def test_inner_lists_keep_their_encoding(contents: list[Any]) -> None:
    items = decode_list(rlp.encode(contents))
    assert [item.encoded for item in items] == [rlp.encode(inner) for inner in contents]


@given(st.binary(max_size=80))
def test_whatever_is_accepted_is_the_one_canonical_encoding(garbage: bytes) -> None:
    try:
        items = decode_list(garbage)
    except ProofError:
        return
    assert garbage[0] >= 0xC0
    assert garbage.endswith(b"".join(item.encoded for item in items))
    for item in items:
        if not item.is_list:
            assert encode_bytes(item.content) == item.encoded


@pytest.mark.parametrize(
    "encoded",
    ["", "80", "c1", "c0c0", "c28100", "c2817f", "f800", "f90001c0", "c2b800", "c3b80180", "ff" + "ff" * 8, "f8"],
)
def test_second_spellings_and_fragments_are_refused(encoded: str) -> None:
    with pytest.raises(ProofError):
        decode_list(bytes.fromhex(encoded))


def test_leading_zeros_are_refused() -> None:
    with pytest.raises(ProofError):
        decode_number(b"\x00\x01")

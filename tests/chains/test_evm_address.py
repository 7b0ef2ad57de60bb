"""Addresses: one spelling inside, a checksum that catches typing errors outside."""

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import IdentifierError
from chains.evm.address import canonical_address, checksum_address

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@given(ADDRESSES)
def test_the_checksum_is_the_one_of_eth_utils(address: str) -> None:
    assert checksum_address(address) == to_checksum_address(address)


@given(ADDRESSES)
def test_every_spelling_has_one_canonical_form(address: str) -> None:
    assert canonical_address(address) == address
    assert canonical_address(checksum_address(address)) == address
    assert canonical_address("0x" + address[2:].upper()) == address


@given(ADDRESSES, st.data())
def test_a_wrong_capital_is_refused_and_the_right_form_named(address: str, data: st.DataObject) -> None:
    right = checksum_address(address)
    letters = [position for position, digit in enumerate(right) if digit.isalpha() and position > 1]
    if not letters:
        return
    where = data.draw(st.sampled_from(letters))
    wrong = right[:where] + right[where].swapcase() + right[where + 1 :]
    if wrong[2:] in (wrong[2:].lower(), wrong[2:].upper()):
        return
    with pytest.raises(IdentifierError, match=right):
        canonical_address(wrong)


@pytest.mark.parametrize(
    "text", ["", "0x", "00" * 20, "0X" + "00" * 20, "0x" + "00" * 19, "0x" + "0g" * 20, "0x" + "00" * 20 + "\n"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_address(text)

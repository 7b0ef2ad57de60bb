"""Contract calls and numbers from nodes, against eth_abi as the second opinion."""

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidAnswerError
from chains.evm import abi
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
CALLS = st.lists(st.binary(max_size=80), max_size=6)
ANSWERS = st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=6)


def test_selectors_are_the_hashes_of_their_signatures() -> None:
    assert keccak256(b"balanceOf(address)")[:4] == abi.BALANCE_OF
    assert keccak256(b"getEthBalance(address)")[:4] == abi.GET_ETH_BALANCE
    assert keccak256(b"aggregate3((address,bool,bytes)[])")[:4] == abi.AGGREGATE3


@given(ADDRESSES)
def test_balance_questions_are_encoded_as_eth_abi_does(address: str) -> None:
    assert abi.balance_of(address) == abi.BALANCE_OF + encode(["address"], [address])
    assert abi.eth_balance(address) == abi.GET_ETH_BALANCE + encode(["address"], [address])


@given(ADDRESSES, CALLS)
def test_aggregates_are_encoded_as_eth_abi_does(target: str, calls: list[bytes]) -> None:
    expected = encode(["(address,bool,bytes)[]"], [[(target, True, call) for call in calls]])
    assert abi.aggregate3(target, calls) == abi.AGGREGATE3 + expected


@given(ANSWERS)
def test_aggregated_answers_are_decoded_as_eth_abi_encodes_them(answers: list[tuple[bool, bytes]]) -> None:
    encoded = hexadecimal(encode(["(bool,bytes)[]"], [answers]))
    expected = [returned if success else None for success, returned in answers]
    assert abi.decode_aggregate3(encoded, len(answers)) == expected
    with pytest.raises(InvalidAnswerError):
        abi.decode_aggregate3(encoded, len(answers) + 1)


@given(st.binary(max_size=400), st.integers(0, 5))
def test_garbage_never_raises_anything_but_our_error(garbage: bytes, expected: int) -> None:
    try:
        parts = abi.decode_aggregate3(hexadecimal(garbage), expected)
    except InvalidAnswerError:
        return
    assert len(parts) == expected


@given(ANSWERS, st.data())
def test_a_truncated_aggregate_is_refused(answers: list[tuple[bool, bytes]], draw: st.DataObject) -> None:
    encoded = encode(["(bool,bytes)[]"], [answers])
    words = draw.draw(st.integers(0, len(encoded) // 32 - 1))
    if answers:
        kept = encoded[: 32 * words]
        try:
            parts = abi.decode_aggregate3(hexadecimal(kept), len(answers))
        except InvalidAnswerError:
            return
        assert all(part in (b"", None) or part in kept for part in parts)


def test_a_number_has_exactly_thirty_two_bytes() -> None:
    assert abi.decode_uint256((2**256 - 1).to_bytes(32)) == 2**256 - 1
    for size in (0, 31, 33, 64):
        with pytest.raises(InvalidAnswerError):
            abi.decode_uint256(bytes(size))


@given(st.integers(0, 2**256 - 1))
def test_quantities_round_trip(number: int) -> None:
    assert quantity(hex(number), "n") == number


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        True,
        1.5,
        [],
        {},
        "",
        "0x",
        "5",
        "0X5",
        "-0x5",
        "0x-5",
        "0x5 ",
        " 0x5",
        "0x5\n",
        "0x1_0",
        "0xg",
        "0x" + "f" * 65,
        "0x５",
    ],
)
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(InvalidAnswerError, match="n is"):
        quantity(value, "n")


@pytest.mark.parametrize("value", [None, 5, "", "00", "0x0", "0xzz", "0x00\n", ["0x00"]])
def test_what_is_no_data_is_refused(value: object) -> None:
    with pytest.raises(InvalidAnswerError, match="d is"):
        data(value, "d")


def test_data_of_another_length_is_refused() -> None:
    assert data("0xAB", "d", 1) == b"\xab"
    with pytest.raises(InvalidAnswerError, match="d has 1 bytes; expected 2"):
        data("0xab", "d", 2)

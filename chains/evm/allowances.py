"""What others may take of an account's tokens, and what it owes: the amounts that token contracts name."""

from typing import Any

from chains.errors import InvalidAnswerError
from chains.evm.abi import balance_of
from chains.evm.address import canonical_address
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.keccak import keccak256
from chains.evm.steps import Calls, Steps, result_of
from chains.evm.upgrade import Told

# The same on every network. Source: Uniswap, Permit2 deployments.
PERMIT2 = "0x000000000022d473030f116ddee9f6b43ac78ba3"
_WORD = 32


def selector(form: str) -> bytes:
    """Return the four bytes that name a function. Source: Solidity contract ABI specification."""
    return keccak256(form.encode())[:4]


def address_word(address: str) -> bytes:
    """Encode an address as a call's argument."""
    return bytes(12) + bytes.fromhex(canonical_address(address)[2:])


ALLOWANCE, PERMITTED = selector("allowance(address,address)"), selector("allowance(address,address,address)")


def call_of(contract: str, asked: bytes, pin: Any) -> Calls:
    """Return the one call that asks a contract at a block."""
    return [("eth_call", [{"to": canonical_address(contract), "data": hexadecimal(asked)}, pin])]


def allowance_steps(owner: str, token: str, spender: str, pin: Any) -> Steps[Told]:
    """Ask how many base units of a token a spender may take from its owner. Source: EIP-20."""
    (word,) = yield from _words(token, ALLOWANCE + address_word(owner) + address_word(spender), 1, pin)
    return Told(str(word))


def permitted_steps(owner: str, token: str, spender: str, pin: Any) -> Steps[Told]:
    """Ask how many base units a spender may take through Permit2, and until when (Unix time).

    Never more than what the owner allows Permit2 itself. Source: Permit2, AllowanceTransfer.
    """
    asked = PERMITTED + address_word(owner) + address_word(token) + address_word(spender)
    units, until, _ = yield from _words(PERMIT2, asked, 3, pin)
    return Told(f"{units} until {until}")


def debt_steps(owner: str, token: str, pin: Any) -> Steps[Told]:
    """Ask how many base units of a token that stands for a debt an account has."""
    (word,) = yield from _words(token, balance_of(canonical_address(owner)), 1, pin)
    return Told(str(word))


def _words(contract: str, asked: bytes, count: int, pin: Any) -> Steps[list[int]]:
    (told,) = yield call_of(contract, asked, pin)
    returned = data(result_of(told), "an amount")
    if len(returned) != count * _WORD:
        raise InvalidAnswerError(f"{contract} answered {len(returned)} bytes; expected {count * _WORD}")
    return [int.from_bytes(returned[start : start + _WORD]) for start in range(0, len(returned), _WORD)]

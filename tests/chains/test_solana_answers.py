"""A Solana node that lies, errs or answers in another form yields a failure, never a number of its own."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from chains.errors import InvalidAnswerError
from chains.solana.reader import SolanaReader
from tests.chains.solana_cases import (  # noqa: F401 -- fixtures are found by their names
    LOTS,
    OTHER,
    USER,
    chain_of_a_user,
    held,
    mint_of_the_chain,
    reader_of_the_chain,
    spend,
)
from tests.live.litesvm import FEE, LiteChain, Refusal, TokenMint, keypair

Lie = Callable[[Any], Any]


def inside(*path: str | int) -> Callable[[Lie], Lie]:
    """Return a change of one field deep inside an answer."""

    def at(change: Lie) -> Lie:
        def lie(result: Any) -> Any:
            here = result.copy()
            here[path[0]] = inside(*path[1:])(change)(here[path[0]]) if len(path) > 1 else change(here[path[0]])
            return here

        return lie

    return at


def patched(start: int, new: bytes) -> Lie:
    def lie(data: list[str]) -> list[str]:
        raw = base64.b64decode(data[0])
        return [base64.b64encode(raw[:start] + new + raw[start + len(new) :]).decode(), "base64"]

    return lie


ACCOUNT = inside("value", 0)
TOKEN_DATA = inside("value", 0, "account", "data")
META = inside("meta")
LIES: dict[str, tuple[str, Lie]] = {
    "an earlier slot": ("getMultipleAccounts", inside("context", "slot")(lambda slot: slot - 2)),
    "no context": ("getMultipleAccounts", lambda result: {"value": result["value"]}),
    "no list": ("getMultipleAccounts", inside("value")(lambda _: None)),
    "an account less": ("getMultipleAccounts", inside("value")(lambda value: value[1:])),
    "an account more": ("getMultipleAccounts", inside("value")(lambda value: [*value, None])),
    "one lamport more": ("getMultipleAccounts", inside("value", 0, "lamports")(lambda units: units + 1)),
    "too many lamports": ("getMultipleAccounts", inside("value", 0, "lamports")(lambda _: 2**64)),
    "lamports as text": ("getMultipleAccounts", inside("value", 0, "lamports")(str)),
    "no account": ("getMultipleAccounts", ACCOUNT(lambda _: None)),
    "no account but a word": ("getMultipleAccounts", ACCOUNT(lambda _: "none")),
    "an empty history": ("getSignaturesForAddress", lambda _: []),
    "a history in the wrong order": ("getSignaturesForAddress", lambda result: result[::-1]),
    "a history that repeats itself": ("getSignaturesForAddress", lambda result: result[:1] * 2),
    "a history without its newest entry": ("getSignaturesForAddress", lambda result: result[1:]),
    "a history without the entry before": ("getSignaturesForAddress", lambda result: result[:1] + result[2:]),
    "a history without slots": ("getSignaturesForAddress", inside(0, "slot")(lambda _: None)),
    "a history in another slot": ("getSignaturesForAddress", inside(0, "slot")(lambda slot: slot - 1)),
    "a history without signatures": ("getSignaturesForAddress", inside(0, "signature")(lambda _: "abc")),
    "too long a history": ("getSignaturesForAddress", lambda result: result * 500),
    "a missing transaction": ("getTransaction", lambda _: None),
    "another transaction": ("getTransaction", inside("transaction", "signatures")(lambda _: ["1" * 64])),
    "a transaction without meta": ("getTransaction", META(lambda _: None)),
    "a transaction of others": (
        "getTransaction",
        inside("transaction", "message", "accountKeys", 0)(lambda _: str(CUT)),
    ),
    "an account twice": ("getTransaction", inside("transaction", "message", "accountKeys")(lambda keys: keys[:1] * 3)),
    "too few balances": ("getTransaction", inside("meta", "postBalances")(lambda row: row[1:])),
    "another balance left": ("getTransaction", inside("meta", "postBalances", 0)(lambda units: units + 1)),
    "another balance met": ("getTransaction", inside("meta", "preBalances", 0)(lambda units: units + 1)),
    "a negative balance": ("getTransaction", inside("meta", "preBalances", 0)(lambda _: -1)),
    "another mint": ("getTokenAccountsByOwner", TOKEN_DATA(patched(0, bytes(32)))),
    "another owner": ("getTokenAccountsByOwner", TOKEN_DATA(patched(32, bytes(32)))),
    "another amount": ("getTokenAccountsByOwner", TOKEN_DATA(patched(64, b"\xff" * 8))),
    "short data": ("getTokenAccountsByOwner", TOKEN_DATA(lambda data: [data[0][:120], "base64"])),
    "no base64": ("getTokenAccountsByOwner", TOKEN_DATA(lambda data: ["*" + data[0][1:], "base64"])),
    "another encoding": ("getTokenAccountsByOwner", TOKEN_DATA(lambda data: {"parsed": {}})),
    "another program": ("getTokenAccountsByOwner", inside("value", 0, "account", "owner")(lambda _: str(CUT))),
    "a token account twice": ("getTokenAccountsByOwner", inside("value")(lambda value: value * 2)),
    "a token account less": ("getTokenAccountsByOwner", inside("value")(lambda _: [])),
    "an earlier slot for tokens": ("getTokenAccountsByOwner", inside("context", "slot")(lambda slot: slot - 2)),
    "tokens beyond a mint": (
        "getTransaction",
        inside("meta", "postTokenBalances", 0, "uiTokenAmount", "amount")(lambda _: str(2**64)),
    ),
    "tokens as numbers": (
        "getTransaction",
        inside("meta", "postTokenBalances", 0, "uiTokenAmount", "amount")(lambda _: 5),
    ),
    "tokens of no account": ("getTransaction", inside("meta", "postTokenBalances", 0, "accountIndex")(lambda _: 99)),
    "tokens of no mint": ("getTransaction", inside("meta", "postTokenBalances", 0, "mint")(lambda _: None)),
    "no tokens noted": ("getTransaction", inside("meta", "postTokenBalances")(lambda _: [])),
    "tokens of another owner": ("getTransaction", inside("meta", "postTokenBalances", 0, "owner")(lambda _: str(CUT))),
    "another block": ("getBlock", inside("blockhash")(lambda _: str(CUT))),
    "no block": ("getBlock", lambda _: None),
}
CUT = keypair("someone else").pubkey()


def test_an_answer_that_is_untrue_or_malformed_is_a_failure_for_whom_it_concerns(
    chain: LiteChain, reader: SolanaReader, mint: TokenMint
) -> None:
    """One story with transfers on both sides of the slot: told truly it gives numbers, with any lie none of its own."""
    mine, theirs = mint.open(USER.pubkey(), 500), mint.open(OTHER.pubkey())
    chain.send([mint.move(mine, theirs, USER.pubkey(), 1)], USER)
    block = reader.block_at(chain.close())
    chain.send([mint.move(mine, theirs, USER.pubkey(), 2)], USER)
    chain.close()
    holdings = [held(USER.pubkey()), held(USER.pubkey(), mint.asset)]
    truth = [LOTS - FEE, 499]
    assert [one.units for one in reader.read_balances(block, holdings)] == truth
    unnoticed = []
    for name, (liar, lie) in LIES.items():
        chain.lie = lambda method, _, result, liar=liar, lie=lie: lie(result) if method == liar else result  # type: ignore[misc]
        readings = reader.read_balances(block, holdings)
        assert all(reading.units in (None, right) for reading, right in zip(readings, truth, strict=True)), name
        assert all(reading.failure.startswith("local-svm/") for reading in readings if reading.units is None), name
        if all(reading.units is not None for reading in readings):
            unnoticed.append(name)
    assert unnoticed == []


def test_a_history_out_of_order_is_refused_also_where_it_changes_no_number(
    chain: LiteChain, reader: SolanaReader
) -> None:
    for _ in range(3):
        spend(chain)
        chain.close()
    block = reader.final_block()
    chain.lie = lambda method, _, result: [*result[:2], *result[:1:-1]] if "Signatures" in method else result
    (reading,) = reader.read_balances(block, [held(USER.pubkey())])
    assert "not in order" in reading.failure


def test_an_answer_from_before_the_pinned_slot_is_refused_also_where_nothing_changed(
    chain: LiteChain, reader: SolanaReader
) -> None:
    for _ in range(3):
        chain.close()
    block = reader.final_block()
    chain.lie = lambda method, _, result: (
        inside("context", "slot")(lambda slot: slot - 1)(result) if (method == "getMultipleAccounts") else result
    )
    (reading,) = reader.read_balances(block, [held(USER.pubkey())])
    assert "before the pinned slot" in reading.failure


@pytest.mark.parametrize("method", ["getMultipleAccounts", "getSignaturesForAddress", "getTransaction", "getBlock"])
def test_a_refusal_at_any_step_is_a_failure_in_the_nodes_words(
    chain: LiteChain, reader: SolanaReader, method: str
) -> None:
    block = reader.final_block()

    def refuse(asked: str, parameters: list[Any], result: Any) -> Any:
        if asked == method:
            raise Refusal(-32011, "Transaction history is not available from this node")
        return result

    chain.lie = refuse
    (reading,) = reader.read_balances(block, [held(USER.pubkey())])
    assert reading.units is None
    assert "not available from this node" in reading.failure


@pytest.mark.parametrize(
    "change", [{"blockhash": "x"}, {"blockhash": None}, {"blockTime": None}, {"blockTime": "5"}, {"parentSlot": 10**9}]
)
def test_a_malformed_block_is_an_error(chain: LiteChain, reader: SolanaReader, change: dict[str, Any]) -> None:
    chain.lie = lambda method, _, result: result | change if method == "getBlock" else result
    with pytest.raises(InvalidAnswerError):
        reader.final_block()


@pytest.mark.parametrize("answer", [None, 5, "", "EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "0" * 44, {}])
def test_a_genesis_hash_that_is_none_is_an_error(chain: LiteChain, reader: SolanaReader, answer: Any) -> None:
    chain.lie = lambda method, _, result: answer
    with pytest.raises(InvalidAnswerError):
        reader.chain()


@pytest.mark.parametrize("answer", [None, -1, "7", True, {}])
def test_a_newest_slot_that_is_no_number_is_an_error(chain: LiteChain, reader: SolanaReader, answer: Any) -> None:
    chain.lie = lambda method, _, result: answer
    with pytest.raises(InvalidAnswerError):
        reader.final_block()

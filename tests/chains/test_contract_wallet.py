"""A contract's own word on signatures and owners is read exactly, and told apart from a node that cannot say."""

from collections.abc import Iterator
from typing import Any

import pytest

from chains.errors import ChainError, IdentifierError, InvalidAnswerError, ProofError, ProviderError
from chains.evm.header import Header
from chains.evm.keccak import keccak256
from chains.evm.proving import prove_header
from chains.evm.safe.account_code import CodeKind, code_of, proven_code
from chains.evm.state_proof import ABSENT
from chains.http import HttpTransport, Limits
from chains.ids import AccountId, account_id
from chains.jsonrpc import Answer, JsonRpc
from chains.providers import Provider
from chains.signatures.contract_wallet import (
    IS_VALID_SIGNATURE,
    MAX_SIGNATURE_BYTES,
    OWNER,
    ask_is_valid_signature,
    prove_owner,
    read_owner,
)
from tests.live.anvil import CHAIN, Anvil, running_anvil

pytestmark = pytest.mark.real_anvil

CONTRACT = "0x" + "5c" * 20
ACCOUNT = account_id(f"{CHAIN}:{CONTRACT}")
NAMED = "0x" + "0b" * 20


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with running_anvil() as node:
        yield node


@pytest.fixture(scope="module")
def rpc(anvil: Anvil) -> JsonRpc:
    return JsonRpc(HttpTransport(Limits(tries=1)), Provider("reverting", CHAIN, "json-rpc", (), anvil.url))


def returning(word: bytes, length: int = 32) -> str:
    """Code that answers every call with the first bytes of a word."""
    return "0x7f" + word.ljust(32, b"\0").hex() + "5f5260" + f"{length:02x}" + "5ff3"


def put(anvil: Anvil, code: str, slots: dict[int, int] | None = None, address: str = CONTRACT) -> Any:
    """Place code at an address and return the block parameter of the block that has it."""
    anvil.rpc("evm_mine")  # what is set changes the state of the tip, which a test may have pinned
    anvil.rpc("anvil_setCode", address, code)
    for slot, value in (slots or {}).items():
        anvil.rpc("anvil_setStorageAt", address, f"0x{slot:064x}", f"0x{value:064x}")
    anvil.rpc("evm_mine")
    return {"blockHash": anvil.rpc("eth_getBlockByNumber", "latest", False)["hash"], "requireCanonical": True}


def test_the_selectors_are_those_of_the_standards() -> None:
    assert keccak256(b"isValidSignature(bytes32,bytes)")[:4] == IS_VALID_SIGNATURE
    assert keccak256(b"owner()")[:4] == OWNER


# --- EIP-1271 ---


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (returning(IS_VALID_SIGNATURE), "signed"),
        (returning(IS_VALID_SIGNATURE, 64), "not-signed"),
        (returning(IS_VALID_SIGNATURE + b"\1"), "not-signed"),
        (returning(IS_VALID_SIGNATURE.rjust(32, b"\0")), "not-signed"),
        (returning(b"\1".rjust(32, b"\0")), "not-signed"),
        (returning(bytes(32)), "not-signed"),
        (returning(bytes.fromhex("20c13b0b")), "not-signed"),
        (returning(IS_VALID_SIGNATURE, 4), "short-answer"),
        (returning(IS_VALID_SIGNATURE, 31), "short-answer"),
        ("0x00", "short-answer"),
        ("0x5f5ffd", "reverted"),
        ("0x", "no-contract"),
        ("0xef0100" + "11" * 20, "delegated"),
    ],
)
def test_only_the_exact_word_is_acceptance(anvil: Anvil, rpc: JsonRpc, code: str, reason: str) -> None:
    asked = ask_is_valid_signature(rpc, ACCOUNT, bytes(32), b"any", put(anvil, code))
    assert (asked.result.valid, asked.result.reason) == (reason == "signed", reason)
    assert asked.result.signer == (ACCOUNT if reason == "signed" else None)
    assert len(asked.evidence) == (1 if reason in ("no-contract", "delegated") else 2)


def test_the_contract_is_given_digest_and_signature(anvil: Anvil, rpc: JsonRpc) -> None:
    """Code that hashes all it was called with, and accepts one call alone."""
    signature = bytes(range(65))
    called = IS_VALID_SIGNATURE + b"\7" * 32 + (64).to_bytes(32) + (65).to_bytes(32) + signature + bytes(31)
    # CALLDATACOPY all to 0, KECCAK256, EQ expected, times the magic word
    expected = keccak256(called).hex()
    code = f"0x365f5f37365f207f{expected}14" + f"63{IS_VALID_SIGNATURE.hex()}60e01b025f5260205ff3"
    pin = put(anvil, code)
    for digest, given, valid in (
        (b"\7" * 32, signature, True),
        (b"\7" * 32, signature[:-1], False),
        (b"\7" * 32, signature + b"\0", False),
        (b"\6" * 32, signature, False),
    ):
        assert ask_is_valid_signature(rpc, ACCOUNT, digest, given, pin).result.valid is valid


def test_a_contract_is_asked_at_the_block_that_was_pinned(anvil: Anvil, rpc: JsonRpc) -> None:
    # Answers with what its first slot holds.
    before = put(anvil, "0x5f545f5260205ff3", {0: int.from_bytes(IS_VALID_SIGNATURE.ljust(32, b"\0"))})
    after = put(anvil, "0x5f545f5260205ff3", {0: 0})
    assert ask_is_valid_signature(rpc, ACCOUNT, bytes(32), b"", before).result.reason == "signed"
    assert ask_is_valid_signature(rpc, ACCOUNT, bytes(32), b"", after).result.reason == "not-signed"


def test_a_node_that_cannot_say_is_no_verdict(anvil: Anvil, rpc: JsonRpc) -> None:
    put(anvil, returning(IS_VALID_SIGNATURE))
    with pytest.raises(ProviderError):
        ask_is_valid_signature(rpc, ACCOUNT, bytes(32), b"", {"blockHash": "0x" + "11" * 32})
    put(anvil, "0xfe")  # an invalid instruction burns all gas and is no revert
    with pytest.raises(ProviderError):
        ask_is_valid_signature(rpc, ACCOUNT, bytes(32), b"", "latest")


class Answering:
    """A node that answers `eth_call` with one error."""

    def __init__(self, rpc: JsonRpc, error: ProviderError) -> None:
        self._rpc, self._error = rpc, error

    def ask(self, method: str, *parameters: Any) -> Answer:
        return Answer(None, "evidence", self._error) if method == "eth_call" else self._rpc.ask(method, *parameters)


@pytest.mark.parametrize(
    ("message", "code", "reverts"),
    [
        ("p: execution reverted (code 3)", 3, True),
        ("p: execution reverted: GS026 (code -32000)", -32000, True),
        ("p: VM Exception while processing transaction: revert (code -32000)", -32000, True),
        ("p: header not found (code -32000)", -32000, False),
        ("p: rate limit (code 429)", 429, False),
        ("execution reverted: missing trie node (code -32000)", -32000, False),
    ],
)
def test_a_revert_is_told_from_a_failure(anvil: Anvil, rpc: JsonRpc, message: str, code: int, reverts: bool) -> None:
    put(anvil, "0x00")
    node: Any = Answering(rpc, ProviderError(message, code))
    if reverts:
        assert ask_is_valid_signature(node, ACCOUNT, bytes(32), b"", "latest").result.reason == "reverted"
        assert read_owner(node, CONTRACT, "latest").failure == "reverted"
    else:
        for ask in (
            lambda: ask_is_valid_signature(node, ACCOUNT, bytes(32), b"", "latest"),
            lambda: read_owner(node, CONTRACT, "latest"),
        ):
            with pytest.raises(ProviderError):
                ask()


def test_questions_that_make_no_sense_are_refused(rpc: JsonRpc) -> None:
    with pytest.raises(IdentifierError):
        ask_is_valid_signature(rpc, AccountId("tron:728126428:TXYZ"), bytes(32), b"", "latest")
    with pytest.raises(IdentifierError):
        ask_is_valid_signature(rpc, ACCOUNT, bytes(31), b"", "latest")
    long = bytes(MAX_SIGNATURE_BYTES + 1)
    assert ask_is_valid_signature(rpc, ACCOUNT, bytes(32), long, "latest").result.reason == "malformed-signature"


# --- code ---


def test_code_is_told_apart() -> None:
    delegate = "0x" + "11" * 20
    assert code_of(b"").kind is CodeKind.NONE
    assert code_of(bytes.fromhex("ef0100" + "11" * 20)) == (
        CodeKind.DELEGATED,
        keccak256(bytes.fromhex("ef0100" + "11" * 20)),
        delegate,
    )
    for code in ("ef0100" + "11" * 19, "ef0100" + "11" * 21, "ef0101" + "11" * 20, "00"):
        assert code_of(bytes.fromhex(code)).kind is CodeKind.CONTRACT
    assert proven_code(ABSENT, b"").kind is CodeKind.NONE
    with pytest.raises(ProofError):
        proven_code(ABSENT, b"\0")


# --- EIP-173 ---

MASKED = "0x5f5473" + "ff" * 20 + "165f5260205ff3"  # the first slot, all but the low 20 bytes cut off
WHOLE = "0x5f545f5260205ff3"  # the first slot as it is
SUM = "0x5f54600154015f5260205ff3"  # the sum of two slots
OTHER = "0x60015f5260205ff3"  # no storage at all
PAUSED = 1 << 160


def header_of(rpc: JsonRpc, pin: Any) -> Header:
    return prove_header(rpc, pin["blockHash"])[0]


@pytest.mark.parametrize(
    ("code", "word"), [(MASKED, int(NAMED, 16)), (MASKED, int(NAMED, 16) | PAUSED), (WHOLE, int(NAMED, 16))]
)
def test_an_owner_is_read_and_proven(anvil: Anvil, rpc: JsonRpc, code: str, word: int) -> None:
    pin = put(anvil, code, {0: word})
    read = read_owner(rpc, CONTRACT, pin)
    assert (read.owner, read.failure, read.proven) == (NAMED, "", False)
    proven = prove_owner(rpc, header_of(rpc, pin), CONTRACT, pin)
    assert (proven.owner, proven.failure, proven.proven) == (NAMED, "", True)
    assert len(proven.evidence) >= 3


def test_an_owner_who_renounced_is_nobody(anvil: Anvil, rpc: JsonRpc) -> None:
    renounced = "0x" + "5d" * 20
    pin = put(anvil, MASKED, address=renounced)
    proven = prove_owner(rpc, header_of(rpc, pin), renounced, pin)
    assert (proven.owner, proven.proven) == ("0x" + "00" * 20, True)
    assert read_owner(rpc, renounced, pin).owner == proven.owner


@pytest.mark.parametrize(("code", "slots"), [(SUM, {0: 5, 1: 6}), (OTHER, {}), (WHOLE, {0: PAUSED | 5})])
def test_an_owner_that_no_slot_alone_decides_is_not_proven(
    anvil: Anvil, rpc: JsonRpc, code: str, slots: dict[int, int]
) -> None:
    pin = put(anvil, code, {0: 7, 1: 8} | slots)
    proven = prove_owner(rpc, header_of(rpc, pin), CONTRACT, pin)
    assert (proven.owner, proven.proven) == (None, False)
    assert "no storage slot" in proven.failure


@pytest.mark.parametrize(("code", "failure"), [("0x5f5ffd", "reverted"), ("0x00", "owner() answered no address")])
def test_a_contract_without_an_owner_is_a_failure(anvil: Anvil, rpc: JsonRpc, code: str, failure: str) -> None:
    found = read_owner(rpc, CONTRACT, put(anvil, code))
    assert (found.owner, found.failure) == (None, failure)


def test_an_answer_that_is_more_than_an_address_is_none(anvil: Anvil, rpc: JsonRpc) -> None:
    assert read_owner(rpc, CONTRACT, put(anvil, WHOLE, {0: PAUSED | 5})).owner is None


def test_a_proof_under_another_root_shows_no_owner(anvil: Anvil, rpc: JsonRpc) -> None:
    pin = put(anvil, MASKED, {0: int(NAMED, 16)})
    header = header_of(rpc, pin)
    put(anvil, MASKED, {0: 9})
    with pytest.raises(ChainError):
        prove_owner(rpc, header, CONTRACT, "latest")


class Listing:
    """A node whose access list has another form."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def ask(self, method: str, *parameters: Any) -> Answer:
        return Answer(self._answer, "evidence")


@pytest.mark.parametrize(
    "answer", [None, {}, {"accessList": 1}, {"accessList": [{"address": CONTRACT, "storageKeys": [1]}]}]
)
def test_a_malformed_access_list_is_an_invalid_answer(answer: Any) -> None:
    node: Any = Listing(answer)
    with pytest.raises(InvalidAnswerError):
        prove_owner(node, Header("0x", 1, 1, bytes(32)), CONTRACT, "latest")

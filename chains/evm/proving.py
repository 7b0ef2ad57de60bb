"""Prove balances against a block's hash: header, account proof and, for tokens, the storage slot of the balance."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chains.errors import ChainError, IdentifierError, InvalidAnswerError, ProofError
from chains.evm.abi import balance_of, decode_uint256
from chains.evm.address import canonical_address
from chains.evm.header import Header, verify_header
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.keccak import keccak256
from chains.evm.state_proof import verify_proof
from chains.jsonrpc import JsonRpc

BASES = 64
SLOTS_PER_PROOF = 64
# Two values that a packed, scaled or rebasing balance cannot both give back unchanged.
_TRIED = (777, 2**100 + 12_345)


class Layout(NamedTuple):
    """Where a token keeps balances: the mapping at `base`, hashed in Solidity's order or in Vyper's."""

    base: int
    vyper: bool = False

    def slot(self, holder: str) -> int:
        """Return the storage slot of a holder's balance. Source: Solidity, layout of state variables in storage."""
        words = [bytes(12) + bytes.fromhex(canonical_address(holder)[2:]), self.base.to_bytes(32)]
        return int.from_bytes(keccak256(b"".join(reversed(words) if self.vyper else words)))


class Proof(NamedTuple):
    """What a proof says of one question: base units, or why there is no proof, and the evidence for either."""

    units: int | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


class Question(NamedTuple):
    """Whose balance of what: `token` is an ERC-20 contract, None for the native coin."""

    address: str
    token: str | None


def prove_balances(
    rpc: JsonRpc, block_hash: str, pin: Any, questions: Sequence[Question | None], size: int
) -> list[Proof]:
    """Prove what can be proven against a block's hash; one Proof for each question, in order, `size` per request."""
    outcomes: dict[int, Proof] = {}
    by_token: dict[str | None, list[tuple[int, str]]] = {}
    for position, question in enumerate(questions):
        if question is not None:
            by_token.setdefault(question.token, []).append((position, question.address))
    try:
        header, evidence = prove_header(rpc, block_hash)
    except ChainError as error:
        return [Proof(None, (), str(error))] * len(questions)
    for token, asked in by_token.items():
        addresses = [address for _, address in asked]
        try:
            if token is None:
                proofs = list(prove_coins(rpc, header, pin, addresses, size))
            else:
                layout, cause = find_layout(rpc, token, addresses[0], pin)
                proofs = list(prove_tokens(rpc, header, pin, token, layout, addresses, size))
                proofs = [proof._replace(evidence=(*cause, *proof.evidence)) for proof in proofs]
        except ChainError as error:
            proofs = [Proof(None, (), str(error))] * len(asked)
        for (position, _), proof in zip(asked, proofs, strict=True):
            outcomes[position] = proof._replace(evidence=(evidence, *proof.evidence))
    return [outcomes.get(position, Proof(None, (), "no such balance here")) for position in range(len(questions))]


def prove_header(rpc: JsonRpc, block_hash: str) -> tuple[Header, str]:
    """Ask for a block's header, recompute its hash, and return what it binds with the evidence. Raises ChainError."""
    answer = rpc.call("eth_getBlockByHash", block_hash, False)
    if not isinstance(answer.result, dict):
        raise InvalidAnswerError(f"no block {block_hash}")
    return verify_header(answer.result, block_hash), answer.evidence


def prove_coins(rpc: JsonRpc, header: Header, pin: Any, addresses: Sequence[str], size: int) -> Iterator[Proof]:
    """Prove native balances under a header's state root, one Proof for each address."""
    calls: list[tuple[str, Sequence[Any]]] = [("eth_getProof", [address, [], pin]) for address in addresses]
    for address, answer in zip(addresses, rpc.batch(calls, size), strict=True):
        if answer.error:
            yield Proof(None, (answer.evidence,), str(answer.error))
            continue
        try:
            proven = verify_proof(header.state_root, address, _record(answer.result))
        except ProofError as error:
            yield Proof(None, (answer.evidence,), f"{address}: {error}")
            continue
        yield Proof(proven.state.balance, (answer.evidence,))


def prove_tokens(
    rpc: JsonRpc, header: Header, pin: Any, token: str, layout: Layout, holders: Sequence[str], size: int
) -> Iterator[Proof]:
    """Prove token balances by their storage slots under a header's state root, one Proof for each holder."""
    parts = [holders[start : start + SLOTS_PER_PROOF] for start in range(0, len(holders), SLOTS_PER_PROOF)]
    calls: list[tuple[str, Sequence[Any]]] = [
        ("eth_getProof", [token, [f"0x{layout.slot(holder):064x}" for holder in part], pin]) for part in parts
    ]
    for part, answer in zip(parts, rpc.batch(calls, size), strict=True):
        evidence = (answer.evidence,)
        try:
            if answer.error:
                raise answer.error
            storage: Mapping[int, int] = verify_proof(header.state_root, token, _record(answer.result)).storage
        except ChainError as error:
            yield from (Proof(None, evidence, str(error)) for _ in part)
            continue
        for holder in part:
            units = storage.get(layout.slot(holder))
            yield Proof(units, evidence, "" if units is not None else f"{token}: the proof lacks the slot of {holder}")


def find_layout(rpc: JsonRpc, token: str, holder: str, pin: Any) -> tuple[Layout, tuple[str, ...]]:
    """Find where a token keeps balances: by cause, not by guess; return it with the evidence.

    The node lists the slots that `balanceOf(holder)` reads; a slot is the balance when overriding it with two odd
    values makes `balanceOf` return just these. So tokens that scale, pack or rebase balances are refused. Raises
    ChainError when no slot is the cause, or none of the first 64 mappings explains it.
    """
    call = {"to": token, "data": hexadecimal(balance_of(holder))}
    listed = rpc.call("eth_createAccessList", call, pin)
    evidence = [listed.evidence]
    slots = _slots(listed.result, token)
    for slot in slots:
        answers = list(rpc.batch([("eth_call", [call, pin, {token: _overriding(slot, tried)}]) for tried in _TRIED]))
        evidence += [answer.evidence for answer in answers]
        returned = [_returned(answer.result) for answer in answers if not answer.error]
        if returned == list(_TRIED):
            return _explain(token, holder, slot), tuple(evidence)
    raise ProofError(f"{token}: no storage slot alone decides a balance; it is scaled, packed or kept elsewhere")


def _explain(token: str, holder: str, slot: int) -> Layout:
    for base in range(BASES):
        for vyper in (False, True):
            if Layout(base, vyper).slot(holder) == slot:
                return Layout(base, vyper)
    raise ProofError(f"{token}: the balance's slot is none of the first {BASES} mappings")


def _slots(result: Any, token: str) -> list[int]:
    entries = result.get("accessList") if isinstance(result, dict) else None
    if not isinstance(entries, list):
        raise InvalidAnswerError("eth_createAccessList answered no list")
    found = []
    for entry in entries[:BASES]:
        try:
            if isinstance(entry, dict) and canonical_address(str(entry.get("address"))) == token:
                keys = entry.get("storageKeys")
                found += [int.from_bytes(data(key, "a storage key", 32)) for key in keys or []][:BASES]
        except IdentifierError as error:
            raise InvalidAnswerError(f"eth_createAccessList: {error}") from error
    return found


def _overriding(slot: int, value: int) -> dict[str, Any]:
    return {"stateDiff": {f"0x{slot:064x}": f"0x{value:064x}"}}


def _returned(result: Any) -> int | None:
    try:
        return decode_uint256(data(result, "balanceOf"))
    except InvalidAnswerError:
        return None


def _record(result: Any) -> Mapping[str, Any]:
    if not isinstance(result, dict):
        raise ProofError("eth_getProof answered no object")
    return result

"""Take a Safe's state from a node, with the proofs that make it checkable later without that node."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError, ProofError
from chains.evm.address import canonical_address
from chains.evm.header import verify_header
from chains.evm.hexadecimal import data, hexadecimal, quantity
from chains.evm.keccak import keccak256
from chains.evm.safe.contracts import known_contracts
from chains.evm.safe.record import BLOCK_KEYS, FORMAT, PROOF_KEYS, SLOT_KEYS, derive, summary_of
from chains.evm.safe.storage import MODULES, OWNERS, SINGLETON, follow, needed_slots, text_of
from chains.evm.steps import Call, Steps, result_of, walk_alone
from chains.ids import AccountId, address_of, chain_of
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef


class CapturedSafe(NamedTuple):
    """A record that `prove_safe` accepts under its block's state root, and the evidence it was made from."""

    record: dict[str, Any]
    evidence: tuple[str, ...]


def capture_safe(rpc: JsonRpc, block: BlockRef, account: AccountId, pin: Any = None) -> CapturedSafe:
    """Ask a node for the proofs of a Safe's state at a block and return them as a record (JSON values).

    `pin` names the block in calls, by hash unless given. Raises as `safe_steps`.
    """
    pinned = pin if pin is not None else {"blockHash": block.hash, "requireCanonical": True}
    return CapturedSafe(*walk_alone(rpc, safe_steps(block, account, pinned)))


def safe_steps(block: BlockRef, account: AccountId, pin: Any) -> Steps[dict[str, Any]]:
    """Ask for a Safe's state and its proofs; what is no Safe is recorded too, with the proof of it.

    The node's word decides only which slots are asked for; the record is checked before it is returned. Raises
    ProofError when the node's proofs do not hold, ProviderError or InvalidAnswerError when it gives none.
    """
    address = canonical_address(address_of(account))
    # 1. The header, which has the block's hash, and the code
    told = yield [("eth_getBlockByHash", [block.hash, False]), ("eth_getCode", [address, pin])]
    asked, code = result_of(told[0]), data(result_of(told[1]), "eth_getCode")
    if not isinstance(asked, dict):
        raise InvalidAnswerError(f"no block {block.hash}")
    fields = {name: asked[name] for name in BLOCK_KEYS if asked.get(name) is not None}
    header = verify_header(fields, block.hash)
    # 2. When the code is a Safe's: which slots it uses, and the code it runs
    slots: Sequence[int] = ()
    runs: list[Call] = []
    if keccak256(code) in known_contracts().proxies:
        owners, modules, singleton = yield from _listed(address, pin)
        slots = needed_slots(owners, modules)
        runs = [_proof_call(text_of(singleton), (), pin)]
    # 3. The proofs, and what follows from them
    proofs = yield [_proof_call(address, slots, pin), *runs]
    record = {
        "format": FORMAT,
        "account": f"{chain_of(account)}:{address}",
        "block": fields,
        "state_root": hexadecimal(header.state_root),
        "code": hexadecimal(code),
        "proof": _kept(result_of(proofs[0]), address),
        "singleton_proof": _kept(result_of(proofs[1]), address) if runs else None,
    }
    return record | {"state": summary_of(derive(record, header, address))}


def _listed(address: str, pin: Any) -> Steps[tuple[list[int], list[int], int]]:
    """Follow both lists of a Safe through its slots, as the node tells them; return owners, modules and singleton."""
    known: dict[int, int] = {}
    unknown = [SINGLETON]
    while True:
        found: list[list[int]] = []
        for mapping in (OWNERS, MODULES):
            try:
                found.append(list(follow(mapping, known.__getitem__)))
            except KeyError as missing:
                unknown.append(missing.args[0])
        if not unknown:
            return found[0], found[1], known[SINGLETON]
        told = yield [("eth_getStorageAt", [address, f"0x{slot:064x}", pin]) for slot in unknown]
        known |= {slot: quantity(result_of(one), "eth_getStorageAt") for slot, one in zip(unknown, told, strict=True)}
        unknown = []


def _proof_call(address: str, slots: Sequence[int], pin: Any) -> Call:
    return "eth_getProof", [address, [f"0x{slot:064x}" for slot in slots], pin]


def _kept(answer: Any, address: str) -> dict[str, Any]:
    entries = answer.get("storageProof") if isinstance(answer, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ProofError(f"eth_getProof for {address} answered no proof")
    kept = {name: answer.get(name) for name in PROOF_KEYS}
    return kept | {"storageProof": [{name: entry.get(name) for name in SLOT_KEYS} for entry in entries]}

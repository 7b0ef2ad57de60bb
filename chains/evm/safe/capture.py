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
from chains.ids import AccountId, address_of, chain_of
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef


class CapturedSafe(NamedTuple):
    """A record that `prove_safe` accepts under its block's state root, and the evidence it was made from."""

    record: dict[str, Any]
    evidence: tuple[str, ...]


def capture_safe(rpc: JsonRpc, block: BlockRef, account: AccountId, pin: Any = None) -> CapturedSafe:
    """Ask a node for the proofs of a Safe's state at a block and return them as a record (JSON values).

    What is no Safe is recorded too, with the proof of it. The node's word decides only which slots are asked for; the
    record is checked before it is returned. `pin` names the block in calls, by hash unless given. Raises ProofError
    when the node's proofs do not hold, ProviderError or InvalidAnswerError when it gives none.
    """
    node = _Node(rpc, pin if pin is not None else {"blockHash": block.hash, "requireCanonical": True})
    address = canonical_address(address_of(account))
    # 1. The header, which has the block's hash
    asked = node.ask("eth_getBlockByHash", block.hash, False, pinned=False)
    if not isinstance(asked, dict):
        raise InvalidAnswerError(f"no block {block.hash}")
    fields = {name: asked[name] for name in BLOCK_KEYS if asked.get(name) is not None}
    header = verify_header(fields, block.hash)
    # 2. The code; when it is a Safe's, which slots it uses, and the code it runs
    code = data(node.ask("eth_getCode", address), "eth_getCode")
    slots: Sequence[int] = ()
    singleton = None
    if keccak256(code) in known_contracts().proxies:
        owners, modules = (
            list(follow(mapping, lambda slot: node.slot(address, slot))) for mapping in (OWNERS, MODULES)
        )
        slots = needed_slots(owners, modules)
        singleton = node.proof(text_of(node.slot(address, SINGLETON)), ())
    # 3. The proofs, and what follows from them
    record = {
        "format": FORMAT,
        "account": f"{chain_of(account)}:{address}",
        "block": fields,
        "state_root": hexadecimal(header.state_root),
        "code": hexadecimal(code),
        "proof": node.proof(address, slots),
        "singleton_proof": singleton,
    }
    return CapturedSafe(record | {"state": summary_of(derive(record, header, address))}, tuple(node.evidence))


class _Node:
    """One node's answers at one block, and the evidence of each."""

    def __init__(self, rpc: JsonRpc, pin: Any) -> None:
        self._rpc, self._pin = rpc, pin
        self.evidence: list[str] = []

    def ask(self, method: str, *parameters: Any, pinned: bool = True) -> Any:
        answer = self._rpc.call(method, *parameters, *([self._pin] if pinned else []))
        self.evidence.append(answer.evidence)
        return answer.result

    def slot(self, address: str, slot: int) -> int:
        return quantity(self.ask("eth_getStorageAt", address, f"0x{slot:064x}"), "eth_getStorageAt")

    def proof(self, address: str, slots: Sequence[int]) -> dict[str, Any]:
        answer = self.ask("eth_getProof", address, [f"0x{slot:064x}" for slot in slots])
        entries = answer.get("storageProof") if isinstance(answer, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise ProofError(f"eth_getProof of {address} answered no proof")
        kept = {name: answer.get(name) for name in PROOF_KEYS}
        return kept | {"storageProof": [{name: entry.get(name) for name in SLOT_KEYS} for entry in entries]}

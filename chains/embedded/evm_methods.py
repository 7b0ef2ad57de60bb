"""The JSON-RPC questions the embedded EVM answers, with the block named by number, tag or hash (EIP-1898)."""

import re
from collections.abc import Callable
from typing import Any

import rlp  # type: ignore[import-untyped]  # the package ships no types
from eth.exceptions import HeaderNotFound, VMError
from eth.vm.spoof import SpoofTransaction
from trie.hexary import HexaryTrie

from chains.embedded.loopback import Method, RpcFaultError
from chains.evm.keccak import keccak256
from chains.evm.rlp import decode_bytes

_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]*")
_TAGS = ("latest", "safe", "finalized")
NOT_FOUND = -32001
BAD_PARAMETERS = -32602
REVERTED = 3
# JSON-RPC name -> py-evm's name, for the fields of a Prague header.
HEADER_FIELDS = {
    "parentHash": "parent_hash",
    "sha3Uncles": "uncles_hash",
    "miner": "coinbase",
    "stateRoot": "state_root",
    "transactionsRoot": "transaction_root",
    "receiptsRoot": "receipt_root",
    "difficulty": "difficulty",
    "number": "block_number",
    "gasLimit": "gas_limit",
    "gasUsed": "gas_used",
    "timestamp": "timestamp",
    "extraData": "extra_data",
    "mixHash": "mix_hash",
    "nonce": "nonce",
    "baseFeePerGas": "base_fee_per_gas",
    "withdrawalsRoot": "withdrawals_root",
    "blobGasUsed": "blob_gas_used",
    "excessBlobGas": "excess_blob_gas",
    "parentBeaconBlockRoot": "parent_beacon_block_root",
    "requestsHash": "requests_hash",
}


class EvmMethods:
    """Answer questions about the chain of an eth-tester backend. Raises RpcFaultError: a JSON-RPC error object."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    @property
    def _chain(self) -> Any:
        return self._backend.chain

    def table(self) -> dict[str, Method]:
        """Return the methods by their JSON-RPC names."""
        return {
            "eth_chainId": lambda: hex(self._chain.chain_id),
            "eth_blockNumber": lambda: hex(self._chain.get_canonical_head().block_number),
            "eth_getBlockByNumber": self._absent_is_null(self._block),
            "eth_getBlockByHash": self._absent_is_null(lambda block, full: self._block({"blockHash": block}, full)),
            "eth_getBalance": lambda account, block: hex(self._state(block).get_balance(_bytes(account, 20))),
            "eth_getCode": lambda account, block: _hex(self._state(block).get_code(_bytes(account, 20))),
            "eth_call": self._call,
            "eth_getProof": self._proof,
        }

    @staticmethod
    def _absent_is_null(method: Callable[[Any, Any], Any]) -> Method:
        def answer(block: Any, full: Any = False) -> Any:
            try:
                return method(block, full)
            except RpcFaultError as fault:
                if fault.code == NOT_FOUND:
                    return None
                raise

        return answer

    def _header(self, block: Any) -> Any:
        chain = self._chain
        try:
            if isinstance(block, dict):
                header = chain.get_block_header_by_hash(_bytes(block.get("blockHash"), 32))
                if chain.get_canonical_block_header_by_number(header.block_number) != header:
                    raise RpcFaultError(NOT_FOUND, "the block is not on the main chain")
                return header
            if block in _TAGS:
                return chain.get_canonical_head()
            height = 0 if block == "earliest" else int.from_bytes(_bytes(block))
            return chain.get_canonical_block_header_by_number(height)
        except HeaderNotFound as error:
            raise RpcFaultError(NOT_FOUND, f"no block {block}") from error

    def _block(self, which: Any, full: Any) -> dict[str, Any]:
        if full:
            raise RpcFaultError(BAD_PARAMETERS, "transactions are listed by hash only")
        header = self._header(which)
        block = {"hash": _hex(header.hash)}
        for name, field in HEADER_FIELDS.items():
            value = getattr(header, field)
            block[name] = hex(value) if isinstance(value, int) else _hex(value)
        block["logsBloom"] = _hex(header.bloom.to_bytes(256))
        transactions = self._chain.get_block_by_header(header).transactions
        return block | {"transactions": [_hex(transaction.hash) for transaction in transactions], "uncles": []}

    def _state(self, block: Any) -> Any:
        return self._chain.get_vm(at_header=self._header(block)).state

    def _call(self, question: Any, block: Any) -> str:
        if not isinstance(question, dict):
            raise RpcFaultError(BAD_PARAMETERS, "eth_call needs an object")
        header = self._header(block)
        sender = bytes(20)
        unsigned = self._chain.create_unsigned_transaction(
            nonce=self._chain.get_vm(at_header=header).state.get_nonce(sender),
            gas_price=0,
            gas=header.gas_limit,
            to=_bytes(question.get("to"), 20),
            value=0,
            data=_bytes(question.get("data", question.get("input", "0x"))),
        )
        try:
            return _hex(self._chain.get_transaction_result(SpoofTransaction(unsigned, from_=sender), header))
        except VMError as error:
            raise RpcFaultError(REVERTED, f"execution reverted: {type(error).__name__}") from error

    def _proof(self, account: Any, slots: Any, block: Any) -> dict[str, Any]:
        header = self._header(block)
        address = _bytes(account, 20)
        state = self._chain.get_vm(at_header=header).state
        record = state._account_db._get_account(address)
        return {
            "address": _hex(address),
            "accountProof": self._branch(header.state_root, keccak256(address))[0],
            "balance": hex(record.balance),
            "nonce": hex(record.nonce),
            "codeHash": _hex(record.code_hash),
            "storageHash": _hex(record.storage_root),
            "storageProof": [self._slot(record.storage_root, _bytes(slot)) for slot in slots],
        }

    def _slot(self, storage_root: bytes, slot: bytes) -> dict[str, Any]:
        nodes, value = self._branch(storage_root, keccak256(slot.rjust(32, b"\x00")))
        number = int.from_bytes(decode_bytes(value)) if value else 0
        return {"key": _hex(slot.rjust(32, b"\x00")), "value": hex(number), "proof": nodes}

    def _branch(self, root: bytes, key: bytes) -> tuple[list[str], bytes]:
        trie: Any = HexaryTrie(self._chain.chaindb.db, root)
        nodes = [rlp.encode(node) for node in trie.get_proof(key)]
        return [_hex(node) for number, node in enumerate(nodes) if number == 0 or len(node) >= 32], trie.get(key)


def _bytes(value: Any, length: int | None = None) -> bytes:
    if not isinstance(value, str) or not _HEXADECIMAL.fullmatch(value):
        raise RpcFaultError(BAD_PARAMETERS, f"expected 0x and hexadecimal digits, got {str(value)[:80]!r}")
    digits = value[2:]
    parsed = bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
    if length is not None and len(parsed) != length:
        raise RpcFaultError(BAD_PARAMETERS, f"expected {length} bytes, got {len(parsed)}")
    return parsed


def _hex(value: bytes) -> str:
    return "0x" + value.hex()

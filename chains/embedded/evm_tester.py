"""A real Ethereum virtual machine inside this process: funded accounts, a token, and blocks made on demand."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from coincurve import PrivateKey
from eth.abc import SignedTransactionAPI
from eth_keys.datatypes import PrivateKey as SigningKey
from eth_tester.backends.pyevm.main import PyEVMBackend  # type: ignore[import-untyped]  # the package ships no types
from eth_utils.exceptions import ValidationError

from chains.embedded.contracts import bytecode
from chains.embedded.evm_methods import EvmMethods
from chains.embedded.loopback import LoopbackServer
from chains.errors import ChainError
from chains.evm.address import canonical_address
from chains.evm.hexadecimal import hexadecimal
from chains.evm.keccak import keccak256
from chains.evm.rlp import encode_list, encode_number
from chains.ids import ChainId
from chains.model import BlockRef
from chains.network import Network, network_of
from chains.providers import Provider

CHAIN = ChainId("eip155:131277322940537")
SECONDS_PER_BLOCK = 12
_TREASURY_KEY = keccak256(b"reserve-verifier: treasury of the embedded EVM")
_TREASURY_WEI = 10**30
_TRANSFER_GAS = 50_000
_TOKEN_GAS = 150_000
_MINT_GAS = 60_000
_DEPLOY_GAS = 3_000_000
_MINTS_PER_TRANSACTION = 200
# Selectors of DemoToken; a test recomputes them.
TRANSFER = bytes.fromhex("a9059cbb")
MINT_MANY = bytes.fromhex("4029a3ce")


def address_of_key(private_key: bytes) -> str:
    """Return the address (lower case) of a 32-byte secp256k1 private key."""
    public = PrivateKey(private_key).public_key.format(compressed=False)[1:]
    return "0x" + keccak256(public)[12:].hex()


class EmbeddedEvm:
    """Run eth-tester's py-evm behind a JSON-RPC server on loopback, so that the ordinary readers read it.

    Transfers and mints wait until `mine`, which raises ChainError when one of them fails. Time and block hashes are
    the same in every run with the same calls. Do not change the chain while another thread reads it.
    """

    def __init__(self, genesis_time: int = 1_700_000_000) -> None:
        self.network: Network = network_of(CHAIN)
        self._backend = PyEVMBackend(
            genesis_parameters=PyEVMBackend.generate_genesis_params({"timestamp": genesis_time}),
            genesis_state=self._genesis(),
        )
        self._waiting: list[SignedTransactionAPI] = []
        self._nonces: dict[str, int] = {}
        self._server = LoopbackServer(EvmMethods(self._backend).table())

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        return self._server.url

    def provider(self, operator: str = "embedded", dialect: str = "json-rpc") -> Provider:
        """Return a provider that serves this chain."""
        return Provider(operator, CHAIN, dialect, (), self.url)

    def fund(self, balances: Mapping[str, int]) -> None:
        """Send each address its wei from a treasury that is never empty."""
        for address, wei in balances.items():
            self.transfer(_TREASURY_KEY, address, wei)

    def transfer(self, private_key: bytes, to: str, wei: int) -> str:
        """Send native coins; return the transaction's hash. The sender pays the fee on top."""
        return self._send(private_key, to, wei, b"", _TRANSFER_GAS)

    def deploy_token(self) -> str:
        """Deploy the six-decimals test token, owned by the treasury; mine it and return its address."""
        return self.deploy(_TREASURY_KEY, bytecode("DemoToken"))

    def deploy(self, private_key: bytes, creation: bytes) -> str:
        """Deploy a contract from its creation code; mine it and return its address."""
        creator = address_of_key(private_key)
        nonce = self._nonce(creator)
        self._send(private_key, "", 0, creation, _DEPLOY_GAS)
        self.mine()
        # A contract's address is the hash of [creator, nonce]. Source: Yellow Paper, section 7.
        record = encode_list([bytes.fromhex(creator[2:]), encode_number(nonce)])
        return "0x" + keccak256(record)[12:].hex()

    def mint(self, token: str, balances: Mapping[str, int]) -> None:
        """Mint units of a token made by `deploy_token`."""
        entries = list(balances.items())
        for start in range(0, len(entries), _MINTS_PER_TRANSACTION):
            part = entries[start : start + _MINTS_PER_TRANSACTION]
            self._send(_TREASURY_KEY, token, 0, mint_many(part), _TOKEN_GAS + _MINT_GAS * len(part))

    def token_transfer(self, private_key: bytes, token: str, to: str, units: int) -> str:
        """Move token units; return the transaction's hash."""
        moved = TRANSFER + _address_word(canonical_address(to)) + units.to_bytes(32)
        return self._send(private_key, token, 0, moved, _TOKEN_GAS)

    def mine(self, time: int | None = None) -> BlockRef:
        """Put what waits into a block (or several when it does not fit) at Unix time `time`, or 12 s after the last.

        Raises ChainError when a transaction is invalid or fails.
        """
        waiting, self._waiting = self._waiting, []
        self._nonces.clear()
        gas_limit: int = self._backend.chain.get_canonical_head().gas_limit
        while True:
            part, gas = 0, 0
            while part < len(waiting) and gas + waiting[part].gas <= gas_limit:
                gas += waiting[part].gas
                part += 1
            block = self._mine(waiting[:part], time)
            waiting, time = waiting[part:], None
            if not waiting:
                return block

    def tip(self) -> BlockRef:
        """Return the newest block."""
        return self._reference(self._backend.chain.get_canonical_head())

    def replace_tip(self) -> BlockRef:
        """Replace the newest block by an empty one at the same height, as a reorganisation does; return the new one."""
        old = self._backend.chain.get_canonical_head()
        if old.block_number == 0:
            raise ChainError("the genesis block cannot be replaced")
        self._backend.revert_to_snapshot(old.parent_hash)
        return self._mine([], old.timestamp + 1)

    def _mine(self, transactions: Sequence[SignedTransactionAPI], time: int | None) -> BlockRef:
        chain = self._backend.chain
        parent = chain.get_canonical_head()
        moment = parent.timestamp + SECONDS_PER_BLOCK if time is None else time
        try:
            _, receipts, _ = chain.mine_all(
                transactions,
                parent_header=parent,
                timestamp=moment,
                coinbase=bytes(20),
                mix_hash=keccak256(parent.hash),
                blob_gas_used=0,
            )
        except ValidationError as error:
            raise ChainError(f"block {parent.block_number + 1} is invalid: {error}") from error
        failed = [position for position, receipt in enumerate(receipts) if receipt.state_root != b"\x01"]
        if failed:
            raise ChainError(f"block {parent.block_number + 1}: transaction {failed[0]} failed")
        return self.tip()

    def _send(self, private_key: bytes, to: str, wei: int, calldata: bytes, gas: int) -> str:
        sender = address_of_key(private_key)
        nonce = self._nonce(sender)
        base_fee: int = self._backend.chain.get_canonical_head().base_fee_per_gas
        unsigned = self._backend.chain.get_transaction_builder().new_unsigned_dynamic_fee_transaction(
            chain_id=self._backend.chain.chain_id,
            nonce=nonce,
            gas=gas,
            to=bytes.fromhex(canonical_address(to)[2:]) if to else b"",
            value=wei,
            data=calldata,
            access_list=(),
            max_fee_per_gas=4 * base_fee,
            max_priority_fee_per_gas=0,
        )
        signed: SignedTransactionAPI = unsigned.as_signed_transaction(SigningKey(private_key))
        self._waiting.append(signed)
        self._nonces[sender] = nonce + 1
        return hexadecimal(signed.hash)

    def _nonce(self, address: str) -> int:
        if address not in self._nonces:
            self._nonces[address] = self._backend.get_nonce(bytes.fromhex(address[2:]))
        return self._nonces[address]

    def _genesis(self) -> dict[bytes, dict[str, Any]]:
        state: dict[bytes, dict[str, Any]] = {
            bytes.fromhex(address_of_key(_TREASURY_KEY)[2:]): _account(_TREASURY_WEI, b""),
        }
        if self.network.evm is not None and self.network.evm.multicall3:
            state[bytes.fromhex(self.network.evm.multicall3[2:])] = _account(0, bytecode("BalanceBatch"))
        return state

    @staticmethod
    def _reference(header: Any) -> BlockRef:
        return BlockRef(CHAIN, header.block_number, "0x" + header.hash.hex(), header.timestamp)


def mint_many(entries: Sequence[tuple[str, int]]) -> bytes:
    """Encode DemoToken's `mintMany(address[],uint256[])`."""
    count = len(entries).to_bytes(32)
    return b"".join(
        [
            MINT_MANY,
            (64).to_bytes(32),
            (64 + 32 * (len(entries) + 1)).to_bytes(32),
            count,
            *(_address_word(canonical_address(address)) for address, _ in entries),
            count,
            *(units.to_bytes(32) for _, units in entries),
        ]
    )


def _account(wei: int, code: bytes) -> dict[str, Any]:
    return {"balance": wei, "storage": {}, "code": code, "nonce": 0}


def _address_word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])

"""A Solana chain in this process: the real runtime and token programs of LiteSVM behind a node's JSON-RPC.

The facade keeps what LiteSVM does not: slots, blocks, and each transaction's balances before and after.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.rent import Rent
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from chains.base_codecs import base58
from chains.ids import AccountId, AssetId, ChainId
from chains.network import network_of
from chains.providers import Provider
from tests.live.loopback_server import served_on_loopback

CHAIN = ChainId("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1")
GENESIS_HASH = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PROGRAMS = (TOKEN, TOKEN_2022)
FIRST_SLOT, FIRST_TIME = 1_000, 1_700_000_000
FEE = 5_000


class Refusal(Exception):
    """A JSON-RPC error object on its way out."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message}


class Done(NamedTuple):
    """One transaction as the facade remembers it."""

    slot: int
    signature: str
    keys: tuple[str, ...]
    record: dict[str, Any]


class LiteChain:
    """LiteSVM with slots and a memory; `lie` may change any result before it is sent."""

    def __init__(self) -> None:
        self.svm = LiteSVM().with_transaction_history(0)
        self.svm.set_rent(Rent.free())
        self.payer = keypair("payer")
        self.svm.airdrop(self.payer.pubkey(), 10**14)
        self.slot = FIRST_SLOT
        self.blocks: dict[int, str] = {FIRST_SLOT: self._blockhash()}
        self.transactions: list[Done] = []
        self.questions: list[str] = []
        self.batches = True
        self.lie: Callable[[str, list[Any], Any], Any] = lambda method, parameters, result: result

    def close(self, skipped: int = 0) -> int:
        """Skip slots if asked, close the next one with the transactions sent since, and return its number."""
        self.slot += 1 + skipped
        self.svm.expire_blockhash()
        self.blocks[self.slot] = self._blockhash()
        return self.slot

    def replace_newest(self) -> None:
        """Put another block with the same transactions in the place of the newest one."""
        self.blocks[self.slot] = base58(hashlib.sha256(self.blocks[self.slot].encode()).digest())

    def send(self, instructions: Sequence[Instruction], *signers: Keypair, fails: bool = False) -> str:
        """Run one transaction, to be in the next block to be closed; the first signer pays."""
        signers = signers or (self.payer,)
        message = Message.new_with_blockhash(instructions, signers[0].pubkey(), self.svm.latest_blockhash())
        signed = Transaction(signers, message, self.svm.latest_blockhash())
        keys = list(message.account_keys)
        before = self._balances(keys, message)
        outcome = self.svm.send_transaction(signed)
        assert isinstance(outcome, FailedTransactionMetadata) is fails, str(outcome)
        after = self._balances(keys, message)
        names = tuple(str(key) for key in keys)
        error = {"InstructionError": [0, {"Custom": 1}]} if fails else None
        meta = {"err": error, "fee": FEE, "loadedAddresses": {"readonly": [], "writable": []}}
        meta |= {"preBalances": before[0], "postBalances": after[0]}
        meta |= {"preTokenBalances": before[1], "postTokenBalances": after[1]}
        body = {"signatures": [str(one) for one in signed.signatures], "message": {"accountKeys": list(names)}}
        record = {"slot": self.slot + 1, "blockTime": self._time(self.slot + 1), "meta": meta, "transaction": body}
        self.transactions.append(Done(self.slot + 1, str(signed.signatures[0]), names, record | {"version": "legacy"}))
        self.svm.expire_blockhash()
        return str(signed.signatures[0])

    def _balances(self, keys: Sequence[Pubkey], message: Message) -> tuple[list[int], list[dict[str, Any]]]:
        """Note balances as a validator does: tokens only where a token program is among the accounts."""
        lamports, tokens = [], []
        invoked = {message.account_keys[one.program_id_index] for one in message.instructions}
        for place, key in enumerate(keys):
            account = self.svm.get_account(key)
            lamports.append(account.lamports if account else 0)
            held = account.data if account and account.owner in PROGRAMS and len(account.data) >= 165 else b""
            if held and key not in invoked and not set(PROGRAMS).isdisjoint(keys):
                amount = {"amount": str(int.from_bytes(held[64:72], "little")), "decimals": 6}
                row = {"accountIndex": place, "mint": str(Pubkey(held[:32])), "owner": str(Pubkey(held[32:64]))}
                tokens.append(row | {"uiTokenAmount": amount})
        return lamports, tokens

    def _blockhash(self) -> str:
        return str(self.svm.latest_blockhash())

    @staticmethod
    def _time(slot: int) -> int:
        return FIRST_TIME + (slot - FIRST_SLOT) * 2 // 5

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        method, parameters = question["method"], question["params"]
        self.questions.append(method)
        head = {"jsonrpc": "2.0", "id": question["id"]}
        try:
            result = getattr(self, f"_answer_{method}")(*parameters)
            return head | {"result": self.lie(method, parameters, result)}
        except Refusal as refusal:
            return head | {"error": refusal.error}

    def _answer_getGenesisHash(self) -> str:
        return GENESIS_HASH

    def _answer_getSlot(self, options: dict[str, Any]) -> int:
        return self.slot

    def _answer_getBlock(self, slot: int, options: dict[str, Any]) -> dict[str, Any]:
        if slot > self.slot:
            raise Refusal(-32004, f"Block not available for slot {slot}")
        if slot < min(self.blocks):
            raise Refusal(-32001, f"Block {slot} cleaned up, does not exist on node. First available: {FIRST_SLOT}")
        if slot not in self.blocks:
            raise Refusal(-32007, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")
        parent = max((one for one in self.blocks if one < slot), default=slot - 1)
        block = {"blockhash": self.blocks[slot], "previousBlockhash": self.blocks.get(parent, GENESIS_HASH)}
        return block | {"parentSlot": parent, "blockTime": self._time(slot), "blockHeight": slot}

    def _answer_getMultipleAccounts(self, keys: list[str], options: dict[str, Any]) -> dict[str, Any]:
        if len(keys) > 100:
            raise Refusal(-32602, "Too many inputs provided; max 100")
        self._reach(options)
        return self._context([self._account(Pubkey.from_string(key), data=False) for key in keys])

    def _answer_getTokenAccountsByOwner(
        self, owner: str, which: dict[str, str], options: dict[str, Any]
    ) -> dict[str, Any]:
        self._reach(options)
        mint = self.svm.get_account(Pubkey.from_string(which["mint"]))
        if mint is None or mint.owner not in PROGRAMS:
            raise Refusal(-32602, "Invalid param: could not find mint")
        wanted = bytes(Pubkey.from_string(which["mint"])) + bytes(Pubkey.from_string(owner))
        found = [
            {"pubkey": str(key), "account": self._account(key, data=True)}
            for key in dict.fromkeys(Pubkey.from_string(key) for done in self.transactions for key in done.keys)
            if (account := self.svm.get_account(key)) and account.owner == mint.owner and account.data[:64] == wanted
        ]
        return self._context(found)

    def _answer_getSignaturesForAddress(self, address: str, options: dict[str, Any]) -> list[dict[str, Any]]:
        self._reach(options)
        done = [one for one in reversed(self.transactions) if address in one.keys and one.slot <= self.slot]
        if "before" in options:
            done = done[[one.signature for one in done].index(options["before"]) + 1 :]
        return [
            {"signature": one.signature, "slot": one.slot, "err": one.record["meta"]["err"], "memo": None}
            | {"blockTime": one.record["blockTime"], "confirmationStatus": "finalized"}
            for one in done[: options["limit"]]
        ]

    def _answer_getTransaction(self, signature: str, options: dict[str, Any]) -> dict[str, Any] | None:
        return next((one.record for one in self.transactions if one.signature == signature), None)

    def _reach(self, options: dict[str, Any]) -> None:
        if options.get("minContextSlot", 0) > self.slot:
            raise Refusal(-32016, "Minimum context slot has not been reached")

    def _context(self, value: Any) -> dict[str, Any]:
        return {"context": {"apiVersion": "3.0.0", "slot": self.slot}, "value": value}

    def _account(self, key: Pubkey, data: bool) -> dict[str, Any] | None:
        account = self.svm.get_account(key)
        if account is None or not account.lamports:
            return None
        text = base64.b64encode(account.data).decode() if data else ""
        facts = {"lamports": account.lamports, "owner": str(account.owner), "data": [text, "base64"]}
        return facts | {"executable": account.executable, "rentEpoch": 2**64 - 1, "space": len(account.data)}


class TokenMint:
    """One mint of the real token program (or of Token-2022), with the instructions the tests need."""

    def __init__(self, chain: LiteChain, name: str, program: Pubkey = TOKEN) -> None:
        self.chain, self.program, key = chain, program, keypair(name)
        self.mint = key.pubkey()
        self._made = 0
        payer = chain.payer.pubkey()
        opened = self._open(key.pubkey(), 82)
        chain.send([opened, self._do(20, bytes([6]) + bytes(payer) + b"\0", [(self.mint, 1)])], chain.payer, key)

    @property
    def asset(self) -> AssetId:
        return AssetId(f"{CHAIN}/token:{self.mint}")

    def open(self, owner: Pubkey, units: int = 0) -> Pubkey:
        """Open a token account that is no one's default one, with so many units minted to it."""
        self._made += 1
        key = keypair(f"{self.mint} account {self._made}")
        create = [self._open(key.pubkey(), 165), self._do(18, bytes(owner), [(key.pubkey(), 1), (self.mint, 0)])]
        mint = [self.issue(key.pubkey(), units)] if units else []
        self.chain.send([*create, *mint], self.chain.payer, key)
        return key.pubkey()

    def issue(self, account: Pubkey, units: int) -> Instruction:
        accounts = [(self.mint, 1), (account, 1), (self.chain.payer.pubkey(), 2)]
        return self._do(7, units.to_bytes(8, "little"), accounts)

    def move(self, source: Pubkey, target: Pubkey, owner: Pubkey, units: int) -> Instruction:
        return self._do(3, units.to_bytes(8, "little"), [(source, 1), (target, 1), (owner, 2)])

    def shut(self, account: Pubkey, owner: Pubkey) -> Instruction:
        return self._do(9, b"", [(account, 1), (self.chain.payer.pubkey(), 1), (owner, 2)])

    def hand_over(self, account: Pubkey, owner: Pubkey, heir: Pubkey) -> Instruction:
        return self._do(6, b"\x02\x01" + bytes(heir), [(account, 1), (owner, 2)])

    def _open(self, key: Pubkey, space: int) -> Instruction:
        payer = self.chain.payer.pubkey()
        return create_account(
            CreateAccountParams(from_pubkey=payer, to_pubkey=key, lamports=1, space=space, owner=self.program)
        )

    def _do(self, number: int, data: bytes, accounts: Sequence[tuple[Pubkey, int]]) -> Instruction:
        metas = [AccountMeta(key, is_signer=role == 2, is_writable=role == 1) for key, role in accounts]
        return Instruction(self.program, bytes([number]) + data, metas)


def keypair(name: str) -> Keypair:
    return Keypair.from_seed(hashlib.sha256(name.encode()).digest())


def pay(source: Pubkey, target: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=source, to_pubkey=target, lamports=lamports))


def served(chain: LiteChain) -> AbstractContextManager[str]:
    """Serve a chain on loopback and yield the address."""

    def answer(path: str, question: Any) -> tuple[int, Any]:
        if not isinstance(question, list):
            return 200, chain.answer(question)
        if not chain.batches:
            return 403, {"error": "batches are not served"}
        return 200, [chain.answer(one) for one in question]

    return served_on_loopback(answer)


class SolanaHarness:
    """What the shared behaviour suite needs."""

    def __init__(self, chain: LiteChain, url: str) -> None:
        self.chain, self.network = chain, network_of(CHAIN)
        self.provider = Provider("local-svm", CHAIN, "solana", (), url)
        self._mint = TokenMint(chain, "mint")
        self._accounts = 0
        chain.close()

    def fund(self, units: int, asset: AssetId | None = None) -> AccountId:
        account = self.empty()
        key = Pubkey.from_string(account.rpartition(":")[2])
        if asset is None:
            self.chain.send([pay(self.chain.payer.pubkey(), key, units)])
        else:
            self._mint.open(key, units)
        self.chain.close()
        return account

    def empty(self) -> AccountId:
        self._accounts += 1
        return AccountId(f"{CHAIN}:{keypair(f'account {self._accounts}').pubkey()}")

    def token(self) -> AssetId | None:
        return self._mint.asset

    def advance(self) -> None:
        self.chain.close()

    def reorganise(self) -> bool:
        self.chain.replace_newest()
        return True


@contextmanager
def harness() -> Iterator[SolanaHarness]:
    chain = LiteChain()
    with served(chain) as url:
        yield SolanaHarness(chain, url)

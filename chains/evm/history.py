"""What moved to and from EVM accounts: ERC-20 tokens by their logs; native coins leave none."""

from collections.abc import Sequence
from typing import NamedTuple

from chains.errors import ChainError
from chains.evm.proving import Question
from chains.evm.transfer_logs import Logs, TransferLog, read_transfer_logs
from chains.ids import AccountId, account_id
from chains.jsonrpc import JsonRpc
from chains.model import BlockRef, Holding, Movements, Transfer

NOBODY = "0x" + "00" * 20
UNLISTED = "native coins move without logs: no node lists their transfers; compare balances at both ends instead"


class Asked(NamedTuple):
    """One holding and what to ask for it; None when this chain has no such balance."""

    holding: Holding
    question: Question | None


def read_movements(rpc: JsonRpc, operator: str, first: int, last: BlockRef, asked: Sequence[Asked]) -> list[Movements]:
    """Return the movements of each holding in order, all holders of a token in the same queries.

    Logs are asked for by height: whoever calls reads the last block's hash again afterwards.
    """
    holders: dict[str, list[str]] = {}
    for _, question in asked:
        if question and question.token:
            holders.setdefault(question.token, []).append(question.address)
    read: dict[str, Logs | str] = {}
    for token, addresses in holders.items():
        try:
            read[token] = read_transfer_logs(rpc, token, list(dict.fromkeys(addresses)), first, last.height)
        except ChainError as error:
            read[token] = str(error)
    return [_movements(entry, operator, first, last, read) for entry in asked]


def _movements(asked: Asked, operator: str, first: int, last: BlockRef, read: dict[str, Logs | str]) -> Movements:
    holding, question = asked
    if question is None or question.token is None:
        return Movements(holding, operator, first, last, None, (), UNLISTED if question else "no such balance here")
    logs = read[question.token]
    if isinstance(logs, str):
        return Movements(holding, operator, first, last, None, (), logs)
    strays = [log for log in logs.found if log.height == last.height and log.block_hash != last.hash]
    if strays:
        return Movements(holding, operator, first, last, None, logs.evidence, f"block {last.height} is not {last.hash}")
    mine = tuple(_transfer(holding, log) for log in logs.found if question.address in (log.sender, log.recipient))
    return Movements(holding, operator, first, last, mine, logs.evidence)


def _transfer(holding: Holding, log: TransferLog) -> Transfer:
    chain = holding.account.rpartition(":")[0]
    sender, recipient = _account(chain, log.sender), _account(chain, log.recipient)
    return Transfer(
        holding.asset, log.units, sender, recipient, log.height, log.block_hash, log.transaction, log.position
    )


def _account(chain: str, address: str) -> AccountId | None:
    return None if address == NOBODY else account_id(f"{chain}:{address}")

"""Bitcoin Core's own script engine, by way of py-bitcoinkernel; it knows consensus rules and no others."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from chains.errors import MissingExtraError
from chains.signatures.bip322.transactions import Coin, RefusedError


def check_spends(raw: bytes, coins: Sequence[Coin], skipped: int = 0) -> None:
    """Check that a transaction unlocks every coin it spends, under all consensus rules for scripts.

    `coins` belong to the inputs in order; the first `skipped` inputs are not checked. Raises RefusedError `not-signed`,
    MissingExtraError without py-bitcoinkernel.
    """
    pbk, script_module = _library()
    try:
        transaction = pbk.Transaction(raw)
    except RuntimeError as error:
        raise RefusedError("malformed-transaction") from error
    outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(coin.script), coin.units) for coin in coins]
    shared = script_module.PrecomputedTransactionData(transaction, outputs)
    for position in range(skipped, len(coins)):
        coin, script = coins[position], outputs[position].script_pubkey
        if not script.verify(coin.units, transaction, shared, position, script_module.ScriptVerificationFlags.ALL):
            raise RefusedError("not-signed")


@lru_cache(maxsize=1)
def _library() -> tuple[Any, Any]:
    try:
        return import_module("pbk"), import_module("pbk.script")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "bip-322 and bip-127 need py-bitcoinkernel: install reserve-verifier[bitcoin]"
        ) from error

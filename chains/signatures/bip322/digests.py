"""Check ECDSA signatures of a script one by one, where the script itself would forgive a bad one."""

from collections.abc import Sequence

import coincurve

from chains.signatures.bip322.encodings import SIGHASH_ALL
from chains.signatures.bip322.trace import Check, Rules
from chains.signatures.bip322.transactions import (
    Coin,
    Transaction,
    hash256,
    outpoint,
    serialized_coin,
    with_length,
)

_ALL = SIGHASH_ALL.to_bytes(4, "little")


class Digests:
    """What the signatures of one transaction sign, worked out once per input and script."""

    def __init__(self, transaction: Transaction, coins: Sequence[Coin]) -> None:
        self._transaction, self._coins = transaction, coins
        self._known: dict[tuple[int, bytes, Rules], bytes] = {}

    def is_good(self, check: Check, position: int) -> bool:
        """Tell whether every signature of a check is by one of its keys, in the keys' order; all sign everything.

        Source: BIP-143 for SegWit; for scripts before it, the original rule of Bitcoin.
        """
        place = (position, check.script, check.rules)
        if place not in self._known:
            if check.rules is Rules.SEGWIT:
                units = self._coins[position].units
                self._known[place] = segwit_digest(self._transaction, position, check.script, units)
            else:
                self._known[place] = legacy_digest(self._transaction, position, check.script)
        return _in_order(check.signatures, check.keys, self._known[place])


def legacy_digest(transaction: Transaction, position: int, script: bytes) -> bytes:
    inputs = tuple(
        spent._replace(script=script if number == position else b"", witness=())
        for number, spent in enumerate(transaction.inputs)
    )
    return hash256(transaction._replace(inputs=inputs).serialize() + _ALL)


def segwit_digest(transaction: Transaction, position: int, script: bytes, units: int) -> bytes:
    spent = transaction.inputs[position]
    return hash256(
        transaction.version.to_bytes(4, "little")
        + hash256(b"".join(map(outpoint, transaction.inputs)))
        + hash256(b"".join(each.sequence.to_bytes(4, "little") for each in transaction.inputs))
        + outpoint(spent)
        + with_length(script)
        + units.to_bytes(8, "little")
        + spent.sequence.to_bytes(4, "little")
        + hash256(b"".join(map(serialized_coin, transaction.outputs)))
        + transaction.lock_time.to_bytes(4, "little")
        + _ALL
    )


def _in_order(signatures: Sequence[bytes], keys: Sequence[bytes], digest: bytes) -> bool:
    rest = iter(keys)
    return all(any(_signed(signature[:-1], key, digest) for key in rest) for signature in signatures)


def _signed(der: bytes, key: bytes, digest: bytes) -> bool:
    return bool(coincurve.PublicKey(key).verify(der, digest, hasher=None))

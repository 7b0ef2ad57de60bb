"""Proofs of reserves over coins of our own keys, any part of which can be replaced before they are written."""

from hashlib import sha256

from chains.signatures.bip322.transactions import Coin, Input, Transaction, serialized_coin
from tests.chains import bip322_signer as sign
from tests.chains.bip322_signer import EVERYTHING, KINDS, MESSAGE, coin_fields, funding

DUMMY = {b"\x01": serialized_coin(Coin(0, b"\x51"))}
TXID = sha256(b"Proof-of-Reserves: " + MESSAGE.encode()).digest()
FINAL = 0xFFFFFFFF


class Reserves:
    """A proof in the making; every part can be replaced before it is written."""

    def __init__(self, locks=tuple(KINDS), how=EVERYTHING, txid=TXID, vout=0, **numbers):
        self.locks = locks
        self.paid = [funding(lock, 10_000 + number, number) for number, lock in enumerate(locks)]
        coins = [Coin(0, b"\x51"), *(each.outputs[1] for each in self.paid)]
        inputs = (Input(txid, vout, b"", FINAL), *(Input(each.id, 1, b"", FINAL) for each in self.paid))
        unsigned = Transaction(2, inputs, (Coin(sum(coin.units for coin in coins), b"\x6a"),))._replace(**numbers)
        self.transaction = sign.open_all(unsigned, coins, locks, how, start=1)
        self.fields = [DUMMY, *map(coin_fields, locks, self.paid)]

    def text(self):
        return sign.psbt(self.transaction, self.fields)

"""Unsigned Bitcoin transactions as PSBTs, and how large they will be once they are signed."""

from collections.abc import Sequence
from typing import NamedTuple

from chains.bitcoin.address import bitcoin_facts
from chains.errors import IdentifierError
from chains.network import Network

SEQUENCE = 0xFFFFFFFD  # its owner may replace it by one with a higher fee. Source: BIP-125
_OUTPOINT_WEIGHT = 4 * (36 + 1 + 4)
_SIGNATURE_AND_KEY = 1 + 72 + 1 + 33
_UNKNOWN = (
    "an address that stands for a script does not tell how large its signatures are: name the virtual bytes of an "
    "input with --input-vbytes (91 for one key nested in P2SH, 105 for two of three keys of P2WSH)"
)


class SpentOutput(NamedTuple):
    """A coin to be spent: its outpoint as people read it (`txid:index`) and its satoshi."""

    outpoint: str
    units: int


class UnsignedPsbt(NamedTuple):
    """A PSBT as bytes, and the transaction's id, which signatures do not change only where `final`."""

    content: bytes
    txid: str
    final: bool


def is_witness_program(script: bytes) -> bool:
    """Say whether coins of a script are unlocked by a witness alone, so that the transaction's id is known before."""
    return 4 <= len(script) <= 42 and script[1] == len(script) - 2 and (script[0] == 0 or 0x51 <= script[0] <= 0x60)


def input_weight(script: bytes, virtual_bytes: int | None = None) -> int:
    """Return the most weight an input adds once signed: by one key, or what the caller knows of the script.

    Raises IdentifierError when only the caller can know. Source: BIP-141; BIP-341 (key path).
    """
    if virtual_bytes is not None:
        return 4 * virtual_bytes
    if len(script) == 22 and is_witness_program(script) and script[0] == 0:
        return _OUTPOINT_WEIGHT + 1 + _SIGNATURE_AND_KEY
    if len(script) == 34 and script[0] == 0x51 and is_witness_program(script):
        return _OUTPOINT_WEIGHT + 1 + 1 + 65
    if len(script) == 25:
        return _OUTPOINT_WEIGHT + 4 * _SIGNATURE_AND_KEY
    raise IdentifierError(_UNKNOWN)


def output_weight(script: bytes) -> int:
    """Return the weight of an output."""
    return 4 * (8 + _count_bytes(len(script)) + len(script))


def frame_weight(inputs: int, outputs: int) -> int:
    """Return the weight of everything but inputs and outputs, with the marker of witnesses."""
    return 4 * (8 + _count_bytes(inputs) + _count_bytes(outputs)) + 2


def dust_limit(network: Network, script: bytes) -> int:
    """Return the satoshi below which nodes do not pass an output on. Source: Bitcoin Core, GetDustThreshold."""
    from btclib.fee import FeeRate, dust_threshold

    return dust_threshold(script, FeeRate(sats_per_kvbyte=1_000 * bitcoin_facts(network).dust_fee_rate))


def make_psbt(script: bytes, coins: Sequence[SpentOutput], outputs: Sequence[tuple[bytes, int]]) -> UnsignedPsbt:
    """Return the PSBT (version 0) that spends coins of one script to (script, satoshi) outputs.

    Coins of a witness program carry amount and script; of others only the owner's wallet has what must be added, the
    transactions that made them. Source: BIP-174.
    """
    from btclib.tx import Tx, TxIn, TxOut
    from btclib.tx.out_point import OutPoint
    from btclib_wallet.psbt.psbt import Psbt

    final = is_witness_program(script)
    spent = [coin.outpoint.partition(":") for coin in coins]
    made = Tx(
        2,
        0,
        [TxIn(OutPoint(txid, int(vout)), b"", SEQUENCE) for txid, _, vout in spent],
        [TxOut(units, target) for target, units in outputs],
    )
    psbt = Psbt.from_tx(made)
    if final:
        for field, coin in zip(psbt.inputs, coins, strict=True):
            field.witness_utxo = TxOut(coin.units, script)
    return UnsignedPsbt(psbt.serialize(), psbt.tx.id.hex(), final)


def _count_bytes(number: int) -> int:
    return 1 if number < 0xFD else 3 if number <= 0xFFFF else 5

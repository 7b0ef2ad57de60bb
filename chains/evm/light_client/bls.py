"""The committee's signatures: BLS12-381 aggregate signatures, checked by milagro-bls-binding."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from chains.errors import MissingExtraError
from chains.evm.light_client.containers import SyncAggregate, SyncCommittee

_INFINITY_FLAG = 0x40
_SIGN_FLAG = 0x20


def _milagro() -> Any:
    try:
        return import_module("milagro_bls_binding")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "checking a sync committee's signature needs milagro-bls-binding: install reserve-verifier[lightclient]"
        ) from error


def fast_aggregate_verify(public_keys: Sequence[bytes], message: bytes, signature: bytes) -> bool:
    """Say whether all these public keys (48 bytes each) together signed a message with one 96-byte signature.

    A key that is infinity, not on the curve or outside the group of prime order, and an empty list, are refused.
    Raises MissingExtraError. Source: IETF draft-irtf-cfrg-bls-signature, section 3.3.4.
    """
    if not public_keys or any(len(key) != 48 or key[0] & _INFINITY_FLAG for key in public_keys):
        return False
    return bool(_milagro().FastAggregateVerify(list(public_keys), message, signature))


def signing_keys(committee: SyncCommittee, aggregate: SyncAggregate) -> list[bytes]:
    """Return the public keys of the members that signed."""
    members = zip(aggregate.sync_committee_bits, committee.pubkeys, strict=True)
    return [key for signed, key in members if signed]


def equivalent_keys(committee: SyncCommittee, aggregate: SyncAggregate) -> list[bytes]:
    """Return the fewest public keys whose sum is that of the signers: the whole committee's less the absent ones'.

    The chain itself computes the committee's aggregate key and commits to it beside the keys, so it is as good as
    they are; with few absent this is some twenty times faster than adding 512 keys. A key is negated by its sign bit.
    """
    signers = signing_keys(committee, aggregate)
    if len(signers) * 2 <= len(committee.pubkeys):
        return signers
    members = zip(aggregate.sync_committee_bits, committee.pubkeys, strict=True)
    absent = [bytes([key[0] ^ _SIGN_FLAG]) + key[1:] for signed, key in members if not signed]
    return [committee.aggregate_pubkey, *absent]

"""The records of the light client protocol, and how each fork writes them in bytes and in JSON."""

from functools import cache
from typing import Any, NamedTuple

from chains.errors import InvalidAnswerError
from chains.evm.light_client.forks import BeaconNetwork, Fork, Preset, gindices_of
from chains.evm.light_client.ssz import Bits, ByteList, ByteVector, Container, SszType, Uint, Vector

EXECUTION_PAYLOAD_GINDEX = 25
ZERO_HASH = bytes(32)
Branch = tuple[bytes, ...]


class BeaconBlockHeader(NamedTuple):
    """A beacon block with its body and the state after it reduced to roots."""

    slot: int = 0
    proposer_index: int = 0
    parent_root: bytes = ZERO_HASH
    state_root: bytes = ZERO_HASH
    body_root: bytes = ZERO_HASH


class ExecutionPayloadHeader(NamedTuple):
    """An execution block as the beacon chain binds it; the two blob fields are zero before Deneb."""

    parent_hash: bytes = ZERO_HASH
    fee_recipient: bytes = bytes(20)
    state_root: bytes = ZERO_HASH
    receipts_root: bytes = ZERO_HASH
    logs_bloom: bytes = bytes(256)
    prev_randao: bytes = ZERO_HASH
    block_number: int = 0
    gas_limit: int = 0
    gas_used: int = 0
    timestamp: int = 0
    extra_data: bytes = b""
    base_fee_per_gas: int = 0
    block_hash: bytes = ZERO_HASH
    transactions_root: bytes = ZERO_HASH
    withdrawals_root: bytes = ZERO_HASH
    blob_gas_used: int = 0
    excess_blob_gas: int = 0


class LightClientHeader(NamedTuple):
    """A beacon block header, and from Capella on the execution block in it with its branch to the body root."""

    beacon: BeaconBlockHeader = BeaconBlockHeader()
    execution: ExecutionPayloadHeader = ExecutionPayloadHeader()
    execution_branch: Branch = (ZERO_HASH,) * 4


class SyncCommittee(NamedTuple):
    """The validators that sign for one period, 48-byte public keys, and the sum of them."""

    pubkeys: tuple[bytes, ...]
    aggregate_pubkey: bytes


class SyncAggregate(NamedTuple):
    """Who of a committee signed, and their one signature of 96 bytes."""

    sync_committee_bits: tuple[bool, ...]
    sync_committee_signature: bytes

    @property
    def signers(self) -> int:
        return sum(self.sync_committee_bits)

    @property
    def has_supermajority(self) -> bool:
        """Say whether two thirds of the committee signed, which finality needs."""
        return self.signers * 3 >= len(self.sync_committee_bits) * 2


class LightClientBootstrap(NamedTuple):
    """The header of a trusted block and the committee that serves at it."""

    header: LightClientHeader
    current_sync_committee: SyncCommittee
    current_sync_committee_branch: Branch


class LightClientUpdate(NamedTuple):
    """A signed header, the next committee and the finalized header its state names, each with its branch."""

    attested_header: LightClientHeader
    next_sync_committee: SyncCommittee
    next_sync_committee_branch: Branch
    finalized_header: LightClientHeader
    finality_branch: Branch
    sync_aggregate: SyncAggregate
    signature_slot: int


class LightClientFinalityUpdate(NamedTuple):
    """An update without a committee."""

    attested_header: LightClientHeader
    finalized_header: LightClientHeader
    finality_branch: Branch
    sync_aggregate: SyncAggregate
    signature_slot: int


class LightClientOptimisticUpdate(NamedTuple):
    """An update that neither names a committee nor anything finalized."""

    attested_header: LightClientHeader
    sync_aggregate: SyncAggregate
    signature_slot: int


_ROOT = ByteVector(32)
_UINT64 = Uint(8)
BEACON_BLOCK_HEADER = Container(
    BeaconBlockHeader,
    (
        ("slot", _UINT64),
        ("proposer_index", _UINT64),
        ("parent_root", _ROOT),
        ("state_root", _ROOT),
        ("body_root", _ROOT),
    ),
)
_CAPELLA_PAYLOAD: tuple[tuple[str, SszType], ...] = (
    ("parent_hash", _ROOT),
    ("fee_recipient", ByteVector(20)),
    ("state_root", _ROOT),
    ("receipts_root", _ROOT),
    ("logs_bloom", ByteVector(256)),
    ("prev_randao", _ROOT),
    ("block_number", _UINT64),
    ("gas_limit", _UINT64),
    ("gas_used", _UINT64),
    ("timestamp", _UINT64),
    ("extra_data", ByteList(32)),
    ("base_fee_per_gas", Uint(32)),
    ("block_hash", _ROOT),
    ("transactions_root", _ROOT),
    ("withdrawals_root", _ROOT),
)
_DENEB_PAYLOAD = (*_CAPELLA_PAYLOAD, ("blob_gas_used", _UINT64), ("excess_blob_gas", _UINT64))


class Forms(NamedTuple):
    """How one fork writes each kind of light-client object."""

    header: Container
    bootstrap: Container
    update: Container
    finality_update: Container
    optimistic_update: Container


def execution_form(fork: Fork) -> Container:
    """Return the form of an execution payload header from Capella on."""
    return Container(ExecutionPayloadHeader, _DENEB_PAYLOAD if fork >= Fork.DENEB else _CAPELLA_PAYLOAD)


@cache
def committee_form(preset: Preset) -> Container:
    """Return the form of a sync committee, which depends on the preset alone."""
    key = ByteVector(48)
    return Container(SyncCommittee, (("pubkeys", Vector(key, preset.sync_committee_size)), ("aggregate_pubkey", key)))


@cache
def empty_committee(preset: Preset) -> SyncCommittee:
    """Return the committee of zeros that stands for "none"."""
    return SyncCommittee((bytes(48),) * preset.sync_committee_size, bytes(48))


@cache
def forms_of(fork: Fork, preset: Preset) -> Forms:
    """Return how a fork writes light-client objects. Raises ProofError from Gloas on."""
    depths = [index.bit_length() - 1 for index in gindices_of(fork)]
    current, following, finality = (Vector(_ROOT, depth) for depth in depths)
    header_fields: list[tuple[str, SszType]] = [("beacon", BEACON_BLOCK_HEADER)]
    if fork >= Fork.CAPELLA:
        header_fields += [("execution", execution_form(fork)), ("execution_branch", Vector(_ROOT, 4))]
    header = Container(LightClientHeader, header_fields)
    committee = committee_form(preset)
    bits = Bits(preset.sync_committee_size)
    aggregate = Container(SyncAggregate, (("sync_committee_bits", bits), ("sync_committee_signature", ByteVector(96))))
    attested: list[tuple[str, SszType]] = [("attested_header", header)]
    following_fields = [("next_sync_committee", committee), ("next_sync_committee_branch", following)]
    finalized_fields = [("finalized_header", header), ("finality_branch", finality)]
    signed: list[tuple[str, SszType]] = [("sync_aggregate", aggregate), ("signature_slot", _UINT64)]
    current_fields = (("current_sync_committee", committee), ("current_sync_committee_branch", current))
    return Forms(
        header,
        Container(LightClientBootstrap, (("header", header), *current_fields)),
        Container(LightClientUpdate, (*attested, *following_fields, *finalized_fields, *signed)),
        Container(LightClientFinalityUpdate, (*attested, *finalized_fields, *signed)),
        Container(LightClientOptimisticUpdate, (*attested, *signed)),
    )


def read_versioned(answer: Any, kind: str, network: BeaconNetwork, where: str) -> Any:
    """Read one object as the beacon API answers it, {"version", "data"}; `kind` is a field of Forms.

    The version must be the one the chain has at the object's (attested) header. Raises InvalidAnswerError with the
    path of what is wrong, ProofError for data of Gloas. Source: Ethereum beacon APIs, light client.
    """
    if not isinstance(answer, dict) or set(answer) != {"version", "data"}:
        raise InvalidAnswerError(f"{where}: expected an object with exactly version and data")
    fork = network.fork_named(answer["version"], f"{where}.version")
    value = getattr(forms_of(fork, network.preset), kind).read_json(answer["data"], f"{where}.data")
    slot = (value.header if kind == "bootstrap" else value.attested_header).beacon.slot
    if network.fork_at(slot) != fork:
        raise InvalidAnswerError(
            f"{where}.version is {fork.label}; at slot {slot} {network.name} has {network.fork_at(slot).label}"
        )
    return value


def write_versioned(value: Any, kind: str, network: BeaconNetwork) -> dict[str, Any]:
    """Write one object as the beacon API does, in the form of the fork at its (attested) header."""
    fork = network.fork_at((value.header if kind == "bootstrap" else value.attested_header).beacon.slot)
    return {"version": fork.label, "data": getattr(forms_of(fork, network.preset), kind).write_json(value)}

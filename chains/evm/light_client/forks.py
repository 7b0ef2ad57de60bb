"""Which rules a beacon chain follows at which slot: forks, their versions, and the sizes of a preset."""

import tomllib
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from chains.errors import ChainError, InvalidAnswerError, NetworkDataError, ProofError
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.light_client.ssz import hash_pair, merkleize

FAR_FUTURE_EPOCH = 2**64 - 1
_DOMAIN_SYNC_COMMITTEE = bytes.fromhex("07000000")


class Fork(IntEnum):
    """The upgrades since light clients exist, in order; the data forms of Gloas are not read."""

    ALTAIR = 1
    BELLATRIX = 2
    CAPELLA = 3
    DENEB = 4
    ELECTRA = 5
    FULU = 6
    GLOAS = 7

    @property
    def label(self) -> str:
        return self.name.lower()


class Preset(NamedTuple):
    """Sizes fixed when a chain is compiled: members of a sync committee, epochs it serves, slots of an epoch."""

    name: str
    sync_committee_size: int
    epochs_per_sync_committee_period: int
    slots_per_epoch: int

    @property
    def slots_per_period(self) -> int:
        """Return how many slots one sync committee serves; a forced update waits as long."""
        return self.slots_per_epoch * self.epochs_per_sync_committee_period


MAINNET = Preset("mainnet", 512, 256, 32)
MINIMAL = Preset("minimal", 32, 8, 8)
PRESETS = {preset.name: preset for preset in (MAINNET, MINIMAL)}


class ScheduledFork(NamedTuple):
    """One upgrade of one chain: its four-byte version and the epoch from which it holds."""

    fork: Fork
    version: bytes
    epoch: int


class GIndices(NamedTuple):
    """Where the light client's leaves stand in a beacon state, as generalized indices."""

    current_sync_committee: int
    next_sync_committee: int
    finalized_root: int


_ALTAIR_GINDICES = GIndices(54, 55, 105)
_ELECTRA_GINDICES = GIndices(86, 87, 169)


def gindices_of(fork: Fork) -> GIndices:
    """Return the generalized indices of a fork's beacon state.

    Raises ProofError from Gloas on, which moved them. Source: consensus specification, Altair and Electra.
    """
    if fork >= Fork.GLOAS:
        raise ProofError(f"light-client data of {fork.label} is not read; the newest is that of {Fork.FULU.label}")
    return _ELECTRA_GINDICES if fork >= Fork.ELECTRA else _ALTAIR_GINDICES


class BeaconNetwork(NamedTuple):
    """One beacon chain: its genesis, its preset and its upgrades in order. `genesis_time` is Unix seconds."""

    name: str
    preset: Preset
    genesis_validators_root: bytes
    genesis_time: int
    seconds_per_slot: int
    genesis_fork_version: bytes
    forks: tuple[ScheduledFork, ...]

    def epoch_at(self, slot: int) -> int:
        return slot // self.preset.slots_per_epoch

    def period_at(self, slot: int) -> int:
        """Return the sync committee period of a slot (compute_sync_committee_period_at_slot)."""
        return slot // self.preset.slots_per_period

    def time_of(self, slot: int) -> int:
        return self.genesis_time + slot * self.seconds_per_slot

    def slot_at(self, time: int) -> int:
        """Return the slot in progress at a Unix time; -1 before genesis."""
        return max(-1, (time - self.genesis_time) // self.seconds_per_slot)

    def fork_at(self, slot: int) -> Fork:
        """Return the fork whose data forms hold at a slot. Before Altair there are no light clients: Altair's."""
        epoch = self.epoch_at(slot)
        return max((scheduled.fork for scheduled in self.forks if scheduled.epoch <= epoch), default=Fork.ALTAIR)

    def version_at(self, slot: int) -> bytes:
        """Return the fork version of a slot's epoch (compute_fork_version)."""
        epoch = self.epoch_at(slot)
        held = [scheduled.version for scheduled in self.forks if scheduled.epoch <= epoch]
        return held[-1] if held else self.genesis_fork_version

    def fork_named(self, name: Any, where: str) -> Fork:
        """Return the fork that a file calls by name. Raises InvalidAnswerError for one this chain does not have."""
        known = {scheduled.fork.label: scheduled.fork for scheduled in self.forks}
        if not isinstance(name, str) or name not in known:
            raise InvalidAnswerError(f"{where} is {str(name)[:40]!r}; {self.name} has {', '.join(known)}")
        return known[name]

    def signing_root(self, header_root: bytes, signature_slot: int) -> bytes:
        """Return what a sync committee signs in `signature_slot`: the header's root under the chain's domain.

        The version is that of the slot before, in which the signed block stood.
        """
        version = self.version_at(max(signature_slot, 1) - 1)
        domain = compute_domain(version, self.genesis_validators_root)
        return hash_pair(header_root, domain)


def compute_fork_data_root(version: bytes, genesis_validators_root: bytes) -> bytes:
    """Return the root that binds a fork version to one chain."""
    return merkleize([version.ljust(32, b"\x00"), genesis_validators_root], 2)


def compute_domain(version: bytes, genesis_validators_root: bytes) -> bytes:
    """Return the 32-byte domain of sync committee signatures. Source: consensus specification, phase 0."""
    return _DOMAIN_SYNC_COMMITTEE + compute_fork_data_root(version, genesis_validators_root)[:28]


@cache
def beacon_network(name: str) -> BeaconNetwork:
    """Return a beacon chain that is described beside this module. Raises NetworkDataError for an unknown name."""
    folder = files("chains.evm.light_client")
    known = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    if name not in known:
        raise NetworkDataError(f"unknown beacon chain {name[:40]!r}; known: {', '.join(known)}")
    try:
        return _described(tomllib.loads((folder / f"{name}.toml").read_text("utf-8")))
    except (KeyError, TypeError, tomllib.TOMLDecodeError, ChainError) as error:
        raise NetworkDataError(f"{name}.toml: {error}") from error


def _described(record: Mapping[str, Any]) -> BeaconNetwork:
    forks = [
        ScheduledFork(Fork[entry["fork"].upper()], data(entry["version"], "version", 4), entry["epoch"])
        for entry in record["forks"]
    ]
    if forks != sorted(forks, key=lambda scheduled: (scheduled.epoch, scheduled.fork)):
        raise NetworkDataError("its forks are not in order")
    return BeaconNetwork(
        record["name"],
        PRESETS[record["preset"]],
        data(record["genesis_validators_root"], "genesis_validators_root", 32),
        record["genesis_time"],
        record["seconds_per_slot"],
        data(record["genesis_fork_version"], "genesis_fork_version", 4),
        tuple(forks),
    )


def network_of_config(config: Mapping[str, Any], genesis_validators_root: bytes) -> BeaconNetwork:
    """Describe a chain from a beacon node's configuration, all values as strings, as `/eth/v1/config/spec` names them.

    Forks at the far-future epoch are left out. Raises NetworkDataError when an entry is missing or malformed.
    """
    try:
        preset = PRESETS[config["PRESET_BASE"]]
        epochs = {fork: int(config.get(f"{fork.name}_FORK_EPOCH", FAR_FUTURE_EPOCH)) for fork in Fork}
        forks = tuple(
            ScheduledFork(fork, data(config[f"{fork.name}_FORK_VERSION"], f"{fork.name}_FORK_VERSION", 4), epoch)
            for fork, epoch in epochs.items()
            if epoch < FAR_FUTURE_EPOCH
        )
        seconds, genesis = int(config.get("SECONDS_PER_SLOT", 12)), int(config.get("MIN_GENESIS_TIME", 0))
        version = data(config["GENESIS_FORK_VERSION"], "GENESIS_FORK_VERSION", 4)
    except (KeyError, TypeError, ValueError, InvalidAnswerError) as error:
        raise NetworkDataError(f"beacon configuration: {error}") from error
    name = str(config.get("CONFIG_NAME", hexadecimal(genesis_validators_root)[:10]))
    return BeaconNetwork(name, preset, genesis_validators_root, genesis, seconds, version, forks)

"""Play a recorded sequence of light-client steps, in the form of the consensus specification's sync vectors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from chains.errors import InvalidAnswerError, NetworkDataError, ProofError
from chains.evm.hexadecimal import data, hexadecimal
from chains.evm.light_client.containers import LightClientHeader, forms_of
from chains.evm.light_client.forks import BeaconNetwork, Fork, compute_fork_data_root, network_of_config
from chains.evm.light_client.header import beacon_root, get_lc_execution_root
from chains.evm.light_client.store import LightClientStore, initialize_light_client_store, upgrade_lc_store
from chains.evm.light_client.update import process_light_client_store_force_update, process_light_client_update


def compute_fork_digests(network: BeaconNetwork, blob_schedule: Sequence[tuple[int, int]]) -> dict[bytes, Fork]:
    """Return the forks by their four-byte digests; from Fulu on each change of the blob limit has its own.

    `blob_schedule` lists (epoch, most blobs in a block), Electra's included. Source: consensus specification, Fulu.
    """
    digests = {}
    ends = [later.epoch for later in network.forks[1:]] + [2**64]
    for scheduled, end in zip(network.forks, ends, strict=True):
        root = compute_fork_data_root(scheduled.version, network.genesis_validators_root)
        if scheduled.fork < Fork.FULU:
            digests[root[:4]] = scheduled.fork
            continue
        for epoch, blobs in _limits(blob_schedule, scheduled.epoch, end):
            mask = sha256(epoch.to_bytes(8, "little") + blobs.to_bytes(8, "little")).digest()
            digests[bytes(a ^ b for a, b in zip(root[:4], mask[:4], strict=True))] = scheduled.fork
    return digests


def _limits(schedule: Sequence[tuple[int, int]], begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the blob limits that hold at some epoch of a fork: the one in force at its start, and each later one."""
    before = [entry for entry in sorted(schedule) if entry[0] <= begin]
    yield from before[-1:]
    yield from (entry for entry in sorted(schedule) if begin < entry[0] < end)


def play_sync_steps(
    meta: Mapping[str, Any], config: Mapping[str, Any], steps: Sequence[Any], load: Callable[[str], bytes]
) -> LightClientStore:
    """Play every step of one case and check the store after each; return the last store.

    All values of `meta`, `config` and `steps` are strings, as a YAML reader that resolves no types gives them; `load`
    returns the SSZ bytes of an object by its name, already decompressed. Raises ProofError where a step is refused or
    a check differs, InvalidAnswerError or NetworkDataError where a file is malformed.
    Source: consensus specification, tests/formats/light_client/sync.
    """
    try:
        return _play(meta, config, steps, load)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidAnswerError(f"the case is malformed: {type(error).__name__}: {error}") from error


def _play(
    meta: Mapping[str, Any], config: Mapping[str, Any], steps: Sequence[Any], load: Callable[[str], bytes]
) -> LightClientStore:
    network = network_of_config(config, data(meta["genesis_validators_root"], "genesis_validators_root", 32))
    digests = compute_fork_digests(network, _blob_schedule(config))
    first = _fork(meta, "bootstrap_fork_digest", digests, network)
    bootstrap = forms_of(first, network.preset).bootstrap.deserialize(load("bootstrap"), "bootstrap")
    root = data(meta["trusted_block_root"], "trusted_block_root", 32)
    store = initialize_light_client_store(root, bootstrap, network, _fork(meta, "store_fork_digest", digests, network))
    for number, step in enumerate(steps):
        ((kind, details),) = step.items()
        try:
            store = _played(kind, details, store, network, digests, load)
            _check(details["checks"], store, network)
        except ProofError as error:
            raise ProofError(f"step {number} ({kind}): {error}") from error
    return store


def _played(
    kind: str,
    details: Mapping[str, Any],
    store: LightClientStore,
    network: BeaconNetwork,
    digests: Mapping[bytes, Fork],
    load: Callable[[str], bytes],
) -> LightClientStore:
    if kind == "process_update":
        fork = _fork(details, "update_fork_digest", digests, network)
        update = forms_of(fork, network.preset).update.deserialize(load(details["update"]), "update")
        return process_light_client_update(store, update, int(details["current_slot"]), network)
    if kind == "force_update":
        return process_light_client_store_force_update(store, int(details["current_slot"]), network)
    if kind == "upgrade_store":
        return upgrade_lc_store(store, _fork(details, "store_fork_digest", digests, network))
    raise InvalidAnswerError(f"unknown step {kind[:40]!r}")


def _blob_schedule(config: Mapping[str, Any]) -> list[tuple[int, int]]:
    try:
        entries = [
            (int(entry["EPOCH"]), int(entry["MAX_BLOBS_PER_BLOCK"])) for entry in config.get("BLOB_SCHEDULE", ())
        ]
        if "MAX_BLOBS_PER_BLOCK_ELECTRA" in config:
            entries.append((int(config["ELECTRA_FORK_EPOCH"]), int(config["MAX_BLOBS_PER_BLOCK_ELECTRA"])))
    except (KeyError, TypeError, ValueError) as error:
        raise NetworkDataError(f"beacon configuration: BLOB_SCHEDULE: {error}") from error
    return entries


def _fork(record: Mapping[str, Any], field: str, digests: Mapping[bytes, Fork], network: BeaconNetwork) -> Fork:
    digest = data(record.get(field), field, 4)
    if digest not in digests:
        raise NetworkDataError(f"{field} {hexadecimal(digest)} belongs to no fork of {network.name}")
    return digests[digest]


def _check(checks: Mapping[str, Any], store: LightClientStore, network: BeaconNetwork) -> None:
    for name, expected in checks.items():
        header: LightClientHeader = getattr(store, name)
        found = {
            "slot": str(header.beacon.slot),
            "beacon_root": hexadecimal(beacon_root(header.beacon)),
            "execution_root": hexadecimal(get_lc_execution_root(header, network)),
        }
        for field, value in expected.items():
            if found.get(field) != str(value):
                raise ProofError(f"{name}.{field} is {found.get(field)}; expected {value}")

"""Whole sets of unspent coins as evidence: which file is of which chain, what a bundle keeps of it, and the check."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chains.bitcoin.address import canonical_address, script_of
from chains.bitcoin.utxo.extract import (
    MAX_BYTES,
    Extract,
    contradiction,
    extract_coins,
    extract_record,
    network_fits,
    read_extract,
)
from chains.bitcoin.utxo.snapshot import open_snapshot
from chains.errors import ChainError
from chains.ids import ChainId, address_of, chain_of, family_of
from chains.network import Network, network_of
from verifier.attestation.bundle import Bundle
from verifier.canonical import canonical_json
from verifier.errors import InputError
from verifier.reserves import Placement

# A set up to this size travels in the bundle; a larger one is named by its hash, and the verifier brings it.
CARRIED = 256 * 1024 * 1024

Progress = Callable[[str, int, int], None]


def gather_coin_sets(
    files: Sequence[Path], placements: Sequence[Placement], staging: Path, progress: Progress
) -> dict[ChainId, Extract]:
    """Extract the declared scripts' coins from each file and write what the bundle keeps of it below `staging`.

    Raises InputError when a file is of no declared chain or two are of one, ChainError when a file is damaged.
    """
    found: dict[ChainId, Extract] = {}
    for path in files:
        chain = _chain_of_file(path, placements)
        if chain in found:
            raise InputError(f"{path}: there is another UTXO set of {network_of(chain).name} already")
        network = network_of(chain)
        extract = extract_coins(path, network, _scripts(network, placements), _told(progress, network))
        found[chain] = extract
        target = staging / extract_name(chain)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(canonical_json(extract_record(extract)))
        if path.stat().st_size <= CARRIED:
            shutil.copyfile(path, staging / file_name(chain))
    return found


def read_coin_sets(bundle: Bundle, chains: Sequence[ChainId]) -> dict[ChainId, Extract]:
    """Read the extracts a bundle keeps. Raises InputError."""
    found: dict[ChainId, Extract] = {}
    for chain in chains:
        text = bundle.read(extract_name(chain), MAX_BYTES)
        if text is not None:
            try:
                found[chain] = read_extract(text, extract_name(chain), network_of(chain))
            except ChainError as error:
                raise InputError(f"{bundle.folder}: {error}") from error
    return found


def recheck_coin_sets(
    bundle: Bundle, extracts: Mapping[ChainId, Extract], files: Sequence[Path], progress: Progress
) -> dict[ChainId, str]:
    """Scan each set again, the verifier's own file before the bundle's; return per chain what contradicts, or "".

    A chain without a file is left out: nobody has looked. Raises InputError when a file belongs to none of the chains.
    """
    own = {_chain_of_set(path, list(extracts)): path for path in files}
    outcomes: dict[ChainId, str] = {}
    for chain, extract in extracts.items():
        path = own.get(chain) or bundle.path(file_name(chain))
        if path is not None:
            network = network_of(chain)
            outcomes[chain] = contradiction(extract, path, network, _told(progress, network))
    return outcomes


def extract_name(chain: ChainId) -> str:
    """Return the bundle part that keeps a chain's extract."""
    return f"utxo/{chain.partition(':')[2]}.json"


def file_name(chain: ChainId) -> str:
    """Return the bundle part that keeps a chain's whole set, when it is small enough."""
    return f"utxo/{chain.partition(':')[2]}.dat"


def _chain_of_file(path: Path, placements: Sequence[Placement]) -> ChainId:
    return _chain_of_set(path, sorted({chain_of(placement.holding.account) for placement in placements}))


def _chain_of_set(path: Path, chains: Sequence[ChainId]) -> ChainId:
    snapshot = open_snapshot(path)
    fitting = [chain for chain in chains if family_of(chain) == "bip122" and network_fits(network_of(chain), snapshot)]
    if len(fitting) != 1:
        raise InputError(
            f"{path}: a UTXO set must be of exactly one of the chains here; this one, with the magic"
            f" {snapshot.network_magic.hex() or 'of none (older format)'}, fits {', '.join(fitting) or 'none'}"
        )
    return fitting[0]


def _scripts(network: Network, placements: Sequence[Placement]) -> list[bytes]:
    accounts = {
        placement.holding.account for placement in placements if chain_of(placement.holding.account) == network.chain
    }
    return [script_of(network, canonical_address(network, address_of(account))) for account in sorted(accounts)]


def _told(progress: Progress, network: Network) -> Callable[[int, int], None]:
    return lambda done, of: progress(f"{network.name}: coins", done, of)

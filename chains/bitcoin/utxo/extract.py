"""What a whole UTXO set says of declared scripts: small enough to travel, and checked against the set's file."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chains.bitcoin.address import bitcoin_facts
from chains.bitcoin.holdings import targets_of
from chains.bitcoin.utxo.scan import Progress, UnspentCoin, scan
from chains.bitcoin.utxo.snapshot import HEADERLESS, Snapshot, open_snapshot
from chains.decode import parse_json
from chains.errors import InvalidAnswerError, NetworkDataError, ProofError
from chains.model import BlockRef, Holding, Reading, UnspentOutput
from chains.network import Network, network_of
from chains.providers import describe_validation

FORMAT = "reserve-verifier/utxo-extract/1"
MAX_BYTES = 512 * 1024 * 1024
OPERATOR = "UTXO set"

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ScriptHex = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){0,10000}$")]
Units = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,18})$")]
Index = Annotated[int, Field(ge=0, lt=2**32)]


class Extract(NamedTuple):
    """All coins of some scripts (hexadecimal) in one UTXO set, and the hash that commits to the whole set.

    `base_hash` is the block after which the set was written. By itself an extract is the word of whoever made it.
    """

    chain: str
    base_hash: str
    coin_count: int
    hash_serialized: str
    scripts: Mapping[str, tuple[UnspentCoin, ...]]

    @property
    def root(self) -> str:
        return self.hash_serialized

    @property
    def about(self) -> str:
        return f"the hash over all {self.coin_count:,} unspent coins after block {self.base_hash}"

    def prove_balances(self, block: BlockRef, holdings: Sequence[Holding]) -> list[Reading]:
        """Read holdings out of the extract, one Reading each; a script it does not speak of is a failure."""
        return [
            self._reading(block, target.holding, target.script.hex(), target.failure)
            for target in targets_of(network_of(block.chain), holdings)
        ]

    def _reading(self, block: BlockRef, holding: Holding, script: str, failure: str) -> Reading:
        coins = self.scripts.get(script)
        if block.hash != self.base_hash:
            failure = f"the UTXO set is of block {self.base_hash}, not of {block.hash}"
        elif coins is None and not failure:
            failure = f"the extract of the UTXO set does not speak of the script {script[:80]}"
        if failure or coins is None:
            return Reading(holding, OPERATOR, block, None, (), failure)
        unspent = tuple(
            sorted(UnspentOutput(f"{coin.txid}:{coin.vout}", coin.units, coin.height, coin.coinbase) for coin in coins)
        )
        units = sum(coin.units for coin in coins)
        return Reading(holding, OPERATOR, block, units, (f"utxo-set:{self.root}",), coins=unspent)


def network_fits(network: Network, snapshot: Snapshot) -> bool:
    """Say whether a snapshot can be of a network: by its magic, or by being of the older format, which has none."""
    facts = bitcoin_facts(network)
    if snapshot.version == HEADERLESS:
        return facts.headerless_snapshots
    return facts.network_magic != "" and snapshot.network_magic.hex() == facts.network_magic


def extract_coins(
    path: Path, network: Network, scripts: Collection[bytes], progress: Progress | None = None, workers: int = 2
) -> Extract:
    """Read a `dumptxoutset` file once: the coins of all scripts, and the hash that nodes vouch for.

    Raises NetworkDataError when the file is of another network, ProofError where it is damaged, UnreadableFileError.
    """
    snapshot = open_snapshot(path)
    if not network_fits(network, snapshot):
        raise NetworkDataError(f"{path}: is no UTXO set of {network.name}")
    most = bitcoin_facts(network).max_money
    found = scan(snapshot, scripts, progress, workers, max_units=most, hash_serialized=True)
    if found.hash_serialized is None:
        raise ProofError(f"{path}: no hash over its coins was taken")
    coins = {script.hex(): held.coins for script, held in found.scripts.items()}
    return Extract(network.chain, snapshot.base_hash, found.coin_count, found.hash_serialized, coins)


def extract_record(extract: Extract) -> dict[str, Any]:
    """Return an extract as JSON values, in one fixed order."""
    return {
        "format": FORMAT,
        "chain": extract.chain,
        "base_hash": extract.base_hash,
        "coin_count": extract.coin_count,
        "hash_serialized": extract.hash_serialized,
        "scripts": {
            script: [[coin.txid, coin.vout, str(coin.units), coin.height, coin.coinbase] for coin in coins]
            for script, coins in sorted(extract.scripts.items())
        },
    }


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    format: Literal["reserve-verifier/utxo-extract/1"]
    chain: str
    base_hash: Hash
    coin_count: int = Field(ge=0, lt=2**40)
    hash_serialized: Hash
    scripts: dict[ScriptHex, list[Annotated[list[Any], Field(min_length=5, max_length=5)]]]


class _Coin(BaseModel):
    model_config = ConfigDict(strict=True)
    txid: Hash
    vout: Index
    units: Units
    height: Index
    coinbase: bool


def read_extract(text: bytes, where: str, network: Network) -> Extract:
    """Read an extract. Raises InvalidAnswerError that names the field; no outpoint may stand twice."""
    if len(text) > MAX_BYTES:
        raise InvalidAnswerError(f"{where}: larger than {MAX_BYTES:,} bytes")
    try:
        parsed = _File.model_validate(parse_json(text))
        scripts = {script: tuple(_coin(coin) for coin in coins) for script, coins in parsed.scripts.items()}
    except ValidationError as error:
        raise InvalidAnswerError(f"{where}: {describe_validation(error)}") from error
    if parsed.chain != network.chain:
        raise InvalidAnswerError(f"{where}: is of {parsed.chain[:60]!r}; expected {network.chain}")
    coins = [coin for held in scripts.values() for coin in held]
    if len({(coin.txid, coin.vout) for coin in coins}) != len(coins):
        raise InvalidAnswerError(f"{where}: holds the same coin twice")
    if sum(coin.units for coin in coins) > bitcoin_facts(network).max_money:
        raise InvalidAnswerError(f"{where}: its coins add up to more than there can be")
    return Extract(parsed.chain, parsed.base_hash, parsed.coin_count, parsed.hash_serialized, scripts)


def _coin(values: list[Any]) -> UnspentCoin:
    coin = _Coin.model_validate(dict(zip(_Coin.model_fields, values, strict=True)))
    return UnspentCoin(coin.txid, coin.vout, int(coin.units), coin.height, coin.coinbase)


def contradiction(extract: Extract, path: Path, network: Network, progress: Progress | None = None) -> str:
    """Scan a file of the same set again; say what the extract tells otherwise, or nothing when it follows from it.

    Raises NetworkDataError when the file is another set, ProofError and UnreadableFileError.
    """
    again = extract_coins(path, network, [bytes.fromhex(script) for script in extract.scripts], progress)
    if (again.base_hash, again.hash_serialized) != (extract.base_hash, extract.hash_serialized):
        raise NetworkDataError(
            f"{path}: is the set after block {again.base_hash} with the hash {again.hash_serialized}; the bundle speaks"
            f" of the one after block {extract.base_hash} with the hash {extract.hash_serialized}"
        )
    differing = [script for script, coins in extract.scripts.items() if set(coins) != set(again.scripts[script])]
    if not differing and extract.coin_count == again.coin_count:
        return ""
    return (
        f"{len(differing)} scripts have other coins in the set than in the bundle's extract, the first {differing[:1]}"
    )

"""The tree of claims of millions: written as a table, built in pieces by the engine that builds large trees."""

import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from verifier.errors import InputError
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.inclusion.proof import InclusionProof
from verifier.liabilities.accounts import Account
from verifier.liabilities.places import PRIVATE
from verifier.liabilities.progress import Progress
from verifier.liabilities.publisher.folder import THIS_MACHINE, Terms, publish_folder
from verifier.liabilities.publisher.opening import open_leaf_list
from verifier.liabilities.publisher.store import Store

ROWS = 65_536
TABLE, CLAIMS = "payouts.parquet", "claims"


def write_large(
    folder: Path,
    payouts: Iterable[Account],
    assets: tuple[TreeAsset, ...],
    run_id: str,
    as_of: str,
    secret: bytes,
    progress: Progress,
) -> Commitment | None:
    """Write `payouts.parquet` (base units as decimals) and `claims/`; as `claim_tree.write_claims`."""
    schema = pa.schema([("account", pa.string()), *((one.symbol, pa.decimal128(38, 0)) for one in assets)])
    rows = 0
    folder.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(folder / TABLE, schema, compression="zstd") as writer:
        for batch in _batches(payouts, schema):
            rows += batch.num_rows
            writer.write_batch(batch)
    if not rows:
        (folder / TABLE).unlink()
        return None
    key = folder / "claims.key"
    key.write_text(f"{secret.hex()}\n", "ascii")
    terms = Terms(assets, run_id, as_of, 1, base_units=True)
    done = publish_folder(str(folder / TABLE), terms, folder / CLAIMS, key, THIS_MACHINE, progress)
    key.unlink()  # everybody derives it from the plan: there is nothing private here
    shutil.rmtree(folder / CLAIMS / PRIVATE)
    return done.commitment


def prove_large(folder: Path, leaf: bytes, secret: bytes) -> InclusionProof | None:
    """Return a claim's proof; as `claim_tree.prove_claim`."""
    try:
        return Store(open_leaf_list(folder / CLAIMS), secret).prove(leaf.hex())
    except InputError as error:
        if "no such account" in str(error):
            return None
        raise


def read_column(folder: Path, symbol: str) -> Iterator[tuple[str, int]]:
    """Yield each leaf's hash and what it is paid of one asset. Raises InputError for a table that is none."""
    try:
        with pq.ParquetFile(folder / TABLE, page_checksum_verification=True) as table:
            for batch in table.iter_batches(ROWS, columns=["account", symbol]):
                accounts, units = (batch.column(name).to_pylist() for name in ("account", symbol))
                yield from zip(accounts, map(int, units), strict=True)
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        raise InputError(f"{folder / TABLE}: is no table of payouts: {error}") from error


def _batches(payouts: Iterable[Account], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    source = iter(payouts)
    while rows := list(islice(source, ROWS)):
        columns = [pa.array([row.id for row in rows], pa.string())]
        for place, field in enumerate(list(schema)[1:]):
            columns.append(pa.array([row.units[place] for row in rows], field.type))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)

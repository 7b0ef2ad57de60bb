"""Build a liabilities tree on Spark: the publisher's own two steps behind `mapInArrow` and `applyInArrow`.

    spark-submit publish_on_spark.py accounts.parquet assets.json RUN_ID AS_OF SECRET_FILE LEAVES OUT

LEAVES is a path or URL that every executor reaches; the executors need `reserve-verifier[publish]`. The root is the one
that `por tree build` gives, and `por tree prove` and `por tree audit` read what was written.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from verifier.errors import InputError
from verifier.inclusion import sum_tree
from verifier.liabilities.accounts import load_assets
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.folder import read_secret
from verifier.liabilities.places import COMMITMENT, ELSEWHERE
from verifier.liabilities.publisher.blocks import cut_blocks
from verifier.liabilities.publisher.kernels import POSITION_BYTES, kernel_of, node_width, record_width
from verifier.liabilities.publisher.leaf_files import write_part
from verifier.liabilities.publisher.leaf_index import LeafIndex, PartEntry, save_index
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.publish import commit
from verifier.liabilities.publisher.table import read_rows
from verifier.liabilities.publisher.tasks import Order, sort_records

PREFIX_BITS = 8
RECORD, NODES = "prefix int, record binary", "prefix int, head binary, roots binary, tail binary"


def hash_rows(order: Order, key: bytes) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Rows of accounts become (prefix, leaf record)."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = read_rows(pa.Table.from_batches([batch]), 1, order.assets)
            if isinstance(rows, list):
                raise InputError(f"{len(rows)} cells are refused: {rows[0].column}: {rows[0].reason}")
            records = kernel_of("plain").leaf_records(key, order.run_id, rows.ids, rows.units)
            prefixes = np.ascontiguousarray(records[:, 0]).astype(np.int32) >> (8 - PREFIX_BITS)
            columns = [pa.array(prefixes), pa.array([record.tobytes() for record in records], pa.binary())]
            yield pa.RecordBatch.from_arrays(columns, ["prefix", "record"])

    return run


def build_part(order: Order, begins: list[int], leaves: Place) -> Callable[[pa.Table], pa.Table]:
    """The records of one prefix become a part of the leaf list, and the roots of its blocks."""

    def run(table: pa.Table) -> pa.Table:
        prefix, width = table["prefix"][0].as_py(), record_width(len(order.assets))
        raw = np.frombuffer(b"".join(table["record"].to_pylist()), dtype=np.uint8).reshape(-1, width)
        records, doubled = sort_records(raw)
        if doubled:
            raise InputError("an account is listed twice; `por tree build` says which and where")
        write_part(leaves, prefix, records, begins[prefix], order.assets)
        cut = cut_blocks(kernel_of("plain"), records[:, POSITION_BYTES:], begins[prefix])
        values = [pa.array([prefix], pa.int32()), *(pa.array([part.tobytes()], pa.binary()) for part in cut)]
        return pa.Table.from_arrays(values, ["prefix", "head", "roots", "tail"])

    return run


def main(source: str, assets: str, run_id: str, as_of: str, secret_file: str, leaves_at: str, out: str) -> None:
    order = Order(source, load_assets(Path(assets)), run_id, as_of, read_secret(Path(secret_file)))
    leaves = Place(leaves_at)
    leaves.make()
    spark = SparkSession.builder.getOrCreate()
    # 1. Rows become leaf records; Spark keeps them until they were counted
    key = sum_tree.salt_key(order.secret, run_id)
    records = spark.read.parquet(source).mapInArrow(hash_rows(order, key), RECORD).cache()
    counts = {row["prefix"]: row["count"] for row in records.groupBy("prefix").count().collect()}
    begins = [0, *accumulate(counts.get(prefix, 0) for prefix in range(1 << PREFIX_BITS))]
    # 2. Every prefix becomes a part
    parts = records.groupBy("prefix").applyInArrow(build_part(order, begins, leaves), NODES).collect()
    # 3. The driver folds the top
    width = node_width(len(order.assets))
    nodes = [
        [np.frombuffer(row[name], dtype=np.uint8).reshape(-1, width) for name in ("head", "roots", "tail")]
        for row in sorted(parts, key=lambda row: row["prefix"])
    ]
    commitment, levels = commit(order, nodes, begins[-1])
    index = tuple(PartEntry(prefix, begins[prefix], count) for prefix, count in sorted(counts.items()))
    save_index(leaves, LeafIndex(PREFIX_BITS, index), levels)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ELSEWHERE).write_text(f"{leaves_at}\n", "utf-8")
    save_commitment(folder / COMMITMENT, commitment)
    sys.stdout.write(f"{commitment.digest}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

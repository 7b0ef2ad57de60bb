"""The engine for tables of millions of accounts: the same tree, built in pieces over any executor, kept as Parquet."""

from importlib.util import find_spec

from chains.errors import MissingExtraError

for _needed in ("numpy", "pyarrow"):
    if find_spec(_needed) is None:
        raise MissingExtraError(
            f"large tables and Parquet need {_needed!r}: install reserve-verifier[publish], or use a CSV below 16 MiB"
        )

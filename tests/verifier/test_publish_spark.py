"""The documented recipe runs on a real Spark and gives the same root; a regulator audits what it wrote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verifier.published import AS_OF, ASSETS, RUN, SECRET, accounts, parquet
from verifier.liabilities.build import build
from verifier.liabilities.inspect import BooksFile, Effort, inspect_folder

RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "publish_on_spark.py"


@pytest.mark.long
def test_the_recipe_gives_the_same_root_on_spark(tmp_path: Path) -> None:
    table = parquet(tmp_path / "a.parquet", accounts(5_000), 500)
    (tmp_path / "assets.json").write_text(json.dumps([asset._asdict() for asset in ASSETS]))
    (tmp_path / "secret").write_text(SECRET.hex())
    arguments: list[str | Path] = [
        table,
        tmp_path / "assets.json",
        RUN,
        AS_OF,
        tmp_path / "secret",
        tmp_path / "leaves",
        tmp_path / "out",
    ]
    local = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(RECIPE.parents[2])}
    spark = {"PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false pyspark-shell"}
    done = subprocess.run(
        [sys.executable, RECIPE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | local | spark,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.strip() == build(accounts(5_000), ASSETS, RUN, AS_OF, SECRET).commitment.digest
    audited = inspect_folder(tmp_path / "out", BooksFile(str(table), tmp_path / "secret"), None, Effort())
    assert (audited.findings, audited.accounts) == ((), 5_000)

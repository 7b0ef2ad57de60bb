"""The same build on clusters of two workers and over shared storage: the same root, and nothing twice after a loss."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.published import AS_OF, ASSETS, RUN, SECRET, accounts, parquet
from verifier.errors import InputError
from verifier.inclusion.check import check_proofs
from verifier.liabilities.build import build
from verifier.liabilities.progress import Progress, silent
from verifier.liabilities.publisher.executors import executor_of
from verifier.liabilities.publisher.folder import Engines, Terms, publish_folder
from verifier.liabilities.publisher.opening import open_store
from verifier.liabilities.publisher.publish import Published

ROOT = build(accounts(6_000), ASSETS, RUN, AS_OF, SECRET).commitment
STORAGE = "?region=us-east-1&scheme=http&endpoint_override=127.0.0.1%3A{port}"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("verifier.liabilities.publisher.publish.rows_per_task", lambda assets, parts: 500)
    (tmp_path / "secret").write_text(SECRET.hex())
    return parquet(tmp_path / "a.parquet", accounts(6_000), 500)


def built(table: Path, engines: Engines, progress: Progress = silent) -> Published:
    folder = table.parent
    return publish_folder(str(table), Terms(ASSETS, RUN, AS_OF), folder / "out", folder / "secret", engines, progress)


# --- Dask ---


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        yield cluster


def test_dask_gives_the_same_root(dask: Any, table: Path) -> None:
    address = dask.scheduler_address.removeprefix("tcp://")
    done = built(table, Engines(cluster=f"dask://{address}"))
    assert done.commitment == ROOT
    assert done.cpu_seconds > 0
    assert open_store(table.parent / "out").prove("user-1").commitment == ROOT


def test_dask_finishes_although_a_worker_is_killed(dask: Any, table: Path) -> None:
    killed: list[int] = []

    def kill(what: str, done: int, of: int) -> None:
        if not killed:
            killed.append(next(iter(dask.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    address = dask.scheduler_address.removeprefix("tcp://")
    assert built(table, Engines(cluster=f"dask://{address}"), kill).commitment == ROOT
    assert killed


# --- Ray ---


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    yield ray
    ray.shutdown()


def test_ray_gives_the_same_root(ray: Any, table: Path) -> None:
    assert built(table, Engines(cluster="ray://auto")).commitment == ROOT


def test_ray_finishes_although_a_worker_is_killed(ray: Any, table: Path) -> None:
    worker = ray.get(ray.remote(process_of_worker).remote())
    killed: list[int] = []

    def kill(what: str, done: int, of: int) -> None:
        if not killed:
            killed.append(worker)
            os.kill(worker, signal.SIGKILL)

    assert built(table, Engines(cluster="ray://auto"), kill).commitment == ROOT
    assert killed


def process_of_worker() -> int:
    return os.getpid()


# --- storage that several machines share ---


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the options of an S3-compatible server on this machine that holds an empty bucket `exchange`."""
    server_module = pytest.importorskip("moto.server")
    from pyarrow import fs

    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    options = STORAGE.format(port=server.get_host_and_port()[1])
    filesystem, _ = fs.FileSystem.from_uri(f"s3://exchange{options}&allow_bucket_creation=true")
    filesystem.create_dir("exchange")
    yield options
    server.stop()


def por_tree(*arguments: str | Path) -> str:
    """Run the command in a process of its own, whose workers have the credentials from its environment."""
    command = [sys.executable, "-m", "verifier.cli.main", "tree", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_table_spill_and_leaf_list_may_lie_in_shared_storage(storage: str, tmp_path: Path) -> None:
    from pyarrow import fs

    source = f"s3://exchange/a.parquet{storage}"
    filesystem, _ = fs.FileSystem.from_uri(f"s3://exchange{storage}")
    with filesystem.open_output_stream("exchange/a.parquet") as stream:
        stream.write(parquet(tmp_path / "a.parquet", accounts(6_000), 500).read_bytes())
    (tmp_path / "assets.json").write_text(json.dumps([asset._asdict() for asset in ASSETS]))
    (tmp_path / "secret").write_text(SECRET.hex())
    out = tmp_path / "out"
    given = ["--accounts", source, "--assets", tmp_path / "assets.json", "--run-id", RUN, "--as-of", AS_OF]
    places = ["--store", f"s3://exchange/leaves{storage}", "--spill", f"s3://exchange/spill{storage}"]
    built = por_tree("build", *given, *places, "--out", out, "--secret-file", tmp_path / "secret", "--json")
    assert json.loads(built)["root"] == ROOT.digest
    (tmp_path / "mine.json").write_text(por_tree("prove", out, "--account", "user-4321"))
    assert check_proofs([tmp_path / "mine.json"], root=ROOT.digest).verdict == "accepted"
    audited = por_tree("audit", out, "--accounts", source, "--secret-file", tmp_path / "secret", "--json")
    assert (json.loads(audited)["verdict"], json.loads(audited)["accounts"]) == ("pass", 6_000)
    left = filesystem.get_file_info(fs.FileSelector("exchange", recursive=True))
    assert not [entry.path for entry in left if "spill" in entry.path and entry.is_file]


@pytest.mark.parametrize("address", ["spark://x:1", "dask://", "dask", "ray://"])
def test_a_cluster_that_is_not_known_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="unknown cluster"), executor_of(address, 2, "plain"):
        pass


def test_a_scheduler_that_does_not_answer_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="no scheduler answers"), executor_of("dask://127.0.0.1:9", 2, "plain"):
        pass

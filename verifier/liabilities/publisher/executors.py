"""Where a build's tasks run: threads or processes of this machine, or a cluster the exchange already has."""

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar, cast

from chains.errors import MissingExtraError
from verifier.errors import InputError, UnavailableError
from verifier.liabilities.publisher.kernels import Engine

R = TypeVar("R")


class WorkerLostError(UnavailableError):
    """A worker died, and with it the pool; what its tasks had finished is kept."""


@contextmanager
def executor_of(cluster: str | None, workers: int, engine: Engine) -> Iterator[Executor]:
    """Yield an executor: `dask://HOST:PORT`, `ray://HOST:PORT`, `ray://auto`, or else the cores of this machine.

    The fast engine lets go of the interpreter's lock, so that threads serve it; the plain one needs processes.
    Raises InputError for an unknown cluster, MissingExtraError when its package is not installed.
    """
    if cluster is None:
        try:
            with _local(workers, engine) as executor:
                yield executor
        except BrokenExecutor as error:  # a lost worker takes the pool with it
            raise WorkerLostError("a worker died, perhaps for want of memory; run the same command again") from error
        return
    kind, _, address = cluster.partition("://")
    if kind not in _CLUSTERS or not address:
        raise InputError(f"unknown cluster {cluster!r}; expected dask://HOST:PORT, ray://HOST:PORT or ray://auto")
    with _CLUSTERS[kind](address) as executor:
        yield executor


class RayExecutor(Executor):
    """Ray's tasks behind the standard interface of PEP 3148; Ray runs a task again when its worker is lost."""

    def __init__(self, ray: Any) -> None:
        self._run = ray.remote(lambda task, arguments: task(*arguments))

    def submit(self, task: Callable[..., R], /, *arguments: Any, **named: Any) -> Future[R]:
        """Run a task somewhere in the cluster."""
        future: Future[R] = self._run.remote(task, arguments).future()
        return future


def _local(workers: int, engine: Engine) -> Executor:
    if engine == "fast":
        return ThreadPoolExecutor(workers)
    context = get_context("forkserver")  # a fork of this process would copy the locks of Arrow's threads
    context.set_forkserver_preload(["verifier.liabilities.publisher.tasks"])
    return ProcessPoolExecutor(workers, mp_context=context)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise MissingExtraError("dask:// needs 'distributed': install reserve-verifier[cluster]") from error
    try:
        client: Any = cast(Any, Client)(f"tcp://{address}", timeout=10)
    except OSError as error:
        raise InputError(f"dask://{address}: no scheduler answers there: {error}") from error
    with client:
        yield client.get_executor(pure=False, retries=3)


@contextmanager
def _ray(address: str) -> Iterator[Executor]:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError("ray:// needs 'ray', which the cluster's machines have: pip install ray") from error
    ray.init(address="auto" if address == "auto" else f"ray://{address}", ignore_reinit_error=True)
    yield RayExecutor(ray)


_CLUSTERS: dict[str, Callable[[str], Any]] = {"dask": _dask, "ray": _ray}

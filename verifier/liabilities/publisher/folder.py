"""A large tree on disk: built in pieces into a folder, found again there, and gone on with after a kill."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from verifier.errors import InputError, UnavailableError
from verifier.inclusion.commitment import TreeAsset
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.folder import choose_secret, make_private, read_secret
from verifier.liabilities.places import COMMITMENT, ELSEWHERE, LEAF_LIST, LOCK, PRIVATE, SECRET, SPILL
from verifier.liabilities.progress import Progress, silent
from verifier.liabilities.publisher.books import Books
from verifier.liabilities.publisher.executors import WorkerLostError, executor_of
from verifier.liabilities.publisher.kernels import Engine
from verifier.liabilities.publisher.place import Place
from verifier.liabilities.publisher.publish import Published, publish
from verifier.liabilities.publisher.tasks import Order

_WORKER_LOSSES = 3


class Engines(NamedTuple):
    """How a tree is built; nothing here changes its root.

    `store` and `spill` are URLs or paths for the leaf list and the work in between, by default inside the folder.
    """

    engine: Engine = "plain"
    workers: int = 2
    cluster: str | None = None
    store: str | None = None
    spill: str | None = None


THIS_MACHINE = Engines()


class Terms(NamedTuple):
    """What a run commits to besides the accounts."""

    assets: tuple[TreeAsset, ...]
    run_id: str
    as_of: str
    parts: int = 1
    base_units: bool = False


def publish_folder(
    accounts: str,
    terms: Terms,
    out: Path,
    secret_file: Path | None = None,
    engines: Engines = THIS_MACHINE,
    progress: Progress = silent,
) -> Published:
    """Build the tree of a large table into a folder: `commitment.json`, the leaf list `leaves/`, and `private/`.

    The same call after a kill goes on where the first one stood. Raises RejectedError for doubtful cells, InputError
    when the folder holds anything else, UnavailableError when it cannot be written.
    """
    if (out / COMMITMENT).exists() or (out.exists() and any(out.iterdir()) and not (out / PRIVATE).exists()):
        raise InputError(f"{out}: the folder is not empty; a tree goes into a folder of its own")
    secret = choose_secret(secret_file if secret_file is not None or not (out / SECRET).exists() else out / SECRET)
    try:
        make_private(out, secret, secret_file)
        with _alone(out / LOCK):
            return _publish(accounts, terms, out, secret, engines, progress)
    except OSError as error:
        raise UnavailableError(f"{error.filename or out}: cannot be read or written: {error.strerror}") from error


def _publish(accounts: str, terms: Terms, out: Path, secret: bytes, engines: Engines, progress: Progress) -> Published:
    order = Order(accounts, terms.assets, terms.run_id, terms.as_of, secret, terms.parts, terms.base_units)
    leaves, spill = Place(engines.store or str(out / LEAF_LIST)), Place(engines.spill or str(out / SPILL))
    for attempt in range(1, _WORKER_LOSSES + 1):
        try:
            with executor_of(engines.cluster, engines.workers, engines.engine) as executor:
                done = publish(order, spill, leaves, executor, progress, engines.engine)
            break
        except WorkerLostError:
            if attempt == _WORKER_LOSSES:
                raise
    if engines.store is not None:
        (out / ELSEWHERE).write_text(f"{engines.store}\n", "utf-8")
    spill.remove()
    save_commitment(out / COMMITMENT, done.commitment)
    return done


def books_of(folder: Path, accounts: str, base_units: bool = False) -> Books:
    """Return the table a published folder was built from, with the folder's own secret."""
    return Books(accounts, read_secret(folder / SECRET), base_units)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that the system releases when this process ends, however it ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"{lock.parent.parent}: another run is building here; wait for it") from error
        yield

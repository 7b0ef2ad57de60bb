"""Install the published MerkleDistributor contract for the tests, and OpenZeppelin's program for its trees.

Run `python tests/live/install_distributor.py`. It needs npm; every package must have the SHA-512 stated here, or in
merkle_tree/package-lock.json.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from install_safe import Package, fetch, nodes_home  # type: ignore[import-not-found]  # this is a script

PACKAGE = Package(
    "1.0.1",
    "@uniswap/merkle-distributor@1.0.1",
    "5gDiTI5hrXIh5UWTrxKYjw30QQDnpl8ckDSpefldNenDlYO1RKkdUYMYpvrqGi2r7YzLYTlO6+TDlNs6O7hDRw==",
)
PLACE = "package/build/MerkleDistributor.json"


TREES = Path(__file__).parent / "merkle_tree"


def keep_bytecode(npm: str, target: Path) -> None:
    """Fetch the contract's package and keep the bytecode alone; put the file in place in one step."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fetch(npm, PACKAGE, Path(folder))) as files:
        source = files.extractfile(PLACE)
        if source is None:
            sys.exit(f"distributor: the package holds no {PLACE}")
        kept = {"bytecode": json.load(source)["bytecode"]}
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".part")
    half.write_text(json.dumps(kept), "utf-8")
    half.replace(target)


def keep_trees(npm: str, target: Path) -> None:
    """Install exactly what the lock file names, without running anything of it; put the folder in place in one step."""
    half = target.with_name(f"{target.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(TREES, half)
    subprocess.run([npm, "ci", "--ignore-scripts", "--silent"], cwd=half, check=True, timeout=600)
    shutil.rmtree(target, ignore_errors=True)
    half.replace(target)


def main() -> None:
    npm = shutil.which("npm")
    folder = nodes_home() / "distributor"
    for target, keep in ((folder / "MerkleDistributor.json", keep_bytecode), (folder / "merkle-tree", keep_trees)):
        if target.exists():
            print(f"{target.name} is already at {target}")
            continue
        if npm is None:
            sys.exit("distributor: npm is needed to fetch the packages; install Node.js first")
        keep(npm, target)
        print(f"installed {target.name} at {target}")


if __name__ == "__main__":
    main()

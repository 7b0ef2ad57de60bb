"""Install the published MerkleDistributor contract for the tests: fetch its npm package and keep the bytecode.

Run `python tests/live/install_distributor.py`. It needs npm; the package must have the SHA-512 stated here.
"""

import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from install_safe import Package, fetch, nodes_home

PACKAGE = Package(
    "1.0.1",
    "@uniswap/merkle-distributor@1.0.1",
    "5gDiTI5hrXIh5UWTrxKYjw30QQDnpl8ckDSpefldNenDlYO1RKkdUYMYpvrqGi2r7YzLYTlO6+TDlNs6O7hDRw==",
)
PLACE = "package/build/MerkleDistributor.json"


def main() -> None:
    target = nodes_home() / "distributor" / "MerkleDistributor.json"
    if target.exists():
        print(f"MerkleDistributor is already at {target}")
        return
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("distributor: npm is needed to fetch the package; install Node.js first")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fetch(npm, PACKAGE, Path(folder))) as files:
        source = files.extractfile(PLACE)
        if source is None:
            sys.exit(f"distributor: the package holds no {PLACE}")
        kept = {"bytecode": json.load(source)["bytecode"]}
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".part")
    half.write_text(json.dumps(kept), "utf-8")
    half.replace(target)
    print(f"installed MerkleDistributor {PACKAGE.version} at {target}")


if __name__ == "__main__":
    main()

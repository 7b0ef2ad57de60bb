"""Install a published Merkle distributor for the tests: fetch its npm package and keep the compiled contract.

Run `python tests/live/install_distributor.py`. It needs npm and nothing else; the package must have this SHA-512.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from install_safe import nodes_home

PACKAGE = "@uniswap/merkle-distributor@1.0.1"
SHA512 = "5gDiTI5hrXIh5UWTrxKYjw30QQDnpl8ckDSpefldNenDlYO1RKkdUYMYpvrqGi2r7YzLYTlO6+TDlNs6O7hDRw=="
ARTIFACT = "package/build/MerkleDistributor.json"


def main() -> None:
    target, npm = nodes_home() / "distributor" / "MerkleDistributor.json", shutil.which("npm")
    if target.exists():
        print(f"the distributor is already at {target}")
        return
    if npm is None:
        sys.exit("distributor: npm is needed to fetch the package; install Node.js first")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", PACKAGE, "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
        (archive,) = Path(folder).glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
        if found != SHA512:
            sys.exit(f"distributor: {PACKAGE} has the SHA-512 {found}; expected {SHA512}")
        with tarfile.open(archive) as files:
            source = files.extractfile(ARTIFACT)
            if source is None:
                sys.exit(f"distributor: {PACKAGE} holds no {ARTIFACT}")
            artifact = json.load(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".part")
    half.write_text(json.dumps({"bytecode": artifact["bytecode"]}), "utf-8")
    half.replace(target)
    print(f"installed the distributor at {target}")


if __name__ == "__main__":
    main()

"""Install the Safe's real contracts for the tests: fetch its npm packages and keep the compiled artifacts in use.

Run `python tests/live/install_safe.py`. It needs npm and nothing else; each package must have the SHA-512 stated here.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    version: str
    name: str
    sha512: str
    prefix: str = ""  # what the oldest version's contracts are called by in front


PACKAGES = (
    Package(
        "1.5.0",
        "@safe-global/safe-smart-account@1.5.0",
        "VIMWxoeY/kNuZVsQVvAeOFKcQS3eojCXg0ecGnesBSLn5ypYshmBhVEEU5XiurJJGTs/MrcoLTbTxhs9W9GvdQ==",
    ),
    Package(
        "1.4.1",
        "@safe-global/safe-contracts@1.4.1-build.0",
        "TIpoKJtMqLcLFoid0cvpxo8YTcnRUj95MHvxzwgPbJPRONOckNS6ebgGyBBRDmnpxFh34IBpPUZ7JD+z2Cfbbg==",
    ),
    Package(
        "1.3.0",
        "@gnosis.pm/safe-contracts@1.3.0",
        "1p+1HwGvxGUVzVkFjNzglwHrLNA67U/axP0Ct85FzzH8yhGJb4t9jDjPYocVMzLorDoWAfKicGy1akPY9jXRVw==",
        "Gnosis",
    ),
)
CONTRACTS = {
    "Safe": "Safe",
    "SafeL2": "SafeL2",
    "SafeProxy": "proxies/SafeProxy",
    "SafeProxyFactory": "proxies/SafeProxyFactory",
    "CompatibilityFallbackHandler": "handler/CompatibilityFallbackHandler",
    "MultiSendCallOnly": "libraries/MultiSendCallOnly",
}
PREFIXED = ("Safe", "SafeL2", "SafeProxy", "SafeProxyFactory")


def nodes_home() -> Path:
    """The folder of tests/live/require.py, repeated because this script must run before pytest is installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("POR_NODES", cache / "reserve-verifier" / "nodes"))


def fetch(npm: str, package: Package, folder: Path) -> Path:
    """Download a package and check that it is the very file it should be."""
    command = [npm, "pack", package.name, "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
    (archive,) = folder.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
    if found != package.sha512:
        sys.exit(f"safe: {package.name} has the SHA-512 {found}; expected {package.sha512}")
    return archive


def unpack(archive: Path, package: Package, target: Path) -> None:
    """Keep name and bytecode of each contract, in one file each; put the folder in place in one step."""
    half = target.with_name(target.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    with tarfile.open(archive) as files:
        for contract, path in CONTRACTS.items():
            folder, _, name = path.rpartition("/")
            name = package.prefix + name if contract in PREFIXED else name
            place = "/".join(filter(None, ("package/build/artifacts/contracts", folder, f"{name}.sol", f"{name}.json")))
            source = files.extractfile(place)
            if source is None:
                sys.exit(f"safe: {archive.name} holds no {place}")
            with source:
                artifact = json.load(source)
            kept = {key: artifact[key] for key in ("contractName", "bytecode", "deployedBytecode")}
            (half / f"{contract}.json").write_text(json.dumps(kept), "utf-8")
    shutil.rmtree(target, ignore_errors=True)
    half.replace(target)


def main() -> None:
    npm = shutil.which("npm")
    for package in PACKAGES:
        target = nodes_home() / "safe" / package.version
        if all((target / f"{contract}.json").exists() for contract in CONTRACTS):
            print(f"Safe {package.version} is already at {target}")
            continue
        if npm is None:
            sys.exit("safe: npm is needed to fetch the packages; install Node.js first")
        with tempfile.TemporaryDirectory() as folder:
            unpack(fetch(npm, package, Path(folder)), package, target)
        print(f"installed Safe {package.version} at {target}")


if __name__ == "__main__":
    main()

"""Install anvil, a real EVM node, for the tests: fetch its npm package and keep the one binary inside.

Run `python tests/live/install_anvil.py`. It needs npm (which checks the package's integrity) and nothing else.
"""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.7.1"
SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def nodes_home() -> Path:
    """The folder of tests/live/require.py, repeated because this script must run before pytest is installed."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("POR_NODES", cache / "reserve-verifier" / "nodes"))


def package() -> str:
    """Name the npm package that holds anvil for this machine."""
    system, machine = platform.system(), platform.machine()
    if system not in SYSTEMS or machine not in MACHINES:
        sys.exit(f"anvil: no package for {system} on {machine}")
    return f"@foundry-rs/anvil-{SYSTEMS[system]}-{MACHINES[machine]}@{VERSION}"


def version_of(binary: Path) -> str:
    """Return what a binary says of itself, or nothing when it does not run."""
    if not binary.exists():
        return ""
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=60)
    return answer.stdout.partition("\n")[0].strip()


def unpack(archive: Path, target: Path) -> None:
    """Copy the binary out of the package and put it in place in one step."""
    with tarfile.open(archive) as files:
        source = files.extractfile(f"package/bin/{target.name}")
        if source is None:
            sys.exit(f"anvil: {archive.name} holds no package/bin/{target.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(".part")
        with source, half.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    half.chmod(0o755)
    half.replace(target)


def main() -> None:
    target = nodes_home() / "bin" / ("anvil.exe" if platform.system() == "Windows" else "anvil")
    if VERSION in version_of(target):
        print(f"anvil {VERSION} is already at {target}")
        return
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("anvil: npm is needed to fetch the package; install Node.js first")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", package(), "--silent", "--pack-destination", folder], check=True, timeout=600)
        (archive,) = Path(folder).glob("*.tgz")
        unpack(archive, target)
    found = version_of(target)
    if VERSION not in found:
        sys.exit(f"anvil: installed {target}, but it says {found!r}; expected version {VERSION}")
    print(f"installed {found} at {target}")


if __name__ == "__main__":
    main()

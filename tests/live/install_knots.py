"""Install a real Bitcoin node, Bitcoin Knots, from Debian into a private folder: no root, nothing system-wide."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
STABLE = "trixie"
SUITES = ("trixie-backports", "sid")
PACKAGE = "bitcoin-knots"
BINARIES = ("bitcoind", "bitcoin-cli")
NEEDED = ("apt-get", "apt-cache", "dpkg", "dpkg-deb")


def nodes_home() -> Path:
    """The folder of the test nodes; the same rule as tests/live/require.py, repeated so that this file stands alone."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("POR_NODES", cache / "reserve-verifier" / "nodes"))


def installed(home: Path) -> bool:
    """Say whether every wrapper already answers --version."""
    for name in BINARIES:
        wrapper = home / "bin" / name
        if not wrapper.exists():
            return False
        if subprocess.run([wrapper, "--version"], capture_output=True, check=False).returncode:
            return False
    return True


def debian_mirror() -> str:
    """Return the archive this machine's own apt sources use for Debian."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text("utf-8").splitlines() if "=" in line
    )
    codename = release.get("VERSION_CODENAME", "").strip('"')
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listing.stdout.splitlines():
        address, _, suite = line.partition(" ")
        if release.get("ID") == "debian" and suite == codename:
            return address.rstrip("/")
    sys.exit("the apt sources of this machine name no Debian archive; give one with --mirror")


class PrivateApt:
    """apt with its own sources, lists, cache and (empty) package state below one folder.

    apt itself checks the chain of trust: InRelease against the Debian archive keys, Packages against InRelease,
    every .deb against Packages.
    """

    def __init__(self, folder: Path) -> None:
        for part in ("etc", "state/lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        (folder / "state/status").touch()
        self.sources = folder / "etc/knots.sources"
        self.archives = folder / "cache/archives"
        self._config = folder / "etc/apt.conf"
        settings = {
            "Dir::Etc::SourceList": self.sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::Etc::Parts": "/dev/null",
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "state/status",
            "Dir::Cache": folder / "cache",
            "Acquire::Languages": "none",
            "Acquire::AllowInsecureRepositories": "false",
            "APT::Sandbox::User": "",
            "APT::Install-Recommends": "false",
            "Debug::NoLocking": "true",
            "quiet": "2",
        }
        self._config.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()), "utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "APT_CONFIG": str(self._config), "LC_ALL": "C"}
        return subprocess.run([*arguments], env=environment, capture_output=True, text=True, check=False)

    def use(self, mirror: str, suites: list[str]) -> None:
        self.sources.write_text(
            f"Types: deb\nURIs: {mirror}\nSuites: {' '.join(suites)}\nComponents: main\nSigned-By: {KEYRING}\n", "utf-8"
        )


def download(apt: PrivateApt, mirror: str) -> list[Path]:
    """Fetch Knots and every library it needs, libc included, from the first suite that has it."""
    for suite in SUITES:
        apt.use(mirror, [STABLE, suite] if suite.startswith(STABLE) else [suite])
        update = apt.run("apt-get", "update", "--error-on=any")
        if update.returncode:
            sys.exit(f"{suite}: the archive could not be read or its signature is not Debian's\n{update.stderr}")
        if PACKAGE not in apt.run("apt-cache", "pkgnames", PACKAGE).stdout.split():
            continue
        fetch = apt.run("apt-get", "install", "--yes", "--download-only", "--target-release", suite, PACKAGE)
        if fetch.returncode:
            sys.exit(f"{suite}: {PACKAGE} could not be fetched\n{fetch.stderr}")
        return sorted(apt.archives.glob("*.deb"))
    sys.exit(f"{PACKAGE} is in none of {', '.join(SUITES)}")


def unpack(packages: list[Path], prefix: Path) -> None:
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, prefix], check=True)


def write_wrappers(home: Path, prefix: Path) -> None:
    """Write scripts that start each program with the loader and the libraries it was built against."""
    loader = next(path for path in sorted(prefix.rglob("ld-linux*.so*")) if path.is_file())
    folders = sorted({str(path.parent) for path in prefix.rglob("*.so*") if path.parent.name.endswith("-linux-gnu")})
    for name in BINARIES:
        program = next(path for path in sorted(prefix.rglob(name)) if path.is_file() and os.access(path, os.X_OK))
        wrapper = home / "bin" / name
        wrapper.parent.mkdir(parents=True, exist_ok=True)
        line = f'exec "{loader}" --library-path "{":".join(folders)}" "{program}" "$@"'
        wrapper.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
        wrapper.chmod(0o755)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", help="a Debian archive; by default the one in this machine's apt sources")
    mirror = parser.parse_args().mirror
    home = nodes_home()
    if installed(home):
        print(f"already installed: {home / 'bin' / 'bitcoind'}")
        return
    missing = [name for name in NEEDED if not shutil.which(name)] + ([] if KEYRING.exists() else [str(KEYRING)])
    if missing:
        sys.exit(f"this needs {', '.join(missing)} (Debian packages apt, dpkg, debian-archive-keyring)")
    prefix = home / "knots"
    shutil.rmtree(prefix, ignore_errors=True)
    prefix.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        unpack(download(PrivateApt(Path(folder)), mirror or debian_mirror()), prefix)
    write_wrappers(home, prefix)
    if not installed(home):
        sys.exit(f"installed into {prefix}, but {home / 'bin' / BINARIES[0]} --version fails")
    print(f"installed: {home / 'bin' / 'bitcoind'}")


if __name__ == "__main__":
    main()

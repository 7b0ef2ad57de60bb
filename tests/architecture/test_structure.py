"""The house keeps its shape: small files and functions, light imports, a clean lock, nothing extra on top."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for package in ("chains", "verifier") for path in sorted((ROOT / package).rglob("*.py"))]
HEAVY = (
    *("web3", "eth_account", "eth_tester", "eth", "bitcoinlib", "pbk", "sqlalchemy"),
    *("numpy", "numba", "milagro_bls_binding"),
)


def percentile(values: list[int], share: int) -> int:
    return sorted(values)[len(values) * share // 100]


def function_sizes() -> dict[str, int]:
    sizes = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                sizes[f"{path.relative_to(ROOT)}:{node.name}"] = node.end_lineno - node.lineno + 1
    return sizes


def test_files_and_functions_stay_small() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    functions = function_sizes()
    assert [name for name, count in lines.items() if count > 400] == []
    assert [name for name, count in functions.items() if count > 50] == []
    assert percentile(list(lines.values()), 95) <= 300
    assert percentile(list(functions.values()), 95) <= 30


def test_every_module_opens_with_one_line_that_says_what_it_is() -> None:
    without = [str(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert without == []


def loaded_after(code: str) -> set[str]:
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_checking_a_proof_loads_no_chain_library() -> None:
    loaded = loaded_after("import verifier.inclusion.check, verifier.cli.check")
    assert loaded.isdisjoint({*HEAVY, "btclib", "btclib_wallet", "requests", "jinja2"})


def test_verifying_a_bundle_loads_no_optional_package() -> None:
    assert loaded_after("import verifier.verification, verifier.report.html, verifier.cli.main").isdisjoint(HEAVY)


def test_the_help_loads_no_more_than_it_shows() -> None:
    loaded = loaded_after("import verifier.cli.main")
    assert loaded.isdisjoint({*HEAVY, "pydantic", "requests", "btclib", "jinja2"})


def test_the_lock_has_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "--hash=sha256:" in lock
    assert re.findall(r"https?://|--index|--find-links", lock) == []


def test_the_top_level_holds_only_what_was_agreed() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {name.partition("/")[0] for name in tracked if "/" in name and not name.startswith(".")}
    assert top <= {"chains", "verifier", "fixtures", "tests", "docs"}


def test_one_module_alone_reaches_for_bitcoinlib() -> None:
    reaching = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"import bitcoinlib|from bitcoinlib|\"bitcoinlib\.", path.read_text("utf-8"))
    ]
    assert reaching == ["chains/bitcoin/bitcoinlib_explorers.py"]


def test_the_doors_to_the_network_are_few_and_known() -> None:
    door = re.compile(r"^\s*(import|from) (requests|urllib3|urllib\.request|http\.client|socket)\b", re.MULTILINE)
    reaching = [str(path.relative_to(ROOT)) for path in SOURCES if door.search(path.read_text("utf-8"))]
    assert reaching == ["chains/deadline.py", "chains/http.py", "chains/line_connection.py"]

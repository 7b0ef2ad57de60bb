"""`por tree` from a table of accounts to proofs that `por check` accepts."""

import json

import pytest
import typer
from typer.testing import CliRunner

from tests.verifier.test_sum_tree import AS_OF, ASSETS
from verifier import check_proofs
from verifier.cli import tree
from verifier.errors import InputError, UnavailableError

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(tree.app, name="tree")

IDS = ["alice", "../etc/passwd", "..", "b/o\\b", "zoë", "x" * 5_000]


def por_tree(*arguments):
    return CliRunner().invoke(app, ["tree", *(str(argument) for argument in arguments)])


@pytest.fixture
def inputs(tmp_path):
    rows = "".join(f"{name},{number}.25,{number}\n" for number, name in enumerate(IDS))
    (tmp_path / "accounts.csv").write_text(f"account,BTC,ETH\n{rows}", "utf-8")
    (tmp_path / "assets.json").write_text(json.dumps([asset._asdict() for asset in ASSETS]))
    return tmp_path


def build_here(inputs, *more):
    given = {"accounts": "accounts.csv", "assets": "assets.json", "out": "tree"}
    options = [part for name, file in given.items() for part in (f"--{name}", inputs / file)]
    return por_tree("build", *options, "--run-id", "r1", "--as-of", AS_OF, *more)


@pytest.mark.parametrize("split", [(), ("--split", "3"), ("--split", "16")], ids=["whole", "3", "16"])
def test_build_then_export_then_check(inputs, split):
    built = build_here(inputs, "--json", *split)
    assert built.exit_code == 0
    root = json.loads(built.stdout)["root"]
    parts = int(split[1]) if split else 1
    assert json.loads(built.stdout)["commitment"]["parts"] == parts
    proved = por_tree("export", inputs / "tree", "--out", inputs / "proofs")
    assert proved.exit_code == 0
    files = sorted((inputs / "proofs").iterdir())
    assert len(files) == len(IDS)
    report = check_proofs(files, anchor=inputs / "tree")
    assert report.verdict == "accepted"
    assert {result.account for result in report.results} == set(IDS)
    assert {result.root for result in report.results} == {root}
    assert {len(json.loads(path.read_text("utf-8"))["leaves"]) for path in files} == {parts}
    assert {result.account: (result.own or {})["ETH"] for result in report.results} == {
        name: str(number) for number, name in enumerate(IDS)
    }


def test_a_split_tree_says_how_many_leaves_an_account_has(inputs):
    assert f"{len(IDS)} accounts, 4 leaves each" in build_here(inputs, "--split", "4").stdout


@pytest.mark.parametrize("parts", ["0", "17", "x"])
def test_a_split_out_of_range_is_bad_input(inputs, parts):
    assert build_here(inputs, "--split", parts).exit_code == 2
    assert not (inputs / "tree").exists()


def test_the_digest_to_publish_is_shown_and_the_secret_is_not(inputs):
    built = build_here(inputs, "--secret-file", inputs / "secret")
    digest = json.loads(build_here(inputs, "--secret-file", inputs / "secret", "--json", "--out", inputs / "b").stdout)
    assert digest["root"] in built.stdout
    assert (inputs / "secret").read_text().strip() not in built.stdout + built.stderr + json.dumps(digest)


def test_one_proof_goes_to_stdout_and_is_only_the_proof(inputs):
    build_here(inputs)
    done = por_tree("prove", inputs / "tree", "--account", "zoë")
    assert json.loads(done.stdout)["account"] == "zoë"
    written = por_tree("prove", inputs / "tree", "--account", "zoë", "--out", inputs / "one")
    assert written.exit_code == 0
    assert [path.read_bytes().strip() for path in (inputs / "one").iterdir()] == [done.stdout_bytes.strip()]


def test_proofs_are_not_written_over(inputs):
    build_here(inputs)
    arguments = ("prove", inputs / "tree", "--account", "alice", "--out", inputs / "one")
    assert por_tree(*arguments).exit_code == 0
    assert isinstance(por_tree(*arguments).exception, UnavailableError)


def test_a_prove_of_nobody_is_bad_input(inputs):
    build_here(inputs)
    assert por_tree("prove", inputs / "tree").exit_code == 2
    assert isinstance(por_tree("prove", inputs / "tree", "--account", "nobody").exception, InputError)


def test_a_bad_row_is_named_and_no_folder_is_left(inputs):
    with (inputs / "accounts.csv").open("a") as file:
        file.write("carol,-1,0\n")
    done = build_here(inputs)
    assert isinstance(done.exception, InputError)
    assert f"accounts.csv:{len(IDS) + 2}:BTC" in str(done.exception)
    assert not (inputs / "tree").exists()


def test_a_folder_without_its_private_part_proves_nothing(inputs):
    build_here(inputs)
    (inputs / "tree" / "private" / "secret").unlink()
    assert isinstance(por_tree("prove", inputs / "tree", "--account", "alice").exception, UnavailableError)


def test_help_has_examples():
    assert "Example: por tree build" in por_tree("build", "--help").stdout
    assert "Example: por tree prove" in por_tree("prove", "--help").stdout

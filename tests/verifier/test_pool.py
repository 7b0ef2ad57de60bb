"""What no single proof shows: users' proofs compared, and the evidence that anyone can check."""

import copy
import json
from itertools import combinations

import pytest
from typer.testing import CliRunner

from tests.builders.accounts import built, hand_over
from tests.builders.tree import h
from tests.verifier.inclusion_vectors import FOLDER, vector
from verifier import check_proofs
from verifier.cli.main import app
from verifier.inclusion.fraud import FRAUD_FORMAT, check_fraud, fraud_records
from verifier.inclusion.result import ProofVerdict

UNDERSTATED = ("bitget", "bitunix", "coinex", "okx-v1")


def users_of(name):
    vector(f"forged/understated/{name}")
    return sorted((FOLDER / "forged" / "understated" / name).glob("user_*.json"))


@pytest.mark.parametrize("name", UNDERSTATED)
def test_each_understated_proof_is_accepted_alone_and_any_two_are_fraud(name):
    paths = users_of(name)
    report = check_proofs(paths)
    assert [result.verdict for result in report.results] == [ProofVerdict.ACCEPTED] * 16
    assert report.verdict is ProofVerdict.REFUSED
    for pair in combinations(paths[:8], 2):
        pooled = check_proofs(pair).pool
        assert pooled.verdict == "fraud"
        assert {fraud.code for fraud in pooled.fraud} == {"node-with-two-sums"}


def keys_of(value):
    if isinstance(value, dict):
        return {*value, *(key for inner in value.values() for key in keys_of(inner))}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


@pytest.mark.parametrize("name", UNDERSTATED)
def test_a_fraud_proof_stands_alone_and_tells_no_secret_unless_a_leaf_is_the_node(name, tmp_path):
    paths = users_of(name)
    record = fraud_records(check_proofs([paths[0], paths[3]]).pool.fraud)[0]
    nonces = [json.loads(path.read_text("utf-8"))["self"]["nonce"] for path in paths]
    assert not any(nonce in json.dumps(record) for nonce in nonces)
    path = tmp_path / "fraud.json"
    path.write_text(json.dumps(record))
    report = check_proofs([path])
    assert (report.verdict, report.exit_code, report.pool.verdict) == (ProofVerdict.REFUSED, 1, "fraud")
    assert report.results[0].format == FRAUD_FORMAT


def every_change(value):
    """Every copy of a record with one text or number changed."""

    def walk(node, place):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, inner in items:
            if isinstance(inner, (dict, list)):
                yield from walk(inner, [*place, key])
            else:
                yield [*place, key], inner

    for place, old in walk(value, []):
        changed = copy.deepcopy(value)
        target = changed
        for step in place[:-1]:
            target = target[step]
        if isinstance(old, bool):
            target[place[-1]] = not old
        elif isinstance(old, int):
            target[place[-1]] = old + 1
        else:
            target[place[-1]] = ("1" if old[:1] != "1" else "2") + old[1:]
        yield place, changed


@pytest.mark.parametrize("name", UNDERSTATED)
def test_a_fraud_proof_that_was_changed_shows_nothing_or_the_same(name):
    paths = users_of(name)
    record = fraud_records(check_proofs([paths[0], paths[3]]).pool.fraud)[0]
    told = {"sums", "format", "run"}  # the two sums are repeated for people; the paths decide
    for place, changed in every_change(record):
        if place[0] in told or place[-1] in ("pad", "height"):
            continue  # where the format hashes them, the hashes below differ as well
        result = check_fraud(changed, "f")
        assert result.verdict is ProofVerdict.UNRECOGNISED, place


@pytest.mark.parametrize("broken", [{}, {"kind": "x"}, {"kind": "node-with-two-sums", "proof_format": "none"},
                                    {"kind": "overlapping-lines", "lines": [[0, 2], [2, 4]], "root": ""}])  # fmt: skip
def test_a_file_that_only_calls_itself_a_fraud_proof_accuses_nobody(broken, tmp_path):
    path = tmp_path / "f.json"
    path.write_text(json.dumps({"format": FRAUD_FORMAT, **broken}))
    report = check_proofs([path])
    assert (report.exit_code, report.pool.fraud) == (3, ())


def test_honest_users_of_one_tree_are_consistent(tmp_path):
    for name in ("okx-v1", "bitget-v104", "coinex", "bybit", "mexc", "htx-v1", "bitunix", "maxwell-2014"):
        paths = []
        for user in range(7):
            case = built(name, 7, user)
            folder = tmp_path / f"{name}-{user}"
            folder.mkdir()
            paths.append(hand_over(folder, case)[0])
        report = check_proofs(paths, root=case.root)
        assert (report.pool.verdict, report.verdict) == ("consistent", ProofVerdict.ACCEPTED), (name, report.pool.fraud)


def test_two_roots_of_one_run_are_fraud_and_the_evidence_stands_alone(tmp_path):
    for name in ("okx-v1", "bitbase", "lemon"):
        paths = []
        for seed in (1, 2):
            folder = tmp_path / f"{name}-{seed}"
            folder.mkdir()
            paths += hand_over(folder, built(name, 5, seed, seed=seed))[:1]
        if name == "lemon":
            continue  # its root stands in another file, which two runs cannot share
        report = check_proofs(paths)
        assert [fraud.code for fraud in report.pool.fraud] == ["two-roots"]
        assert check_fraud(fraud_records(report.pool.fraud)[0], "f").verdict is ProofVerdict.REFUSED


def test_one_leaf_for_two_users_is_fraud(tmp_path):
    case = built("flipster", 5, 1)
    paths = []
    for name in ("alice", "bob"):
        (tmp_path / name).mkdir()
        paths += hand_over(tmp_path / name, case)
    report = check_proofs(paths)
    assert [fraud.code for fraud in report.pool.fraud] == ["leaf-claimed-twice"]
    assert check_fraud(fraud_records(report.pool.fraud)[0], "f").verdict is ProofVerdict.REFUSED


def test_the_same_named_user_twice_is_no_fraud(tmp_path):
    case = built("bybit", 5, 1)
    paths = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        paths += hand_over(tmp_path / name, case)
    assert check_proofs(paths).pool.verdict == "consistent"


def test_a_hash_with_two_sums_is_found_between_a_leaf_and_its_neighbour(tmp_path):
    """HTX's leaf hash binds nothing: two neighbours are each shown the other with their own balance."""
    nodes = [{"hash": h(name), "r": side, "depth": 1, "type": "", "uhash": ""} for side, name in enumerate(("a", "b"))]
    top = h(h("a") + h("b") + "100")
    root = {"hash": top, "r": 0, "depth": 0, "type": "", "uhash": "", "balances": "USDT:100"}
    paths = []
    for own, other in ((0, 1), (1, 0)):
        value = {"data": [root, {**nodes[other], "balances": "USDT:0"}, {**nodes[own], "balances": "USDT:100"}]}
        paths.append(tmp_path / f"{own}.json")
        paths[-1].write_text(json.dumps(value))
    report = check_proofs(paths)
    assert {result.verdict for result in report.results} == {ProofVerdict.ACCEPTED}
    assert report.pool.fraud[0].code == "node-with-two-sums"


def test_overlapping_lines_of_one_list_are_fraud(tmp_path):
    case = built("weex", 5, 1)
    paths = hand_over(tmp_path, case)[:1]
    for user, head in (("a", "1 0"), ("b", "1 1"), ("c", "3 0")):
        metadata = json.loads(case.files["metadata"]) | {"userHeadHash": h(head), "userId": user}
        paths.append(tmp_path / f"metadata-{user}")
        paths[-1].write_text(json.dumps(metadata))
    report = check_proofs(paths)
    assert [result.verdict for result in report.results] == [ProofVerdict.ACCEPTED] * 3
    assert [fraud.code for fraud in report.pool.fraud] == ["overlapping-lines"]
    assert report.pool.fraud[0].files == (str(paths[1]), str(paths[2]))
    assert check_fraud(fraud_records(report.pool.fraud)[0], "f").verdict is ProofVerdict.REFUSED
    assert check_proofs([paths[0], paths[1], paths[3]]).pool.verdict == "consistent"


def test_the_command_writes_a_fraud_file_that_the_command_checks(tmp_path):
    paths = [str(path) for path in users_of("okx-v1")[:2]]
    out = tmp_path / "fraud.json"
    done = CliRunner().invoke(app, ["check", *paths, "--fraud-out", str(out), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["pool"]["verdict"] == "fraud"
    assert CliRunner().invoke(app, ["check", str(out)]).exit_code == 1

"""Real proofs of exchanges get the verdict that stands beside them; the list of formats says what each can do."""

import hmac
import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from tests.verifier.inclusion_vectors import FOLDER, vector
from verifier import check_proofs
from verifier.cli.main import app
from verifier.inclusion import template
from verifier.inclusion.catalogue import catalogue
from verifier.inclusion.mine import ByHash, ByKey
from verifier.inclusion.recipe import FOLDER as RECIPES
from verifier.inclusion.recipe import recipes
from verifier.inclusion.result import ProofVerdict
from verifier.inclusion.rows import Row
from verifier.inclusion.tree_audit import node_hash

ISSUE_3 = {
    "bifinance",
    "bifubao",
    "bingx",
    "bitbase",
    "bitget-v102",
    "bitget-v104",
    "bitmex-file",
    "bitso",
    "bitunix",
    "blocpal",
    "bybit",
    "cakedefi",
    "coinex",
    "flipster",
    "gate-v1",
    "hotcoin",
    "htx-v1",
    "lemon",
    "maxwell-2014",
    "mexc",
    "okx-v1",
    "okx-v2",
    "pionex",
    "renrenbit",
    "river",
    "silver-sixpence",
    "swissborg",
    "tnf-concatenate",
    "tnf-default",
    "topone",
    "uzx",
    "weex",
}


def check(*names, **asked):
    return check_proofs([vector(name) for name in names], **asked)


def nonzero(amounts):
    return {coin: amount for coin, amount in (amounts or {}).items() if amount != "0"}


PATHS = [
    "okx/merkle_proof_file.json",
    "bitget/readme_Au20221125.json",
    "mexc/merkle_proof.json",
    "bybit/mock_user_merkle_tree_path_40.json",
    "bybit/mock_user_merkle_tree_path_40_v2.json",
    "bybit/mock_user_merkle_tree_path_40_v4.json",
    "flipster/example_merkle_proof.json",
]


def expectation(name):
    """One object in a list, or one per line, that names the file."""
    folder, _, file = name.partition("/")
    text = vector(f"{folder}/expected.json").read_text("utf-8")
    try:
        entries = json.loads(text)
    except ValueError:
        entries = [json.loads(line) for line in text.splitlines()]
    return next(entry for entry in entries if entry.get("file") == file)


@pytest.mark.parametrize("name", PATHS)
def test_a_real_proof_is_accepted_with_its_balances_root_and_leaf(name):
    expected = expectation(name)
    result = check(name).results[0]
    assert (result.verdict, result.format) == (ProofVerdict.ACCEPTED, expected["format"])
    assert (result.root, result.leaf) == (expected["root"], expected["leaf"])
    if expected["own_balances"]:
        assert nonzero(result.own) == nonzero(expected["own_balances"])
        assert nonzero(result.totals) == nonzero(expected["root_sums"])
    assert result.grade.included
    assert not result.grade.root_anchored
    assert check(name, root=expected["root"].upper()).results[0].grade.root_anchored


FORGED = {
    "bitget-v104-negative-sibling.json": "negative-balance",
    "bitunix-negative-sibling.json": "negative-balance",
    "bybit-negative-sibling.json": "negative-balance",
    "coinex-negative-sibling.json": "negative-balance",
    "htx-negative-sibling.json": "negative-balance",
    "mexc-negative-sibling.json": "negative-balance",
    "okx-v1-negative-sibling.json": "negative-balance",
    "bitunix-root-balances-edited.json": "totals-differ",
    "flipster-index-overflow.json": "index-beyond-tree",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forgery_that_the_exchanges_own_tool_accepts_is_refused_with_its_reason(name):
    result = check(f"forged/{name}").results[0]
    assert result.verdict is ProofVerdict.REFUSED
    assert FORGED[name] in [finding.code for finding in result.findings]


def test_every_forged_file_is_looked_at():
    vector("forged")
    known = {*FORGED, "htx-leaf-unbound.json", "okx-v2-fake-tree.txt", "expected.json", "PROVENANCE", "understated"}
    assert {path.name for path in (FOLDER / "forged").iterdir()} == known


def test_a_balance_that_its_format_does_not_hash_is_graded_down():
    result = check("forged/htx-leaf-unbound.json").results[0]
    assert result.verdict is ProofVerdict.ACCEPTED
    assert not result.grade.own_balance_bound
    assert "balance-not-bound" in [finding.code for finding in result.findings]


def test_okx_published_tree_is_rebuilt_and_a_users_leaves_are_found_in_it():
    result = check("okx/full-liabilities-merkle-tree.txt", "okx/user_info_file.json").results[0]
    assert (result.verdict, result.format) == (ProofVerdict.ACCEPTED, "okx-v2")
    assert result.root == "9e98ebde32ef22ded88a5fb2d5e53d76ed57cb9c6b2c966f250721defe6ab041"
    assert result.totals == {"BTC": "0.00005", "ETH": "0.1", "USDT": "1.42045977"}
    assert nonzero(result.own) == {"BTC": "0.00005"}
    assert len(result.leaf.split(",")) == 2


def test_a_tree_of_invented_hashes_is_refused():
    report = check("forged/okx-v2-fake-tree.txt", "okx/user_info_file.json")
    assert report.verdict is ProofVerdict.REFUSED


@pytest.mark.parametrize("account", ["1", "2", "4", "5", "7"])
def test_a_bitmex_user_finds_their_balance_in_the_tree(account):
    entries = json.loads(vector("bitmex/expected.json").read_text("utf-8"))
    entry = next(entry for entry in entries if entry["file"] == "bitmex-800000.csv")
    user = entry["accounts"][account]
    facts = {"account": account, "account_nonce": user["account_nonce"]}
    result = check("bitmex/bitmex-800000.csv", facts=facts).results[0]
    assert (result.verdict, result.root) == (ProofVerdict.ACCEPTED, entry["root"])
    assert result.own == {"sat": str(user["expected_sat"])}
    assert result.totals == {"sat": str(entry["root_sums"]["sat"])}


@pytest.mark.parametrize(("name", "sat"), [("bitmex/readme-100.csv", 4000004000), ("river/test.csv", 1000643641021)])
def test_a_published_tree_is_rebuilt_without_any_account(name, sat):
    result = check(name).results[0]
    assert (result.verdict, result.format) == (ProofVerdict.ACCEPTED, "bitmex-file")
    assert result.totals == {"sat": str(sat)}
    assert result.grade.totals_bound
    assert not result.grade.included


def test_rivers_two_leaves_of_one_sat_have_the_given_root():
    def eight(number):
        return number.to_bytes(8, "little")

    key = sha256(bytes.fromhex("deadbeef" * 8) + eight(1000) + eight(1)).digest()
    leaves = [hmac.digest(key, eight(1) + eight(place), "sha256").hex() for place in (0, 1)]
    mine = ByKey(key)
    for place, leaf in enumerate(leaves):
        mine.see(Row(place + 2, None, leaf, 1, {}), place)
    assert len(mine.rows) == 2
    expected = json.loads(vector("river/expected.json").read_text("utf-8"))[1]
    assert node_hash(recipes()["river"], leaves[0], 1, leaves[1], 1, None) == expected["root"]


@pytest.mark.parametrize("number", range(6))
def test_swissborg_users_get_their_totals_and_a_wrong_credential_is_refused(number):
    entry = json.loads(vector("swissborg/expected.json").read_text("utf-8"))[number]
    result = check(
        *(f"swissborg/{file}" for file in entry["files"]), facts={"credential": entry["credential"]}
    ).results[0]
    assert (result.verdict is ProofVerdict.ACCEPTED) == (entry["strict"] == "accept")
    assert result.own == entry["totals"]


def test_a_credential_with_one_letter_changed_is_refused():
    files = ("swissborg/userLiab_1.json", "swissborg/auditRoots_1.json")
    good = check(*files, facts={"credential": "20000f995b5305144c082ad3443bf4db"}).results[0]
    assert good.grade.own_balance_bound
    assert check(*files, facts={"credential": "20000f995b5305144c082ad3443bf4dc"}).verdict is ProofVerdict.REFUSED
    assert not check(*files).results[0].grade.own_balance_bound


@pytest.mark.parametrize("name", ["correct", "sumError", "checksumHashError", "checksumAttributeError"])
def test_cakedefis_tree_is_rebuilt_and_every_damage_is_seen(name):
    result = check(f"cakedefi/merkleTreeTestData_{name}.json").results[0]
    assert (result.verdict is ProofVerdict.ACCEPTED) == (name == "correct")
    assert result.format == "cakedefi"


def test_a_leaf_list_that_several_formats_share_is_ambiguous_until_somebody_looks_for_their_leaf():
    names = ("thenetworkfirm/tree_default.txt", "thenetworkfirm/root_default.txt")
    alone = check(*names).results[0]
    assert alone.verdict is ProofVerdict.ACCEPTED
    assert "ambiguous-format" in [finding.code for finding in alone.findings]
    assert alone.root == "aece07167a9b1391710bbef42ceafdceb3a0c0e0d43434070f6dea178daf0960"
    assert check(names[0], only_format="tnf-default").results[0].format == "tnf-default"


def test_every_row_of_the_network_firms_input_is_found_in_its_list():
    lines = vector("thenetworkfirm/example_input.txt").read_text("utf-8").splitlines()[1:]
    for line in lines:
        uid, *amounts = line.split(",")
        expected = dict(zip("ABCD", amounts, strict=True))
        result = check("thenetworkfirm/tree_default.txt", facts={"uid": uid}, expected=expected).results[0]
        assert (result.verdict, result.format) == (ProofVerdict.ACCEPTED, "tnf-default")
        assert result.grade.included


def test_bitsos_example_account_is_found_at_its_place():
    expected = json.loads(vector("bitso/expected.json").read_text("utf-8"))[0]
    asked = {"facts": {"account": expected["account_code"]}, "expected": expected["balances"]}
    result = check("bitso/example-merkle-tree.tsv", **asked).results[0]
    assert (result.root, result.leaf, result.format) == (expected["root"], expected["leaf"], "bitso")


def test_a_list_that_ends_before_its_root_is_refused_and_its_known_leaf_is_right():
    assert check("renrenbit/leaves_partial.csv").verdict is ProofVerdict.REFUSED
    rule = recipes()["renrenbit"].data["mine"]["leaf"]
    values = {"uid": "1563256765354", "nonce": "19039", "units": 13991643}
    leaf = recipes()["renrenbit"].digest(template.fill(rule, values))
    mine = ByHash(leaf)
    mine.see(Row(1, 0, "90d404dfaad97c23", 13991643, {}), 16)
    assert mine.rows[0][0] == 16


def test_topones_and_bingxs_known_leaves():
    uid = sha256(b"User12345").hexdigest()
    assert uid == "6e7fb5f60d505b9480ad515a14b63194fa8bc3883acb3d9fbe3f9010690fcb0c"
    for name, values, leaf in (
        (
            "topone",
            {"uid_hash": uid, "own": "USDT:100.2589"},
            "3b44181df32e6fbad0273fd5bcaa8e273121d355a28933cd2b98a9e7c0bb3c7f",
        ),
        (
            "bingx",
            {"uid_hash": "abcdefg", "own": "BTC:1.132142,ETH:2.54469871,USDT:20384,USDC:50.3", "total": "49875.12599"},
            "167d9b8fe8e8b616aaf98f5663eca00d16d4cbd4fe09d2d9a35ce1103b3387af",
        ),
    ):
        assert recipes()[name].digest(template.fill(recipes()[name].data["leaf"], values)) == leaf


# --- the catalogue ---
def test_every_format_of_the_issue_is_described():
    assert set(recipes()) == ISSUE_3


def test_every_description_has_what_a_user_needs():
    for entry in catalogue():
        assert entry.title
        assert entry.years
        assert entry.source
        assert entry.weakness.endswith(".")
        assert set(entry.grade) <= {"included", "own_balance_bound", "totals_bound", "root_anchored", "fresh"}
        assert entry.commits in ("nothing", "sum", "children")
        assert entry.container in ("path", "tree", "leaves")
        assert "totals_bound" not in entry.grade or entry.commits == "children" or entry.name == "blocpal"


def test_the_list_of_formats_is_one_json_object_and_names_the_untested():
    done = CliRunner().invoke(app, ["formats", "--json"])
    rows = json.loads(done.stdout)["formats"]
    assert len(rows) == len(list(RECIPES.glob("*.toml"))) + 1
    assert {row["name"]: row["untested"] for row in rows}["bingx"] == "no public sample"
    assert "okx-v1" in CliRunner().invoke(app, ["formats"]).stdout

"""Claims for an on-chain distributor add up to the plan, every proof holds, and nobody is dropped in silence."""

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_abi.packed import encode_packed
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.payouts import BTC, ETH, USDD, evm_address, make_plan, make_tree, paid, por, told, write_addresses
from verifier.attestation.bundle import seal_manifest
from verifier.canonical import canonical_json
from verifier.compensation import claim_tree
from verifier.compensation.payments import distributor_check
from verifier.compensation.payments.claim_hashes import ClaimHashes, fold
from verifier.demo.exchange import make_users
from verifier.errors import InputError
from verifier.files import spreadsheet_cell
from verifier.inclusion.commitment import load_commitment


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_plan(tmp_path_factory.mktemp("plan"))


@pytest.fixture
def everybody(plan: Path, tmp_path: Path) -> Path:
    return write_addresses(tmp_path / "addresses.csv", {leaf: evm_address(leaf) for leaf in paid(plan, USDD)})


def theirs(proof: list[str], leaf: bytes) -> str:
    """Fold a proof by the hash of another library."""
    node = leaf
    for text in proof:
        node = keccak(b"".join(sorted([node, bytes.fromhex(text[2:])])))
    return "0x" + node.hex()


@pytest.mark.parametrize("kind", ["indexed", "standard"])
def test_every_claim_of_the_plan_is_proven_and_the_amounts_add_up(
    kind: str, plan: Path, everybody: Path, tmp_path: Path
) -> None:
    out = tmp_path / "distributor.json"
    done = told("payout", "distributor", plan, "--asset", USDD, "--addresses", everybody, "--kind", kind, "--out", out)
    record = json.loads(out.read_bytes())
    owed = {evm_address(leaf): units for leaf, units in paid(plan, USDD).items()}
    assert {address.lower(): int(one["units"]) for address, one in record["claims"].items()} == owed
    assert int(record["tokenTotal"], 16) == int(record["units"]) == int(done["units"]) == sum(owed.values())
    assert list(record["claims"]) == sorted(record["claims"], key=str.lower)
    for number, (address, one) in enumerate(record["claims"].items()):
        units = int(one["amount"], 16)
        if kind == "indexed":
            assert one["index"] == number
            leaf = keccak(encode_packed(["uint256", "address", "uint256"], [number, address, units]))
        else:
            assert "index" not in one
            leaf = keccak(keccak(encode(["address", "uint256"], [address, units])))
        assert theirs(one["proof"], leaf) == record["merkleRoot"]
        assert told("payout", "distributor-check", out, "--address", address)["verdict"] == "accepted"


def test_leaves_with_one_address_are_added_up_and_those_without_are_listed(plan: Path, tmp_path: Path) -> None:
    owed = paid(plan, USDD)
    first, second, third, *without = owed
    shared = evm_address("custodian")
    table = write_addresses(
        tmp_path / "a.csv", {first: shared, second: shared.upper().replace("0X", "0x"), third: evm_address("3")}
    )
    out = tmp_path / "d.json"
    done = por("payout", "distributor", plan, "--asset", USDD, "--addresses", table, "--out", out)
    assert (done.exit_code, f"NOT PAID: {len(without)} leaves" in done.output) == (2, True), done.output
    record = json.loads(out.read_bytes())
    claims = {address.lower(): int(one["units"]) for address, one in record["claims"].items()}
    assert claims == {shared: owed[first] + owed[second], evm_address("3"): owed[third]}
    with (tmp_path / "d.json.unpaid.csv").open(newline="") as file:
        listed = {row["leaf"]: int(row["units"]) for row in csv.DictReader(file)}
    assert listed == {leaf: owed[leaf] for leaf in without}
    assert sum(claims.values()) + sum(listed.values()) == sum(owed.values())


def test_account_ids_are_found_through_the_exchanges_own_tree(plan: Path, tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    users = [one.id for one in make_users(200, load_commitment(tree).assets)]
    table = write_addresses(tmp_path / "a.csv", {user: evm_address(user) for user in users}, "account,address")
    out = tmp_path / "d.json"
    command = ["payout", "distributor", plan, "--asset", USDD, "--addresses", table, "--out", out]
    with pytest.raises(InputError, match="--tree"):
        por(*command)
    assert por(*command, "--tree", tree).exit_code == 0
    claims = json.loads(out.read_bytes())["claims"]
    assert sorted(int(one["units"]) for one in claims.values()) == sorted(paid(plan, USDD).values())


def test_account_ids_give_the_same_claims_out_of_a_large_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from verifier.compensation.payments.account_leaves import leaves_of_accounts
    from verifier.inclusion.commitment import TreeAsset
    from verifier.liabilities.accounts import write_accounts
    from verifier.liabilities.folder import build_folder, open_folder
    from verifier.liabilities.publisher.folder import THIS_MACHINE, Terms, publish_folder

    assets = (TreeAsset(ETH, "ETH", 18), TreeAsset(USDD, "USDD", 6))
    users = make_users(300, assets)
    write_accounts(tmp_path / "accounts.csv", assets, users)
    as_of, secret = "2026-11-22T00:00:00Z", tmp_path / "secret"
    small = build_folder(tmp_path / "accounts.csv", assets, "x", as_of, tmp_path / "small", secret, 2).commitment
    terms = Terms(assets, "x", as_of, 2, base_units=False)
    publish_folder(str(tmp_path / "accounts.csv"), terms, tmp_path / "large", secret, THIS_MACHINE)
    names = [*(one.id for one in users[:50]), "nobody"]
    found = [leaves_of_accounts(tmp_path / name, small.digest, names) for name in ("small", "large")]
    assert {name: sorted(leaves) for name, leaves in found[0].items()} == {
        name: sorted(leaves) for name, leaves in found[1].items()
    }
    assert set(found[0]) == set(names) - {"nobody"}
    assert all(len(leaves) == 2 for leaves in found[0].values())
    assert open_folder(tmp_path / "small").commitment == small
    with pytest.raises(InputError, match="the plan pays the accounts of"):
        leaves_of_accounts(tmp_path / "large", "ab" * 32, names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: expected the header"),
        ("leaf,address,x\n", ":1: expected the header"),
        ("leaf,address\n{0}\n", ":2: 1 cells"),
        ("leaf,address\nzz,0x{1}\n", ":2:leaf"),
        ("leaf,address\n{0},0x12\n", ":2: .*not an EVM address"),
        ("leaf,address\n{0},0x52908400098527886E0F7030069857D2E4169eE7\n", ":2: .*checksum"),
        ("leaf,address\n{0},0x0000000000000000000000000000000000000000\n", ":2: .*nobody's"),
        ("leaf,address\n{0},0x{1}\n{0},0x{1}\n", ":3: .*row 2 and here again"),
        ("leaf,address\n{0},0x{1}\n{0},0x{2}\n", ":3: .*row 2 and here with another address"),
        ("leaf,address\n{0},0x{1}\n\n", ":3: 0 cells"),
        ('leaf,address\n"{0},0x{1}\n', "not CSV"),
        ("leaf,address\n{0}," + "1" * 5_000, ":2: longer than"),
        ("leaf,address\n\x00,0x{1}\n", ":2"),
    ],
)
def test_a_doubtful_row_is_refused_with_its_place(text: str, said: str, plan: Path, tmp_path: Path) -> None:
    leaf = next(iter(paid(plan, USDD)))
    table = tmp_path / "a.csv"
    table.write_text(text.format(leaf, "11" * 20, "22" * 20))
    with pytest.raises(InputError, match=f"a.csv{said}" if said[0] == ":" else said):
        por("payout", "distributor", plan, "--asset", USDD, "--addresses", table, "--out", tmp_path / "d.json")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv"]


def test_an_account_the_tree_does_not_know_is_refused(plan: Path, tmp_path: Path) -> None:
    tree = make_tree(tmp_path)
    table = write_addresses(
        tmp_path / "a.csv", {"user-0000001": evm_address("1"), "nobody": evm_address("2")}, "account,address"
    )
    with pytest.raises(InputError, match=r"a\.csv:3: the tree knows no account"):
        por(
            "payout",
            "distributor",
            plan,
            "--asset",
            USDD,
            "--addresses",
            table,
            "--tree",
            tree,
            "--out",
            tmp_path / "d",
        )


@pytest.mark.parametrize(
    ("asset", "said"),
    [
        (ETH, "ERC-20"),
        ("eip155:1/slip44:60", "pays nothing of"),
        ("iso4217:JPY/fiat:JPY", "by a bank"),
    ],
)
def test_what_a_distributor_cannot_pay_is_said(
    asset: str, said: str, plan: Path, everybody: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        por("payout", "distributor", plan, "--asset", asset, "--addresses", everybody, "--out", tmp_path / "d.json")


def test_addresses_of_another_chain_are_refused(plan: Path, everybody: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"addresses\.csv:2"):
        por("payout", "distributor", plan, "--asset", BTC, "--addresses", everybody, "--out", tmp_path / "d.json")


def test_a_plan_whose_table_was_changed_is_refused(plan: Path, everybody: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(plan, changed)
    rows = (plan / "payouts.csv").read_text().splitlines()
    (changed / "payouts.csv").write_text("\n".join([rows[0], *rows[2:]]) + "\n")
    command = ["payout", "distributor", changed, "--asset", USDD, "--addresses", everybody, "--out", tmp_path / "d"]
    with pytest.raises(InputError, match="not whole"):
        por(*command)
    case = json.loads((changed / "manifest.json").read_bytes())["case"]
    seal_manifest(changed, case, "reserve-verifier/plan-folder/1")
    with pytest.raises(InputError, match="the tree of claims commits to"):
        por(*command)


def test_a_plan_whose_document_names_another_tree_of_claims_is_refused(
    plan: Path, everybody: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(plan, changed)
    record = json.loads((plan / "plan.json").read_bytes()) | {"claims": "ab" * 32}
    (changed / "plan.json").write_bytes(canonical_json(record))
    seal_manifest(changed, record["case"], "reserve-verifier/plan-folder/1")
    with pytest.raises(InputError, match="not the one its document names"):
        por("payout", "distributor", changed, "--asset", USDD, "--addresses", everybody, "--out", tmp_path / "d")


def test_nothing_is_written_over_another_file(plan: Path, everybody: Path, tmp_path: Path) -> None:
    command = ["payout", "distributor", plan, "--asset", USDD, "--addresses", everybody, "--out", tmp_path / "d.json"]
    assert por(*command).exit_code == 0
    with pytest.raises(InputError, match="exists already"):
        por(*command)


def test_many_payouts_give_the_same_claims(
    plan: Path, everybody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_tree, "LARGE", 0)
    large = make_plan(tmp_path)
    assert (large / "payouts.parquet").exists()
    written = []
    for folder, name in ((plan, "small"), (large, "large")):
        por("payout", "distributor", folder, "--asset", USDD, "--addresses", everybody, "--out", tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0x1"}, {"units": "1"}, {"index": 10_000}, {"proof": []}, {"proof": ["0x" + "00" * 32]},
    ],
)  # fmt: skip
def test_a_changed_claim_is_refused(change: Mapping[str, object], plan: Path, everybody: Path, tmp_path: Path) -> None:
    out = tmp_path / "d.json"
    por("payout", "distributor", plan, "--asset", USDD, "--addresses", everybody, "--out", out)
    record = json.loads(out.read_bytes())
    address = next(iter(record["claims"]))
    record["claims"][address] |= change
    out.write_text(json.dumps(record))
    done = por("payout", "distributor-check", out, "--address", address)
    assert (done.exit_code, done.output.startswith("refused")) == (1, True)


def test_a_claim_is_checked_against_the_contracts_root_and_by_line_in_a_large_file(
    plan: Path, everybody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "d.json"
    root = told("payout", "distributor", plan, "--asset", USDD, "--addresses", everybody, "--out", out)["merkleRoot"]
    claims = json.loads(out.read_bytes())["claims"]
    for whole in (distributor_check.MAX_WHOLE, 100):
        monkeypatch.setattr(distributor_check, "MAX_WHOLE", whole)
        for address in (*list(claims)[:3], list(claims)[-1]):
            assert por("payout", "distributor-check", out, "--address", address, "--root", root).exit_code == 0
            refused = por("payout", "distributor-check", out, "--address", address, "--root", "0x" + "ab" * 32)
            assert (refused.exit_code, "the one to compare with" in refused.output) == (1, True)
        with pytest.raises(InputError, match="no claim of"):
            por("payout", "distributor-check", out, "--address", evm_address("stranger"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"claims": {}}', "{" * 200, '{"claims": []}'])
def test_what_is_no_distributor_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "d.json"
    path.write_text(text)
    for whole in (distributor_check.MAX_WHOLE, -1):
        monkeypatch.setattr(distributor_check, "MAX_WHOLE", whole)
        with pytest.raises(InputError):
            por("payout", "distributor-check", path, "--address", evm_address("1"))


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True))
def test_every_leaf_of_a_tree_of_any_size_leads_to_its_root(leaves: list[bytes]) -> None:
    tree = ClaimHashes(leaves)
    assert all(fold(leaf, tree.proof(number)) == tree.root for number, leaf in enumerate(leaves))
    assert ClaimHashes(leaves[::-1]).root == tree.root


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", ' "=1"', "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"
    assert spreadsheet_cell("0x12") == "0x12"

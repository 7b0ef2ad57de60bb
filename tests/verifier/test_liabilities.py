"""The exchange's side: tables are read exactly or refused with their place, trees can be rebuilt and audited."""

import csv
import json
import stat
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.test_sum_tree import AS_OF, ASSETS, RUN, SECRET
from verifier.errors import InputError, UnavailableError
from verifier.inclusion import sum_tree
from verifier.inclusion.commitment import load_commitment
from verifier.inclusion.sum_tree import MAX_UNITS, Node
from verifier.liabilities.accounts import Account, load_assets, read_accounts, write_accounts
from verifier.liabilities.audit import audit_leaves
from verifier.liabilities.build import build, prove
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.folder import build_folder, open_folder
from verifier.liabilities.leaves import read_leaves


def table(tmp_path, content):
    path = tmp_path / "accounts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(tmp_path, content):
    return list(read_accounts(table(tmp_path, content), ASSETS))


def tree_of(count, parts=1):
    accounts = [Account(f"user-{number}", (number, number * 7)) for number in range(count)]
    return build(accounts, ASSETS, RUN, AS_OF, SECRET, parts)


# --- reading tables ---
def test_amounts_are_exact_and_columns_may_stand_in_any_order(tmp_path):
    content = '\ufeffaccount,ETH,BTC\r\nalice,1.5,0.00000001\r\n"b,""o\nb",0,21000000\r\nzoë,0.100,1.10000000000\r\n'
    assert read(tmp_path, content) == [
        Account("alice", (1, 15 * 10**17)),
        Account('b,"o\nb', (21 * 10**14, 0)),
        Account("zoë", (110_000_000, 10**17)),
    ]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("-5", "negative"),
        ("-0.1", "negative"),
        ("1e3", "exponent"),
        ("1E-8", "exponent"),
        ("NaN", "not a plain decimal"),
        ("inf", "not a plain decimal"),
        ("", "empty"),
        ("  ", "empty"),
        (" 1", "not a plain decimal"),
        ("+1", "not a plain decimal"),
        ("1.", "not a plain decimal"),
        (".5", "not a plain decimal"),
        ("0x10", "not a plain decimal"),
        ("1_000", "not a plain decimal"),
        ("１", "not a plain decimal"),
        ("1.123456789", "9 decimals; the asset has 8"),
        (str(2**128), "2^128"),
        ("9" * 61, "too long"),
    ],
)
def test_a_doubtful_amount_is_refused_with_file_row_column_and_reason(tmp_path, cell, reason):
    with pytest.raises(InputError) as refused:
        read(tmp_path, f"account,BTC,ETH\nalice,1,1\nbob,{cell},1\n")
    assert f"{tmp_path / 'accounts.csv'}:3:BTC: " in str(refused.value)
    assert reason in str(refused.value)


def test_the_largest_amount_is_read_and_one_unit_more_is_refused(tmp_path):
    largest = f"{MAX_UNITS // 10**8}.{MAX_UNITS % 10**8:08d}"
    assert read(tmp_path, f"account,BTC,ETH\na,{largest},0\n")[0].units == (MAX_UNITS, 0)
    more = f"{(MAX_UNITS + 1) // 10**8}.{(MAX_UNITS + 1) % 10**8:08d}"
    with pytest.raises(InputError, match=":2:BTC: "):
        read(tmp_path, f"account,BTC,ETH\na,{more},0\n")


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("", ":1", "an empty file"),
        ("id,BTC,ETH\n", ":1", "`account`"),
        ("account,BTC\na,1\n", ":1", "ETH is missing"),
        ("account,BTC,ETH,DOGE\n", ":1", "unknown asset 'DOGE'"),
        ("account,BTC,ETH,BTC\n", ":1", "twice"),
        ("account,BTC,ETH\na,1,1\nb,1\n", ":3", "ETH is missing"),
        ("account,BTC,ETH\na,1,1,1\n", ":2", "4 cells"),
        ("account,BTC,ETH\na,1,1\n\nb,1,1\n", ":3", "0 cells"),
        ("account,BTC,ETH\na,1,1\nb,1,1\na,2,2\n", ":4:account", "already on row 2"),
        ("account,BTC,ETH\n,1,1\n", ":2:account", "text"),
        ("account,BTC,ETH\n" + "x" * 10_001 + ",1,1\n", ":2:account", "10000"),
        (b"account,BTC,ETH\na,1,1\n\xff,1,1\n", ": line 3", "not UTF-8"),
        (b"account,BTC,ETH\n" + b"x" * 2_000_000, ": line 2", "longer than"),
        ('account,BTC,ETH\n"a,1,1\n', ":2", "not CSV"),
        ('account,BTC,ETH\n"a"b,1,1\n', ":2", "not CSV"),
    ],
    ids=range(15),
)
def test_a_doubtful_table_is_refused_with_its_place(tmp_path, content, place, reason):
    with pytest.raises(InputError) as refused:
        read(tmp_path, content)
    assert f"accounts.csv{place}" in str(refused.value)
    assert reason in str(refused.value)


def test_a_missing_table_is_unavailable(tmp_path):
    with pytest.raises(UnavailableError):
        list(read_accounts(tmp_path / "none.csv", ASSETS))


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
amounts = st.integers(0, MAX_UNITS)


@given(st.dictionaries(names, st.tuples(amounts, amounts), max_size=8))
@settings(deadline=None)
def test_any_account_ids_and_amounts_survive_a_round_trip(tmp_path_factory, held):
    path = tmp_path_factory.mktemp("csv") / "accounts.csv"
    accounts = [Account(name, units) for name, units in held.items()]
    write_accounts(path, ASSETS, accounts)
    assert list(read_accounts(path, ASSETS)) == accounts


def test_asset_tables_are_read_from_toml_and_json(tmp_path):
    records = [asset._asdict() for asset in ASSETS]
    (tmp_path / "a.json").write_text(json.dumps(records))
    toml = "".join(
        f'[[assets]]\nasset = "{asset.asset}"\nsymbol = "{asset.symbol}"\ndecimals = {asset.decimals}\n'
        for asset in ASSETS
    )
    (tmp_path / "a.toml").write_text(toml)
    assert load_assets(tmp_path / "a.json") == load_assets(tmp_path / "a.toml") == ASSETS


@pytest.mark.parametrize("content", ["[]", "{}", "[1]", '[{"asset": "x", "symbol": "X", "decimals": 8}]', "nonsense"])
@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_a_malformed_asset_table_is_refused_with_its_name(tmp_path, content, suffix):
    path = tmp_path / f"assets.{suffix}"
    path.write_text(content)
    with pytest.raises(InputError, match=f"assets.{suffix}: "):
        load_assets(path)


# --- building ---
@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        ([], "no account"),
        ([Account("a", (1, 1)), Account("b", (1, 1)), Account("a", (2, 2))], "listed twice"),
        ([Account("a", (1,))], "1 amounts for 2 assets"),
        ([Account("", (1, 1))], "text"),
        ([Account("a", (-1, 1))], "negative"),
        ([Account("a\ud800", (1, 1))], "surrogate"),
    ],
)
@pytest.mark.parametrize("parts", [1, 3])
def test_accounts_that_make_no_tree_are_refused(accounts, reason, parts):
    with pytest.raises(InputError, match=reason):
        build(accounts, ASSETS, RUN, AS_OF, SECRET, parts)


def test_a_malformed_run_or_secret_is_refused():
    for run_id, as_of, secret in (("a b", AS_OF, SECRET), (RUN, "today", SECRET), (RUN, AS_OF, b"short")):
        with pytest.raises(InputError):
            build([Account("a", (1, 1))], ASSETS, run_id, as_of, secret)


@pytest.mark.parametrize("parts", [0, 17, -1])
def test_a_number_of_parts_out_of_range_is_refused(parts):
    with pytest.raises(InputError, match="leaves per account"):
        build([Account("a", (1, 1))], ASSETS, RUN, AS_OF, SECRET, parts)


@pytest.mark.parametrize("parts", [2, 16])
def test_splitting_multiplies_the_leaves_and_moves_no_total(parts):
    whole, split = tree_of(9), tree_of(9, parts)
    assert split.commitment.totals == whole.commitment.totals
    assert (split.commitment.parts, split.commitment.leaf_count) == (parts, 9 * parts)
    assert {account: split.owed(account) for account in split.accounts()} == {
        account: whole.owed(account) for account in whole.accounts()
    }
    assert {(leaf.account, leaf.part) for leaf in split.leaves} == {
        (f"user-{number}", part) for number in range(9) for part in range(parts)
    }


def test_the_leaves_of_one_account_do_not_stand_together():
    tree = tree_of(200, 2)
    apart = [abs(first - second) for first, second in tree.places.values()]
    assert sum(distance > 1 for distance in apart) > 180


@pytest.mark.parametrize("parts", [1, 3])
def test_ids_with_separators_twins_and_great_length_stand_apart(parts):
    names = ["a", "a,", "a\x00", "a\n", "\u00e5", "a\u030a", "x" * 10_000, " a", "A"]
    tree = build([Account(name, (1, 1)) for name in names], ASSETS, RUN, AS_OF, SECRET, parts)
    assert len({node.hash for node in tree.levels[0]}) == len(names) * parts
    assert all(prove(tree, name).account == name for name in names)


def test_an_unknown_account_has_no_proof():
    with pytest.raises(InputError, match="'nobody': no such account"):
        prove(tree_of(3), "nobody")


def test_a_damaged_tree_hands_out_no_proof():
    tree = tree_of(4)
    tree.levels[1][0] = Node(bytes(32), (0, 0))
    hurt = next(name for name, (index,) in tree.places.items() if index >= 2)
    with pytest.raises(InputError, match="damaged"):
        prove(tree, hurt)


def test_what_a_tree_prints_names_no_account():
    assert "user-1" not in repr(tree_of(3))


def test_two_thousand_assets_fit():
    wide = tuple(ASSETS[0]._replace(asset=f"eip155:1/erc20:0x{n:040x}", symbol=f"T{n}") for n in range(2_000))
    tree = build([Account(name, tuple(range(2_000))) for name in "abc"], wide, RUN, AS_OF, SECRET)
    assert prove(tree, "b").balances[1999] == 1999


def codes(audit):
    return {finding.code for finding in audit.findings}


def test_an_edited_leaf_list_is_told_by_what_differs():
    tree = tree_of(8)
    leaves = tree.levels[0]
    richer = [*leaves[:-1], Node(leaves[-1].hash, (10**9, 0))]
    assert codes(audit_leaves(tree.commitment, richer)) == {"totals-differ", "root-differs"}
    fewer = codes(audit_leaves(tree.commitment, leaves[:-1]))
    assert {"leaf-count-differs", "root-differs"} <= fewer
    twice = audit_leaves(tree.commitment, [*leaves[:-1], leaves[0]])
    assert "leaf-repeated" in codes(twice)
    assert codes(audit_leaves(tree.commitment, list(reversed(leaves)))) == {"root-differs"}
    assert "padding-listed" in codes(audit_leaves(tree.commitment, [*leaves, sum_tree.padding(0, 2)]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("leaf,BTC\n", "expected the header"),
        ("leaf,BTC,ETH\n" + "00" * 32 + ",1\n", "2 cells"),
        ("leaf,BTC,ETH\n" + "00" * 32 + ",1,-1\n", "negative"),
        ("leaf,BTC,ETH\n" + "00" * 31 + ",1,1\n", "hex digits"),
        ("leaf,BTC,ETH\n" + "00" * 32 + ",1,1", "cut off"),
        ("leaf,BTC,ETH\n" + "00" * 32 + ",1," + "1" * 500 + "\n", "too long"),
        ("leaf,BTC,ETH\n" + "00" * 32 + ",1,é\n", "not ASCII"),
    ],
)
def test_a_malformed_leaf_list_is_refused_with_its_row(tmp_path, content, reason):
    path = tmp_path / "leaves.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=reason) as refused:
        list(read_leaves(path, ASSETS))
    assert f"{path}:" in str(refused.value)


def test_a_leaf_count_that_is_no_multiple_of_the_parts_is_told():
    tree = tree_of(4, 2)
    assert codes(audit_leaves(tree.commitment, tree.levels[0])) == set()
    odd = replace(tree.commitment, parts=3)
    assert codes(audit_leaves(odd, tree.levels[0])) == {"parts-differ"}


def test_an_empty_leaf_list_is_refused():
    with pytest.raises(InputError, match="at least one leaf"):
        audit_leaves(tree_of(2).commitment, [])


# --- on disk ---
def test_a_commitment_survives_the_disk(tmp_path):
    commitment = tree_of(3).commitment
    save_commitment(tmp_path / "commitment.json", commitment)
    assert load_commitment(tmp_path / "commitment.json") == commitment
    assert load_commitment(tmp_path).digest == commitment.digest


def build_here(tmp_path, **changes):
    rows = "".join(f"user-{number},{number}.5,{number}\n" for number in range(5))
    accounts = table(tmp_path, "account,BTC,ETH\n" + rows)
    arguments = {"run_id": RUN, "as_of": AS_OF, "out": tmp_path / "tree"} | changes
    return build_folder(accounts, ASSETS, **arguments)


@pytest.mark.parametrize("parts", [1, 3])
def test_a_folder_opens_again_to_the_same_tree(tmp_path, parts):
    built = build_here(tmp_path, parts=parts)
    assert built.commitment.parts == parts
    assert open_folder(tmp_path / "tree") == built
    held = read_accounts(tmp_path / "tree" / "private" / "accounts.csv", ASSETS)
    assert dict(held) == {f"user-{n}": (n * 10**8 + 5 * 10**7, n * 10**18) for n in range(5)}


def test_private_parts_are_closed_and_public_parts_hold_no_secret(tmp_path):
    tree = build_here(tmp_path)
    private = tmp_path / "tree" / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}
    secret = (private / "secret").read_text().strip()
    public = "".join(path.read_text() for path in (tmp_path / "tree").iterdir() if path.is_file())
    assert secret not in public
    assert "user-" not in public
    assert not any(leaf.salt.hex() in public for leaf in tree.leaves)


def test_the_secret_is_made_once_and_read_again(tmp_path):
    secret = tmp_path / "secret"
    first = build_here(tmp_path, secret_file=secret)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    second = build_here(tmp_path, secret_file=secret, out=tmp_path / "again")
    third = build_here(tmp_path, out=tmp_path / "other")
    assert first.commitment == second.commitment
    assert first.commitment.root != third.commitment.root
    assert open_folder(tmp_path / "again").commitment == second.commitment


def test_a_malformed_secret_is_refused_without_being_shown(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    with pytest.raises(InputError) as refused:
        build_here(tmp_path, secret_file=secret)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_published_tree_is_never_overwritten(tmp_path):
    build_here(tmp_path)
    with pytest.raises(InputError, match="not an empty folder"):
        build_here(tmp_path)


def test_a_refused_table_leaves_nothing_behind(tmp_path):
    with pytest.raises(InputError):
        build_here(tmp_path, as_of="yesterday", secret_file=tmp_path / "secret")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accounts.csv"]


def test_a_private_part_that_does_not_belong_is_refused(tmp_path):
    build_here(tmp_path)
    accounts = tmp_path / "tree" / "private" / "accounts.csv"
    rows = list(csv.reader(accounts.read_text().splitlines()))
    rows[1][1] = "99"
    accounts.write_text("\n".join(",".join(row) for row in rows) + "\n")
    with pytest.raises(InputError, match="does not belong"):
        open_folder(tmp_path / "tree")

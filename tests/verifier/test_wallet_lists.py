"""Published wallet lists: what they claim is checked, what they leave open is said, whatever breaks is refused."""

import contextlib
import json
import subprocess
import sys
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.builders import wallet_lists as make
from verifier.dates import date_in_text
from verifier.errors import InputError, UnavailableError, VerifierError
from verifier.wallet_lists.dates import BITCOIN, ETHEREUM, day_of_height
from verifier.wallet_lists.networks import listed_networks, network_of_row, parse_label
from verifier.wallet_lists.report import check_wallet_lists

CASES = sorted(path.parent for path in make.FIXTURES.glob("*/expected.json"))


def write(folder, content, name="list.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def check(folder, content, name="list.csv"):
    report = check_wallet_lists([write(folder, content, name)])
    return report.lists[0].to_record() | {"exit_code": report.exit_code}


def codes(record):
    return [finding["code"] for finding in record["findings"]]


# --- the public fixtures ---
def test_the_fixtures_are_what_the_builder_makes(tmp_path):
    make.main(tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {path.relative_to(make.FIXTURES): path.read_bytes() for path in make.FIXTURES.rglob("*") if path.is_file()}
    assert made == kept
    assert len(CASES) >= 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fixture_gets_its_expected_answer(case):
    expected = json.loads((case / "expected.json").read_text())
    report = check_wallet_lists([next(case.glob("list.*"))])
    record = report.lists[0].to_record() | {"exit_code": report.exit_code}
    assert {name: record[name] for name in expected if name != "findings"} == {
        name: value for name, value in expected.items() if name != "findings"
    }
    assert set(expected.get("findings", [])) <= set(codes(record))


def test_every_okx_scheme_is_named(tmp_path):
    record = check(tmp_path, make.okx_list())
    assert record["schemes"] == {"bitcoin-message": 5, "eip-191-hash": 2, "okx-ed25519": 1, "tron-v2": 1}
    assert record["totals"][0] == {
        "asset": "ETH", "declared": "3.5", "sum": "3.5", "difference": "0", "rows": 2, "result": "equal",
    }  # fmt: skip
    assert {asset["asset"]: asset.get("verified") for asset in record["assets"]}["BTC"] == "12"


# --- what a list claims ---
def test_owners_named_by_the_list_alone_never_count_as_the_wallet(tmp_path):
    record = check(tmp_path, make.self_asserted_list())
    assert (record["verified"], record["unbound"], record["refused"]) == (8, 1, 0)
    assert "anyone could write that (line 10)" in next(
        finding["text"] for finding in record["findings"] if finding["code"] == "owner-self-asserted"
    )
    assert next(asset for asset in record["assets"] if asset["asset"] == "ETH")["unbound"] == "1.5"


def test_a_signature_copied_to_another_wallet_is_refused(tmp_path):
    signature = make.sign(1, "eip-191-hash", make.OKX_MESSAGE)
    rows = [make.okx_row("ETH", "ETH", make.evm(number), "1", signature) for number in (1, 2, 1, 2)]
    record = check(tmp_path, make.okx_list(rows, {}))
    assert (record["verified"], record["refused"]) == (2, 2)


def test_old_lists_without_a_network_column_are_read_by_the_coins_label(tmp_path):
    rows = [row.split(",") for row in make.okx_rows() if row.startswith(("ETH,ETH", "BTC", "LTC", "DOGE"))]
    rows = [",".join([cells[0], *cells[2:]]) for cells in rows]
    content = make.okx_list(rows, {}, header=make.OKX_HEADER.replace("Network,", ""))
    record = check(tmp_path, content)
    assert (record["format"], record["verified"]) == ("okx-10-columns", 6)


def test_a_public_key_in_the_column_for_scripts_changes_nothing(tmp_path):
    named = make.key(4).public_key.format().hex()
    signature = make.sign_bitcoin(4, make.BITCOIN, make.OKX_MESSAGE)
    row = make.okx_row("BTC", "BTC", make.p2pkh(make.BITCOIN, 4), "3", signature, "", named)
    assert check(tmp_path, make.okx_list([row], {}))["verified"] == 1


def test_an_owner_whose_signature_is_wrong_is_refused(tmp_path):
    rows = make.okx_rows()
    signature = make.sign(22, "eip-191-hash", make.OKX_MESSAGE)
    rows[0] = make.okx_row("ETH", "ETH", "0x" + "de" * 20, "1.5", signature, "", "", (make.evm(21),))
    assert check(tmp_path, make.okx_list(rows))["refused"] == 1
    rows[0] = make.okx_row("ETH", "ETH", "0x" + "de" * 20, "1.5", signature, "", "", (make.evm(22), make.evm(21)))
    record = check(tmp_path, make.okx_list(rows))
    assert "owner-without-signature" in record["findings"][0]["text"]


def test_an_owner_that_is_the_wallet_itself_is_the_wallet(tmp_path):
    rows = make.okx_rows()
    signature = make.sign(1, "eip-191-hash", make.OKX_MESSAGE)
    rows[0] = make.okx_row("ETH", "ETH", make.evm(1), "1.5", signature, "", "", (make.evm(1),))
    assert check(tmp_path, make.okx_list(rows))["verified"] == 9


def test_networks_nobody_knows_are_counted_and_named(tmp_path):
    rows = [*make.okx_rows(), make.okx_row("NEW", "NOSUCHCHAIN", "abc", "1", "0x00")]
    rows.append(make.okx_row("NEW", "OTHERCHAIN", make.evm(9), "1", make.sign(9, "eip-191", make.OKX_MESSAGE)))
    record = check(tmp_path, make.okx_list(rows))
    texts = {finding["code"]: finding["text"] for finding in record["findings"]}
    assert (record["unchecked"], record["verified"]) == (1, 10)
    assert "NOSUCHCHAIN (1)" in texts["network-unknown"]
    assert "OTHERCHAIN (1)" in texts["network-guessed"]


def test_a_list_without_anything_to_check_says_so(tmp_path):
    rows = [make.okx_row("ETH", "ETH", make.evm(1), "1")]
    record = check(tmp_path, make.okx_list(rows, {}))
    assert (record["exit_code"], record["verdict"]) == (2, "nothing-checked")
    assert "no-signatures" in codes(record)


def test_the_unsigned_share_is_told_by_rows_and_by_amount(tmp_path):
    record = check(tmp_path, make.htx_list())
    texts = [finding["text"] for finding in record["findings"]]
    assert "2 of 9 rows (22 %) are not signed." in texts
    assert "BTC: 0.5 of 13 (3 %) has no signature." in texts
    assert "ETH: 50 of 150 (33 %) has no signature." in texts


def test_contract_wallets_are_tied_to_their_owners_by_place_only(tmp_path):
    record = check(tmp_path, make.htx_list())
    assert record["owner_rows"] == 2
    assert "1 wallets without signature are followed by keys said to own them" in str(record["findings"])


def test_messages_with_a_date_are_told_from_messages_without(tmp_path):
    dated = make.okx_list().replace(make.OKX_MESSAGE, "reserves of 2026-01-31")
    record = check(tmp_path, dated)
    assert "undated-message" not in codes(record)
    assert "message-age" in codes(record)
    assert record["refused"] == 9


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-31", "2026-01-31"),
        ("por 20260131 final", "2026-01-31"),
        ("31 January 2026", "2026-01-31"),
        ("as of Jan 31, 2026", "2026-01-31"),
        ("6DcZbFpug1664269042", "2022-09-27"),
        ("I am an OKX address", None),
        ("AUP2025", None),
        ("2026-02-31", None),
        ("May the 4th be with you", None),
    ],
)
def test_dates_in_texts_are_read(text, found):
    day = date_in_text(text)
    assert (day.isoformat() if day else None) == found


def test_heights_become_days():
    assert day_of_height(ETHEREUM, 21_925_176).isoformat() == "2025-02-25"
    assert day_of_height(ETHEREUM, 15_537_394).isoformat() == "2022-09-15"
    assert day_of_height(BITCOIN, 840_000).isoformat() == "2024-04-20"
    assert day_of_height(BITCOIN, 10**15).isoformat() == "2100-01-01"


# --- sums ---
@pytest.mark.parametrize(
    ("declared", "rows", "result"),
    [
        ("3", ["1", "2"], "equal"),
        ("3.000", ["1", "2"], "equal"),
        ("3", ["1.2", "2"], "rounded"),
        ("3.33", ["1.111", "2.222"], "rounded"),
        ("3.34", ["1.11", "2.22"], "rounding"),
        ("3.35", ["1.11", "2.22"], "differs"),
        ("2.99", ["1", "2"], "differs"),
        ("3.6", ["1.5", "2"], "differs"),
        ("263047306759681", ["263047306759681.33"], "rounded"),
        ("123456789012345678901234567890.000000001", ["123456789012345678901234567890", "0.000000001"], "equal"),
        ("123456789012345678901234567890.000000002", ["123456789012345678901234567890", "0.000000001"], "rounding"),
        ("0", [], "equal"),
        ("1", [], "no-rows"),
    ],
)
def test_totals_are_compared_exactly(tmp_path, declared, rows, result):
    found = [make.okx_row("ETH", "ETH", make.evm(n), amount) for n, amount in enumerate(rows)]
    record = check(tmp_path, make.okx_list(found, {"ETH": declared}))
    assert [total["result"] for total in record["totals"]] == [result]
    assert (record["verdict"] == "refused") is (result == "differs")


def test_a_group_is_the_sum_of_its_asset_or_of_the_labels_below_it(tmp_path):
    rows = make.htx_rows()
    totals = ("USDT(ALL),-,109", "USDT-TRC20,-,70", "USDT-SOL,-,30", "TRX,-,9")
    record = check(tmp_path, make.htx_list(rows, totals))
    assert [total["result"] for total in record["totals"]] == ["equal", "equal", "equal", "equal", "equal"]


def test_a_label_means_the_same_network_under_another_name(tmp_path):
    row = make.htx_signed("USDT-ETH", make.evm(33), "5", make.sign(33, "keccak", make.HTX_MESSAGE))
    record = check(tmp_path, make.htx_list([row], ("USDT-ERC20,1,5",)))
    assert record["totals"][0]["result"] == "equal"


def test_an_address_counted_twice_is_found(tmp_path):
    rows = [*make.okx_rows(), make.okx_rows()[0]]
    record = check(tmp_path, make.okx_list(rows, {**make.OKX_TOTALS, "ETH": "5"}))
    assert "duplicate-row" in codes(record)
    assert "(line 19)" in str(record["findings"])
    assert record["exit_code"] == 0


def test_an_address_in_two_roles_is_found(tmp_path):
    rows = make.htx_rows()
    owner = make.htx_signed("ETH", make.evm(33), "-", make.sign(33, "eip-191", make.HTX_MESSAGE))
    assert "two-roles" in codes(check(tmp_path, make.htx_list([*rows, owner])))
    assert "two-roles" not in codes(check(tmp_path, make.htx_list(rows)))
    staking = make.okx_12_list() + make.okx_rows(kind="Non Staking")[0] + "\n"
    assert "two-roles" in codes(check(tmp_path, staking))


def test_the_same_address_on_two_networks_is_noted(tmp_path):
    rows = [make.okx_row("ETH", net, make.evm(1), "1") for net in ("ETH", "BASE")]
    assert "several-networks" in codes(check(tmp_path, make.okx_list(rows, {})))


# --- BitMEX ---
@pytest.mark.parametrize("style", ["block", "flow"])
def test_a_reserve_file_in_either_style_of_yaml_is_read(tmp_path, style):
    record = check(tmp_path, make.bitmex_list(style), "list.yaml")
    assert (record["rows"], record["unsigned"], record["exit_code"]) == (4, 4, 0)
    assert record["totals"][0]["declared"] == "0.0065"


def test_a_reserve_file_with_a_wrong_total_or_script_is_refused(tmp_path):
    assert check(tmp_path, make.bitmex_list(totals=650_001), "list.yaml")["verdict"] == "refused"
    text = make.bitmex_list()
    swapped = text.replace("addr_type: wsh", "addr_type: sh")
    assert check(tmp_path, swapped, "list.yaml")["refused"] == 0
    wrong = text.replace(make.p2pkh(make.BITCOIN, 45), "x").replace("- addr: bc1", "- addr: bc1q")
    assert check(tmp_path, wrong, "list.yaml")["refused"] == 1


def test_a_descriptor_of_one_of_the_extended_keys_is_derived(tmp_path):
    # BIP-32, test vector 1
    xpub = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265"
    xpub += "TMg7usUDFdp6W1EGMcet8"
    from chains.bitcoin.descriptor import expand
    from chains.network import network_of

    descriptor = f"wpkh({xpub}/0/1)"
    (address,) = expand(network_of(make.BITCOIN), descriptor)
    head = f"chain: main\nheight: 1\ntotal: 5\nclaim: {{m: 2, n: 3}}\nkeys: []\nxpub: [{xpub}]\naddress:\n"
    body = f"- {{addr: {address}, addr_type: wpkh, script: '{descriptor}', balance: 5}}\n"
    assert check(tmp_path, head + body, "a.yaml")["refused"] == 0
    assert check(tmp_path, head + body.replace("/0/1", "/0/2"), "a.yaml")["refused"] == 1
    assert check(tmp_path, head.replace(f"[{xpub}]", "[xpub]") + body, "a.yaml")["exit_code"] in (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "height: 1\n",
        "height: &a 1\n",
        "height: 1\naddress:\n- addr: !!python/object x\n",
        "height: 1\naddress:\n  - addr: x\n      deep:\n",
        "height: 1\n\taddress: 2\n",
        "height: {a: {b: c}}\n",
        "height: {a: b\n",
        "height: |\n  text\n",
        "address:\n- {addr: a, addr: b}\n",
        "chain: main\nheight: -1\n",
    ],
)
def test_yaml_beyond_what_reserve_files_need_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"list\.yaml"):
        check(tmp_path, text, "list.yaml")


# --- files as they come ---
def test_byte_order_marks_and_line_ends_change_nothing(tmp_path):
    plain = check(tmp_path, make.okx_list())
    for content in ("\ufeff" + make.okx_list(), make.okx_list().replace("\n", "\r\n"), make.okx_list().rstrip("\n")):
        record = check(tmp_path, content)
        assert (record["verified"], record["totals"]) == (9, plain["totals"])


def test_headers_are_read_whatever_their_case_and_spaces(tmp_path):
    content = make.okx_list().replace("redeem script/ public key,eoa1,eoa2", "Redeem Script/Public Key, EOA1 ,EOA2")
    assert check(tmp_path, content)["verified"] == 9


def test_cells_in_brackets_without_quotes_stay_together(tmp_path):
    row = make.okx_rows()[0] + ",,[a,b,c]"
    assert check(tmp_path, make.okx_list([row], {}))["rows"] == 1


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (make.okx_list().encode("utf-16"), ":1: UTF-16"),
        (make.okx_list().encode() + b"\xff\xfe", ":19: not UTF-8"),
        (make.okx_list() + "ETH,ETH,1,x,12abc,m,s\n", ":19:amount"),
        (make.okx_list() + "ETH,ETH,1,x,NaN,m,s\n", ":19:amount"),
        (make.okx_list() + "ETH,ETH,1,x,1e999999,m,s\n", ":19:amount"),
        (make.okx_list() + "ETH,ETH,1,x,1,m,s,,,,,too,many\n", ":19: 13 cells"),
        (make.okx_list() + "ETH\0\n", ":19: holds a zero byte"),
        (make.okx_list() + 'ETH,"a"b,c\n', ":19: not CSV"),
        (make.okx_list() + "x" * 70_000, ":19: longer than"),
        ("[" * 1_000_000, ":1: longer than"),
        ("a,b,c\n1,2,3\n", "not a wallet list known here"),
        ("", "not a wallet list known here"),
        ('{"path": []}', "not a wallet list known here"),
        ("coin,address,signature\n", "message"),
        (make.okx_list().replace("eoa2", "eoa1"), "two columns"),
    ],
)
def test_what_is_no_list_is_refused_with_its_place(tmp_path, content, where):
    started = time.monotonic()
    with pytest.raises(InputError) as refused:
        check(tmp_path, content)
    assert where in str(refused.value)
    assert "list.csv" in str(refused.value)
    assert time.monotonic() - started < 1


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path):
    with pytest.raises(UnavailableError):
        check_wallet_lists([tmp_path / "missing.csv"])
    with pytest.raises(InputError):
        check_wallet_lists([tmp_path])
    with pytest.raises(InputError):
        check_wallet_lists([])


@given(st.sampled_from([make.okx_list(), make.htx_list(), make.bitmex_list()]), st.data())
@settings(deadline=None, max_examples=150)
def test_a_damaged_list_is_refused_or_judged_and_never_breaks_us(tmp_path_factory, content, data):
    raw = bytearray(content.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        check(tmp_path_factory.mktemp("fuzz"), bytes(raw))
    except VerifierError as error:
        assert "list.csv" in str(error)


@given(st.sampled_from(["ETH", "BTC", "APT", "DOGE", "USDT", "LTC"]), st.integers(0, 400), st.integers(0, 7))
@settings(deadline=None, max_examples=200)
def test_a_flipped_bit_in_address_message_or_proof_never_leaves_the_row_verified(
    tmp_path_factory, asset, position, bit
):
    (row, *_) = [row for row in make.okx_rows() if row.startswith(f"{asset},")]
    start = row.index(row.split(",")[3])
    raw = bytearray(row.encode())
    place = start + position % (len(raw) - start)
    amount = row.index(row.split(",")[4], start + len(row.split(",")[3]))
    if amount - 1 <= place <= amount + 3 or row[place] == ",":
        return  # the amount is no part of what was signed
    raw[place] ^= 1 << bit
    changed = raw.decode("latin-1")
    if changed.lower() == row.lower():
        return  # hex digits and EVM addresses in capitals are the same
    with contextlib.suppress(VerifierError):
        assert check(tmp_path_factory.mktemp("bits"), make.okx_list([changed], {}))["verified"] == 0


# --- several lists ---
def two_months(folder):
    first = write(folder, make.htx_list(make.htx_rows("23900000")), "january.csv")
    rows = [row.replace(make.evm(33), make.evm(39)) if "keccak" in row else row for row in make.htx_rows()][1:]
    second = write(folder, make.htx_list([*rows, make.htx_row("ETH", make.evm(40), "1")]), "february.csv")
    return first, second


def test_lists_are_compared_over_time(tmp_path):
    first, second = two_months(tmp_path)
    comparison = check_wallet_lists([second, first]).to_record()["comparison"]
    (step,) = comparison["steps"]
    assert (step["from"], step["to"], step["new"], step["vanished"]) == (str(first), str(second), 1, 1)
    assert step["reused"] == 6
    reused = comparison["reused_signatures"]
    assert (reused["count"], reused["oldest_days"]) == (6, 33)
    assert comparison["claimed_by_two_exchanges"] == []


def test_an_address_two_exchanges_claim_is_refused(tmp_path):
    first = write(tmp_path, make.okx_list([make.okx_row("ETH", "ETH", make.evm(33), "1")], {}), "okx.csv")
    second = write(tmp_path, make.htx_list(), "htx.csv")
    report = check_wallet_lists([first, second])
    assert report.exit_code == 1
    (claim,) = report.to_record()["comparison"]["claimed_by_two_exchanges"]
    assert claim["account"] == f"eip155:{make.evm(33)}"
    assert [each["exchange"] for each in claim["claims"]] == ["OKX", "HTX"]


def test_the_same_signature_in_another_spelling_is_the_same():
    from verifier.wallet_lists.survey import identity

    signature = make.sign(1, "eip-191", "x")
    assert identity(signature) == identity(signature[2:].upper()) == identity(signature[2:])
    assert identity(signature) != identity(make.sign(2, "eip-191", "x"))


# --- labels ---
@pytest.mark.parametrize(
    ("label", "unit", "chain"),
    [
        ("USDT-TRC20", "USDT", "tron:728126428"),
        ("ERC20-USDC", "USDC", "eip155:1"),
        ("USDT-Avalanche C-Chain", "USDT", "eip155:43114"),
        ("OKB-X1-USDT", "USDT", "eip155:196"),
        ("USDC-OPTIMISM-FF85", "USDC", "eip155:10"),
        ("ETH-ARBITRUM", "ETH", "eip155:42161"),
        ("TRX-sol", "TRX", str(make.SOLANA)),
        ("USDT-OMNI", "USDT", str(make.BITCOIN)),
        ("BTC", "BTC", str(make.BITCOIN)),
        ("stETH", "STETH", None),
    ],
)
def test_labels_tell_asset_and_network(label, unit, chain):
    parsed = parse_label(label)
    assert (parsed.unit, parsed.network.chain if parsed.network else None) == (unit, chain)


def test_the_lists_own_word_for_a_network_goes_before_the_coins_label():
    network, named = network_of_row("TRON", "ETH", "x")
    assert (network and network.chain, named) == ("tron:728126428", True)
    assert network_of_row("NOSUCHCHAIN", "ETH", "x") == (None, False)
    assert len(listed_networks()) > 200


# --- the command ---
def run(*arguments):
    from verifier.cli.main import app

    return CliRunner().invoke(app, ["wallets", *map(str, arguments)])


def test_the_command_explains_first_and_then_says_what_is_not_proven(tmp_path):
    done = run(write(tmp_path, make.self_asserted_list()))
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].endswith("nothing refused")
    assert "8 signed by the wallet's own key" in done.stdout
    assert lines[-4] == "None of this proves:"


def test_the_command_prints_one_json_object(tmp_path):
    done = run("--json", *two_months(tmp_path))
    record = json.loads(done.stdout)
    assert list(record) == ["verdict", "lists", "comparison"]
    first = record["lists"][0]
    counted = ("verified", "refused", "unbound", "unsigned", "unchecked")
    assert first["rows"] == sum(first[name] for name in counted)
    assert first["signed"] == first["rows"] - first["unsigned"]
    assert Decimal(first["assets"][0]["amount"]) > 0


def test_exit_codes_are_those_of_the_help(tmp_path):
    assert run(write(tmp_path, make.one_signer_twice_list())).exit_code == 1
    assert run(write(tmp_path, make.okx_list([make.okx_row("ETH", "ETH", "x", "1")], {}))).exit_code == 2
    bad = write(tmp_path, "nonsense")
    command = [sys.executable, "-m", "verifier.cli.main", "wallets", str(bad)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "not a wallet list known here" in done.stderr


def test_text_from_a_list_cannot_move_the_cursor(tmp_path):
    rows = [make.okx_row("\x1b[2J", "\x1b[31mred", "x", "1")]
    done = run(write(tmp_path, make.okx_list(rows, {"\x1b[2J\u202e": "5"})))
    assert "\x1b[2J" not in done.stdout
    assert "\u202e" not in done.stdout


def test_a_list_that_takes_long_shows_how_far_it_is_and_how_fast(tmp_path, monkeypatch):
    from verifier.cli import wallets

    for name in ("SECONDS_BEFORE", "SECONDS_BETWEEN", "SECONDS_BETWEEN_LINES"):
        monkeypatch.setattr(wallets, name, 0)
    rows = [make.okx_row("ETH", "ETH", f"0x{number:040x}", "1") for number in range(600)]
    done = run("--json", write(tmp_path, make.okx_list(rows, {})))
    assert "512 rows, 0 signatures/s" in done.stderr
    assert json.loads(done.stdout)["lists"][0]["rows"] == 600

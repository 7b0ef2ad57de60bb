"""Batches pay exactly what the plan says, to whom it says, from coins the run recorded and the plan draws on."""

import base64
import csv
import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.address import address_of_script, canonical_address
from chains.bitcoin.unsigned_psbt import SpentOutput, dust_limit, input_weight
from chains.errors import ChainError
from chains.evm.keccak import keccak256
from chains.ids import AssetId, account_id
from chains.model import Balance, UnspentOutput
from chains.network import network_of
from chains.signatures.bip322.psbt import parse_psbt
from tests.verifier.payouts import (
    BTC,
    ETH,
    RUN,
    USDD,
    evm_address,
    make_plan,
    paid,
    por,
    told,
    write_addresses,
)  # fmt: skip
from verifier.attestation.bundle import open_bundle
from verifier.case import Case, Position
from verifier.compensation.payments.bitcoin_batches import (
    MAX_WEIGHT,
    BitcoinBatch,
    bitcoin_batches,
    read_fee_rate,
    without_dust,
)  # fmt: skip
from verifier.compensation.payments.bitcoin_source import Source, source_of
from verifier.compensation.payments.payees import Payees, Payment
from verifier.compensation.payments.safe_batches import safe_batches
from verifier.errors import InputError
from verifier.inclusion.amounts import parse_amount
from verifier.inclusion.commitment import TreeAsset
from verifier.run import replay

NETWORK = network_of(BTC.partition("/")[0])  # type: ignore[arg-type]
RESERVE, GUARANTEE, HOT = (
    f"{NETWORK.chain}:bcrt1{rest}"
    for rest in (
        "qmwyzs3fdp92fphpyxj7at3f7z2mfy9w6antk4y",
        "qecss94pwayeqa5j0e7n00pek4re7rv3ce95nwf",
        "qknhzfwngxrv4v9h598qa9gg8wrzhheyys0fjt0",
    )
)
SCRIPTS: dict[str, Callable[[str], bytes]] = {
    "p2wpkh": lambda seed: b"\x00\x14" + keccak256(seed.encode())[:20],
    "p2wsh": lambda seed: b"\x00\x20" + keccak256(seed.encode()),
    "p2tr": lambda seed: b"\x51\x20" + keccak256(seed.encode()),
    "p2pkh": lambda seed: b"\x76\xa9\x14" + keccak256(seed.encode())[:20] + b"\x88\xac",
    "p2sh": lambda seed: b"\xa9\x14" + keccak256(seed.encode())[:20] + b"\x87",
}


def bitcoin_address(seed: str, kind: str = "p2wpkh") -> str:
    found = address_of_script(NETWORK, SCRIPTS[kind](seed))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_plan(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def case() -> Case:
    with open_bundle(RUN) as opened:
        return replay(opened)[0]


@pytest.fixture
def bitcoin_table(plan: Path, tmp_path: Path) -> Path:
    return write_addresses(tmp_path / "btc.csv", {leaf: bitcoin_address(leaf) for leaf in paid(plan, BTC)})


@pytest.mark.parametrize("asset", [BTC, ETH, USDD])
def test_lists_for_custody_pay_what_the_plan_says(asset: str, plan: Path, tmp_path: Path) -> None:
    owed = paid(plan, asset)
    spell = bitcoin_address if asset == BTC else evm_address
    first, second, last = *list(owed)[:2], list(owed)[-1]
    payee = {leaf: spell(leaf) for leaf in owed if leaf != last} | {second: spell(first)}
    table = write_addresses(tmp_path / "a.csv", payee)
    command = ("payout", "batch", plan, "--asset", asset, "--addresses", table)
    made = told(*command, "--format", "csv", "--out", tmp_path / "pay.csv")
    assert por(*command, "--format", "json", "--out", tmp_path / "pay.json").exit_code == 2
    with (tmp_path / "pay.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    decimals = made["decimals"]
    by_leaf = {leaf: row["address"] for row in rows for leaf in row["reference"].split(";")}
    assert by_leaf == payee
    for row in rows:
        units = sum(owed[leaf] for leaf in row["reference"].split(";"))
        assert int(row["units"]) == units == parse_amount(row["amount"], decimals)
    record = json.loads((tmp_path / "pay.json").read_bytes())
    assert [
        [one["address"], one["amount"], one["units"], ";".join(one["references"])] for one in record["payments"]
    ] == [list(row.values()) for row in rows]
    total = sum(int(row["units"]) for row in rows)
    assert int(record["units"]) == total == sum(owed.values()) - owed[last]
    assert record["unpaid"] == {"leaves": 1, "units": str(owed[last]), "amount": record["unpaid"]["amount"]}
    assert last in (tmp_path / "pay.csv.unpaid.csv").read_text()


def unpacked(data: bytes) -> list[tuple[int, str, int, bytes]]:
    """Read MultiSend's calls: operation, target, value, data."""
    assert data[:4] == keccak256(b"multiSend(bytes)")[:4]
    (packed,) = decode(["bytes"], data[4:])
    found, at = [], 0
    while at < len(packed):
        length = int.from_bytes(packed[at + 53 : at + 85])
        value = int.from_bytes(packed[at + 21 : at + 53])
        found.append((packed[at], "0x" + packed[at + 1 : at + 21].hex(), value, packed[at + 85 : at + 85 + length]))
        at += 85 + length
    return found


@pytest.mark.parametrize("asset", [ETH, USDD])
def test_a_safes_call_data_transfers_what_the_plan_says_in_batches(asset: str, plan: Path, tmp_path: Path) -> None:
    owed = {evm_address(leaf): units for leaf, units in paid(plan, asset).items()}
    table = write_addresses(tmp_path / "a.csv", {leaf: evm_address(leaf) for leaf in paid(plan, asset)})
    out = tmp_path / "safe.json"
    command = ("payout", "batch", plan, "--asset", asset, "--addresses", table, "--format", "safe", "--out", out)
    made = told(*command, "--batch-size", 10)
    batches = json.loads(out.read_bytes())["batches"]
    assert len(batches) == made["transactions"] == -(-len(owed) // 10)
    found: dict[str, int] = {}
    for batch in batches:
        signed = batch["transaction"]
        assert (signed["to"], signed["operation"]) == ("0x9641d764fc13c8B624c04430C7356C1C7C8102e2", 1)
        calls = unpacked(bytes.fromhex(signed["data"][2:]))
        assert len(calls) == len(batch["payments"]) <= 10
        for operation, to, value, data in calls:
            assert operation == 0
            if asset == ETH:
                assert data == b""
                found[to] = value
            else:
                assert (to, value, data[:4]) == (USDD[-42:], 0, bytes.fromhex("a9059cbb"))
                account, units = decode(["address", "uint256"], data[4:])
                found[account] = units
        assert int(batch["units"]) == sum(found[one["address"]] for one in batch["payments"])
    assert found == owed


def test_multisend_is_not_guessed_where_it_stands_elsewhere() -> None:
    asset = TreeAsset("eip155:324/slip44:60", "ETH", 18)
    payees = Payees("eip155:324", asset, "", (Payment(evm_address("1"), 1, ()),), ())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--multisend"):
        safe_batches(payees, 10, None)
    with pytest.raises(ChainError, match="not an EVM address"):
        safe_batches(payees, 10, "0x12")
    assert safe_batches(payees, 10, evm_address("m"))[0].to == evm_address("m")


def test_a_psbt_spends_recorded_coins_to_everybody_and_the_rest_goes_back(
    plan: Path, case: Case, bitcoin_table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pay.psbt"
    command = ("payout", "batch", plan, "--asset", BTC, "--addresses", bitcoin_table, "--format", "psbt", "--out", out)
    made = told(*command, "--bundle", RUN, "--from", RESERVE, "--fee-rate", "7/2")
    read = parse_psbt(base64.b64encode(out.read_bytes()).decode()).transaction
    (one,) = made["transactions"]
    recorded = {coin.outpoint: coin.units for coin in balance_of(case, RESERVE).coins or ()}
    spent = [f"{coin.txid[::-1].hex()}:{coin.vout}" for coin in read.inputs]
    paid_out = {
        canonical_address(NETWORK, address_of_script(NETWORK, coin.script) or ""): coin.units for coin in read.outputs
    }
    change = paid_out.pop(RESERVE.rpartition(":")[2])
    assert paid_out == {bitcoin_address(leaf): units for leaf, units in paid(plan, BTC).items()}
    assert sum(recorded[coin] for coin in spent) == sum(paid_out.values()) + change + int(one["fee"])
    assert (one["txid"], one["after"]) == (read.id[::-1].hex(), None)
    assert (made["pool"], made["units"]) == ("reserve-fund", str(sum(paid_out.values())))


def balance_of(case: Case, account: str) -> Balance:
    found = next(one.result for one in case.positions if one.placement.holding.account == account)
    assert isinstance(found, Balance)
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", HOT], "is in client-hot; the plan draws this asset from guarantee, reserve-fund"),
        (["--from", GUARANTEE], "do not suffice: at least [0-9]+ base units are missing"),
        (["--from", f"{NETWORK.chain}:{bitcoin_address('stranger')}"], "no wallet of this run"),
        (["--from", RESERVE, "--fee-rate", "0"], "fee-rate"),
        (["--from", RESERVE, "--fee-rate", "1e400000"], "fee-rate"),
        (["--from", RESERVE, "--fee-rate", "nan"], "fee-rate"),
        ([], "--from"),
    ],
)
def test_a_wallet_that_cannot_pay_is_refused_with_the_reason(
    words: list[str], said: str, plan: Path, bitcoin_table: Path, tmp_path: Path
) -> None:
    command = ["payout", "batch", plan, "--asset", BTC, "--addresses", bitcoin_table, "--format", "psbt"]
    more = ["--bundle", RUN, "--out", tmp_path / "x.psbt", *([] if "--fee-rate" in words else ["--fee-rate", "2"])]
    with pytest.raises(InputError, match=said):
        por(*command, *more, *words)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["btc.csv"]


def changed(case: Case, account: str, coins: tuple[UnspentOutput, ...] | None) -> Case:
    def one(position: Position) -> Position:
        if position.placement.holding.account != account:
            return position
        assert isinstance(position.result, Balance)
        return position._replace(result=position.result._replace(coins=coins))

    fields = {name: getattr(case, name) for name in Case.model_fields}
    return Case(**fields | {"positions": tuple(one(position) for position in case.positions)})


def record_of(plan: Path, case: Case, **change: Any) -> dict[str, Any]:
    return {**json.loads((plan / "plan.json").read_bytes()), "case": case.digest, **change}


def test_only_a_wallet_of_the_plans_own_run_with_listed_coins_pays(plan: Path, case: Case) -> None:
    asset = AssetId(BTC)
    with pytest.raises(InputError, match="follows from the run"):
        source_of(case, record_of(plan, case) | {"case": "ab" * 32}, asset, RESERVE, None)
    with pytest.raises(InputError, match="taken in the incident"):
        source_of(case, record_of(plan, case, lost=[{"account": RESERVE}]), asset, RESERVE, None)
    for change in ({"lost": None}, {"lost": [1]}, {"strategies": 1}, {"chosen": "x"}, {"strategies": [{}]}):
        with pytest.raises(InputError, match=r"plan\.json: does not say"):
            source_of(case, record_of(plan, case, **change), asset, RESERVE, None)
    bare = changed(case, RESERVE, None)
    with pytest.raises(InputError, match="lists no coins"):
        source_of(bare, record_of(plan, bare), asset, RESERVE, None)
    with pytest.raises(InputError, match="networks with SegWit"):
        doge = network_of("bip122:1a91e3dace36e2be3bf030a65679fe82").native_asset  # type: ignore[arg-type]
        source_of(case, record_of(plan, case), AssetId(doge), RESERVE, None)


def test_a_miners_young_coins_are_left_lying_and_the_largest_come_first(plan: Path, case: Case) -> None:
    tip = balance_of(case, RESERVE).block.height
    coins = (
        UnspentOutput("aa" * 32 + ":0", 5, tip, False), UnspentOutput("ab" * 32 + ":0", 7, tip, True),
        UnspentOutput("ac" * 32 + ":0", 9, tip, None), UnspentOutput("ad" * 32 + ":0", 11, tip - 99, True),
        UnspentOutput("ae" * 32 + ":0", 13, tip - 98, True),
    )  # fmt: skip
    made = changed(case, RESERVE, coins)
    source = source_of(made, record_of(plan, made), AssetId(BTC), RESERVE, None)
    assert [one.units for one in source.coins] == [11, 5]


def source(kind: str, coins: list[int], virtual_bytes: int | None = None) -> Source:
    script = SCRIPTS[kind]("payer")
    listed = tuple(
        SpentOutput(f"{number:064x}:1", units) for number, units in enumerate(sorted(coins, reverse=True), 1)
    )
    account = account_id(f"{NETWORK.chain}:{address_of_script(NETWORK, script)}")
    return Source(NETWORK, account, "reserve-fund", script, listed, input_weight(script, virtual_bytes), 0)


def payees(amounts: list[int]) -> Payees:
    kinds = list(SCRIPTS)
    payments = tuple(
        Payment(bitcoin_address(str(number), kinds[number % 5]), units, ((bytes(32), units),))
        for number, units in enumerate(amounts)
    )
    return Payees(NETWORK.chain, TreeAsset(BTC, "BTC", 8), "", payments, ())  # type: ignore[arg-type]


def test_what_an_input_of_a_script_weighs_must_be_told() -> None:
    for kind in ("p2sh", "p2wsh"):
        with pytest.raises(ChainError, match="--input-vbytes"):
            source(kind, [1])
        assert source(kind, [1], 105).weight == 420


def test_payments_below_the_dust_limit_are_unpaid_and_said() -> None:
    paying = source("p2wpkh", [10_000])
    left = without_dust(payees([294, 293, 330, 329, 330]), paying)  # p2wpkh, p2wsh, p2tr, p2pkh, p2sh
    assert [one.units for one in left.payments] == [294, 330]
    assert [(one.units, "dust limit of" in one.reason) for one in left.unpaid] == [
        (293, True),
        (329, True),
        (330, True),
    ]
    assert left.units + left.unpaid_units == 294 + 293 + 330 + 329 + 330
    litecoin = network_of("bip122:12a765e31ffd4059bada1e25190f6e98")  # type: ignore[arg-type]
    assert dust_limit(litecoin, SCRIPTS["p2wpkh"]("x")) == 10 * dust_limit(NETWORK, SCRIPTS["p2wpkh"]("x")) == 2_940


def test_many_payments_take_several_standard_transactions_each_on_the_change_of_the_one_before() -> None:
    made = bitcoin_batches(payees([1_000] * 7_000), source("p2tr", [10**9]), Fraction(2))
    assert [one.after for one in made] == [None, 1, 2]
    assert [one.virtual_bytes <= 100_000 for one in made] == [True] * 3
    assert made[0].virtual_bytes > 99_900
    assert made[1].inputs == (SpentOutput(f"{made[0].psbt.txid}:{len(made[0].payments)}", made[0].change),)
    with pytest.raises(InputError, match="cannot be counted on before it is confirmed"):
        bitcoin_batches(payees([1_000] * 7_000), source("p2pkh", [10**9]), Fraction(2))
    apart = bitcoin_batches(payees([1_000] * 7_000), source("p2pkh", [10**7, 10**7, 10**7]), Fraction(2))
    assert [(one.after, len(one.inputs), one.psbt.final) for one in apart] == [(None, 1, False)] * 3


def test_coins_too_small_for_one_standard_transaction_are_refused() -> None:
    with pytest.raises(InputError, match="coins are so small"):
        bitcoin_batches(payees([10**6]), source("p2pkh", [1_000] * 3_000), Fraction(1))


def test_coins_that_cost_more_than_they_are_worth_are_not_spent() -> None:
    # 300 for the payment and the fee of a transaction without any input, which no such coin makes smaller
    with pytest.raises(InputError, match="at least 720 base units are missing"):
        bitcoin_batches(payees([300]), source("p2wpkh", [600] * 50), Fraction(10))


@pytest.mark.parametrize("count", [1, 251, 252, 253, 300])
def test_the_size_is_foreseen_to_the_byte_whatever_the_number_of_outputs(count: int) -> None:
    for coins in ([10**8], [400_000] * 300):
        (made,) = bitcoin_batches(payees([300_000] * count), source("p2wpkh", coins), Fraction(1))
        unsigned = parse_psbt(base64.b64encode(made.psbt.content).decode()).transaction
        witnesses = 2 + len(unsigned.inputs) * (1 + 1 + 72 + 1 + 33)
        assert made.virtual_bytes == -(-(4 * len(unsigned.serialize()) + witnesses) // 4)


@given(
    coins=st.lists(st.integers(600, 10**7), min_size=1, max_size=60),
    amounts=st.lists(st.integers(600, 10**6), min_size=1, max_size=40),
    rate=st.fractions(Fraction(1, 2), 60, max_denominator=100),
    kind=st.sampled_from(["p2wpkh", "p2tr", "p2pkh"]),
)
def test_nothing_is_made_or_lost_and_the_fee_is_what_was_asked(
    coins: list[int], amounts: list[int], rate: Fraction, kind: str
) -> None:
    paying = source(kind, coins)
    try:
        made = bitcoin_batches(payees(amounts), paying, rate)
    except InputError as error:
        assert "suffice" in str(error)
        affordable = sum(one.units for one in paying.coins) - sum(amounts)
        assert affordable < rate * (paying.weight * len(coins) / 4 + 50 * len(amounts) + 200)
        return
    assert [one for batch in made for one in batch.payments] == list(payees(amounts).payments)
    for batch in made:
        _check_fee(batch, paying, rate)


def _check_fee(batch: BitcoinBatch, paying: Source, rate: Fraction) -> None:
    assert batch.virtual_bytes <= MAX_WEIGHT // 4
    asked = rate * batch.virtual_bytes
    assert asked <= batch.fee
    if batch.change:
        assert batch.change >= paying.dust
        assert batch.fee < asked + 1
    else:  # what is left over is less than a change output would cost and be worth
        assert batch.fee < asked + paying.dust + 45 * rate + 2


def test_fee_rates_are_exact() -> None:
    assert [read_fee_rate(text) for text in ("12.5", "1", "1/3")] == [Fraction(25, 2), 1, Fraction(1, 3)]
    for text in ("", "-1", "10001", "1e9999999", "9" * 30, "1/0"):
        with pytest.raises(InputError, match="--fee-rate"):
            read_fee_rate(text)


def test_a_plan_is_paid_only_out_of_its_own_run(plan: Path, bitcoin_table: Path, tmp_path: Path) -> None:
    other = RUN.parent / "knots-anvil-fail"
    command = ["payout", "batch", plan, "--asset", BTC, "--addresses", bitcoin_table, "--format", "psbt"]
    with pytest.raises(InputError, match="follows from the run"):
        por(*command, "--bundle", other, "--from", RESERVE, "--fee-rate", "2", "--out", tmp_path / "x.psbt")


def test_an_asset_of_another_family_goes_into_no_psbt_and_no_safe(
    plan: Path, bitcoin_table: Path, tmp_path: Path
) -> None:
    evm = write_addresses(tmp_path / "evm.csv", {leaf: evm_address(leaf) for leaf in paid(plan, ETH)})
    psbt = ["--format", "psbt", "--bundle", RUN, "--from", RESERVE, "--fee-rate", "2"]
    with pytest.raises(ChainError, match="not of the Bitcoin family"):
        por("payout", "batch", plan, "--asset", ETH, "--addresses", evm, *psbt, "--out", tmp_path / "x")
    with pytest.raises(InputError, match="a Safe pays"):
        por(
            *("payout", "batch", plan, "--asset", BTC, "--addresses", bitcoin_table, "--format", "safe"),
            *("--out", tmp_path / "x"),
        )


def test_nobody_with_an_address_is_nothing_to_pay(plan: Path, tmp_path: Path) -> None:
    table = write_addresses(tmp_path / "a.csv", {"ab" * 32: evm_address("1")})
    with pytest.raises(InputError, match="nothing to pay"):
        por("payout", "batch", plan, "--asset", ETH, "--addresses", table, "--format", "csv", "--out", tmp_path / "x")


def test_several_files_are_numbered_and_none_is_overwritten(
    plan: Path, bitcoin_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from verifier.compensation.payments import bitcoin_batches as module

    monkeypatch.setattr(module, "MAX_WEIGHT", 4_000)
    command = ["payout", "batch", plan, "--asset", BTC, "--addresses", bitcoin_table, "--format", "psbt"]
    more = ["--bundle", RUN, "--from", RESERVE, "--fee-rate", "2", "--out", tmp_path / "pay.psbt"]
    done = por(*command, *more)
    assert "to be sent once" in done.output
    files = sorted(one.name for one in tmp_path.glob("pay-*.psbt"))
    assert (files[0], len(files) > 2) == ("pay-1.psbt", True)
    shutil.move(tmp_path / "pay-1.psbt", tmp_path / "kept")
    (tmp_path / "pay.psbt.unpaid.csv").unlink()
    with pytest.raises(InputError, match=r"pay-2\.psbt: exists already"):
        por(*command, *more)
    assert not (tmp_path / "pay-1.psbt").exists()

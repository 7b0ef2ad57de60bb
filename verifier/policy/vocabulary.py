"""The words a rule may use: what each counts, where it can be asked, and what it is called in both languages."""

from typing import NamedTuple

from verifier.policy.inputs import Dimension, Scope

_AMOUNTS = frozenset({Scope.ASSET, Scope.TOTAL})
_TOTAL = frozenset({Scope.TOTAL})
_ADDRESS = frozenset({Scope.ADDRESS})
_ATTESTATION = frozenset({Scope.ATTESTATION})


class Quantity(NamedTuple):
    """One word: its dimension, the scopes it can be asked under, and its name for readers.

    `fault_en` and `fault_ja` say of a wallet what breaking a bound ({}) means, where the bound alone says too little.
    """

    dimension: Dimension
    scopes: frozenset[Scope]
    en: str
    ja: str
    fault_en: str = ""
    fault_ja: str = ""


def _amount(en: str, ja: str) -> Quantity:
    return Quantity(Dimension.AMOUNT, _AMOUNTS, en, ja)


def _of_asset(en: str, ja: str) -> Quantity:
    return Quantity(Dimension.AMOUNT, frozenset({Scope.ASSET}), en, ja)


def _count(en: str, ja: str) -> Quantity:
    return Quantity(Dimension.COUNT, _ATTESTATION, en, ja)


def _money(en: str, ja: str) -> Quantity:
    return Quantity(Dimension.MONEY, _TOTAL, en, ja)


# `held`: what the chain shows, whoever controls it: counts against the exchange. `controlled`: of that, what the
# exchange is shown to control: counts for it.
QUANTITIES: dict[str, Quantity] = {
    "owed": _amount("owed to clients", "利用者への債務"),
    "client_held": _amount("held in client wallets", "利用者用ウォレットの残高"),
    "client_controlled": _amount(
        "held in client wallets under shown control", "管理が示された利用者用ウォレットの残高"
    ),
    "client_hot_held": _amount("of clients, held hot", "ホットウォレットの利用者資産"),
    "client_cold_held": _amount("of clients, held cold", "コールドウォレットの利用者資産"),
    "client_cold_controlled": _amount(
        "of clients, held cold under shown control", "管理が示されたコールドウォレットの利用者資産"
    ),
    "client_third_party_held": _amount("of clients, held by third parties", "第三者が管理する利用者資産"),
    "guarantee_controlled": _amount("of guarantee assets under shown control", "管理が示された履行保証暗号資産"),
    "reserve_fund_controlled": _amount("of the reserve fund under shown control", "管理が示された責任準備金の暗号資産"),
    "proprietary_held": _amount("of the company's own, declared", "申告された自己の暗号資産"),
    "reserve_fund_within_1h": _amount(
        "of the reserve fund that can be paid out within an hour", "1時間以内に支払える責任準備金"
    ),
    "reserve_fund_within_24h": _amount(
        "of the reserve fund that can be paid out within a day", "24時間以内に支払える責任準備金"
    ),
    "reserve_fund_within_7d": _amount(
        "of the reserve fund that can be paid out within a week", "7日以内に支払える責任準備金"
    ),
    "guarantee_within_24h": _amount(
        "of guarantee assets that can be paid out within a day", "24時間以内に支払える履行保証暗号資産"
    ),
    "fiat_trust": _money("of money in trust", "信託された金銭"),
    "insurance_limit": _money("of insurance cover", "保険の填補限度額"),
    "bank_guarantee": _money("of bank guarantees", "銀行保証"),
    "largest_wallet": _money("in the largest single client wallet", "最大の利用者用ウォレットの価額"),
    "client_average": _of_asset(
        "held in client wallets on average over the window, counting no more than is owed",
        "期間平均の利用者用残高(債務額を上限として算入)",
    ),
    "client_least": _of_asset("held in client wallets at the least in the window", "期間中の利用者用残高の最小値"),
    "client_at_drawn": _of_asset(
        "held in client wallets at the least of the drawn blocks", "抽出されたブロックにおける利用者用残高の最小値"
    ),
    "client_aged": _of_asset(
        "in client wallets in coins that have not moved in the window", "期間中に動いていない利用者用コインの残高"
    ),
    "round_trip_inflow": _of_asset(
        "received before the snapshot and sent back after it", "基準時点の直前に受け入れ、直後に返した額"
    ),
    "left_after_snapshot": _of_asset(
        "gone from client wallets within 48 hours after the snapshot", "基準時点後48時間以内に流出した額"
    ),
    "outflow_to_own": _of_asset(
        "sent from client, guarantee and reserve wallets to the company's own", "自己の口座への移動額"
    ),
    "pullable": _of_asset(
        "that others may take from protected wallets by a standing allowance", "第三者が引き出せる許可のある額"
    ),
    "frozen": _of_asset("in protected wallets frozen by the token itself", "トークン自体により凍結された額"),
    "debt": _of_asset("that protected wallets owe to lending pools", "分別ウォレットの貸付プールに対する債務"),
    "delegated_accounts": _count(
        "protected accounts that somebody's code acts for", "他者のコードに委任された口座の数"
    ),
    "safes_with_modules": _count(
        "protected Safes whose modules move coins without the owners", "所有者なしに動かせるモジュールを持つSafeの数"
    ),
    "foreign_upgrades": _count(
        "protected wallets that somebody outside their pool may change", "他の用途の者が変更できるウォレットの数"
    ),
    "addresses_in_two_pools": _count("addresses declared for two purposes", "二つの用途で申告されたアドレスの数"),
    "shared_quorums": _count(
        "protected wallets that the company's own keys could move", "自己の鍵だけで動かせる分別ウォレットの数"
    ),
    "wallets_with_shared_keys": _count(
        "protected wallets with a key of the company's own wallets", "自己のウォレットと鍵を共有する分別ウォレットの数"
    ),
    "mixed_spends": _count(
        "transactions that spend client coins together with the company's own",
        "利用者資産と自己資産を同時に使う取引の数",
    ),
    "assets_owed": _count("assets owed to clients", "利用者に債務のある資産の数"),
    "assets_covered": _count("of those, assets with declared wallets", "うちウォレットが申告された資産の数"),
    "client_accounts": _count("client accounts in the liabilities", "債務の口座数"),
    "snapshot_spread": Quantity(
        Dimension.HOURS, _ATTESTATION, "between the blocks and the stated time", "ブロックと基準時刻の差"
    ),
    "control_shown": Quantity(
        Dimension.COUNT,
        _ADDRESS,
        "wallets with control shown",
        "管理の証明",
        "a claim that is refused",
        "所有の証明が無効",
    ),
    "claim_binding": Quantity(
        Dimension.COUNT,
        _ADDRESS,
        "named by the signed message (0 nothing, 1 exchange and date, 2 this declaration)",
        "署名文の内容(0:なし、1:取引所名と日付、2:この申告)",
        "a claim that names too little: level {} needed, 1 is the exchange and the date, 2 this declaration",
        "署名文の内容が不足:水準{}が必要(1:取引所名と日付、2:この申告)",
    ),
    "claim_age": Quantity(
        Dimension.DAYS,
        _ADDRESS,
        "since the signed date",
        "署名日からの日数",
        "a claim older than {}",
        "署名が{}より古い",
    ),
}


def quantities(scope: Scope) -> dict[str, Quantity]:
    """Return the words that can be asked under a scope."""
    return {name: quantity for name, quantity in QUANTITIES.items() if scope in quantity.scopes}

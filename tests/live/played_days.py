"""Days on real chains: an exchange's wallets are funded, drained and refilled while blocks are mined by the hour."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from chains.evm.abi import balance_of
from chains.evm.keccak import keccak256
from chains.ids import AccountId, AssetId, address_of
from chains.model import Tier
from chains.providers import Provider, Providers
from tests.live.anvil import AnvilHarness
from tests.live.bitcoind import NodeHarness
from verifier.attestation.bundle import open_bundle
from verifier.declaration import utc_text
from verifier.further import Plans
from verifier.liabilities.check import Liabilities
from verifier.policy.evaluate import evaluate
from verifier.policy.finding import Finding
from verifier.policy.library import load_pack
from verifier.run import collect, replay
from verifier.window import plan_window

HOUR = 3_600
TRANSFER = keccak256(b"transfer(address,uint256)")[:4]
Wallets = Mapping[str, tuple[list[AccountId], list[AssetId]]]


class AnvilDays:
    """A real EVM chain where an hour is one block."""

    def __init__(self, harness: AnvilHarness) -> None:
        self.harness, self.anvil = harness, harness.anvil
        token = harness.token()
        assert token is not None
        self.asset = token

    @property
    def provider(self) -> Provider:
        return self.harness.provider

    def now(self) -> int:
        return int(self.anvil.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def pass_hours(self, hours: int) -> None:
        self.anvil.rpc("anvil_mine", hex(hours), hex(HOUR))

    def fund(self, units: int) -> AccountId:
        return self.harness.fund(units, self.asset)

    def move(self, sender: AccountId, recipient: AccountId, units: int) -> None:
        """Send tokens in one block of their own, as the holder of the sender's key would."""
        payer = address_of(sender)
        self.anvil.rpc("anvil_setBalance", payer, hex(10**18))
        self.anvil.rpc("anvil_impersonateAccount", payer)
        data = "0x" + (TRANSFER + balance_of(address_of(recipient))[4:] + units.to_bytes(32)).hex()
        self.anvil.rpc("eth_sendTransaction", {"from": payer, "to": self.harness.token_address, "data": data})
        self.anvil.rpc("evm_mine")

    def send_native(self, sender: AccountId, recipient: AccountId, units: int) -> None:
        """Send native coins in one block of their own, without a fee."""
        payer = address_of(sender)
        self.anvil.rpc("anvil_impersonateAccount", payer)
        self.anvil.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        sent = {"from": payer, "to": address_of(recipient), "value": hex(units), "gasPrice": "0x0"}
        self.anvil.rpc("eth_sendTransaction", sent)
        self.anvil.rpc("evm_mine")


class KnotsDays:
    """A real Bitcoin chain whose clock is set by hand."""

    def __init__(self, harness: NodeHarness) -> None:
        self.harness, self.node = harness, harness.node
        self.asset = AssetId(harness.network.native_asset)
        self._clock = self.now() + HOUR

    @property
    def provider(self) -> Provider:
        return self.harness.provider

    def now(self) -> int:
        return int(self.node.call("getblockheader", self.node.call("getbestblockhash"))["time"])

    def pass_hours(self, hours: int, step: int = 6) -> None:
        """Mine one block for every few hours."""
        for _ in range(max(1, hours // step)):
            self._clock += step * HOUR
            self.node.call("setmocktime", self._clock)
            self.node.mine()

    def fund(self, units: int) -> AccountId:
        return self.harness.fund(units)

    def spend(self, senders: list[AccountId], recipients: Mapping[AccountId, int]) -> str:
        """Spend all coins of some accounts in one transaction; what is left over is the fee."""
        addresses = [address_of(sender) for sender in senders]
        coins = self.node.call("listunspent", 0, 9_999_999, addresses, wallet="holders")
        inputs = [{"txid": coin["txid"], "vout": coin["vout"]} for coin in coins]
        outputs = [{address_of(to): str(Decimal(units).scaleb(-8))} for to, units in recipients.items()]
        raw = self.node.call("createrawtransaction", inputs, outputs)
        signed = self.node.call("signrawtransactionwithwallet", raw, wallet="holders")
        assert signed["complete"]
        sent = self.node.call("sendrawtransaction", signed["hex"], 0)
        self.node.mine()
        return str(sent)


def collected(
    folder: Path, provider: Provider, pools: Wallets, as_of: int, window: int, *,
    name: str = "Played", plans: Plans | None = None, **declared: Any,
) -> Path:  # fmt: skip
    """Collect a run from the real chain and return its bundle; `pools` maps a pool to accounts and assets."""
    assets = sorted({asset for _, held in pools.values() for asset in held})
    record = {
        "format": "reserve-verifier/declaration/1",
        "exchange": {"name": name, "id": f"{name.lower()}.example"},
        "as_of": utc_text(as_of),
        "assets": [{"asset": asset, "symbol": f"T{number}", "decimals": 0} for number, asset in enumerate(assets)],
        "wallets": [
            {"account": account, "assets": held, "pool": pool}
            for pool, (accounts, held) in pools.items()
            for account in accounts
        ],
        **declared,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "declaration.json"
    path.write_text(json.dumps(record), "utf-8")
    return collect(path, Providers((provider,), 1), folder / "run", plans=plans or Plans(plan_window(window))).bundle


def strict_findings(
    folder: Path,
    provider: Provider,
    pools: Wallets,
    owed: Mapping[AssetId, int],
    as_of: int,
    window: int,
    **declared: Any,
) -> dict[tuple[str, str], Finding]:
    """Collect a run from the real chain, replay it, and judge it by the strict rulebook; (rule, subject) → finding.

    The liabilities are put in by hand: they are not what is played here.
    """
    with open_bundle(collected(folder, provider, pools, as_of, window, **declared)) as bundle:
        case, _ = replay(bundle)
    liabilities = Liabilities("c" * 64, "played", utc_text(as_of), 1, dict(owed), Tier.PROVEN)
    judged = evaluate(case.model_copy(update={"liabilities": liabilities}), load_pack("model-strict"))
    return {(finding.rule, finding.subject): finding for finding in judged.findings}

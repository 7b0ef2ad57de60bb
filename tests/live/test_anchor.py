"""A log's head on real chains: found where it is, missed where it is not, and refused from a block that is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chains.doors import NetworkTransport
from chains.http import Limits
from chains.ids import ChainId
from chains.model import Tier
from chains.providers import Provider, Providers
from tests.live.anvil import CHAIN, AnvilHarness, harness
from tests.live.bitcoind import knots_harness
from verifier.log.anchor import Anchored, anchor_data, check_anchor
from verifier.log.checkpoint import Checkpoint, read_checkpoint
from verifier.log.note import Signer
from verifier.log.writer import append_entries, create_log, read_head
from verifier.verdict import Verdict

ONCE = Limits(tries=1)


@pytest.fixture
def heads(tmp_path: Path) -> tuple[Checkpoint, Checkpoint]:
    """Return a log's head, and the one after another entry."""
    signer = Signer("por.example.com/log", Ed25519PrivateKey.generate())
    create_log(tmp_path / "log", signer)
    append_entries(tmp_path / "log", [b"one"], signer)
    first = read_checkpoint(read_head(tmp_path / "log"), "head")
    append_entries(tmp_path / "log", [b"two"], signer)
    return first, read_checkpoint(read_head(tmp_path / "log"), "head")


def checked(head: Checkpoint, provider: Provider, transaction: str, block: str = "") -> Anchored:
    providers = Providers((provider,), 1)
    return check_anchor(head, ChainId(provider.chain), transaction, block, providers, NetworkTransport(ONCE))


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilHarness]:
    with harness() as node:
        yield node


@pytest.mark.real_anvil
def test_a_head_in_a_transactions_data_is_found(anvil: AnvilHarness, heads: tuple[Checkpoint, Checkpoint]) -> None:
    first, second = heads
    sent = anvil.anvil.send(to="0x" + "aa" * 20, data="0x" + anchor_data(first).hex())
    found = checked(first, anvil.provider, sent["transactionHash"])
    assert (found.verdict, found.tier, found.block) == (Verdict.PASS, Tier.OBSERVED, sent["blockHash"])
    assert checked(second, anvil.provider, sent["transactionHash"]).verdict is Verdict.FAIL
    assert checked(first, anvil.provider, "0x" + "00" * 32).verdict is Verdict.INDETERMINATE
    assert str(CHAIN) == anvil.provider.chain


@pytest.mark.real_bitcoind
def test_a_head_behind_an_op_return_is_found_and_not_in_a_block_that_is_gone(
    heads: tuple[Checkpoint, Checkpoint],
) -> None:
    first, second = heads
    with knots_harness() as node:
        data = anchor_data(first).hex()
        made = node.node.call("createrawtransaction", [], [{"data": data}])
        funded = node.node.call("fundrawtransaction", made, wallet="miner")["hex"]
        signed = node.node.call("signrawtransactionwithwallet", funded, wallet="miner")["hex"]
        sent = str(node.node.call("sendrawtransaction", signed))
        (block,) = node.node.mine()
        found = checked(first, node.provider, sent, block)
        assert (found.verdict, found.block) == (Verdict.PASS, block)
        assert checked(second, node.provider, sent, block).verdict is Verdict.FAIL
        earlier = node.node.call("getblockhash", 1)
        assert checked(first, node.provider, sent, earlier).verdict is Verdict.INDETERMINATE
        node.reorganise()
        gone = checked(first, node.provider, sent, block)
        assert (gone.verdict, "not on the main chain" in gone.text) == (Verdict.INDETERMINATE, True)

"""Messages signed by real nodes, checked by us; messages signed by us, checked by real nodes."""

import pytest

from chains.base_codecs import base58_check
from chains.ids import ChainId
from chains.signatures import verify
from tests.builders import wallet_lists as make
from tests.live.bitcoind import KNOTS_HOW, LITECOIND_HOW, running
from tests.live.require import require_binary

MESSAGE = "Example Exchange controls this wallet on 2026-11-22T00:00:00Z"


def exchange_signatures(program: str, how: str, chain: ChainId, secret_prefix: int) -> None:
    secret = base58_check(bytes([secret_prefix]) + make.key(7).secret + b"\x01")
    address = make.p2pkh(chain, 7)
    with running(require_binary(program, how), chain, selector="-chain=main", wallets=False) as node:
        theirs = node.call("signmessagewithprivkey", secret, MESSAGE)
        assert verify("bitcoin-message", f"{chain}:{address}", MESSAGE, theirs).valid
        assert not verify("bitcoin-message", f"{chain}:{address}", MESSAGE + "!", theirs).valid
        ours = make.sign_bitcoin(7, chain, MESSAGE)
        assert node.call("verifymessage", address, ours, MESSAGE) is True
        assert node.call("verifymessage", address, ours, MESSAGE + "!") is False


@pytest.mark.real_bitcoind
def test_knots_and_we_accept_each_others_messages() -> None:
    exchange_signatures("bitcoind", KNOTS_HOW, make.BITCOIN, 0x80)


@pytest.mark.real_litecoind
def test_litecoind_and_we_accept_each_others_messages() -> None:
    exchange_signatures("litecoind", LITECOIND_HOW, make.LITECOIN, 0xB0)

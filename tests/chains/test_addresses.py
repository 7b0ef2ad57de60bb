"""An account has one spelling, whatever family its chain is of."""

import pytest

from chains.addresses import canonical_account
from chains.errors import IdentifierError, NetworkDataError
from chains.ids import AccountId

BITCOIN = "bip122:000000000019d6689c085ae165831e93"


def test_an_evm_account_is_lowered_and_its_checksum_held() -> None:
    right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    assert canonical_account(AccountId(f"eip155:1:{right}")) == f"eip155:1:{right.lower()}"
    with pytest.raises(IdentifierError, match="checksum"):
        canonical_account(AccountId(f"eip155:1:{right.replace('aA', 'AA')}"))


def test_a_bitcoin_account_is_lowered_and_its_checksum_held() -> None:
    address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    assert canonical_account(AccountId(f"{BITCOIN}:{address.upper()}")) == f"{BITCOIN}:{address}"
    with pytest.raises(IdentifierError, match="checksum"):
        canonical_account(AccountId(f"{BITCOIN}:{address[:-1]}5"))


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(IdentifierError, match="bip122, cip34"):
        canonical_account(AccountId("tezos:NetXdQprcVkpaWU:tz1abc"))


def test_an_undescribed_network_of_the_bitcoin_family_is_refused() -> None:
    with pytest.raises(NetworkDataError, match="no such network"):
        canonical_account(AccountId(f"bip122:{'0' * 32}:1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"))


def test_what_is_no_account_id_is_refused() -> None:
    with pytest.raises(IdentifierError):
        canonical_account(AccountId("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"))

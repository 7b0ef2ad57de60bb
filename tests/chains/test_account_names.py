"""Accounts of chains that are known by their signatures have one spelling, and their checksums are held."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import base_codecs as codec
from chains.addresses import canonical_account
from chains.errors import IdentifierError
from chains.ids import AccountId, ChainId, account_id, address_of, chain_of
from chains.signatures import address_text, verify
from chains.signatures.account_names import GENERIC_SS58
from chains.signatures.key_addresses import address_facts, ed25519_addresses, secp256k1_addresses
from chains.signatures.recovered_account import escape, plain_address
from tests.builders import wallet_messages as make
from tests.chains.test_wallet_schemes import CLAIMS

CHECKED = {"cosmos", "cip34", "polkadot", "algorand", "fil", "slip44"}  # families whose addresses have a checksum
POLKADOT = ChainId("polkadot:91b171bb158e2d3848fa23a9f1c25182")
COSMOS, FILECOIN, CONFLUX, AELF = "cosmos:cosmoshub-4", "fil:f", "slip44:503", "slip44:1616"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

signed = [claim for claim in make.claims() if claim.reason == "signed" and not claim.account.startswith("slip44:42:")]
ACCOUNTS = [
    *sorted({claim.account for claim in signed if not claim.account.startswith("solana:")}),
    f"{make.EOS}:exchange1",
    *(claim.account for claim in CLAIMS if not claim.account.startswith(("stellar:", "xrpl:", "tvm:"))),
    *(
        f"{chain}:{escape(min(ed25519_addresses(chain, make.EDWARDS_KEY)))}"
        for chain in address_facts()
        if chain.startswith(("algorand:", "aptos:", "near:", "sui:", "slip44:508", "slip44:810", "slip44:1155"))
    ),
    *(
        f"{chain}:{min(secp256k1_addresses(chain, make.KEY.public_key))}"
        for chain in address_facts()
        if chain.startswith("cosmos:")
    ),
]


def canonical(chain: str, address: str) -> str:
    """Return the one spelling of an address, unescaped."""
    return plain_address(canonical_account(account_id(f"{chain}:{escape(address)}")))


@pytest.mark.parametrize("account", ACCOUNTS)
def test_the_one_spelling_is_its_own(account: str) -> None:
    once = canonical_account(AccountId(account))
    assert canonical_account(once) == once


@pytest.mark.parametrize("claim", [*signed, *CLAIMS], ids=lambda claim: f"{claim.scheme} {claim.account[:20]}")
def test_a_signature_still_binds_the_account_in_its_one_spelling(claim: make.Claim) -> None:
    text = getattr(claim, "message", make.TEXT)
    account = canonical_account(AccountId(claim.account))
    assert verify(claim.scheme, account, text, claim.signature, **claim.material).valid


@pytest.mark.parametrize("account", [one for one in ACCOUNTS if one.partition(":")[0] in CHECKED])
def test_one_changed_letter_is_refused_where_there_is_a_checksum(account: str) -> None:
    chain, address = chain_of(AccountId(account)), plain_address(AccountId(account))
    for place, letter in product(range(len(address)), LETTERS):
        changed = address[:place] + letter + address[place + 1 :]
        if changed != address:
            with pytest.raises(IdentifierError):
                canonical(chain, changed)


keys = st.binary(min_size=32, max_size=32)


@given(keys)
def test_two_spellings_of_one_key_meet(key: bytes) -> None:
    generic, own = address_text.ss58(GENERIC_SS58, key), address_text.ss58(0, key)
    assert canonical(POLKADOT, generic) == canonical(POLKADOT, own) == own
    text = codec.bech32("cosmos", key)
    assert canonical(COSMOS, text.upper()) == canonical(COSMOS, text) == text
    short, long = f"0x{int.from_bytes(key):x}", f"0x{key.hex()}"
    assert canonical("aptos:1", short) == canonical("aptos:1", long.upper().replace("X", "x")) == long
    cardano = codec.bech32("addr", b"\x61" + key[:28])
    assert canonical(make.CARDANO, cardano.upper()) == canonical(make.CARDANO, cardano) == cardano
    user = address_text.conflux("cfx", bytes([0x10 | key[0] & 15]) + key[1:20])
    typed = user.replace("cfx:", "cfx:type.user:").upper()
    assert canonical(CONFLUX, typed) == canonical(CONFLUX, user) == user
    aelf = codec.base58_check(key)
    assert canonical(AELF, f"ELF_{aelf}_AELF") == canonical(AELF, aelf) == aelf


# Published in the documentation of starknet.js, and CIP-37's own examples.
STARKNET = "0x02Fd23d9182193775423497fc0c472E156C57C69E4089A1967fb288A2d84e914"
STARKNET_SHORT = "0x0000090591D9fA3EfC87067d95a643f8455E0b8190eb8Cb7bFd39e4fb7571fDF"
CONTRACT = "cfx:aarc9abycue0hhzgyrr53m6cxedgccrmmyybjgh4xg"


def test_published_addresses_are_read() -> None:
    for spelling in (STARKNET, STARKNET.lower(), f"0x{STARKNET[3:]}", f"0x{STARKNET[2:].upper()}"):
        assert canonical("starknet:SN_MAIN", spelling) == STARKNET.lower()
    for spelling in (STARKNET_SHORT, "0x" + STARKNET_SHORT[2:].lstrip("0")):
        assert canonical("starknet:SN_MAIN", spelling) == STARKNET_SHORT.lower()
    with pytest.raises(IdentifierError, match="right checksum"):
        canonical("starknet:SN_MAIN", STARKNET.replace("Fd", "FD"))
    assert canonical(CONFLUX, CONTRACT.upper()) == CONTRACT


def filecoin(protocol: int, payload: bytes) -> str:
    return f"f{protocol}{address_text.filecoin(protocol, payload)}"


DELEGATED = make.keccak256(b"delegated")[:20]


def delegated(payload: bytes, namespace: bytes = b"\x0a", name: str = "10") -> str:
    return f"f4{name}f{address_text.filecoin(4, payload, namespace)}"


def test_every_kind_of_filecoin_address_is_read_but_an_actors_number() -> None:
    right = (filecoin(1, bytes(20)), filecoin(2, bytes(20)), filecoin(3, bytes(48)), delegated(DELEGATED))
    for address in (*right, delegated(b"name", b"\xac\x02", "300")):
        assert canonical(FILECOIN, address) == address
        assert canonical("fil:t", f"t{address[1:]}") == f"t{address[1:]}"


WRONG = [
    (COSMOS, codec.bech32("osmo", bytes(20)), "cosmos1"),
    (COSMOS, codec.bech32("cosmos", bytes(21)), "cosmos1"),
    (COSMOS, codec.bech32("cosmos", bytes(20)).replace("cosmos", "Cosmos"), "one case"),
    ("cosmos:unknown-1", codec.bech32("cosmos", bytes(20)), "no rules"),
    (POLKADOT, address_text.ss58(2, bytes(32)), "network 0 or 42"),
    ("polkadot:" + "0" * 32, address_text.ss58(0, bytes(32)), "no rules"),
    (make.CARDANO_TEST, codec.bech32("addr", b"\x61" + bytes(28)), "network of"),
    ("cip34:7-1", codec.bech32("addr", b"\x61" + bytes(28)), "network of"),
    (
        make.CARDANO,
        "DdzFFzCqrht4PWfBGtmrQz4x1GkZHYLVGbK7aaBkjWxujxzz3L5GxCgPiTsks5RjUr3yX9KvwKjNJBt7ZzPCmS3f",
        "Shelley",
    ),
    ("starknet:SN_MAIN", "0x0", "above 0"),
    ("starknet:SN_MAIN", f"0x{2**251 - 256:x}", "below"),
    ("starknet:SN_MAIN", "0x" + "1" * 65, "1 to 64"),
    ("aptos:1", "ab" * 32, "1 to 64"),
    ("sui:mainnet", "0x2", "and 64"),
    ("beacon:mainnet", "0x" + "ab" * 47, "96"),
    (make.EOS, "Exchange1", "account name"),
    (make.EOS, "exchange.", "account name"),
    (make.EOS, "exchange6", "account name"),
    ("near:mainnet", "Exchange.near", "account id"),
    ("near:mainnet", "a", "account id"),
    ("near:mainnet", "a" * 65, "account id"),
    ("near:mainnet", "a__b.near", "account id"),
    ("near:mainnet", ".near", "account id"),
    ("algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k", address_text.algorand(bytes(32)).lower(), "capital"),
    (FILECOIN, "f01234", "number"),
    (FILECOIN, "t" + filecoin(1, bytes(20))[1:], "f1"),
    (FILECOIN, filecoin(1, bytes(21)), "checksum"),
    (FILECOIN, delegated(bytes(55)), "checksum"),
    (FILECOIN, delegated(b"\xff" + bytes(19)), "number"),
    (CONFLUX, address_text.conflux("cfxtest", b"\x10" + bytes(19)), "cfx:"),
    (CONFLUX, address_text.conflux("cfx", b"\x20" + bytes(19)), "type"),
    (CONFLUX, CONTRACT.replace("cfx:", "cfx:type.builtin:"), "type"),
    (CONFLUX, CONTRACT.replace("cfx", "Cfx"), "one case"),
    (AELF, "ELF_" + codec.base58_check(bytes(32)), "ELF_"),
    (AELF, f"ELF_{codec.base58_check(bytes(32))}_tDVV", "ELF_"),
    (AELF, codec.base58_check(bytes(31)), "aelf"),
    ("slip44:42", "DsXKYVaAa3kAL9JKSneoYLNDcJ8pp8AXYr1", "no rules"),
]


@pytest.mark.parametrize(("chain", "address", "said"), WRONG)
def test_what_is_no_address_there_is_refused_with_the_reason(chain: str, address: str, said: str) -> None:
    with pytest.raises(IdentifierError, match=said):
        canonical(chain, address)


@given(st.sampled_from(sorted({one.rpartition(":")[0] for one in ACCOUNTS})), st.text(st.characters(), max_size=110))
def test_any_text_is_an_address_or_refused(chain: str, text: str) -> None:
    try:
        once = canonical_account(AccountId(f"{chain}:{text}"))
    except IdentifierError:
        return
    assert canonical_account(once) == once


def test_names_with_an_underscore_are_escaped_once() -> None:
    account = account_id("near:mainnet:hot%5Fwallet.exchange.near")
    assert canonical_account(account) == account
    assert address_of(account) == escape(plain_address(account))

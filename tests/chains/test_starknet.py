"""Starknet's signed texts: the curve and its hash against other programs, and which contracts a key is bound to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.errors import IdentifierError
from chains.signatures import UNBOUND, verify
from chains.signatures.stark_curve import ORDER, PRIME, has_signed, pedersen, pedersen_of_all, point_of
from chains.signatures.starknet import account_contracts, addresses_of_key, contract_address
from tests.builders import stark_keys
from tests.builders import wallet_messages as make
from tests.builders.wallet_messages import SHORT_TEXT, Claim

CLAIM = make.starknet()
KEY = int(CLAIM.material["public_key"], 16)


def reason(claim: Claim = CLAIM, **changes: str) -> str:
    return verify(claim.scheme, claim.account, claim.message, claim.signature, **{**claim.material, **changes}).reason


# --- the curve ---
# Published: two of StarkWare's own examples, and cases that starknet-jvm took from cairo-lang.
@pytest.mark.parametrize(
    ("first", "second", "digest"),
    [
        (1, 2, 0x5BB9440E27889A364BCB678B1F679ECD1347ACDEDCBF36E83494F857CC58026),
        (0, 0, 0x49EE3EBA8C1600700EE1B87EB599F16716B0B1022947733551FDE4050CA6804),
        (1, 0, 0x268A9D47DDE48AF4B6E2C33932ED1C13ADEC25555ABAA837C376AF4EA2F8A94),
        (0, 1, 0x46C9AEB066CC2F41C7124AF30514F9E607137FBAC950524F5FDACE5788F9D43),
        (PRIME - 1, PRIME - 1, 0x7258FCCAF3371FAD51B117471D9D888A1786C5694C3E6099160477B593A576E),
        (
            0x3D937C035C878245CAF64531A5756109C53068DA139362728FEB561405371CB,
            0x208A0A10250E382E1E4BBE2880906C2791BF6275695E02FBBC6AEFF9CD8B31A,
            0x30E480BED5FE53FA909CC0F8C4D99B8F9F2C016BE4C41E13A4848797979C662,
        ),
        (
            0x58F580910A6CA59B28927C08FE6C43E2E303CA384BADC365795FC645D479D45,
            0x78734F65A067BE9BDB39DE18434D71E79F7B6466A4B66BBD979AB9E7515FE0B,
            0x68CC0B76CDDD1DD4ED2301ADA9B7C872B23875D5FF837B3A87993E0D9996B87,
        ),
    ],
)
def test_the_hash_is_starkwares(first: int, second: int, digest: int) -> None:
    assert pedersen(first, second) == digest


def test_the_hash_of_a_list_is_that_of_starknet_js() -> None:
    expected = 0x7B422405DA6571242DFC245A43DE3B0FE695E7021C148B918CD9CDB462CAC59
    assert pedersen_of_all([123782376, 213984, 128763521321]) == expected


@given(st.integers(0, PRIME - 1), st.integers(0, PRIME - 1))
@settings(deadline=None, max_examples=20)
def test_the_hash_is_the_schoolbooks(first: int, second: int) -> None:
    assert pedersen_of_all([first, second]) == stark_keys.hash_of(first, second)


# Made by crypto-cpp-py 2.0.0: key, digest, r, s.
SIGNED = [
    (
        0x4BB9CD04ECB02B462F5231B653AF5D6BBA190DB2E3292A6F7B2892BDBFE8D10,
        0x35BF992C9E9C616612E7696A6CECC1B78E510617311D8A3C2CE6F447ED4D57B,
        0x4194D80C756FFAF5D7774FA859A63801C29A2CD806DB435D3AF81F3A40D215,
        0x484BC207AC469385428BD656702032A378FC592465BA9C603DB10A512963D78,
    ),
    (
        0x6273375BB935A7EB1AF5D683FF6A4F7E8CD77FD7EE5A3F9B75766503CDDDBBF,
        0x5B6E6E07D4BEDC51431193E6C3F3391A2B8F1FF1FD42A29755D4C13A902931,
        0x50FB1D11222D9F837BD12D4BFB884F434DF959478C3242D21C042F2839C9DE9,
        0x2CD1BF5ADD617680C8E376BB37CEEEC262C7C7E600BBFDD5F4B22B673167C63,
    ),
]


@pytest.mark.parametrize(("key", "digest", "r", "s"), SIGNED)
def test_signatures_of_another_program_hold_and_so_do_their_twins(key: int, digest: int, r: int, s: int) -> None:
    assert has_signed(key, digest, r, s)
    assert has_signed(key, digest, r, ORDER - s)
    for changed in (
        (key, digest ^ 1, r, s),
        (key, digest, r ^ 1, s),
        (key, digest, r, s ^ 1),
        (SIGNED[0][1], digest, r, s),
    ):
        assert not has_signed(*changed)


@pytest.mark.parametrize(
    ("digest", "r", "s"), [(1, 0, 1), (1, 1, 0), (1, 1 << 251, 1), (1, 1, ORDER), (1 << 251, 1, 1), (-1, 1, 1)]
)
def test_numbers_out_of_range_are_no_signature(digest: int, r: int, s: int) -> None:
    assert not has_signed(KEY, digest, r, s)


@given(st.integers(1, ORDER - 1))
@settings(deadline=None, max_examples=30)
def test_a_point_is_found_by_its_x(number: int) -> None:
    x, y = stark_keys.multiply(stark_keys.G, number)
    assert point_of(x) in ((x, y), (x, PRIME - y))


def test_half_of_all_numbers_are_no_point() -> None:
    assert point_of(0) is None
    assert point_of(PRIME) is None
    assert 20 < sum(point_of(x) is None for x in range(1, 81)) < 60


# --- accounts ---
def test_an_address_is_that_of_the_wallets_own_software() -> None:
    """OKX's SDK derives this address from this secret; the other is of a block of Sepolia's feeder gateway."""
    secret = 0x0603C85D20500520D4C653352FF6C524F358AFEAB7E41A511C73733E49C3075E
    key = stark_keys.multiply(stark_keys.G, secret)[0]
    assert 0x06C3C93EEB1643740A80A338B9346C0C9A06177BFCC098A6D86E353532090AE4 in addresses_of_key(key)
    salt = 0x5BEBDA1B28BA6DAA824126577B9FBC984033E8B18360F5E1EF694CB172C7AA5
    contract = 0x0439218681F9108B470D2379CF589EF47E60DC5888EE49EC70071671D74CA9C6
    address = 0x43C6817E70B3FD99A4F120790B2E82C6843DF62B573FDADF9E2D677B60AC5EB
    assert contract_address(contract, salt, ()) == address


def test_every_known_contract_names_the_key_once() -> None:
    assert len(account_contracts()) >= 4
    assert all(each.calldata.count(None) == 1 for each in account_contracts())
    assert len(set(addresses_of_key(KEY))) == len(account_contracts())


def test_a_key_that_no_known_contract_ties_to_the_address_is_unbound() -> None:
    address = 0x1234
    r, s = stark_keys.sign_text(make.STARK_SECRET, SHORT_TEXT, address)
    claim = CLAIM._replace(account=f"starknet:SN_MAIN:0x{address:x}", signature=f"{r:064x}{s:064x}")
    assert reason(claim) == UNBOUND


def test_a_guardian_in_the_owners_contract_is_not_the_owner() -> None:
    """The key stands in the calldata, at the place of another one: the address is not the key's."""
    key, stranger = KEY, stark_keys.multiply(stark_keys.G, 5)[0]
    address = contract_address(stark_keys.ARGENT, stranger, (stranger, key))
    r, s = stark_keys.sign_text(make.STARK_SECRET, SHORT_TEXT, address)
    claim = CLAIM._replace(account=f"starknet:SN_MAIN:0x{address:x}", signature=f"{r:064x}{s:064x}")
    assert reason(claim) == UNBOUND


def test_a_signature_for_another_network_application_or_account_is_none_here() -> None:
    body = CLAIM.account.rpartition(":")[2]
    assert reason(CLAIM._replace(account=f"starknet:SN_SEPOLIA:{body}")) == "not-signed"
    assert reason(CLAIM._replace(account="starknet:SN_MAIN:0x1234")) == "not-signed"
    assert reason(application="Another application") == "not-signed"


@pytest.mark.parametrize("text", ["", "x" * 32, "1234", "0x12", "0X", "\0a", "a\n", "ü"])
def test_a_text_that_starknet_reads_otherwise_is_no_message(text: str) -> None:
    assert reason(CLAIM._replace(message=text)) == "malformed-message"
    assert reason(application=text) == "malformed-application"


def test_what_is_malformed_has_a_reason_of_its_own() -> None:
    r, s = int(CLAIM.signature[:64], 16), int(CLAIM.signature[64:], 16)
    assert reason(CLAIM._replace(signature=f"{r:064x}{ORDER - s:064x}")) == "signed"
    for pair in ((0, s), (r, 0), (r, ORDER), (r, s + ORDER), (1 << 251, s)):
        assert reason(CLAIM._replace(signature="".join(f"{number:064x}" for number in pair))) == "non-canonical"
    assert reason(public_key="") == "key-missing"
    assert reason(public_key="0x" + "1" * 65) == "malformed-key"
    none = next(x for x in range(1, 99) if point_of(x) is None)
    assert reason(public_key=hex(none)) == "no-such-key"
    assert reason(public_key="0x0") == "no-such-key"
    assert reason(public_key=hex(stark_keys.multiply(stark_keys.G, 5)[0])) == "not-signed"
    for address in ("1234", "0x" + "1" * 65, "0xABC"):
        with pytest.raises(IdentifierError):
            reason(CLAIM._replace(account=f"starknet:SN_MAIN:{address}"))

"""Cardano's signed data: wallets' own vectors, every kind of address, and structures that say something else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.base_codecs import bech32
from chains.errors import IdentifierError
from chains.signatures import verify
from chains.signatures.cbor import CborError, Value, from_cbor, to_cbor
from tests.builders import wallet_messages as make
from tests.builders.wallet_messages import CARDANO, CARDANO_TEST, EDWARDS_KEY, TEXT

# Published: an example of cip30-data-signature-parser, the tests of cardano-verify-datasignature, of pycardano (a
# wallet's payment key; a test network), and the message-signing example that many libraries share. The keys of the
# last three are those that their own headers name.
FOREIGN = [
    (
        f"{CARDANO}:stake1uxur40ehpg2gwr7l6mxtxhut8e32drjxtmg7p9k95m6mn4s0tdy6k",
        "This is a test message",
        "84582aa201276761646472657373581de1b83abf370a14870fdfd6ccb35f8b3e62a68e465ed1e096c5a6f5b9d6a166686173686564f456"
        "5468697320697320612074657374206d657373616765584042e2bfc4e1929769a0501b884f66794ae3485860f42c01b70fac37f75e40a"
        "f074c6b2a61b04c6cf8a493c0dced1455b4f1129dbf653ad9801c52ce49ff6d5a0e",
        "2f1867873147cf53c442435723c17e83beeb8e2153851cd73ccfb1b5e68994a4",
    ),
    (
        f"{CARDANO}:stake1uyvfslqkzgrf6syq5r4jg7pqewv8l65phh024lw5r7vk9qgznhyty",
        "Augusta Ada King, Countess of Lovelace",
        "84582aa201276761646472657373581de118987c1612069d4080a0eb247820cb987fea81bddeaafdd41f996281a166686173686564f458"
        "264175677573746120416461204b696e672c20436f756e74657373206f66204c6f76656c61636558401712458b19f606b322982f6290c"
        "78529a235b56c0f1cec4f24b12a8660b40cd37f4c5440a465754089c462ed4b0d613bffaee3d1833516569fda4852f42a4a0f",
        "b89526fd6bf4ba737c55ea90670d16a27f8de6cc1982349b3b676705a2f420c6",
    ),
    (
        f"{CARDANO}:addr1v8xrqjtlfluk9axpmjj5enh0uw0cduwhz7txsqyl36m3ukgqdsn8w",
        "pycardano rocks",
        "84584da301276761646472657373581d61cc30497f4ff962f4c1dca54cceefe39f86f1d7179668009f8eb71e590458205797dc2cc919df"
        "ec0bb849551ebdf30d96e5cbe0f33f734a87fe826db30f7ef9a166686173686564f44f707963617264616e6f20726f636b7358402beecd"
        "6dba2f7f73d0d72abd5cc43829173a069afa2a29eff72d65049b092bc80c571569e8a7c26354cd1d38b5fcdc3d7a3b6955d2211106824b"
        "a02c33ba220f",
        "5797dc2cc919dfec0bb849551ebdf30d96e5cbe0f33f734a87fe826db30f7ef9",
    ),
    (
        f"{CARDANO}:addr1q8fwhqcudjk54wnsp6e4lp5kd7l07xwsw725gv8r9nn9ard8ngatap85e6qhltgxdtxpgdd79l7xh47uutkpe3kv5m9smpy"
        "c34",
        "hello",
        "845869a30127045820674d11e432450118d70ea78673d5e31d5cc1aec63de0ff6284784876544be3406761646472657373583901d2eb83"
        "1c6cad4aba700eb35f86966fbeff19d077954430e32ce65e8da79a3abe84f4ce817fad066acc1435be2ffc6bd7dce2ec1cc6cca6cba166"
        "686173686564f44568656c6c6f5840a3b5acd99df5f3b5e4449c5a116078e9c0fcfc126a4d4e2f6a9565f40b0c77474cafd89845e768fa"
        "e3f6eec0df4575fcfe7094672c8c02169d744b415c617609",
        "674d11e432450118d70ea78673d5e31d5cc1aec63de0ff6284784876544be340",
    ),
    (
        f"{CARDANO_TEST}:addr%5Ftest1qrwm5wkhvvfcyh60v3h44fknydcxv5aa5s8vrtj4tq5cdfrrueshdzujm6aytddd5j4eullazlknq5djuq6"
        "spcz596dqjvm8nu",
        "Pycardano is cool.",
        "845869a3012704582060545b786d3a6f903158e35aae9b86548a99bc47d4b0a6f503ab5e78c1a9bbfc6761646472657373583900ddba3a"
        "d76313825f4f646f5aa6d323706653bda40ec1ae55582986a463e661768b92deba45b5ada4ab9e7ffd17ed3051b2e03500e0542e9aa166"
        "686173686564f452507963617264616e6f20697320636f6f6c2e58403b09cbae8d272ff94befd28cc04b152aea3c1633caffb4924a8a8c"
        "45be3ba6332a76d9f2aba833df53803286d32a5ee700990b79a0e86fab3cccdbfd37ce250f",
        "60545b786d3a6f903158e35aae9b86548a99bc47d4b0a6f503ab5e78c1a9bbfc",
    ),
]
CLAIM = make.cardano(0)
ADDRESS = bytes([0x01]) + make.key_hash() + make.key_hash(bytes(32))


@pytest.mark.parametrize(("account", "message", "signature", "key"), FOREIGN)
def test_data_that_wallets_signed_is_valid(account: str, message: str, signature: str, key: str) -> None:
    named = make.cose_key(bytes.fromhex(key))
    result = verify("cip-8", account, message, signature, public_key=named)
    assert (result.valid, result.reason, result.signer) == (True, "signed", account)


def reason(*, account: str = CLAIM.account, signature: str = CLAIM.signature, key: str = make.cose_key()) -> str:
    return verify("cip-8", account, TEXT, signature, public_key=key).reason


# --- addresses ---
def address(head: int, *parts: bytes, chain: str = CARDANO) -> str:
    return make.account(chain, make.cardano_text(bytes([head]) + b"".join(parts)))


OWN, OTHER = make.key_hash(), make.key_hash(bytes(32))


@pytest.mark.parametrize(
    "account",
    [
        address(0x11, OWN, OTHER),
        address(0x31, OWN, OTHER),
        address(0x51, OWN, b"\x01\x02\x03"),
        address(0x71, OWN),
        address(0xF1, OWN),
    ],
)
def test_a_script_address_is_never_a_keys(account: str) -> None:
    assert reason(account=account) == "script-address"


def test_an_address_of_another_network_is_refused_even_when_the_key_signed() -> None:
    claim = make.cardano(6)
    body = claim.account.rpartition(":")[2]
    assert reason(account=f"{CARDANO_TEST}:{body}", signature=claim.signature) == "network-differs"
    assert reason(account=address(0x00, OWN, OTHER)) == "network-differs"
    assert reason(account=f"cip34:7-1:{body}", signature=claim.signature) == "network-differs"


def test_a_stake_key_does_not_sign_for_the_payment_part() -> None:
    swapped = bytes([0x01]) + OTHER + OWN
    signature = make.cose_sign1(make.protected_header(swapped), TEXT.encode())
    account = make.account(CARDANO, make.cardano_text(swapped))
    assert reason(account=account, signature=signature) == "signer-differs"


@pytest.mark.parametrize(
    "account",
    [
        address(0x01, OWN, OTHER[:-1]),
        address(0x61, OWN, b"\0"),
        address(0x41, OWN),
        address(0x81, OWN),
        address(0xA1, OWN),
        f"{CARDANO}:DdzFFzCqrht4PWfBGtmrQz4x1GkZHYLVGbK7aaBkjWxujxzz3L5GxCgPiTsks5RjUr3yX9KvwKjNJBt7ZzPCmS3fUQrGeRvo9Y1YBQKQ",
        f"{CARDANO}:{CLAIM.account.rpartition(':')[2][:-1]}q",
        f"{CARDANO}:{CLAIM.account.rpartition(':')[2].upper()}",
        f"{CARDANO}:addr1",
        "near:mainnet:abc",
        make.account(CARDANO, bech32("addr", b"\xe1" + OWN)),
        make.account(CARDANO, bech32("stake", b"\x61" + OWN)),
        make.account(CARDANO, bech32("addr", b"\x60" + OWN)),
        make.account(CARDANO, bech32("addr_test", b"\x61" + OWN)),
        make.account(CARDANO, bech32("other", b"\x61" + OWN)),
    ],
)
def test_what_is_no_shelley_address_is_no_account(account: str) -> None:
    with pytest.raises(IdentifierError):
        reason(account=account)


# --- what was signed ---
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (make.protected_header(ADDRESS, algorithm=b"\x26"), "algorithm-not-covered"),
        (b"\xa1\x67address" + make.cbor_bytes(ADDRESS), "algorithm-not-covered"),
        (b"\xa1\x01\x27", "address-differs"),
        (make.protected_header(bytes([0x61]) + OWN), "address-differs"),
        (make.protected_header(ADDRESS, key_id=bytes(32)), "key-id-differs"),
        (make.protected_header(ADDRESS, key_id=ADDRESS), "signed"),
        (b"", "malformed-signature"),
        (b"\x80", "malformed-signature"),
        (make.protected_header(ADDRESS) + b"\0", "malformed-signature"),
        (b"\xa3\x01\x27\x01\x27\x67address" + make.cbor_bytes(ADDRESS), "malformed-signature"),
    ],
)
def test_the_signed_header_must_name_the_algorithm_and_the_address(header: bytes, expected: str) -> None:
    assert reason(signature=make.cose_sign1(header, TEXT.encode())) == expected


@pytest.mark.parametrize(
    ("plain", "payload", "expected"),
    [
        (b"\xa0", TEXT.encode(), "signed"),
        (b"\xa1\x66hashed\xf5", TEXT.encode(), "message-differs"),
        (b"\xa1\x66hashed\xf4", b"another message", "message-differs"),
        (b"\xa1\x66hashed\x00", TEXT.encode(), "malformed-signature"),
        (b"\xa1\x66hashed\xf6", TEXT.encode(), "malformed-signature"),
        (b"\xa1\x65other\xf4", TEXT.encode(), "malformed-signature"),
        (b"\xa2\x66hashed\xf4\x66hashed\xf4", TEXT.encode(), "malformed-signature"),
        (b"\xbf\x66hashed\xf4\xff", TEXT.encode(), "malformed-signature"),
    ],
)
def test_the_payload_must_be_the_message_or_its_hash(plain: bytes, payload: bytes, expected: str) -> None:
    assert reason(signature=make.cose_sign1(make.protected_header(ADDRESS), payload, plain)) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "d2" + text,
        lambda text: text + "00",
        lambda text: "9f" + text[2:] + "ff",
        lambda text: "85" + text[2:] + "f6",
        lambda text: text.replace("5840", "590040"),
        lambda text: text[:-130] + "5841" + text[-128:] + "00",
        lambda text: text.upper().replace("A", "a", 1),
        lambda text: "0x" + text,
        lambda text: " " + text,
        lambda text: "84" * 60_000,
    ],
)
def test_there_is_one_spelling_of_the_structure(change: Callable[[str], str]) -> None:
    assert reason(signature=change(CLAIM.signature)) == "malformed-signature"


def test_a_second_spelling_of_s_and_weak_keys_are_refused() -> None:
    raw = bytes.fromhex(CLAIM.signature)
    order = 2**252 + 27_742_317_777_372_353_535_851_937_790_883_648_493
    s = (int.from_bytes(raw[-32:], "little") + order).to_bytes(32, "little")
    assert reason(signature=(raw[:-32] + s).hex()) == "non-canonical"
    assert reason(key=make.cose_key(bytes([1]) + bytes(31))) == "weak-key"
    assert reason(key=make.cose_key(b"\x02" + bytes(31))) == "no-such-key"
    assert reason(key=make.cose_key(b"\x11" * 32)) in ("not-signed", "no-such-key")


# --- the key's structure ---
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a5010103272006215820" + EDWARDS_KEY.hex() + "0258" + "20" + EDWARDS_KEY.hex(), "signed"),
        ("a3010120062158" + "20" + EDWARDS_KEY.hex(), "signed"),
        ("a50101032704810220062158" + "20" + EDWARDS_KEY.hex(), "signed"),
        ("a50101032704810120062158" + "20" + EDWARDS_KEY.hex(), "malformed-key"),
        ("a4010203272006215820" + EDWARDS_KEY.hex(), "algorithm-not-covered"),
        ("a4010103262006215820" + EDWARDS_KEY.hex(), "algorithm-not-covered"),
        ("a4010103272001215820" + EDWARDS_KEY.hex(), "algorithm-not-covered"),
        ("a5010103272006215820" + EDWARDS_KEY.hex() + "024100", "key-id-differs"),
        ("a401010327200621581f" + EDWARDS_KEY.hex()[2:], "malformed-key"),
        ("a5010103272006215820" + EDWARDS_KEY.hex() + "2241" + "00", "malformed-key"),
        ("a5010103272006215820" + EDWARDS_KEY.hex() + "0101", "malformed-key"),
        ("a30101032720" + "06", "malformed-key"),
        (EDWARDS_KEY.hex(), "malformed-key"),
        ("", "malformed-key"),
        ("zz", "malformed-key"),
    ],
)
def test_the_key_must_be_an_ed25519_key_and_nothing_else(key: str, expected: str) -> None:
    assert reason(key=key) == expected


# --- CBOR ---
VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=80),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.integers(-9, 9) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=12,
)


def depth_of(value: Value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((depth_of(each) for each in inner), default=0) if isinstance(value, dict | list) else 0


@given(VALUES)
def test_what_is_written_is_read_again(value: Value) -> None:
    if depth_of(value) <= 4:
        assert from_cbor(to_cbor(value)) == value
    else:
        with pytest.raises(CborError):
            from_cbor(to_cbor(value))


@given(st.binary(max_size=60))
def test_any_bytes_are_the_one_spelling_of_a_value_or_an_error(data: bytes) -> None:
    try:
        value = from_cbor(data)
    except CborError:
        return
    assert to_cbor(value) == data


# RFC 8949, appendix A: values of the subset, and what lies outside it.
@pytest.mark.parametrize(
    ("digits", "value"),
    [
        ("00", 0),
        ("17", 23),
        ("1818", 24),
        ("1903e8", 1_000),
        ("1a000f4240", 1_000_000),
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
        ("20", -1),
        ("3903e7", -1_000),
        ("f4", False),
        ("f6", None),
        ("4401020304", bytes([1, 2, 3, 4])),
        ("62c3bc", "ü"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ],
)
def test_values_of_the_standards_appendix_are_read(digits: str, value: Value) -> None:
    assert from_cbor(bytes.fromhex(digits)) == value
    assert to_cbor(value).hex() == digits


@pytest.mark.parametrize(
    "digits",
    [
        *("f90000", "fb3ff199999999999a", "f7", "f0", "f818", "c074", "d74401020304", "5f42010243030405ff", "9fff"),
        *("bfff", "", "1817", "190017", "1a00000017", "18", "42ff", "62ff", "61ff", "8201", "a101", "a1820100"),
        *("a1f500", "ff", "a2010001f6", "9821" + "00" * 33, "818181818100", "1c", "1f", "5bffffffffffffffff00"),
    ],
)
def test_what_lies_outside_the_subset_is_an_error(digits: str) -> None:
    with pytest.raises(CborError):
        from_cbor(bytes.fromhex(digits))

"""A header chain proves its own work: easy chains made here, mainnet's known numbers, and real nodes' headers."""

import struct
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.bitcoin.header_chain import (
    BITCOIN,
    LITECOIN,
    LITECOIN_REGTEST,
    REGTEST,
    Header,
    PowRules,
    bits_of,
    check_headers,
    next_target,
    scrypt_pow,
    sha256d,
    target_of,
    work_of,
)
from chains.errors import ProofError
from chains.ids import chain_id
from chains.network import network_of
from tests.live.bitcoind import Node, knots, litecoind

EASY = PowRules(sha256d, (1 << 248) - 1, retargets=True, interval=8, timespan=8 * 600)
EASY_WHOLE = EASY._replace(whole_period=True)
START_TIME = 1_700_000_000
MAINNET_GENESIS = struct.pack(
    "<i32s32sIII", 1, bytes(32),
    bytes.fromhex("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")[::-1],
    1231006505, 0x1D00FFFF, 2083236893,
)  # fmt: skip


def mine(rules: PowRules, parent: bytes, time: int, bits: int) -> bytes:
    """Find a header that meets its own claim."""
    for nonce in range(1 << 32):
        raw = struct.pack("<i32s32sIII", 4, parent, bytes(32), time, bits, nonce)
        if int.from_bytes(rules.pow_function(raw), "little") <= target_of(bits):
            return raw
    raise AssertionError


def make_chain(rules: PowRules, times: list[int]) -> list[bytes]:
    """Mine a chain that follows the rules, written down here once more and for whole chains."""
    bits, chain = bits_of(rules.pow_limit), list[bytes]()
    for height, time in enumerate(times):
        if rules.retargets and height and height % rules.interval == 0:
            first = height - rules.interval - (1 if rules.whole_period and height > rules.interval else 0)
            bits = bits_of(next_target(rules, target_of(bits), times[height - 1] - times[first]))
        chain.append(mine(rules, sha256d(chain[-1]) if chain else bytes(32), time, bits))
    return chain


def changed(raw: bytes, at: int, value: bytes) -> bytes:
    return raw[:at] + value + raw[at + len(value) :]


STEADY = make_chain(EASY, [START_TIME + 300 * height for height in range(40)])


def test_mainnets_genesis_block_is_the_networks() -> None:
    genesis = Header.genesis(MAINNET_GENESIS, BITCOIN)
    assert network_of(chain_id("bip122:000000000019d6689c085ae165831e93")).chain == f"bip122:{genesis.hash[:32]}"
    assert (genesis.height, genesis.chainwork) == (0, 0x100010001)


@pytest.mark.parametrize(
    ("bits", "first", "last", "following"),
    [
        (0x1D00FFFF, 1261130161, 1262152739, 0x1D00D86A),  # blocks 30,240 to 32,255: the first change there was
        (0x1D00FFFF, 1231006505, 1233061996, 0x1D00FFFF),  # blocks 0 to 2,015: held by the limit
        (0x1C05A3F4, 1279008237, 1279297671, 0x1C0168FD),  # blocks 66,528 to 68,543: held at four times as hard
        (0x1C387F6F, 1263163443, 1269211443, 0x1D00E1FD),  # made up: held at four times as easy
    ],
)
def test_mainnets_known_retargets_come_out(bits: int, first: int, last: int, following: int) -> None:
    assert bits_of(next_target(BITCOIN, target_of(bits), last - first)) == following


def test_litecoins_product_stays_below_256_bits() -> None:
    limit = LITECOIN.pow_limit
    assert next_target(LITECOIN, limit, 4 * LITECOIN.timespan) == limit
    assert next_target(LITECOIN, limit, LITECOIN.timespan // 4) == (limit >> 1) * 75_600 // 302_400 << 1


@given(st.integers(1, (1 << 256) - 1))
def test_a_compact_target_is_the_target_down_to_its_first_three_bytes(target: int) -> None:
    back = target_of(bits_of(target))
    assert bits_of(back) == bits_of(target)
    assert 0 <= target - back <= target >> 15
    assert 0 < work_of(target) <= 1 << 255


@given(st.integers(0, 2**32 - 1))
def test_any_claimed_difficulty_is_a_target_or_nothing(bits: int) -> None:
    target = target_of(bits)
    assert 0 <= target < 1 << 256
    assert target == 0 or not bits & 0x80_0000


@pytest.mark.parametrize("rules", [EASY, EASY_WHOLE])
def test_a_chain_over_several_retargets_holds_and_its_work_adds_up(rules: PowRules) -> None:
    chain = make_chain(rules, [START_TIME + 300 * height + 40 * (height % 3) for height in range(40)])
    tip = check_headers(b"".join(chain[1:]), rules, Header.genesis(chain[0], rules))
    bits = [int.from_bytes(raw[72:76], "little") for raw in chain]
    assert len(set(bits)) == 5
    assert (tip.height, tip.hash, tip.unmeasured) == (39, sha256d(chain[-1])[::-1].hex(), 0)
    assert tip.chainwork == sum(work_of(target_of(claim)) for claim in bits)


@given(st.integers(1, 38))
def test_a_chain_may_be_checked_in_parts(cut: int) -> None:
    genesis = Header.genesis(STEADY[0], EASY)
    part = check_headers(STEADY[1:cut], EASY, genesis)
    assert check_headers(STEADY[cut:], EASY, part) == check_headers(STEADY[1:], EASY, genesis)


def test_litecoins_periods_are_measured_from_one_block_earlier() -> None:
    chain = make_chain(EASY_WHOLE, [START_TIME + 300 * height + 40 * (height % 3) for height in range(40)])
    with pytest.raises(ProofError, match="the rules ask for"):
        check_headers(chain[1:], EASY, Header.genesis(chain[0], EASY))


def test_every_flipped_bit_of_a_header_breaks_the_chain_after_it() -> None:
    genesis = Header.genesis(STEADY[0], EASY)
    for bit in range(8 * 80):
        raw = bytearray(STEADY[5])
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProofError):
            check_headers([*STEADY[1:5], bytes(raw), STEADY[6]], EASY, genesis)


def test_a_header_without_its_work_is_refused() -> None:
    raw = next(
        found
        for nonce in range(1000)
        if sha256d(found := changed(STEADY[-1], 76, nonce.to_bytes(4, "little")))[31]  # above the easiest target
    )
    with pytest.raises(ProofError, match=r"header 39: .* does not meet"):
        check_headers([*STEADY[1:-1], raw], EASY, Header.genesis(STEADY[0], EASY))


@pytest.mark.parametrize("bits", [0, 0x20FFFFFF, 0x207FFFFF, 0x1F800001, 0xFF00FFFF, 0x01003456])
def test_a_difficulty_no_block_of_the_network_can_have_is_refused(bits: int) -> None:
    with pytest.raises(ProofError, match="not one of this network's"):
        Header.checkpoint(changed(STEADY[0], 72, bits.to_bytes(4, "little")), 0, EASY)


def test_a_difficulty_that_changes_within_a_period_is_refused() -> None:
    claimed = bits_of(target_of(bits_of(EASY.pow_limit)) // 2)
    raw = mine(EASY, sha256d(STEADY[3]), START_TIME + 1200, claimed)
    with pytest.raises(ProofError, match=r"header 4: claims .* the rules ask for"):
        check_headers([*STEADY[1:4], raw], EASY, Header.genesis(STEADY[0], EASY))


def test_a_time_must_lie_above_the_median_of_the_eleven_before() -> None:
    rules = EASY._replace(retargets=False)
    times = [START_TIME + 100 * height for height in range(20)]
    chain = make_chain(rules, times)
    median = times[14]
    for time, good in ((median, False), (median + 1, True)):
        raw = mine(rules, sha256d(chain[-1]), time, bits_of(rules.pow_limit))
        if good:
            assert check_headers([*chain[1:], raw], rules, Header.genesis(chain[0], rules)).times[-1] == time
            continue
        with pytest.raises(ProofError, match="header 20: its time"):
            check_headers([*chain[1:], raw], rules, Header.genesis(chain[0], rules))


def test_from_a_checkpoint_within_a_period_one_retarget_is_only_bounded() -> None:
    tip = check_headers(STEADY[14:], EASY, Header.checkpoint(STEADY[13], 13, EASY))
    assert (tip.height, tip.hash, tip.unmeasured) == (39, sha256d(STEADY[-1])[::-1].hex(), 1)
    assert check_headers(STEADY[17:], EASY, Header.checkpoint(STEADY[16], 16, EASY)).unmeasured == 0
    hard = bits_of(target_of(int.from_bytes(STEADY[15][72:76], "little")) // 5)
    raw = mine(EASY, sha256d(STEADY[15]), START_TIME + 300 * 16, hard)
    with pytest.raises(ProofError, match="more than four times"):
        check_headers([*STEADY[14:16], raw], EASY, Header.checkpoint(STEADY[13], 13, EASY))


@pytest.mark.parametrize("size", [0, 79, 81])
def test_what_is_not_80_bytes_long_is_no_header(size: int) -> None:
    with pytest.raises(ProofError, match="a header has 80"):
        check_headers([bytes(size)], EASY, Header.genesis(STEADY[0], EASY))
    with pytest.raises(ProofError, match="a header has 80"):
        check_headers(STEADY[1] + STEADY[2][:-1], EASY, Header.genesis(STEADY[0], EASY))


def headers_of(node: Node) -> list[bytes]:
    tip = node.call("getblockcount")
    names = [node.call("getblockhash", height) for height in range(tip + 1)]
    return [bytes.fromhex(node.call("getblockheader", name, False)) for name in names]


def check_node(node: Node, rules: PowRules) -> None:
    node.mine(40)
    headers = headers_of(node)
    tip = check_headers(headers[1:], rules, Header.genesis(headers[0], rules))
    about = node.call("getblockheader", tip.hash)
    assert (tip.height, tip.chainwork) == (about["height"], int(about["chainwork"], 16))
    assert node.network.chain == f"bip122:{Header.genesis(headers[0], rules).hash[:32]}"
    weak = next(
        found
        for nonce in range(1000)
        if rules.pow_function(found := changed(headers[-1], 76, nonce.to_bytes(4, "little")))[31] > 0x7F
    )
    with pytest.raises(ProofError, match="does not meet"):
        check_headers([*headers[1:-1], weak], rules, Header.genesis(headers[0], rules))


@pytest.mark.real_bitcoind
def test_knots_chain_has_the_work_it_says() -> None:
    with knots() as node:
        check_node(node, REGTEST)


@pytest.mark.real_litecoind
def test_litecoinds_chain_has_the_scrypt_work_it_says() -> None:
    with litecoind() as node:
        check_node(node, LITECOIN_REGTEST)
        raw = headers_of(node)[-1]
        assert scrypt_pow(raw) != sha256(sha256(raw).digest()).digest()

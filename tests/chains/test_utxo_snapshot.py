"""Files of unspent coins: what is written is read, by both readers alike, and what is damaged is refused."""

import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.bitcoin.utxo.compressed_script import (
    compress_amount,
    compress_script,
    curve_ordinate,
    expand_amount,
    expand_script,
    pack_varint,
    payload_size,
    raw_form,
)
from chains.bitcoin.utxo.muhash import digest_of, product_of
from chains.bitcoin.utxo.scan import MAX_MONEY, Engine, ScanResult, UnspentCoin, scan
from chains.bitcoin.utxo.script_table import build_table, lookup, script_hash
from chains.bitcoin.utxo.snapshot import open_snapshot
from chains.errors import IdentifierError, ProofError, UnreadableFileError
from tests.chains.snapshot_writer import Written, coin_bytes, headerless, in_order, store, version_2

ENGINES: tuple[Engine, ...] = ("plain", "fast")
GENERATOR = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
POINT = b"\x41\x04" + GENERATOR.to_bytes(32, "big") + (curve_ordinate(GENERATOR, odd=False) or 0).to_bytes(32, "big")
UNCOMPRESSED = POINT + b"\xac"
SCRIPTS = [
    b"\x76\xa9\x14" + b"\x01" * 20 + b"\x88\xac", b"\xa9\x14" + b"\x02" * 20 + b"\x87", b"\x00\x14" + b"\x03" * 20,
    b"\x00\x20" + b"\x04" * 32, b"\x51\x20" + b"\x05" * 32, b"\x21\x02" + b"\x06" * 32 + b"\xac",
    b"\x21\x03" + b"\x06" * 32 + b"\xac", UNCOMPRESSED, UNCOMPRESSED[:-2] + b"\x00\xac", b"", b"\x51", b"\x6a" * 300,
    b"\x76\xa9\x14" + b"\x01" * 20 + b"\x88\xad", b"\x51" * 10_000,
]  # fmt: skip
ANY_SCRIPT = st.sampled_from(SCRIPTS) | st.binary(max_size=80)
INDEX = st.integers(0, 400) | st.integers(16_380, 16_660) | st.integers(0, 111_110)
ANY_COIN = st.builds(
    Written,
    st.binary(min_size=32, max_size=32) | st.sampled_from([bytes(32), b"\xff" * 32, b"\x07" * 32]),
    INDEX,
    st.integers(0, 2**31 - 1),
    st.integers(0, 10**8) | st.integers(0, 10**12),
    ANY_SCRIPT,
)
COINS = st.lists(ANY_COIN, max_size=60, unique_by=lambda coin: coin[:2]).map(in_order)
BOTH_FORMATS = pytest.mark.parametrize("write", [version_2, headerless])


def read(content: bytes, scripts: list[bytes], engine: Engine = "auto", **options: object) -> ScanResult:
    with TemporaryDirectory() as folder:
        snapshot = open_snapshot(store(Path(folder), content))
        return scan(snapshot, scripts, engine=engine, **options)  # type: ignore[arg-type]  # a test's own options


def refusal_of(content: bytes, engine: Engine, **options: object) -> str:
    with pytest.raises(ProofError) as caught:
        read(content, SCRIPTS, engine, **options)
    return str(caught.value)


@BOTH_FORMATS
@settings(max_examples=60, deadline=None)
@given(coins=COINS, data=st.data())
def test_what_is_written_is_read_by_both_readers(write, coins: list[Written], data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    scripts = data.draw(st.lists(ANY_SCRIPT, max_size=8)) + [coin.script for coin in coins[::2]]
    hashes = {"hash_serialized": True, "muhash": write is version_2}
    plain = read(write(coins), scripts, "plain", **hashes)
    assert plain == read(write(coins), scripts, "fast", **hashes, chunk=1)
    assert (plain.coin_count, plain.total_units) == (len(coins), sum(coin.units for coin in coins))
    assert set(plain.scripts) == set(scripts)
    for script, held in plain.scripts.items():
        expected = [
            UnspentCoin(coin.txid[::-1].hex(), coin.vout, coin.units, coin.code >> 1, bool(coin.code & 1))
            for coin in coins
            if coin.script == script
        ]
        assert list(held.coins) == expected
        assert (held.units, held.coin_count) == (sum(coin.units for coin in expected), len(expected))


@settings(max_examples=200, deadline=None)
@given(coins=COINS, at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans(), older=st.booleans())
def test_both_readers_say_the_same_of_a_damaged_file(
    coins: list[Written], at: int, byte: int, cut: bool, older: bool
) -> None:
    content = bytearray((headerless if older else version_2)(coins))
    content[at % len(content)] = byte
    outcomes: list[ScanResult | str] = []
    for engine in ENGINES:
        try:
            outcomes.append(read(bytes(content[: at % len(content)] if cut else content), SCRIPTS, engine))
        except ProofError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@given(st.integers(0, MAX_MONEY))
def test_every_amount_comes_back_from_its_compressed_form(units: int) -> None:
    assert expand_amount(compress_amount(units)) == units


@given(ANY_SCRIPT)
def test_every_script_comes_back_from_its_stored_form(script: bytes) -> None:
    stored = compress_script(script)
    kind = stored[0] if stored[0] < 6 else len(script) + 6
    payload = stored[len(pack_varint(kind)) :]
    assert payload_size(kind) == len(payload)
    assert expand_script(kind, payload) == script


@pytest.mark.parametrize("number", [0, 127, 128, 16511, 16512, 2113663, 2113664, 2**32 - 1])
def test_varints_are_the_nodes(number: int) -> None:
    known = {0: "00", 127: "7f", 128: "8000", 16511: "ff7f", 16512: "808000", 2113663: "ffff7f", 2113664: "80808000"}
    assert pack_varint(number).hex() == known.get(number, "8efefefe7f"[:10])


A_COIN = Written(b"\x11" * 32, 0, 200, 5_000, SCRIPTS[2])
B_COIN = A_COIN._replace(txid=b"\x22" * 32)
HEAD = version_2([], 1)
CODE, AMOUNT = pack_varint(200), pack_varint(compress_amount(5_000))


def one(index: bytes = b"\x00", code: bytes = CODE, amount: bytes = AMOUNT, script: bytes = b"\x06") -> bytes:
    return HEAD + b"\x11" * 32 + b"\x01" + index + code + amount + script


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "reason", "at"),
    [
        (version_2([A_COIN, B_COIN])[:-1], "ends within a coin", 51 + 2 * 33 + 1 + len(coin_bytes(A_COIN))),
        (version_2([A_COIN], 2) + bytes(10), "ends within a coin", None),
        (version_2([A_COIN]) + b"\x00", "goes on after", None),
        (headerless([A_COIN]) + b"\x00", "goes on after", None),
        (headerless([A_COIN, A_COIN]), "listed twice", None),
        (headerless([B_COIN, A_COIN]), "listed twice", None),
        (version_2([B_COIN, A_COIN]), "listed twice", None),
        (version_2([A_COIN, A_COIN]), "listed twice", None),
        (version_2([A_COIN._replace(vout=3), A_COIN]), "listed twice", None),
        (version_2([A_COIN._replace(vout=300), A_COIN._replace(vout=16_520)]), "listed twice", None),
        (version_2([A_COIN, A_COIN._replace(vout=1)], 1), "more coins than", 51),
        (HEAD + b"\x11" * 32 + b"\x00" + bytes(9), "no coins", 51),
        (HEAD + b"\x11" * 32 + b"\xfe\x08\xb2\x01\x00" + bytes(9), "the 111111 outputs", 51),
        (HEAD + b"\x11" * 32 + b"\xff" + bytes(9), "the 111111 outputs", 51),
        (HEAD + b"\x11" * 32 + b"\xfd\x01\x00" + bytes(9), "shortest form", 51),
        (one(index=b"\xfd\xfc\x00"), "shortest form", 84),
        (one(index=b"\xfe\x07\xb2\x01\x00"), "index beyond", 84),
        (one(code=b"\x8e\xfe\xfe\xff\x00"), "height beyond", 84),
        (one(code=b"\xff" * 30), "height beyond", 84),
        (one(amount=pack_varint(compress_amount(MAX_MONEY + 1))), "above all money", 84),
        (one(amount=b"\xff" * 12), "above all money", 84),
        (one(script=pack_varint(10_007)), "10,000 bytes", 84),
        (one(script=b"\xff" * 30), "10,000 bytes", 84),
        (version_2([A_COIN._replace(units=MAX_MONEY), B_COIN]), "add up", None),
        (version_2([A_COIN._replace(vout=n, script=b"\x51" * 10_000) for n in range(100)]), "no block", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_damaged_file_is_refused_and_the_byte_is_named(
    engine: Engine, content: bytes, reason: str, at: int | None
) -> None:
    assert read(one(), [b""], engine).scripts[b""].units == 5_000
    said = refusal_of(content, engine)
    assert reason in said
    assert "at byte " in said
    assert at is None or f"at byte {at};" in said


@pytest.mark.parametrize("engine", ENGINES)
@BOTH_FORMATS
def test_every_cut_and_no_flipped_bit_of_a_file_goes_unnoticed(write, engine: Engine) -> None:  # type: ignore[no-untyped-def]
    content = write([A_COIN, B_COIN._replace(vout=200, script=SCRIPTS[0])])
    for size in range(len(content)):
        with pytest.raises(ProofError, match=r"at byte \d+"):
            read(content[:size], [], engine)
    scripts = [A_COIN.script, SCRIPTS[0]]
    whole = read(content, scripts, "plain", hash_serialized=True)
    for bit in range((51 if write is version_2 else 44) * 8, 8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            other = read(bytes(changed), scripts, engine, hash_serialized=True)
        except ProofError:
            continue
        if other.hash_serialized == whole.hash_serialized:  # the older hash forgets heights, and only these
            assert write is headerless
            assert heightless(other) == heightless(whole)


def heightless(result: ScanResult) -> list[tuple[int, list[tuple[str, int, int]]]]:
    return [(held.units, [coin[:3] for coin in held.coins]) for held in result.scripts.values()]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_coin_cannot_hide_in_another_form_of_its_script(engine: Engine) -> None:
    for script in SCRIPTS[:2]:
        assert read(one(script=raw_form(script)), [script], engine).scripts[script].units == 5_000


def test_a_script_that_collides_with_a_wanted_one_is_told_apart() -> None:
    table = build_table([b"a" * 22])
    taken = int(table.slots.argmax())
    probes = (np.frombuffer(bytes([letter]) * 22, dtype=np.uint8) for letter in b"bcdefghijklmnopqrstuvwxyz")
    hashed = ((probe, script_hash(probe, 0, 22, table.seed)) for probe in probes)
    probe, mixed = next(one for one in hashed if int(one[1]) % len(table.slots) != taken)
    place = int(mixed) % len(table.slots)
    table.slots[place], table.hashes[place] = 1, mixed
    assert lookup(table, probe, 0, 22) == -1
    assert lookup(table, table.keys, 0, 22) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_public_key_on_no_curve_point_has_no_hash(engine: Engine) -> None:
    content = one(script=b"\x04" + (5).to_bytes(32, "big"))
    assert read(content, [], engine).coin_count == 1
    assert "no public key" in refusal_of(content, engine, hash_serialized=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_litecoins_mark_for_coins_from_its_extension_block_is_not_part_of_the_height(engine: Engine) -> None:
    content = headerless([A_COIN._replace(code=1 << 31 | 77 << 1)])
    (coin,) = read(content, [A_COIN.script], engine).scripts[A_COIN.script].coins
    assert (coin.height, coin.coinbase) == (77, False)


@pytest.mark.parametrize("engine", ENGINES)
@BOTH_FORMATS
def test_an_empty_set_of_coins_is_read(write, engine: Engine) -> None:  # type: ignore[no-untyped-def]
    result = read(write([]), SCRIPTS, engine, hash_serialized=True)
    assert (result.coin_count, result.total_units, {held.units for held in result.scripts.values()}) == (0, 0, {0})


@pytest.mark.parametrize("workers", [1, 2])
def test_many_coins_in_small_chunks_are_hashed_alike_by_any_number_of_workers(workers: int) -> None:
    coins = in_order([
        Written((n // 3).to_bytes(32, "big"), 16_511 + n % 3, n, n, SCRIPTS[n % 11]) for n in range(3_000)
    ])  # fmt: skip
    seen: list[tuple[int, int]] = []
    options: dict[str, object] = {"hash_serialized": True, "muhash": True, "chunk": 1, "workers": workers}
    fast = read(version_2(coins), SCRIPTS, "fast", **options, progress=lambda *step: seen.append(step))
    assert fast == read(version_2(coins), SCRIPTS, "plain", hash_serialized=True, muhash=True)
    assert seen == sorted(seen)
    assert (len(seen) > 2, seen[-1]) == (True, (3_000, 3_000))
    without = read(version_2(coins), SCRIPTS, "fast", with_coins=False)
    assert [held[:2] for held in without.scripts.values()] == [held[:2] for held in fast.scripts.values()]
    assert {held.coins for held in without.scripts.values()} == {()}


@given(st.lists(st.binary(max_size=90), max_size=5), st.randoms())
def test_muhash_does_not_mind_the_order(members: list[bytes], source) -> None:  # type: ignore[no-untyped-def]
    shuffled = source.sample(members, len(members))
    assert digest_of(product_of(shuffled)) == digest_of(product_of(members))
    assert product_of([*members, b"one more"]) != product_of(members)


def test_a_head_says_what_the_file_is(tmp_path: Path) -> None:
    base = bytes(range(32))
    newer = open_snapshot(store(tmp_path, version_2([A_COIN], base=base)))
    assert newer[1:6] == (2, b"\xfa\xbf\xb5\xda", base[::-1].hex(), 1, 51)
    older = open_snapshot(store(tmp_path, headerless([A_COIN], base=base)))
    assert older[1:6] == (1, b"", base[::-1].hex(), 1, 44)
    with pytest.raises(ProofError, match="no muhash"):
        scan(older, [], muhash=True)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"utxo\xff", version_2([A_COIN])[:50], b"utxo\xff\x03\x00" + bytes(44), b"utxo\xff\x01\x00" + bytes(44),
        struct.pack("<5sH4s32sQ", b"utxo\xff", 2, bytes(4), bytes(32), 2**64 - 1), version_2([], 1), bytes(43),
        b"<html>" * 30,
    ],
)  # fmt: skip
def test_what_is_no_snapshot_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ProofError, match=r"utxo\.dat: .*at byte"):
        open_snapshot(store(tmp_path, content))


def test_a_missing_file_and_a_script_no_node_keeps_are_errors_of_ours(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"none\.dat"):
        open_snapshot(tmp_path / "none.dat")
    snapshot = open_snapshot(store(tmp_path, version_2([A_COIN])))
    with pytest.raises(IdentifierError, match="10001 bytes"):
        scan(snapshot, [bytes(10_001)])
    snapshot.path.unlink()
    with pytest.raises(UnreadableFileError):
        scan(snapshot, [])

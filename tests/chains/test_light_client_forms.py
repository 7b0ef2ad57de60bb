"""How light-client objects are written: one form in bytes, one in JSON, and our own error for everything else."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("milagro_bls_binding", reason="needs reserve-verifier[lightclient]")

from chains.decode import parse_json
from chains.errors import InvalidAnswerError, ProofError
from chains.evm.hexadecimal import hexadecimal
from chains.evm.light_client.containers import (
    ExecutionPayloadHeader,
    LightClientHeader,
    LightClientOptimisticUpdate,
    execution_form,
    forms_of,
    read_versioned,
    write_versioned,
)
from chains.evm.light_client.forks import MAINNET, MINIMAL, Fork
from chains.evm.light_client.proof import (
    MAX_UPDATES,
    read_header_proof,
    write_header_proof,
)
from chains.evm.light_client.ssz import Bits, ByteList, Uint, Vector, merkleize
from chains.evm.light_client.update import (
    process_light_client_update,
)
from tests.chains.simulated_beacon import (
    CHAIN,
    NETWORK,
    NOW,
    attested_in,
    proof_until,
    prove,
    store_at,
)

FORKS = [Fork.ALTAIR, Fork.CAPELLA, Fork.DENEB, Fork.ELECTRA, Fork.FULU]


def test_a_stored_proof_reads_back_as_it_was_written() -> None:
    proof = proof_until(3)
    stored = json.dumps(write_header_proof(proof, NETWORK)).encode()
    assert read_header_proof(parse_json(stored), NETWORK) == proof


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize("preset", [MINIMAL, MAINNET])
def test_every_form_of_every_fork_survives_bytes(fork: Fork, preset: Any) -> None:
    forms = forms_of(fork, preset)
    for form in forms:
        size = form.fixed if form.size is None else form.size
        assert size > 0
    header = LightClientHeader()
    assert forms.header.deserialize(forms.header.serialize(header), "header") == header


@pytest.mark.parametrize("period", [0, 1, 2, 3])
def test_every_object_survives_bytes_and_json(period: int) -> None:
    slot = attested_in(period)
    forms = forms_of(NETWORK.fork_at(slot), MINIMAL)
    update = CHAIN.update(slot)
    for form, kind, value in [
        (forms.bootstrap, "bootstrap", CHAIN.bootstrap(slot)),
        (forms.update, "update", update),
        (forms.finality_update, "finality_update", CHAIN.finality_update(slot)),
        (
            forms.optimistic_update,
            "optimistic_update",
            LightClientOptimisticUpdate(update.attested_header, update.sync_aggregate, update.signature_slot),
        ),
    ]:
        assert form.deserialize(form.serialize(value), kind) == value
        assert read_versioned(write_versioned(value, kind, NETWORK), kind, NETWORK, kind) == value


@given(
    st.binary(max_size=32),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**256 - 1),
    st.sampled_from([Fork.CAPELLA, Fork.DENEB]),
)
def test_any_execution_header_survives_bytes_and_json(extra: bytes, number: int, fee: int, fork: Fork) -> None:
    header = ExecutionPayloadHeader(extra_data=extra, block_number=number, base_fee_per_gas=fee)
    form = execution_form(fork)
    assert form.deserialize(form.serialize(header), "header") == header
    assert form.read_json(form.write_json(header), "header") == header


def test_roots_of_lists_bind_their_length_and_padding_is_zero() -> None:
    assert ByteList(32).hash_tree_root(b"") != ByteList(32).hash_tree_root(b"\x00")
    assert merkleize([b"\x01" * 32], 4) == merkleize([b"\x01" * 32, bytes(32), bytes(32)], 4)
    assert Uint(8).hash_tree_root(258)[:3] == b"\x02\x01\x00"


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8 * 12_000))
def test_one_flipped_bit_of_an_update_is_refused_or_is_the_unsigned_slot(bit: int) -> None:
    form = forms_of(Fork.CAPELLA, MINIMAL).update
    update = CHAIN.update(attested_in(0))
    written = bytearray(form.serialize(update))
    bit %= 8 * len(written)
    written[bit // 8] ^= 1 << bit % 8
    store = store_at()
    try:
        changed = form.deserialize(bytes(written), "update")
        after = process_light_client_update(store, changed, NOW, NETWORK)
    except (InvalidAnswerError, ProofError):
        return
    # The specification calls this field untrusted: nobody signs it, and it chooses only the committee and the fork.
    assert changed == update._replace(signature_slot=changed.signature_slot)
    assert after.finalized_header == update.finalized_header


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused_with_our_error(content: bytes) -> None:
    for form in forms_of(Fork.DENEB, MINIMAL):
        try:
            assert form.serialize(form.deserialize(content, "object")) == content
        except InvalidAnswerError:
            continue


def test_bytes_have_one_form_only() -> None:
    form = forms_of(Fork.CAPELLA, MINIMAL).update
    written = form.serialize(CHAIN.update(attested_in(0)))
    fixed = forms_of(Fork.ALTAIR, MINIMAL).update
    exact = fixed.serialize(CHAIN.update(attested_in(0)))
    for wrong in (exact + b"\x00", exact[:-1], b""):
        with pytest.raises(InvalidAnswerError, match=f"update has {len(wrong)} bytes; expected {len(exact)}"):
            fixed.deserialize(wrong, "update")
    with pytest.raises(InvalidAnswerError, match="expected at least"):
        form.deserialize(written[:100], "update")
    with pytest.raises(InvalidAnswerError, match="beyond the first 3"):
        Bits(3).deserialize(b"\x08", "bits")
    execution = execution_form(Fork.CAPELLA)
    header = execution.serialize(ExecutionPayloadHeader(extra_data=b"tail"))
    offset = execution.fixed.to_bytes(4, "little")
    assert header.count(offset) == 1
    gap = header[:-4].replace(offset, (execution.fixed + 1).to_bytes(4, "little")) + b"\x00tail"
    with pytest.raises(InvalidAnswerError, match="header: its fields do not follow one another without a gap"):
        execution.deserialize(gap, "header")
    backwards = (form.fixed + 4).to_bytes(4, "little") + written[4:]
    with pytest.raises(InvalidAnswerError, match="without a gap"):
        form.deserialize(backwards, "update")


Change = Callable[[dict[str, Any]], object]


def _set(*path: Any) -> Change:
    *parents, last, value = path

    def change(record: dict[str, Any]) -> None:
        place: Any = record
        for step in parents:
            place = place[step]
        place[last] = value

    return change


@dataclass
class Malformed:
    name: str
    change: Change
    reason: str


HEADER = ("bootstrap", "data", "header", "beacon")
MALFORMED = [
    Malformed(
        "extra field", _set(*HEADER, "colour", "1"), r"bootstrap.data.header.beacon: unknown fields \['colour'\]"
    ),
    Malformed(
        "no field", lambda r: r["bootstrap"]["data"]["header"].pop("execution"), r"missing fields \['execution'\]"
    ),
    Malformed("number for text", _set(*HEADER, "slot", 24), "bootstrap.data.header.beacon.slot: expected a decimal"),
    Malformed("sign", _set(*HEADER, "slot", "-1"), "expected a decimal"),
    Malformed("leading zero", _set(*HEADER, "slot", "024"), "expected a decimal"),
    Malformed("65 bits", _set(*HEADER, "slot", str(2**64)), "does not fit into 64 bits"),
    Malformed("short root", _set(*HEADER, "state_root", "0x12"), "state_root has 1 bytes; expected 32"),
    Malformed("list for object", _set("bootstrap", "data", "header", []), "bootstrap.data.header: expected an object"),
    Malformed("few keys", lambda r: r["bootstrap"]["data"]["current_sync_committee"]["pubkeys"].pop(), "a list of 32"),
    Malformed("unknown fork", _set("bootstrap", "version", "dencun"), "bootstrap.version is 'dencun'"),
    Malformed("other fork", _set("bootstrap", "version", "deneb"), "unknown fields|missing fields"),
    Malformed("fork of same form", _set("updates", 2, "version", "fulu"), "simulated has electra"),
    Malformed("more in an answer", _set("bootstrap", "host", "x"), "exactly version and data"),
    Malformed("updates no list", _set("updates", {}), "a list of at most"),
    Malformed("too many updates", _set("updates", [{}] * (MAX_UPDATES + 1)), "a list of at most"),
    Malformed("other network", _set("network", "mainnet"), "expected simulated"),
    Malformed("more in the record", _set("host", "x"), "exactly network"),
    Malformed(
        "long extra data",
        _set("finality_update", "data", "attested_header", "execution", "extra_data", "0x" + "00" * 33),
        "at most 32",
    ),
]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_a_malformed_record_is_refused_with_its_path(case: Malformed) -> None:
    record = json.loads(json.dumps(write_header_proof(proof_until(3), NETWORK)))
    case.change(record)
    with pytest.raises(InvalidAnswerError, match=case.reason):
        read_header_proof(record, NETWORK)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["0x", "0x00", "1", "fulu"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
STORED = json.dumps(write_header_proof(proof_until(1), NETWORK))


def places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), JSON)
def test_anything_in_the_place_of_any_part_is_refused_with_our_error(draw: Any, value: Any) -> None:
    record = json.loads(STORED)
    parent, key = draw.choice(places(record))
    before, parent[key] = parent[key], value
    try:
        proof = read_header_proof(record, NETWORK)
    except InvalidAnswerError:
        return
    assert value == before or isinstance(value, str) or (key, value) == ("updates", [])
    if value != before and key != "signature_slot":
        with pytest.raises(ProofError):
            prove(proof)


@given(JSON)
def test_any_json_is_refused_with_our_error(value: Any) -> None:
    with pytest.raises(InvalidAnswerError):
        read_header_proof(value, NETWORK)


def test_a_vector_of_keys_has_exactly_its_length() -> None:
    keys: Any = forms_of(Fork.CAPELLA, MINIMAL).bootstrap.fields[1][1]
    with pytest.raises(InvalidAnswerError, match="expected a list of 32"):
        keys.read_json({"pubkeys": [], "aggregate_pubkey": hexadecimal(bytes(48))}, "committee")
    assert isinstance(keys.fields[0][1], Vector)

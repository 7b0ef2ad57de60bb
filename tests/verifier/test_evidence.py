"""Ownership claims and liabilities as evidence: what is refused, what contradicts, and what that does to a verdict."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chains.http import HttpTransport
from chains.model import Tier
from tests.verifier.played import AS_OF, Inputs, played
from verifier.declaration import load_declaration
from verifier.errors import InputError
from verifier.inclusion.commitment import load_commitment
from verifier.liabilities.check import check_liabilities
from verifier.liabilities.leaves import read_leaves
from verifier.liabilities.publisher import plain
from verifier.liabilities.publisher.blocks import fold, fold_top, to_rows
from verifier.liabilities.publisher.leaf_files import write_part
from verifier.liabilities.publisher.leaf_index import LeafIndex, PartEntry, save_index
from verifier.liabilities.publisher.place import Place
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, check_ownership
from verifier.run import collect
from verifier.verdict import Verdict
from verifier.verification import verify_bundle


def edit(inputs: Inputs, **changes: Any) -> None:
    record = json.loads(inputs.declaration.read_text())
    inputs.declaration.write_text(json.dumps(record | changes))


def claims(inputs: Inputs) -> list[dict[str, str]]:
    return list(json.loads(inputs.declaration.read_text())["ownership"])


def test_a_signed_message_that_names_exchange_and_date_is_bound(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        owners = check_ownership(load_declaration(inputs.declaration))
    assert {(owner.control, owner.binding) for owner in owners.values()} == {(Control.SIGNED, Binding.NAMED)}


def test_a_signature_over_another_message_is_refused_and_its_wallet_counts_for_nothing(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        cold = inputs.exchange.wallet("ethereum cold 1").address
        edit(
            inputs,
            ownership=[
                claim | {"message": f"test.example {AS_OF}"} if claim["account"].endswith(cold) else claim
                for claim in claims(inputs)
            ],
        )
        collect(inputs.declaration, inputs.providers, tmp_path / "run", inputs.liabilities, transport=HttpTransport())
    result = verify_bundle(tmp_path / "run")
    coverage = next(finding for finding in result.findings if finding.rule == "BASIC-COVERAGE")
    assert coverage.verdict is Verdict.FAIL
    assert "its ownership claim was refused" in coverage.text


@pytest.mark.parametrize("scheme", ["eip-191", "bip-137", "no-such-scheme"])
def test_a_claim_that_cannot_be_read_is_refused_not_fatal(tmp_path: Path, scheme: str) -> None:
    with played(tmp_path / "in") as (inputs, _):
        edit(inputs, ownership=[claim | {"scheme": scheme, "signature": "zz"} for claim in claims(inputs)])
        owners = check_ownership(load_declaration(inputs.declaration))
    assert {owner.control for owner in owners.values()} == {Control.REFUSED}
    assert all(owner.reason for owner in owners.values())


def test_a_whole_leaf_list_proves_the_liabilities_and_a_bare_commitment_declares_them(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        declaration = load_declaration(inputs.declaration)
        whole = check_liabilities(declaration, inputs.liabilities)
        (inputs.liabilities / "leaves.csv").unlink()
        bare = check_liabilities(declaration, inputs.liabilities)
    assert whole is not None
    assert bare is not None
    assert (whole.tier, whole.problem, whole.accounts) == (Tier.PROVEN, "", 30)
    assert (bare.tier, bare.problem, bare.totals) == (Tier.DECLARED, "", whole.totals)


def test_a_missing_leaf_contradicts_the_commitment_and_fails_the_run(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        leaves = inputs.liabilities / "leaves.csv"
        leaves.write_text("".join(leaves.read_text().splitlines(keepends=True)[:-1]))
        collect(inputs.declaration, inputs.providers, tmp_path / "run", inputs.liabilities, transport=HttpTransport())
    result = verify_bundle(tmp_path / "run")
    assert result.verdict is Verdict.FAIL
    assert any("29 leaves, the commitment says 30" in finding.text for finding in result.findings)


def test_a_commitment_of_another_run_or_another_date_is_a_contradiction(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        edit(inputs, liabilities="0" * 64)
        other = check_liabilities(load_declaration(inputs.declaration), inputs.liabilities)
        edit(inputs, liabilities=inputs.exchange.tree.commitment.digest, as_of="2026-01-03T00:00:00Z")
        late = check_liabilities(load_declaration(inputs.declaration), inputs.liabilities)
    assert other is not None
    assert "the declaration names the commitment 000" in other.problem
    assert late is not None
    assert "as of 2026-01-02T00:00:00Z, the declaration as of 2026-01-03T00:00:00Z" in late.problem


def test_a_named_commitment_without_its_folder_is_asked_for(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        shutil.rmtree(inputs.liabilities)
        with pytest.raises(InputError, match="--liabilities"):
            check_liabilities(load_declaration(inputs.declaration), None)


def test_a_large_trees_leaf_list_proves_the_liabilities_and_travels_in_the_bundle(tmp_path: Path) -> None:
    with played(tmp_path / "in") as (inputs, _):
        commitment = load_commitment(inputs.liabilities)
        nodes = to_rows(list(read_leaves(inputs.liabilities / "leaves.csv", commitment.assets)))
        positions = np.arange(len(nodes), dtype=">u8").repeat(2).view(np.uint8).reshape(len(nodes), 16)
        leaves = Place(str(inputs.liabilities / "leaves"))
        leaves.make()
        write_part(leaves, 0, np.concatenate([positions, nodes], axis=1), 0, commitment.assets)
        levels = fold_top(plain, fold(plain, nodes, 0, commitment.depth), commitment.leaf_count)
        save_index(leaves, LeafIndex(0, (PartEntry(0, 0, len(nodes)),)), levels)
        (inputs.liabilities / "leaves.csv").unlink()
        collect(inputs.declaration, inputs.providers, tmp_path / "run", inputs.liabilities, transport=HttpTransport())
    result = verify_bundle(tmp_path / "run")
    assert result.case.liabilities is not None
    assert (result.case.liabilities.tier, result.case.liabilities.problem) == (Tier.PROVEN, "")
    part = tmp_path / "run" / "liabilities" / "leaves" / "000000.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"leaves/000000\.parquet"):
        verify_bundle(tmp_path / "run")

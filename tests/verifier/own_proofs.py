"""Trees and proofs that the tests change: whole accounts and split ones."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.verifier.test_sum_tree import AS_OF, ASSETS, RUN, SECRET
from verifier import check_proofs
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import build, prove

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def tree_of(count, run_id=RUN, owed=lambda number: (number + 1, (number + 1) * 10**18), parts=1):
    accounts = [Account(f"user-{number}", owed(number)) for number in range(count)]
    return build(accounts, ASSETS, run_id, AS_OF, SECRET, parts)


TREE = tree_of(11)
PROOF = prove(TREE, "user-3")
TEXT = PROOF.to_json()
LEAF = PROOF.leaves[0]
SPLIT_TREE = tree_of(5, parts=3)
SPLIT = prove(SPLIT_TREE, "user-3")
SPLIT_TEXT = SPLIT.to_json()
WHOLE_AND_SPLIT = pytest.mark.parametrize("proof", [PROOF, SPLIT], ids=["whole", "split"])


def codes(result):
    return [finding.code for finding in result.findings]


def save(folder, *proofs):
    paths = []
    for number, proof in enumerate(proofs):
        paths.append(folder / f"proof-{number}.json")
        paths[-1].write_bytes(proof if isinstance(proof, bytes) else proof.to_json())
    return paths


def check_bytes(tmp_path, content, **asked):
    return check_proofs(save(tmp_path, content), **asked).results[0]


def with_header(proof, **changes):
    """A proof whose header says something else, with the digest made to fit, as a forger would."""
    header = replace(proof.commitment, **changes)
    return replace(proof, commitment=header, commitment_digest=header.digest)


def with_leaf(proof, part=0, **changes):
    """A proof with one of its leaves changed."""
    leaves = list(proof.leaves)
    leaves[part] = replace(leaves[part], **changes)
    return replace(proof, leaves=tuple(leaves))

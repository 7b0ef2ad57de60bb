"""One command from books to log: the same bytes from the same inputs, each step once, nothing entered unasked."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chains.providers import Providers
from tests.verifier.played import Inputs, SimulatedSide, played
from verifier.canonical import canonical_json
from verifier.declaration import load_declaration
from verifier.demo.chain_side import secret_of
from verifier.errors import InputError
from verifier.further import Plans
from verifier.liabilities.accounts import write_accounts
from verifier.log.entry import entry_of
from verifier.log.note import load_signer, new_key
from verifier.log.policy import parse_policy
from verifier.log.proof import check_proof, parse_proof
from verifier.observed import QuestionPlan
from verifier.publish import Keys, Places, Published, Sources, publish
from verifier.verdict import Verdict
from verifier.verification import verify_bundle

PACKS = ("model-basic",)
ORIGIN = "sakura.example/log"


class Desk:
    """An exchange's desk: its books and declaration on disk, and a folder of its own for each publisher."""

    def __init__(self, folder: Path, inputs: Inputs, side: SimulatedSide) -> None:
        self.folder, self.inputs, self.side = folder, inputs, side
        self.accounts, self.secret = folder / "accounts.csv", folder / "secret"
        write_accounts(self.accounts, inputs.exchange.assets, inputs.exchange.users)
        self.secret.write_text(secret_of("run secret").hex() + "\n")
        self.declaration = folder / "declaration.json"
        declared = load_declaration(inputs.declaration).model_copy(update={"liabilities": None})
        self.declaration.write_bytes(canonical_json(declared.to_record()))

    def places(self, name: str = "one") -> Places:
        (self.folder / name).mkdir(exist_ok=True)
        return Places.beside(self.folder / name / "run", None, None)

    def publish(self, name: str = "one", leaves: bool = True, even_failing: bool = False) -> Published:
        places, pem = self.places(name), self.folder / name / "key.pem"
        if not pem.exists():
            new_key(pem)
        sources = Sources(self.declaration, str(self.accounts), "2026-01", self.secret, self.inputs.prices)
        keys = Keys(str(pem), None, load_signer(pem, ORIGIN))
        plans, voices = Plans(None, QuestionPlan()), Providers(self.inputs.providers.providers, 1)
        return publish(sources, places, keys, voices, PACKS, plans, leaves, even_failing)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with played(tmp_path / "in") as (inputs, side):
        yield Desk(tmp_path, inputs, side)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_published_run_is_verified_sealed_and_in_the_log(desk: Desk) -> None:
    done, places = desk.publish(), desk.places()
    assert (done.result.verdict, done.place) == (Verdict.PASS, 0)
    again = verify_bundle(places.bundle, PACKS)
    assert (again.case.digest, again.verdict) == (done.result.case.digest, Verdict.PASS)
    assert again.case.declaration.liabilities == done.commitment.digest
    log = load_signer(desk.folder / "one" / "key.pem", ORIGIN).key()
    policy = parse_policy(f"log {log}\nquorum none\n".encode(), "policy")
    proof = parse_proof(places.proof.read_bytes(), "proof")
    assert check_proof(proof, entry_of(places.bundle), policy, "proof").checkpoint == done.head


def test_two_publishers_with_the_same_inputs_differ_in_their_signatures_alone(desk: Desk) -> None:
    desk.publish("one")
    desk.publish("two")
    one, two = desk.places("one"), desk.places("two")
    assert files_of(one.bundle) == files_of(two.bundle)
    assert files_of(one.tree) == files_of(two.tree)
    seals = [json.loads(places.seal.read_bytes()) for places in (one, two)]
    assert seals[0]["payload"] == seals[1]["payload"]
    assert seals[0]["signatures"] != seals[1]["signatures"]
    assert base64.b64decode(seals[0]["payload"]).startswith(b'{"_type":"https://in-toto.io/Statement/v1"')
    tiles = files_of(one.log / "tile")
    assert tiles
    assert tiles == files_of(two.log / "tile")


@pytest.mark.parametrize("kept", [(), ("tree",), ("tree", "bundle"), ("tree", "bundle", "log"), ("bundle", "log")])
def test_whatever_was_lost_is_made_again_and_entered_once(desk: Desk, kept: tuple[str, ...]) -> None:
    first, places = desk.publish(), desk.places()
    before = files_of(places.bundle)
    for name in {"tree", "bundle", "log", "seal", "proof"} - set(kept):
        path: Path = getattr(places, name)
        path.rename(path.with_name(path.name + ".lost"))
    again = desk.publish()
    assert files_of(places.bundle) == before
    assert (again.head, again.place) == (first.head, 0)
    assert places.proof.read_bytes() == (places.proof.with_name(places.proof.name + ".lost")).read_bytes()


def test_a_run_that_does_not_pass_is_sealed_and_entered_only_when_that_is_wanted(desk: Desk) -> None:
    wallet = desk.inputs.exchange.wallet("ethereum cold 1")
    desk.side.send(wallet.secret, "0x" + "99" * 20, 10**15)
    done, places = desk.publish(), desk.places()
    assert (done.result.verdict, done.head, places.seal.exists(), places.log.exists()) == (
        Verdict.FAIL, None, True, False,
    )  # fmt: skip
    entered = desk.publish(even_failing=True)
    assert (entered.result.verdict, entered.place) == (Verdict.FAIL, 0)


def test_without_leaves_the_bundle_says_totals_only(desk: Desk) -> None:
    done, places = desk.publish(leaves=False), desk.places()
    assert not list(places.bundle.rglob("leaves*"))
    assert done.result.case.liabilities is not None
    assert done.result.case.liabilities.tier.label == "declared"


def test_a_tree_of_other_books_is_not_taken_for_this_one(desk: Desk) -> None:
    desk.publish()
    rows = desk.accounts.read_text().splitlines()
    desk.accounts.write_text("\n".join([*rows[:-1], rows[-1].rpartition(",")[0] + ",7"]) + "\n")
    with pytest.raises(InputError, match="other books"):
        desk.publish()


def test_a_declaration_that_names_other_liabilities_is_refused(desk: Desk) -> None:
    declared = load_declaration(desk.declaration).model_copy(update={"liabilities": "ab" * 32})
    desk.declaration.write_bytes(canonical_json(declared.to_record()))
    with pytest.raises(InputError, match="the books give"):
        desk.publish()


def test_claims_that_name_the_incomplete_declaration_are_asked_for_again(desk: Desk) -> None:
    declared = load_declaration(desk.declaration)
    claims = [one.model_copy(update={"message": declared.challenge_digest}) for one in declared.ownership[:1]]
    bound = declared.model_copy(update={"ownership": claims})
    assert bound.challenge_digest == declared.challenge_digest
    desk.declaration.write_bytes(canonical_json(bound.to_record()))
    with pytest.raises(InputError, match="por wallets challenge"):
        desk.publish()
    completed = load_declaration(desk.places().bundle.with_name("run.declaration.json"))
    assert completed.liabilities is not None


def test_a_bundle_of_another_declaration_is_not_taken_for_this_one(desk: Desk) -> None:
    desk.publish()
    declared = load_declaration(desk.declaration)
    fewer = declared.model_copy(update={"wallets": declared.wallets[:-1]})
    desk.declaration.write_bytes(canonical_json(fewer.to_record()))
    with pytest.raises(InputError, match="another declaration"):
        desk.publish()

"""A user whose balance was changed or left out can show it to anybody; who was treated well can show nothing."""

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.verifier.own_proofs import tree_of
from tests.verifier.test_sum_tree import AS_OF, ASSETS, RUN, SECRET
from verifier.cli.main import app
from verifier.dsse import sealer_of
from verifier.inclusion.dispute import DISPUTE_FORMAT
from verifier.inclusion.statement import PAYLOAD, statement_from
from verifier.liabilities.accounts import Account
from verifier.liabilities.build import LiabilitiesTree, build, prove
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.leaves import write_leaves
from verifier.log.note import new_key

ME = "user-3"
HONEST = tree_of(11)


def owing(units: dict[str, int], parts: int = 1) -> LiabilitiesTree:
    """Return the honest tree's run over other books: accounts that are not named are as they were."""
    names = [f"user-{number}" for number in range(11)]
    books = {name: HONEST.owed(name) for name in names} | {name: (owed, 0) for name, owed in units.items()}
    return build([Account(name, owed) for name, owed in books.items()], ASSETS, RUN, AS_OF, SECRET, parts)


LOWERED = owing({ME: 1})
WITHOUT = build(
    [Account(name, HONEST.owed(name)) for name in HONEST.accounts() if name != ME], ASSETS, RUN, AS_OF, SECRET
)


class Desk:
    """A user's files, and what the exchange published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        new_key(folder / "exchange.pem")
        self.signer = folder / "exchange.pem.pub"
        self.statement = self.stated("statement.json")

    def stated(self, name: str, tree: LiabilitiesTree = HONEST, account: str = ME, key: str = "exchange.pem") -> Path:
        path = self.folder / name
        content = statement_from("exchange.example", prove(tree, account)).to_json()
        path.write_bytes(sealer_of(PAYLOAD, str(self.folder / key))(content))
        return path

    def proof(self, tree: LiabilitiesTree, account: str = ME) -> Path:
        path = self.folder / f"proof-{tree.commitment.digest[:8]}-{account}.json"
        path.write_bytes(prove(tree, account).to_json())
        return path

    def published(self, tree: LiabilitiesTree) -> Path:
        folder = self.folder / f"tree-{tree.commitment.digest[:8]}"
        folder.mkdir(exist_ok=True)
        save_commitment(folder / "commitment.json", tree.commitment)
        write_leaves(folder / "leaves.csv", ASSETS, tree.levels[0])
        return folder

    def check(self, *words: object) -> Result:
        return CliRunner().invoke(app, ["check", *map(str, words), "--signer", str(self.signer)])

    def told(self, *words: object) -> dict[str, list[str]]:
        done = json.loads(self.check(*words, "--json").stdout)
        return {one["verdict"]: [finding["code"] for finding in one["findings"]] for one in done["results"][-1:]}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_exchange_that_kept_its_word_is_shown_to_have(desk: Desk) -> None:
    assert desk.told(desk.statement, desk.proof(HONEST)) == {"accepted": ["statement-kept"]}
    assert desk.told(desk.statement, "--anchor", desk.published(HONEST)) == {"accepted": ["statement-kept"]}
    more = owing({ME: 10**12})
    assert desk.told(desk.stated("before.json", LOWERED), desk.proof(more)) == {"accepted": ["statement-kept"]}


def test_a_lowered_balance_makes_a_file_that_anybody_can_check(desk: Desk) -> None:
    dispute, proof = desk.folder / "dispute.json", desk.proof(LOWERED)
    done = desk.check(desk.statement, proof, "--fraud-out", dispute)
    assert (done.exit_code, "signed 0.00000004 BTC" in done.output) == (1, True), done.output
    record = json.loads(dispute.read_bytes())
    assert (record["format"], record["kind"]) == (DISPUTE_FORMAT, "balance-changed")
    assert desk.told(dispute) == {"refused": ["balance-changed"]}
    assert desk.told(dispute, "--root", LOWERED.commitment.digest) == {"refused": ["balance-changed"]}
    assert desk.told(dispute, "--root", HONEST.commitment.digest) == {"unrecognised": ["dispute-does-not-hold"]}
    text = dispute.read_text()
    assert not [name for name in HONEST.accounts() if name != ME and f'"{name}"' in text]


def test_an_account_that_was_left_out_is_missing_from_the_leaf_list(desk: Desk) -> None:
    dispute, published = desk.folder / "dispute.json", desk.published(WITHOUT)
    done = desk.check(desk.statement, "--anchor", published, "--fraud-out", dispute)
    assert (done.exit_code, "not among the 10 leaves" in done.output) == (1, True), done.output
    assert desk.told(dispute, "--anchor", published) == {"refused": ["leaf-missing"]}
    assert desk.told(dispute) == {"unrecognised": ["dispute-does-not-hold"]}
    assert desk.told(dispute, "--anchor", desk.published(HONEST)) == {"unrecognised": ["dispute-does-not-hold"]}


def test_a_damaged_leaf_list_shows_no_omission(desk: Desk) -> None:
    published = desk.published(WITHOUT)
    rows = (published / "leaves.csv").read_text().splitlines()
    (published / "leaves.csv").write_text("\n".join(rows[:-1]) + "\n")
    done = desk.check(desk.statement, "--anchor", published)
    assert "not the committed one" in str(done.exception)


def test_a_statement_alone_shows_nothing(desk: Desk) -> None:
    assert desk.told(desk.statement) == {"unrecognised": ["nothing-to-compare"]}
    assert desk.told(desk.statement, desk.proof(LOWERED, "user-4")) == {"unrecognised": ["nothing-to-compare"]}
    done = CliRunner().invoke(app, ["check", str(desk.statement), "--json"])
    assert "no-signer" in done.stdout


def test_a_statement_that_the_exchange_did_not_sign_is_refused(desk: Desk) -> None:
    new_key(desk.folder / "stranger.pem")
    forged = desk.stated("forged.json", key="stranger.pem")
    assert desk.told(forged, desk.proof(LOWERED)) == {"refused": ["statement-unsigned"]}


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_a_changed_statement_is_never_evidence(desk: Desk, place: int) -> None:
    record = json.loads(desk.statement.read_bytes())
    content = bytearray(base64.b64decode(record["payload"]))
    content[place % len(content)] ^= 1
    record["payload"] = base64.b64encode(bytes(content)).decode()
    desk.statement.write_text(json.dumps(record))
    assert desk.told(desk.statement, desk.proof(LOWERED)) == {"refused": ["statement-unsigned"]}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"}, {"kind": None}, {"statement": {}}, {"statement": 5}, {"proof": None}, {"proof": {}},
        {"more": 1}, {"kind": "leaf-missing"},
    ],
)  # fmt: skip
def test_a_malformed_dispute_shows_nothing(desk: Desk, change: dict[str, object]) -> None:
    dispute = desk.folder / "dispute.json"
    desk.check(desk.statement, desk.proof(LOWERED), "--fraud-out", dispute)
    dispute.write_text(json.dumps(json.loads(dispute.read_bytes()) | change))
    assert desk.told(dispute) == {"unrecognised": ["dispute-does-not-hold"]}


def test_a_dispute_over_an_honest_proof_shows_nothing(desk: Desk) -> None:
    dispute = desk.folder / "dispute.json"
    desk.check(desk.statement, desk.proof(LOWERED), "--fraud-out", dispute)
    for proof in (desk.proof(HONEST), desk.proof(LOWERED, "user-4")):
        changed = json.loads(dispute.read_bytes()) | {"proof": json.loads(proof.read_bytes())}
        dispute.write_text(json.dumps(changed))
        assert desk.told(dispute) == {"unrecognised": ["dispute-does-not-hold"]}


def test_statements_of_a_whole_tree_are_written_from_the_command_line(desk: Desk) -> None:
    accounts, assets = desk.folder / "accounts.csv", desk.folder / "assets.json"
    accounts.write_text("account,BTC,ETH\nalice,1.5,2\nbob,0,3\n")
    assets.write_text(json.dumps([asset._asdict() for asset in ASSETS]))
    run = ["--run-id", RUN, "--as-of", AS_OF, "--out", str(desk.folder / "t")]
    built = CliRunner().invoke(app, ["tree", "build", "--accounts", str(accounts), "--assets", str(assets), *run])
    assert built.exit_code == 0, built.output
    key = ["--exchange", "exchange.example", "--key", str(desk.folder / "exchange.pem")]
    stated = CliRunner().invoke(app, ["tree", "state", str(desk.folder / "t"), *key, "--out", str(desk.folder / "s")])
    assert stated.exit_code == 0, stated.output
    assert desk.told(desk.folder / "s" / "alice.json", "--anchor", desk.folder / "t") == {
        "accepted": ["statement-kept"]
    }

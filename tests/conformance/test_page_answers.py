"""The page in a browser gives the answers of `por check --json`, on every case and on damaged files."""

import json
import random
from datetime import timedelta

import pytest

from tests.builders.accounts import built, hand_over
from tests.builders.lists import BUILDERS, LISTS
from tests.builders.own import own_cases
from tests.conformance.browser import NOW, essence
from tests.conformance.test_cases import FOLDERS
from tests.verifier.inclusion_vectors import vector
from tests.verifier.test_formats import FORGED, PATHS
from tests.verifier.test_hostile_proofs import NO_NUMBERS, okx_with_amount
from tests.verifier.test_pool import UNDERSTATED, every_change, users_of
from verifier import check_proofs
from verifier.inclusion.compact import to_compact
from verifier.inclusion.fraud import fraud_records
from verifier.inclusion.proof import parse_proof
from verifier.inclusion.recipe import recipes
from verifier.web.page import formats_of_page, unsupported

pytestmark = pytest.mark.xdist_group("browser")

ALONE = sorted(name for name in BUILDERS if list(built(name, 5, 4).files) == ["p.json"])


def both(users_page, paths, **asked):
    page = users_page.ask(paths, asked.get("root"), asked.get("expected"), asked.get("facts"), asked.get("only_format"))
    return essence(page), essence(check_proofs(paths, now=NOW, **asked).to_record())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_case_gets_the_same_answer_from_the_page(users_page, folder):
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    paths = [folder / name for name in expected["files"]]
    asked = {"facts": expected["facts"], "expected": expected["expect"]}
    page, command = both(users_page, paths, root=expected["root"], **asked)
    assert page == command
    assert page["results"][0]["verdict"] == expected["verdict"]
    page, command = both(users_page, paths, root="ab" * 32)
    assert page == command


def test_the_page_reads_every_format_that_the_command_reads():
    assert unsupported() == []
    assert set(formats_of_page()) == {*recipes(), "reserve-verifier/inclusion-proof/1"}


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Change one digit of a JSON text, inside a value that hashes or amounts are made of."""
    places = [place for place, letter in enumerate(content) if letter in b"0123456789abcdef"]
    place = rng.choice(places)
    other = rng.choice([letter for letter in b"0123456789" if letter != content[place]])
    return content[:place] + bytes([other]) + content[place + 1 :]


@pytest.mark.parametrize("name", [*ALONE, *own_cases()])
def test_a_digit_that_was_changed_has_the_same_consequence(users_page, name, tmp_path):
    case = built(name, 5, 1) if name in BUILDERS else own_cases()[name]
    content, rng, paths = next(iter(case.files.values())), random.Random(name), []
    for number in range(16):
        paths.append(tmp_path / f"{number:02}.json")
        paths[-1].write_bytes(flipped(content, rng))
    page, command = both(users_page, paths)
    assert page == command
    assert page["verdict"] == "refused"


ODD_VALUES = (
    None,
    True,
    0,
    -1,
    10**30,
    1.50,
    [],
    {},
    "",
    "0",
    "-1",
    "01",
    "1e5",
    "٣",
    "\u202e",
    "AB" * 32,
    "left",
    {"BTC": "1"},
)


def places(value, path=()):
    if path:
        yield path
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(entry, (*path, key))


def rearranged(value, rng: random.Random):
    """Delete, repeat or replace one entry anywhere in a JSON value."""
    value = json.loads(json.dumps(value))
    path = rng.choice(list(places(value)))
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    match rng.randrange(4):
        case 0:
            del parent[path[-1]]
        case 1 if isinstance(parent, list):
            parent.insert(path[-1], parent[path[-1]])
        case 1:
            parent["__proto__"] = parent[path[-1]]
        case _:
            parent[path[-1]] = rng.choice(ODD_VALUES)
    return value


@pytest.mark.parametrize("name", [*ALONE, *own_cases()])
def test_a_file_that_was_rearranged_has_the_same_consequence(users_page, name, tmp_path):
    case = built(name, 5, 1) if name in BUILDERS else own_cases()[name]
    value, rng, paths = json.loads(next(iter(case.files.values()))), random.Random(f"{name} rearranged"), []
    for number in range(40):
        paths.append(tmp_path / f"{number:02}.json")
        paths[-1].write_text(json.dumps(rearranged(value, rng)), "utf-8")
    page, command = both(users_page, paths)
    assert page == command


TREES = sorted({*LISTS} - {"cakedefi"})


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Change a letter of a list, or leave off, repeat or exchange lines."""
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[one]
        case 1:
            lines.insert(one, lines[other])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case _:
            return flipped(content, rng)
    return b"\n".join(lines)


@pytest.mark.parametrize("name", TREES)
def test_a_published_list_that_was_damaged_has_the_same_consequence(users_page, name, tmp_path):
    case, rng = built(name, 6, 2), random.Random(f"{name} damaged")
    (main, content), *others = case.files.items()
    paths = []
    for file, companion in others:
        paths.append(tmp_path / file)
        paths[-1].write_bytes(companion)
    for number in range(24):
        paths.append(tmp_path / f"{number:02}-{main}")
        paths[-1].write_bytes(damaged(content, rng))
    page, command = both(users_page, paths, facts=case.facts)
    assert page == command
    assert "refused" in [result["verdict"] for result in page["results"]]


def test_an_amount_in_an_odd_spelling_has_the_same_consequence(users_page, tmp_path):
    paths = []
    for number, amount in enumerate((*NO_NUMBERS, "0", "-0", "-0.0", "1E2", "0.10", "1e-7", '"-0.00"', '"0.00"')):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_bytes(okx_with_amount(amount))
    page, command = both(users_page, paths)
    assert page == command


@pytest.mark.parametrize("name", UNDERSTATED)
def test_users_who_were_shown_two_sums_find_out_on_the_page(users_page, name):
    page, command = both(users_page, users_of(name))
    assert page == command
    assert page["pool"][0] == "fraud"


def asked_of_changes(users_page, record, tmp_path):
    """Ask about a fraud proof with each of its values changed; return the verdicts."""
    paths = []
    for number, (_, changed) in enumerate(every_change(record)):
        paths.append(tmp_path / f"{number:03}.json")
        paths[-1].write_text(json.dumps(changed), "utf-8")
    page, command = both(users_page, paths)
    assert page == command
    return [result["verdict"] for result in page["results"]]


@pytest.mark.parametrize("name", UNDERSTATED)
def test_a_fraud_proof_is_rebuilt_by_the_page(users_page, name, tmp_path):
    users = users_of(name)
    record = fraud_records(check_proofs([users[0], users[3]]).pool.fraud)[0]
    path = tmp_path / "fraud.json"
    path.write_text(json.dumps(record), "utf-8")
    page, command = both(users_page, [path])
    assert page == command
    assert (page["verdict"], page["pool"][0]) == ("refused", "fraud")
    assert users_page.headlines[-1].startswith("This fraud proof holds")
    assert "unrecognised" in asked_of_changes(users_page, record, tmp_path)


@pytest.mark.parametrize("name", ["okx-v1", "bybit", "bitbase", "silver-sixpence", "mexc"])
def test_other_kinds_of_fraud_proofs_are_rebuilt_by_the_page(users_page, name, tmp_path):
    paths = []
    for number, seed in enumerate((1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths += hand_over(folder, built(name, 4, 0, seed))
    records = fraud_records(check_proofs(paths).pool.fraud)
    assert records
    for record in records:
        asked_of_changes(users_page, record, tmp_path)
        path = tmp_path / "fraud.json"
        path.write_text(json.dumps(record), "utf-8")
        page, command = both(users_page, [path])
        assert page == command
        assert page["verdict"] == "refused"


@pytest.mark.parametrize("name", [*PATHS, *(f"forged/{name}" for name in FORGED)])
def test_a_real_or_forged_proof_of_an_exchange_gets_the_same_answer(users_page, name):
    page, command = both(users_page, [vector(name)])
    assert page == command


@pytest.mark.parametrize("name", ["okx-v1", "bybit", "mexc", "flipster", "swissborg", "okx-v2", "weex"])
def test_every_account_of_a_tree_is_found_by_the_page(users_page, name, tmp_path):
    for user in range(3):
        paths = []
        for file, content in built(name, 3, user).files.items():
            paths.append(tmp_path / file)
            paths[-1].write_bytes(content)
        page, command = both(users_page, paths)
        assert page == command
        assert page["results"][0]["verdict"] == "accepted"


def test_an_old_tree_is_not_fresh_on_the_page(users_page):
    folder = next(folder for folder in FOLDERS if folder.name == "own-whole")
    users_page.page.clock.set_fixed_time(NOW + timedelta(days=60))
    page = users_page.ask([folder / "proof.json"])["results"][0]
    users_page.page.clock.set_fixed_time(NOW)
    assert not page["grade"]["fresh"]
    assert [finding["code"] for finding in page["findings"]] == ["stale"]


def test_what_the_user_expects_is_compared(users_page):
    folder = next(folder for folder in FOLDERS if folder.name == "own-whole")
    for expected in ({"BTC": "0.4"}, {"BTC": "0.40", "ETH": "1"}, {"BTC": "0.5"}, {"XRP": "1"}, {"XRP": "0"}):
        page, command = both(users_page, [folder / "proof.json"], expected=expected)
        assert page == command
    assert users_page.ask([folder / "proof.json"], expected={"BTC": "0.5"})["verdict"] == "refused"
    assert users_page.headlines == ["Refused: the exchange counted another amount"]


def test_proofs_that_contradict_each_other_are_found_by_the_page(users_page, tmp_path):
    folders = {folder.name: folder for folder in FOLDERS}
    # In one folder: the command sorts contradictions by path, the page knows names only.
    paths = [tmp_path / "proof.json", tmp_path / "other.json", tmp_path / "other-2.json"]
    paths[0].write_bytes((folders["own-whole"] / "proof.json").read_bytes())
    paths[1].write_bytes((folders["own-split"] / "proof.json").read_bytes())
    paths[2].write_bytes((folders["okx-v1"] / "p.json").read_bytes())
    page, command = both(users_page, paths)
    assert page == command
    assert page["pool"][0] == "fraud"


def test_proofs_of_one_tree_are_consistent_for_the_page(users_page, tmp_path):
    paths = []
    for user in range(3):
        paths.append(tmp_path / f"{user}.json")
        paths[-1].write_bytes(built("bitget-v102", 4, user).files["p.json"])
    page, command = both(users_page, paths)
    assert page == command
    assert page["pool"] == ["consistent", []]


def test_a_compact_proof_is_read_by_the_page(users_page, tmp_path):
    proof = parse_proof(own_cases()["own-split"].files["proof.json"], "proof")
    text = to_compact(proof)
    path = tmp_path / "proof.txt"
    for content in (text, text + "\n", text[:-2], text[:40] + "A" + text[41:], "POR1:", "POR1:é", text + text[5:]):
        path.write_text(content, "utf-8")
        page, command = both(users_page, [path])
        assert page == command, content[:60]


@pytest.mark.parametrize("only", ["okx-v1", "bybit", "reserve-verifier/inclusion-proof/1"])
def test_a_format_that_the_user_names_is_the_only_one(users_page, only):
    folder = next(folder for folder in FOLDERS if folder.name == "okx-v1")
    page, command = both(users_page, [folder / "p.json"], only_format=only)
    assert page == command


def test_a_large_nested_tree_is_read_by_who_names_its_format(users_page, tmp_path):
    path = tmp_path / "tree.json"
    content = built("cakedefi", 5, 4).files["tree.json"]
    path.write_bytes(content + b" " * (5 * 1024 * 1024))
    for only, verdict in (("cakedefi", "accepted"), (None, "unrecognised")):
        page, command = both(users_page, [path], only_format=only)
        assert page == command
        assert page["verdict"] == verdict

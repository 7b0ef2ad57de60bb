"""Claims of control: what they are bound to, how old they are, and the wallets for which there is none."""

import pytest
from coincurve import PrivateKey

from chains.errors import IdentifierError
from chains.evm.keccak import keccak256
from chains.ids import AccountId, AssetId
from chains.signatures import verify
from tests.verifier.cases import AS_OF, CHAIN, ETH, case, position
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet
from verifier.ownership.binding import Binding, age_days, bind, terms_of
from verifier.ownership.challenge import challenge_text, challenges, scheme_for
from verifier.ownership.claims import Control, Ownership, check_claim, check_ownership, control_of, reused_claims
from verifier.ownership.signing import make_claim
from verifier.policy.evaluate import evaluate
from verifier.policy.finding import Finding
from verifier.policy.library import load_pack
from verifier.verdict import Verdict

BITCOIN = "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
SECRET, OTHER = b"\x01" * 32, b"\x02" * 32
DAY = AS_OF[:10]


def account_of(secret: bytes) -> AccountId:
    key = PrivateKey(secret).public_key.format(compressed=False)
    return AccountId(f"{CHAIN}:0x{keccak256(key[1:])[12:].hex()}")


ACCOUNT = account_of(SECRET)


def declaration(*claims: OwnershipClaim, name: str = "Test Exchange") -> Declaration:
    return Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name=name, id="test.example"),
        as_of=AS_OF,
        assets=[DeclaredAsset(asset=ETH, symbol="ETH", decimals=18)],
        wallets=[Wallet(account=ACCOUNT, assets=[ETH], pool=Pool.CLIENT_COLD)],
        ownership=list(claims),
    )


def claim(message: str, secret: bytes = SECRET, account: AccountId = ACCOUNT) -> OwnershipClaim:
    made = make_claim(account_of(secret), "eip-191", message, secret)
    return made.model_copy(update={"account": account})


def test_a_challenge_names_the_declaration_and_still_fits_it_once_it_is_signed() -> None:
    unsigned = declaration()
    text = challenge_text(unsigned, ACCOUNT)
    signed = declaration(claim(text))
    assert signed.digest != unsigned.digest
    assert signed.challenge_digest == unsigned.challenge_digest
    found = check_ownership(signed)[ACCOUNT]
    assert (found.control, found.binding, found.age_days) == (Control.SIGNED, Binding.ATTESTATION, 0)


def test_a_challenge_of_another_declaration_is_bound_to_exchange_and_date_only() -> None:
    other = declaration(name="Another Exchange")
    assert bind(terms_of(declaration()), challenge_text(other, ACCOUNT)) is Binding.NAMED


TERMS = terms_of(declaration())


@pytest.mark.parametrize(
    ("message", "binding", "age"),
    [
        (f"test.example controls this wallet as of {AS_OF}", Binding.NAMED, 0),
        ("test.example controls this wallet as of 2026-10-22", Binding.NONE, 31),
        (f"somebody controls this wallet as of {AS_OF}", Binding.NONE, 0),
        ("I am an exchange address", Binding.NONE, None),
    ],
)
def test_a_message_is_bound_by_what_it_names(message: str, binding: Binding, age: int | None) -> None:
    assert (bind(TERMS, message), age_days(TERMS, message)) == (binding, age)


def test_the_best_claim_of_an_account_counts() -> None:
    static = claim("I am an exchange address")
    fresh = claim(challenge_text(declaration(), ACCOUNT))
    forged = claim("anything", OTHER)
    for claims in ((static, fresh, forged), (forged, fresh, static), (fresh, static, forged)):
        assert check_ownership(declaration(*claims))[ACCOUNT].binding is Binding.ATTESTATION
    assert check_ownership(declaration(forged))[ACCOUNT].control is Control.REFUSED


def test_a_signature_that_was_used_before_is_named() -> None:
    static, fresh = claim("I am an exchange address"), claim(challenge_text(declaration(), ACCOUNT))
    before = declaration(static)
    assert reused_claims(declaration(static, fresh), before) == (ACCOUNT,)
    assert reused_claims(declaration(fresh), before) == ()


def test_material_that_a_scheme_does_not_take_is_refused_with_its_name() -> None:
    given = claim("x").model_copy(update={"script": "51"})
    found = check_claim(terms_of(declaration()), given)
    assert (found.control, "takes no script" in found.reason) == (Control.REFUSED, True)
    with pytest.raises(IdentifierError, match="takes no colour"):
        verify("eip-191", ACCOUNT, "x", "0x00", colour="red")


def test_third_party_custody_without_a_key_proof_is_a_state_of_its_own() -> None:
    assert control_of(None, Pool.CLIENT_THIRD_PARTY) is Control.THIRD_PARTY
    assert control_of(None, Pool.CLIENT_COLD) is Control.UNCLAIMED
    judged = evaluate(case(position(Pool.CLIENT_THIRD_PARTY, 100, control=None), owed={ETH: 100}), MODEL)
    coverage = next(one for one in judged.findings if (one.rule, one.subject) == ("BASIC-COVERAGE", ETH))
    assert coverage.verdict is Verdict.INDETERMINATE
    assert "a third party holds it, and no key was shown" in coverage.text


MODEL = load_pack("model-basic")


def control_finding(*claims: Ownership | None) -> Finding:
    positions = [
        position(Pool.CLIENT_COLD, 1, number=number)._replace(ownership=one) for number, one in enumerate(claims, 1)
    ]
    findings = evaluate(case(*positions, owed={AssetId(ETH): 0}), MODEL).findings
    return next(finding for finding in findings if finding.rule == "BASIC-CONTROL")


def owned(**changes: object) -> Ownership:
    return Ownership(ACCOUNT, Control.SIGNED, "eip-191", Binding.NAMED, "signed", 0)._replace(**changes)  # type: ignore[arg-type]


def test_fresh_claims_that_name_the_exchange_pass() -> None:
    found = control_finding(owned(), owned(age_days=31), owned(binding=Binding.ATTESTATION))
    assert (found.verdict, found.measured) == (Verdict.PASS, "3 of 3 wallets")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"age_days": 32}, "older than 31 days"),
        ({"binding": Binding.NONE}, "names too little"),
        ({"control": Control.REFUSED}, "is refused"),
    ],
)
def test_an_old_an_unbound_and_a_refused_claim_fail(changes: dict[str, object], said: str) -> None:
    found = control_finding(owned(), owned(**changes))
    assert found.verdict is Verdict.FAIL
    assert said in found.text


def test_a_missing_claim_and_one_without_a_date_leave_it_open() -> None:
    assert control_finding(owned(), None).verdict is Verdict.INDETERMINATE
    assert control_finding(owned(age_days=None)).verdict is Verdict.INDETERMINATE


def test_every_wallet_gets_a_text_of_its_own_and_a_scheme() -> None:
    accounts = [(ACCOUNT, Pool.CLIENT_COLD, "a"), (account_of(OTHER), Pool.CLIENT_HOT, "b")]
    found = challenges(declaration(), accounts)
    assert len({one.message for one in found}) == 2
    assert all(one.account in one.message and one.scheme == "eip-191" for one in found)
    assert scheme_for(AccountId(BITCOIN)) == "bip-322"
    assert scheme_for(AccountId("cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0")) == ""


def test_many_claims_are_checked_by_several_processes_to_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, forged = claim(challenge_text(declaration(), ACCOUNT)), claim("anything", OTHER)
    stated = declaration(*[forged] * 1_200, fresh)
    alone = check_ownership(stated)
    monkeypatch.setattr("verifier.ownership.claims.MANY", 100)
    told: list[int] = []
    assert check_ownership(stated, progress=told.append) == alone
    assert told == [500, 1_000]
    assert alone[ACCOUNT].binding is Binding.ATTESTATION


def test_a_claim_cannot_bring_the_state_root_it_is_judged_by() -> None:
    material = {"proof": "{}", "state_root": "0x" + "11" * 32}
    stated = OwnershipClaim(account=ACCOUNT, scheme="safe", message="x", signature="0x", material=material)
    found = check_claim(TERMS, stated)
    assert (found.control, found.reason) == (Control.REFUSED, "proof-missing")

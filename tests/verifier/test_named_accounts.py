"""A declaration names accounts of all families whose signatures are checked, however spelled; claims meet them."""

import pytest

from chains.addresses import canonical_account
from chains.ids import AccountId, chain_of
from tests.builders import wallet_messages as make
from tests.chains.test_wallet_schemes import CLAIMS
from tests.verifier.cases import AS_OF
from verifier.declaration import Declaration, DeclaredAsset, Exchange, OwnershipClaim, Pool, Wallet
from verifier.ownership.claims import Control, check_ownership

BOUND = [claim for claim in make.claims() if claim.reason == "signed" and claim.scheme != "decred-message"]
NAMED = [*BOUND, *(make.Claim(one.scheme, one.account, make.TEXT, one.signature, one.material) for one in CLAIMS)]


def declaration(claim: make.Claim, wallet: str) -> Declaration:
    asset = f"{chain_of(AccountId(wallet))}/slip44:1"
    public_key = claim.material.get("public_key")
    material = {name: value for name, value in claim.material.items() if name != "public_key"}
    return Declaration(
        format="reserve-verifier/declaration/1",
        exchange=Exchange(name="Example", id="example.exchange"),
        as_of=AS_OF,
        assets=[DeclaredAsset(asset=asset, symbol="COIN", decimals=8)],
        wallets=[Wallet(account=wallet, assets=[asset], pool=Pool.CLIENT_COLD)],
        ownership=[
            OwnershipClaim(
                account=claim.account,
                scheme=claim.scheme,
                message=claim.message,
                signature=claim.signature,
                public_key=public_key,
                material=material or None,
            )
        ],
    )


def control(claim: make.Claim, wallet: str) -> Control | None:
    """Return what the claim shows of the wallet, both found by the wallet's one spelling."""
    found = check_ownership(declaration(claim, wallet)).get(canonical_account(AccountId(wallet)))
    return found.control if found else None


@pytest.mark.parametrize("claim", NAMED, ids=lambda claim: f"{claim.scheme} {claim.account[:24]}")
def test_a_claim_for_a_declared_account_is_checked_end_to_end(claim: make.Claim) -> None:
    assert control(claim, claim.account) is Control.SIGNED
    forged = claim._replace(message=f"{claim.message[:20]} not this")
    assert control(forged, claim.account) is Control.REFUSED


def test_a_claim_meets_the_wallet_in_another_spelling() -> None:
    conflux, aptos = make.conflux(), make.aptos("address")
    typed = conflux.account.replace("cfx%3A", "cfx%3Atype.user%3A")
    assert control(conflux._replace(account=typed), conflux.account) is Control.SIGNED
    chain, address = aptos.account.rpartition(":")[::2]
    assert control(aptos, f"{chain}:0x{address[2:].upper()}") is Control.SIGNED
    bare, whole = make.aelf(whole=False), make.aelf(whole=True)
    assert control(whole, bare.account) is control(bare, whole.account) is Control.SIGNED


def test_a_name_that_only_the_chain_ties_to_a_key_stays_refused() -> None:
    claim = make.eos("eos")
    found = check_ownership(declaration(claim, claim.account))[AccountId(claim.account)]
    assert (found.control, found.reason) == (Control.REFUSED, "unbound")

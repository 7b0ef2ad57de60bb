"""What exactly is to be signed, wallet by wallet: a text that fits this declaration and no other."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chains.ids import AccountId, address_of, chain_of, family_of
from chains.network import network_of
from chains.signatures.safe import safe_message_typed_data
from chains.signatures.signing import signing_psbt
from verifier.declaration import Declaration, Pool

FORMAT = "reserve-verifier/challenge/1"
TITLE = "Proof of control over a reserve wallet"
# The scheme to sign with where a family has one of its own; others are signed as the family's page says.
SCHEMES = {"eip155": "eip-191", "bip122": "bip-322", "tron": "tron-v2", "solana": "ed25519", "stellar": "sep-53"}
OLDER_BITCOIN = "bitcoin-message"
BITCOIN_PREFIXES = ("bc", "tb", "bcrt")  # relatives of Bitcoin sign the older way: their wallets know no other


class Challenge(NamedTuple):
    """One wallet's text: sign exactly these bytes (UTF-8, no line end at the end)."""

    account: AccountId
    pool: Pool
    label: str
    scheme: str
    message: str


def challenge_text(declaration: Declaration, account: AccountId) -> str:
    """Return the text to sign for one account; five lines, the last of which names the account."""
    return "\n".join(
        (
            TITLE,
            f"Exchange: {declaration.exchange.id}",
            f"As of: {declaration.as_of}",
            f"Declaration: {declaration.challenge_digest}",
            f"Account: {account}",
        )
    )


def challenges(declaration: Declaration, accounts: Sequence[tuple[AccountId, Pool, str]]) -> list[Challenge]:
    """Return one challenge per account, in order; `accounts` come with pool and label."""
    return [
        Challenge(account, pool, label, scheme_for(account), challenge_text(declaration, account))
        for account, pool, label in accounts
    ]


def scheme_for(account: AccountId) -> str:
    """Name the scheme an account of this family is best signed with; empty when there is no standard one."""
    family = family_of(chain_of(account))
    if family != "bip122":
        return SCHEMES.get(family, "")
    facts = network_of(chain_of(account)).bitcoin
    own = facts is not None and facts.bech32_hrp in BITCOIN_PREFIXES
    return SCHEMES[family] if own else OLDER_BITCOIN


def challenge_record(declaration: Declaration, found: Iterable[Challenge]) -> dict[str, Any]:
    """Return a batch of challenges as JSON values: what a signer reads."""
    return {
        "format": FORMAT,
        "exchange": declaration.exchange.id,
        "as_of": declaration.as_of,
        "declaration": declaration.challenge_digest,
        "challenges": [
            {**challenge._asdict(), "pool": str(challenge.pool), **_for_signers(challenge)} for challenge in found
        ],
    }


def _for_signers(challenge: Challenge) -> dict[str, Any]:
    """Return the challenge in the forms that signers of several keys take: a PSBT, or a Safe's typed data."""
    if challenge.scheme == SCHEMES["bip122"]:
        return {"psbt": signing_psbt(challenge.account, challenge.message)}
    if family_of(chain_of(challenge.account)) == "eip155":
        number = int(chain_of(challenge.account).partition(":")[2])
        return {"if_safe": safe_message_typed_data(number, address_of(challenge.account), challenge.message)}
    return {}

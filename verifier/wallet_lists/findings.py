"""What stands out in one list, in sentences that need no other knowledge."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from verifier.dates import date_in_text
from verifier.wallet_lists.dates import ListDate
from verifier.wallet_lists.judge import Status
from verifier.wallet_lists.record import Role
from verifier.wallet_lists.survey import Survey, share_of
from verifier.wallet_lists.totals import Match, TotalCheck, plain

SHOWN = 6
REASONS = {
    "signer-differs": "another key signed, or another message",
    "script-differs": "the script is not the one the address stands for",
    "script-missing": "the address stands for a script, and the script is not given",
    "too-few-signers": "fewer different keys signed than the script asks for; the same signature twice is one",
    "malformed-signature": "the signature is damaged",
    "malformed-address": "the address is none of this network",
    "wrong-network": "the address is one of another network",
    "high-s": "the signature was turned into its twin, which anyone can do",
    "not-signed": "the key did not sign this message",
    "owner-without-signature": "an owner is named, and no signature of theirs is given",
    "public-key-differs": "the key that signed is not the public key the list gives",
    "weak-key": "the public key is one under which every message counts as signed",
    "founder-key-missing": "the script lacks a key of the founders",
    "claim-differs": "the script asks for other numbers of keys than the file claims",
}


class Finding(NamedTuple):
    """A code for programs and a sentence for people."""

    code: str
    text: str

    def to_record(self) -> dict[str, str]:
        """Return what `--json` prints."""
        return {"code": self.code, "text": self.text}


def find(survey: Survey, totals: tuple[TotalCheck, ...], day: ListDate | None) -> Iterator[Finding]:
    """Yield what stands out, the gravest first."""
    yield from _refused(survey)
    yield from _totals(totals)
    yield from _not_bound(survey)
    yield from _unsigned(survey)
    yield from _messages(survey, day)
    yield from _rows(survey)
    yield from _unknown(survey)


def _refused(survey: Survey) -> Iterator[Finding]:
    for (status, reason), tally in sorted(survey.reasons.items()):
        if status is Status.REFUSED:
            why = REASONS.get(reason, reason.replace("-", " "))
            yield Finding("refused", f"{tally.count:,} refused ({reason}): {why} ({tally.place}).")
    if survey.negative.count:
        yield Finding("negative-amount", f"{survey.negative.count:,} amounts are negative ({survey.negative.place}).")


def _totals(totals: tuple[TotalCheck, ...]) -> Iterator[Finding]:
    for check in totals:
        label, declared = _printable(check.total.label), plain(check.total.amount)
        if check.match is Match.DIFFERS:
            text = f"{label}: {declared} declared, its rows hold {plain(check.sum)}: {_gap(check)}."
            yield Finding("total-differs", text)
        elif check.match is Match.ROUNDING:
            text = f"{label}: {declared} declared, its rows hold {plain(check.sum)}; rounding each row explains that."
            yield Finding("total-rounding", text)
    lonely = [_printable(check.total.label) for check in totals if check.match is Match.NO_ROWS]
    if lonely:
        yield Finding("total-without-rows", f"Declared without any row that could hold it: {_some(lonely)}.")
    if not totals:
        yield Finding("no-totals", "The list declares no totals, so its sums cannot be compared with anything.")


def _gap(check: TotalCheck) -> str:
    difference = check.difference
    return f"{plain(abs(difference))} {'more' if difference > 0 else 'less'} than there is"


def _not_bound(survey: Survey) -> Iterator[Finding]:
    owned = survey.reasons.get((Status.UNBOUND, "owner-self-asserted"))
    if owned:
        text = (
            f"{owned.count:,} wallets are signed for by other keys; only the list says that these control the wallet: "
            f"anyone could write that ({owned.place})."
        )
        yield Finding("owner-self-asserted", text)
    loose = survey.reasons.get((Status.UNBOUND, "unbound"))
    if loose:
        text = (
            f"{loose.count:,} rows carry a signature by a key from which the address does not follow: "
            f"a key signed, not provably the wallet's ({loose.place})."
        )
        yield Finding("key-not-bound", text)
    if survey.by_position.count:
        text = (
            f"{survey.by_position.count:,} wallets without signature are followed by keys said to own them; "
            f"nothing but their place in the list ties them together ({survey.by_position.place})."
        )
        yield Finding("owner-by-position", text)


def _unsigned(survey: Survey) -> Iterator[Finding]:
    unsigned, rows = survey.statuses[Status.UNSIGNED], survey.rows
    if rows and unsigned == rows:
        yield Finding("no-signatures", "Nobody signed anything: the list only says whose the wallets are.")
    elif unsigned:
        yield Finding("unsigned-rows", f"{unsigned:,} of {rows:,} rows ({_percent(unsigned, rows)}) are not signed.")
    for asset, shares in survey.amounts.items():
        total = share_of(shares, *shares)
        bare = share_of(shares, Status.UNSIGNED.value, "custodial")
        if bare > 0 and total > 0 and unsigned != rows:
            text = f"{asset}: {plain(bare)} of {plain(total)} ({_percent(bare, total)}) has no signature."
            yield Finding("unsigned-amount", text)
    if survey.roles[Role.CUSTODIAL]:
        text = f"{survey.roles[Role.CUSTODIAL]:,} addresses are held by third parties, without any proof of a key."
        yield Finding("custodial", text)
    if survey.roles[Role.UNSPENDABLE]:
        yield Finding("unspendable", f"{survey.roles[Role.UNSPENDABLE]:,} addresses are marked as unspendable.")


def _messages(survey: Survey, day: ListDate | None) -> Iterator[Finding]:
    messages = survey.messages
    signed = messages.total()
    if not signed:
        return
    shown = _some([f"“{_printable(text)}”" for text, _ in messages.most_common(3)])
    if signed > 1 and len(messages) * 2 <= signed:
        text = f"{signed:,} signed rows share {len(messages):,} message{_s(len(messages))}: {shown}."
        yield Finding("static-message", text)
    undated = sum(count for text, count in messages.items() if date_in_text(text) is None)
    if undated:
        text = (
            f"{undated:,} of {signed:,} signed messages state no date: they show that a key existed once, "
            "not that the exchange holds it today."
        )
        yield Finding("undated-message", text)
    dated = [found for found in map(date_in_text, messages) if found]
    if dated and day:
        age = (day.day - min(dated)).days
        text = f"The oldest dated message is of {min(dated)}, {age:,} days before the list ({day.day}, {day.source})."
        yield Finding("message-age", text)


def _rows(survey: Survey) -> Iterator[Finding]:
    if survey.duplicates.count:
        text = (
            f"{survey.duplicates.count:,} rows repeat an address for the same asset, "
            f"so that its coins are counted again ({survey.duplicates.place})."
        )
        yield Finding("duplicate-row", text)
    if survey.two_roles.count:
        text = f"{survey.two_roles.count:,} addresses stand in more than one role ({survey.two_roles.place})."
        yield Finding("two-roles", text)
    if survey.two_networks.count:
        text = f"{survey.two_networks.count:,} rows list an address again on another network."
        yield Finding("several-networks", text)
    lenient = survey.reasons.get((Status.VERIFIED, "lenient-header"))
    if lenient:
        text = f"{lenient.count:,} signatures of SegWit addresses carry the header of an older kind ({lenient.place})."
        yield Finding("lenient-header", text)


def _unknown(survey: Survey) -> Iterator[Finding]:
    for (status, reason), tally in sorted(survey.reasons.items()):
        if status is Status.UNCHECKED and reason != "unknown-network":
            yield Finding("unchecked", f"{tally.count:,} signatures cannot be checked here: {reason} ({tally.place}).")
    for how, words in (("unknown", "on networks not known here"), ("guessed", "read by the form of their address")):
        found = {_printable(name): tally.count for (kind, name), tally in survey.networks.items() if kind == how}
        if found:
            names = _some([f"{name} ({count:,})" for name, count in sorted(found.items())])
            yield Finding(f"network-{how}", f"{sum(found.values()):,} rows are {words}: {names}.")


def _percent(part: Decimal | int, whole: Decimal | int) -> str:
    """Return a share in whole percent, never 0 % for something or 100 % for less than all."""
    share = Fraction(part) / Fraction(whole) * 100
    if 0 < share < 1:
        return "under 1 %"
    return f"{int(share) if share < 100 else 100} %"


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN:,} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _printable(text: str) -> str:
    """Return foreign text that can neither move the cursor nor reverse the line."""
    shown = text if text.isprintable() else ascii(text)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"

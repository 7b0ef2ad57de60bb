"""Wallets that clients rely on are shown to be controlled: by a signature that names this exchange, and lately."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from verifier.case import Case, Position
from verifier.declaration import CLIENT_POOLS, Pool
from verifier.ownership.binding import Binding
from verifier.ownership.claims import Control, control_of
from verifier.policy.finding import Finding, Reason
from verifier.policy.pack import Pack, Rule
from verifier.verdict import Verdict

RELIED_ON = (*CLIENT_POOLS, Pool.GUARANTEE, Pool.RESERVE_FUND)
UNDATED = "have a claim that states no date"
OPEN = {
    Control.UNCLAIMED: "have no claim",
    Control.THIRD_PARTY: "are held by a third party without a key proof",
}


def wallet_control(case: Case, pack: Pack, rule: Rule) -> Sequence[Finding]:
    """Judge the claims for all wallets of client, guarantee and reserve pools together.

    `claim_binding` (0 nothing, 1 exchange and date, 2 this declaration) is what a message must name at least,
    `claim_age_days` how old it may be. A refused claim, or one that names too little or is too old, fails; a wallet
    without a claim, or a claim without a date, leaves it open.
    """
    base = Finding("", "total", Verdict.INDETERMINATE, Reason.MISSING_INPUT, "")
    day = case.declaration.as_of[:10]
    binding, age = pack.parameter("claim_binding", day), pack.parameter("claim_age_days", day)
    if binding is None or age is None:
        return [base._replace(reason=Reason.UNSET_PARAMETER, text="The rulebook sets no binding or age for claims.")]
    wallets = {p.placement.holding.account: p for p in case.positions if p.placement.pool in RELIED_ON}
    if not wallets:
        return [base._replace(text="No wallet of a client, guarantee or reserve pool is declared.")]
    faults = Counter(_fault(position, binding, age) for position in wallets.values())
    base = base._replace(measured=f"{faults['']} of {len(wallets)} wallets", required="all")
    said = "; ".join(f"{count:,} {fault}" for fault, count in sorted(faults.items()) if fault)
    if not said:
        named = Binding(int(binding)).label
        text = f"Signatures show control of all {len(wallets):,} wallets; each names at least {named}."
        return [base._replace(verdict=Verdict.PASS, reason=Reason.SATISFIED, text=text)]
    text = f"Of {len(wallets):,} wallets {said}."
    if any(fault not in ("", UNDATED, *OPEN.values()) for fault in faults):
        return [base._replace(verdict=Verdict.FAIL, reason=Reason.SHORTFALL, text=text)]
    return [base._replace(text=text)]


def _fault(position: Position, binding: Fraction, age: Fraction) -> str:
    control = control_of(position.ownership, position.placement.pool)
    if control in OPEN:
        return OPEN[control]
    claim = position.ownership
    if claim is None or control is Control.REFUSED:
        return "have a claim that is refused"
    if claim.binding < binding:
        return f"have a claim that names {claim.binding.label}"
    if claim.age_days is None:
        return UNDATED
    return f"have a claim older than {age} days" if claim.age_days > age else ""

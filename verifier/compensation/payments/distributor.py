"""A plan's payouts of a token as claims for an on-chain Merkle distributor: root, total, and everybody's proof."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from chains.evm.address import checksum_address
from chains.ids import AssetId, family_of, token_contract
from verifier.compensation.payments.claim_hashes import ClaimHashes, Kind, claim_hash
from verifier.compensation.payments.files import write_list
from verifier.compensation.payments.payees import Payees
from verifier.errors import InputError

FORMAT = "reserve-verifier/distributor/1"
MAX_CLAIMS = 1_000_000
CLAIMS_LINE = '"claims": {'


class Distributor(NamedTuple):
    """The claims of one token, in the order of their addresses, and the tree over them."""

    kind: Kind
    payees: Payees
    hashes: ClaimHashes

    def to_record(self) -> dict[str, Any]:
        """Return everything but the claims."""
        total = self.payees.units
        return {
            "format": FORMAT,
            "kind": str(self.kind),
            **self.payees.to_record(),
            "merkleRoot": f"0x{self.hashes.root.hex()}",
            "tokenTotal": hex(total),
        }

    def claim(self, number: int) -> dict[str, Any]:
        """Return one address's claim: what it calls the contract with."""
        payment = self.payees.payments[number]
        index = {"index": number} if self.kind is Kind.INDEXED else {}
        proof = [f"0x{node.hex()}" for node in self.hashes.proof(number)]
        return {**index, "amount": hex(payment.units), "units": str(payment.units), "proof": proof}


def make_distributor(payees: Payees, kind: Kind) -> Distributor:
    """Return the tree over what is paid. Raises InputError for no payment, too many, and what is not an ERC-20."""
    asset = AssetId(payees.asset.asset)
    if family_of(payees.chain) != "eip155" or token_contract(asset) is None:
        raise InputError(f"{asset}: a distributor pays an ERC-20 token of an EVM network; pay this one by a batch")
    count = len(payees.payments)
    if not count:
        raise InputError(f"{asset}: no account that is paid has an address; there is nothing to distribute")
    if count > MAX_CLAIMS:
        raise InputError(f"{asset}: {count:,} addresses; at most {MAX_CLAIMS:,} go into one distributor")
    leaves = [claim_hash(kind, number, one.address, one.units) for number, one in enumerate(payees.payments)]
    return Distributor(kind, payees, ClaimHashes(leaves))


def write_distributor(distributor: Distributor, out: Path) -> None:
    """Write one JSON object with a line for each claim, so that a file of a million is read line by line."""
    payments = distributor.payees.payments
    lines = (
        f"{json.dumps(checksum_address(payment.address))}: {json.dumps(distributor.claim(number))}"
        for number, payment in enumerate(payments)
    )
    write_list(out, distributor.to_record(), "claims", "{}", lines)

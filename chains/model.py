"""The records every chain family speaks: blocks, holdings, readings, balances, disagreements."""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from chains.ids import AccountId, AssetId, ChainId


class Tier(IntEnum):
    """How a number is known; a higher tier needs less trust."""

    DECLARED = 0  # the exchange says so
    SIGNED = 1  # a third party signed it
    OBSERVED = 2  # one operator answered
    CORROBORATED = 3  # at least two independent operators gave the same answer at the same block
    PROVEN = 4  # follows from a proof we checked ourselves

    @property
    def label(self) -> str:
        return self.name.lower()


class BlockRef(NamedTuple):
    """One block: `hash` in the chain's customary text (0x… on EVM, reversed hex on Bitcoin), `time` in Unix seconds."""

    chain: ChainId
    height: int
    hash: str
    time: int


class Holding(NamedTuple):
    """One account's position in one asset: the unit the partition invariant speaks of."""

    account: AccountId
    asset: AssetId


class UnspentOutput(NamedTuple):
    """One unspent coin of a UTXO chain: its outpoint (`txid:index`), base units, and the height of its block.

    `coinbase` is None where the source does not tell.
    """

    outpoint: str
    units: int
    height: int
    coinbase: bool | None = None


class Reading(NamedTuple):
    """One operator's answer for one holding, in base units; `units` is None when there is no usable answer.

    `evidence` names the transcript calls the answer rests on; `failure` says why there is none. An error, a timeout
    and a pruned node are failures, never zero. `coins` are the unspent coins that `units` add up from, in order of
    their outpoints, where the answer lists them.
    """

    holding: Holding
    operator: str
    block: BlockRef
    units: int | None
    evidence: tuple[str, ...] = ()
    failure: str = ""
    coins: tuple[UnspentOutput, ...] | None = None


class ProofKind(StrEnum):
    """What shows a balance without anybody's word, in words."""

    STATE = "state proof"
    UTXO_SET = "UTXO set"


class Anchor(NamedTuple):
    """A block whose balances follow from one `root` by checked proofs, whoever handed over the data.

    The root is the one thing to be trusted: of a finalized beacon block (a checkpoint), or a hash over all unspent
    coins at the block. Only whoever verifies can say that a root is theirs too. `about` says what was checked.
    """

    block: BlockRef
    kind: ProofKind
    root: str
    about: str
    evidence: tuple[str, ...] = ()


class Balance(NamedTuple):
    """What a quorum of independent operators agrees on, in base units, at one block.

    With a `proof` the number also follows from the block's hash, or from the `root` when there is one, by what we
    checked ourselves: nobody needs to be believed but for that hash or root. `coins` are the unspent coins behind it,
    as far as every source that lists them lists the same.
    """

    holding: Holding
    units: int
    block: BlockRef
    tier: Tier
    operators: tuple[str, ...]
    evidence: tuple[str, ...]
    proof: ProofKind | None = None
    root: str = ""
    coins: tuple[UnspentOutput, ...] | None = None

    @property
    def known_as(self) -> str:
        """How the number is known, in words."""
        return f"{self.tier.label} + {self.proof}" if self.proof else self.tier.label


class Transfer(NamedTuple):
    """Units of an asset that moved in one transaction of one block.

    `sender` and `recipient` are None where the chain names none: coins that are made or destroyed, and the other side
    of a Bitcoin coin, which has many. `position` is a log's index in its block, or the output index of a Bitcoin coin,
    whose outpoint is `coin`; `transaction` is then the one that made it (received) or spent it (sent).
    """

    asset: AssetId
    units: int
    sender: AccountId | None
    recipient: AccountId | None
    height: int
    block_hash: str
    transaction: str
    position: int
    coin: str = ""


class Movements(NamedTuple):
    """All transfers to and from one holding's account in a window of blocks, in one fixed order, as one operator says.

    The window runs from height `first` to the block `last`, both included. `transfers` is None when there is no usable
    answer; `failure` says why. `evidence` as for Reading.
    """

    holding: Holding
    operator: str
    first: int
    last: BlockRef
    transfers: tuple[Transfer, ...] | None
    evidence: tuple[str, ...] = ()
    failure: str = ""


class Exclusion(NamedTuple):
    """A provider, or another source, that was not believed, and why."""

    provider: str
    operator: str
    reason: str


class DisagreementReason(StrEnum):
    BLOCKS_DIFFER = "blocks-differ"
    VALUES_DIFFER = "values-differ"
    TOO_FEW_ANSWERS = "too-few-answers"
    BLOCK_CHANGED = "block-changed"
    PROOF_DIFFERS = "proof-differs"


class Disagreement(NamedTuple):
    """Answers that do not make a balance; all of them are kept, because they are evidence."""

    holding: Holding
    reason: DisagreementReason
    answers: tuple[Reading, ...]

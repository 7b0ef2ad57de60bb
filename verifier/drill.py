"""A drill: wallets and odd amounts that a seed and a later public beacon drew, and how long they took to move."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from chains.history import BlockFinder
from chains.ids import AccountId, ChainField, ChainId, chain_of
from chains.model import Tier
from chains.network import network_of
from chains.providers import Providers
from chains.transport import Transport
from verifier.declaration import Pool, utc_text
from verifier.movement import MAX_TESTS, Moved, MovementTest, MovementTests, Outcome, check_tests, tips
from verifier.records import parse_record

SECONDS_PER_HOUR = 3_600
MAX_DRILL = 16 * 1024 * 1024
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Beacon(_Record):
    """A block whose hash nobody knew when the seed was committed to; the drill's clock starts at its time."""

    chain: ChainField
    height: int = Field(ge=0)
    hash: str = Field(min_length=1, max_length=100)
    time: int = Field(ge=0)


class Drill(_Record):
    """What was drawn: each wallet moves its amount to itself within `hours` of the beacon.

    `case` is the run whose holdings were drawn from. Whoever published the SHA-256 of the seed before the beacon's
    block can show that nobody chose the wallets.
    """

    format: Literal["reserve-verifier/drill/1"] = "reserve-verifier/drill/1"
    exchange: str = Field(min_length=1, max_length=200)
    case: Hex32
    pools: list[Annotated[Pool, Field(strict=False)]] = Field(min_length=1, max_length=6)
    seed: Hex32
    beacon: Beacon
    hours: int = Field(ge=1, le=24 * 31)
    transactions: list[str] = Field(default_factory=list, max_length=MAX_TESTS)
    tests: list[MovementTest] = Field(min_length=1, max_length=10_000)

    @property
    def commitment(self) -> str:
        """The SHA-256 of the seed, to be published before the beacon."""
        return sha256(bytes.fromhex(self.seed)).hexdigest()

    @property
    def movements(self) -> MovementTests:
        """The same as movement tests."""
        return MovementTests(
            format="reserve-verifier/movement-test/1",
            exchange=self.exchange,
            drawn_at=utc_text(self.beacon.time),
            deadline=utc_text(self.beacon.time + self.hours * SECONDS_PER_HOUR),
            tests=self.tests,
        )


class Drilled(NamedTuple):
    """What a drill came to: how many seconds after the beacon half, and nineteen of twenty, of the wallets had moved.

    None where not so many have moved; `watched` is how long the chains were watched. `unknown` counts wallets of which
    nobody can tell.
    """

    pools: tuple[Pool, ...]
    wallets: int
    moved: int
    unknown: int
    half: int | None
    most: int | None
    watched: int
    tier: Tier
    texts: tuple[str, ...] = ()

    @property
    def hours(self) -> int | None:
        """Whole hours, rounded up, until nineteen of twenty wallets had moved; None when they have not."""
        return None if self.most is None else -(-self.most // SECONDS_PER_HOUR)

    def to_record(self) -> list[Any]:
        """Return the result as JSON values."""
        return [[str(one) for one in self.pools], *self[1:7], int(self.tier), list(self.texts)]


_DRILL = TypeAdapter(Drill)


def read_drill(text: bytes, where: str) -> Drill:
    """Read a drawn drill. Raises InputError that names the field."""
    return parse_record(text, where, _DRILL.validate_python)


def watch(drill: Drill, providers: Providers, transport: Transport) -> Drilled:
    """Read from the chains what has moved since the beacon, and how long it took.

    A beacon that is not the chain's own block would set the clock at will: nothing is known of such a drill.
    """
    if not _is_of_chain(drill.beacon, providers, transport):
        moved = [
            Moved(test, Outcome.UNKNOWN, "the beacon is not known to be a block of its chain") for test in drill.tests
        ]
        return measure(drill, moved, drill.beacon.time, Tier.DECLARED)
    found = check_tests(drill.movements, providers, transport, drill.transactions)
    chains = {chain_of(AccountId(test.account)) for test in drill.tests}
    newest = min(block.time for block in tips(chains, providers, transport))
    tier = Tier.CORROBORATED if providers.minimum_operators >= 2 else Tier.OBSERVED
    return measure(drill, found, newest, tier)


def _is_of_chain(beacon: Beacon, providers: Providers, transport: Transport) -> bool:
    chain = ChainId(beacon.chain)
    voices, least = providers.serving(chain), providers.minimum_operators
    block = BlockFinder(network_of(chain), voices, transport, least).at(beacon.height) if voices else None
    return block is not None and (block.hash, block.time) == (beacon.hash, beacon.time)


def measure(drill: Drill, found: Sequence[Moved], newest: int, tier: Tier) -> Drilled:
    """Turn what moved into times: the slowest of the fastest half, and of the fastest nineteen of twenty.

    What moved before the beacon did not move for the drill.
    """
    moments = (one.moved_at for one in found if one.moved_at is not None)
    waits = sorted(moment - drill.beacon.time for moment in moments if moment >= drill.beacon.time)
    unknown = sum(one.outcome is Outcome.UNKNOWN for one in found)
    late = tuple(f"{one.test.account}: {one.text}" for one in found if one.outcome is not Outcome.MOVED)
    half, most = (_wait(waits, len(found), share) for share in (10, 19))
    watched = max(0, newest - drill.beacon.time)
    return Drilled(tuple(drill.pools), len(found), len(waits), unknown, half, most, watched, tier, late[:5])


def _wait(waits: Sequence[int], wallets: int, twentieths: int) -> int | None:
    """Return the wait until so many twentieths of the wallets, rounded up, had moved; None when they have not."""
    place = -(-wallets * twentieths // 20)
    return waits[place - 1] if place <= len(waits) else None

"""One attestation run from the exchange's books to the log: each step is taken once, whatever interrupts it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chains.providers import Providers
from chains.transport import Transport
from verifier.attestation.bundle import open_bundle
from verifier.canonical import canonical_json
from verifier.declaration import Declaration, load_declaration
from verifier.errors import InputError
from verifier.files import write_file
from verifier.further import Plans
from verifier.inclusion.commitment import Commitment, TreeAsset
from verifier.judged import stated_ids
from verifier.liabilities.commitment import save_commitment
from verifier.liabilities.make import make_tree
from verifier.liabilities.places import COMMITMENT
from verifier.log.checkpoint import Checkpoint, read_checkpoint
from verifier.log.entry import entry_of
from verifier.log.note import Signer
from verifier.log.proof import find_entry, prove_entry
from verifier.log.writer import CHECKPOINT, append_entries, create_log, read_head
from verifier.policy.library import load_pack
from verifier.reserves import Progress, silent
from verifier.run import collect
from verifier.seal import seal, statement_of
from verifier.verdict import Verdict
from verifier.verification import Verification, verify_bundle

DECLARATION = ".declaration.json"


class Sources(NamedTuple):
    """What the exchange brings: its declaration, its books, its prices, and the secret of the tree if it has one."""

    declaration: Path
    accounts: str
    run_id: str = ""
    secret: Path | None = None
    prices: Path | None = None
    utxo_sets: Sequence[Path] = ()


class Places(NamedTuple):
    """Where a run goes: what is published (`bundle`, `seal`, `proof`, `log`), and the tree, which has private parts."""

    bundle: Path
    tree: Path
    seal: Path
    proof: Path
    log: Path

    @classmethod
    def beside(cls, bundle: Path, tree: Path | None, log: Path | None) -> "Places":
        """Return the usual places: everything beside the bundle, under its name."""
        return cls(
            bundle,
            tree or bundle.with_name(f"{bundle.name}.tree"),
            bundle.with_name(f"{bundle.name}.dsse.json"),
            bundle.with_name(f"{bundle.name}.tlog-proof"),
            log or bundle.with_name("log"),
        )


class Keys(NamedTuple):
    """What signs the statement (a PEM file or a URI, with its public half), and what signs the log's head."""

    seal: str
    public: Path | None
    log: Signer


class Published(NamedTuple):
    """A finished run; `head` and `place` are None when it was not entered in the log."""

    result: Verification
    commitment: Commitment
    head: Checkpoint | None
    place: int | None


def publish(
    sources: Sources,
    places: Places,
    keys: Keys,
    providers: Providers,
    packs: Sequence[str],
    plans: Plans,
    with_leaves: bool = True,
    even_failing: bool = False,
    progress: Progress = silent,
    transport: Transport | None = None,
) -> Published:
    """Make the tree, read the chains, verify, seal and enter the run in the log.

    What is there already from an interrupted call is compared with the inputs and taken. A run that does not pass is
    sealed, and entered only when `even_failing`: an entry cannot be taken back. Without leaves the bundle says what is
    owed in total only, and nobody can rebuild the tree from it. Raises as the steps do.
    """
    # 1. What is owed
    declared = load_declaration(sources.declaration)
    assets = tuple(TreeAsset(one.asset, one.symbol, one.decimals) for one in declared.assets)
    run_id = sources.run_id or declared.as_of[:10]
    owed = make_tree(sources.accounts, assets, run_id, declared.as_of, places.tree, sources.secret, progress)
    # 2. The declaration names it
    path = _naming(declared, owed, sources.declaration, places.bundle)
    # 3. What is held, read once
    if places.bundle.exists():
        _same_run(places.bundle, load_declaration(path), packs)
    else:
        tree = places.tree if with_leaves else _public_half(owed, places)
        sets = sources.utxo_sets
        collect(path, providers, places.bundle, tree, sources.prices, progress, transport, sets, plans, packs)
    # 4. What follows from the bundle alone
    result = verify_bundle(places.bundle, packs, progress=progress)
    # 5. Sealed
    with open_bundle(places.bundle) as opened:
        statement = statement_of(opened, result)
    write_file(places.seal, seal(statement, keys.seal, keys.public))
    # 6. Entered in the log
    if result.verdict is not Verdict.PASS and not even_failing:
        return Published(result, owed, None, None)
    return Published(result, owed, *_enter(places, keys.log))


def _naming(declared: Declaration, owed: Commitment, path: Path, bundle: Path) -> Path:
    """Return the path of the declaration that names the commitment; one that names none yet is completed."""
    if declared.liabilities == owed.digest:
        return path
    if declared.liabilities is not None:
        raise InputError(
            f"{path}: names the liabilities {declared.liabilities}, the books give {owed.digest}; the books, the run id"
            " or the secret (--secret-file) is another one"
        )
    completed = declared.model_copy(update={"liabilities": owed.digest})
    target = bundle.with_name(bundle.name + DECLARATION)
    write_file(target, canonical_json(completed.to_record()))
    bound = [claim.account for claim in declared.ownership if declared.challenge_digest in claim.message]
    if bound:
        raise InputError(
            f"{path}: names no liabilities, and {len(bound):,} claims are signed over it as it is ({bound[0]}); sign"
            f" over the completed one instead: por wallets challenge {target}"
        )
    return target


def _same_run(bundle: Path, declared: Declaration, packs: Sequence[str]) -> None:
    with open_bundle(bundle) as opened:
        stated = stated_ids(opened)
        if stated and stated != [load_pack(name).id for name in packs]:
            raise InputError(f"{bundle}: exists already and is judged by {', '.join(stated)}; name a new folder")
        if opened.read("declaration.json") != canonical_json(declared.to_record()):
            raise InputError(f"{bundle}: exists already and holds another declaration; name a new folder")


def _public_half(owed: Commitment, places: Places) -> Path:
    folder = places.bundle.with_name(places.bundle.name + ".commitment")
    folder.mkdir(parents=True, exist_ok=True)
    save_commitment(folder / COMMITMENT, owed)
    return folder


def _enter(places: Places, signer: Signer) -> tuple[Checkpoint, int]:
    """Enter the bundle in the log unless it is there, and write the proof of it."""
    if not (places.log / CHECKPOINT).exists():
        create_log(places.log, signer)
    entry = entry_of(places.bundle)
    index = find_entry(places.log, entry)
    if index is None:
        head = read_checkpoint(append_entries(places.log, [entry], signer), str(places.log))
        index = head.size - 1
    write_file(places.proof, str(prove_entry(places.log, index)).encode())
    return read_checkpoint(read_head(places.log), str(places.log)), index

"""por log: a transparency log in plain files, its witnesses, and what two people's heads say of each other."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from verifier.cli import log_diff
from verifier.cli.terminal import print_result

GROUP = """Transparency log: what was published once cannot be shown differently to somebody else.

An exchange appends each run (`init`, `append`), anybody serves the folder as plain files. Witnesses cosign a head only
after checking that it continues what they saw (`witness`). A user keeps a proof (`prove`), and checks it offline
(`check`); two people who exchange heads or proofs find two versions (`compare`).
"""
KeyFile = Annotated[Path, typer.Option(help="the private key (PEM, Ed25519)")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]

app = typer.Typer(help=GROUP, no_args_is_help=True)


@app.command("key")
def key(
    name: Annotated[str, typer.Argument(help="the log's origin or the witness's name, such as por.example.com/log")],
    out: Annotated[Path, typer.Option(help="where the private key goes; must not exist yet")],
    as_json: AsJson = False,
) -> None:
    """Make a key and print its public halves for a policy file.

    Example: por log key por.example.com/log --out log.pem
    """
    from verifier.log.note import COSIGNATURE, load_signer, new_key

    new_key(out)
    signer = load_signer(out, name)
    halves = {"log": str(signer.key()), "witness": str(signer.key(COSIGNATURE))}
    print_result(halves, as_json, [f"{what} {half}" for what, half in halves.items()])


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="the log's folder")],
    origin: Annotated[str, typer.Option(help="the log's name, on every head")],
    key: KeyFile,
    as_json: AsJson = False,
) -> None:
    """Start an empty log.

    Example: por log init log/ --origin por.example.com/log --key log.pem
    """
    from verifier.log.note import load_signer
    from verifier.log.writer import create_log

    signer = load_signer(key, origin)
    create_log(folder, signer)
    print_result({"origin": origin, "key": str(signer.key())}, as_json, [f"{folder}: empty log", str(signer.key())])


@app.command("append")
def append(
    folder: Annotated[Path, typer.Argument(help="the log's folder")],
    entries: Annotated[list[Path], typer.Argument(help="bundles (folder or zip), or any files of up to 64 KiB")],
    origin: Annotated[str, typer.Option(help="the log's name")],
    key: KeyFile,
    as_json: AsJson = False,
) -> None:
    """Append runs to the log and publish a new head; a bundle is entered by its digests.

    Example: por log append log/ run-2026-11/ --origin por.example.com/log --key log.pem
    """
    from verifier.log.checkpoint import read_checkpoint
    from verifier.log.entry import entry_of
    from verifier.log.note import load_signer
    from verifier.log.writer import append_entries

    note = append_entries(folder, [entry_of(path) for path in entries], load_signer(key, origin))
    head = read_checkpoint(note, str(folder))
    record = {"origin": head.origin, "size": head.size, "root": head.root.hex(), "appended": len(entries)}
    print_result(record, as_json, [f"{folder}: {head.size:,} entries, root {head.root.hex()}"])


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(help="the log's folder")],
    policy: Annotated[Path, typer.Option(help="whom you trust: logs, witnesses, quorum")],
    as_json: AsJson = False,
) -> None:
    """Hash the whole log again and check its head; a damaged file is named.

    Example: por log verify log/ --policy policy.txt
    """
    from verifier.cli.terminal import progress_bars
    from verifier.log.audit import audit_log
    from verifier.log.policy import judge_head
    from verifier.log.writer import read_head

    accepted = judge_head(read_head(folder), _policy(policy), str(folder))
    size = accepted.checkpoint.size
    with progress_bars() as told:
        audit = audit_log(folder, accepted.checkpoint, lambda done: told("entries", done, size))
    record = {
        "verdict": "fail" if audit.problems else "pass" if accepted.quorum else "indeterminate",
        "origin": accepted.checkpoint.origin,
        "size": size,
        "root": accepted.checkpoint.root.hex(),
        "cosigned": list(accepted.cosigned),
        "quorum": accepted.quorum,
        "problems": list(audit.problems),
    }
    lines = [f"{str(record['verdict']).upper()}: {accepted.checkpoint.origin}, {size:,} entries"]
    lines += [f"  {problem}" for problem in audit.problems[:20]]
    lines += [] if accepted.quorum else ["  too few witnesses have seen this head"]
    print_result(record, as_json, lines)
    raise typer.Exit({"pass": 0, "fail": 1}.get(str(record["verdict"]), 2))


@app.command("prove")
def prove(
    folder: Annotated[Path, typer.Argument(help="the log's folder")],
    index: Annotated[int, typer.Argument(help="the entry's place, from 0")],
    out: Annotated[Path, typer.Option(help="the proof to write (.tlog-proof)")],
) -> None:
    """Write the proof that an entry is in the log.

    Example: por log prove log/ 0 --out run-2026-11.tlog-proof
    """
    from verifier.log.proof import prove_entry

    out.write_text(str(prove_entry(folder, index)), "utf-8")
    typer.echo(f"{out}: entry {index}")


@app.command("check")
def check(
    proof: Annotated[Path, typer.Argument(help="a proof (.tlog-proof)")],
    entry: Annotated[Path, typer.Argument(help="the bundle or file it speaks of")],
    policy: Annotated[Path, typer.Option(help="whom you trust: logs, witnesses, quorum")],
    as_json: AsJson = False,
) -> None:
    """Check offline that a run or file is in the log, and that enough witnesses have seen it.

    Example: por log check run-2026-11.tlog-proof run-2026-11/ --policy policy.txt
    """
    from verifier.errors import InputError
    from verifier.files import read_file
    from verifier.log.entry import entry_of
    from verifier.log.proof import MAX_PROOF, check_proof, parse_proof

    parsed = parse_proof(read_file(proof, MAX_PROOF), str(proof))
    try:
        accepted = check_proof(parsed, entry_of(entry), _policy(policy), str(proof))
    except InputError as error:
        print_result({"verdict": "refused", "reason": str(error)}, as_json, [f"REFUSED: {error}"])
        raise typer.Exit(1) from error
    record = {
        "verdict": "accepted" if accepted.quorum else "indeterminate",
        "origin": accepted.checkpoint.origin,
        "index": parsed.place,
        "size": accepted.checkpoint.size,
        "root": accepted.checkpoint.root.hex(),
        "cosigned": list(accepted.cosigned),
    }
    seen = ", ".join(accepted.cosigned) or "no witness"
    said = "" if accepted.quorum else ", too few for the policy"
    lines = [
        f"{str(record['verdict']).upper()}: entry {parsed.place} of {accepted.checkpoint.origin}; seen by {seen}{said}"
    ]
    print_result(record, as_json, lines)
    raise typer.Exit(0 if accepted.quorum else 2)


@app.command("witness")
def witness(
    folder: Annotated[Path, typer.Argument(help="the log's folder, as fetched")],
    log: Annotated[str, typer.Option(help="the log's public key (NAME+ID+KEY)")],
    name: Annotated[str, typer.Option(help="the witness's name")],
    key: KeyFile,
    state: Annotated[Path, typer.Option(help="folder that remembers what was seen; keep it")],
    write: Annotated[bool, typer.Option("--write", help="put the cosignature below the log's head")] = False,
    as_json: AsJson = False,
) -> None:
    """Cosign the log's head if it continues what this witness has seen before.

    Example: por log witness log/ --log 'por.example.com/log+…' --name w.example.org --key w.pem --state seen/
    """
    from verifier.log.checkpoint import trusted_checkpoint
    from verifier.log.note import COSIGNATURE, Note, load_signer, parse_key
    from verifier.log.witness import last_seen, proof_from, witness_head
    from verifier.log.writer import read_head, replace_head

    trusted, signer, shown = parse_key(log), load_signer(key, name), read_head(folder)
    head = trusted_checkpoint(shown, trusted, str(folder))
    proof = proof_from(folder, last_seen(state, trusted), head)
    done = witness_head(state, trusted, shown, proof, signer, int(time.time()))
    if done.signature is None:
        kept = f"; both heads are kept in {done.fork.evidence}" if done.fork else ""
        record: dict[str, Any] = {"verdict": "refused", "reason": done.reason, "fork": bool(done.fork)}
        print_result(record, as_json, [f"REFUSED: {done.reason}{kept}"])
        raise typer.Exit(1)
    others = tuple(one for one in shown.signatures if (one.name, one.key_id) != (name, signer.key(COSIGNATURE).id))
    cosigned = Note(shown.text, (*others, done.signature))
    if write:
        replace_head(folder, cosigned, shown)
    print_result({"verdict": "cosigned", "size": head.size, "note": str(cosigned)}, as_json, [str(cosigned).rstrip()])


@app.command("compare")
def compare(
    heads: Annotated[list[Path], typer.Argument(help="heads (checkpoint files) or proofs of one log, two or more")],
    log: Annotated[str, typer.Option(help="the log's public key (NAME+ID+KEY)")],
    tiles: Annotated[Path | None, typer.Option(help="the log's folder, to compare heads of different sizes")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether several people were shown the same log.

    Example: por log compare mine.checkpoint theirs.tlog-proof --log 'por.example.com/log+…' --tiles log/
    """
    from verifier.log.compare import compare_heads, read_any_head
    from verifier.log.note import parse_key

    trusted = parse_key(log)
    found = compare_heads([(str(path), read_any_head(path, trusted)) for path in heads], tiles)
    words = {"pass": "the same log", "fail": "TWO VERSIONS", "indeterminate": "not shown to be one log"}
    lines = [
        f"{words[found.verdict]}: {len(heads)} heads of {trusted.name}",
        *(f"  {line}" for line in found.differences),
    ]
    print_result({"verdict": found.verdict, "differences": list(found.differences)}, as_json, lines)
    raise typer.Exit({"pass": 0, "fail": 1}.get(found.verdict, 2))


app.command("diff")(log_diff.diff)


@app.command("anchor")
def anchor(
    folder: Annotated[Path, typer.Argument(help="the log's folder")],
    transaction: Annotated[
        str, typer.Option(help="the transaction's id; without it, what to put on a chain is printed")
    ] = "",
    chain: Annotated[str, typer.Option(help="its chain (CAIP-2), such as eip155:1")] = "",
    block: Annotated[str, typer.Option(help="the hash of its block, which Bitcoin nodes ask for")] = "",
    providers: Annotated[Path | None, typer.Option(help="whom to ask (TOML)")] = None,
    as_json: AsJson = False,
) -> None:
    """Print what to put on a chain for the log's head, or check that a transaction carries it.

    Example: por log anchor log/ --chain eip155:1 --transaction 0x… --providers providers.toml
    """
    from chains.doors import NetworkTransport
    from chains.ids import chain_id
    from chains.providers import load_providers
    from verifier.errors import InputError
    from verifier.log.anchor import anchor_data, check_anchor
    from verifier.log.checkpoint import read_checkpoint
    from verifier.log.writer import read_head

    head = read_checkpoint(read_head(folder), str(folder))
    if not transaction:
        data = anchor_data(head).hex()
        print_result({"size": head.size, "data": data}, as_json, [data])
        return
    if not chain or providers is None:
        raise InputError("to check an anchor, name its --chain and whom to ask (--providers)")
    found = check_anchor(head, chain_id(chain), transaction, block, load_providers(providers), NetworkTransport())
    record = {
        **found._asdict(),
        "verdict": str(found.verdict),
        "tier": found.tier.label,
        "operators": list(found.operators),
    }
    print_result(record, as_json, [f"{str(found.verdict).upper()}: {found.text}"])
    raise typer.Exit(found.verdict.exit_code)


def _policy(path: Path) -> Any:
    from verifier.files import read_file
    from verifier.log.policy import parse_policy

    return parse_policy(read_file(path, 1024 * 1024), str(path))

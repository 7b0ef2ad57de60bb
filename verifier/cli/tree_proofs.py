"""por tree prove and por tree export: one user's proof, or everybody's, each checked before it is handed out."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from verifier.cli.keys import PublicHalf, SealKey

if TYPE_CHECKING:
    from verifier.inclusion.proof import InclusionProof
    from verifier.liabilities.inspect import Effort
    from verifier.liabilities.progress import Progress

PROVE_EXAMPLE = """Draw one account's proof from a built tree; it is checked before it is written.

Example: por tree prove liabilities/ --account alice > alice.json

Example: por tree prove liabilities/ --account alice --qr alice.svg
"""
EXPORT_EXAMPLE = """Draw the proofs of all accounts, each checked: a file for each, or one archive.

Example: por tree export liabilities/ --out proofs/

Example: por tree export liabilities/ --accounts accounts.parquet --out proofs.zip
"""

STATE_EXAMPLE = """Sign for every account what it is owed and which leaf stands for it, before the tree is published.

Example: por tree state liabilities/ --exchange exchange.example --key exchange.pem --out statements/

Whoever holds such a statement can show it when the tree counts less for the account, or leaves it out:
por check my-statement.json my-proof.json --signer exchange.pem.pub --fraud-out dispute.json
"""


def prove(
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of `por tree build`")],
    account: Annotated[str, typer.Option(help="the account's id")],
    out: Annotated[Path | None, typer.Option(help="FILE.json, or a folder; without it stdout")] = None,
    as_compact: Annotated[bool, typer.Option("--compact", help="the short text form, for a link or a QR code")] = False,
    qr: Annotated[Path | None, typer.Option(help="draw the short form as a QR code: FILE.svg or FILE.png")] = None,
) -> None:
    from verifier.inclusion.compact import to_compact
    from verifier.liabilities.receipts import file_name, write_receipt

    proof = _proof(tree, account)
    content = to_compact(proof).encode() if as_compact else proof.to_json()
    if qr is not None:
        _draw_qr(qr, to_compact(proof))
    elif out is None:
        typer.echo(content)
    else:
        path = out if out.suffix in (".json", ".txt") else out / file_name(account)
        write_receipt(path, content)
        typer.echo(f"{path}: one proof, checked", err=True)


def export(
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of `por tree build`")],
    out: Annotated[Path, typer.Option(help="a folder for the proofs, or FILE.zip")],
    accounts: Annotated[
        str | None, typer.Option(help="the table the tree was built from; needed for large trees")
    ] = None,
    base_units: Annotated[bool, typer.Option("--base-units", help="the table holds integers of base units")] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="processes, for large trees")] = 2,
    engine: Annotated[Literal["plain", "fast"], typer.Option(help="fast needs the extra `fast`")] = "plain",
) -> None:
    from time import monotonic

    from verifier.cli.terminal import progress_bars
    from verifier.liabilities.inspect import Effort
    from verifier.liabilities.receipts import write_receipts

    started = monotonic()
    with progress_bars() as report:
        count = write_receipts(out, _receipts(tree, accounts, base_units, Effort(workers, engine), report))
    rate = count / max(monotonic() - started, 1e-3)
    typer.echo(f"{out}: {count:,} proofs, each checked; {rate:,.0f} a second", err=True)


def state(
    tree: Annotated[Path, typer.Argument(metavar="DIR", help="the folder of `por tree build`")],
    out: Annotated[Path, typer.Option(help="a folder for the statements, or FILE.zip")],
    exchange: Annotated[str, typer.Option(help="the exchange's id, as in its declaration")],
    key: SealKey,
    public: PublicHalf = None,
    accounts: Annotated[
        str | None, typer.Option(help="the table the tree was built from; needed for large trees")
    ] = None,
    base_units: Annotated[bool, typer.Option("--base-units", help="the table holds integers of base units")] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="processes, for large trees")] = 2,
) -> None:
    from verifier.cli.terminal import progress_bars
    from verifier.dsse import sealer_of
    from verifier.inclusion.statement import PAYLOAD
    from verifier.liabilities.inspect import Effort
    from verifier.liabilities.receipts import write_receipts
    from verifier.liabilities.statements import sign_statements

    with progress_bars() as report:
        receipts = _receipts(tree, accounts, base_units, Effort(workers), report)
        count = write_receipts(out, sign_statements(receipts, exchange, sealer_of(PAYLOAD, key, public)))
    typer.echo(f"{out}: {count:,} signed statements; hand them out before the digest is published", err=True)


def _proof(tree: Path, account: str) -> "InclusionProof":
    from verifier.liabilities.folder import open_folder
    from verifier.liabilities.inspect import has_leaf_list

    if not has_leaf_list(tree):
        return open_folder(tree).prove(account)
    from verifier.liabilities.publisher.opening import open_store

    return open_store(tree).prove(account)


def _receipts(
    tree: Path, accounts: str | None, base_units: bool, effort: "Effort", progress: "Progress"
) -> Iterator[tuple[str, bytes]]:
    from verifier.errors import InputError
    from verifier.liabilities.folder import open_folder
    from verifier.liabilities.inspect import has_leaf_list

    if not has_leaf_list(tree):
        opened = open_folder(tree)
        names = opened.accounts()
        for number, name in enumerate(names, 1):
            yield name, opened.prove(name).to_json()
            progress("receipts checked", number, len(names))
        return
    if accounts is None:
        raise InputError("a large tree keeps no account ids: give --accounts, the table it was built from")
    from verifier.liabilities.publisher.executors import executor_of
    from verifier.liabilities.publisher.export import export as export_all
    from verifier.liabilities.publisher.folder import books_of
    from verifier.liabilities.publisher.opening import open_leaf_list

    with executor_of(None, effort.workers, effort.engine) as executor:
        books = books_of(tree, accounts, base_units)
        yield from export_all(open_leaf_list(tree), books, executor, progress, effort.engine)


def _draw_qr(path: Path, text: str) -> None:
    from chains.errors import MissingExtraError
    from verifier.errors import InputError
    from verifier.inclusion.compact import QR_LETTERS

    if len(text) > QR_LETTERS:
        raise InputError(
            f"the proof has {len(text):,} characters in its short form, a QR code holds {QR_LETTERS:,}; hand out the"
            " JSON file, or --compact text as a link"
        )
    try:
        import segno
    except ModuleNotFoundError as error:
        raise MissingExtraError("--qr needs 'segno': install reserve-verifier[publish]") from error
    segno.make_qr(text, error="l").save(str(path), scale=3)
    typer.echo(f"{path}: one proof, checked, as a QR code of {len(text):,} characters", err=True)


state.__doc__ = STATE_EXAMPLE
prove.__doc__ = PROVE_EXAMPLE
export.__doc__ = EXPORT_EXAMPLE

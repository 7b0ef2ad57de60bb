"""por seal: a signed statement of what a run came to."""

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli.keys import PublicHalf, SealKey

EXAMPLE = """Verify a bundle, and sign what it came to: an in-toto statement in a DSSE envelope.

Example: por seal run-2026-11/ --pack jp-psa-63-11 --key auditor.pem --out run-2026-11.dsse.json

The key is a PEM file (`por log key` makes one), or a URI of securesystemslib such as hsm: or awskms:, with --public.
The same bundle, rulebooks and key give the same bytes. Whoever verifies names the public key:
por verify run-2026-11/ --seal run-2026-11.dsse.json --signer auditor.pem.pub
"""


def seal(
    bundle: Annotated[Path, typer.Argument(help="a bundle folder or zip")],
    key: SealKey,
    out: Annotated[Path, typer.Option(help="the sealed statement to write")],
    pack: Annotated[list[str] | None, typer.Option(help="a rulebook; repeat for several")] = None,
    public: PublicHalf = None,
    summary: Annotated[
        Path | None, typer.Option(help="also write a short verification summary (SLSA), sealed with the same key")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    from verifier.attestation.bundle import open_bundle
    from verifier.cli.terminal import print_json
    from verifier.files import write_file
    from verifier.seal import seal as seal_statement
    from verifier.seal import statement_of, summary_of
    from verifier.verification import verify_bundle

    result = verify_bundle(bundle, pack or None)
    with open_bundle(bundle) as opened:
        statement, short = statement_of(opened, result), summary_of(opened, result)
    write_file(out, seal_statement(statement, key, public))
    if summary is not None:
        write_file(summary, seal_statement(short, key, public))
    if as_json:
        print_json({"sealed": str(out), "verdict": str(result.verdict), "case": result.case.digest})
    else:
        typer.echo(f"{out}: {str(result.verdict).upper()}, case {result.case.digest}")


seal.__doc__ = EXAMPLE

"""por page: the page on which users check their proofs in a browser, as one file."""

from pathlib import Path
from typing import Annotated

import typer


def page(
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("verify.html"),
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Write the page on which users check their proofs in a browser, offline; put it on any web server or hand it out.

    Example: por page --out verify.html

    The same version writes the same bytes: publish the SHA-256 beside the page, so that anyone can compare.
    """
    import hashlib

    from verifier.cli.terminal import print_json
    from verifier.files import write_file
    from verifier.web.page import build_page, formats_of_page, unsupported

    content = build_page().encode()
    write_file(out, content)
    digest, formats, missing = hashlib.sha256(content).hexdigest(), formats_of_page(), unsupported()
    if as_json:
        print_json({"path": str(out), "sha256": digest, "formats": formats, "unsupported": missing})
        return
    typer.echo(f"{out}: {len(content):,} bytes, {len(formats)} formats; open it in a browser, no network is needed")
    typer.echo(f"  SHA-256 {digest}")
    if missing:
        typer.echo(f"  not on the page, only in `por check`: {', '.join(missing)}")

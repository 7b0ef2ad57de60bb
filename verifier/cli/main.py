"""The command `por`: puts the commands together and turns errors into clear messages and exit codes."""

import sys

import typer

from chains.errors import ChainError, TransportError, UnreadableFileError
from verifier.cli import (
    assurance,
    check,
    collect,
    cross,
    demo,
    formats,
    log,
    networks,
    packs,
    payout,
    plan,
    publish,
    seal,
    tree,
    verify,
    wallets,
)
from verifier.errors import UnavailableError, VerifierError

HELP = """Check an exchange's proof of reserves, independently of the exchange.

A user checks a proof with `por check`, a regulator a run with `por verify`, an exchange publishes a run with
`por publish`. `por demo` plays the whole story on this machine.

Exit codes: 0 pass, 1 fail, 2 indeterminate, 3 bad input, 4 unreachable.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False)
app.command("demo")(demo.demo)
app.command("collect")(collect.collect)
app.command("verify")(verify.verify)
app.command("publish")(publish.publish)
app.command("plan")(plan.plan)
app.add_typer(payout.app, name="payout")
app.command("seal")(seal.seal)
app.command("check")(check.check)
app.command("cross")(cross.cross)
app.add_typer(wallets.app, name="wallets")
app.add_typer(tree.app, name="tree")
app.command("formats")(formats.formats)
app.add_typer(packs.app, name="packs")
app.add_typer(log.app, name="log")
app.add_typer(assurance.app, name="assurance")
app.command("networks")(networks.networks)


def main() -> None:
    """Run the command line; every error of ours becomes one line on stderr and the documented exit code."""
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("interrupted; what was gathered is kept, run the same command again to go on", err=True)
        sys.exit(130)
    except (ChainError, VerifierError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(4 if isinstance(error, (TransportError, UnavailableError, UnreadableFileError)) else 3)


if __name__ == "__main__":
    main()

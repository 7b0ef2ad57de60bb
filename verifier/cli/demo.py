"""por demo: the whole story on this machine, without a network."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    users: Annotated[int, typer.Option(min=20, max=200_000, help="how many users the played exchange has")] = 10_000,
    out: Annotated[Path, typer.Option(help="folder for bundles, proofs and the report")] = Path("por-demo"),
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Play an exchange on real chains inside this process: collect, verify, and four ways to cheat that are caught.

    Example: por demo --users 1000
    """
    from verifier.cli.terminal import print_json, progress_bars

    try:
        from verifier.demo.story import Story, prepare_folder
    except ModuleNotFoundError as error:
        from chains.errors import MissingExtraError

        raise MissingExtraError(
            f"the demonstration needs {error.name!r}: install reserve-verifier[demo], or verify a recorded run instead:"
            " por verify fixtures/runs/knots-anvil-pass"
        ) from error
    prepare_folder(out)
    with progress_bars() as report:
        scenes = Story(out, users, lambda line: typer.echo(line, err=as_json), report).play()
    expected = all(scene.caught for scene in scenes)
    if as_json:
        page = str((out / "report.html").resolve())
        print_json({"verdict": "pass" if expected else "fail", "scenes": [s._asdict() for s in scenes], "report": page})
    else:
        typer.echo("\nEverything was caught." if expected else "\nSomething was not caught: this is a fault of ours.")
        typer.echo(f"Report: {(out / 'report.html').resolve()}")
        typer.echo(f"Next:   por verify {out / 'spent'} --pack jp-psa-63-11")
    raise typer.Exit(0 if expected else 1)

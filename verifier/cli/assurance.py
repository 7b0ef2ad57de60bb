"""por assurance: what clean checks prove, how many it takes, and whom to draw."""

from fractions import Fraction
from typing import Annotated, Any

import typer

from verifier.cli.terminal import print_result

GROUP = """Assurance: how surely an omitted account would have been found.

Everything here holds on one condition: nobody could know beforehand who would check.
"""
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
Confidence = Annotated[str, typer.Option(metavar="SHARE", help="how sure, such as 95/100")]

app = typer.Typer(help=GROUP, no_args_is_help=True)


@app.command("proven")
def proven(
    groups: Annotated[list[str], typer.Argument(metavar="[NAME:]CHECKED/ACCOUNTS…", help="such as active:9000/200000")],
    confidence: Confidence = "95/100",
    as_json: AsJson = False,
) -> None:
    """Say what clean checks prove, group by group.

    Example: por assurance proven active:9000/200000 dormant:3/800000
    """
    from verifier.assurance import describe, proven_by

    found = [proven_by(_group(text), _share(confidence)) for text in groups]
    print_result({"groups": [one.to_record() for one in found]}, as_json, describe(found))


@app.command("needed")
def needed(
    accounts: Annotated[int, typer.Argument(help="how many accounts there are")],
    wrong: Annotated[int, typer.Argument(help="how many wrong ones are to be met")],
    confidence: Confidence = "95/100",
    as_json: AsJson = False,
) -> None:
    """Say how many accounts must check.

    Example: por assurance needed 1000000 100
    """
    from verifier.assurance import checks_needed

    count = checks_needed(accounts, wrong, _share(confidence))
    line = f"{count:,} of {accounts:,} accounts must check to meet one of {wrong:,} with {confidence}"
    print_result({"accounts": accounts, "wrong": wrong, "confidence": confidence, "checks": count}, as_json, [line])


@app.command("draw")
def draw(
    accounts: Annotated[int, typer.Argument(help="how many accounts there are")],
    size: Annotated[int, typer.Argument(help="how many to draw")],
    beacon: Annotated[
        str, typer.Option(metavar="HEX", help="a value nobody knew before, such as a later block's hash")
    ],
    as_json: AsJson = False,
) -> None:
    """Draw accounts for an auditor, by a public value that came later.

    Example: por assurance draw 1000000 60 --beacon 00000000000000000001a2…
    """
    from verifier.assurance import draw_sample
    from verifier.errors import InputError

    try:
        value = bytes.fromhex(beacon.removeprefix("0x"))
    except ValueError as error:
        raise InputError(f"{beacon[:80]!r} is not hexadecimal") from error
    places = draw_sample(accounts, size, value)
    print_result({"places": places}, as_json, [str(place) for place in places])


def _group(text: str) -> Any:
    from verifier.assurance import Stratum
    from verifier.errors import InputError

    name, _, counts = text.rpartition(":")
    checked, slash, accounts = counts.partition("/")
    if not slash or not checked.isdigit() or not accounts.isdigit():
        raise InputError(f"{text!r}: expected CHECKED/ACCOUNTS, perhaps with a name: active:9000/200000")
    return Stratum(name or "all", int(accounts), int(checked))


def _share(text: str) -> Fraction:
    from verifier.errors import InputError

    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(f"{text!r} is no share; expected one such as 95/100") from error

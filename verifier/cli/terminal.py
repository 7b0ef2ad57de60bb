"""Progress on stderr and JSON on stdout, the same for every command."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Report = Callable[[str, int, int], None]


def print_json(record: Any) -> None:
    """Print one JSON object to stdout and nothing else."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=2) + "\n")


def print_result(record: Any, as_json: bool, lines: Sequence[str]) -> None:
    """Print a command's result: the record for programs, or the lines for people."""
    if as_json:
        print_json(record)
    else:
        sys.stdout.write("\n".join(lines) + "\n")


@contextmanager
def progress_bars() -> Iterator[Report]:
    """Yield a function (what, done, of) that draws a bar per `what` on stderr; plain silence when it is no terminal."""
    if not sys.stderr.isatty():
        yield lambda what, done, of: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """How many a second, over the last half minute."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    done = TextColumn("{task.completed:,}/{task.total:,}")
    columns = (TextColumn("{task.description}"), BarColumn(), done, Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done)

        yield report

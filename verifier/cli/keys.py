"""How commands are told which key signs."""

from pathlib import Path
from typing import Annotated

import typer

SealKey = Annotated[str, typer.Option(help="the private key: a PEM file (`por log key` makes one), or a URI")]
PublicHalf = Annotated[Path | None, typer.Option(help="the public half (PEM), for keys that are no file")]

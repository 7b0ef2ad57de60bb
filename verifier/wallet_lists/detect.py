"""Recognise whose wallet list a file is, by its header."""

from pathlib import Path

from verifier.errors import InputError
from verifier.wallet_lists import bitmex, htx, okx
from verifier.wallet_lists.lines import LineReader
from verifier.wallet_lists.record import WalletList
from verifier.wallet_lists.tables import open_table

KNOWN = "OKX (11, 12 or merged columns), HTX (monthly CSV), BitMEX (reserves YAML)"
_READERS = ((okx.recognises, okx.read), (htx.recognises, htx.read))


def open_list(path: Path, reader: LineReader) -> WalletList:
    """Open a wallet list; its rows are read on demand through `reader`.

    Raises UnavailableError when the file cannot be read, InputError when it is no list known here.
    """
    first = next((line for line in LineReader(path).lines() if line.strip()), "")
    if bitmex.recognises(first):
        return bitmex.read(path, reader)
    table = open_table(reader)
    if table is not None:
        for recognises, read in _READERS:
            if recognises(table.columns):
                return read(table)
    raise InputError(f"{path}: not a wallet list known here; known: {KNOWN}")

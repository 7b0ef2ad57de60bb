"""Foreign text made visible: what would move the cursor, reverse a line or hide is written out as its code point."""

import unicodedata

# Controls, formats (bidirectional marks, joiners, tags), surrogates, private use, unassigned, line and paragraph ends.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return text in which every character that shows nothing by itself is written as ⟨U+202E⟩."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"⟨U+{ord(one):04X}⟩" if unicodedata.category(one) in HIDDEN else one for one in text)

"""Build the page on which users check proofs in a browser: one file, offline, with nothing loaded from elsewhere."""

import hashlib
import json
import re
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from verifier.inclusion.grading import LIMITS, WARNINGS
from verifier.inclusion.own_proof import DEFAULT_MAX_AGE
from verifier.inclusion.proof import PROOF_FORMAT
from verifier.inclusion.recipe import recipes

_SOURCES = files("verifier.web") / "page"
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([a-z_0-9]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function\*?|class) ([A-Za-z_0-9]+))", re.MULTILINE)
_OPTION = re.compile(r" \(--[^)]*\)")
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def build_page() -> str:
    """Return the page; the same sources give the same bytes."""
    script, style = _script(), _text("page.css")
    policy = _POLICY.format(script=_source_hash(script), style=_source_hash(style))
    # No part is looked into for the places of the next one: what a description says cannot stand for a part.
    parts = {"policy": policy, "style": style, "script": script}
    return re.sub(r"\{\{(policy|style|script)\}\}", lambda match: parts[match[1]], _text("page.html"))


def formats_of_page() -> list[str]:
    """Return the names of the formats that the page checks, in alphabetical order, our own last."""
    missing = unsupported()
    return [*(name for name in recipes() if name not in missing), PROOF_FORMAT]


def unsupported() -> list[str]:
    """Return the names of the formats whose special reader the page does not have."""
    readers = {*re.findall(r"^  ([a-z]+): read[A-Z]", _text("special.js"), re.MULTILINE)}
    return [
        name
        for name, recipe in recipes().items()
        if recipe.special not in (None, *readers) and recipe.data["container"] == "path"
    ]


def _tables() -> dict[str, Any]:
    """Return what the page takes over from the descriptions of the formats and from the sentences of `por check`."""
    words = tomllib.loads(_text("words.toml"))
    words["limits"]["en"] = {code: _OPTION.sub("", text) for code, text in LIMITS.items()}
    return {
        "formats": [
            {
                "name": name,
                "title": recipe.data["title"],
                "container": recipe.data["container"],
                "special": recipe.special,
                "variants": [dict(variant.data) for variant in recipe.variants],
            }
            for name, recipe in recipes().items()
        ],
        "warnings": WARNINGS,
        "max_age_days": DEFAULT_MAX_AGE.days,
        "words": words,
    }


def _script() -> str:
    """Return all modules in one script, each in a scope of its own, those first that others need."""
    # Named groups are spelled differently in the two languages; `<` could end the script.
    tables = json.dumps(_tables(), ensure_ascii=False).replace("(?P<", "(?<").replace("<", "\\u003c")
    wrapped = [f"const modules = {{ tables: {{ TABLES: {tables} }} }};\n"]
    for name in _in_order("main"):
        source = _text(f"{name}.js")
        body = _EXPORT.sub("", _IMPORT.sub(r"const \1 = modules.\2;\n", source))
        if re.search(r"^(import|export)\b|</script|<!--", body, re.MULTILINE):
            raise ValueError(f"{name}.js: an import, an export or a tag that the page cannot hold")
        exported = ", ".join(match[1] for match in _EXPORT.finditer(source))
        wrapped.append(f"modules.{name} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n")
    return '"use strict";\n(() => {\n' + "".join(wrapped) + "})();\n"


def _in_order(name: str, above: tuple[str, ...] = (), seen: set[str] | None = None) -> Iterator[str]:
    """Yield the modules that a module needs, each once and before those that need it, and the module itself."""
    seen = {"tables"} if seen is None else seen
    if name in above:
        raise ValueError(f"{name}.js: imports itself through {', '.join(above)}")
    if name in seen:
        return
    seen.add(name)
    for match in _IMPORT.finditer(_text(f"{name}.js")):
        yield from _in_order(match[2], (*above, name), seen)
    yield name


def _text(name: str) -> str:
    return (_SOURCES / name).read_text("utf-8")


def _source_hash(content: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(content.encode()).digest()).decode()

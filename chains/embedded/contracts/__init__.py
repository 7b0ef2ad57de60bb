"""The two small contracts of the simulations, as source and as the bytecode compiled from it (recipe: compile.js)."""

from importlib.resources import files


def bytecode(name: str) -> bytes:
    """Return the compiled code of a contract in this folder: "DemoToken" (creation) or "BalanceBatch" (runtime)."""
    return bytes.fromhex((files(__name__) / f"{name}.hex").read_text("ascii").strip())

"""Compile hot loops with numba, and keep the result on disk until anything it was made from changes."""

import inspect
from collections.abc import Callable, Sequence
from hashlib import sha256
from types import ModuleType
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(signature: Any = None, callees: Sequence[ModuleType] = ()) -> Callable[[Function], Function]:
    """Compile a function that runs without the interpreter's lock, and keep the result on disk.

    With a signature it is compiled when its module is imported, else at its first call. What was kept serves until the
    function's own module, one of `callees` or numba changes.
    """
    # numba looks for changes in the function's own file alone; what it keeps bears the qualified name.
    stamp = sha256("".join(map(inspect.getsource, callees)).encode()).hexdigest()[:16]

    def compile_once(function: Function) -> Function:
        function.__qualname__ += f"_{stamp}"
        try:
            return cast(Function, numba.njit(signature, nogil=True, error_model="numpy", cache=True)(function))
        except RuntimeError:  # no folder to keep it in, neither beside the file nor the user's: compiled at each start
            return cast(Function, numba.njit(signature, nogil=True, error_model="numpy")(function))

    return compile_once


def internal(function: Function) -> Function:
    """Compile a function that only compiled ones call; it is kept with them."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """Compile a function into its callers, whatever the compiler thinks of it."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy", inline="always")(function))

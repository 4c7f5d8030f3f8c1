"""What a call returned or raised → what the driver compares with the expected answer.

Modules that only some answers take are imported there: every worker waits for what stands at the top.
"""

from __future__ import annotations

import reprlib
import sys
from array import array
from typing import Any, Callable


def answer_of_call(call: Callable[..., Any], arguments: tuple[Any, ...], with_values: bool = False) -> dict[str, Any]:
    """The answer of `call(*arguments)`, an exception included."""
    try:
        returned = call(*arguments)
    except Exception as error:
        return {"raised": raised(error)}
    return answer(returned, with_values)


def answer(returned: object, with_values: bool = False) -> dict[str, Any]:
    """The answer for an object. Types are compared exactly: a `bool` is no `int`, and a subclass is something else too."""
    if returned is None:
        return {"none": None}
    if type(returned) is int:
        return {"integer": str(returned)}
    if type(returned) is float:
        return {"float": repr(returned)}
    if type(returned) is list:
        integers = _integers(returned, with_values)
        return _other(returned) if integers is None else {"integers": integers}
    uint32 = _uint32(returned)
    if uint32 is not None:
        return {"uint32": _integers(uint32, with_values)}
    return _other(returned)


def raised(error: Exception, with_traceback: bool = False) -> dict[str, Any]:
    """What the driver learns of an exception."""
    kind = type(error)
    described: dict[str, Any] = {
        "type": kind.__name__,
        "message": _message(error),
        "bases": [base.__name__ for base in kind.__mro__[1:]],
    }
    if with_traceback:
        import traceback

        described["traceback"] = _printable("".join(traceback.format_exception(kind, error, error.__traceback__)))
    return described


def _integers(items: list[Any], with_values: bool) -> dict[str, Any] | None:
    """The digest of a list of `int` that fit in 64 bits, as little-endian uint64; None for any other list."""
    if not set(map(type, items)) <= {int}:
        return None
    try:
        packed = array("Q", items)
    except OverflowError:
        return None
    if sys.byteorder == "big":
        packed.byteswap()
    from hashlib import sha256

    integers: dict[str, Any] = {"count": len(items), "sha256": sha256(packed).hexdigest()}
    if with_values:
        integers["values"] = items
    return integers


def _uint32(returned: object) -> list[int] | None:
    """The items of a one-dimensional, contiguous buffer of uint32; None for anything else."""
    try:
        view = memoryview(returned)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # no buffer, or one that was released
        return None
    # A C compiler's unsigned int or unsigned long, in the machine's own byte order.
    of_uint32 = view.format.lstrip("@=") in ("I", "L") and view.itemsize == 4
    return view.tolist() if of_uint32 and view.ndim == 1 and view.c_contiguous else None


def _other(returned: object) -> dict[str, Any]:
    return {"other": _printable(f"{type(returned).__name__}: {reprlib.repr(returned)}")}


def _message(error: Exception) -> str:
    try:
        return _printable(str(error))
    except Exception:
        return "(the exception cannot be printed)"


def _printable(text: str) -> str:
    """The text without lone surrogates, which JSON can carry but no Rust string can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")

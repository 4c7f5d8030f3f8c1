"""What a call returned or raised → what the driver compares with the expected answer.

Modules that only some answers take are imported there: every worker waits for what stands at the top.
"""

from __future__ import annotations

import reprlib
import sys
from array import array
from types import WrapperDescriptorType
from typing import Any, Callable

from . import texts


def answer_of_call(
    call: Callable[..., Any], arguments: tuple[Any, ...], with_values: bool = False, with_traceback: bool = False
) -> dict[str, Any]:
    """The answer of `call(*arguments)`, an exception included, whatever it is: a lane that calls `sys.exit` has raised."""
    try:
        returned = call(*arguments)
    except BaseException as error:
        return {"raised": raised(error, with_traceback)}
    return answer(returned, with_values)


def answer(returned: object, with_values: bool = False) -> dict[str, Any]:
    """The answer for an object. Types are compared exactly: a `bool` is no `int`, and a subclass is something else too."""
    if returned is None:
        return {"none": None}
    if type(returned) is int:
        try:
            return {"integer": str(returned)}
        except ValueError:  # more digits than Python writes
            return {"other": f"int: a number of {returned.bit_length()} bits"}
    if type(returned) is float:
        return {"float": repr(returned)}
    if type(returned) is list:
        integers = _integers(returned, with_values)
        return _other(returned) if integers is None else {"integers": integers}
    uint32 = _uint32(returned)
    if uint32 is not None:
        return {"uint32": _integers(uint32, with_values)}
    return _other(returned)


def raised(error: BaseException, with_traceback: bool = False) -> dict[str, Any]:
    """What the driver learns of an exception. Its texts are cut; with a traceback, the whole goes to the log."""
    kind = type(error)
    described: dict[str, Any] = {
        "type": texts.name(kind),
        "message": texts.shortened(texts.message(error)),
        "bases": texts.bases(kind),
    }
    if with_traceback:
        traceback = texts.traceback(error)
        texts.log("".join(traceback))
        # The innermost frames say most.
        described["traceback"] = "".join(map(texts.shortened, traceback[-8:]))
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
    if _works_late(returned):
        return None
    try:
        view = memoryview(returned)  # type: ignore[arg-type]
    except Exception:  # no buffer, one that was released, or a `__buffer__` that raises
        return None
    # A C compiler's unsigned int or unsigned long, in the machine's own byte order.
    of_uint32 = view.format.lstrip("@=") in ("I", "L") and view.itemsize == 4
    return view.tolist() if of_uint32 and view.ndim == 1 and view.c_contiguous else None


def _works_late(returned: object) -> bool:
    """Whether a method in Python gives the buffer: it may do now, after the clock has stopped, what the call should have."""
    method = getattr(type(returned), "__buffer__", None)
    return method is not None and not isinstance(method, WrapperDescriptorType)


def _other(returned: object) -> dict[str, Any]:
    if _works_late(returned):
        return {"other": f"{texts.name(type(returned))}: its __buffer__ is a method in Python, which works after the call"}
    try:
        shown = reprlib.repr(returned)
    except BaseException:
        shown = "(it cannot be printed)"
    return {"other": texts.shortened(texts.printable(f"{texts.name(type(returned))}: {shown}"))}

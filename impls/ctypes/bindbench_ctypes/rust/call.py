"""What crossing costs. Where the prototype alone keeps the contract, the foreign function itself is the operation."""

from __future__ import annotations

import sys
import threading
from array import array
from collections.abc import Callable
from ctypes import byref, c_int64
from operator import index
from typing import Any

from ..kernels import CALLBACK, OK, Callback, library
from ..memory import Borrowed, ints_of, unboxed

noop = library.bb_noop
add = library.bb_add
fail = library.bb_fail

LEAST, MOST = -(2**63), 2**63 - 1

_length, _take, _give, _call_back = library.bb_length, library.bb_take, library.bb_give, library.bb_call_back


def length(data: bytes | bytearray | memoryview) -> int:
    """The number of bytes. A bytes object's memory is passed as it is; any other buffer is borrowed first.

    Also that of a subclass: its `len` is what its `__len__` says.
    """
    if type(data) is bytes:
        return _length(data, len(data))
    with Borrowed(data) as memory:
        return _length(memory.address, memory.length)


def take_list(xs: list[int]) -> int:
    """The sum of the items, unboxed by `array`: it checks each one's type and range."""
    if not isinstance(xs, list):
        raise TypeError(f"a list is needed, not {type(xs).__name__}")
    items = unboxed("q", ints_of(xs))
    total = c_int64()
    _take(*items.buffer_info(), byref(total))  # ours alone: nobody can resize it during the call
    return total.value


def give_list(n: int) -> list[int]:
    """The ints below n, written into an array and boxed in one go."""
    n = index(n)
    if n < 0:
        raise ValueError("n must not be negative")
    items = array("q", [0]) * n
    _give(*items.buffer_info())
    return items.tolist()


class _Calls:
    """What the steps of one `call_back` share."""

    __slots__ = ("done", "function", "raised")

    def __init__(self, function: Callable[[int], int]) -> None:
        self.function, self.done = function, 0
        self.raised: BaseException | None = None


def _step(calls: _Calls, i: int, result: Any) -> int:
    if calls.done != i:
        return CALLBACK  # the step before was lost, see _keep
    # An exception can't cross C: ctypes would hand it to sys.unraisablehook and go on. So it is kept, and C told to stop.
    try:
        value = index(calls.function(i))
        if not LEAST <= value <= MOST:
            raise OverflowError("the result does not fit 64 bits")
        result[0] = value  # which would cut it to 64 bits
        calls.done = i + 1
    except BaseException as exception:
        calls.raised = exception
        return CALLBACK
    return OK


_c_step = Callback(_step)
_lost = threading.local()


def _keep(unraisable: Any, others: Callable[[Any], object] = sys.unraisablehook) -> None:
    # Ctrl-C, or too deep a recursion, may strike where `_step` is entered, before its `try`. C then gets no status, but what lies
    # in its place: the last step's OK.
    if unraisable.object is _step or repr(_step) in (unraisable.err_msg or ""):  # CPython before 3.13, and since
        _lost.exception = unraisable.exc_value
    else:
        others(unraisable)


sys.unraisablehook = _keep


def call_back(f: Callable[[int], int], n: int) -> int:
    """The sum of what f answers. One C callback serves every call: what differs goes through its context pointer."""
    if not callable(f):
        raise TypeError(f"a function is needed, not {type(f).__name__}")
    n = index(n)
    if n <= 0:
        return 0
    if n > MOST:
        raise OverflowError("n does not fit 64 bits")
    total = c_int64()
    calls = _Calls(f)
    _call_back(_c_step, calls, n, byref(total))
    if calls.done != n:
        raise calls.raised or vars(_lost).pop("exception", KeyboardInterrupt)
    return total.value

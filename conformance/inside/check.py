"""What a check is, and the usual kinds."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

Operation = Callable[..., Any]
Arguments = Callable[[], tuple[Any, ...]]
"""Makes the arguments anew for every lane, as some of them change."""


@dataclass(frozen=True, repr=False)
class Check:
    """A way to call an operation, and what is wrong with what came of it, if anything."""

    operation: str
    name: str
    complaint: Callable[[Operation], str | None]
    form: str | None = None
    """Only for lanes that take this form of input."""
    numpy: bool = False
    """Only where there is NumPy."""
    package: bool = False
    """Only for packages that others publish: it asks for what takes long, to find limits that nobody here has set."""
    starved: bool = False
    """Takes memory away. Not for packages, which may end the process, nor for lanes that work in others."""

    def __repr__(self) -> str:
        return f"{self.operation}({self.name})"


def gives(operation: str, name: str, arguments: Arguments, answer: object, form: str | None = None, numpy: bool = False) -> Check:
    """The call returns this, and of this type."""

    def complaint(call: Operation) -> str | None:
        given = call(*arguments())
        fine = type(given) is type(answer) and given == answer
        return None if fine else f"expected {answer!r}, got {given!r}, a {type(given).__name__}"

    return Check(operation, name, complaint, form, numpy)


def refuses(
    operation: str,
    name: str,
    arguments: Arguments,
    *kinds: type[BaseException],
    form: str | None = None,
    numpy: bool = False,
    exact: int | None = None,
) -> Check:
    """The call raises an exception of one of these types or of a derived one; or gives the exact answer, if there is one."""
    wanted = " or ".join([*(kind.__name__ for kind in kinds), *([] if exact is None else [str(exact)])])

    def complaint(call: Operation) -> str | None:
        try:
            given = call(*arguments())
        except kinds:
            return None
        except BaseException as error:
            return f"expected {wanted}, got {described(error)}"
        return None if type(given) is int and given == exact else f"expected {wanted}, got {shortened(given)}"

    return Check(operation, name, complaint, form, numpy)


def starves(operation: str, name: str, little: Arguments, much: Arguments, items: int, form: str | None = None) -> Check:
    """Where there is no memory for so many items, an exception says so. First a call on little makes what is made once."""

    def complaint(call: Operation) -> str | None:
        given = much()
        call(*little())
        usual, most = resource.getrlimit(resource.RLIMIT_AS)
        for mebibytes in (1, 4, 8, 16, 32):
            size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + (mebibytes << 20), most))
            try:
                length = _length(call(*given))
            except (MemoryError, OverflowError):
                continue
            except BaseException as error:
                return f"expected MemoryError with {mebibytes} MiB, got {described(error)}"
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (usual, most))
            if length != items:
                return f"expected {items} items or MemoryError with {mebibytes} MiB, got {length}"
        return None

    return Check(operation, name, complaint, form, starved=True)


def counts_arguments(operation: str, arguments: Arguments, form: str | None = None) -> Iterable[Check]:
    """An operation takes as many arguments as it says, by position, and no others."""
    refused = {"too many arguments": lambda: (*arguments(), 0)}
    if arguments():
        refused["too few arguments"] = lambda: arguments()[:-1]
    for name, wrong in refused.items():
        yield refuses(operation, name, wrong, TypeError, form=form)

    def complaint(call: Operation) -> str | None:
        try:
            given = call(*arguments(), no_such_argument=0)
        except TypeError:
            return None
        except BaseException as error:
            return f"expected TypeError, got {described(error)}"
        return f"expected TypeError, got {shortened(given)}"

    yield Check(operation, "an unknown keyword", complaint, form)


def described(error: BaseException) -> str:
    """An exception in a line."""
    return f"{type(error).__name__}: {str(error)[:200]}"


def shortened(answer: object) -> str:
    """An answer in a line."""
    return repr(answer)[:200]


def _length(answer: Any) -> int:
    return len(answer) if isinstance(answer, list) else len(memoryview(answer))

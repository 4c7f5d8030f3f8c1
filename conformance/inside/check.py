"""What a check is, and the usual kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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

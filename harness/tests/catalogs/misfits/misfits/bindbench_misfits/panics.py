"""As an extension in Rust panics: no Exception, so nothing that catches those catches it. At every third call."""

from itertools import count

calls = count(1)


class PanicException(BaseException):
    pass


def add(a: int, b: int) -> int:
    if next(calls) % 3 == 0:
        raise PanicException("called `Option::unwrap()` on a `None` value")
    return a + b

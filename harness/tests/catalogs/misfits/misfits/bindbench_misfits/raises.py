"""An exception of its own, whose message is no help at all."""


class Odd(Exception):
    pass


def add(a: int, b: int) -> int:
    raise Odd("one line\nand \x1b[31manother")

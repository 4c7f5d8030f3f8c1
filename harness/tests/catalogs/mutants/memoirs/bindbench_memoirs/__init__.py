"""Lanes that keep the answers to what they have been given. The operations are those of the mutants, before they are changed."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

sys.path.append(str(Path(__file__).absolute().parents[2] / "mutants"))

from bindbench_mutants.right import OPERATIONS


def by_value(argument: Any) -> Any:
    """What is equal to it has the same."""
    return argument if isinstance(argument, (bytes, str, int)) or callable(argument) else tuple(argument)


def by_identity(argument: Any) -> Any:
    """Nothing else has the same for as long as it lives, which an answer that is kept sees to."""
    return argument if isinstance(argument, int) else id(argument)


def _remembering(right: Callable[..., Any], key: Callable[[Any], Any], sights: int = 1) -> Callable[..., Any]:
    known: dict[Any, Any] = {}
    seen: Counter[Any] = Counter()

    def operation(*given: Any) -> Any:
        found = tuple(map(key, given))
        if found in known:
            return known[found][0]
        answer = right(*given)
        seen[found] += 1
        if seen[found] >= sights:
            known[found] = answer, given
        return answer

    return operation


for _key, _sights, _called in ((by_value, 1, "by_value"), (by_identity, 1, "by_identity"), (by_identity, 3, "at_third_sight")):
    _module = ModuleType(f"{__name__}.{_called}", _key.__doc__)
    for _name, _right in OPERATIONS.items():
        setattr(_module, _name, _remembering(_right, _key, _sights))
    sys.modules[_module.__name__] = _module

"""Lanes that go wrong, one module for each theme, one function for each kind.

A lane needs a module of its own, so the module `bindbench_hostile.answers.off_by_one` is made when it is imported: its operations
are the function `off_by_one` of `answers`. A kind marked with `at_import` does its harm then; its operations are right.
"""

from __future__ import annotations

import multiprocessing.process
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from itertools import count
from types import ModuleType
from typing import Any, Callable

Function = Callable[..., Any]

MARK = os.environ.get("BINDBENCH_TEST_MARK", "hostile")
"""What the test knows its processes and their leavings by."""

# Semaphores in shared memory are named after it.
multiprocessing.process.current_process()._config["semprefix"] = f"/{MARK}"  # type: ignore[attr-defined]


def at_import(function: Function) -> Function:
    """Mark a kind that does its harm when its module is imported."""
    function.at_import = True  # type: ignore[attr-defined]
    return function


def after(calls: int) -> Callable[[], bool]:
    """A question that is answered with yes from its so-manieth time on."""
    asked = count(1)
    return lambda: next(asked) > calls


class _Kinds(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        theme, _, kind = name.rpartition(".")
        function = getattr(sys.modules.get(theme), kind, None)
        return ModuleSpec(name, self) if theme.startswith(__name__ + ".") and callable(function) else None

    def exec_module(self, module: ModuleType) -> None:
        theme, _, kind = module.__name__.rpartition(".")
        function = getattr(sys.modules[theme], kind)
        if getattr(function, "at_import", False):
            function()
            module.add = lambda a, b: a + b  # type: ignore[attr-defined]
        else:
            module.add = module.give_list = module.take_list = function  # type: ignore[attr-defined]


sys.meta_path.append(_Kinds())

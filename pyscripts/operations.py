"""Says which functions modules do not define, by their source: nothing of theirs is imported or run.

On stdin a JSON list of ``{"paths": [folder, …], "module": "a.b", "names": [name, …]}``; on stdout, for each, the file and the
names that it does not define, or null where that can't be told without running it: an extension, a module that is not there,
names that are made by a program.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

# Whoever uses these may define anything.
DYNAMIC = {"globals", "locals", "vars", "exec", "eval", "setattr", "__getattr__", "__dict__", "modules"}


def source_of(paths: list[str], module: str) -> Path | None:
    """The file that Python would import; none where it would be an extension, or there is none."""
    *folders, name = module.split(".")
    for path in paths:
        folder = Path(path, *folders)
        package = folder / name / "__init__.py"
        if package.is_file():
            return package
        if folder.is_dir() and any(
            file.name.startswith(f"{name}.") and file.suffix in {".so", ".pyd"} for file in folder.iterdir()
        ):
            return None
        file = folder / f"{name}.py"
        if file.is_file():
            return file
    return None


def defined(tree: ast.Module) -> set[str] | None:
    """The names that a module binds; none where they can't be told."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if (isinstance(node, ast.Name) and node.id in DYNAMIC) or (isinstance(node, ast.Attribute) and node.attr in DYNAMIC):
            return None
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            # What is inside of it is its own, but for what it declares global.
            if any(isinstance(inner, ast.Global) for inner in ast.walk(node)):
                return None
            names.add(node.name)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        todo.extend(ast.iter_child_nodes(node))
    return None if names & {"*", "__getattr__"} else names


def missing(asked: dict) -> dict | None:
    """What is asked for and not defined, with the file."""
    file = source_of(asked["paths"], asked["module"])
    if file is None:
        return None
    try:
        names = defined(ast.parse(file.read_bytes(), str(file)))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if names is None:
        return None
    return {"file": str(file), "names": [name for name in asked["names"] if name not in names]}


if __name__ == "__main__":
    json.dump([missing(asked) for asked in json.load(sys.stdin)], sys.stdout)

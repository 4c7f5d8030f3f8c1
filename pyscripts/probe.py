"""Prints, as one JSON object, what bindbench wants to know of the interpreter that runs this."""

from __future__ import annotations

import json
import os
import platform
import sys
import sysconfig


def flags() -> list[str]:
    """Build flags that change speed."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    compiler = f"{sysconfig.get_config_var('CFLAGS') or ''} {sysconfig.get_config_var('PY_CORE_CFLAGS') or ''}"
    found = {
        "pgo": "--enable-optimizations" in arguments or "-fprofile-use" in compiler,
        "lto": "--with-lto" in arguments or "-flto" in compiler,
        "frame pointers": "-fno-omit-frame-pointer" in compiler,
        "jit": "--enable-experimental-jit" in arguments,
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "free-threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    }
    return [name for name, is_on in found.items() if is_on]


def libpython() -> str | None:
    """The shared libpython mapped into this process; none where it is linked in, or where the system does not tell."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:
            paths = {line.split(maxsplit=5)[5].strip() for line in maps if "libpython" in line or "libpypy" in line}
    except OSError:
        return None
    return min(paths, default=None)


def can_import(name: str) -> bool:
    """Whether a module is there: Debian takes some out of the standard library."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


# A virtual environment's program and its base are the same interpreter.
base = getattr(sys, "_base_executable", None) or sys.executable
include = sysconfig.get_path("include", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix})
print(
    json.dumps(
        {
            "program": os.path.realpath(base),
            "implementation": sys.implementation.name,
            "version": platform.python_version(),
            "pypy": ".".join(map(str, sys.pypy_version_info[:3])) if hasattr(sys, "pypy_version_info") else None,
            "description": " ".join(sys.version.split()),
            "flags": flags(),
            "libpython": libpython(),
            "include": include if os.path.isfile(os.path.join(include, "Python.h")) else None,
            "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX"),
            "has_venv": can_import("venv") and can_import("ensurepip"),
        }
    )
)

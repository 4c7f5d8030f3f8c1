"""Run checks of one workload over a lane: `python -m inside REQUEST RESULTS`, both files.

The request says which: the lane's `paths` and its `module`, the names of the `checks`, where NumPy is (`numpy`, or null). Of each
check the results have two lines: its name when it begins, and what is wrong when it ends. So a crash has a name.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import sys

from . import CHECKS
from .check import described


def main(request: str, results: str) -> None:
    """Run them."""
    faulthandler.enable()
    with open(request) as file:
        asked = json.load(file)
    sys.path[:0] = asked["paths"]
    if asked["numpy"] is not None:
        sys.path.append(asked["numpy"])
    module = importlib.import_module(asked["module"])
    names = set(asked["checks"])
    with open(results, "a") as log:
        for check in CHECKS[asked["workload"]]:
            if repr(check) not in names:
                continue
            print(json.dumps([repr(check)]), file=log, flush=True)
            try:
                complaint = check.complaint(getattr(module, check.operation.partition(".")[2]))
            except BaseException as error:
                complaint = f"unexpected {described(error)}"
            print(json.dumps([repr(check), complaint]), file=log, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

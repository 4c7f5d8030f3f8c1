"""The lane that CONTRIBUTING.md makes as an example keeps the contract."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from inside.check import described
from inside.kmp import CHECKS

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


def test_the_example_lane_keeps_the_contract() -> None:
    [source] = re.findall(r'```python\n("""kmp .*?)```', CONTRIBUTING.read_text(encoding="utf-8"), re.DOTALL)
    lane = ModuleType("mysearch_regex")
    exec(source, vars(lane))
    wrong = {}
    for check in CHECKS:
        if check.form == "bytes" and not (check.numpy or check.starved):
            try:
                wrong[check.name] = check.complaint(lane.find_all)
            except Exception as error:
                wrong[check.name] = described(error)
    assert len(wrong) > 10
    assert not any(wrong.values()), wrong

"""Every promised figure, one script after another: what each prints, then a table, then every script's last line.

    python bench/all.py [name …]

Ends with 1 when a figure was not reached, an answer was wrong, or a script failed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_FIRST = ("question_point", "question_list", "question_aggregate", "question_concurrent", "tpch", "ledger")
"""In the order of the documentation; a script that is not named here comes after these."""


def main() -> None:
    found = sorted(
        path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_") and path.stem != "all"
    )
    unknown = set(sys.argv[1:]) - set(found)
    if unknown:
        raise SystemExit(f"no such measurement: {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
    names = [name for name in (*_FIRST, *found) if name in (sys.argv[1:] or found)]
    results = {name: _measured(name) for name in dict.fromkeys(names)}
    print(f"\n{'measurement':<22} {'value':>12} {'unit':<12} {'speedup':>9} {'cost ratio':>11}  reached")
    for name, (last, _) in results.items():
        print(_line(name, last))
    for _, line in results.values():
        print(line)
    if not all(last.get("reached") for last, _ in results.values()):
        sys.exit(1)


def _measured(name: str) -> tuple[dict[str, Any], str]:
    """Run one script, showing what it prints; its last line, read and as it was."""
    print(f"\n── {name}", flush=True)
    line = ""
    with subprocess.Popen(
        [sys.executable, str(HERE / f"{name}.py")], stdout=subprocess.PIPE, text=True, cwd=HERE.parent
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
    try:
        last = json.loads(line)
    except json.JSONDecodeError:
        last = None
    if not isinstance(last, dict):
        last = {"bench": name, "reached": False, "failed": process.returncode}
    last["reached"] = last.get("reached", True) and process.returncode == 0
    return last, json.dumps(last)


def _line(name: str, last: dict[str, Any]) -> str:
    def figure(key: str) -> str:
        return f"{last[key]:,.2f}" if isinstance(last.get(key), int | float) else "–"

    reached = "failed" if "failed" in last else "yes" if last.get("reached") else "NO"
    return (
        f"{name:<22} {figure('value'):>12} {last.get('unit', ''):<12} {figure('speedup'):>9} "
        f"{figure('cost_ratio'):>11}  {reached}"
    )


if __name__ == "__main__":
    main()

"""Every demand of the standard has a test."""

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.fsc.musts import MUSTS


@cache
def held() -> dict[str, list[str]]:
    """Which tests hold which demands, read from the marks."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for key in _marks(node):
                    found.setdefault(key, []).append(f"{path.stem}::{node.name}")
    return found


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    calls = [
        one for one in node.decorator_list if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
    ]
    arguments = [argument for call in calls if call.func.id == "holds" for argument in call.args]  # type: ignore[attr-defined]
    return [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]


@pytest.mark.parametrize("key", MUSTS)
def test_every_must_has_a_test(key: str) -> None:
    assert held().get(key), MUSTS[key]

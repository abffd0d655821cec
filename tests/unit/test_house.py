"""The page about the house names what is there: every room, and every function on the path of a question."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = (ROOT / "docs/reference/house.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src/sluis"
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py):(\w+)`", HOUSE)))


def defined(path: Path) -> set[str]:
    """Names of functions, methods, classes and module constants in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_the_house_page_names_is_there(file: str, name: str) -> None:
    assert name in defined(SOURCE / file)


def test_every_room_is_on_the_house_page() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert {room for room in rooms if f"| `{room}` |" not in HOUSE} == set()


def test_every_room_of_the_gateway_is_on_the_house_page() -> None:
    folders = {path.parent.name for path in (SOURCE / "gateway").glob("*/__init__.py")}
    files = {path.stem for path in (SOURCE / "gateway").glob("*.py")} - {"__init__"}
    told = HOUSE.partition("## Rooms of the gateway")[2].partition("\n## ")[0]
    assert {room for room in folders | files if f"`{room}`" not in told} == set()


def test_every_file_the_house_page_names_is_there() -> None:
    files = {path for path in re.findall(r"`((?:tests|docs)/[\w./]+)`", HOUSE) if not (ROOT / path).exists()}
    assert files == set()

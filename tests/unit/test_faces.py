"""A room's face names what it shows, and shows what it names."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import sluis

_HOUSE = Path(sluis.__file__).parent
ROOMS = sorted(path.parent.name for path in _HOUSE.glob("*/__init__.py")) + sorted(
    ".".join(path.parent.relative_to(_HOUSE).parts)
    for path in _HOUSE.glob("*/*/__init__.py")
    if "__all__" in path.read_text(encoding="utf-8")  # within a room, a folder may be no more than that
)


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_face_names_is_there(room: str) -> None:
    face = import_module(f"sluis.{room}")
    assert [name for name in face.__all__ if not hasattr(face, name)] == []


def tree(room: str) -> ast.Module:
    return ast.parse(_HOUSE.joinpath(*room.split("."), "__init__.py").read_text(encoding="utf-8"))


def only_shows(room: str) -> bool:
    """Whether a face does nothing itself: then all that it imports is there to be shown."""
    return not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree(room).body)


@pytest.mark.parametrize("room", [room for room in ROOMS if only_shows(room)])
def test_what_a_face_imports_it_names(room: str) -> None:
    own = {name for name, module in shown(room).items() if module.startswith("sluis.")}
    assert own - ({"on_demand"} if room != "kernel" else set()) == set(import_module(f"sluis.{room}").__all__)


def shown(room: str) -> dict[str, str]:
    """What a face imports, and from where."""
    return {
        alias.asname or alias.name: node.module or ""
        for node in ast.walk(tree(room))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("room", [room for room in ROOMS if "on_demand" in shown(room)])
def test_what_is_loaded_on_demand_has_no_name_of_a_file_beside_it(room: str) -> None:
    """Whoever loads that file would put it in the place of what the face shows."""
    beside = {path.stem for path in _HOUSE.joinpath(*room.split(".")).iterdir()}
    assert {
        name for name, module in shown(room).items() if name in beside and module != f"sluis.{room}"
    } == set()


def test_a_face_does_not_show_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        import_module("sluis.web").nowhere  # noqa: B018


@pytest.mark.parametrize("command", ["check", "init", "join", "apply", "fsc", "ledger", "policy"])
def test_commands_that_serve_nobody_wait_for_no_server_and_no_database(command: str) -> None:
    asked = f"import sys, sluis.cli.{command}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"litestar", "uvicorn", "aiohttp", "sqlalchemy", "duckdb", "pyarrow", "tantivy"} & {
        *loaded
    } == set()

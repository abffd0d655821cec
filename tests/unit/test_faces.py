"""A room's face names what it shows, and shows what it names."""

import ast
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
    imported = {
        alias.asname or alias.name
        for node in tree(room).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported - set(import_module(f"sluis.{room}").__all__) == set()

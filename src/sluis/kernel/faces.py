"""The face of a large room: what it shows is loaded when somebody asks for it, and not before (PEP 562).

Such a face has its imports under `if TYPE_CHECKING`, where checkers and readers find them as ever, and `__getattr__` from
here, which follows the same lines. A command that needs the rules of a room then does not wait for its servers.
"""

import ast
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def on_demand(face: str) -> Callable[[str], Any]:
    """`__getattr__` for a package that shows what other modules hold.

    Args:
        face: the name of the package.
    """
    places: dict[str, tuple[str, str]] = {}

    def show(name: str) -> Any:
        places.update({} if places else _places(face))
        if name not in places:
            raise AttributeError(f"module {face!r} has no attribute {name!r}", name=name)
        module, held = places[name]
        if module == face:  # a file of the room itself
            return import_module(f"{face}.{held}")
        found = getattr(import_module(module), held)
        setattr(import_module(face), name, found)
        return found

    return show


def _places(face: str) -> dict[str, tuple[str, str]]:
    """Where a name is, and how it is called there, for all that a face imports."""
    loader: Any = getattr(find_spec(face), "loader", None)
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(ast.parse(loader.get_source(face)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

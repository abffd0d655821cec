"""Decoding, from threads that all begin at once; and forms, that can be read in one way alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sluis
from sluis.kernel import Repeated, read_fields

AT_ONCE = """
import sys, threading, msgspec
from sluis.kernel import {name}

sys.setswitchinterval(1e-6)
raw = b'{{' + b','.join(b'"f%d":[{{"a":"x"}}]' % number for number in range(8)) + b'}}'
given = raw if "{name}" == "decode" else msgspec.json.decode(raw)
for _ in range(40):
    inner = msgspec.defstruct("Inner", [("a", str), ("b", "int | None", None)])
    outer = msgspec.defstruct("Outer", [(f"f{{number}}", tuple[inner, ...]) for number in range(8)])
    gate, found = threading.Barrier(6), []

    def work():
        gate.wait()
        found.append({name}(given, outer))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all(one.f7[0].a == "x" for one in found)
"""


@pytest.mark.parametrize("name", ["decode", "convert"])
def test_a_kind_that_many_threads_meet_for_the_first_time_at_once_crashes_none_of_them(
    name: str, tmp_path: Path
) -> None:
    script = tmp_path / "at_once.py"
    script.write_text(AT_ONCE.format(name=name))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a=%C3%A9+x", {"a": "é x"}),
        ("a=1&b=2&c=3", {"a": "1", "b": "2", "c": "3"}),
    ],
)
def test_a_form_is_read_as_it_was_written(text: str, fields: dict[str, str]) -> None:
    assert read_fields(text, 3) == fields == read_fields(text, 3, strict=True)


@pytest.mark.parametrize("text", ["a=1&a=1", "a=1&%61=2", "a=&a=1"])
def test_a_field_that_stands_there_twice_is_none_of_the_two(text: str) -> None:
    with pytest.raises(Repeated):
        read_fields(text, 3)


@pytest.mark.parametrize("text", ["a=1&b=2&c=3&d=4", "a=%FF", "a=b%00c", "%00=b"])
def test_a_form_that_is_too_much_or_no_text_is_not_read(text: str) -> None:
    with pytest.raises(ValueError):
        read_fields(text, 3)


def test_a_name_without_a_value_is_a_field_unless_each_must_have_one() -> None:
    assert read_fields("a", 3) == {"a": ""}
    with pytest.raises(ValueError):
        read_fields("a", 3, strict=True)


ONE_THREAD = ("cli/", "config/", "gateway/documents/")
"""Where only one thread ever looks: commands, starting, and declarations, which are read one after the other."""


def first_look(call: ast.Call) -> bool:
    """Whether msgspec is given a struct here that it may not have looked at before."""
    called = ast.unparse(call.func)
    typed = any(word.arg == "type" and isinstance(word.value, ast.Name) for word in call.keywords)
    return called == "msgspec.convert" or (called == "msgspec.json.decode" and typed)


def test_no_room_lets_two_threads_look_at_a_struct_for_the_first_time() -> None:
    package = Path(sluis.__file__).parent
    found = [
        f"{name}:{one.lineno}"
        for path in package.rglob("*.py")
        if (name := str(path.relative_to(package))) != "kernel/codec.py" and not name.startswith(ONE_THREAD)
        for one in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(one, ast.Call) and first_look(one)
    ]
    assert found == []

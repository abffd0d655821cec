"""Decoding, from threads that all begin at once."""

import subprocess
import sys
from pathlib import Path

import pytest

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

"""Identifiers that join records."""

import os
import re

from sluis.kernel import new_span_id


def test_span_ids_are_sixteen_digits_and_each_is_another() -> None:
    made = [new_span_id() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert all(re.fullmatch(r"(?!0{16})[0-9a-f]{16}", one) for one in made)


def test_a_process_and_its_fork_make_no_ids_twice() -> None:
    new_span_id()  # so that some were made beforehand
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_span_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 16).decode()
    assert theirs not in {new_span_id() for _ in range(512)}

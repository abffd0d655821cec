"""Late readings are stopped; connections are lent, kept and thrown away."""

import threading
import time
from collections.abc import Callable

import pytest

from sluis.sources import Limits, SourceFailure
from sluis.sources.watch import Pool, Reading, watched


def test_a_reading_within_its_time_is_left_alone() -> None:
    stopped = threading.Event()
    with watched(Limits(seconds=5), stopped.set) as reading:
        reading.check()
    assert not stopped.is_set()


def failure_of(limits: Limits, stop: Callable[[], None], read: Callable[[Reading], None]) -> SourceFailure:
    """How a watched reading fails."""
    try:
        with watched(limits, stop) as reading:
            read(reading)
    except SourceFailure as failure:
        return failure
    raise AssertionError("it did not fail")


def test_a_late_reading_is_stopped_and_its_error_becomes_a_timeout() -> None:
    stopped = threading.Event()

    def read(reading: Reading) -> None:
        assert stopped.wait(5)
        raise RuntimeError("the driver says something else")

    assert failure_of(Limits(seconds=0.05), stopped.set, read).kind == "timeout"


def test_a_cancelled_reading_is_stopped() -> None:
    limits, stopped = Limits(seconds=60), threading.Event()

    def read(reading: Reading) -> None:
        limits.cancelled.set()
        assert stopped.wait(5)
        reading.check()

    assert failure_of(limits, stopped.set, read).kind == "cancelled"


def test_a_stop_that_fails_is_tried_again() -> None:
    tries: list[int] = []
    enough = threading.Event()

    def stop() -> None:
        tries.append(1)
        if len(tries) == 2:
            enough.set()
        raise OSError("not now")

    def read(reading: Reading) -> None:
        assert enough.wait(5)
        reading.check()

    assert failure_of(Limits(seconds=0.01), stop, read).kind == "timeout"


def test_nothing_is_stopped_after_the_end() -> None:
    stops: list[float] = []
    stopped = threading.Event()

    def stop() -> None:
        stops.append(time.monotonic())
        stopped.set()

    def read(reading: Reading) -> None:
        assert stopped.wait(5)
        reading.check()

    assert failure_of(Limits(seconds=0.01), stop, read).kind == "timeout"
    ended = time.monotonic()
    for thread in threading.enumerate():
        if thread.name == "sluis-sources-stop":
            thread.join(5)
            assert not thread.is_alive(), "it still wants to stop what has ended"
    assert all(moment <= ended for moment in stops)


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="mine"), watched(Limits(), lambda: None):
        raise ValueError("mine")


class Line:
    closed = False


def pool(size: int = 2) -> tuple[Pool[Line], list[Line]]:
    made: list[Line] = []

    def connect() -> Line:
        made.append(Line())
        return made[-1]

    return Pool(connect, lambda line: setattr(line, "closed", True), size), made


def test_a_connection_that_did_well_is_used_again() -> None:
    lines, made = pool()
    for _ in range(3):
        with lines.use(Limits()):
            pass
    assert len(made) == 1


def test_a_connection_that_failed_is_closed() -> None:
    lines, made = pool()
    with pytest.raises(ValueError, match="x"), lines.use(Limits()):
        raise ValueError("x")
    with lines.use(Limits()):
        pass
    assert [line.closed for line in made] == [True, False]


def test_who_comes_when_all_are_lent_waits_his_time() -> None:
    lines, _ = pool(size=1)
    with lines.use(Limits()), pytest.raises(SourceFailure) as caught, lines.use(Limits(seconds=0.05)):
        pass
    assert caught.value.kind == "timeout"


def test_a_failed_attempt_to_connect_takes_no_place() -> None:
    attempts: list[int] = []

    def connect() -> Line:
        attempts.append(1)
        if len(attempts) < 3:
            raise SourceFailure("unreachable", "down")
        return Line()

    lines = Pool(connect, lambda line: None, 1)
    for _ in range(2):
        with pytest.raises(SourceFailure), lines.use(Limits(seconds=0.1)):
            pass
    with lines.use(Limits(seconds=0.1)):
        pass


def test_closing_closes_what_is_idle_and_what_comes_back() -> None:
    lines, made = pool()
    with lines.use(Limits()):
        with lines.use(Limits()):
            pass
        lines.close()
        assert [line.closed for line in made] == [False, True]
    lines.close()
    assert all(line.closed for line in made)
    with pytest.raises(SourceFailure), lines.use(Limits()):
        pass

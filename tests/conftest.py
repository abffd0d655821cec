"""What every test may use."""

import faulthandler
import gc
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

# A machine that does much else makes values slowly; what is wrong with a strategy shows in the other checks.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

pytest_plugins = ["tests.servers"]

_BESIDE = Path(__file__).resolve().parents[2] / "shared"

SHARED: Path | None = _BESIDE if _BESIDE.is_dir() else None
"""The folder with official schemas and test data, when it lies beside the checkout."""

_OF_DEMO = re.compile("/test_(demo|stories_.*|the_demo_ends)\\.py$")
_YOUNG = 5_000  # containers, made and not yet freed, after which the youngest are looked through

_LONGEST = 240  # seconds; the slowest takes a tenth of it


class _ByFile(LoadFileScheduling):
    """Each file goes to one worker whole, and those about the demo go together: they share one, which is eight processes."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "demo" if _OF_DEMO.search(file) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    return _ByFile(config, log)


def pytest_configure() -> None:
    """A shell that runs these in the background has them, and all that they start, ignore Ctrl-C; some of it is ended so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection() -> None:
    """What is loaded and found now stays: to look through it again and again for what can be freed takes a second."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Ten thousand tests and all their modules stay: never look through them again for what can be freed."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test that waits for ever fails, and says where every thread stood, instead of keeping all others waiting."""
    longest = 0 if item.get_closest_marker("prove") else _LONGEST
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(longest)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _too_long(number: int, frame: FrameType | None) -> None:
    faulthandler.dump_traceback()
    raise TimeoutError(f"not done after {_LONGEST} seconds")

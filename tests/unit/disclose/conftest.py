from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.disclose.owner import Owner, disclosure


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    """An owner that opened everything to the asker, people named or not."""
    return Owner(
        tmp_path, *(disclosure(name, subject_required=False) for name in ("persons", "jobs", "cities"))
    )


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Owner]:
    """An owner with these disclosures."""
    return lambda *disclosures, **more: Owner(tmp_path, *disclosures, **more)

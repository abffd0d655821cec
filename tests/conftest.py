"""What every test may use."""

from pathlib import Path

pytest_plugins = ["tests.servers"]

_BESIDE = Path(__file__).resolve().parents[2] / "shared"

SHARED: Path | None = _BESIDE if _BESIDE.is_dir() else None
"""The folder with official schemas and test data, when it lies beside the checkout."""

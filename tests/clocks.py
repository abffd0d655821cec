"""The time, as a test sets it."""

from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = BEGIN) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, **passed: float) -> None:
        """Let time pass."""
        self.now += timedelta(**passed)

    @property
    def seconds(self) -> int:
        """Since the epoch."""
        return int(self.now.timestamp())

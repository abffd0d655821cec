"""What waits for an answer from outside: once, for a few minutes, and for the one browser that asked.

Challenges of passkeys (WebAuthn level 3, 13.4.3) and requests to wallets (OpenID4VP 1.0, 13.3) rest on it. They are in
memory alone: after a restart somebody begins again, and nothing about anyone was left behind.
"""

import hashlib
import hmac
import secrets
from typing import Generic, TypeVar

from sluis.crypto import encode_base64url
from sluis.kernel import Clock

T = TypeVar("T")

_BYTES = 32
"""Of randomness in a key: twice what WebAuthn asks for."""


class Waiting(Generic[T]):
    """Things that wait, each under a key that nobody can guess.

    Args:
        seconds: how long each waits.
        clock: the time.
        most: how many; the oldest gives way to a newer one.
    """

    def __init__(self, seconds: int, clock: Clock, most: int = 10_000) -> None:
        self._seconds, self._clock, self._most = seconds, clock, most
        self._waiting: dict[str, tuple[float, bytes, T]] = {}  # in the order in which they end

    def put(self, browser: str, what: T) -> str:
        """Let something wait.

        Args:
            browser: a secret that only the browser that asks has.
            what: the thing.

        Returns: its key, 43 characters base64url.
        """
        self._tidy(self._most - 1)
        key = encode_base64url(secrets.token_bytes(_BYTES))
        self._waiting[key] = (self._clock().timestamp() + self._seconds, _digest(browser), what)
        return key

    def look(self, key: str) -> T | None:
        """What waits under a key, whoever asks; it goes on waiting."""
        found = self._waiting.get(key)
        return found[2] if found and found[0] > self._clock().timestamp() else None

    def owns(self, key: str, browser: str) -> bool:
        """Whether something waits under this key, and this is the browser that asked."""
        found = self._waiting.get(key)
        return found is not None and hmac.compare_digest(found[1], _digest(browser))

    def take(self, key: str, browser: str) -> T | None:
        """What waits under a key, for the browser that asked: once."""
        found = self.look(key) if self.owns(key, browser) else None
        if found is not None:
            del self._waiting[key]
        return found

    def drop(self, key: str) -> None:
        """Let something wait no longer."""
        self._waiting.pop(key, None)

    def _tidy(self, most: int) -> None:
        now = self._clock().timestamp()
        while self._waiting:
            oldest = next(iter(self._waiting))
            if len(self._waiting) <= most and self._waiting[oldest][0] > now:
                return
            del self._waiting[oldest]


def _digest(browser: str) -> bytes:
    return hashlib.sha256(browser.encode()).digest()

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
        most: how many. When there are more, the oldest of whoever has most gives way: nobody pushes out others by asking often.
        each: how many of one who asks; then their own oldest gives way.
    """

    def __init__(self, seconds: int, clock: Clock, most: int = 10_000, each: int = 500) -> None:
        self._seconds, self._clock, self._most, self._each = seconds, clock, most, each
        self._waiting: dict[str, tuple[float, bytes, T, str]] = {}  # in the order in which they end
        self._of: dict[str, dict[str, None]] = {}  # the keys of each who asks, in the same order

    def put(self, browser: str, what: T, who: str = "") -> str:
        """Let something wait.

        Args:
            browser: a secret that only the browser that asks has.
            what: the thing.
            who: takes up the room: an address, or somebody who is signed in.

        Returns: its key, 43 characters base64url.
        """
        self._make_room(who)
        key = encode_base64url(secrets.token_bytes(_BYTES))
        self._waiting[key] = (self._clock().timestamp() + self._seconds, _digest(browser), what, who)
        self._of.setdefault(who, {})[key] = None
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
            self.drop(key)
        return found

    def drop(self, key: str) -> None:
        """Let something wait no longer."""
        found = self._waiting.pop(key, None)
        if found is not None:
            of = self._of[found[3]]
            del of[key]
            if not of:
                del self._of[found[3]]

    def _make_room(self, who: str) -> None:
        now = self._clock().timestamp()
        while self._waiting and self._waiting[oldest := next(iter(self._waiting))][0] <= now:
            self.drop(oldest)
        if len(self._of.get(who, ())) >= self._each:
            self.drop(next(iter(self._of[who])))
        elif len(self._waiting) >= self._most:
            most = max(self._of, key=lambda one: len(self._of[one]))
            self.drop(next(iter(self._of[most])))


def _digest(browser: str) -> bytes:
    return hashlib.sha256(browser.encode()).digest()

"""What somebody had filled in when their session turned out to be over: it waits until they are signed in again.

WCAG 2.2, 2.2.5 (re-authenticating). It waits in memory alone, some minutes, and for this browser and this person alone, acting for the
same one: so nobody else who signs in there sees it. That it was they, the form's token tells, which was made for the session that is
over; the session's own cookie may be gone already, where another tab signed out. It is bounded per person and as a whole, and in what
it weighs.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from sluis.kernel import Acting
from sluis.web.labels import Said
from sluis.web.visitors import Audience, SignedIn

SECONDS = 15 * 60
"""How long something waits."""

_MOST_SEEN = 20_000  # sessions of which it is remembered whose they were
_MOST = 1_000  # forms
_MOST_EACH = 5  # of one person
_MOST_BYTES = 16 * 1024 * 1024  # of all together


class Owner(msgspec.Struct, frozen=True):
    """Whose a session was.

    Args:
        session: its handle.
        acting: who acted, for whom.
        audience: as whom.
    """

    session: str
    acting: Acting
    audience: Audience

    def is_same(self, person: SignedIn) -> bool:
        """Whether this is who is signed in now, acting for the same one."""
        return (self.acting, self.audience) == (person.acting, person.audience)


class Unsent(msgspec.Struct, frozen=True):
    """A form that was not taken.

    Args:
        key: its name here; nobody can guess it.
        path: where it goes.
        fields: what was filled in, without the token.
        back: the page it stood on.
        said: what was filled in, in the words of the page.
        owner: whose it is.
        browser: digest of the secret of the browser it came from.
        until: when it is forgotten, by the clock.
    """

    key: str
    path: str
    fields: Mapping[str, str]
    back: str
    said: tuple[Said, ...]
    owner: Owner
    browser: bytes
    until: float

    def __repr__(self) -> str:
        return "Unsent(•)"


class Forms:
    """Forms that wait for somebody to sign in again.

    Args:
        token_of: the token that forms of somebody carry, while they act for who they act for.
        clock: seconds, of a clock that only goes forward.
    """

    def __init__(
        self, token_of: Callable[[SignedIn], str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token_of, self._clock = token_of, clock
        self._seen: OrderedDict[bytes, Owner] = OrderedDict()
        self._waiting: OrderedDict[str, Unsent] = OrderedDict()  # in the order in which they end
        self._bytes = 0

    def seen(self, visitor: SignedIn) -> None:
        """Remember whose session this is, by the token that its forms carry."""
        digest = _digest(self._token_of(visitor))
        if digest not in self._seen:
            self._seen[digest] = Owner(visitor.session, visitor.acting, visitor.audience)
            if len(self._seen) > _MOST_SEEN:
                self._seen.popitem(last=False)
        self._seen.move_to_end(digest)

    def keep(
        self, browser: str, path: str, fields: Mapping[str, str], back: str, said: tuple[Said, ...] = ()
    ) -> bool:
        """Keep a form.

        Args:
            browser: its own secret.
            path: where the form goes.
            fields: what was filled in, with its token.
            back: the page it stood on.
            said: what was filled in, in the words of the page.

        Returns: whether it waits; not when it was made for no session that is known.
        """
        owner = self._seen.get(_digest(fields.get("csrf", "")))
        if owner is None:
            return False
        self._make_room(owner)
        left = {name: value for name, value in fields.items() if name not in ("csrf", "unsent")}
        key = secrets.token_urlsafe(32)
        one = Unsent(key, path, left, back, said, owner, _digest(browser), self._clock() + SECONDS)
        self._waiting[key] = one
        self._bytes += _weight(one)
        return True

    def of(self, browser: str, person: SignedIn) -> tuple[list[Unsent], bool]:
        """What waits for somebody, newest first; and whether more does, for when they act for another."""
        self._forget()
        digest = _digest(browser)
        own = [
            one
            for one in reversed(self._waiting.values())
            if hmac.compare_digest(one.browser, digest) and one.owner.acting.person == person.acting.person
        ]
        same = [one for one in own if one.owner.is_same(person)]
        return same, len(same) < len(own)

    def done(self, key: str, browser: str) -> None:
        """Forget a form that was sent, or is not wanted any more; nothing happens when it is of another browser."""
        found = self._waiting.get(key)
        if found is not None and hmac.compare_digest(found.browser, _digest(browser)):
            self._drop(key)

    def _make_room(self, owner: Owner) -> None:
        self._forget()
        own = [key for key, one in self._waiting.items() if one.owner.acting.person == owner.acting.person]
        for key in own[: max(0, len(own) - _MOST_EACH + 1)]:
            self._drop(key)
        while self._waiting and (len(self._waiting) >= _MOST or self._bytes > _MOST_BYTES):
            self._drop(next(iter(self._waiting)))

    def _forget(self) -> None:
        now = self._clock()
        while self._waiting and next(iter(self._waiting.values())).until <= now:
            self._drop(next(iter(self._waiting)))

    def _drop(self, key: str) -> None:
        self._bytes -= _weight(self._waiting.pop(key))


def _weight(one: Unsent) -> int:
    return sum(len(name) + len(value) for name, value in one.fields.items())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()

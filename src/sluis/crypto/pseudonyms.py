"""Keyed pseudonyms of data subjects: HMAC-SHA256 of (kind, value) under the organisation's secret of a year.

With that secret all citizen service numbers can be tried in minutes. So it stays in the key store, it is destroyed
when its year is, and who *reads* by pseudonym (`Rereading`) does so at a limited pace. Without the secret a
pseudonym says nothing (AVG article 4(5)).
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime

from sluis.crypto.jcs import canonical_texts
from sluis.crypto.keys import KeyStore
from sluis.kernel import Refused, Text

_PREFIX = "pseudonym-"


class Pseudonymiser:
    """Pseudonyms of one organisation."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def of(self, kind: str, value: str, moment: datetime) -> str:
        """The pseudonym of a subject in the year of `moment`: 43 characters base64url.

        Args:
            kind: type of the key (`BSN`, or a URI).
            value: the key itself; it is not kept anywhere.
            moment: aware UTC; its year chooses the secret.

        Raises:
            NotFound: the secret of that year was destroyed.
        """
        return self._derive(f"{_PREFIX}{moment.year}", kind, value, create=True)

    def all_of(self, kind: str, value: str) -> tuple[str, ...]:
        """The pseudonyms of a subject in every year whose secret still exists, oldest first."""
        names = [name for name in self._keys.names() if name.startswith(_PREFIX)]
        return tuple(self._derive(name, kind, value, create=False) for name in names)

    def _derive(self, secret: str, kind: str, value: str, *, create: bool) -> str:
        mac = self._keys.mac(secret, canonical_texts(str(kind), str(value)), create=create)
        return urlsafe_b64encode(mac)[:-1].decode()


class Rereading:
    """Pseudonyms for whoever looks up a subject: the same values, at a limited pace.

    Args:
        pseudonyms: whose to give.
        per_minute: how many subjects may be looked up each minute; a burst may use a minute's worth at once.
        seconds: a clock that only goes forward.
    """

    def __init__(
        self, pseudonyms: Pseudonymiser, per_minute: int = 600, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._pseudonyms, self._per_minute, self._seconds = pseudonyms, per_minute, seconds
        self._left, self._since = float(per_minute), seconds()

    def all_of(self, kind: str, value: str) -> tuple[str, ...]:
        """As `Pseudonymiser.all_of`. Raises `Refused` (rule `lookup-pace`) when it goes too fast."""
        now = self._seconds()
        self._left = min(self._per_minute, self._left + (now - self._since) * self._per_minute / 60)
        self._since = now
        if self._left < 1:
            raise Refused(
                "lookup-pace",
                Text("Er wordt te snel gezocht op personen.", "Persons are being looked up too fast."),
                Text(
                    f"Per minuut mogen {self._per_minute} personen worden opgezocht.",
                    f"{self._per_minute} persons may be looked up each minute.",
                ),
                Text("Wacht een minuut en probeer het opnieuw.", "Wait a minute and try again."),
                rule="lookup-pace",
                retry=True,
            )
        self._left -= 1
        return self._pseudonyms.all_of(kind, value)

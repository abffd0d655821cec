"""By which names programs call the outway (RFC 9110 §7.2, Host).

A web page may have its own name lead to this machine (DNS rebinding): then a browser here lets it read whatever answers.
But the browser says in `Host` by which name it came, and that name is the page's own. So the outway takes requests for
names that it was given, and for addresses, which lead nowhere else. What a page sends to such a name without being able
to read the answer would still have its effect: of that browsers say that it comes from another site (Fetch Metadata,
`Sec-Fetch-Site`). nginx is told the same (`nginx_conf`).
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from sluis.gateway.planes.nginx_layout import is_address
from sluis.kernel import Text

ALWAYS = "localhost"
"""The one name that browsers and systems keep for this machine."""

NOT_CALLED_SO = Text(
    "Het verzoek noemt in `Host` geen IP-adres, niet localhost, en geen naam die in de instellingen staat.",
    "The request names in `Host` no IP address, not localhost, and no name that stands in the settings.",
)

CROSS_SITE = "cross-site"
"""What a browser says in `Sec-Fetch-Site` for a page of another site."""

FROM_A_PAGE = Text(
    "Een browser stuurt dit verzoek namens een pagina van een andere site.",
    "A browser sends this request on behalf of a page of another site.",
)

_HOST = re.compile(r"(\[[0-9a-f:.]+]|[^][:]+?)\.?(:[0-9]*)?")


def from_other_site(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a browser sends this for a page of another site."""
    return any(name == b"sec-fetch-site" and value == CROSS_SITE.encode() for name, value in headers)


class Hosts:
    """The names of one outway.

    Args:
        names: beside `localhost` and addresses.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset({ALWAYS, *(name.lower() for name in names)})
        self._known = lru_cache(maxsize=256)(self._fits)

    def allow(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers came by one of the names. One that names two hosts, or none, did not."""
        hosts = [value for name, value in headers if name == b"host"]
        return len(hosts) == 1 and self._known(hosts[0])

    def _fits(self, host: bytes) -> bool:
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        return found is not None and (found[1] in self._names or is_address(found[1].strip("[]")))

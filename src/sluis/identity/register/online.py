"""The trade register over HTTP: one call for each company, with an API key.

For the KVK API Basisprofiel (`GET …/v1/basisprofielen/{kvkNummer}`, header `apikey`), and for whatever gives the answer of
HR-Dataservice at an address of its own. A Basisprofiel names nobody who may act and no bankruptcy, so with that alone nobody acts.
Bounded in time, size and number at once; what the register says of a company that is not there goes on to whoever reads the
answer.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from sluis.crypto import calling_context
from sluis.identity.register.answers import Answer, unavailable
from sluis.identity.register.kvk import LARGEST
from sluis.kernel import Clock, Invalid, Kvk, Text, Upstream
from sluis.web import EVERYWHERE, Outgoing, Unreached

SECONDS = 10.0
"""That one answer may take."""

AT_ONCE = 4
"""Calls; further ones wait for these."""

NUMBER = "{kvk}"
"""In the address, where the number of the company goes."""

_OK, _REFUSED = 200, (401, 403)
_TOLD = (400, 404)  # with a body that says what is wrong
_LONGEST_KEY = 500


class Online:
    """A register that is asked over HTTP. For one event loop.

    Args:
        url: with `{kvk}` where the number goes.
        key_file: the API key; read at each call, so that a new one is used at once. None: none is sent.
        clock: aware UTC.
        authorities: that vouch for the host (PEM files); empty: those of the system.

    Raises `Invalid` when an authority file cannot be read.
    """

    def __init__(
        self, url: str, key_file: Path | None, clock: Clock, authorities: Sequence[Path] = ()
    ) -> None:
        self._url, self._key_file, self._clock = url, key_file, clock
        self._context, self._gate = calling_context(authorities), asyncio.Semaphore(AT_ONCE)

    async def company(self, kvk: Kvk) -> Answer:
        """What the register says now.

        Raises:
            Upstream: it cannot be reached, is busy, or does not take the key (`register-unavailable`, `register-key`).
            Invalid: `register-key-file`: there is no usable key.
        """
        headers = {"accept": "application/json, application/xml;q=0.9, text/xml;q=0.9"}
        if self._key_file is not None:
            headers["apikey"] = await asyncio.to_thread(read_key, self._key_file)
        url = self._url.replace(NUMBER, str.__str__(kvk))
        try:
            async with self._gate, Outgoing(self._context, EVERYWHERE) as web:
                got = await web.call("GET", url, None, headers, seconds=SECONDS, most=LARGEST)
        except Unreached:
            raise unavailable() from None
        if got.status in _REFUSED:
            raise _key_refused()
        if got.status not in (_OK, *_TOLD) or not got.whole or not got.body:
            raise unavailable()
        if got.status in _TOLD and got.media_type != "application/json":
            raise unavailable()  # a page of something that stands in between says nothing of a company
        return Answer(got.body, self._clock())


def read_key(file: Path) -> str:
    """The API key in a file, without what stands around it. Raises `Invalid` (`register-key-file`)."""
    try:
        key = file.read_bytes()[: _LONGEST_KEY + 1].decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key or len(key) > _LONGEST_KEY or not key.isprintable() or " " in key:
        raise Invalid(
            "register-key-file",
            Text("Er is geen sleutel voor het handelsregister.", "There is no key for the trade register."),
            Text("Het bestand bij `register.key_file` is er niet, of er staat geen sleutel in.",
                 "The file of `register.key_file` is not there, or holds no key."),
            Text("Zet de API-sleutel van de KVK in dat bestand, op één regel.",
                 "Put the API key of the KVK in that file, on one line."),
        )  # fmt: skip
    return key


def _key_refused() -> Upstream:
    return Upstream(
        "register-key",
        Text("Het handelsregister is nu niet te raadplegen.", "The trade register cannot be consulted now."),
        Text("Het register neemt de API-sleutel van dit knooppunt niet aan.",
             "The register does not take the API key of this node."),
        Text("Vraag de beheerder om de sleutel te vernieuwen (`register.key_file`).",
             "Ask the operator to renew the key (`register.key_file`)."),
        retry=False,
    )  # fmt: skip

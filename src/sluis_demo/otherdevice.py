"""A wallet on another device than the browser in which somebody signs in: in a terminal, with the cards of the demo that runs."""

import re
import tomllib
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import msgspec

from sluis.cli.terminal import say
from sluis.kernel import NotFound, Text
from sluis_demo.browser import Browser, Form, Shown
from sluis_demo.federation import AUTHORITY_FILE
from sluis_demo.organisations import ASKER

_CODE = re.compile(r"<strong>([A-Z0-9]{4}-[A-Z0-9]{4})</strong>")


class Question(msgspec.Struct, frozen=True):
    """What somebody is asked to show.

    Args:
        verifier: who asks.
        claims: what for.
        cards: that would do.
        answer: the path where the answer goes.
    """

    verifier: str
    claims: tuple[str, ...]
    cards: tuple[str, ...]
    answer: str


class Device:
    """Another device; to be used in a `with`.

    Args:
        home: folder of the demo. Raises `NotFound` when there is none in it.
    """

    def __init__(self, home: Path) -> None:
        try:
            settings = tomllib.loads((home / ASKER.alias / "node.toml").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise _no_demo(home) from None
        self._wallet = str(settings["passport"]["wallet"])
        self._browser = Browser(home / AUTHORITY_FILE)

    def __enter__(self) -> "Device":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.__exit__(kind, error, trace)

    def open(self, link: str) -> Question:
        """Who asks what, behind the link of a sign-in page; only its query counts. Raises `Upstream`."""
        told = self._browser.data(f"{self._wallet}?{urlsplit(link).query}")
        return msgspec.convert(told, Question)

    def answer(self, asked: Question, card: int | None) -> str:
        """Show a card, counted from 1, or nothing; gives what to do next. Raises `Upstream`."""
        form = Shown(self._wallet, 200, "", "", (), (Form(asked.answer),))
        filled = {"refuse": "1"} if card is None else {"card": str(card - 1)}
        shown = self._browser.send(form, filled)
        code = _CODE.search(shown.text)
        if code is None:
            return shown.title
        return say(
            f"Typ deze code op de pagina waar u inlogt: {code[1]}",
            f"Type this code on the page where you sign in: {code[1]}",
        )


def _no_demo(home: Path) -> NotFound:
    return NotFound(
        "no-demo",
        Text("Er is geen demo.", "There is no demo."),
        Text(f"In `{home}` staat er geen.", f"There is none in `{home}`."),
        Text(
            "Start er een met `make demo`, en laat die draaien.",
            "Start one with `make demo`, and leave it running.",
        ),
    )

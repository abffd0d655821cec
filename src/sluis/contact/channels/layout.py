"""What stands around a message: the page of an e-mail, and that of a letter. Both hold a fragment that was made safe already."""

from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from sluis.contact.channels.base import Parcel
from sluis.contact.rules import HERE
from sluis.kernel import written_day


class Paper(msgspec.Struct, frozen=True):
    """How letters of one print street look.

    Args:
        window: on which side its envelopes show the address.
        returns: where a letter goes back to that cannot be delivered, on one line; empty: that does not stand in the window.
    """

    window: Literal["left", "right"] = "left"
    returns: str = ""

    @property
    def left(self) -> int:
        """Where the address begins, in millimetres from the left edge of the sheet."""
        return 25 if self.window == "left" else 110


PAPER = Paper()
"""As most print streets have it."""


def mail_page(parcel: Parcel) -> str:
    """The HTML of an e-mail. Nothing in it is fetched from elsewhere: who opens it tells nobody."""
    return _rendered("mail.html", parcel)


def letter_page(parcel: Parcel, paper: Paper) -> str:
    """The HTML of a letter on A4, dated when it is sent, the address where a window envelope shows it."""
    moment = datetime.fromtimestamp(parcel.created, UTC)

    def say(nl: str, en: str) -> str:
        return en if parcel.language == "en" else nl

    day = written_day(moment.astimezone(HERE).date()).said_in(parcel.language)
    return _rendered(
        "letter.html", parcel, paper=paper, day=day, say=say, moment=f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    )


def _rendered(template: str, parcel: Parcel, **more: Any) -> str:
    content = Markup(parcel.html)  # noqa: S704
    return _environment().get_template(template).render(parcel=parcel, content=content, **more)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    folder = files("sluis.contact") / "templates"
    return Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )

"""What stands around a message: the page of an e-mail, and that of a letter. Both hold a fragment that was made safe already."""

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from sluis.contact.channels.base import Parcel


def mail_page(parcel: Parcel) -> str:
    """The HTML of an e-mail. Nothing in it is fetched from elsewhere: who opens it tells nobody."""
    return _rendered("mail.html", parcel)


def letter_page(parcel: Parcel) -> str:
    """The HTML of a letter on A4, the address where a window envelope shows it."""
    return _rendered("letter.html", parcel)


def _rendered(template: str, parcel: Parcel) -> str:
    return _environment().get_template(template).render(parcel=parcel, content=Markup(parcel.html))  # noqa: S704


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

"""A browser without a window: follows links, fills in forms, keeps cookies, over HTTPS. It runs no script, and needs none."""

import re
import ssl
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from sluis.cli.terminal import language
from sluis.kernel import Text, Upstream


class Form(msgspec.Struct):
    """A form of a page: where it goes, and what it carries unseen."""

    action: str
    fields: dict[str, str] = {}


class Shown(msgspec.Struct, frozen=True):
    """A page: its address, status, title, links and forms; `text` is all of it."""

    url: str
    status: int
    text: str
    title: str
    links: tuple[str, ...]
    forms: tuple[Form, ...]


class Browser:
    """One browser of one person; to be used in a `with`.

    Args:
        authority: whose certificates it trusts.
    """

    def __init__(self, authority: Path) -> None:
        self._http = httpx.Client(
            verify=ssl.create_default_context(cafile=authority),
            headers={"accept": "text/html", "accept-language": language()},
            follow_redirects=True,
            timeout=30,
            trust_env=False,
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def open(self, url: str) -> Shown:
        """Go to an address. Raises `Upstream` when there is no page."""
        return self._shown(self._http.get(url))

    def follow(self, page: Shown, part: str) -> Shown:
        """Click on the first link with `part` in its address. Raises `Upstream`."""
        link = next((one for one in page.links if part in one), None)
        if link is None:
            raise _not_as_expected(page.url)
        return self.open(str(httpx.URL(page.url).join(link)))

    def send(self, page: Shown, fields: Mapping[str, str], form: str = "", **carries: str) -> Shown:
        """Send the last form with `form` in its address that carries all of this. Raises `Upstream`."""
        fitting = (
            one
            for one in reversed(page.forms)
            if form in one.action and carries.items() <= one.fields.items()
        )
        chosen = next(fitting, None)
        if chosen is None:
            raise _not_as_expected(page.url)
        return self.post(str(httpx.URL(page.url).join(chosen.action)), {**chosen.fields, **fields})

    def post(self, url: str, fields: Mapping[str, str]) -> Shown:
        """Send fields to an address, as a button of a form does that leads elsewhere. Raises `Upstream`."""
        target = httpx.URL(url)
        origin = {"origin": f"https://{target.netloc.decode()}"}
        return self._shown(self._http.post(target, data=dict(fields), headers=origin))

    def data(self, url: str) -> Any:
        """What stands at an address as JSON. Raises `Upstream`."""
        answer = self._http.get(url, headers={"accept": "application/json"})
        if answer.status_code != httpx.codes.OK:
            raise _not_as_expected(str(answer.url), answer.status_code)
        return answer.json()

    def _shown(self, answer: httpx.Response) -> Shown:
        if answer.status_code != httpx.codes.OK:
            raise _not_as_expected(str(answer.url), answer.status_code)
        reader = _Reader()
        reader.feed(answer.text)
        title = re.search(r"<h1[^>]*>([^<]*)", answer.text)
        return Shown(
            str(answer.url),
            answer.status_code,
            answer.text,
            title[1].strip() if title else "",
            tuple(reader.links),
            tuple(reader.forms),
        )


class _Reader(HTMLParser):
    """The links and forms of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and given.get("type") == "hidden" and self.forms:
            self.forms[-1].fields[given["name"]] = given.get("value", "")


def _not_as_expected(url: str, status: int = httpx.codes.OK) -> Upstream:
    place = urlsplit(url)
    where = f"{place.scheme}://{place.netloc}{place.path}"
    return Upstream(
        "page-not-as-expected",
        Text("De demo kon niet verder op een pagina.", "The demo could not go on at a page."),
        Text(f"De pagina `{where}` is er niet, of ziet er anders uit (status {status}).",
             f"The page `{where}` is not there, or looks different (status {status})."),
        Text("Kijk in de logboeken van de knooppunten in de map van de demo (`node.log`).",
             "Look at the logs of the nodes in the demo's folder (`node.log`)."),
        peer=place.netloc,
        retry=True,
    )  # fmt: skip

"""A browser for tests: calls a portal as an ASGI app without sockets, or others over TLS; keeps cookies, fills in forms, and
follows redirects when asked to. It knows what browsers refuse: a `__Host-` cookie that is not strict enough."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
import msgspec

PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


class Form(msgspec.Struct):
    """A form as it stands on a page; `url` is where it leads from there."""

    action: str
    method: str
    fields: dict[str, str]
    url: str


class Shown(msgspec.Struct):
    """An answer as a browser has it."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def forms(self) -> list[Form]:
        """The forms of this page, in order, with what is filled in already."""
        reader = _Forms(self.url)
        reader.feed(self.text)
        return reader.found

    def form(self, action: str, **fields: str) -> Form:
        """The first form with this action and these hidden fields."""
        return next(
            one
            for one in self.forms
            if one.action == action and all(one.fields.get(name) == value for name, value in fields.items())
        )


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.found = page, list[Form]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            action = given.get("action") or ""
            self.found.append(Form(action, given.get("method") or "get", {}, urljoin(self.page, action)))
        elif tag == "input" and given.get("type") == "hidden":
            self.found[-1].fields[str(given["name"])] = given.get("value") or ""


class Browser:
    """One browser of one person.

    Args:
        app: the portal, or the way there (`over_tls`).
        origin: of an address that names none.
        address: where it connects from.
        language: that it prefers.
    """

    def __init__(
        self,
        app: Any,
        origin: str = "https://portal.example",
        address: str = "192.0.2.1",
        language: str = "nl",
    ) -> None:
        self.app, self.origin, self.address, self.language = app, origin, address, language
        self.cookies: dict[str, str] = {}

    async def get(self, url: str, follow: bool = False, **headers: str) -> Shown:
        """Go to a page, as from the address bar."""
        return await self.request("GET", url, {"sec-fetch-site": "none", **headers}, follow=follow)

    async def send(self, form: Form, follow: bool = False, **fields: str) -> Shown:
        """Send a form of a page, with these fields besides."""
        return await self.post(form.url, form.fields | fields, follow=follow)

    async def post(self, url: str, fields: Mapping[str, str], follow: bool = False, **headers: str) -> Shown:
        """Send fields from a page of the portal itself."""
        return await self.request(
            "POST",
            url,
            {
                "content-type": "application/x-www-form-urlencoded",
                "origin": self._origin(url),
                "sec-fetch-site": "same-origin",
                **headers,
            },
            urlencode(fields).encode(),
            follow=follow,
        )

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        follow: bool = False,
    ) -> Shown:
        """Send any request. Names of headers may be written with `_`."""
        shown = await self._request(method, url, headers or {}, body)
        while follow and shown.status in (302, 303) and shown.headers["location"].startswith("/"):
            shown = await self._request("GET", shown.headers["location"], {}, b"")
        return shown

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Shown:
        parts = urlsplit(url)
        sent = {"host": urlsplit(self._origin(url)).netloc, "accept": PAGE, "accept-language": self.language}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies and "cookie" not in sent:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "http_version": "1.1",
            "scheme": "https",
            "root_path": "",
            "server": ("portal.example", 443),
            "client": (self.address, 40_000),
            "extensions": {},
        }
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        raw = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
        cookies = [value for name, value in raw if name == "set-cookie"]
        for cookie in cookies:
            self._keep(cookie)
        content = b"".join(message.get("body", b"") for message in messages[1:])
        return Shown(url, messages[0]["status"], dict(raw), content, cookies)

    def _origin(self, url: str) -> str:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else self.origin

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        if name.startswith("__Host-"):
            assert "Secure" in attributes, cookie
            assert "Path=/" in attributes, cookie
            assert not re.search(r"(?i)domain=", cookie), cookie
        if "Max-Age=0" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


def over_tls(http: httpx.AsyncClient) -> Any:
    """The way to whoever a request names, over the network, as an ASGI app."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        host = dict(scope["headers"])[b"host"].decode()
        url = httpx.URL(
            f"https://{host}", raw_path=b"?".join(filter(None, (scope["raw_path"], scope["query_string"])))
        )
        body = (await receive())["body"]
        answer = await http.request(scope["method"], url, headers=scope["headers"], content=body)
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    return app


def tied(text: str) -> str:
    """The field of a page that the problem above its form links to, which names the text at it too; "" when there is none."""
    link = re.search(r'role="alert">.*?<a href="#([^"]+)"', text, re.DOTALL)
    if link is None:
        return ""
    field = re.search(rf'<[^>]* id="{re.escape(link[1])}"[^>]*>', text)
    assert field is not None
    assert f"{link[1]}-wrong" in field[0].partition('aria-describedby="')[2].partition('"')[0].split()
    assert f'id="{link[1]}-wrong"' in text
    return link[1]

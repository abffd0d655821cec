"""How a page is made: the templates of all rooms, in two languages, with one layout.

Pages work without script, and hold none: what a page may load is in its Content-Security-Policy (CSP level 3), which
allows this node's own files and nothing inline. A template writes its sentences in both languages, side by side:
`t("Inloggen", "Sign in")`. WCAG 2.2 AA is the floor for the layout.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from litestar import Request, Response
from markupsafe import Markup

from sluis.kernel import LEVEL_NAMES, Problem, Text, beginning
from sluis.web.labels import Said
from sluis.web.listing import PAGE, Asked, Cell, Column, read_asked
from sluis.web.look import Look, static_files
from sluis.web.notation import WRITERS
from sluis.web.visitors import Audience, SignedIn

HTML = "text/html"

SETTING = "sluis.page"
"""Key in the ASGI scope of what every page of a request is made with (`Setting`)."""

_MOST = 4000  # characters of a local path
_LOCAL = re.compile(
    r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*"
)  # what else a path has, is percent-encoded (RFC 3986, 2.1)


Section = Literal["", "mine", "messages", "asking", "owner", "oversight", "node", "account"]
"""A part of the navigation; empty of what stands by itself."""

SECTIONS: Mapping[Section, Text] = {
    "mine": Text("Mijn gegevens", "My data"),
    "messages": Text("Berichten", "Messages"),
    "asking": Text("Vragen stellen", "Asking"),
    "owner": Text("Onze gegevens", "Our data"),
    "oversight": Text("Toezicht", "Oversight"),
    "node": Text("Beheer", "Operations"),
    "account": Text("Mijn account", "My account"),
}
"""How each is called, in their order."""

_FEW = 5  # entries that need no sections


class Entry(msgspec.Struct, frozen=True):
    """A line of the navigation.

    Args:
        path: where it leads.
        title: what it says.
        audiences: who of those who signed in sees it; None: all of them.
        open: whether who is not signed in sees it too.
        roles: officials see it who have one of these; None: all of them. What a page itself asks, its route says.
        section: under which it stands where there are many.
        about: what one does there, in a sentence.
        without: officials who have no role but these do not see it.
    """

    path: str
    title: Text
    audiences: tuple[Audience, ...] | None = None
    open: bool = False
    roles: tuple[str, ...] | None = None
    section: Section = ""
    about: Text | None = None
    without: tuple[str, ...] = ()

    def is_for(self, visitor: SignedIn | None) -> bool:
        """Whether this visitor sees it."""
        if visitor is None:
            return self.open
        if self.audiences is not None and visitor.audience not in self.audiences:
            return False
        if visitor.audience != "staff":
            return True
        if visitor.roles and {*self.without}.issuperset(visitor.roles):
            return False
        return self.roles is None or not {*self.roles}.isdisjoint(visitor.roles)


class Menu(msgspec.Struct, frozen=True):
    """Entries that stand together.

    Args:
        title: above them; None of one that stands by itself.
        entries: of it.
        here: whether this page is one of them, or below one of them.
    """

    title: Text | None
    entries: tuple[Entry, ...]
    here: bool


class Setting(msgspec.Struct, frozen=True):
    """What every page of one request is made with.

    Args:
        organisation: whose node this is.
        language: `nl` or `en`.
        visitor: who is there.
        here: path and query of this page, to come back to.
        navigation: all entries there are.
        test: whether this is no production.
        token: gives the value that a form of this visitor must carry.
        browser: gives the secret of this browser, which it is handed with the answer when it had none.
        idle: seconds without a request after which a session is over.
        look: of this organisation.
    """

    organisation: str
    language: str
    visitor: SignedIn | None
    here: str
    navigation: Sequence[Entry]
    test: bool
    token: Callable[[], str]
    browser: Callable[[], str]
    idle: int
    look: Look = Look()

    def entries(self) -> list[Entry]:
        """What of the navigation this visitor sees."""
        return [one for one in self.navigation if one.is_for(self.visitor)]

    def menus(self) -> list[Menu]:
        """The same, as the layout shows them: together by section where there are many, and a section of one by itself."""
        entries, now = self.entries(), self.entry()
        together: dict[Section | Entry, list[Entry]] = {}
        for one in entries:
            alone = len(entries) <= _FEW or not one.section
            together.setdefault(one if alone else one.section, []).append(one)
        order = {name: at for at, name in enumerate(SECTIONS)}
        found = sorted(
            together.values(),
            key=lambda some: order.get(some[0].section, len(order)) if len(entries) > _FEW else 0,
        )
        return [
            Menu(SECTIONS[some[0].section] if len(some) > 1 else None, tuple(some), now in some)
            for some in found
        ]

    def workplace(self) -> list[tuple[Text, tuple[Entry, ...]]]:
        """The same in large: each section with its entries, and what stands by itself at the end."""
        entries = self.entries()
        found = [
            (title, tuple(one for one in entries if one.section == name)) for name, title in SECTIONS.items()
        ]
        found.append((Text("En verder", "And further"), tuple(one for one in entries if not one.section)))
        return [(title, some) for title, some in found if some]

    def leads_to(self, path: str) -> bool:
        """Whether the navigation leads this visitor there: other pages point there as well then."""
        return any(one.path == path for one in self.entries())

    def entry(self) -> Entry | None:
        """The entry of this page: it leads here, or to the nearest page above."""
        path = self.here.partition("?")[0]
        above = [one for one in self.entries() if path == one.path or path.startswith(f"{one.path}/")]
        return max(above, key=lambda one: len(one.path), default=None)

    def say(self, text: Text | str, en: str | None = None) -> str:
        """A sentence in the language of the page: a `Text`, or Dutch and English."""
        said = text if isinstance(text, Text) else Text(text, text if en is None else en)
        return said.said_in(self.language)


def page(
    request: Request[Any, Any, Any],
    template: str,
    *,
    status: int = 200,
    to: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response[bytes]:
    """A page.

    Args:
        request: what it answers; the portal has put there what the layout needs.
        template: room and file: `identity/sign_in.html` is `sign_in.html` among the templates of `sluis.identity`.
        status: of the answer.
        to: other origins (`https://…`) that a form on this page may lead to, also by a redirect afterwards.
        headers: more of them.
        values: what the template names.
    """
    setting = setting_of(request)
    return Response(
        rendered(setting, template, **values),
        status_code=status,
        media_type=HTML,
        headers={
            "content-security-policy": policy(to),
            "content-language": setting.language,
            **(headers or {}),
        },
    )


def setting_of(request: Request[Any, Any, Any]) -> Setting:
    """What pages of this request are made with: its language, its visitor, whose node it is."""
    setting: Setting = request.scope[SETTING]  # type: ignore[literal-required]
    return setting


def asked_in(
    request: Request[Any, Any, Any],
    columns: Sequence[Column],
    *,
    keep: Iterable[str] = (),
    prefix: str = "",
    size: int = PAGE,
    sort: str = "",
) -> Asked:
    """What the address of a request asks of a table; arguments as `read_asked`."""
    pairs = request.query_params.multi_items()
    return read_asked(request.url.path, pairs, columns, keep=keep, prefix=prefix, size=size, sort=sort)


def rendered(setting: Setting, template: str, **values: Any) -> bytes:
    """The same as HTML, outside a route."""
    return (
        _environment()
        .get_template(template)
        .render(
            {
                "setting": setting,
                "t": setting.say,
                "said": lambda value: setting.say(value) if isinstance(value, Text) else value,
                "visitor": setting.visitor,
            }
            | {"level": lambda level: setting.say(LEVEL_NAMES[level]), "csrf": lambda: _hidden(setting)}
            | values
        )
        .encode()
    )


def problem_page(setting: Setting, problem: Problem, typed: Sequence[Said] = ()) -> bytes:
    """A problem, as a person reads it: what happened, why, and what to do next; and what they had filled in, where that would be
    lost otherwise."""
    return rendered(setting, "web/problem.html", problem=problem, typed=typed)


def policy(to: Iterable[str] = ()) -> str:
    """The Content-Security-Policy of a page; arguments as `page`."""
    forms = " ".join(["'self'", *dict.fromkeys(_origin(one) for one in to)])
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        f"form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
    )


def local_path(text: str | None, otherwise: str = "/") -> str:
    """A path of this node, as a form or query gave it; `otherwise` for whatever could lead elsewhere (CWE-601)."""
    if text is None or len(text) > _MOST or not _LOCAL.fullmatch(text):
        return otherwise
    return text


def redirect(path: str, **query: str) -> Response[bytes]:
    """To another page of this node (RFC 9110 §15.4.4); what is not a path of this node leads to its first page."""
    target = local_path(path)
    return Response(
        b"", status_code=303, headers={"location": f"{target}?{urlencode(query)}" if query else target}
    )


def elsewhere(url: str) -> Response[bytes]:
    """To another site, whose address comes from settings or was compared with them. After a GET: see `onward`."""
    return Response(b"", status_code=303, headers={"location": url})


def onward(request: Request[Any, Any, Any], target: str) -> Response[bytes]:
    """Where a form leads when that may be another site in the end: a page that goes there by itself.

    Browsers hold a form's redirects to `form-action` as well, and do not know a page for an end of that; where the whole
    way is on this node, `redirect` is enough. `target` is a local path, or comes from settings.
    """
    refresh = {"refresh": f"0; url={quote(target, safe='/:?#[]@!$&()*+,;=%-._~')}"}
    return page(request, "web/onward.html", target=target, headers=refresh)


def after_form(request: Request[Any, Any, Any], response: Response[Any]) -> Response[Any]:
    """The same redirect, with its cookie, as a page that goes there by itself (`onward`)."""
    made: Response[Any] = onward(request, response.headers["location"])
    made.headers["set-cookie"] = response.headers["set-cookie"]
    return made


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {
        "static": _static,
        "sheets": _sheets,
        "scripts": _scripts,
        "plotted": _plotted,
        **WRITERS,
    }
    environment.filters |= WRITERS
    return environment


def _template(name: str) -> str | None:
    *rooms, file = name.split("/")
    found = files(".".join(["sluis", *rooms])) / "templates" / file
    return found.read_text(encoding="utf-8") if found.is_file() else None


def _static(name: str) -> str:
    path = f"/static/{name}"
    file = static_files().get(path)
    return path if file is None else f"{path}?{file.tag}"


def _sheets() -> list[str]:
    """Of every page. A checkout in which nobody ran `make setup` has none of others, and plain pages."""
    return [
        _static(name) for name in ("web/system.css", "web/portal.css") if f"/static/{name}" in static_files()
    ]


def _scripts() -> list[str]:
    """The same."""
    return [_static(name) for name in ("web/htmx.js", "web/pages.js") if f"/static/{name}" in static_files()]


def _plotted(value: Any) -> Any:
    """A value as a chart reads it from its table: a figure where it is one, a moment in seconds, and otherwise nothing."""
    if isinstance(value, Cell):
        value = value.value
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return beginning(value)
    return value if isinstance(value, int | float) else ""


def _hidden(setting: Setting) -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(setting.token())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

"""At the door of the portal: a request is held to what its route asks, before the route sees it.

What a route can ask stands in `portal`. The order matters: who waits is told that first, who is not signed in then, and only
who may come in has a form looked at: its origin and its token (CWE-352; OWASP ASVS 5.0, chapter 3).
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.exceptions import MethodNotAllowedException, NotFoundException

from sluis.kernel import Invalid, Refused, Text, Unidentified, reaches, read_fields
from sluis.web import problems
from sluis.web.access import keep_caller, methods_at
from sluis.web.labels import Said, filled_in
from sluis.web.pages import SETTING, local_path, redirect, setting_of
from sluis.web.routes import FORM, Form
from sluis.web.short import header, holds_nul
from sluis.web.tries import Tries, address_of
from sluis.web.unsent import Forms
from sluis.web.visitors import SignedIn

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods that change nothing (RFC 9110 §9.2.1)."""

_MOST_FORM = 64 * 1024  # bytes
_MOST_FIELDS = 500
_FORM_TYPE = "application/x-www-form-urlencoded"
_NO_GUESS = (409, 429)  # what was right and cannot be now, and who waits already
TYPED = "sluis.typed"
"""Key in the scope of what was filled in on a form that could not be taken."""

_TRIED = "sluis.tried"  # key in the scope: the route was reached, and what it is asked counts as a try


async def let_in(request: Request[Any, Any, Any], tries: Tries, forms: Forms) -> Response[Any] | None:
    """Hold a request to what its route asks.

    Args:
        request: to the route, with its `Setting`.
        tries: who failed before, and waits.
        forms: keeps what was filled in while a session ended.

    Returns where to go first, when that is somewhere else. Raises `Unidentified`, `Refused`, `Invalid`, `TooOften`.
    """
    opt, scope = request.route_handler.opt, request.scope
    if holds_nul(scope):
        raise NotFoundException
    callers = opt.get("callers")
    if callers is None:  # the framework's own OPTIONS handlers
        raise MethodNotAllowedException(headers={"allow": methods_at(request)})
    if opt.get("tries"):
        tries.check(_who(scope))
    visitor = setting_of(request).visitor
    keep_caller(scope, visitor)
    # Before the form: whose session is over is told that, and not that the form is.
    try:
        elsewhere = _admit(request, visitor) if callers == "people" else None
    except Unidentified:
        if (kept := await _keep(request, forms)) is None:
            raise
        return kept
    if elsewhere is not None:
        return elsewhere
    if FORM in opt or (scope["method"] not in SAFE and not opt.get("cross_site")):
        form = await _form(request)
        if not opt.get("cross_site"):
            _check_origin(request, form)
            if "unsent" in form:
                forms.done(form["unsent"], setting_of(request).browser())
                form = {name: value for name, value in form.items() if name != "unsent"}
        scope[FORM] = form  # type: ignore[literal-required]
    if opt.get("tries"):
        scope[_TRIED] = True  # type: ignore[literal-required]
    return None


def _admit(request: Request[Any, Any, Any], visitor: SignedIn | None) -> Response[Any] | None:
    """Let in whom the route is for; who is not signed in, or not surely enough, is sent to sign in first."""
    opt, setting = request.route_handler.opt, setting_of(request)
    audiences, level = opt.get("audience"), opt.get("level")
    if visitor is None or (level is not None and not reaches(visitor.level, level)):
        if request.method in SAFE and wants_page(request.scope):
            return _to_sign_in(request, setting.here)
        raise Unidentified("not-signed-in", _WHO, *(_SIGN_IN if visitor is None else _SIGN_IN_BETTER))
    if audiences is not None and visitor.audience not in audiences:
        raise _refused("not-for-you", _NOT_FOR_YOU)
    represents = visitor.represents if opt.get("represents", True) else None
    if represents is not None and represents.refusal is not None:
        raise represents.refusal
    return None


def _to_sign_in(request: Request[Any, Any, Any], target: str) -> Response[Any]:
    """As the route asks it, and from there to `target`."""
    opt = request.route_handler.opt
    audiences = opt.get("audience")
    only = audiences[0] if audiences is not None and len(audiences) == 1 else None
    given = {"next": target, "level": opt.get("level"), "audience": only}
    return redirect("/sign-in", **{name: value for name, value in given.items() if value is not None})


async def _keep(request: Request[Any, Any, Any], forms: Forms) -> Response[Any] | None:
    """What was filled in waits, where it is known whose it is, and its sender signs in first. Otherwise the answer itself shows it
    (`typed`). None when there is nothing to keep."""
    scope = request.scope
    if (
        scope["method"] in SAFE
        or request.route_handler.opt.get("cross_site")
        or not wants_page(scope)
        or _is_foreign(scope)
    ):
        return None
    form = await _form(request)
    path = local_path(scope["path"])
    came = urlsplit(header(scope, b"referer"))
    back = local_path(f"{came.path}?{came.query}" if came.query else came.path)
    said = _said(request, form)
    if form and forms.keep(setting_of(request).browser(), path, form, back, said):
        return _to_sign_in(request, "/unsent")
    scope[TYPED] = said  # type: ignore[literal-required]
    return None


def typed(scope: Mapping[str, Any]) -> Sequence[Said]:
    """What somebody filled in and could not be taken, nor kept: for the page that says so. Nothing of who is another site."""
    found: Sequence[Said] = scope.get(TYPED, ())
    return found


def _said(request: Request[Any, Any, Any], form: Form) -> tuple[Said, ...]:
    """A form in the words of its page."""
    given = {name: value for name, value in form.items() if name not in ("csrf", "unsent")}
    return filled_in(request.scope["path"], given, request.route_handler.opt.get("words", {}))


async def _form(request: Request[Any, Any, Any]) -> Form:
    """What was filled in. Raises `Invalid` when it is too much, or a field is there twice."""
    if header(request.scope, b"content-type").partition(";")[0].strip().lower() != _FORM_TYPE:
        return {}
    body = await request.body()
    if len(body) > _MOST_FORM:
        too_large = problems.form_too_large if wants_page(request.scope) else problems.body_too_large
        raise too_large(_MOST_FORM)
    try:
        return read_fields(body.decode(), _MOST_FIELDS, strict=True)
    except ValueError:
        raise _unreadable_form() from None


def _check_origin(request: Request[Any, Any, Any], form: Form) -> None:
    """A form must come from a page of this portal, made for this visitor (CWE-352). Raises `Refused`."""
    scope = request.scope
    foreign = _is_foreign(scope)
    given = form.get("csrf") or header(scope, b"x-csrf-token")
    expected = setting_of(request).token()
    if foreign or not hmac.compare_digest(given.encode(), expected.encode()):
        if not foreign:
            scope[TYPED] = _said(request, form)  # type: ignore[literal-required]
        raise Refused("form-expired", *_FORM_EXPIRED, rule="form-token")


def _is_foreign(scope: Mapping[str, Any]) -> bool:
    """Whether a browser says that another site sends this."""
    site, origin = header(scope, b"sec-fetch-site"), header(scope, b"origin")
    if site not in ("", "same-origin", "none"):
        return True
    return bool(origin) and origin.partition("://")[2] != header(scope, b"host")


def note_failure(scope: Any, status: int, tries: Tries) -> None:
    """Count the answer to a failed try, of those that are counted. What was stopped at the door is none: another
    site can send somebody's browser that far, and would lock out all behind their address."""
    if 400 <= status < 500 and status not in _NO_GUESS and _TRIED in scope:
        tries.failed(_who(scope))


def _who(scope: Any) -> str:
    """Who tries what: a person, wherever they are; or an address, of who is not signed in. So nobody makes others wait behind
    the same address once it is known who fails."""
    visitor = scope[SETTING].visitor
    who = address_of(scope) if visitor is None else visitor.acting.person
    return f"{who} {scope.get('path_template', scope['path'])}"


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Whether whoever asks is a browser that shows what it gets."""
    return "text/html" in header(scope, b"accept")


_WHO = Text("U bent niet ingelogd.", "You are not signed in.")
_MAY_NOT = Text("U mag dit niet.", "You may not do this.")
_SIGN_IN = (
    Text("Deze pagina is er alleen voor wie is ingelogd.", "This page is only for people who are signed in."),
    Text("Log in en probeer het opnieuw.", "Sign in and try again."),
)
_SIGN_IN_BETTER = (
    Text("Hiervoor moet u met een hoger niveau inloggen.", "This needs a sign-in at a higher level."),
    Text("Log opnieuw in, met een hoger niveau.", "Sign in again, at a higher level."),
)
_NOT_FOR_YOU = (
    Text("Deze pagina is voor mensen die op een andere manier zijn ingelogd.",
         "This page is for people who signed in in another way."),
    Text("Ga terug naar de beginpagina, of log in als iemand anders.",
         "Go back to the first page, or sign in as somebody else."),
)  # fmt: skip
_FORM_EXPIRED = (
    Text("Dit formulier is verlopen.", "This form has expired."),
    Text("U bent misschien opnieuw ingelogd, of het kwam niet van deze site.",
         "You may have signed in again, or it did not come from this site."),
    Text("Ga terug, ververs de pagina en probeer het opnieuw.", "Go back, reload the page and try again."),
)  # fmt: skip


def _refused(code: str, because: tuple[Text, Text]) -> Refused:
    return Refused(code, _MAY_NOT, *because, rule=code)


def _unreadable_form() -> Invalid:
    return Invalid(
        "unreadable-form",
        Text("Dit formulier is niet te lezen.", "This form cannot be read."),
        Text("Een veld is er twee keer, of het is geen tekst.", "A field is there twice, or is no text."),
        Text(
            "Ga terug, ververs de pagina en probeer het opnieuw.", "Go back, reload the page and try again."
        ),
    )

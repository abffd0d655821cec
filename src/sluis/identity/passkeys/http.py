"""Pages of passkeys: sign in with one; and for staff, their own: listed, made, revoked.

What a browser does with a passkey takes script: `passkeys.js`, a file of this node, without which a page says what to do.
An answer comes as a field of an ordinary form, so that its token and origin are checked as of any other.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.passkeys.service import Passkeys
from sluis.identity.sessions import Finish, Sessions, Way
from sluis.kernel import Invalid, Text
from sluis.web import (
    STAFF,
    Entry,
    Form,
    SignedIn,
    address_of,
    after_form,
    local_path,
    page,
    redirect,
    setting_of,
)

NAVIGATION = (
    Entry(
        "/passkeys", Text("Mijn passkeys", "My passkeys"), ("staff",), section="account",
        about=Text("Log in met uw telefoon, computer of sleutel.", "Sign in with your phone, computer or key."),
    ),
)  # fmt: skip
"""What the layout shows of this room."""


def way(passkeys: Passkeys) -> Way:
    """How the sign-in page offers passkeys."""
    title = Text("Passkey", "Passkey")
    return Way("passkey", title, "staff", (passkeys.settings.level,), "/sign-in/passkey")


def routes(passkeys: Passkeys, sessions: Sessions, finish: Finish) -> list[HTTPRouteHandler]:
    """The routes of this room.

    Args:
        passkeys: of this node's staff.
        sessions: say who is there.
        finish: what happens with who signed in.
    """

    def making(
        person: SignedIn, request: Request[Any, Any, Any], wrong: Invalid | None = None, name: str = ""
    ) -> Response[bytes]:
        options = passkeys.begin_making(person, setting_of(request).browser())
        return page(
            request,
            "identity/passkeys/new.html",
            status=422 if wrong else 200,
            options=options,
            wrong=wrong,
            name=name,
        )

    @get("/sign-in/passkey")
    async def ask(
        visitor: SignedIn | None, request: Request[Any, Any, Any], next: str = "/"
    ) -> Response[bytes]:
        """Sign in with a passkey."""
        browser = setting_of(request).browser()
        return page(
            request,
            "identity/passkeys/sign_in.html",
            options=passkeys.begin_signing_in(browser, address_of(request.scope)),
            next=local_path(next),
        )

    @post("/sign-in/passkey", status_code=200, opt={"tries": True})
    async def sign_in(visitor: SignedIn | None, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Take what a passkey answered."""
        found = await passkeys.sign_in(setting_of(request).browser(), form.get("answer", ""))
        return after_form(request, await finish(found, request, local_path(form.get("next"))))

    @get("/passkeys", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """One's own passkeys."""
        kept = passkeys.of(person.acting.person)
        return page(request, "identity/passkeys/list.html", passkeys=kept, settings=passkeys.settings)

    @get("/passkeys/new", opt=STAFF)
    async def begin(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Make a passkey."""
        return making(person, request)

    @post("/passkeys/new", status_code=200, opt=STAFF)
    async def make(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Keep a passkey that was made."""
        established = sessions.established(person.session)
        name, answer = form.get("label", ""), form.get("answer", "")
        try:
            await passkeys.make(person, established, setting_of(request).browser(), name, answer)
        except Invalid as wrong:
            return making(person, request, wrong, name)
        return redirect("/passkeys")

    @post("/passkeys/revoke", status_code=200, opt=STAFF)
    async def revoke(person: SignedIn, form: Form) -> Response[Any]:
        """Revoke one of one's own, and end what it signed in to elsewhere: somebody else may have it."""
        own = person.acting.person
        await passkeys.revoke(own, form.get("passkey", ""))
        for one in sessions.of(own):
            if one.method == "passkey" and one.handle != person.session:
                await sessions.end(one.handle)
        return redirect("/passkeys")

    return [ask, sign_in, listed, begin, make, revoke]

"""Pages of the digital passport, and what wallets fetch and send. OpenID4VP 1.0, sections 5.10 and 8.2.

A wallet is a program on a device of the person: it sends no cookie and no form of ours. What it sends is bound to one
request by `state`, `nonce` and the key that it is encrypted to; what comes of it is handed to the browser that asked.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.passport import rules
from sluis.identity.passport.qr import drawn
from sluis.identity.passport.service import Passports
from sluis.identity.sessions import Finish, Way
from sluis.kernel import Invalid, Refused, Text
from sluis.web import Form, address_of, after_form, local_path, page, setting_of

_REQUEST = "application/oauth-authz-req+jwt"  # RFC 9101, 10.2
_LONGEST_NONCE = 512  # characters
_PROGRAM: dict[str, Any] = {"open": True, "cross_site": True}


def ways(passports: Passports) -> list[Way]:
    """How the sign-in page offers them."""
    return [
        Way(name, one.title, one.audience, (one.level,), f"/sign-in/passport/{name}")
        for name, one in passports.ways.items()
    ]


def routes(passports: Passports, finish: Finish) -> list[HTTPRouteHandler]:
    """The routes of this room.

    Args:
        passports: of this node.
        finish: what happens with who signed in.
    """

    def asking(request: Request[Any, Any, Any], handle: str, wrong: Refused | None = None) -> Response[bytes]:
        way, next = passports.asked(handle)
        link = passports.link(handle)
        return page(
            request,
            "identity/passport/ask.html",
            status=200 if wrong is None else wrong.status,
            way=way,
            claims=[rules.label(path) for path in way.asked.claims],
            link=link,
            picture=drawn(link),
            handle=handle,
            next=next,
            wrong=wrong,
        )

    @get("/sign-in/passport/{name:str}", opt={"open": True})
    async def ask(request: Request[Any, Any, Any], name: str, next: str = "/") -> Response[bytes]:
        """Ask a wallet: what for, and for what."""
        browser = setting_of(request).browser()
        handle = passports.begin(name, browser, local_path(next), address_of(request.scope))
        return asking(request, handle)

    @get("/passport/{handle:str}/request", opt={"open": True})
    async def fetch(handle: str) -> Response[bytes]:
        """Hand a wallet the request."""
        return Response(passports.request(handle).encode(), media_type=_REQUEST)

    @post("/passport/{handle:str}/request", status_code=200, opt=_PROGRAM)
    async def fetch_with_nonce(handle: str, form: Form) -> Response[bytes]:
        """The same, with a value of the wallet's in it."""
        nonce = form.get("wallet_nonce")
        if nonce is not None and len(nonce) > _LONGEST_NONCE:
            raise _long_nonce()
        return Response(passports.request(handle, nonce).encode(), media_type=_REQUEST)

    @post("/passport/{handle:str}/answer", status_code=200, opt=_PROGRAM)
    async def answer(handle: str, form: Form) -> dict[str, str]:
        """Take what a wallet shows."""
        return {"redirect_uri": await passports.answer(handle, form)}

    @get("/passport/{handle:str}/done", opt={"open": True})
    async def done(request: Request[Any, Any, Any], handle: str, response_code: str = "") -> Response[Any]:
        """Come back from a wallet: be signed in, or see the code to type elsewhere."""
        browser = setting_of(request).browser()
        code = passports.code(handle, browser, response_code)
        if code is not None:
            return page(request, "identity/passport/code.html", code=f"{code[:4]}-{code[4:]}")
        found, target = passports.take(handle, browser, response_code)
        return await finish(found, request, target)

    @post("/passport/{handle:str}/code", status_code=200, opt={"open": True, "tries": True})
    async def typed(request: Request[Any, Any, Any], handle: str, form: Form) -> Response[Any]:
        """Type the code that another device shows, and be signed in."""
        try:
            found, target = passports.take(handle, setting_of(request).browser(), form.get("code", ""))
        except Refused as refused:
            if refused.rule != rules.CODE:
                raise
            return asking(request, handle, refused)
        return after_form(request, await finish(found, request, target))

    return [ask, fetch, fetch_with_nonce, answer, done, typed]


def _long_nonce() -> Invalid:
    return Invalid(
        "wallet-nonce",
        Text("Dit verzoek van de wallet is niet goed.", "This request of the wallet is not right."),
        Text(
            f"`wallet_nonce` is langer dan {_LONGEST_NONCE} tekens.",
            f"`wallet_nonce` is longer than {_LONGEST_NONCE} characters.",
        ),
        Text("Begin opnieuw.", "Begin again."),
    )

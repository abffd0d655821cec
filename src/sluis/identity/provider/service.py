"""The sign-in provider: what each of its endpoints does, without a word of HTTP.

OpenID Connect Core 1.0 and OAuth 2.0 as OAuth-NL 1.2 and OIDC-NLGOV 1.0.1 narrow them: codes with PKCE S256, exact
addresses, no shared secrets, tokens that say for whom they are. Who is signed in, the caller knows; nobody is asked to
consent, since the organisation that registers a client answers for what it may have.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from cryptography import x509

from sluis.crypto import certificate_thumbprint
from sluis.identity.clients import Authenticated, Client, Clients
from sluis.identity.provider import rules
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.granting import TokenEndpoint
from sluis.identity.provider.grants import Grants, SignedOut, open_grants
from sluis.identity.provider.model import CONTINUE, PUSHED_SECONDS, REQUEST_URI, Asked, Grant, SignIn
from sluis.identity.tokens import Access, Tokens
from sluis.kernel import Acting, Clock, Invalid, Problem, Refused, Text, Unidentified
from sluis.store import Store
from sluis.web import SignedIn

PAR = "/oauth/par"
TOKEN = "/oauth/token"  # noqa: S105 an address


class Present(Protocol):
    """The sessions, as far as the provider needs them."""

    def by_handle(self, handle: str) -> SignedIn | None:
        """The session of this handle; None when it is over."""


class Represents(Protocol):
    """Whether somebody may act for whom they act, as far as the provider needs to know."""

    async def read_again(self, acting: Acting) -> None:
        """Have what is too old of those concerned looked up again."""

    def refusal(self, session: str, acting: Acting) -> Refused | None:
        """Why somebody with a session (its handle) can do nothing for whom they act; None when they can."""


class Provider:
    """The sign-in provider of one node. Made by `open_provider`.

    Attributes:
        issuer: its address.
        counts: how often each thing was issued, or refused and why.
        mutual: the address where it asks for client certificates; None when that is the same one.
    """

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        grants: Grants,
        present: Present,
        representing: Represents,
        clock: Clock,
        mutual: str | None,
    ) -> None:
        self.issuer, self.mutual = tokens.issuer, mutual
        self.counts: Counter[tuple[str, str]] = Counter()
        self._clients, self._tokens, self._grants = clients, tokens, grants
        self._present, self._representing, self._clock = present, representing, clock
        self._endpoint = TokenEndpoint(clients, tokens, grants, clock, self._good, self.counts)
        self.to_tell = asyncio.Event()
        self._missed = True  # sessions may have ended while this was not running
        self._tasks = set[asyncio.Task[None]]()
        self._changed = self._looking = False  # what representations rest on; whether that is being looked at

    @property
    def tells(self) -> bool:
        """Whether there is a client that is told of sign-outs."""
        return any(client.sign_out_call for client in self._clients.all)

    def jwks(self) -> dict[str, Any]:
        """The key set."""
        return self._tokens.jwks()

    async def push(self, form: Mapping[str, str], certificate: x509.Certificate | None) -> dict[str, Any]:
        """Take a request beforehand, over a connection of the client itself (RFC 9126).

        Args:
            form: the parameters of the request, with what proves the client.
            certificate: on the connection.

        Returns the answer. Raises `OAuthProblem`, `Unkept`.
        """
        client = (await self._authenticated(form, certificate, PAR)).client
        try:
            rules.may_redirect(form, client)
        except Invalid as failure:
            raise OAuthProblem("invalid_request", failure.why) from None
        name = await self._grants.hold(rules.understand(form, client, self._now()), pushed=True)
        self.counts["request", "pushed"] += 1
        return {"request_uri": REQUEST_URI + name, "expires_in": PUSHED_SECONDS}

    async def authorize(self, form: Mapping[str, str], signed_in: SignedIn | None) -> str:
        """Answer an authorization request.

        Args:
            form: its parameters.
            signed_in: who is there.

        Returns where to send the browser: back to the client with a code or an error, or to sign in. Raises `Invalid` for
        what must not be redirected, `Unkept`.
        """
        client = self._clients.get(form.get("client_id"))
        pushed = form.get("request_uri", "")
        if pushed.startswith(REQUEST_URI):
            return await self._pushed(pushed.removeprefix(REQUEST_URI), client, signed_in)
        client = rules.may_redirect(form, client)
        try:
            asked = rules.understand(form, client, self._now())
        except OAuthProblem as problem:
            return self._refused(form["redirect_uri"], form.get("state", "")[:512], problem)
        return await self._answer(asked, None, signed_in)

    async def proceed(self, held: str, signed_in: SignedIn | None, *, cancelled: bool = False) -> str:
        """Go on with a request for which somebody had to sign in. Returns and raises as `authorize`.

        Args:
            held: the last part of the address.
            signed_in: who is there now.
            cancelled: whether signing in was cancelled.
        """
        asked = await self._grants.held(held, pushed=False)
        if asked is None or self._clients.get(asked.client) is None:
            raise _gone()
        if cancelled:
            return await self._turn_down(asked, held, OAuthProblem("access_denied", _CANCELLED))
        return await self._answer(asked, held, signed_in)

    async def token(self, form: Mapping[str, str], certificate: x509.Certificate | None) -> dict[str, Any]:
        """The answer of the token endpoint. Raises `OAuthProblem`, `Unkept`."""
        grant_type = form.get("grant_type", "")
        try:
            authenticated = await self._authenticated(form, certificate, TOKEN)
            return await self._endpoint.answer(grant_type, form, authenticated)
        except OAuthProblem as problem:
            self.counts["token", problem.error] += 1
            raise

    def userinfo(self, token: str, certificate: x509.Certificate | None) -> dict[str, Any]:
        """The claims about who signed in (OpenID Connect Core 1.0, 5.3). Raises `OAuthProblem`."""
        access, grant = self._believed(token, certificate)
        if grant is None or "openid" not in access.scope:
            raise OAuthProblem("insufficient_scope", _NO_OPENID)
        claims = self._tokens.about(self._sector(grant.asked.client), grant.acting)
        return {**claims, "acr": grant.acr, "auth_time": grant.at}

    async def introspect(
        self, form: Mapping[str, str], certificate: x509.Certificate | None
    ) -> dict[str, Any]:
        """What a token is, for whom it is meant or who got it (RFC 7662). Raises `OAuthProblem`, `Unkept`."""
        client = (await self._authenticated(form, certificate, "/oauth/introspect")).client
        access = self._active(form.get("token", ""))
        if client.public or access is None or client.id not in (*access.audience, access.client):
            return {"active": False}
        named = (
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "jti",
            "client_id",
            "scope",
            "acr",
            "cnf",
            "act",
            "represents",
        )
        return {"active": True, "token_type": "Bearer"} | {
            name: access.claims[name] for name in named if name in access.claims
        }

    async def revoke(self, form: Mapping[str, str], certificate: x509.Certificate | None) -> None:
        """Revoke a token of this client, with all that came of the same sign-in (RFC 7009); a token that is no good is no
        error. Raises `OAuthProblem`, `Unkept`."""
        client = (await self._authenticated(form, certificate, "/oauth/revoke")).client
        access = self._active(form.get("token", ""))
        if access is not None and access.client == client.id:
            await self._grants.revoke(access.jti, access.ends)
            self.counts["token", "revoked"] += 1

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        """The person of an access token for this node (`web.Visitors`); None when it is not valid, or not any more.

        Args:
            token: as it came in a header.
            thumbprint: of the certificate on the connection; a token that is bound to another is not valid.
        """
        try:
            access = self._tokens.read_access(token, {self.issuer})
        except Invalid:
            return None
        grant = self._good(access.jti)
        if grant is None or access.thumbprint not in (None, thumbprint):
            return None
        return SignedIn(
            session=grant.session,
            acting=grant.acting,
            audience=grant.audience,
            level=grant.level,
            acr=grant.acr,
            method=grant.method,
            at=grant.at,
            roles=grant.roles,
            scope=access.scope,
            client=access.client,
        )

    def program(self, token: str, thumbprint: str | None = None) -> Access | None:
        """The access token that a client got for itself (RFC 6749, 4.4), for this node; None when it is of a person, or not
        valid, or not any more.

        Args:
            token: as it came in a header.
            thumbprint: of the certificate on the connection; a token that is bound to another is not valid (RFC 8705, 3).
        """
        try:
            access = self._tokens.read_access(token, {self.issuer})
        except Invalid:
            return None
        known = self._clients.get(access.client) is not None and self._is_own(access)
        return access if known and access.thumbprint in (None, thumbprint) else None

    def sign_out(self, form: Mapping[str, str], signed_in: SignedIn | None) -> tuple[str | None, bool]:
        """What a client's wish to sign somebody out comes to (OpenID Connect RP-Initiated Logout 1.0).

        Args:
            form: its parameters.
            signed_in: whose session this browser has.

        Returns where to go afterwards (None: nowhere in particular), and whether the session may end without asking: only
        when the id token that comes along is of this very session. Raises `Invalid`.
        """
        hint, client = self._hint(form)
        asked = form.get("post_logout_redirect_uri")
        after = None
        if asked is not None:
            if client is None or asked not in client.sign_out_uris:
                raise _no_way_back()
            after = rules.with_parameters(asked, **({"state": form["state"]} if "state" in form else {}))
        if signed_in is None or hint is None or client is None:
            return after, False
        return after, hint.get("sid") == self._tokens.session_name(client.sector, signed_in.session)

    def programs(self, session: str) -> list[str]:
        """Titles of the clients that somebody was signed in to with a session. Blocks."""
        found = (self._clients.get(name) for name in self._grants.clients_of(session))
        return [client.title for client in found if client is not None]

    def ended(self, signed_in: SignedIn) -> None:
        """A session is over (`Sessions.on_end`): its tokens are good no more, and its clients are told."""
        task = asyncio.get_running_loop().create_task(self._end(signed_in.session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def look_again(self) -> None:
        """What representations rest on has changed (`People.on_change`): who acts for nobody any more is signed out of what
        they were signed in to for them. Changes that come while it looks are looked at together: anybody can make many."""
        self._changed = True
        if not self._looking:
            self._looking = True
            task = asyncio.get_running_loop().create_task(self._look())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def tidy(self) -> None:
        """Let go of what is over, tell of sessions that ended while nobody looked, and let keys take turns. To be called
        every minute, and at start. Raises `Unkept`."""
        if self._missed:
            self._missed = False
            for session in await asyncio.to_thread(self._grants.sessions):
                if not self._is_alive(session):
                    await self._end(session)
        await self._end_who_act_for_nobody()
        await self._grants.sweep(self._is_alive)
        await self._clients.tidy()
        if self._clients.all:
            await asyncio.to_thread(self._tokens.turn)

    async def _look(self) -> None:
        try:
            while self._changed:
                self._changed = False
                await self._end_who_act_for_nobody()
        finally:
            self._looking = False

    async def _end_who_act_for_nobody(self) -> None:
        for session in await asyncio.to_thread(self._grants.sessions):
            signed_in = self._present.by_handle(session)
            if signed_in is not None and signed_in.acting.entity is not None:
                await self._representing.read_again(signed_in.acting)
                alive = self._is_alive(session)  # still
                if alive and self._representing.refusal(session, signed_in.acting) is not None:
                    await self._end(session)

    async def tell(self, send: Callable[[str, str], Awaitable[bool]]) -> int:
        """Tell clients of sign-outs (OpenID Connect Back-Channel Logout 1.0, 2.5); how many are still to be told.

        Args:
            send: posts a logout token (second) to an address (first); awaited; gives whether it was taken.
        """
        failed = set[str]()
        while found := [one for one in await asyncio.to_thread(self._grants.to_tell) if one.id not in failed]:
            taken = await asyncio.gather(*(self._tell(one, send) for one in found))
            failed |= {one.id for one, took in zip(found, taken, strict=True) if not took}
        return len(failed)

    async def _tell(self, one: SignedOut, send: Callable[[str, str], Awaitable[bool]]) -> bool:
        client = self._clients.get(one.client)
        if client is not None and client.sign_out_call is not None:
            token = self._tokens.logout(one.subject, client=client.id, session=one.session)
            taken = await send(client.sign_out_call, token)
            self.counts["sign-out", "told" if taken else "failed"] += 1
            if not taken:
                return False
        await self._grants.told(one.id)
        return True

    async def _pushed(self, name: str, client: Client | None, signed_in: SignedIn | None) -> str:
        asked = await self._grants.held(name, pushed=True)
        if asked is None or client is None or asked.client != client.id:
            raise _gone()
        return await self._answer(asked, name, signed_in)

    async def _answer(self, asked: Asked, held: str | None, signed_in: SignedIn | None) -> str:
        client = self._clients.get(asked.client)
        assert client is not None
        try:
            step = rules.next_step(asked, signed_in, self._now())
        except OAuthProblem as problem:
            return await self._turn_down(asked, held, problem)
        if step is not None or signed_in is None:
            return _sign_in(step, held or await self._grants.hold(asked, pushed=False))
        grant = rules.grant_of(asked, signed_in)
        await self._representing.read_again(grant.acting)
        refusal = self._representing.refusal(grant.session, grant.acting)
        if refusal is not None and asked.silent:
            return await self._turn_down(asked, held, OAuthProblem("login_required", refusal.why))
        if refusal is not None:
            raise refusal
        if asked.subject not in (None, self._tokens.pairwise(client.sector, grant.acting)):
            return await self._turn_down(asked, held, OAuthProblem("login_required", _SOMEONE_ELSE))
        code = await self._grants.grant(grant, held)
        if code is None:
            raise _gone()
        self.counts["code", "issued"] += 1
        return rules.answer_url(asked.redirect_uri, self.issuer, code=code, state=asked.state)

    async def _turn_down(self, asked: Asked, held: str | None, problem: OAuthProblem) -> str:
        if held is not None and not await self._grants.drop(held):
            raise _gone()
        return self._refused(asked.redirect_uri, asked.state, problem)

    def _refused(self, redirect_uri: str, state: str, problem: OAuthProblem) -> str:
        self.counts["code", problem.error] += 1
        told = {
            "error": problem.error,
            "error_description": problem.why.en,
            **({"state": state} if state else {}),
        }
        return rules.answer_url(redirect_uri, self.issuer, **told)

    async def _authenticated(
        self, form: Mapping[str, str], certificate: x509.Certificate | None, path: str
    ) -> Authenticated:
        bases = (self.issuer, *((self.mutual,) if self.mutual else ()))
        endpoints = {self.issuer, *(base + TOKEN for base in bases), *(base + path for base in bases)}
        try:
            return await self._clients.authenticate(form, certificate, endpoints)
        except Unidentified as failure:
            raise OAuthProblem("invalid_client", failure.why) from None

    def _active(self, token: str) -> Access | None:
        """A token of ours that is good now, whoever it is for."""
        try:
            access = self._tokens.read_access(token)
        except Invalid:
            return None
        return access if self._good(access.jti) is not None or self._is_own(access) else None

    def _believed(self, token: str, certificate: x509.Certificate | None) -> tuple[Access, Grant | None]:
        try:
            access = self._tokens.read_access(token, {self.issuer})
        except Invalid as failure:
            raise OAuthProblem("invalid_token", failure.why) from None
        shown = None if certificate is None else certificate_thumbprint(certificate)
        grant = self._good(access.jti)
        if (grant is None and not self._is_own(access)) or access.thumbprint not in (None, shown):
            raise OAuthProblem("invalid_token", _NO_TOKEN)
        return access, grant

    def _good(self, jti: str) -> Grant | None:
        """The grant of a person's token, while it stands, their session is alive, and they may act for whom they do."""
        grant = self._grants.of(jti)
        if grant is None or not self._is_alive(grant.session):
            return None
        return grant if self._representing.refusal(grant.session, grant.acting) is None else None

    def _is_own(self, access: Access) -> bool:
        """Whether it is a client's token about itself, and was not revoked."""
        return access.subject == access.client and not self._grants.is_revoked(access.jti)

    def _is_alive(self, session: str) -> bool:
        return self._present.by_handle(session) is not None

    async def _end(self, session: str) -> None:
        def told(grant: Grant) -> tuple[str, str] | None:
            client = self._clients.get(grant.asked.client)
            if client is None or client.sign_out_call is None:
                return None
            sector = client.sector
            return self._tokens.pairwise(sector, grant.acting), self._tokens.session_name(sector, session)

        try:
            await self._grants.end(session, told)
        except Problem:  # `tidy` comes back to it
            self._missed = True
            return
        self.to_tell.set()

    def _hint(self, form: Mapping[str, str]) -> tuple[dict[str, Any] | None, Client | None]:
        """The id token that came along, and the client that it, or the request, names."""
        hint = None
        if "id_token_hint" in form:
            hint = self._tokens.read_hint(form["id_token_hint"])
        named = form.get("client_id")
        if hint is not None and named not in (None, hint.get("aud")):
            raise _no_way_back()
        return hint, self._clients.get(named if hint is None else str(hint.get("aud")))

    def _sector(self, client: str) -> str:
        return self._clients.audience_of(client)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_provider(
    store: Store,
    clients: Clients,
    tokens: Tokens,
    present: Present,
    representing: Represents,
    clock: Clock,
    mutual: str | None = None,
) -> Provider:
    """The sign-in provider of a node, with what it granted before. Blocks. Raises as `migrate`.

    Args:
        store: of the node.
        clients: those that are registered.
        tokens: of the node.
        present: its sessions; have `Sessions.on_end` call `ended`.
        representing: for whom they may act; have `People.on_change` call `look_again`.
        clock: aware UTC.
        mutual: the address at which client certificates are asked for, when that is another one (RFC 8705, 5).
    """
    grants = open_grants(store, tokens.keys, clock)
    return Provider(clients, tokens, grants, present, representing, clock, mutual)


def _sign_in(step: SignIn | None, held: str) -> str:
    assert step is not None
    again = "&again=1" if step.fresh else ""
    return f"/sign-in?next={quote(f'{CONTINUE}/{held}', safe='')}&level={step.level}{again}"


def _gone() -> Invalid:
    return Invalid(
        "sign-in-gone",
        Text("Dit verzoek om in te loggen is er niet meer.", "This request to sign in is gone."),
        Text("Het is verlopen, of al beantwoord.", "It has ended, or was answered already."),
        Text(
            "Ga terug naar de website waar u vandaan komt en begin opnieuw.",
            "Go back to the website that you came from, and begin anew.",
        ),
    )


def _no_way_back() -> Invalid:
    return Invalid(
        "stray-sign-out",
        Text("Dit verzoek om uit te loggen klopt niet.", "This request to sign out is wrong."),
        Text(
            "Het adres om naar terug te gaan is niet van een bekend programma.",
            "The address to go back to is not that of a known program.",
        ),
        Text("Log uit op de pagina van dit knooppunt.", "Sign out on the page of this node."),
    )


_CANCELLED = Text("Het inloggen is afgebroken.", "Signing in was cancelled.")
_SOMEONE_ELSE = Text("Er is iemand anders ingelogd.", "Someone else is signed in.")
_NO_OPENID = Text("Het token heeft de scope openid niet.", "The token has not the scope openid.")
_NO_TOKEN = Text("Het token is niet geldig, of niet meer.", "The token is not valid, or not any more.")

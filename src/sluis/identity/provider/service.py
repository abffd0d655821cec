"""The sign-in provider: what each of its endpoints does, without a word of HTTP.

OpenID Connect Core 1.0 and OAuth 2.0 as OAuth-NL 1.2 and OIDC-NLGOV 1.0.1 narrow them: codes with PKCE S256, exact
addresses, no shared secrets, tokens that say for whom they are. Who is signed in, the caller knows; nobody is asked to
consent, since the organisation that registers a client answers for what it may have.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cryptography import x509

from sluis.crypto import certificate_thumbprint
from sluis.identity.clients import Authenticated, Client, Clients, NotProven
from sluis.identity.provider import rules
from sluis.identity.provider.ending import Endings, Present, Represents
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.granting import TokenEndpoint
from sluis.identity.provider.grants import Grants, open_grants
from sluis.identity.provider.model import CONTINUE, PUSHED_SECONDS, REQUEST_URI, Asked, Grant, SignIn
from sluis.identity.tokens import Access, Tokens
from sluis.kernel import Clock, Invalid, Text
from sluis.store import Store
from sluis.web import SignedIn

log = logging.getLogger("sluis.identity")

PAR = "/oauth/par"
TOKEN = "/oauth/token"  # noqa: S105 an address


class Provider:
    """The sign-in provider of one node. Made by `open_provider`.

    Attributes:
        issuer: its address.
        counts: how often each thing was issued, or refused and why.
        mutual: the address where it asks for client certificates; None when that is the same one.
        endings: what of all that still stands.
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
        self._representing, self._clock = representing, clock
        self.endings = Endings(clients, tokens, grants, present, representing, self.counts)
        self._good = self.endings.good
        self._noted: dict[tuple[str, str], int] = {}  # in which minute the operator was told
        self._endpoint = TokenEndpoint(clients, tokens, grants, clock, self._good, self.counts)

    def unproven(self, client: Client | None, rule: str, path: str) -> None:
        """Count that somebody did not prove which program they are, and tell the operator: once a minute for each program and
        reason, however often somebody knocks. Of who is not registered no name is told: anything could stand there.

        Args:
            client: which it was said to be, if it is registered.
            rule: what failed.
            path: of the endpoint.
        """
        self.counts["client", rule] += 1
        name, minute = "-" if client is None else client.id, self._now() // 60
        if self._noted.get((name, rule)) != minute:
            self._noted[name, rule] = minute
            log.warning("a program did not prove itself at %s: %s: %s", path, name, rule)

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

    async def authorize(self, form: Mapping[str, str], signed_in: SignedIn | None, origin: str = "") -> str:
        """Answer an authorization request.

        Args:
            form: its parameters.
            signed_in: who is there.
            origin: the address that the browser comes from.

        Returns where to send the browser: back to the client with a code or an error, or to sign in. Raises `Invalid` for
        what must not be redirected, `Unkept`.
        """
        client = self._clients.get(form.get("client_id"))
        pushed = form.get("request_uri", "")
        if pushed.startswith(REQUEST_URI):
            return await self._pushed(pushed.removeprefix(REQUEST_URI), client, signed_in, origin)
        client = rules.may_redirect(form, client)
        try:
            asked = rules.understand(form, client, self._now())
        except OAuthProblem as problem:
            return self._refused(form["redirect_uri"], form.get("state", "")[:512], problem)
        return await self._answer(asked, None, signed_in, origin=origin)

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
        return await self._answer(asked, held, signed_in, tried=True)

    async def portal_behind(self, path: str) -> str | None:
        """The title of the client whose request goes on at a local path once somebody signed in; None when it is none."""
        held = path.removeprefix(CONTINUE + "/")
        asked = await self._grants.held(held, pushed=False) if held != path else None
        client = None if asked is None else self._clients.get(asked.client)
        return None if client is None else client.title

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

    async def _pushed(self, name: str, client: Client | None, signed_in: SignedIn | None, origin: str) -> str:
        asked = await self._grants.held(name, pushed=True, origin=origin)
        if asked is None or client is None or asked.client != client.id:
            raise _gone()
        return await self._answer(asked, name, signed_in)

    async def _answer(
        self,
        asked: Asked,
        held: str | None,
        signed_in: SignedIn | None,
        *,
        tried: bool = False,
        origin: str = "",
    ) -> str:
        client = self._clients.get(asked.client)
        assert client is not None
        try:
            step = rules.next_step(asked, signed_in, self._now(), tried=tried)
        except OAuthProblem as problem:
            return await self._turn_down(asked, held, problem)
        if step is not None or signed_in is None:
            held = held or await self._grants.hold(asked, pushed=False, origin=origin)
            return _sign_in(step, held)
        grant = rules.grant_of(asked, signed_in)
        await self._representing.read_again(grant.acting)
        refusal = self._representing.refusal(grant.session, grant.acting)
        if refusal is not None:
            await self._representing.turned_away(grant.acting, client.id, refusal)
            if asked.silent:
                return await self._turn_down(asked, held, OAuthProblem("login_required", refusal.why))
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
        except NotProven as failure:
            self.unproven(failure.client, str(failure.rule), path)
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

    def _is_own(self, access: Access) -> bool:
        """Whether it is a client's token about itself, and was not revoked."""
        return access.subject == access.client and not self._grants.is_revoked(access.jti)

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
        present: its sessions; have `Sessions.on_end` call `endings.ended`.
        representing: for whom they may act; have `People.on_change` call `endings.look_again`.
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

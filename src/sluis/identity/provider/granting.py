"""The token endpoint, grant by grant: a code, a client for itself, a token for another audience.

RFC 6749 (4.1.3, 4.4), RFC 7636, RFC 8693 with RFC 8707, RFC 8705 (3) and RFC 9068. There are no refresh tokens: who needs
a new token while the session lives asks for a code with `prompt=none`.
"""

import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sluis.identity.clients import Authenticated, Client, Clients
from sluis.identity.provider import rules
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.grants import Grants
from sluis.identity.provider.model import ACCESS_TYPE, EXCHANGE, Grant
from sluis.identity.tokens import ACCESS_SECONDS, Access, Tokens, draw_jti
from sluis.kernel import Clock, Invalid, Text

_NAMES = {EXCHANGE: "token-exchange"}
_MOST_ACTORS = 5  # so many programs may stand behind each other

Answer = dict[str, Any]


class TokenEndpoint:
    """Gives tokens to clients that proved themselves.

    Args:
        clients: those that are registered.
        tokens: makes them.
        grants: what was granted.
        clock: aware UTC.
        good: the grant of a token (`jti`) while it stands.
        counts: what was issued.
    """

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        grants: Grants,
        clock: Clock,
        good: Callable[[str], Grant | None],
        counts: Counter[tuple[str, str]],
    ) -> None:
        self._clients, self._tokens, self._grants, self._clock = clients, tokens, grants, clock
        self._good, self._counts = good, counts
        self._ways: dict[str, Callable[[Mapping[str, str], Authenticated], Awaitable[Answer]]] = {
            "authorization_code": self._by_code,
            "client_credentials": self._for_itself,
            EXCHANGE: self._exchanged,
        }

    async def answer(self, grant_type: str, form: Mapping[str, str], who: Authenticated) -> Answer:
        """The tokens. Raises `OAuthProblem`, `Unkept`."""
        way = self._ways.get(grant_type)
        if way is None:
            raise OAuthProblem("unsupported_grant_type", _NO_WAY)
        if _NAMES.get(grant_type, grant_type) not in who.client.grants:
            raise OAuthProblem("unauthorized_client", _NOT_THIS_WAY)
        answer = await way(form, who)
        self._counts["token", _NAMES.get(grant_type, grant_type)] += 1
        return answer

    async def _by_code(self, form: Mapping[str, str], who: Authenticated) -> Answer:
        client, now, jti = who.client, self._now(), draw_jti()

        def refusal(grant: Grant, made: int) -> OAuthProblem | None:
            return rules.redeemable(grant, form, client, made, now)

        # What is signed is signed after the code is spent, durably: a token that nobody can revoke is not handed out.
        grant = await self._grants.redeem(form.get("code", ""), jti, now + ACCESS_SECONDS, refusal)
        if self._good(jti) is None:  # whoever they acted for, they do no longer
            await self._grants.revoke(jti, now + ACCESS_SECONDS)
            raise OAuthProblem("invalid_grant", _NO_SUBJECT)
        asked = grant.asked
        subject = self._tokens.about(client.sector, grant.acting)
        if grant.roles and "roles" in asked.scope:
            subject["roles"] = list(grant.roles)
        target = asked.resource or self._tokens.issuer
        access, _ = self._tokens.access(
            self._tokens.about(self._clients.audience_of(target), grant.acting)
            if asked.resource
            else subject,
            client=client.id,
            audience=target,
            scope=asked.scope,
            thumbprint=who.thumbprint,
            jti=jti,
            more={"acr": grant.acr, "auth_time": grant.at},
        )
        identity = self._tokens.identity(
            subject,
            client=client.id,
            nonce=asked.nonce,
            acr=grant.acr,
            at=grant.at,
            session=self._tokens.session_name(client.sector, grant.session),
        )
        return {**_bearer(access, ACCESS_SECONDS, asked.scope), "id_token": identity}

    async def _for_itself(self, form: Mapping[str, str], who: Authenticated) -> Answer:
        """RFC 6749, 4.4: about no person, so `openid` is no part of it."""
        client = who.client
        if client.public:
            raise OAuthProblem("unauthorized_client", _NOT_THIS_WAY)
        scope = rules.scope_of(form, tuple(one for one in client.scopes if one != "openid"))
        target = rules.target_of(form, client) or self._tokens.issuer
        access, _ = self._tokens.access(
            {"sub": client.id}, client=client.id, audience=target, scope=scope, thumbprint=who.thumbprint
        )
        return _bearer(access, ACCESS_SECONDS, scope)

    async def _exchanged(self, form: Mapping[str, str], who: Authenticated) -> Answer:
        """RFC 8693: the same person, the same level, at most the same scope and time, for another audience; and who did
        this stands in `act`, before those who did it earlier."""
        client, subject = who.client, self._subject_token(form, who)
        grant = self._good(subject.jti)
        if grant is None:
            raise OAuthProblem("invalid_grant", _NO_SUBJECT)
        target = rules.target_of(form, client)
        if target is None:
            raise OAuthProblem("invalid_target", _NO_TARGET)
        allowed = tuple(one for one in subject.scope if one in client.scopes)
        scope = rules.scope_of(form, allowed)
        seconds = min(ACCESS_SECONDS, subject.ends - self._now())
        if seconds <= 0:
            raise OAuthProblem("invalid_grant", _NO_SUBJECT)
        jti = draw_jti()
        await self._grants.follow(subject.jti, jti, self._now() + seconds)
        access, _ = self._tokens.access(
            self._tokens.about(self._clients.audience_of(target), grant.acting),
            client=client.id,
            audience=target,
            scope=scope,
            seconds=seconds,
            thumbprint=who.thumbprint,
            jti=jti,
            more={"acr": grant.acr, "auth_time": grant.at, "act": _actor(client, subject)},
        )
        return {**_bearer(access, seconds, scope), "issued_token_type": ACCESS_TYPE}

    def _subject_token(self, form: Mapping[str, str], who: Authenticated) -> Access:
        """The token that is exchanged: one of ours, that this client got or that is for it."""
        if form.get("subject_token_type") != ACCESS_TYPE or "actor_token" in form:
            raise OAuthProblem("invalid_request", _ONLY_ACCESS)
        if form.get("requested_token_type", ACCESS_TYPE) != ACCESS_TYPE:
            raise OAuthProblem("invalid_request", _ONLY_ACCESS)
        try:
            found = self._tokens.read_access(form.get("subject_token", ""))
        except Invalid as failure:
            raise OAuthProblem("invalid_grant", failure.why) from None
        got = found.client == who.client.id
        if not got and who.client.id not in found.audience:
            raise OAuthProblem("invalid_grant", _NO_SUBJECT)
        if (
            got
            and found.thumbprint is not None
            and not hmac.compare_digest(found.thumbprint, who.thumbprint or "")
        ):
            raise OAuthProblem("invalid_grant", _NO_SUBJECT)
        return found

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _actor(client: Client, subject: Access) -> dict[str, Any]:
    """RFC 8693, 4.1. The number of those who may stand behind each other is bounded."""
    before = subject.claims.get("act")
    depth, one = 1, before
    while isinstance(one, dict):
        depth, one = depth + 1, one.get("act")
    if depth > _MOST_ACTORS:
        raise OAuthProblem("invalid_grant", _TOO_MANY)
    return {"sub": client.id} if before is None else {"sub": client.id, "act": before}


def _bearer(access: str, seconds: int, scope: tuple[str, ...]) -> Answer:
    return {"access_token": access, "token_type": "Bearer", "expires_in": seconds, "scope": " ".join(scope)}


_NO_WAY = Text("grant_type is onbekend.", "grant_type is not known.")
_NOT_THIS_WAY = Text("Dit programma krijgt zo geen tokens.", "This program gets no tokens this way.")
_ONLY_ACCESS = Text("Alleen access tokens kunnen worden ingewisseld.", "Only access tokens can be exchanged.")
_NO_SUBJECT = Text("Het token is niet van of voor dit programma, of niet geldig.", "The token is not of or for this program, or not valid.")  # fmt: skip
_OVER = Text(
    "Wie inlogde is er niet meer, of mag dit niet meer.",
    "Who signed in is gone, or may not do this any more.",
)
_NO_TARGET = Text("Voor wie het token is, ontbreekt.", "For whom the token is, is missing.")
_TOO_MANY = Text("Er staan te veel programma's achter elkaar.", "Too many programs stand behind each other.")

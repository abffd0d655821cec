"""Tokens of this node: made, and read again.

Who may have one is for `provider` to decide. Every token has a `jti` of 192 random bits, names its end, and is signed by
the current key. A person is never named by an identifier that another portal knows too: `pairwise`.
"""

import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sluis.crypto import (
    Jwk,
    Keys,
    KeyStore,
    canonical_texts,
    check_claims,
    decrypt_jwt,
    encode_base64url,
    encrypt_jwt,
    read_json,
    read_jwt,
    refused_jwt,
    sign_jwt,
)
from sluis.identity.tokens.keys import Ring
from sluis.identity.tokens.model import (
    ACCESS,
    ACCESS_SECONDS,
    ASSERTION,
    ASSERTION_SECONDS,
    ID_TOKEN_SECONDS,
    ID_TYPES,
    LOGOUT,
    LOGOUT_EVENT,
    Access,
    Asserted,
    IdType,
)
from sluis.identity.tokens.rules import represents
from sluis.kernel import Acting, Clock, convert

_LOGOUT_SECONDS = 120
_BY_URN = {urn: kind for kind, urn in ID_TYPES.items()}


class Tokens:
    """Makes and reads the tokens of one node. Made by `open_tokens`.

    Attributes:
        issuer: the address of the sign-in provider, `iss` of every token.
        keys: of this node, for pseudonyms.
    """

    def __init__(self, issuer: str, keys: KeyStore, signing: Ring, opening: Ring, clock: Clock) -> None:
        self.issuer, self.keys = issuer, keys
        self._signing, self._opening, self._clock = signing, opening, clock

    def jwks(self) -> dict[str, Any]:
        """The key set that is published: all keys for signatures that others may need, and the one to encrypt with."""
        return {"keys": [key.public for key in (*self._signing.kept, self._opening.current)]}

    def turn(self) -> None:
        """Let keys take turns; to be called every day. Blocks. Raises `Unkept`."""
        self._signing.turn()
        self._opening.turn()

    def pairwise(self, sector: str, acting: Acting) -> str:
        """Somebody's pseudonym for one sector: HMAC-SHA256, 43 characters (OpenID Connect Core 1.0, 8.1).

        Who acts for another company is another subject: what one may see for one is not for the other.
        """
        parts = (sector, acting.person, acting.entity or "", acting.intermediary or "")
        return encode_base64url(self.keys.mac("pairwise", canonical_texts("subject", *parts)))

    def session_name(self, sector: str, session: str) -> str:
        """The name of a session for one sector (`sid`)."""
        return encode_base64url(self.keys.mac("pairwise", canonical_texts("session", sector, session)))

    def about(self, sector: str, acting: Acting) -> dict[str, Any]:
        """The claims that say who somebody is to one sector, and for whom they act."""
        claims: dict[str, Any] = {"sub": self.pairwise(sector, acting), "sub_id_type": ID_TYPES["Pseudonym"]}
        found = represents(acting, self.issuer, lambda person: self.pairwise(sector, Acting(person)))
        return claims if found is None else {**claims, "represents": found}

    def access(
        self,
        subject: Mapping[str, Any],
        *,
        client: str,
        audience: str,
        scope: Collection[str],
        seconds: int = ACCESS_SECONDS,
        thumbprint: str | None = None,
        jti: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> tuple[str, Access]:
        """An access token (RFC 9068), and what it says.

        Args:
            subject: of `about`, or the client as `sub`.
            client: to whom it is given.
            audience: for whom it is.
            scope: what for.
            seconds: how long it lasts.
            thumbprint: of the client certificate that it is bound to.
            jti: its name, when it was drawn before.
            more: `acr`, `auth_time`, `act`.
        """
        claims = self._made(seconds, jti) | dict(subject)
        claims |= {
            "aud": audience,
            "azp": client,
            "client_id": client,
            "scope": " ".join(scope),
            **(more or {}),
        }
        if thumbprint is not None:
            claims["cnf"] = {"x5t#S256": thumbprint}
        return sign_jwt(self._signing.current, claims, typ=ACCESS), _access(claims)

    def identity(
        self, subject: Mapping[str, Any], *, client: str, nonce: str, acr: str, at: int, session: str
    ) -> str:
        """An id token (OIDC-NLGOV 1.0.1): at most five minutes, `acr`, no `amr`.

        Args:
            subject: of `about`.
            client: for whom.
            nonce: as the client sent it.
            acr: how the person signed in.
            at: when, seconds since the epoch.
            session: of `session_name`.
        """
        claims = {**self._made(ID_TOKEN_SECONDS), **subject}
        claims |= {"aud": client, "azp": client, "nonce": nonce, "acr": acr, "auth_time": at, "sid": session}
        return sign_jwt(self._signing.current, {**claims, "nbf": claims["iat"]})

    def logout(self, subject: str, *, client: str, session: str) -> str:
        """A logout token: who holds that session there is signed out (OpenID Connect Back-Channel Logout 1.0)."""
        claims = {"sub": subject, "aud": client, "sid": session, "events": {LOGOUT_EVENT: {}}}
        return sign_jwt(self._signing.current, {**self._made(_LOGOUT_SECONDS), **claims}, typ=LOGOUT)

    def assertion(
        self,
        acting: Acting,
        audience: str,
        *,
        acr: str,
        at: int,
        identifier: tuple[IdType, str] | None = None,
        reader: Jwk | None = None,
        purpose: str | None = None,
    ) -> str:
        """Who a person is, for one organisation alone, which believes it because this provider says so.

        Args:
            acting: who.
            audience: URN of the organisation.
            acr: how the person signed in.
            at: when, seconds since the epoch.
            identifier: kind and value, such as a BSN, when the audience may know it; encrypted for `reader`.
            reader: the public key of the audience for encryption; needed with `identifier`.
            purpose: the one thing that it is for, where it is not for reading log lines.
        """
        claims = self._made(ASSERTION_SECONDS) | {"aud": audience, "acr": acr, "auth_time": at}
        claims |= {"sub": self.pairwise(audience, acting), "sub_id_type": ID_TYPES["Pseudonym"]}
        if purpose is not None:
            claims["purpose"] = purpose
        if identifier is not None:
            if reader is None:
                raise refused_jwt("key")
            kind, value = identifier
            sealed = encrypt_jwt(msgspec.json.encode({"sub": value, "jti": claims["jti"]}), reader)
            claims["alt_sub"] = [{"aud": audience, "sub": sealed, "sub_id_type": ID_TYPES[kind]}]
        return sign_jwt(self._signing.current, claims, typ=ASSERTION)

    def proof(self, claims: Mapping[str, Any]) -> str:
        """What this node proves itself with where it is a client (RFC 7523, 2.2)."""
        return sign_jwt(self._signing.current, claims)

    def opened(self, token: str) -> str:
        """What another encrypted for this node: a signed token (RFC 7519, 5.2). Raises `Invalid`."""
        try:
            return decrypt_jwt(token, self._opening.kept).decode("ascii")
        except UnicodeDecodeError:
            raise refused_jwt("encryption") from None

    def read_access(self, text: str, audience: Collection[str] | None = None) -> Access:
        """An access token of this node that has not ended. Whether it was revoked, `provider` knows.

        Args:
            text: the token.
            audience: one of whom it must be for; None: whoever it is for.

        Raises:
            Invalid: it is not believed.
        """
        claims = read_jwt(text, self._signing.kept, typ=ACCESS)
        wanted = _listed(claims) if audience is None else audience
        check_claims(claims, issuer=self.issuer, audience=wanted, now=self._now(), leeway=0, longest=86_400)
        try:
            return _access(claims)
        except (KeyError, TypeError, msgspec.ValidationError):
            raise refused_jwt("form") from None

    def read_hint(self, text: str) -> dict[str, Any]:
        """The claims of an id token of this node, also when it has ended (OpenID Connect RP-Initiated Logout 1.0, 4).

        Raises:
            Invalid: it is none, or its key is over.
        """
        claims = read_jwt(text, self._signing.kept)
        if claims.get("iss") != self.issuer:
            raise refused_jwt("issuer")
        return claims

    def read_assertion(self, text: str, keys: Keys, *, issuer: str, audience: str) -> Asserted:
        """What another sign-in provider asserted to this organisation. To be spent by its `jti` before it is used.

        Args:
            text: the assertion.
            keys: those that the issuer published.
            issuer: whose it must be.
            audience: the URN of this organisation.

        Raises:
            Invalid: it is not believed.
        """
        claims = read_jwt(text, keys, typ=ASSERTION)
        check_claims(claims, issuer=issuer, audience=audience, now=self._now(), longest=ID_TOKEN_SECONDS)
        kind, value = self._alternative(claims, audience)
        try:
            return convert(
                {
                    "issuer": issuer,
                    "subject": claims["sub"],
                    "kind": kind,
                    "value": value,
                    "acr": claims["acr"],
                    "at": claims["auth_time"],
                    "jti": claims["jti"],
                    "ends": claims["exp"],
                    "purpose": claims.get("purpose"),
                },
                Asserted,
            )
        except (KeyError, msgspec.ValidationError):
            raise refused_jwt("form") from None

    def _alternative(self, claims: Mapping[str, Any], audience: str) -> tuple[IdType | None, str | None]:
        """The identifier that was encrypted for us (`alt_sub`, OIDC-NLGOV 1.0.1), proven to belong to this assertion."""
        listed = claims.get("alt_sub", [])
        for one in listed if isinstance(listed, list) else []:
            if not isinstance(one, dict) or one.get("aud") != audience or not isinstance(one.get("sub"), str):
                continue
            content, kind = read_json(decrypt_jwt(one["sub"], self._opening.kept)), one.get("sub_id_type")
            if (
                not isinstance(content, dict)
                or content.get("jti") != claims.get("jti")
                or kind not in _BY_URN
            ):
                raise refused_jwt("encryption")
            return _BY_URN[kind], content.get("sub")
        return None, None

    def _made(self, seconds: int, jti: str | None = None) -> dict[str, Any]:
        now = self._now()
        return {"iss": self.issuer, "iat": now, "exp": now + seconds, "jti": jti or draw_jti()}

    def _now(self) -> int:
        return int(self._clock().timestamp())


def draw_jti() -> str:
    """A name for a token: 192 random bits."""
    return secrets.token_urlsafe(24)


def open_tokens(issuer: str, keys: KeyStore, directory: Path, clock: Clock) -> Tokens:
    """The tokens of this node; its keys are made when they are first needed. Blocks.

    Args:
        issuer: address of the sign-in provider, without a slash at its end.
        keys: of this node, for pseudonyms.
        directory: where its keys are.
        clock: aware UTC.

    Raises `Unkept`, `Invalid`.
    """
    signing, opening = Ring(directory, "tokens", "sig", clock), Ring(directory, "opening", "enc", clock)
    return Tokens(issuer, keys, signing, opening, clock)


def _listed(claims: Mapping[str, Any]) -> list[str]:
    found = claims.get("aud")
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _access(claims: dict[str, Any]) -> Access:
    bound = claims.get("cnf")
    return convert(
        {
            "jti": claims["jti"],
            "subject": claims["sub"],
            "client": claims["azp"],
            "audience": _listed(claims),
            "scope": claims["scope"].split(),
            "acr": claims.get("acr"),
            "issued": claims["iat"],
            "ends": claims["exp"],
            "claims": claims,
            "thumbprint": None if bound is None else bound["x5t#S256"],
        },
        Access,
    )

"""What a simulator does as an OpenID provider: requests, codes, tokens, signing out. Without HTTP.

OpenID Connect Core 1.0, 3.1; PKCE with S256 (RFC 7636); `iss` in answers (RFC 9207); representation as in OIDC-NLGOV 1.0.1.
It is strict where a client should learn to be right, and goes wrong only where the person asks for it.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from sluis.crypto import Jwk, check_claims, encode_base64url, jwk_of, read_jwt, sign_jwt
from sluis.kernel import Clock, Invalid, new_transaction_id
from sluis_demo.simulators.model import (
    OUTCOMES,
    Asked,
    Choice,
    Client,
    Company,
    Grade,
    Issued,
    Outcome,
    Persona,
    Simulator,
)
from sluis_demo.simulators.personas import personas

MINUTES = 15
"""That a request may wait for the person."""

_CODE_SECONDS = 60
_TOKEN_SECONDS = 300
_MOST = 1_000  # requests, codes or tokens at once
_TYPE = "urn:nl-eid-gdi:1.0:id:"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Wrong(Exception):
    """A request that cannot go on; `error` as in OAuth 2.0, and `text` for who made the client."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error, self.text = error, text


class Provider:
    """One simulator at one address.

    Args:
        simulator: which.
        issuer: its address, which ends in `/sluis-simulator/` and its kind.
        clients: who may use it, by id.
        clock: aware UTC.
        more: others who may sign in, before those of `personas`.
    """

    def __init__(
        self,
        simulator: Simulator,
        issuer: str,
        clients: Mapping[str, Client],
        clock: Clock,
        more: tuple[Persona, ...] = (),
    ) -> None:
        self.simulator, self.issuer, self._more = simulator, issuer, more
        self._clients, self._clock = clients, clock
        self._key: Jwk | None = None
        self._pseudonyms = secrets.token_bytes(32)
        self._asked: dict[str, Asked] = {}
        self._codes: dict[str, Issued] = {}
        self._tokens: dict[str, Issued] = {}
        self._used: dict[str, float] = {}

    def people(self) -> tuple[Persona, ...]:
        """Who may sign in."""
        return (*self._more, *personas(self.simulator))

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, 3."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/sign-out",
            "scopes_supported": ["openid"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["pairwise"],
            "acr_values_supported": [grade.acr for grade in self.simulator.grades],
            "claims_supported": [
                *("sub", "sub_id_type", "name", "represents", "acr", "auth_time"),
                *filter(None, (self.simulator.tells,)),
            ],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def jwks(self) -> dict[str, Any]:
        """The key that it signs with."""
        return {"keys": [self._signing().public]}

    def rotate(self) -> None:
        """Sign with a new key from now on, and no longer show the one before it."""
        self._key = None

    def ask(self, query: Mapping[str, str]) -> str:
        """Take an authorization request; gives its id, or raises `Wrong` when it is not to be answered at all."""
        client = self._clients.get(query.get("client_id", ""))
        if client is None or query.get("redirect_uri") not in client.redirect_uris:
            raise Wrong("invalid_request", "unknown client_id, or a redirect_uri that was not registered")
        if query.get("response_type") != "code" or "openid" not in query.get("scope", "").split():
            raise Wrong("invalid_request", "response_type must be code, and scope must hold openid")
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            raise Wrong("invalid_request", "PKCE with S256 is needed")
        if len(query.get("state", "")) < 22 or len(query.get("nonce", "")) < 22:
            raise Wrong("invalid_request", "state and nonce must have at least 128 bits")
        asked = Asked(
            client=client,
            redirect_uri=query["redirect_uri"],
            state=query["state"],
            nonce=query["nonce"],
            challenge=query["code_challenge"],
            acr=tuple(query.get("acr_values", "").split()),
            language="en" if query.get("ui_locales", "").startswith("en") else "nl",
            ends=self._now() + MINUTES * 60,
        )
        return self._keep(self._asked, asked)

    def asked(self, id: str) -> Asked:
        """A request that waits for the person. Raises `Wrong`."""
        found = self._asked.get(id)
        if found is None or found.ends <= self._now():
            raise Wrong("invalid_request", "this sign-in took too long, or was finished already")
        return found

    def speak(self, id: str, language: str) -> None:
        """Go on in another language. Raises `Wrong`."""
        self._asked[id] = msgspec.structs.replace(self.asked(id), language="en" if language == "en" else "nl")

    def enough(self, asked: Asked, grade: Grade) -> bool:
        """Whether a level is at least one of those that were asked for."""
        order = [one.acr for one in self.simulator.grades]
        wanted = [order.index(acr) for acr in asked.acr if acr in order]
        return not wanted or order.index(grade.acr) >= min(wanted)

    def cancel(self, id: str) -> str:
        """Where the browser goes when the person stops. Raises `Wrong`."""
        return self._answer(self._done(id), error="access_denied")

    def prove(self, id: str, form: Mapping[str, str]) -> str | None:
        """Take who signs in, and how.

        Args:
            id: of the request.
            form: `person`, `level` and `outcome`.

        Returns: where the browser goes; None when the person still has to say for whom. Raises `Wrong`.
        """
        asked = self.asked(id)
        people = {one.number: one for one in self.people()}
        grades = {one.name: one for one in self.simulator.grades}
        persona, grade = people.get(form.get("person", "")), grades.get(form.get("level", ""))
        outcome = form.get("outcome", "signed-in")
        if persona is None or grade is None or outcome not in OUTCOMES:
            raise Wrong("invalid_request", "choose a person and a level")
        if outcome == "unavailable":
            return self._answer(self._done(id), error="temporarily_unavailable")
        if not self.enough(asked, grade) and outcome != "lower-level":
            raise Wrong("invalid_request", "this level is lower than was asked for")
        self._asked[id] = msgspec.structs.replace(
            asked, persona=persona, grade=grade, outcome=cast(Outcome, outcome)
        )
        return self.choose(id, 0) if len(persona.choices) == 1 else None

    def choose(self, id: str, at: int) -> str:
        """Take for whom somebody signs in, by its place in the list; gives where the browser goes. Raises `Wrong`."""
        asked = self.asked(id)
        if asked.persona is None or not 0 <= at < len(asked.persona.choices):
            raise Wrong("invalid_request", "choose for whom")
        self._done(id)
        return self._answer(
            asked, code=self._keep(self._codes, self._issued(asked, asked.persona.choices[at]))
        )

    def redeem(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        """Tokens for a code (OpenID Connect Core 1.0, 3.1.3). Raises `Wrong`."""
        client = self._client(form, basic)
        issued = self._codes.pop(form.get("code", ""), None)
        challenge = encode_base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            issued is None
            or issued.ends <= self._now()
            or issued.asked.client.id != client.id
            or form.get("redirect_uri") != issued.asked.redirect_uri
            or not hmac.compare_digest(challenge, issued.asked.challenge)
        ):
            raise Wrong("invalid_grant", "the code is not good (any more)")
        kept = msgspec.structs.replace(issued, ends=self._now() + _TOKEN_SECONDS)
        return {
            "access_token": self._keep(self._tokens, kept),
            "token_type": "Bearer",
            "expires_in": _TOKEN_SECONDS,
            "id_token": sign_jwt(self._signing(), issued.claims),
        }

    def userinfo(self, token: str) -> dict[str, Any]:
        """What else is known (OpenID Connect Core 1.0, 5.3). Raises `Wrong`."""
        issued = self._tokens.get(token)
        if issued is None or issued.ends <= self._now():
            raise Wrong("invalid_token", "the access token is not good (any more)")
        return {"sub": issued.claims["sub"], **issued.more}

    def sign_out(self, query: Mapping[str, str]) -> str | None:
        """Where somebody goes after signing out; None for the simulator's own page (RP-Initiated Logout 1.0)."""
        client = self._clients.get(query.get("client_id", ""))
        back = query.get("post_logout_redirect_uri")
        if client is None or back is None or back not in client.sign_out_uris:
            return None
        return _with(back, {"state": query["state"]}) if "state" in query else back

    def _issued(self, asked: Asked, choice: Choice) -> Issued:
        persona, now = cast(Persona, asked.persona), int(self._now())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": asked.client.id,
            "sub": self._pseudonym(asked.client.id, persona.number),
            "sub_id_type": f"{_TYPE}Pseudonym",
            "iat": now,
            "nbf": now,
            "exp": now + _TOKEN_SECONDS,
            "auth_time": now,
            "jti": new_transaction_id(),
            "nonce": "van-een-ander-verzoek" if asked.outcome == "wrong-nonce" else asked.nonce,
            "simulator": True,
        }
        if asked.outcome != "no-level":
            claims["acr"] = self._acr(asked)
        if self.simulator.tells is not None:
            claims[self.simulator.tells] = persona.number
        represented = self._represents(choice)
        if represented is not None:
            claims["represents"] = represented
        if choice.company is not None and choice.company.vestiging is not None:
            claims["vestiging"] = choice.company.vestiging
        if choice.services:
            claims["services"] = list(choice.services)
        return Issued(asked, claims, {"name": persona.name}, self._now() + _CODE_SECONDS)

    def _acr(self, asked: Asked) -> str:
        grade = cast(Grade, asked.grade)
        return self.simulator.grades[0].acr if asked.outcome == "lower-level" else grade.acr

    def _represents(self, choice: Choice) -> dict[str, Any] | None:
        if choice.bsn is not None:
            return {"iss": self.issuer, "sub": choice.bsn, "sub_id_type": f"{_TYPE}BSN", "name": choice.name}
        if choice.company is None:
            return None
        served = self._party(choice.company)
        return served if choice.through is None else {**self._party(choice.through), "represents": served}

    def _party(self, company: Company) -> dict[str, Any]:
        return {"iss": self.issuer, "sub": company.kvk, "sub_id_type": f"{_TYPE}KvKnr", "name": company.name}

    def _pseudonym(self, client: str, number: str) -> str:
        """Of one person for one client, whoever they act for (as the ActingSubjectID of eHerkenning)."""
        mac = hmac.digest(self._pseudonyms, f"{client}|{number}".encode(), "sha256")
        return mac.hex()[:32].upper()

    def _client(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> Client:
        if basic is not None:
            client = self._clients.get(basic[0])
            good = (
                client is not None
                and client.secret is not None
                and hmac.compare_digest(client.secret, basic[1])
            )
        else:
            client = self._clients.get(form.get("client_id", ""))
            good = client is not None and client.keys is not None and self._signed(client, form)
        if client is None or not good:
            raise Wrong("invalid_client", "the client did not prove who it is")
        return client

    def _signed(self, client: Client, form: Mapping[str, str]) -> bool:
        """Whether a client assertion holds (RFC 7523, 3); each is good once."""
        if form.get("client_assertion_type") != _ASSERTION or client.keys is None:
            return False
        allowed, now = ("RS256", "PS256", "ES256"), self._now()
        try:
            claims = read_jwt(form.get("client_assertion", ""), client.keys(), algorithms=allowed)
            check_claims(claims, issuer=client.id, audience=self.issuer, now=now, longest=300)
        except Invalid:
            return False
        self._used = {known: until for known, until in self._used.items() if until > now}
        id = str(claims.get("jti"))
        fresh = claims.get("sub") == client.id and id not in self._used
        self._used[id] = now + 600
        return fresh

    def _answer(self, asked: Asked, **told: str) -> str:
        return _with(asked.redirect_uri, {**told, "state": asked.state, "iss": self.issuer})

    def _done(self, id: str) -> Asked:
        asked = self.asked(id)
        del self._asked[id]
        return asked

    def _keep(self, where: dict[str, Any], what: Any) -> str:
        now = self._now()
        for id in [id for id, one in where.items() if one.ends <= now]:
            del where[id]
        if len(where) >= _MOST:
            raise Wrong("temporarily_unavailable", "too many at once")
        id = secrets.token_urlsafe(24)
        where[id] = what
        return id

    def _signing(self) -> Jwk:
        """Made when it is first needed."""
        if self._key is None:
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self._key = jwk_of(private, algorithm="RS256")
        return self._key

    def _now(self) -> float:
        return self._clock().timestamp()


def _with(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}"

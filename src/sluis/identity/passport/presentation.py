"""Proving what a wallet presents: SD-JWT VC with key binding (RFC 9901, 7; draft-ietf-oauth-sd-jwt-vc, 2.4;
OpenID4VP 1.0, B.3).

`sd-jwt` verifies and puts the claims together. What it leaves open is closed before: one way to write a byte, no member
twice, `typ` and algorithms, the certificate behind the key, moments, every digest once and every disclosure behind one,
and no claim disclosed that was not asked. Pure.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from sluis.crypto import (
    LEEWAY,
    Chain,
    Jws,
    decode_base64url,
    encode_base64url,
    is_test,
    read_chain,
    read_json,
    read_jwks,
    read_jws,
    read_jwt,
    signer_chain,
    verify_jws,
)
from sluis.identity.passport.model import Asked, Issuer, Path, Presentation, StatusAt
from sluis.kernel import Invalid, Refused, Text

ALGORITHMS = frozenset({"ES256", "ES384", "ES512"})
"""Of issuers."""

BINDING = frozenset({"ES256"})
"""Of wallets."""

FRESH = 300
"""Seconds after making its proof that a wallet may send it."""

LONGEST = 32 * 1024
"""Characters of a presentation."""

_MOST = 200  # disclosures
_DEEPEST = 32
_PLAIN = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"})  # SD-JWT VC, 2.2.2.2
_RESERVED = frozenset({"_sd", "..."})


def verify_presentation(
    text: str,
    asked: Asked,
    issuers: Iterable[Issuer],
    *,
    audience: str,
    nonce: str,
    now: datetime,
    test: bool,
) -> Presentation:
    """What a presentation proves. Whether the credential was taken back is not known yet: see `Presentation.status`.

    Args:
        text: issuer's JWT, disclosures and key binding with `~` between them.
        asked: what was asked for.
        issuers: who is believed.
        audience: the name by which the wallet knows us.
        nonce: of the request.
        now: the moment.
        test: whether issuers under a test authority are believed.

    Raises:
        Refused: with the rule that it breaks.
    """
    signed, disclosures, binding = _parts(text)
    jws = _issued(signed)
    claims = _object(jws.payload)
    issuer, leaf = _issuer(jws, claims, issuers, now, test)
    if claims.get("vct") != asked.type:
        raise refused("type")
    _check_moments(claims, now.timestamp())
    disclosed = _disclosed(claims, [_disclosure(one) for one in disclosures])
    _check_binding(binding, claims, text.rpartition("~")[0] + "~", audience, nonce, now.timestamp())
    if any(not _was_asked(path, asked.claims) for path in disclosed):
        raise refused("more")
    whole = _put_together(text, leaf, audience, nonce)
    return Presentation(issuer, {path: _at(whole, path) for path in asked.claims}, _status(claims, issuer))


def chain_of(jws: Jws, issuers: Iterable[Issuer], now: datetime, test: bool) -> tuple[Issuer, Chain]:
    """Which issuer's certificate made this signature, and that certificate with those that lead to its anchor.

    Args:
        jws: with the certificate and its chain in its header (`x5c`, RFC 7515 §4.1.6).
        issuers: that are believed.
        now: aware UTC.
        test: whether test authorities are taken.

    Raises:
        Refused: none of them did, or it is one of a test authority in production.
    """
    offered = read_chain(jws.header.get("x5c"))
    for issuer in issuers if offered else ():
        try:
            chain = signer_chain(offered[0], offered[1:], issuer.anchors, now)
        except Refused:
            continue
        if not test and any(is_test(one) for one in chain):
            raise refused("test")
        if not verify_jws(jws, offered[0], ALGORITHMS):
            raise refused("signature")
        return issuer, chain
    raise refused("issuer")


def _parts(text: str) -> tuple[str, list[str], str]:
    if len(text) > LONGEST or text.count("~") > _MOST:
        raise refused("form")
    signed, *disclosures = text.split("~")
    if not disclosures:
        raise refused("form")
    if not disclosures[-1]:
        raise refused("binding")
    return signed, disclosures[:-1], disclosures[-1]


def _issued(signed: str) -> Jws:
    try:
        jws = read_jws(signed, LONGEST)
    except Invalid:
        raise refused("form") from None
    if jws.header.get("typ") != "dc+sd-jwt" or "b64" in jws.header:
        raise refused("form")
    if jws.algorithm not in ALGORITHMS:
        raise refused("signature")
    return jws


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = read_json(raw)
    except Invalid:
        raise refused("form") from None
    if not isinstance(found, dict):
        raise refused("form")
    return found


def _issuer(
    jws: Jws, claims: dict[str, Any], issuers: Iterable[Issuer], now: datetime, test: bool
) -> tuple[Issuer, Any]:
    possible = [
        one
        for one in issuers
        if claims.get("vct") in one.types and one.identifier in (None, claims.get("iss"))
    ]
    issuer, chain = chain_of(jws, possible, now, test)
    return issuer, chain[0]


def _check_moments(claims: dict[str, Any], now: float) -> None:
    end, start, made = (moment_of(claims, name) for name in ("exp", "nbf", "iat"))
    if end is not None and end <= now - LEEWAY:
        raise refused("expired")
    if any(one is not None and one > now + LEEWAY for one in (start, made)):
        raise refused("future")


def moment_of(claims: dict[str, Any], name: str, rule: str = "form") -> float | None:
    """A NumericDate (RFC 7519, 2), or a number of seconds; None when there is none. Raises `Refused` with the rule."""
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float | None):
        raise refused(rule)
    return found


def _disclosure(text: str) -> tuple[str, list[Any]]:
    """The digest of a disclosure, and what it says: salt, name and value, or salt and value of an array (RFC 9901, 4.2)."""
    try:
        parts = read_json(decode_base64url(text))
    except (Invalid, ValueError):
        raise refused("disclosures") from None
    strings = parts[:-1] if isinstance(parts, list) and len(parts) in (2, 3) else [None]
    if not all(isinstance(one, str) for one in strings) or _RESERVED & set(strings[1:]):
        raise refused("disclosures")
    return encode_base64url(hashlib.sha256(text.encode()).digest()), parts


class _Walk:
    """Every digest of a credential once, and every disclosure behind one (RFC 9901, 7.1)."""

    def __init__(self, disclosures: dict[str, list[Any]]) -> None:
        self._disclosures = disclosures
        self._seen: set[str] = set()
        self.disclosed: list[Path] = []

    def all_found(self) -> bool:
        return set(self._disclosures) <= self._seen

    def value(self, value: Any, path: Path, depth: int) -> None:
        if depth > _DEEPEST:
            raise refused("form")
        if isinstance(value, dict):
            self._members(value, path, depth)
        if isinstance(value, list):
            for one in value:
                if isinstance(one, dict) and "..." in one:
                    self._element(one, path, depth)
                else:
                    self.value(one, path, depth + 1)

    def _members(self, value: dict[str, Any], path: Path, depth: int) -> None:
        digests = value.get("_sd", [])
        if not isinstance(digests, list) or "..." in value or (path and "_sd_alg" in value):
            raise refused("disclosures")
        for name, inner in value.items():
            if name not in ("_sd", "_sd_alg"):
                self.value(inner, (*path, name), depth + 1)
        names = set(value)
        for digest in digests:
            found = self._take(digest, 3)
            if found is None:
                continue
            _salt, name, inner = found
            if name in names or (not path and name in _PLAIN):
                raise refused("disclosures")
            names.add(name)
            self.disclosed.append((*path, name))
            self.value(inner, (*path, name), depth + 1)

    def _element(self, value: dict[str, Any], path: Path, depth: int) -> None:
        if len(value) != 1:
            raise refused("disclosures")
        found = self._take(value["..."], 2)
        if found is not None:
            self.disclosed.append(path)
            self.value(found[1], path, depth + 1)

    def _take(self, digest: Any, parts: int) -> list[Any] | None:
        """The disclosure behind a digest; None for one that stays closed, or is there for show."""
        if not isinstance(digest, str) or digest in self._seen:
            raise refused("disclosures")
        self._seen.add(digest)
        found = self._disclosures.get(digest)
        if found is not None and len(found) != parts:
            raise refused("disclosures")
        return found


def _disclosed(claims: dict[str, Any], disclosures: Sequence[tuple[str, list[Any]]]) -> list[Path]:
    """What is disclosed, by path. Raises `Refused` for a disclosure that is not of this credential, or stands twice."""
    by_digest = dict(disclosures)
    if claims.get("_sd_alg", "sha-256") != "sha-256" or len(by_digest) != len(disclosures):
        raise refused("disclosures")
    walk = _Walk(by_digest)
    walk.value(claims, (), 0)
    if not walk.all_found():
        raise refused("disclosures")
    return walk.disclosed


def _check_binding(
    text: str, claims: dict[str, Any], presented: str, audience: str, nonce: str, now: float
) -> None:
    """That the holder's key made this presentation, for us, for this request, just now (RFC 9901, 7.3)."""
    confirmed = claims.get("cnf")
    key = confirmed.get("jwk") if isinstance(confirmed, dict) else None
    try:
        said = read_jwt(text, read_jwks({"keys": [key]}), typ="kb+jwt", algorithms=BINDING)
    except Invalid:
        raise refused("binding") from None
    made = moment_of(said, "iat")
    if (
        said.get("aud") != audience
        or said.get("nonce") != nonce
        or said.get("sd_hash") != encode_base64url(hashlib.sha256(presented.encode()).digest())
        or made is None
        or not -LEEWAY <= now - made <= FRESH + LEEWAY
    ):
        raise refused("binding")
    _check_moments(said, now)


def _put_together(text: str, leaf: Any, audience: str, nonce: str) -> dict[str, Any]:
    """The claims, disclosed ones in their places; the library checks all signatures once more."""
    try:
        key = JWK.from_pyca(leaf.public_key())
        whole: dict[str, Any] = SDJWTVerifier(
            text, lambda _issuer, _header: key, audience, nonce
        ).get_verified_payload()
    except Exception:
        raise refused("signature") from None
    return whole


def _was_asked(disclosed: Path, asked: Iterable[Path]) -> bool:
    """Whether a disclosure is one that was asked, leads to one, or is part of one."""
    return any(one[: len(disclosed)] == disclosed or disclosed[: len(one)] == one for one in asked)


def _at(whole: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(whole, dict) or name not in whole:
            raise refused("claims")
        whole = whole[name]
    return whole


def _status(claims: dict[str, Any], issuer: Issuer) -> StatusAt | None:
    found = claims.get("status")
    if found is None and not issuer.status:
        return None
    listed = found.get("status_list") if isinstance(found, dict) else None
    uri, index = (listed.get("uri"), listed.get("idx")) if isinstance(listed, dict) else (None, None)
    if not isinstance(uri, str) or not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise refused("status")
    return StatusAt(uri, index)


_WHY = {
    "form": Text("Het is geen SD-JWT VC zoals dit knooppunt die kent.", "It is no SD-JWT VC as this node knows them."),
    "type": Text("Het is een ander soort gegeven dan gevraagd.", "It is another kind of credential than was asked."),
    "issuer": Text("De uitgever wordt hier niet vertrouwd.", "Its issuer is not trusted here."),
    "test": Text("Het komt van een testuitgever.", "It comes from a test issuer."),
    "signature": Text("De handtekening van de uitgever klopt niet.", "The issuer's signature is wrong."),
    "expired": Text("Het is verlopen.", "It has expired."),
    "future": Text("Het geldt nog niet.", "It is not good yet."),
    "disclosures": Text("Wat getoond wordt hoort er niet bij.", "What is shown does not belong to it."),
    "binding": Text("De wallet bewijst niet dat het van haar houder is, voor dit verzoek.",
                    "The wallet does not prove that it is its holder's, for this request."),
    "claims": Text("Een gevraagd gegeven ontbreekt.", "Something that was asked is missing."),
    "value": Text("Een gegeven heeft een andere vorm dan hier bekend is.", "A value has another form than is known here."),
    "more": Text("De wallet stuurde meer dan gevraagd is.", "The wallet sent more than was asked."),
    "status": Text("Er staat niet in waar blijkt of het nog geldt.", "It does not say where its status is kept."),
    "status-host": Text("De uitgever houdt zijn intrekkingen elders bij dan hier bekend is.",
                        "Its issuer keeps its status elsewhere than is known here."),
    "status-list": Text("De lijst met intrekkingen van de uitgever klopt niet.", "The issuer's status list is wrong."),
    "revoked": Text("De uitgever heeft het ingetrokken.", "Its issuer has revoked it."),
    "suspended": Text("De uitgever heeft het geschorst.", "Its issuer has suspended it."),
}  # fmt: skip


def refused(rule: str) -> Refused:
    """A presentation that is not believed.

    Args:
        rule: the check that it failed, a key of the table of texts here.
    """
    return Refused(
        "presentation-refused",
        Text("Wat uw wallet toonde, wordt niet aanvaard.", "What your wallet showed is not accepted."),
        _WHY[rule],
        Text("Begin opnieuw, of log op een andere manier in.", "Begin again, or sign in in another way."),
        rule=f"presentation-{rule}",
    )

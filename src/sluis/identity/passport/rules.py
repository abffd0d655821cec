"""What is asked of a wallet, and who somebody is by what it showed: pure. OpenID4VP 1.0, sections 5 and 6 (DCQL); the
High Assurance profile of OpenID4VC 1.0 for the choices it leaves."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from sluis.crypto import algorithm_for, certificate_thumbprint, encode_chain, sign_jws
from sluis.identity.passport.encryption import CONTENT, unreadable
from sluis.identity.passport.model import Asked, Path, Presentation, ResponseMode, Signer, Way
from sluis.identity.passport.presentation import ALGORITHMS, BINDING, refused
from sluis.identity.register import RegisteredName, urn_of
from sluis.identity.sessions import Established
from sluis.kernel import ACR, Kvk, Refused, Text, nine_digits

CODE = "passport-code"
"""The rule that a wrong code breaks."""

QUERY = "passport"
"""The id of our one credential query."""

_AUDIENCE = "https://self-issued.me/v2"  # OpenID4VP 1.0, 5.8: a wallet that we cannot know beforehand
_LONGEST = 200  # characters of a value


def client_id(signer: Signer) -> str:
    """By what a wallet knows us: the hash of the certificate that we sign requests with (OpenID4VP 1.0, 5.9.3)."""
    return f"x509_hash:{certificate_thumbprint(signer.chain[0])}"


def dcql(asked: Asked) -> dict[str, Any]:
    """The query for one credential with just these claims (OpenID4VP 1.0, 6)."""
    return {
        "credentials": [
            {
                "id": QUERY,
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [asked.type]},
                "claims": [{"path": list(path)} for path in asked.claims],
            }
        ]
    }


def request_object(
    signer: Signer,
    asked: Asked,
    *,
    name: str,
    answer_to: str,
    mode: ResponseMode,
    nonce: str,
    state: str,
    key: Mapping[str, Any] | None,
    wallet_nonce: str | None,
    now: int,
) -> str:
    """The request as signed JWT (RFC 9101; OpenID4VP 1.0, 5).

    Args:
        signer: certificate and key that we sign requests with.
        asked: what is asked for.
        name: of this organisation.
        answer_to: where the wallet sends its answer.
        mode: how.
        nonce: of this request; the answer holds it.
        state: of this request; it comes back.
        key: public, to encrypt the answer to; None when it is not encrypted.
        wallet_nonce: what the wallet sent when it fetched this, if it did.
        now: seconds since the epoch.
    """
    formats = {"sd-jwt_alg_values": sorted(ALGORITHMS), "kb-jwt_alg_values": sorted(BINDING)}
    metadata: dict[str, Any] = {"client_name": name, "vp_formats_supported": {"dc+sd-jwt": formats}}
    if key is not None:
        metadata |= {
            "jwks": {"keys": [key]},
            "encrypted_response_enc_values_supported": list(CONTENT),
        }
    claims = {
        "aud": _AUDIENCE,
        "iat": now,
        "client_id": client_id(signer),
        "response_type": "vp_token",
        "response_mode": mode,
        "response_uri": answer_to,
        "nonce": nonce,
        "state": state,
        "dcql_query": dcql(asked),
        "client_metadata": metadata,
        **({"wallet_nonce": wallet_nonce} if wallet_nonce else {}),
    }
    header = {"typ": "oauth-authz-req+jwt", "x5c": encode_chain(signer.chain)}
    return sign_jws(signer.key, algorithm_for(signer.chain[0]), header, msgspec.json.encode(claims))


def presented(token: Any) -> str:
    """The one presentation in a `vp_token` (OpenID4VP 1.0, 8.1). Raises `Invalid` for anything else."""
    found = token.get(QUERY) if isinstance(token, dict) and len(token) == 1 else None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        raise unreadable()
    return found[0]


def established(way: Way, shown: Presentation, now: int, test: bool) -> Established:
    """Who somebody is by what their wallet showed.

    Args:
        way: how they sign in.
        shown: what was proven.
        now: seconds since the epoch.
        test: whether numbers that fail the eleven-test are citizens' too.

    Raises:
        Refused: a value is of another kind than it should be.
    """
    found = {name: _value(shown, paths) for name, paths in way.claims.items()}
    issuer = shown.issuer.identifier or shown.issuer.name
    bsn, kvk = found.get("bsn"), found.get("kvk")
    if bsn is not None and not nine_digits(bsn, test):
        raise refused("value")
    if kvk is not None and not Kvk.accepts(kvk):
        raise refused("value")
    return Established(
        method="passport",
        audience=way.audience,
        kind="BSN" if bsn is not None else "pseudonym",
        value=bsn if bsn is not None else f"{issuer}|{found['person']}",
        level=way.level,
        acr=ACR.get(way.level, way.level),
        at=now,
        issuer=issuer,
        name=found.get("name"),
        entity=None if kvk is None else urn_of(Kvk(kvk)),
        entity_name=found.get("company"),
        registered=_registered(found),
    )


def _registered(found: dict[str, str]) -> RegisteredName | None:
    """The name and date of birth by which the trade register knows somebody, when the way asks for them. Raises `Refused`."""
    given, surname, born = (found.get(name) for name in ("given", "surname", "born"))
    if given is None or surname is None or born is None:
        return None
    try:
        return RegisteredName(given, "", surname, date.fromisoformat(born))
    except ValueError:
        raise refused("value") from None


def label(path: Path) -> Text:
    """What a claim is called for people; its own name when it has no other."""
    return _LABELS.get(path[-1], Text(".".join(path), ".".join(path)))


def declined() -> Refused:
    """The person chose not to show anything, or their wallet has no such credential."""
    return Refused(
        "passport-declined",
        Text("Uw wallet heeft niets getoond.", "Your wallet showed nothing."),
        Text(
            "U hebt geweigerd, of de gevraagde gegevens staan er niet in.",
            "You declined, or what was asked is not in it.",
        ),
        Text("Begin opnieuw, of log op een andere manier in.", "Begin again, or sign in in another way."),
        rule="passport-declined",
    )


def gone() -> Refused:
    """There is no such request for this browser."""
    return Refused(
        "passport-gone",
        Text("Dit verzoek aan uw wallet is er niet meer.", "This request to your wallet is no longer there."),
        Text(
            "Het duurde langer dan vijf minuten, is al beantwoord, of is in een andere browser begonnen.",
            "It took longer than five minutes, was answered already, or was begun in another browser.",
        ),
        Text("Begin opnieuw met inloggen.", "Begin signing in again."),
        rule="passport-request",
    )


def wrong_code(left: int) -> Refused:
    """The code that was typed is not that of this request; `left` more may be tried."""
    return Refused(
        CODE,
        Text("Deze code klopt niet.", "This code is not right."),
        Text(f"U kunt het nog {left} keer proberen.", f"You can try {left} more times."),
        Text("Typ de code over die uw telefoon toont.", "Type the code that your phone shows."),
        rule=CODE,
    )


def _value(shown: Presentation, paths: tuple[Path, ...]) -> str:
    values = [shown.claims[path] for path in paths]
    if not all(isinstance(one, str) and one.strip() and one.isprintable() for one in values):
        raise refused("value")
    joined = " ".join(values)
    if len(joined) > _LONGEST:
        raise refused("value")
    return joined


_LABELS = {
    "given_name": Text("voornamen", "given names"),
    "family_name": Text("achternaam", "family name"),
    "birth_family_name": Text("geboortenaam", "family name at birth"),
    "birthdate": Text("geboortedatum", "date of birth"),
    "bsn": Text("burgerservicenummer (BSN)", "citizen service number (BSN)"),
    "personal_administrative_number": Text("burgerservicenummer (BSN)", "citizen service number (BSN)"),
    "kvk_number": Text("KVK-nummer", "trade register (KVK) number"),
    "legal_name": Text("naam van het bedrijf", "name of the company"),
}

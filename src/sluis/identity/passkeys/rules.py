"""What a passkey is good for: pure decisions. Web Authentication level 3, sections 7.1 and 7.2; the cryptography of those
steps is `webauthn`'s.

Besides what that library checks, an answer must be spelled in the one canonical way, and not come out of a frame of
another site (`crossOrigin`).
"""

from typing import Any

import msgspec

from sluis.crypto import decode_base64url, read_json
from sluis.identity.passkeys.model import NEXT, Passkey, Settings, State
from sluis.kernel import LEVELS, Invalid, Level, Refused, Text, convert, reaches
from sluis.web import SignedIn

FRESH = 600
"""Seconds after signing in that somebody may make a passkey."""

LONGEST = 16 * 1024
"""Characters of an answer of a browser."""

MOST = 20
"""Passkeys of one person that work."""

_DAY = 86_400
_AHEAD = 60  # seconds that clocks may differ


class _Response(msgspec.Struct, frozen=True, rename="camel"):
    client_data: str = msgspec.field(name="clientDataJSON")
    attestation_object: str | None = None
    authenticator_data: str | None = None
    signature: str | None = None
    user_handle: str | None = None
    transports: tuple[str, ...] = ()


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    raw_id: str
    type: str
    response: _Response


class Answer(msgspec.Struct, frozen=True):
    """What a browser answered, read and not yet believed.

    Args:
        id: of the credential, base64url.
        challenge: that was answered, base64url.
        user: the handle of the person, as the passkey knows it; None when it does not say.
        transports: how the passkey can be reached.
        credential: the same for the library.
    """

    id: str
    challenge: str
    user: bytes | None
    transports: tuple[str, ...]
    credential: dict[str, Any]


def read_answer(text: str) -> Answer:
    """Read what the browser made of a passkey's answer (WebAuthn, 5.1: `toJSON`).

    Raises:
        Refused: it is too long, or another text.
    """
    try:
        if len(text) > LONGEST:
            raise ValueError
        raw = read_json(text.encode())
        answer = convert(raw, _Answer)
        parts = answer.response
        binary = (answer.id, parts.client_data, parts.attestation_object, parts.authenticator_data,
                  parts.signature, parts.user_handle)  # fmt: skip
        for part in binary:
            decode_base64url(part or "")
        client = read_json(decode_base64url(parts.client_data))
        if (
            answer.raw_id != answer.id
            or answer.type != "public-key"
            or not isinstance(client, dict)
            or client.get("crossOrigin", False) is not False
            or "topOrigin" in client
        ):
            raise ValueError
        challenge = client["challenge"]
        decode_base64url(challenge)
    except (ValueError, TypeError, KeyError, UnicodeError, Invalid, msgspec.ValidationError):
        raise not_this_passkey("answer-readable") from None
    response = {
        "clientDataJSON": parts.client_data,
        **({"attestationObject": parts.attestation_object} if parts.attestation_object else {}),
        **({"authenticatorData": parts.authenticator_data} if parts.authenticator_data else {}),
        **({"signature": parts.signature} if parts.signature else {}),
    }
    known = tuple(one for one in parts.transports if one in TRANSPORTS)
    user = decode_base64url(parts.user_handle) if parts.user_handle else None
    credential = {"id": answer.id, "rawId": answer.id, "type": "public-key", "response": response}
    return Answer(answer.id, challenge, user, known, credential)


TRANSPORTS = ("usb", "nfc", "ble", "hybrid", "internal", "smart-card")
"""Ways to a passkey that are passed on to browsers (WebAuthn, 5.8.4)."""


def check_may_make(who: SignedIn, settings: Settings, now: int, have: int) -> None:
    """Whether somebody may make a passkey now.

    Args:
        who: signed in.
        settings: how passkeys are used here.
        now: seconds since the epoch.
        have: how many that person has already.

    Raises:
        Refused: no official, signed in too weakly, too long ago or with a passkey, or there are too many.
    """
    if who.audience != "staff":
        raise _may_not(
            "passkey-for-staff",
            Text("Passkeys zijn er voor medewerkers.", "Passkeys are for staff."),
            Text("Log in als medewerker.", "Sign in as a member of staff."),
        )
    if who.method == "passkey":
        raise _may_not(
            "passkey-after-other-way",
            Text(
                "Wie met een passkey is ingelogd, maakt er geen nieuwe mee: anders bleef een gestolen passkey altijd werken.",
                "Who signed in with a passkey makes no new one: a stolen passkey would work for ever.",
            ),
            Text(
                "Log in via de organisatie en probeer het opnieuw.",
                "Sign in through the organisation and try again.",
            ),
        )
    if not reaches(who.level, settings.enrol):
        raise _may_not(
            "passkey-level",
            Text(
                f"Voor het maken van een passkey is niveau {settings.enrol} nodig.",
                f"Making a passkey takes level {settings.enrol}.",
            ),
            Text("Log in met een sterker middel.", "Sign in with a stronger means."),
        )
    if who.at == 0:
        raise _may_not(
            "passkey-time-untold",
            Text(
                "Uw inlogdienst zegt niet wanneer u bewees wie u bent; opnieuw inloggen helpt niet.",
                "Your sign-in service does not tell when you proved who you are; signing in again does not help.",
            ),
            Text(
                "Vraag uw beheerder om `auth_time` van de inlogdienst.",
                "Ask your administrator for `auth_time` of the sign-in service.",
            ),
        )
    if not -_AHEAD <= now - who.at <= FRESH:
        raise _may_not(
            "passkey-fresh",
            Text(
                f"U logde langer dan {FRESH // 60} minuten geleden in.",
                f"You signed in more than {FRESH // 60} minutes ago.",
            ),
            Text("Log opnieuw in en maak dan de passkey.", "Sign in again, then make the passkey."),
        )
    if have >= MOST:
        raise _may_not(
            "passkey-number",
            Text(f"U hebt al {MOST} passkeys.", f"You have {MOST} passkeys already."),
            Text("Trek er eerst een in.", "Revoke one first."),
        )


def check_works(passkey: Passkey, settings: Settings, now: int) -> None:
    """Whether a passkey still signs in.

    Raises:
        Refused: it was revoked, somebody may have a copy, or its owner did not sign in in another way for too long.
    """
    if passkey.state == "cloned":
        raise copied()
    if passkey.state != "active":
        raise not_this_passkey("passkey-active")
    if now - passkey.confirmed > settings.days * _DAY:
        raise Refused(
            "passkey-unconfirmed",
            Text("Met deze passkey kunt u nu niet inloggen.", "You cannot sign in with this passkey now."),
            Text(
                f"U bent {settings.days} dagen niet via de organisatie ingelogd.",
                f"You have not signed in through the organisation for {settings.days} days.",
            ),
            Text(
                "Log één keer in via de organisatie; daarna werkt de passkey weer.",
                "Sign in through the organisation once; then the passkey works again.",
            ),
            rule="passkey-confirmed",
        )


def level_given(passkey: Passkey, settings: Settings) -> Level:
    """The level of someone who signs in with a passkey: the lower of what the settings say and what its owner had."""
    return min(passkey.level, settings.level, key=LEVELS.index)


def went_back(passkey: Passkey, count: int) -> bool:
    """Whether a counter shows that there is a copy (WebAuthn, 6.1.1): one that counts must go up."""
    return (count > 0 or passkey.count > 0) and count <= passkey.count


def may_become(passkey: Passkey, state: State) -> bool:
    """Whether a passkey may go into a state."""
    return state in NEXT[passkey.state]


def check_name(name: str) -> str:
    """A name for a passkey, as its owner wrote it. Raises `Invalid` for an empty or long one."""
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= 60 or not tidy.isprintable():
        raise Invalid(
            "passkey-name",
            Text("Deze naam kan niet.", "This name will not do."),
            Text("Een naam heeft 1 tot 60 tekens.", "A name has 1 to 60 characters."),
            Text("Kies een andere naam, zoals 'laptop'.", "Choose another name, such as 'laptop'."),
        )
    return tidy


def not_this_passkey(rule: str) -> Refused:
    """The one refusal for nearly everything that is wrong with an answer: it tells no more than `rule`."""
    return Refused(
        "passkey-refused",
        Text("Inloggen met deze passkey lukte niet.", "Signing in with this passkey did not work."),
        Text(
            "De passkey is hier niet bekend, is ingetrokken, of het duurde langer dan vijf minuten.",
            "The passkey is not known here, was revoked, or it took longer than five minutes.",
        ),
        Text(
            "Probeer het opnieuw, of log in via de organisatie.",
            "Try again, or sign in through the organisation.",
        ),
        rule=rule,
    )


def copied() -> Refused:
    """Somebody may have a copy of this passkey."""
    return Refused(
        "passkey-cloned",
        Text("Deze passkey is geblokkeerd.", "This passkey is blocked."),
        Text(
            "Zijn teller liep terug: er kan een kopie van zijn.",
            "Its counter went back: there may be a copy of it.",
        ),
        Text(
            "Log in via de organisatie, trek deze passkey in, en meld het bij uw beheerder.",
            "Sign in through the organisation, revoke this passkey, and tell your administrator.",
        ),
        rule="passkey-counter",
    )


def _may_not(rule: str, why: Text, next: Text) -> Refused:
    return Refused(
        "passkey-not-made",
        Text("U kunt nu geen passkey maken.", "You cannot make a passkey now."),
        why,
        next,
        rule=rule,
    )

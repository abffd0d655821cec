"""Answers of wallets that only we can read: JWE in compact form (RFC 7516), ECDH-ES on P-256 with AES-GCM (RFC 7518, 4.6
and 5.3), as the High Assurance profile of OpenID4VC asks. Each request has a key of its own, which is in memory alone.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from sluis.crypto import decode_base64url, read_json
from sluis.kernel import Invalid, Text

CONTENT = ("A128GCM", "A256GCM")
"""How the content may be encrypted (`encrypted_response_enc_values_supported`)."""

_ALGORITHM = "ECDH-ES"
_LONGEST = 64 * 1024  # characters
_HEADER = frozenset({"alg", "enc", "kid", "epk", "apu", "apv", "typ", "cty"})


class ResponseKey:
    """The key to which one answer is encrypted."""

    def __init__(self) -> None:
        self._key = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
        self._kid = self._key.thumbprint()

    @property
    def public(self) -> dict[str, Any]:
        """What the wallet gets of it (RFC 7517)."""
        return {**self._key.as_dict(private=False), "kid": self._kid, "use": "enc", "alg": _ALGORITHM}

    def open(self, text: str) -> dict[str, Any]:
        """The members of an answer.

        Raises:
            Invalid: it was not encrypted to this key in one of these ways, or is no JSON object.
        """
        try:
            if len(text) > _LONGEST or text.count(".") != 4:
                raise ValueError
            head, *_ = map(decode_base64url, text.split("."))
            header = read_json(head)
            if not (isinstance(header, dict) and set(header) <= _HEADER and header["kid"] == self._kid):
                raise ValueError
            opened = jwe.decrypt_compact(text, self._key, [_ALGORITHM, *CONTENT]).plaintext
            found = read_json(opened or b"")
        except (JoseError, ValueError, TypeError, KeyError, Invalid):
            raise unreadable() from None
        if not isinstance(found, dict):
            raise unreadable()
        return found


def unreadable() -> Invalid:
    """An answer that is none."""
    return Invalid(
        "answer-unreadable",
        Text("Het antwoord van de wallet is niet te lezen.", "The wallet's answer cannot be read."),
        Text(
            "Het hoort niet bij dit verzoek, of heeft een andere vorm.",
            "It does not belong to this request, or has another form.",
        ),
        Text("Begin opnieuw.", "Begin again."),
    )

"""Every error of OAuth 2.0 and OpenID Connect that this provider gives, with its HTTP status, in one table.

RFC 6749 (4.1.2.1, 5.2), RFC 6750 (3.1), RFC 8693 (2.2.2), RFC 8707 (2), OpenID Connect Core 1.0 (3.1.2.6) and OpenID
Connect Core Unmet Authentication Requirements 1.0.
"""

from typing import NamedTuple

import msgspec

from sluis.kernel import Problem, Text


class Fault(NamedTuple):
    """One error: its HTTP status when it is answered and not redirected, what happened, and what helps."""

    status: int
    what: Text
    next: Text


_ASK = Text("Verbeter het verzoek.", "Correct the request.")
_AGAIN = Text("Begin opnieuw met inloggen.", "Begin to sign in anew.")
_SETTINGS = Text("Vraag de beheerder dit in te stellen.", "Ask the operator to set this up.")

FAULTS: dict[str, Fault] = {
    "invalid_request": Fault(400, Text("Het verzoek klopt niet.", "The request is wrong."), _ASK),
    "invalid_client": Fault(401, Text("Het programma is niet herkend.", "The program was not recognised."), _ASK),
    "invalid_grant": Fault(400, Text("De code of het token is niet geldig.", "The code or token is not valid."), _AGAIN),
    "unauthorized_client": Fault(400, Text("Dit programma mag dit niet.", "This program may not do this."), _SETTINGS),
    "unsupported_grant_type": Fault(400, Text("Zo geeft dit knooppunt geen tokens.", "This node gives no tokens that way."), _ASK),
    "unsupported_response_type": Fault(400, Text("Alleen `code` is mogelijk.", "Only `code` is possible."), _ASK),
    "invalid_scope": Fault(400, Text("Deze scope mag niet.", "This scope is not allowed."), _SETTINGS),
    "invalid_target": Fault(400, Text("Voor die ontvanger is er geen token.", "There is no token for that audience."), _SETTINGS),
    "access_denied": Fault(403, Text("Er is niet ingelogd.", "Nobody signed in."), _AGAIN),
    "login_required": Fault(403, Text("Er moet worden ingelogd.", "Someone has to sign in."), _AGAIN),
    "unmet_authentication_requirements": Fault(403, Text("Er is niet sterk genoeg ingelogd.", "Nobody signed in strongly enough."), _AGAIN),
    "request_not_supported": Fault(400, Text("Verzoeken als object kent dit knooppunt niet.", "This node knows no request objects."), _ASK),
    "request_uri_not_supported": Fault(400, Text("Dit verzoek staat ergens anders.", "This request stands elsewhere."), _ASK),
    "invalid_request_uri": Fault(400, Text("Dit verzoek is er niet meer.", "This request is gone."), _AGAIN),
    "invalid_token": Fault(401, Text("Het token is niet geldig.", "The token is not valid."), _AGAIN),
    "insufficient_scope": Fault(403, Text("Het token geldt hier niet voor.", "The token is not for this."), _ASK),
}  # fmt: skip


class OAuthProblem(Problem):
    """Something that went wrong, by its name in OAuth.

    Attributes:
        error: as the standards write it.
        status: the HTTP status of this one.
    """

    def __init__(self, error: str, why: Text) -> None:
        fault = FAULTS[error]
        super().__init__(error.replace("_", "-"), fault.what, why, fault.next)
        self.error, self.status = error, fault.status

    def body(self) -> bytes:
        """The error object (RFC 6749, 5.2)."""
        return msgspec.json.encode({"error": self.error, "error_description": self.why.en})

    def headers(self) -> dict[str, str]:
        """What must stand above that body (RFC 6750, 3)."""
        if self.error in ("invalid_token", "insufficient_scope"):
            return {"WWW-Authenticate": f'Bearer error="{self.error}"'}
        return {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}

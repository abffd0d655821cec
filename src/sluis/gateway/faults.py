"""What FSC calls things that go wrong: error codes with their HTTP status, and the answer that carries them.

FSC Core 2.0.0 (Error handling; Manager, Outway and Inway, Codes) and Logging 1.0.0. The body is an object with
`message`, `domain` and `code`; the header `Fsc-Error-Code` repeats the code. Where the standard gives no code for
something that must be refused, there is one of our own, marked so; a peer that does not know it still reads why.
"""

from typing import Literal

import msgspec

from sluis.kernel import Problem, Text

Domain = Literal["ERROR_DOMAIN_MANAGER", "ERROR_DOMAIN_INWAY", "ERROR_DOMAIN_OUTWAY"]
"""The component in which it went wrong."""

MANAGER: Domain = "ERROR_DOMAIN_MANAGER"
INWAY: Domain = "ERROR_DOMAIN_INWAY"
OUTWAY: Domain = "ERROR_DOMAIN_OUTWAY"


class Fault(msgspec.Struct, frozen=True):
    """One error code.

    Attributes:
        status: the HTTP status that goes with it.
        domains: the components that may give it.
        what: what happened.
        next: the step that helps.
        retry: whether sending the same again may succeed.
        standard: whether it is a code of FSC.
    """

    status: int
    domains: tuple[Domain, ...]
    what: Text
    next: Text
    retry: bool = False
    standard: bool = True


_CONTRACT_REFUSED = Text("Dit contract is niet aangenomen.", "This contract was not taken.")
_SIGNATURE_REFUSED = Text("Deze handtekening is niet aangenomen.", "This signature was not taken.")
_TOKEN_REFUSED = Text("Dit token geeft geen toegang.", "This token gives no access.")
_NEW_CONTRACT = Text("Maak een nieuw contract en bied dat aan.", "Make a new contract and offer that.")
_SIGN_AGAIN = Text("Teken de inhoud opnieuw en stuur die handtekening.", "Sign the content again and send that signature.")  # fmt: skip
_NEW_TOKEN = Text("Vraag een nieuw token aan bij de aanbieder.", "Request a new token from the provider.")
_TELL = Text("Meld het bij de beheerder van de aanbieder.", "Tell the operator of the provider.")
_LATER = Text("Probeer het later opnieuw.", "Try again later.")
_NOT_LOGGED = Text("Dit verzoek kan niet worden vastgelegd, dus gaat het niet door.",
                   "This request cannot be logged, so it does not pass.")  # fmt: skip

FAULTS: dict[str, Fault] = {
    # FSC Core 2.0.0, Manager, Codes
    "ERROR_CODE_INCORRECT_GROUP_ID": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT),
    "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT),
    "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT": Fault(
        422, (MANAGER,), _CONTRACT_REFUSED,
        Text("Stuur het alleen aan organisaties die in het contract staan.",
             "Send it only to organisations that are in the contract."),
    ),
    "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH": Fault(422, (MANAGER,), _SIGNATURE_REFUSED, _SIGN_AGAIN),
    "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED": Fault(
        400, (MANAGER,),
        Text("Uw certificaat is niet bruikbaar in deze groep.", "Your certificate is of no use in this group."),
        Text("Vraag een certificaat aan volgens de regels van de groep.",
             "Request a certificate that follows the group's rules."),
    ),
    "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH": Fault(
        422, (MANAGER,), _SIGNATURE_REFUSED,
        Text("Stuur alleen handtekeningen van uw eigen organisatie.", "Send only signatures of your own organisation."),
    ),
    "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED": Fault(422, (MANAGER,), _SIGNATURE_REFUSED, _SIGN_AGAIN),
    "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT),
    "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH": Fault(
        422, (MANAGER,), _SIGNATURE_REFUSED,
        Text("Zet de hash van deze inhoud in het pad.", "Put the hash of this content into the path."),
    ),
    "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT),
    "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE": Fault(422, (MANAGER,), _SIGNATURE_REFUSED, _SIGN_AGAIN),
    "ERROR_CODE_UNKNOWN_FSC_VERSION": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT),
    # in its OpenAPI file only
    "ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT),
    # our own: refused by its rules, or by being JSON or by a bound, without a code for it
    "ERROR_CODE_CONTRACT_INVALID": Fault(422, (MANAGER,), _CONTRACT_REFUSED, _NEW_CONTRACT, standard=False),
    "ERROR_CODE_MALFORMED_REQUEST": Fault(
        400, (MANAGER,),
        Text("Dit verzoek is niet te lezen.", "This request cannot be read."),
        Text("Vergelijk het verzoek met de OpenAPI van FSC Core 2.0.0.",
             "Compare the request with the OpenAPI file of FSC Core 2.0.0."),
        standard=False,
    ),
    # our own: bounds of what one peer may ask of this one
    "ERROR_CODE_TOO_MANY_OPEN_CONTRACTS": Fault(
        429, (MANAGER,), _CONTRACT_REFUSED,
        Text("Vraag die organisatie te beslissen over wat er al ligt, of wacht tot het verloopt.",
             "Ask that organisation to decide on what is there already, or wait until it ends."),
        retry=True, standard=False,
    ),
    "ERROR_CODE_TOO_MANY_REQUESTS": Fault(
        429, (MANAGER, INWAY),
        Text("U vraagt te veel in te korte tijd.", "You ask too much in too short a time."),
        Text("Wacht zo lang als Retry-After zegt, en vraag het dan opnieuw.",
             "Wait as long as Retry-After says, and ask again then."),
        retry=True, standard=False,
    ),
    # FSC Core 2.0.0, Outway, Codes
    "ERROR_CODE_METHOD_UNSUPPORTED": Fault(
        405, (OUTWAY,),
        Text("Deze methode gaat niet door een outway.", "This method does not pass an outway."),
        Text("Gebruik een andere methode.", "Use another method."),
    ),
    # our own, at the outway; UNKNOWN_GRANT_HASH_IN_HEADER after OpenFSC
    "ERROR_CODE_UNKNOWN_HOST": Fault(
        421, (OUTWAY,),
        Text("Onder deze naam is de outway niet te bereiken.", "The outway is not to be reached by this name."),
        Text("Roep de outway aan op zijn IP-adres of als localhost, of zet de naam in `names` onder `[outway]`.",
             "Call the outway by its IP address or as localhost, or put the name into `names` under `[outway]`."),
        standard=False,
    ),
    "ERROR_CODE_OTHER_SITE": Fault(
        403, (OUTWAY,),
        Text("De outway neemt niets aan van een webpagina van een andere site.",
             "The outway takes nothing from a web page of another site."),
        Text("Laat de pagina haar eigen server vragen, en die de outway.",
             "Have the page ask its own server, and that the outway."),
        standard=False,
    ),
    "UNKNOWN_GRANT_HASH_IN_HEADER": Fault(
        400, (OUTWAY,),
        Text("Deze grant is hier niet bekend.", "This grant is not known here."),
        Text("Neem de hash van een verbinding die van kracht is.", "Take the hash of a connection that is in force."),
        standard=False,
    ),
    "ERROR_CODE_NO_CONTRACT": Fault(
        403, (OUTWAY,),
        Text("Er is geen contract voor deze verbinding.", "There is no contract for this connection."),
        Text("Vraag een verbinding aan bij de aanbieder.", "Request a connection from the provider."),
        standard=False,
    ),
    "ERROR_CODE_SEVERAL_CONTRACTS": Fault(
        409, (OUTWAY,),
        Text("Er is meer dan één contract voor deze verbinding.", "There is more than one contract for this connection."),
        Text("Kies er een: met Fsc-Grant-Hash, of met een link.", "Choose one: by Fsc-Grant-Hash, or by a link."),
        standard=False,
    ),
    "ERROR_CODE_TOKEN_REFUSED": Fault(
        403, (OUTWAY,),
        Text("De aanbieder geeft geen token.", "The provider gives no token."),
        Text("Kijk in het contract, en vraag het zo nodig na bij de aanbieder.",
             "Look at the contract, and ask the provider if need be."),
        standard=False,
    ),
    "ERROR_CODE_PEER_UNREACHABLE": Fault(
        502, (OUTWAY,),
        Text("De aanbieder is niet te bereiken.", "The provider cannot be reached."), _LATER,
        retry=True, standard=False,
    ),
    "ERROR_CODE_PEER_PAUSED": Fault(
        503, (OUTWAY,),
        Text("De aanbieder antwoordt al even niet, en wordt nu niet gevraagd.",
             "The provider has not answered for a while, and is not asked now."), _LATER,
        retry=True, standard=False,
    ),
    # FSC Core 2.0.0, Inway, Codes
    "ERROR_CODE_ACCESS_TOKEN_MISSING": Fault(401, (INWAY,), _TOKEN_REFUSED, _NEW_TOKEN),
    "ERROR_CODE_ACCESS_TOKEN_INVALID": Fault(401, (INWAY,), _TOKEN_REFUSED, _NEW_TOKEN),
    "ERROR_CODE_ACCESS_TOKEN_EXPIRED": Fault(401, (INWAY,), _TOKEN_REFUSED, _NEW_TOKEN, retry=True),
    "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN": Fault(403, (INWAY, OUTWAY), _TOKEN_REFUSED, _NEW_TOKEN),
    "ERROR_CODE_SERVICE_NOT_FOUND": Fault(
        404, (INWAY,), Text("Deze dienst wordt hier niet aangeboden.", "This service is not offered here."), _TELL
    ),
    "ERROR_CODE_SERVICE_UNREACHABLE": Fault(
        502, (INWAY,),
        Text("De dienst achter deze inway antwoordt niet.", "The service behind this inway does not answer."), _TELL,
        retry=True,
    ),
    # our own, at the inway
    "ERROR_CODE_NOT_ALLOWED": Fault(
        403, (INWAY,),
        Text("Dit mag niet met deze dienst.", "This is not allowed with this service."),
        Text("Vraag het na bij de aanbieder.", "Ask the provider."),
        standard=False,
    ),
    # FSC Logging 1.0.0; its codes have no prefix
    "TRANSACTION_LOG_WRITE_ERROR": Fault(500, (INWAY, OUTWAY), _NOT_LOGGED, _LATER, retry=True),
    "INVALID_LOG_RECORD_ID": Fault(
        400, (INWAY, OUTWAY), _NOT_LOGGED,
        Text("Zet een UUIDv7 in Fsc-Transaction-Id.", "Put a UUIDv7 into Fsc-Transaction-Id."),
    ),
    "MISSING_LOG_RECORD_ID": Fault(
        400, (INWAY,), _NOT_LOGGED,
        Text("Stuur het verzoek door een outway, met Fsc-Transaction-Id.",
             "Send the request through an outway, with Fsc-Transaction-Id."),
    ),
}  # fmt: skip


class FscProblem(Problem):
    """Something that went wrong, by its FSC code.

    Attributes:
        status: the HTTP status of this one.
        fsc_code: as FSC writes it, `ERROR_CODE_…`.
        domain: the component in which it went wrong.
    """

    def __init__(
        self, fsc_code: str, domain: Domain, why: Text, *, code: str | None = None, peer: str | None = None
    ) -> None:
        fault = FAULTS[fsc_code]
        name = code or fsc_code.removeprefix("ERROR_CODE_").lower().replace("_", "-")
        super().__init__(name, fault.what, why, fault.next, peer=peer, retry=fault.retry)
        self.fsc_code, self.domain, self.status = fsc_code, domain, fault.status

    def body(self) -> bytes:
        """The error object, JSON."""
        return msgspec.json.encode({"message": str(self), "domain": self.domain, "code": self.fsc_code})

    def headers(self) -> dict[str, str]:
        """What must stand above that body."""
        challenge = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return {"Content-Type": "application/json", "Fsc-Error-Code": self.fsc_code, **challenge}


def manager_fault(
    fsc_code: str, why: Text, *, code: str | None = None, peer: str | None = None
) -> FscProblem:
    """A problem at the Manager.

    Args:
        fsc_code: one of `FAULTS`.
        why: the cause, in terms the caller can check.
        code: a narrower name than the FSC code gives, kebab-case.
        peer: the other organisation concerned.
    """
    return FscProblem(fsc_code, MANAGER, why, code=code, peer=peer)


def inway_fault(fsc_code: str, why: Text, *, code: str | None = None, peer: str | None = None) -> FscProblem:
    """A problem at the inway; arguments as `manager_fault`."""
    return FscProblem(fsc_code, INWAY, why, code=code, peer=peer)


def outway_fault(fsc_code: str, why: Text, *, code: str | None = None, peer: str | None = None) -> FscProblem:
    """A problem at the outway; arguments as `manager_fault`."""
    return FscProblem(fsc_code, OUTWAY, why, code=code, peer=peer)

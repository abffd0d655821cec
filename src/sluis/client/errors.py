"""What can go wrong on the way to a service of another organisation, and what to do about it.

    GatewayError        the request did not reach the service, or its answer did not reach you
    ├── OutwayError     your own organisation's side stopped it
    ├── InwayError      the provider's side stopped it
    └── NoOutway        your own outway does not answer

An answer of the service itself is never an error here, whatever its status. No text holds a path, a query or a body:
they may name a person.
"""

from collections.abc import Mapping

import msgspec

_MOST = 2000  # characters of another's text


class GatewayError(Exception):
    """A request that did not make it.

    Attributes:
        code: of FSC Core 2.0.0 or Logging 1.0.0 (`ERROR_CODE_…`, `TRANSACTION_LOG_WRITE_ERROR`, …); empty when the
            gateway could not give one.
        peer: the Peer ID or name of the provider, as the request named it.
        retry: whether sending the same again may succeed.
        status: HTTP status; 0 when there was no answer.
        transaction_id: under which both organisations find it in their transaction logs, when it came that far.
    """

    def __init__(
        self, message: str, *, code: str = "", peer: str = "", retry: bool = False, status: int = 0,
        transaction_id: str = "",
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.code, self.peer, self.retry, self.status = code, peer, retry, status
        self.transaction_id = transaction_id

    def __str__(self) -> str:
        parts = [super().__str__()]
        parts += [f"code {self.code}"] if self.code else []
        parts += [f"peer {self.peer}"] if self.peer else []
        parts += [f"transaction {self.transaction_id}"] if self.transaction_id else []
        return f"{parts[0]} ({', '.join(parts[1:])})" if parts[1:] else parts[0]


class OutwayError(GatewayError):
    """The outway did not let it through, or could not."""


class InwayError(GatewayError):
    """The provider's inway did not let it through, or could not reach the service."""


class NoOutway(GatewayError):
    """There is no outway at the given address, or it did not answer in time."""


class _Body(msgspec.Struct):
    message: str = ""
    domain: str = ""
    code: str = ""


_body = msgspec.json.Decoder(_Body).decode  # made here: threads must not look at a struct together


_RETRY = frozenset(
    {
        "ERROR_CODE_ACCESS_TOKEN_EXPIRED",
        "ERROR_CODE_SERVICE_UNREACHABLE",
        "ERROR_CODE_PEER_UNREACHABLE",
        "ERROR_CODE_PEER_PAUSED",
        "TRANSACTION_LOG_WRITE_ERROR",
    }
)


def error_of(status: int, headers: Mapping[str, str], body: bytes, peer: str) -> GatewayError | None:
    """The error in an answer, None when the service itself answered.

    Args:
        status: HTTP status.
        headers: of the answer; names in lower case, or a mapping that does not care.
        body: the answer, or as much of it as there is.
        peer: whom it was for.

    Source: FSC Core 2.0.0, error handling: whoever stops a request says so in the header Fsc-Error-Code.
    """
    code = headers.get("fsc-error-code", "")[:100]
    if not code:
        return None
    try:
        said = _body(body)
    except msgspec.MsgspecError:
        said = _Body()
    kind = InwayError if said.domain == "ERROR_DOMAIN_INWAY" else OutwayError
    return kind(
        said.message[:_MOST] or f"The gateway answered {status}.",
        code=code,
        peer=peer,
        retry=code in _RETRY,
        status=status,
        transaction_id=headers.get("fsc-transaction-id", "")[:100],
    )

"""Who calls the Manager API: any peer of the group, by the certificate that TLS let in.

Unlike a node's own API, which serves the peers in its settings, this one serves everyone under the group's anchors:
that is how a newcomer announces itself. TLS verified the chain; what may change after that is looked at on each
request.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509

from sluis.crypto import Peer, is_test, peer_of
from sluis.gateway.faults import FscProblem, manager_fault
from sluis.kernel import Clock, Refused, Text
from sluis.web import shown_certificate


class Caller(msgspec.Struct, frozen=True):
    """A peer, and the certificate that it calls with."""

    peer: Peer
    certificate: x509.Certificate


class Callers:
    """Tells who a connection is.

    Args:
        clock: aware UTC.
        test: whether certificates of a test authority are accepted (`environment = "test"`).
        lists: the revocation lists as they are now.
    """

    def __init__(
        self,
        clock: Clock,
        test: bool,
        lists: Callable[[], Sequence[x509.CertificateRevocationList]] = tuple,
    ) -> None:
        self._clock, self._test, self._lists = clock, test, lists

    def caller(self, extensions: Mapping[str, Any]) -> Caller:
        """The peer at the other end of an mTLS connection.

        Args:
            extensions: of the ASGI scope.

        Raises `FscProblem` (ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED).
        """
        shown = shown_certificate(extensions)
        if shown is None:
            raise _unusable("certificate-required", _NO_CERTIFICATE)
        certificate, peer, marked = _read(shown)
        if self._clock() > certificate.not_valid_after_utc:
            raise _unusable("certificate-ended", _ENDED)  # it ended while the connection was open
        if any(
            crl.issuer == certificate.issuer
            and crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            for crl in self._lists()
        ):
            raise _unusable("certificate-revoked", _REVOKED)
        if marked and not self._test:
            raise _unusable("test-certificate", _TEST_IN_PRODUCTION)
        if isinstance(peer, Text):
            raise _unusable("certificate-without-peer", peer)
        return Caller(peer, certificate)


@lru_cache(maxsize=4096)
def _read(pem: str) -> tuple[x509.Certificate, Peer | Text, bool]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        peer: Peer | Text = peer_of(certificate)
    except Refused as problem:
        peer = problem.why
    return certificate, peer, is_test(certificate)


def _unusable(code: str, why: Text) -> FscProblem:
    return manager_fault("ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED", why, code=code)


_NO_CERTIFICATE = Text("Er is geen clientcertificaat.", "There is no client certificate.")
_ENDED = Text("Het certificaat is verlopen.", "The certificate has ended.")
_REVOKED = Text("Het certificaat is ingetrokken.", "The certificate has been revoked.")
_TEST_IN_PRODUCTION = Text(
    "Het certificaat komt van een testautoriteit.", "The certificate comes from a test authority."
)

"""The certificates that the outway shows to inways, while a renewed one takes over from the one before it (FSC Core 2.0.0,
Certificate renewal)."""

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import certificate_thumbprint, time_left
from sluis.gateway.contracts import Grant, fits_outway
from sluis.kernel import Clock


class OutwayCertificates:
    """The certificates that the outway shows: the present one, and the one before it. Tokens that are at hand are bound to
    that, and contracts may name its key until there are others for the new key.

    Attributes:
        certificates: the present one first.
        before: without the present one.
        thumbprints: of all.

    Args:
        certificate: the present one.
        revoked: whether a certificate (DER) was revoked.
        clock: aware UTC.
    """

    def __init__(self, certificate: x509.Certificate, revoked: Callable[[bytes], bool], clock: Clock) -> None:
        self._revoked, self._clock = revoked, clock
        self._keep(certificate)

    def take(self, certificate: x509.Certificate) -> None:
        """From now on this is the present one."""
        self._keep(certificate, self.certificates[0])
        self.tidy()

    def tidy(self) -> None:
        """Show the one before no longer when it has ended, or was revoked."""
        if not all(map(self._good, self.before)):
            self._keep(self.certificates[0])

    def for_grant(self, grant: Grant) -> tuple[str, ...]:
        """Which of them is shown for a connection grant, as in `Target.shows`."""
        outway = grant.outway
        if outway is None or fits_outway(outway, self.certificates[0]):
            return ()
        return next(((certificate_thumbprint(one),) for one in self.before if fits_outway(outway, one)), ())

    def _keep(self, *certificates: x509.Certificate) -> None:
        self.certificates, self.before = certificates, certificates[1:]
        self.thumbprints = frozenset(map(certificate_thumbprint, certificates))

    def _good(self, certificate: x509.Certificate) -> bool:
        ended = time_left(certificate, self._clock()).total_seconds() <= 0
        return not (ended or self._revoked(certificate.public_bytes(Encoding.DER)))

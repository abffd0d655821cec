"""Certificates that were revoked: the lists (CRL, RFC 5280 section 5) of the group's authorities, read from one file and
renewed while the node runs.

TLS holds every new connection against them; of two lists of one authority OpenSSL uses the newest. What was connected
before is told apart here, so that it can be cut off.
"""

import re
import ssl
import threading
from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from weakref import WeakSet

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto.certificates import in_memory
from sluis.kernel import Invalid, Text

_BLOCK = re.compile(rb"-----BEGIN ([^-]+)-----.+?-----END \1-----", re.DOTALL)
_LABEL = b"X509 CRL"

Lists = tuple[x509.CertificateRevocationList, ...]


class Revocations:
    """The lists that are in force, and the contexts that they are in force for.

    Args:
        path: the file, PEM; None when there is none.
        anchors: the group's roots; a list in the name of one must be signed by it.
        issuers: the authorities between a root and this node's own certificate.
    """

    def __init__(
        self,
        path: Path | None,
        anchors: Sequence[x509.Certificate],
        issuers: Sequence[x509.Certificate] = (),
    ) -> None:
        self._path, self._anchors = path, tuple(anchors)
        self._authorities = frozenset(one.subject for one in (*anchors, *issuers))
        self._contexts: WeakSet[ssl.SSLContext] = WeakSet()  # those of a replaced certificate go
        self._forcing = threading.Lock()  # lists are renewed on one thread, and contexts made on another
        self._read_as: tuple[int, ...] = ()
        self._serials: frozenset[tuple[x509.Name, int]] = frozenset()
        self.lists: Lists = ()
        self.renew()

    def also_under(self, issuers: Sequence[x509.Certificate]) -> None:
        """This node's own certificate was renewed, and these are the authorities between a root and that."""
        self._authorities |= {one.subject for one in issuers}

    def guard(self, context: ssl.SSLContext) -> None:
        """Hold the peers of a context against the lists, from now on and with what they become."""
        if self._path is not None:
            with self._forcing:
                self._contexts.add(context)
                put_in_force(context, self.lists, self._authorities)

    def renew(self) -> bool:
        """Read the file when it is another than before; gives whether it was.

        Raises:
            Invalid: it cannot be read, or is no list of the group; what was in force stays so.
            OSError: it is not in force everywhere; the next call tries again.
        """
        if self._path is None:
            return False
        known, self._read_as = self._read_as, file_stamp(self._path)
        if known == self._read_as:
            return False
        self.lists = read_revocations(self._path, self._anchors)
        self._serials = frozenset(
            (one.issuer, revoked.serial_number) for one in self.lists for revoked in one
        )
        try:
            with self._forcing:
                for context in list(self._contexts):
                    put_in_force(context, self.lists, self._authorities)
        except BaseException:
            self._read_as = ()
            raise
        return True

    @property
    def unlisted(self) -> list[str]:
        """The authorities of which there is no list. As long as there are any, it is not seen that an authority between a
        root and a peer was revoked: TLS looks at that either with the lists of all, or not at all."""
        if self._path is None:
            return []
        return sorted(one.rfc4514_string() for one in self._authorities - _listed(self.lists))

    def revokes(self, certificate: bytes) -> bool:
        """Whether a certificate (DER) is on a list."""
        return bool(self._serials) and _name_and_serial(certificate) in self._serials

    def ended(self, moment: datetime) -> list[str]:
        """The authorities whose list is past its end: then nobody they vouch for can connect."""
        return [
            one.issuer.rfc4514_string()
            for one in self.lists
            if one.next_update_utc is not None and one.next_update_utc <= moment
        ]


def read_revocations(path: Path, anchors: Iterable[x509.Certificate] = ()) -> Lists:
    """The lists in a PEM file, at least one and nothing else: a certificate in it would become an anchor of TLS.

    Raises `Invalid` (`revocations-unreadable`).
    """
    try:
        raw = path.read_bytes()
        blocks = list(_BLOCK.finditer(raw))
        if not blocks or any(block[1] != _LABEL for block in blocks):
            raise ValueError("X509 CRL?")
        lists = tuple(x509.load_pem_x509_crl(block[0]) for block in blocks)
        for one in lists:
            for anchor in anchors:
                if anchor.subject == one.issuer and not _signed(one, anchor):
                    raise ValueError(f"not signed by {one.issuer.rfc4514_string()}")
    except (OSError, ValueError) as failure:
        raise _unreadable(path, failure) from None
    return lists


def put_in_force(context: ssl.SSLContext, lists: Lists, authorities: Set[x509.Name] = frozenset()) -> None:
    """From now on each certificate that this context meets must be on none of its issuer's lists: that of the peer, and
    where there is a list of every root of the context and of all `authorities`, those between it and a root too. OpenSSL
    wants a list for each of them then, and nobody without one gets in."""
    written = b"".join(one.public_bytes(Encoding.PEM) for one in lists)
    with in_memory(written) as file:  # ssl reads lists from a file only
        context.load_verify_locations(file)
    roots = {x509.load_der_x509_certificate(one).subject for one in context.get_ca_certs(binary_form=True)}
    whole = roots | authorities <= _listed(lists)
    wanted = ssl.VERIFY_CRL_CHECK_CHAIN if whole else ssl.VERIFY_CRL_CHECK_LEAF
    context.verify_flags = context.verify_flags & ~ssl.VERIFY_CRL_CHECK_CHAIN | wanted


def _listed(lists: Lists) -> set[x509.Name]:
    return {one.issuer for one in lists}


def file_stamp(path: Path) -> tuple[int, ...]:
    """What is another once a file was written or replaced; also when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return (0,)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _signed(one: x509.CertificateRevocationList, anchor: x509.Certificate) -> bool:
    key = anchor.public_key()
    try:
        return isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) and one.is_signature_valid(key)
    except InvalidSignature:
        return False


@lru_cache(maxsize=1024)
def _name_and_serial(certificate: bytes) -> tuple[x509.Name, int]:
    parsed = x509.load_der_x509_certificate(certificate)
    return parsed.issuer, parsed.serial_number


def _unreadable(path: Path, failure: Exception) -> Invalid:
    cause = failure.strerror if isinstance(failure, OSError) and failure.strerror else "PEM?"
    return Invalid(
        "revocations-unreadable",
        Text("De lijst met ingetrokken certificaten kan niet worden gelezen.",
             "The list of revoked certificates cannot be read."),
        Text(f"Bestand {path.name}: {cause}, of iets anders dan een CRL van de groep.",
             f"File {path.name}: {cause}, or something else than a CRL of the group."),
        Text("Zet er de nieuwste CRL's van de autoriteiten in, en niets anders.",
             "Put the newest CRLs of the authorities there, and nothing else."),
    )  # fmt: skip

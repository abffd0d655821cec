"""This node's certificate and key: what is fit for use, and whether a renewed pair lies in the files (RFC 5280; FSC Core 2.0.0,
Certificate renewal).

Whoever renews writes two files, one after the other. So what does not fit is looked at again before it is called wrong, and
what is in use stays so until then and after.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from cryptography import x509

from sluis.config import Config, read_group
from sluis.crypto import (
    Identity,
    file_stamp,
    is_test,
    read_certificates,
    time_left,
    unfit_hosts,
    verify_chain,
)
from sluis.kernel import Clock, Invalid, Refused, Text

AGAIN = 30.0
"""Seconds until files that did not fit, or could not be taken in use, are looked at again; what does not fit then is said."""


class Certificate:
    """The certificate and key of a node.

    Attributes:
        identity: those in use.
        anchors: the authorities of the settings.

    Args:
        config: names the files, and says who this node is.
        clock: aware UTC.
        moment: seconds of a clock that never goes back.

    Raises `Invalid`, `Refused` when they are not fit for use.
    """

    def __init__(self, config: Config, clock: Clock, moment: Callable[[], float] = monotonic) -> None:
        self._config, self._clock, self._moment = config, clock, moment
        self._files = config.tls.certificate, config.tls.key
        self.anchors = tuple(one for path in config.tls.authorities for one in read_certificates(path))
        self._group = tuple(one for path in _group_files(config) for one in read_certificates(path))
        self._others = tuple(one for path in _other_files(config) for one in read_certificates(path))
        self._seen = self._stamps()
        self.identity = Identity.load(*self._files)
        self._check(self.identity)
        self._pending, self._failed, self._again = False, 0, 0.0

    def look(self, lists: Sequence[x509.CertificateRevocationList]) -> Identity | None:
        """The pair that lies in the files, when it is another than the one in use, and fit to be. To be asked often; blocks.

        Args:
            lists: of revoked certificates, as they are now.

        Raises `Invalid`, `Refused`: it does not fit, and has not for a while. Said once of the same files.
        """
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen, self._pending, self._failed, self._again = stamps, True, 0, 0.0
        if not self._pending or self._moment() < self._again:
            return None
        self._again = self._moment() + AGAIN
        try:
            return self._renewed(lists)
        except (Invalid, Refused):
            self._failed += 1
            if self._failed != 2:
                return None
            raise

    def take(self, identity: Identity) -> None:
        """What `look` gave is in use."""
        self.identity, self._pending = identity, False

    def _renewed(self, lists: Sequence[x509.CertificateRevocationList]) -> Identity | None:
        identity = Identity.load(*self._files)
        if self._stamps() != self._seen:
            return None  # somebody is writing: the next look begins anew
        if identity.certificate == self.identity.certificate:
            self._pending = False
            return None
        if identity.certificate.not_valid_before_utc > self._clock():
            raise _unfit("certificate-not-yet", _not_yet(identity.certificate))
        self._check(identity)
        anchors, now = self._group or self.anchors, self._clock()
        verify_chain(identity.certificate, identity.chain[1:], anchors, now, lists)
        if lost := unfit_hosts(identity.chain, anchors, self._borne(anchors), now):
            raise _unfit("certificate-of-other-hosts", _of_other_hosts(", ".join(sorted(lost))))
        return identity

    def _borne(self, anchors: Sequence[x509.Certificate]) -> set[str]:
        """Under which names peers reach this node with the certificate in use, or did when that had not ended yet."""
        chain, hosts = self.identity.chain, _hosts(self._config)
        moment = min(self._clock(), chain[0].not_valid_after_utc)
        return hosts - {*unfit_hosts(chain, anchors, hosts, moment)}

    def _check(self, identity: Identity) -> None:
        certificate, now, node = identity.certificate, self._clock(), self._config.node
        if identity.peer.id != node.oin:
            raise _unfit("certificate-of-another", _OF_ANOTHER)
        if certificate.not_valid_before_utc > now:
            raise _unfit("clock-behind", _CLOCK_BEHIND)
        if time_left(certificate, now) <= timedelta(0):
            raise _unfit("certificate-ended", _ENDED)
        if not node.test and any(map(is_test, (certificate, *self.anchors, *self._group, *self._others))):
            raise Refused("test-authority", _CANNOT_USE, *_TEST_AUTHORITY, rule="production-trusts-no-test")

    def _stamps(self) -> tuple[tuple[int, ...], ...]:
        return tuple(map(file_stamp, self._files))


def _other_files(config: Config) -> list[Path]:
    """Who vouches for where people sign in, and for who says which passports are still good; and the portal's own."""
    files = [path for way in config.signin.values() for path in way.authorities]
    files += config.passport.authorities
    return files if config.portal.certificate is None else [*files, config.portal.certificate]


def _group_files(config: Config) -> Sequence[Path]:
    return read_group(config.fsc.group).anchors if config.fsc.group else ()


def _hosts(config: Config) -> set[str]:
    """Under which peers reach this node."""
    addresses = (config.manager_address, config.inway_address) if config.fsc.group else (config.node.url,)
    return {host for address in addresses if (host := urlsplit(address).hostname)}


def _unfit(code: str, because: tuple[Text, Text]) -> Invalid:
    return Invalid(code, _CANNOT_USE, *because)


_CANNOT_USE = Text(
    "Het certificaat van dit knooppunt is niet te gebruiken.", "The certificate of this node cannot be used."
)
_OF_ANOTHER = (
    Text("Het certificaat noemt een ander OIN dan de instellingen.",
         "The certificate names another OIN than the settings."),
    Text("Gebruik het certificaat van deze organisatie, of verander `node.oin`.",
         "Use this organisation's certificate, or change `node.oin`."),
)  # fmt: skip
_CLOCK_BEHIND = (
    Text("Het certificaat is nog niet geldig; waarschijnlijk loopt de klok van deze machine achter.",
         "The certificate is not valid yet; the clock of this machine is probably behind."),
    Text("Zet de klok gelijk (NTP) en start opnieuw.", "Set the clock (NTP) and start again."),
)  # fmt: skip
_ENDED = (
    Text("Het certificaat is verlopen, of de klok van deze machine loopt voor.",
         "The certificate has ended, or the clock of this machine is ahead."),
    Text("Vraag een nieuw certificaat aan bij de autoriteit van de groep.",
         "Request a new certificate from the group's authority."),
)  # fmt: skip
_TEST_AUTHORITY = (
    Text("Een testautoriteit wordt in productie niet vertrouwd.", "A test authority is not trusted in production."),
    Text("Gebruik de autoriteit van de groep, of zet `node.environment` op `test`.",
         "Use the group's authority, or set `node.environment` to `test`."),
)  # fmt: skip


def _not_yet(certificate: x509.Certificate) -> tuple[Text, Text]:
    begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    return (
        Text(f"Het geldt pas vanaf {begins}.", f"It is valid only from {begins}."),
        Text("Laat het staan: het knooppunt neemt het dan zelf in gebruik.",
             "Leave it there: the node takes it in use then by itself."),
    )  # fmt: skip


def _of_other_hosts(hosts: str) -> tuple[Text, Text]:
    return (
        Text(f"Anderen bereiken dit knooppunt als {hosts}. Dat staat er niet in, of het is geen certificaat voor een server.",
             f"Others reach this node as {hosts}. It does not say that, or it is no certificate for a server."),
        Text("Vraag een certificaat aan met alle namen van het vorige.",
             "Request a certificate with all the names of the one before."),
    )  # fmt: skip

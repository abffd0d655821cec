"""The data plane of a node in a group: what listens for inway and outway, and asks the two whether a request may pass."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509

from sluis.config import Config
from sluis.crypto import Revocations, client_context, read_certificates
from sluis.gateway import (
    InwayPlane,
    Membership,
    NginxFiles,
    NginxListen,
    NginxPlane,
    OutwayPlane,
    check_nginx,
    hold_to,
    meeting,
)
from sluis.kernel import Invalid, Text
from sluis.web import LoopbackListener, PeerListener, Server, place_of

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""Where Debian and Fedora keep them."""


class Plane(Protocol):
    """What listens where peers come in, and where programs of this organisation go out."""

    async def start(self, inway: PeerListener, outway: LoopbackListener) -> None:
        """Listen at both. Raises `Problem`; nothing stays open then."""

    async def stop(self) -> None:
        """Let requests in hand finish, then close. May be called twice."""

    def renew(self) -> None:
        """Other certificates are revoked than before: hold to that, also for who is connected."""

    async def well(self) -> bool:
        """Whether requests get through."""


def plane_of(config: Config, membership: Membership, revocations: Revocations, node: Any) -> Plane:
    """The data plane that the settings name, not yet listening.

    Args:
        node: the API of the node itself, an ASGI app.
    """
    if config.fsc.plane == "nginx":
        return _OnNginx(config, membership, revocations, node)
    return _InProcess(config, membership, revocations, node)


class _InProcess:
    def __init__(self, config: Config, membership: Membership, revocations: Revocations, node: Any) -> None:
        streams, meters, names = membership.streams, membership.meters, config.outway.names
        self._inway = Server(InwayPlane(membership.inway, streams, meters.inway, node), streaming=True)
        self._outway = Server(OutwayPlane(membership.outway, streams, meters.outway, names), streaming=True)
        self._revocations = revocations

    async def start(self, inway: PeerListener, outway: LoopbackListener) -> None:
        await self._inway.listen(inway)
        await self._outway.listen(outway)

    async def stop(self) -> None:
        await self._outway.stop()
        await self._inway.stop()

    def renew(self) -> None:
        self._inway.cut_off(self._revocations.revokes)

    async def well(self) -> bool:
        return True  # it is this very process that was asked


class _OnNginx:
    def __init__(self, config: Config, membership: Membership, revocations: Revocations, node: Any) -> None:
        self._config, self._membership, self._node = config, membership, node
        self._revocations = revocations
        self._plane: NginxPlane | None = None

    async def start(self, inway: PeerListener, outway: LoopbackListener) -> None:
        check_nginx()
        config, membership, tls = self._config, self._membership, self._config.tls
        group = membership.running.manager.group
        _check_lists(self._revocations, group.anchors)
        outgoing = hold_to(group, client_context(tls.certificate, tls.key, group.anchors))
        self._revocations.guard(outgoing)
        self._plane = NginxPlane(
            config.nginx_folder,
            NginxFiles(tls.certificate, tls.key, group.anchors, tls.crl, _system_anchors()),
            inway=(NginxListen(*place_of(inway)), membership.inway),
            outway=(NginxListen(*place_of(outway), config.outway.names), membership.outway),
            node=self._node,
            meters=membership.meters,
            meet=meeting(outgoing, self._revocations.revokes),
            tls=group.tls,
        )
        await self._plane.start()

    async def stop(self) -> None:
        if self._plane is not None:
            await self._plane.stop()

    def renew(self) -> None:
        if self._plane is not None:
            self._plane.renew()

    async def well(self) -> bool:
        return self._plane is not None and await self._plane.well()


def _system_anchors() -> list[Path]:
    """Whom this machine trusts: what services that speak TLS are held against, as in process."""
    named = ssl.get_default_verify_paths().cafile
    found = (Path(one) for one in (named, *_BUNDLES) if one is not None)
    return [one for one in found if one.is_file()][:1]


def _check_lists(revocations: Revocations, anchors: Sequence[Path]) -> None:
    """nginx wants a list of every authority in a chain, also the root, and would let nobody in without."""
    if not revocations.lists:
        return
    listed = {one.issuer for one in revocations.lists}
    roots: list[x509.Certificate] = [root for file in anchors for root in read_certificates(file)]
    for root in roots:
        if root.subject not in listed:
            name = root.subject.rfc4514_string()
            raise Invalid(
                "revocations-incomplete",
                Text("De gateway kan niet starten met nginx.", "The gateway cannot start with nginx."),
                Text(f"In `tls.crl` staat geen lijst van {name}; nginx wil er een van elke autoriteit.",
                     f"`tls.crl` has no list of {name}; nginx wants one of every authority."),
                Text("Zet de CRL van die autoriteit erbij, ook als er niets op staat.",
                     "Add the CRL of that authority, even when nothing is on it."),
            )  # fmt: skip

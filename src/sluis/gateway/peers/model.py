"""The rules that a group agrees on (FSC Core 2.0.0, "Group rules"), and the peers that a node knows in it."""

from pathlib import Path
from typing import Literal

import msgspec

from sluis.kernel import PeerId


class Directory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Manager that keeps the group's list of peers and services.

    Args:
        peer: whose it is.
        address: where it is, `https://host:port`.
    """

    peer: PeerId
    address: str


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all peers of a group hold to. The same file for each of them.

    Args:
        id: the group's name, as in contracts and tokens.
        anchors: files with the roots that the group trusts, PEM.
        directory: whom one announces oneself to.
        peer_id: the element of a certificate's subject that holds the Peer ID.
        peer_name: the element that holds the organisation's name.
        tls: the oldest version of TLS that peers may speak.
        ports: where a Manager may listen. The standard allows these two.
    """

    id: str
    anchors: tuple[Path, ...]
    directory: Directory
    peer_id: Literal["serialNumber"] = "serialNumber"
    peer_name: Literal["organizationName"] = "organizationName"
    tls: Literal["1.2", "1.3"] = "1.2"
    ports: tuple[int, ...] = (443, 8443)


class Known(msgspec.Struct, frozen=True):
    """A peer as this node knows it.

    Args:
        id: its Peer ID.
        name: the organisation, as in its certificate.
        address: of its Manager, `https://host:port`.
        itself: whether it said so itself; else the directory did.
    """

    id: PeerId
    name: str
    address: str
    itself: bool = True

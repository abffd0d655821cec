"""What is believed of a peer: its address, and the certificates that it signs with. Pure."""

import re
from collections.abc import Collection, Iterable
from ipaddress import ip_address
from itertools import islice
from urllib.parse import urlsplit

from sluis.gateway.peers.model import Group
from sluis.kernel import Invalid, Place, Text

LONGEST_ADDRESS = 255
"""Characters of a Manager's address."""

_GROUP = re.compile(r"[a-zA-Z0-9./_-]{1,100}")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A name that ends in one is read as an IPv4 address by some."""


def manager_address(given: str, ports: Collection[int], *, near: bool = True) -> str:
    """The address of a Manager in its one form, `https://host:port`.

    An address is something that a peer makes this node connect to. So there is nothing in it but a host and one of the
    ports that Managers listen on.

    Args:
        given: as it was received.
        ports: which the group allows.
        near: whether it may be on this machine or its own link (loopback, link-local). A peer has no business there,
            but where everybody tests on one machine.

    Raises `Invalid` (`manager-address`).
    """
    if not 0 < len(given) <= LONGEST_ADDRESS or not given.isascii() or not given.isprintable():
        raise _not_an_address(ports)
    try:
        parts = urlsplit(given)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_an_address(ports) from None
    rest = (
        parts.path not in ("", "/"),
        parts.query,
        parts.fragment,
        "@" in parts.netloc,
        "?" in given,
        "#" in given,
    )
    if parts.scheme != "https" or any(rest) or port not in ports or not _is_host(host, near):
        raise _not_an_address(ports)
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def check_group(group: Group, file: str = "group") -> Group:
    """The rules, when they can be held to. Raises `Invalid`.

    Args:
        group: as read.
        file: where they stand, for the problem.
    """
    if not _GROUP.fullmatch(group.id):
        raise _bad_rules(file, "id", "a-z A-Z 0-9 . / _ -, 1-100")
    if not group.anchors:
        raise _bad_rules(file, "anchors", "PEM")
    if not group.ports or not all(0 < port < 65_536 for port in group.ports):
        raise _bad_rules(file, "ports", "443, 8443")
    manager_address(group.directory.address, group.ports)
    return group


def name_holds(name: str, part: str) -> bool:
    """Whether a peer's or service's name contains `part`, whatever the case."""
    return part.casefold() in name.casefold()


def in_pages(names: Iterable[str], after: str, limit: int, descending: bool) -> tuple[list[str], str]:
    """One page of names in their order, and where the next begins; empty when there is none.

    Args:
        names: unique.
        after: the last of the page before; empty for the first page.
        limit: at most so many.
        descending: from the last to the first.
    """
    left = (
        name
        for name in sorted(names, reverse=descending)
        if not after or (name < after if descending else name > after)
    )
    page = list(islice(left, limit))
    return page, page[-1] if page and next(left, None) is not None else ""


def _is_host(host: str, near: bool) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        labels = host.split(".")
        known = labels[-1] != "localhost" or near
        return (
            known
            and len(host) <= 253
            and not _NUMBER.fullmatch(labels[-1])
            and all(map(_LABEL.fullmatch, labels))
        )
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or address.is_link_local:
        return near and "%" not in host
    return not (address.is_unspecified or address.is_multicast or address.is_reserved)


def _not_an_address(ports: Collection[int]) -> Invalid:
    allowed = ", ".join(map(str, sorted(ports)))
    return Invalid(
        "manager-address",
        Text("Dit is geen adres van een Manager.", "This is not the address of a Manager."),
        Text(
            f"Het heeft de vorm https://host:poort, met poort {allowed}.",
            f"It has the form https://host:port, with port {allowed}.",
        ),
        Text("Geef het hele adres, zonder pad.", "Give the whole address, without a path."),
    )


def _bad_rules(file: str, key: str, shape: str) -> Invalid:
    return Invalid(
        "group-rules",
        Text("De regels van de groep kloppen niet.", "The rules of the group are not right."),
        Text(f"'{key}' moet zo zijn: {shape}.", f"'{key}' must be: {shape}."),
        Text("Neem het bestand over van de groep.", "Take the file from the group."),
        place=Place(file),
    )

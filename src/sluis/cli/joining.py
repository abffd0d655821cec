"""The work of `sluis join`: a group's rules held against a node, and what the node keeps of it, file by file."""

import os
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from sluis.config import NODE_FILE, Config, Setting, examine_node, read_group, with_settings
from sluis.gateway import Group, manager_address
from sluis.grounds import read_text, refuse_any
from sluis.kernel import Conflict, Invalid, Place, Problem, Refused, Text

if TYPE_CHECKING:
    from cryptography.x509 import CertificateSigningRequest

    from sluis.crypto import Authority

FOLDER = "fsc"
RULES = "group.toml"
KEY, REQUEST, CERTIFICATE = "key.pem", "request.pem", "certificate.pem"
STAGED = ".node.toml.unfinished"


class Wish(msgspec.Struct, frozen=True):
    """What the caller asked for; None where nothing was said."""

    authority: Path | None
    manager: str | None
    inway: str | None
    host: str | None
    rsa: bool


class Joining(msgspec.Struct, frozen=True):
    """A node and the group it joins.

    Attributes:
        directory: of the node.
        config: as it will be, without what the certificate brings.
        group: its rules, with anchors where the group's own file has them.
        rules: text of the rules as this node keeps them.
        anchors: name in the node's folder, and bytes, of each anchor.
    """

    directory: Path
    config: Config
    group: Group
    rules: str
    anchors: dict[str, bytes]

    @property
    def folder(self) -> Path:
        """Where the node keeps what is the group's."""
        return self.directory / FOLDER


def joining_of(directory: Path, held: Config, source: Path, wish: Wish) -> Joining:
    """The group and this node, held against each other. Raises `Problem`."""
    file = source / RULES if source.is_dir() else source
    group = read_group(file)
    anchors = _anchors(group.anchors)
    rules = with_settings(read_text(file), {("", "anchors"): list(anchors)}, str(file))
    config = _with_addresses(held, wish)
    manager_address(config.manager_address, group.ports)
    joining = Joining(directory, config, group, rules, anchors)
    _refuse_test_in_production(joining)
    if wish.authority is not None:
        _authority(joining, wish.authority)
    for known in dict.fromkeys([held.fsc.group, joining.folder / RULES]):
        if known is not None and known.exists() and not _same(read_group(known), group):
            raise _other_group(known)
    return joining


def _anchors(files: Iterable[Path]) -> dict[str, bytes]:
    """Each anchor under a name of its own. Raises `Invalid` when one holds no certificate."""
    from sluis.crypto import read_certificates

    found = dict[str, bytes]()
    for number, file in enumerate(files, 1):
        read_certificates(file)
        taken = {KEY, REQUEST, CERTIFICATE, RULES, *found}
        found[f"{number}-{file.name}" if file.name in taken else file.name] = file.read_bytes()
    return found


def _same(one: Group, other: Group) -> bool:
    """Whether two files hold the same rules, wherever the anchors are."""
    rules = [msgspec.structs.replace(group, anchors=()) for group in (one, other)]
    return rules[0] == rules[1] and _trusted(one) == _trusted(other)


def _trusted(group: Group) -> set[Any]:
    from sluis.crypto import read_certificates

    return {certificate for path in group.anchors for certificate in read_certificates(path)}


def _refuse_test_in_production(joining: Joining) -> None:
    from sluis.crypto import is_test

    if not joining.config.node.test and any(map(is_test, _trusted(joining.group))):
        raise Refused(
            "test-authority",
            Text("Dit knooppunt kan niet lid worden van deze groep.", "This node cannot join this group."),
            Text("De groep vertrouwt een testautoriteit, en dit knooppunt is voor productie.",
                 "The group trusts a test authority, and this node is for production."),
            Text("Gebruik een testknooppunt, of de regels van de echte groep.",
                 "Use a test node, or the rules of the real group."),
            rule="production-trusts-no-test",
        )  # fmt: skip


def _with_addresses(config: Config, wish: Wish) -> Config:
    return msgspec.structs.replace(
        config,
        manager=msgspec.structs.replace(config.manager, address=wish.manager or config.manager.address),
        inway=msgspec.structs.replace(config.inway, address=wish.inway or config.inway.address),
    )


def address_changes(directory: Path, wish: Wish) -> dict[Setting, Any]:
    """What the options say; a port that stands in the file already, stays."""
    tables = tomllib.loads(read_text(directory / NODE_FILE))
    changes = dict[Setting, Any]()
    for table, address in (("manager", wish.manager), ("inway", wish.inway)):
        if address:
            changes[table, "address"] = address
            if "port" not in tables.get(table, {}):
                changes[table, "port"] = _port(address)
        if wish.host:
            changes[table, "host"] = wish.host
    return changes


def _port(address: str) -> int:
    try:
        return urlsplit(address).port or 443
    except ValueError:
        return 0  # the check of the settings says what is wrong with the address


def in_order(directory: Path, changes: dict[Setting, Any]) -> str:
    """The text of `node.toml` with these changes, when it is in order; what the settings point to may still come.
    Raises `Invalid`."""
    text = with_settings(read_text(directory / NODE_FILE), changes, str(directory / NODE_FILE))
    staged = directory / STAGED
    try:
        staged.touch(mode=0o600)  # the settings may hold a password
        staged.write_text(text, encoding="utf-8")
        problems = [one for one in examine_node(staged) if one.code != "missing-file"]
    except OSError as failure:
        raise _cannot_write(directory, failure) from None
    finally:
        staged.unlink(missing_ok=True)
    refuse_any([_at(one, directory / NODE_FILE) for one in problems])
    return text


def _at(problem: Invalid, file: Path) -> Invalid:
    line = problem.place.line if problem.place else 0
    return Invalid(problem.code, problem.what, problem.why, problem.next, place=Place(str(file), line))


def publish(directory: Path, changes: dict[Setting, Any]) -> bool:
    """Give `node.toml` its new settings, and keep its mode; False when it had them."""
    file, text = directory / NODE_FILE, in_order(directory, changes)
    if text == read_text(file):
        return False
    mode = file.stat().st_mode & 0o777
    _write(file, text.encode(), mode)
    return True


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """A whole file, or none. Raises `Conflict`."""
    from sluis.store import write_durably

    try:
        write_durably(path, content)  # for this user alone; what is no secret is opened afterwards
        _give(path)
        path.chmod(mode)
    except OSError as failure:
        raise _cannot_write(path, failure) from None


def _give(path: Path) -> None:
    """What root makes belongs to whom the folder belongs to: the node, which must be able to read it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def keep_rules(joining: Joining) -> list[str]:
    """Copy rules and anchors, the rules last; returns what was written. Raises `Conflict`."""
    wanted = {**joining.anchors, RULES: joining.rules.encode()}
    for name, content in wanted.items():
        path = joining.folder / name
        if path.exists() and path.read_bytes() != content:
            raise _other_group(path)
    fresh = [name for name in wanted if not (joining.folder / name).exists()]
    try:
        if not joining.folder.exists():
            joining.folder.mkdir()
            _give(joining.folder)
    except OSError as failure:
        raise _cannot_write(joining.folder, failure) from None
    for name in fresh:
        _write(joining.folder / name, wanted[name])
    return [f"{FOLDER}/{name}" for name in fresh]


def certificate_of(joining: Joining, held: Config) -> tuple[Path, Path] | None:
    """Certificate and key by which the group knows this node: those of the settings, or those in the folder; None when
    there are none yet. Raises `Problem` when the one that came does not fit."""
    own = (held.tls.certificate, held.tls.key)
    arrived = (joining.folder / CERTIFICATE, joining.folder / KEY)
    if own != arrived and all(path.exists() for path in own):
        try:
            _fit(joining, *own)
        except Problem:
            pass  # of another group, of other hosts, or ended: the group's own comes in the folder
        else:
            return own
    if not arrived[0].exists():
        return None
    _fit(joining, *arrived)
    return arrived


def _fit(joining: Joining, certificate: Path, key: Path) -> None:
    from sluis.crypto import Identity, unfit_hosts, verify_chain

    identity, anchors, now = Identity.load(certificate, key), _trusted(joining.group), datetime.now(UTC)
    peer = verify_chain(identity.certificate, identity.chain[1:], anchors, now)
    if peer.id != joining.config.node.oin:
        raise Invalid(
            "certificate-of-another",
            Text("Dit certificaat is van een andere organisatie.", "This certificate is another organisation's."),
            Text("Het noemt een ander OIN dan de instellingen.", "It names another OIN than the settings."),
            Text("Vraag een certificaat met het OIN van `node.oin`, of verbeter `node.oin`.",
                 "Request a certificate with the OIN of `node.oin`, or correct `node.oin`."),
            place=Place(str(certificate)),
        )  # fmt: skip
    reached = (joining.config.manager_address, joining.config.inway_address)
    if unfit := unfit_hosts(identity.chain, anchors, map(_host, reached), now):
        raise _of_other_hosts(certificate, ", ".join(unfit))


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""


def keep_request(joining: Joining, wish: Wish) -> list[str]:
    """Make what is not there yet: the key, the request, and with a test authority the certificate."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

    from sluis.crypto import key_text, make_request, new_key, read_key

    folder, node, written = joining.folder, joining.config.node, list[str]()

    def keep(name: str, content: bytes, mode: int = 0o644) -> None:
        _write(folder / name, content, mode)
        written.append(f"{FOLDER}/{name}")

    if not (folder / KEY).exists():
        keep(KEY, key_text(new_key(wish.rsa)), 0o600)
    key = read_key(folder / KEY)
    request = make_request(key, node.oin, node.name, _hosts(joining.config))
    if (folder / REQUEST).exists():
        if not _asks_the_same(folder / REQUEST, request) or (wish.rsa and not isinstance(key, RSAPrivateKey)):
            raise _other_request(folder)
    else:
        keep(REQUEST, request.public_bytes(Encoding.PEM))
    if wish.authority is not None:
        certificate = _authority(joining, wish.authority).certify(request)
        keep(CERTIFICATE, certificate.public_bytes(Encoding.PEM))
    return written


def _asks_the_same(file: Path, request: "CertificateSigningRequest") -> bool:
    """Whether a request that was made before has the same key, organisation and hosts."""
    from cryptography.x509 import load_pem_x509_csr

    try:
        before = load_pem_x509_csr(file.read_bytes())
    except ValueError:
        return False
    held, wanted = (
        (one.public_key(), one.subject, [extension.value for extension in one.extensions])
        for one in (before, request)
    )
    return held == wanted


def _authority(joining: Joining, directory: Path) -> "Authority":
    """The test authority, when the group trusts it. Raises `Problem`."""
    from sluis.crypto import open_authority

    authority = open_authority(directory)
    if authority.certificate not in _trusted(joining.group):
        raise Refused(
            "authority-of-another-group",
            Text("Deze testautoriteit is niet die van de groep.", "This test authority is not the group's."),
            Text("De regels van de groep noemen haar niet bij `anchors`.",
                 "The group's rules do not name it under `anchors`."),
            Text("Wijs de map aan van de autoriteit die de groep vertrouwt.",
                 "Point to the directory of the authority that the group trusts."),
            rule="certificate-valid",
        )  # fmt: skip
    return authority


def _hosts(config: Config) -> list[str]:
    """Every name by which peers meet this node; an outway on this machine's own address is met by nobody."""
    addresses = (config.node.url, config.manager_address, config.inway_address)
    hosts = [_host(address) for address in addresses]
    outway = config.outway.host
    try:
        own = ip_address(outway)
        met = not (own.is_loopback or own.is_unspecified)
    except ValueError:
        met = outway != "localhost"
    return list(dict.fromkeys([*hosts, *([outway] if met else [])]))


def tls_changes(joining: Joining, held: Config, identity: tuple[Path, Path]) -> dict[Setting, Any]:
    """The settings that make this the node's certificate, and the group's anchors trusted beside those it trusts."""
    from sluis.crypto import read_certificates

    trusted = [path for path in held.tls.authorities if path.is_file()]
    known = {one for path in trusted for one in read_certificates(path)}
    fresh = [
        joining.folder / name
        for name in joining.anchors
        if not known.issuperset(read_certificates(joining.folder / name))
    ]
    changes = dict[Setting, Any]()
    if fresh:
        changes["tls", "authorities"] = [_shown(path, joining.directory) for path in (*trusted, *fresh)]
    for key, path, now in zip(
        ("certificate", "key"), identity, (held.tls.certificate, held.tls.key), strict=True
    ):
        if path != now:
            changes["tls", key] = _shown(path, joining.directory)
    return changes


def _shown(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory) if path.is_relative_to(directory) else path)


def _other_group(file: Path) -> Conflict:
    return Conflict(
        "other-group",
        Text("Dit knooppunt heeft al regels van een groep, en dit zijn andere.",
             "This node has rules of a group already, and these are others."),
        Text(f"{file} wordt niet overschreven.", f"{file} is not overwritten."),
        Text("Vergelijk beide. Zijn de nieuwe regels de juiste, zet de oude dan weg en geef de opdracht opnieuw.",
             "Compare the two. If the new rules are right, put the old ones away and give the command again."),
        place=Place(str(file)),
    )  # fmt: skip


def _other_request(folder: Path) -> Conflict:
    return Conflict(
        "other-request",
        Text("De aanvraag die er al ligt, vraagt iets anders.", "The request that is there asks for something else."),
        Text("Organisatie, adressen of soort sleutel zijn nu anders dan toen zij werd gemaakt.",
             "Organisation, addresses or kind of key differ from when it was made."),
        Text(f"Geef dezelfde opties als toen. Of zet {REQUEST} en {KEY} weg als zij niet meer nodig zijn, en geef de opdracht opnieuw.",
             f"Give the same options as then. Or put {REQUEST} and {KEY} away when they are needed no more, and give the command again."),
        place=Place(str(folder / REQUEST)),
    )  # fmt: skip


def _of_other_hosts(certificate: Path, hosts: str) -> Invalid:
    return Invalid(
        "certificate-of-other-hosts",
        Text(f"Met dit certificaat gelooft niemand dat hij hier is: {hosts}.",
             f"With this certificate nobody believes to be here: {hosts}."),
        Text("Het noemt dat adres niet, of het is geen certificaat voor een server.",
             "It does not name that address, or it is no certificate for a server."),
        Text(f"Geef bij --manager en --inway adressen die erin staan. Of zet {CERTIFICATE} en {REQUEST} weg, geef deze opdracht opnieuw, en vraag een certificaat aan met wat zij dan maakt.",
             f"Give with --manager and --inway addresses that it names. Or put {CERTIFICATE} and {REQUEST} away, give this command again, and request a certificate with what it then makes."),
        place=Place(str(certificate)),
    )  # fmt: skip


def _cannot_write(path: Path, failure: OSError) -> Conflict:
    cause = failure.strerror or "?"
    return Conflict(
        "cannot-write",
        Text(f"{path} is niet te schrijven.", f"{path} cannot be written."),
        Text(f"Het systeem meldt: {cause}.", f"The system says: {cause}."),
        Text("Controleer de rechten en de ruimte.", "Check the permissions and the space."),
        place=Place(str(path)),
    )

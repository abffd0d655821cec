"""Seven node directories in one FSC group: settings, certificates, databases, and the files about datasets, purposes and
disclosures.

Registers of invented people are made once and kept, in a folder named after a digest of the code that invents them;
everything else is written anew each time, so that every story starts with empty logs.
"""

import os
import pwd
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from itertools import cycle
from os import getpid, getuid
from pathlib import Path
from typing import Any

import msgspec

from sluis.catalogue import DESCRIPTIONS
from sluis.cli.local import call_at
from sluis.crypto import Authority, FileKeyStore, encode_base64url, make_authority
from sluis.grounds import FOLDERS, Activity, Item, render, render_tables
from sluis.identity.tokens import open_tokens
from sluis.kernel import utc_now
from sluis_demo import dice, people
from sluis_demo import registers as told
from sluis_demo.activities import ACTIVITIES, CHECKING, TELLING
from sluis_demo.cars import vehicle_files
from sluis_demo.databases import Server, fill, start_server
from sluis_demo.derived import derive, read_grounds
from sluis_demo.described import catalogue_files
from sluis_demo.folder import read_folder
from sluis_demo.network import AT_HOME, Network, find_network
from sluis_demo.organisations import ASKER, ORGANISATIONS, Organisation
from sluis_demo.registers import Registers
from sluis_demo.simulators.settings import passport_tables, people_tables, sign_in_tables

GROUP = "sluis-demo"
GROUP_FILE = "group.toml"
KEY_SET = "inlogvoorziening.jwks"
WITNESSES = 2
"""How many others cosign the log of each node."""
AUTHORITY_FILE = "autoriteit/authority.pem"
AUTHORITY = "Testautoriteit van de Sluis-demo (fictief)"
ISSUERS = "Uitgevers van de Sluis-demo (fictief)"


class Options(msgspec.Struct, frozen=True):
    """What the demo is asked to do.

    `home` is where everything goes; `data` a folder with tables instead of invented people, `grounds` the list of legal
    grounds that belongs to it; `databases` the kinds that organisations get, in turn; `chain` whether the migration chain is
    told too.
    """

    home: Path = Path("var/demo")
    data: Path | None = None
    grounds: Path | None = None
    databases: tuple[str, ...] = ("sqlite",)
    chain: bool = True


class Place(msgspec.Struct, frozen=True):
    """A node of the demo: whose it is, its directory, its address for peers, and the kind of database behind it."""

    organisation: Organisation
    directory: Path
    host: str
    database: str

    @property
    def alias(self) -> str:
        return self.organisation.alias

    @property
    def socket(self) -> Path:
        """Where its own people reach it."""
        return self.directory / "var" / "node.sock"

    @property
    def url(self) -> str:
        """What peers know it by; where they reach it, the directory tells."""
        return f"https://{self.host}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the node answers to one of its own people. Raises `Problem`."""
        return call_at(self.socket, self.directory, method, path, body).document()


class Federation(msgspec.Struct, frozen=True):
    """What was set up. `applicant` and `hidden` are BSNs for the story, None where there is no such person."""

    places: tuple[Place, ...]
    applicant: str
    hidden: str | None
    rows: int
    """In all registers together."""
    network: Network
    authority: Authority
    issuers: Authority
    """Of the certificate of whoever gives people something for their wallet."""
    keys: Path
    """The key set of the asker's sign-in provider."""
    box: str
    """What the message box wants to be shown."""

    @property
    def asker(self) -> Place:
        return next(place for place in self.places if place.organisation.oin == ASKER.oin)

    @property
    def portal(self) -> str:
        """Where people reach the pages of the asker's node."""
        return self.network.received


class _Contents(msgspec.Struct):
    """Who takes part and with what. `kept` holds a SQLite file per organisation that has tables."""

    organisations: tuple[Organisation, ...]
    tables: Registers
    kept: Path
    applicant: str
    hidden: str | None


def set_up(options: Options, servers: list[Server]) -> Federation:
    """Write everything that a federation needs, and start its database servers, while people are invented.

    Args:
        options: what is wanted.
        servers: receives each server as it starts, so that the caller can stop it whatever happens next.
    Raises: Invalid, Upstream for data or servers that are not as they should be.
    """
    options.home.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(ORGANISATIONS)) as at_once:
        real = sorted({*options.databases} - {"sqlite"})
        starting = {kind: at_once.submit(_started, kind, servers) for kind in real}
        contents = _invented(options) if options.data is None else _given(options, options.data)
        network = find_network()
        places = _places(options, contents, network)
        registers = at_once.map(lambda place: _register(place, contents, starting), places)
        keys = at_once.submit(key_set, places[0], network.received, options.home / KEY_SET)
        return _written(options.home, contents, network, places, registers, keys)


def _started(kind: str, servers: list[Server]) -> Server:
    server = start_server(kind)
    servers.append(server)
    return server


def _places(options: Options, contents: _Contents, network: Network) -> tuple[Place, ...]:
    owners = [one.alias for one in contents.organisations if one.datasets]
    kinds = dict(zip(owners, cycle(options.databases), strict=False))
    return tuple(
        Place(one, fresh(options.home / one.alias).absolute(), network.host(number), kinds.get(one.alias, ""))
        for number, one in enumerate(contents.organisations, 1)
    )


def _written(
    home: Path,
    contents: _Contents,
    network: Network,
    places: tuple[Place, ...],
    registers: Iterable[str | None],
    keys: "Future[Path]",
) -> Federation:
    """The folders of group and nodes; `registers` has the URL for each place, as soon as it is filled, and `keys` the key
    set of the first, the asker."""
    sizes = {
        alias: {table.name: len(table.rows) for table in listed} for alias, listed in contents.tables.items()
    }
    authority = make_authority(fresh((home / AUTHORITY_FILE).parent).absolute(), AUTHORITY)
    issuers = make_authority(fresh(home / "uitgevers").absolute(), ISSUERS)
    rows = sum(sum(tables.values()) for tables in sizes.values())
    federation = Federation(
        places, contents.applicant, contents.hidden, rows, network, authority, issuers, keys.result(),
        encode_base64url(os.urandom(16)),
    )  # fmt: skip
    _write_group(home, federation.asker, network, authority)
    for place, register in zip(places, registers, strict=True):
        _write_node(place, federation, register, sizes.get(place.alias, {}))
    return federation


def _invented(options: Options) -> _Contents:
    """Invented people; the SQLite files are made only when the code that invents them has changed."""
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in (dice, people, told))
    kept = (options.home / "registers" / sha256(sources).hexdigest()[:12]).absolute()
    world = people.generate()
    tables = told.registers(world)
    if not kept.exists():
        fresh(kept.parent)
        _keep(kept, tables)
    return _Contents(ORGANISATIONS, tables, kept, world.applicant.bsn, world.hidden.bsn)


def _given(options: Options, data: Path) -> _Contents:
    """Tables out of a folder, opened as far as the list of grounds allows."""
    tables = read_folder(data)
    grounds = read_grounds(options.grounds or data / ".." / ".." / "grondslagen" / "gegevensgrondslagen.csv")
    taking_part = tuple(
        derive(one, tables.get(one.alias, []), grounds)
        for one in ORGANISATIONS
        if one.oin == ASKER.oin or tables.get(one.alias)
    )
    kept = fresh(options.home / "registers" / "gegeven").absolute()
    kept.rmdir()
    _keep(kept, tables)
    return _Contents(taking_part, tables, kept, _most_told_of(tables), None)


def _most_told_of(tables: Registers) -> str:
    """The person with a partner of whom most tables speak; without anyone with a partner, just the most."""
    seen: Counter[str] = Counter()
    paired: set[str] = set()
    for table in (table for listed in tables.values() for table in listed):
        names = [name for name, _ in table.columns]
        if "bsn" not in names:
            continue
        at = names.index("bsn")
        seen.update({str(row[at]) for row in table.rows})
        if "partner_bsn" in names:
            paired |= {str(row[at]) for row in table.rows if row[names.index("partner_bsn")]}
    return max(sorted(seen), key=lambda bsn: (bsn in paired, seen[bsn]))


def _keep(folder: Path, tables: Registers) -> None:
    """Write a SQLite file per organisation; the folder appears only when all of them are whole."""
    scratch = folder.with_name(f"{folder.name}.{getpid()}")
    scratch.mkdir(parents=True)
    for alias, listed in tables.items():
        fill("sqlite", scratch / f"{alias}.db", alias, listed)
    scratch.rename(folder)


def _register(place: Place, contents: _Contents, starting: Mapping[str, "Future[Server]"]) -> str | None:
    """The URL of the organisation's database, None when it has none; it is filled as soon as its server has started."""
    if not place.database:
        return None
    if place.database == "sqlite":
        return f"sqlite:///{contents.kept / place.alias}.db"
    return fill(place.database, starting[place.database].result(), place.alias, contents.tables[place.alias])


def _write_group(home: Path, directory: Place, network: Network, authority: Authority) -> None:
    """The rules that all nodes hold to. The one that asks keeps the directory too: it is always there."""
    rules = {
        "id": GROUP,
        "anchors": [str(authority.path)],
        "ports": [network.manager, network.inway],
        "directory": {
            "peer": str(directory.organisation.oin),
            "address": f"https://{directory.host}:{network.manager}",
        },
    }
    (home / GROUP_FILE).write_text(render_tables(rules), encoding="utf-8")


def key_set(place: Place, issuer: str, file: Path) -> Path:
    """Make the keys of a sign-in provider, and write down those that others may know."""
    folder = place.directory / "keys"
    tokens = open_tokens(issuer, FileKeyStore(folder), folder / "tokens", utc_now)
    file.write_bytes(msgspec.json.encode(tokens.jwks()))
    return file.absolute()


def _signing_in(place: Place, federation: Federation) -> dict[str, Any]:
    """What the settings say of people who sign in: at the asker they do, and the others believe it about them."""
    issuer, network, anchor = federation.portal, federation.network, federation.authority.path
    if place is not federation.asker:
        trusted = {"issuer": issuer, "keys": str(federation.keys), "level": "substantial"}
        return {"trust": {federation.asker.alias: trusted}}
    return {
        "portal": {"address": issuer, "host": AT_HOME, "port": network.portal},
        "signin": sign_in_tables(network.simulated, None, anchor),
        "passport": passport_tables(network.simulated, federation.issuers.path, anchor),
        "contact": {
            "quiet_from": "00:00",
            "quiet_until": "00:00",
            "consulted": "asked",
            "consulted_activity": TELLING.id,
        },
        "channels": {"box": box_tables(place, network, federation.authority, federation.box)},
    }


def box_tables(place: Place, network: Network, authority: Authority, box: str) -> dict[str, Any]:
    """A message box, as the settings name it; what it wants to be shown is written in a file.

    Args:
        place: whose.
        network: where it listens.
        authority: that gave its certificate.
        box: what it wants to be shown.
    """
    (place.directory / "secrets").mkdir(mode=0o700)
    file = os.open(place.directory / "secrets/box", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(file, "w", encoding="ascii") as secret:
        secret.write(box)
    return {
        "kind": "box",
        "url": network.simulated,
        "secret_file": "secrets/box",
        "authorities": [str(authority.path)],
    }


def node_tables(place: Place, others: Iterable[Place], network: Network, authority: Authority,
                roles: Sequence[str] = ()) -> dict[str, Any]:  # fmt: skip
    """What every node of the demo has in its settings; makes its certificate too.

    Args:
        place: whose.
        others: its peers.
        network: where nodes listen.
        authority: that gives certificates.
        roles: of the member of staff, beside the usual.
    """
    certificate, key = authority.issue(
        place.directory / "tls", place.organisation.oin, place.organisation.name, (place.host, "localhost")
    )
    return {
        "node": {
            "oin": str(place.organisation.oin),
            "name": place.organisation.name,
            "alias": place.alias,
            "url": place.url,
            "environment": "test",
        },
        "fsc": {"group": f"../{GROUP_FILE}"},
        "manager": {"host": place.host, "port": network.manager},
        "inway": {"host": place.host, "port": network.inway},
        "outway": {"host": place.host, "port": network.outway},
        "tls": {"certificate": str(certificate), "key": str(key), "authorities": [str(authority.path)]},
        "people": {
            "medewerker": {
                "os_user": pwd.getpwuid(getuid()).pw_name,
                "roles": ["medewerker", "privacy-officer", "fsc-admin", *roles],
            },
        },
        "peers": {
            other.alias: {"oin": str(other.organisation.oin), "name": other.organisation.name}
            for other in others
        },
    }


def write_files(
    place: Place, settings: dict[str, Any], activities: Iterable[Activity], sizes: Mapping[str, int]
) -> None:
    """The directory of a node: settings, and the files about what it has, opens and tells.

    Args:
        place: whose.
        settings: for `node.toml`.
        activities: that it keeps files of.
        sizes: rows per table.
    """
    (place.directory / "node.toml").write_text(render_tables(settings), encoding="utf-8")
    (place.directory / "node.toml").chmod(0o600)
    (place.directory / "var").mkdir()
    files: dict[str, dict[str, Item]] = {
        "datasets": {
            one.name: msgspec.structs.replace(one, rows=sizes[one.table])
            for one in place.organisation.datasets
        },
        "activities": {one.id.rsplit("/", 1)[1]: one for one in activities},
        "disclosures": {one.id: one for one in place.organisation.disclosures},
        "event-types": {one.type.rpartition(".")[2]: one for one in place.organisation.events},
        "notices": {one.id: one for one in place.organisation.notices},
    }
    (place.directory / DESCRIPTIONS).mkdir()
    for file, text in (*catalogue_files(place.organisation), *vehicle_files(place.alias).items()):
        (place.directory / file).write_text(text, encoding="utf-8")
    for folder in FOLDERS:
        (place.directory / folder).mkdir()
        for name, item in files[folder].items():
            (place.directory / folder / f"{name}.toml").write_text(render(item), encoding="utf-8")


def _write_node(place: Place, federation: Federation, register: str | None, sizes: dict[str, int]) -> None:
    places = federation.places
    others = [other for other in places if other is not place]
    runs = ("event-admin", "event-publisher") if place is federation.asker else ()
    settings = node_tables(place, others, federation.network, federation.authority, runs)
    if place is federation.asker:
        settings["people"] |= people_tables()
        settings["data"] = {"preview_activity": CHECKING.id}
        settings["events"] = {"inside": ["127.0.0.1/32"]}  # where its case system is
    settings |= {
        "sources": {"register": {"url": register}} if register else {},
        "ledger": {"witnesses": _witnesses(place, list(places))},
        **_signing_in(place, federation),
    }
    needed = {disclosure.activity for disclosure in place.organisation.disclosures}
    known = [one for one in ACTIVITIES if one.id in needed or one.controller == place.organisation.oin]
    known += [TELLING, CHECKING] if place is federation.asker else []
    write_files(place, settings, known, sizes)


def _witnesses(place: Place, places: list[Place]) -> list[str]:
    """Who cosigns a node's log: the two that come after it."""
    at = places.index(place)
    following = [*places[at + 1 :], *places[:at]]
    return [one.alias for one in following[:WITNESSES]]


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder

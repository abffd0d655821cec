"""A node directory as a whole: loading it to start from, and telling every problem in it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from itertools import chain
from pathlib import Path

import msgspec

from sluis.catalogue import (
    CATALOGUE_FILE,
    DESCRIPTIONS,
    CatalogueReading,
    advice,
    examine_catalogue,
    read_catalogue,
)
from sluis.config.clients import client_of
from sluis.config.contact import wrong_consulted
from sluis.config.data import wrong_data
from sluis.config.model import Config, PortalConfig
from sluis.config.notificaties import wrong_notificaties
from sluis.config.read import load_config, read_config
from sluis.config.trial import try_conditions, try_expressions
from sluis.contact import (
    SCENARIOS,
    Around,
    Listening,
    ScenarioReading,
    Templates,
    examine_scenarios,
    key_parts,
    listening,
    read_scenarios,
)
from sluis.gateway import check_nginx, read_documents
from sluis.grounds import (
    Activity,
    Dataset,
    Disclosure,
    EventType,
    Grounds,
    Item,
    Notice,
    Surroundings,
    examine,
    kind_of,
    load_grounds,
    read_directory,
    read_document,
    read_item,
    read_text,
    refuse_any,
)
from sluis.kernel import Clock, Invalid, Place, Text, utc_now
from sluis.policy import (
    BY_DAY,
    Own,
    Policies,
    examine_own,
    holds_policies,
    known_of,
    policies_of,
    read_own,
)
from sluis.web import advice_on, look_of

NODE_FILE = "node.toml"

TELLING: dict[str, type[Item]] = {
    "tells": Notice,
    "type": EventType,
    "recipient": Disclosure,
    "purpose": Activity,
    "table": Dataset,
}
"""The key that tells what a file is; the first that is in it."""


class Node(msgspec.Struct, frozen=True):
    """A node directory: its settings, its grounds, what decisions follow from, and what people are told."""

    directory: Path
    config: Config
    grounds: Grounds
    policies: Policies
    scenarios: tuple[Listening, ...] = ()
    catalogue: CatalogueReading = CatalogueReading(None, (), ())


def load_node(directory: Path, environ: Mapping[str, str] | None = None, day: date | None = None) -> Node:
    """Read a node directory to start from, passwords filled in.

    Args:
        directory: the folder with `node.toml`.
        environ: the environment; the process's own when absent.
        day: what counts as today; the present day (UTC) when absent.
    Raises: Invalid, the first problem in the files, saying how many there are.
    """
    config = load_config(directory / NODE_FILE, environ, secrets=True)
    grounds = load_grounds(directory, _around(config, day))
    own = read_own(config.policy.directory)
    policies = node_policies(config, grounds, own)
    refuse_any([one for one in examine_own(own, policies, _clock(day)) if one.code != BY_DAY])
    scenarios = read_scenarios(directory)
    refuse_any(list(_wrong_scenarios(scenarios, config, grounds)))
    refuse_any(list(_wrong_activities(config, grounds, directory / NODE_FILE)))
    catalogue = read_catalogue(directory)
    refuse_any(list(examine_catalogue(catalogue, grounds)))
    return Node(directory.absolute(), config, grounds, policies, listening(scenarios), catalogue)


def templates_of(config: Config) -> Templates:
    """What makes words of events, from the settings of a node."""
    return Templates(config.contact.templates, config.node.name, (config.portal.address or "").rstrip("/"))


def _wrong_scenarios(reading: ScenarioReading, config: Config, grounds: Grounds) -> tuple[Invalid, ...]:
    around = Around(
        channels=tuple(config.channels),
        activities=[one.id for one in grounds.activities],
        facts={one.type: {name: fact.type for name, fact in one.facts.items()} for one in grounds.events},
        templates=templates_of(config),
    )
    return examine_scenarios(reading, around)


def _wrong_activities(config: Config, grounds: Grounds, file: Path) -> Iterator[Invalid]:
    """What stands in the way of the Notificaties API, of telling people that they were consulted, and of previews."""
    activities = [one.id for one in grounds.activities]
    wrong = (
        *wrong_notificaties(config, activities),
        *wrong_consulted(config, activities),
        *wrong_data(config, grounds),
    )
    for keys, problem in wrong:
        place = read_document(file).place(keys)
        yield Invalid(problem.code, problem.what, problem.why, problem.next, place=place)


def node_policies(config: Config, grounds: Grounds, own: Own) -> Policies:
    """What the decisions of a node follow from.

    Args:
        config: its settings.
        grounds: as loaded.
        own: its own policies, as read.
    """
    peers = {peer.oin: peer.name for peer in config.peers.values()} | {config.node.oin: config.node.name}
    people = {name: entry.roles for name, entry in config.people.items()}
    known = known_of(grounds, config.node.alias, peers, people)
    return policies_of(own, grounds, config.node.alias, config.fsc.group is not None, known)


def examine_node(
    path: Path, environ: Mapping[str, str] | None = None, day: date | None = None
) -> tuple[Invalid, ...]:
    """Every problem in a node directory, or in one file.

    A file that is part of a node directory is held against the others; only its own problems are told.
    """
    if path.is_dir():
        return _examine_directory(path, environ, day)
    if path.name == NODE_FILE:
        return _examine_settings(path, environ)[1]
    if path.suffix in (".yaml", ".yml"):
        return _examine_declarations(path)
    directory = path.absolute().parent.parent
    kind = kind_of(path)
    within = (
        kind is not None or holds_policies(path) or path.absolute().parent.name in (SCENARIOS, DESCRIPTIONS)
    )
    if path.name == CATALOGUE_FILE:
        within, directory = True, path.absolute().parent
    if within and (directory / NODE_FILE).exists():
        shown = str(directory / path.absolute().relative_to(directory))
        found = [
            one
            for one in _examine_directory(directory, environ, day)
            if one.place and one.place.file == shown
        ]
        return tuple(_shown_as(one, str(path)) for one in found)
    try:
        keys = read_document(path).tables.keys()
    except Invalid as problem:
        return (problem,)
    if kind is None and "node" in keys:
        return _examine_settings(path, environ)[1]
    kind = kind or next((held for key, held in TELLING.items() if key in keys), None)
    return read_item(path, kind).problems if kind else (_unknown_kind(path),)


def advise_node(path: Path) -> tuple[Invalid, ...]:
    """What would make a node directory better, and is no problem; nothing for a single file."""
    if not path.is_dir():
        return ()
    config, _ = read_config(path / NODE_FILE, None, secrets=True)
    theme = None if config is None else config.portal.theme
    found = advice_on(theme) if theme is not None else []
    if config is not None and config.portal.address is None and config.portal != PortalConfig():
        found.append(_no_pages(path))
    reading = read_catalogue(path)
    if reading.whole is not None:
        found += advice(reading, read_directory(path).grounds, path)
    return tuple(found)


def _no_pages(path: Path) -> Invalid:
    return Invalid(
        "portal-without-address",
        Text("Dit knooppunt heeft geen pagina's.", "This node has no pages."),
        Text("Onder `[portal]` staan instellingen, maar geen adres. Zonder adres doen zij niets.",
             "There are settings under `[portal]`, but no address. Without an address they do nothing."),
        Text('Zet daar het adres waar mensen komen, zoals `address = "https://mijn.voorbeeld.nl"`.',
             'Put the address there to which people come, such as `address = "https://mijn.voorbeeld.nl"`.'),
        place=read_document(path / NODE_FILE).place(("portal",)),
    )  # fmt: skip


def _examine_directory(
    directory: Path, environ: Mapping[str, str] | None, day: date | None
) -> tuple[Invalid, ...]:
    config, problems = _examine_settings(directory / NODE_FILE, environ)
    reading = read_directory(directory)
    told = [
        *problems,
        *examine(reading, _around(config, day)),
        *try_expressions(reading),
        *try_conditions(reading),
    ]
    if config is not None:
        own = read_own(config.policy.directory)
        told += examine_own(own, node_policies(config, reading.grounds, own), _clock(day))
        told += _wrong_scenarios(read_scenarios(directory), config, reading.grounds)
        told += _wrong_activities(config, reading.grounds, directory / NODE_FILE)
    unread = {Path(one.place.file).parent.name for one in reading.problems if one.place}
    told += examine_catalogue(read_catalogue(directory), reading.grounds, unread)
    return tuple(sorted(told, key=lambda one: (one.place.file, one.place.line) if one.place else ("", 0)))


def _examine_declarations(path: Path) -> tuple[Invalid, ...]:
    """Of a file for `sluis apply`; what its names lead to, only the node itself can tell."""
    try:
        return read_documents(read_text(path), str(path))[1]
    except Invalid as problem:
        return (problem,)


def _examine_settings(
    file: Path, environ: Mapping[str, str] | None
) -> tuple[Config | None, tuple[Invalid, ...]]:
    config, problems = read_config(file, environ, secrets=True)
    if config is None:
        return None, problems
    found = (
        _absent_files(config, file),
        _absent_program(config, file),
        _absent_folders(config, file),
        _wrong_keys(config, file),
        _wrong_look(config, file),
        _wrong_clients(config, file),
        _unknown_sources(config, file),
    )
    return config, (*problems, *chain.from_iterable(found))


def _absent_files(config: Config, file: Path) -> Iterator[Invalid]:
    """Files that the settings name and a node cannot start without."""
    optional = [config.tls.crl] if config.tls.crl else []
    named = [
        ("tls", path) for path in (config.tls.certificate, config.tls.key, *config.tls.authorities, *optional)
    ]
    named += [("anchor", path) for path in config.anchor.certificates]
    register = config.register
    named += [
        ("register", path)
        for path in (*register.authorities, *([register.key_file] if register.key_file else []))
    ]
    named += [
        ("portal", path)
        for path in (config.portal.certificate, config.portal.key, config.portal.theme, config.portal.logo)
        if path
    ]
    named += [(f"trust.{name}", trusted.keys) for name, trusted in config.trust.items()]
    named += [
        (f"signin.{name}", path)
        for name, way in config.signin.items()
        for path in (*way.authorities, *([way.secret_file] if way.secret_file else []))
    ]
    named += [
        (f"channels.{name}", path)
        for name, channel in config.channels.items()
        for path in (
            channel.secret_file,
            channel.callback_file,
            channel.key,
            channel.known_hosts,
            *channel.authorities,
        )
        if path
    ]
    passport = config.passport
    own = [path for path in (passport.certificate, passport.key) if path]
    events = config.events
    nats = [path for path in (events.nats_certificate, events.nats_key, events.nats_secret) if path]
    named += [("events", path) for path in (*events.authorities, *events.nats_authorities, *nats)]
    named += [("passport", path) for path in (*own, *passport.authorities)]
    named += [
        (f"passport.issuers.{name}", path)
        for name, issuer in passport.issuers.items()
        for path in issuer.certificates
    ]
    for section, path in named:
        try:
            present = path.is_file()
        except OSError:
            present = False
        if not present:
            yield Invalid(
                "missing-file",
                Text(f"`{path.name}` is er niet.", f"`{path.name}` is not there."),
                Text(f"De instellingen wijzen naar {path}.", f"The settings point to {path}."),
                Text(f"Zet het bestand daar, of verander de instelling onder `[{section}]`.",
                     f"Put the file there, or change the setting under `[{section}]`."),
                place=read_document(file).place(tuple(section.split("."))),
            )  # fmt: skip


def _absent_folders(config: Config, file: Path) -> Iterator[Invalid]:
    """Folders of channels that are not there: what should come from them would never be seen, or nothing could be put there."""
    for name, channel in config.channels.items():
        for path in (channel.maildir, channel.folder):
            if path is not None and not path.is_dir():
                yield Invalid(
                    "missing-folder",
                    Text(f"De map `{path.name}` is er niet.", f"The folder `{path.name}` is not there."),
                    Text(f"Kanaal `{name}` wijst naar {path}.", f"Channel `{name}` points to {path}."),
                    Text(
                        "Maak de map, of verander de instelling.", "Make the folder, or change the setting."
                    ),
                    place=read_document(file).place(("channels", name)),
                )


def _wrong_look(config: Config, file: Path) -> Iterator[Invalid]:
    """A theme or logo that pages cannot have."""
    for name, theme, logo in (("theme", config.portal.theme, None), ("logo", None, config.portal.logo)):
        try:
            look_of(theme, logo)
        except Invalid as problem:
            if (theme or logo or file).is_file():  # what is absent is told elsewhere
                yield Invalid(
                    problem.code, problem.what, problem.why, problem.next,
                    place=read_document(file).place(("portal", name)),
                )  # fmt: skip


def _wrong_keys(config: Config, file: Path) -> Iterator[Invalid]:
    """Keys of message services with which no request can be signed."""
    for name, channel in config.channels.items():
        if not channel.kind.startswith("notify-") or channel.secret_file is None:
            continue
        try:
            key_parts(channel.secret_file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError):
            continue  # that it is not there, is said elsewhere
        except Invalid as problem:
            place = read_document(file).place(("channels", name))
            yield Invalid(problem.code, problem.what, problem.why, problem.next, place=place)


def _wrong_clients(config: Config, file: Path) -> Iterator[Invalid]:
    """Portals and programs with which a node does not start."""
    for name, client in config.clients.items():
        try:
            client_of(name, client)
        except Invalid as problem:
            place = read_document(file).place(("clients", name))
            yield Invalid(problem.code, problem.what, problem.why, problem.next, place=place)


def _absent_program(config: Config, file: Path) -> Iterator[Invalid]:
    if config.fsc.group is None or config.fsc.plane != "nginx":
        return
    try:
        check_nginx()
    except Invalid as problem:
        place = read_document(file).place(("fsc", "plane"))
        yield Invalid(problem.code, problem.what, problem.why, problem.next, place=place)


def _unknown_sources(config: Config, file: Path) -> Iterator[Invalid]:
    """Sources of a kind that this node cannot open; whether one answers, is for `sluis source probe`."""
    from sluis.sources import opener_of

    for name, source in config.sources.items():
        try:
            opener_of(str.__str__(source.url))
        except Invalid as problem:
            place = read_document(file).place(("sources", name, "url"))
            yield Invalid(problem.code, problem.what, problem.why, problem.next, place=place)


def _clock(day: date | None) -> Clock:
    """The present, or the middle of a day."""
    return utc_now if day is None else lambda: datetime.combine(day, time(12), UTC)


def _around(config: Config | None, day: date | None) -> Surroundings:
    today = day or datetime.now(UTC).date()
    if config is None:
        return Surroundings(today)
    peers = frozenset(peer.oin for peer in config.peers.values())
    return Surroundings(today, config.node.oin, peers, frozenset(config.sources))


def _shown_as(problem: Invalid, name: str) -> Invalid:
    line = problem.place.line if problem.place else 0
    return Invalid(problem.code, problem.what, problem.why, problem.next, place=Place(name, line))


def _unknown_kind(path: Path) -> Invalid:
    return Invalid(
        "unknown-file",
        Text(
            "Het is niet te zien wat dit bestand beschrijft.", "It cannot be seen what this file describes."
        ),
        Text(
            "Het staat in geen map die gelezen wordt, zoals `datasets` of `notices`, en is geen `node.toml`.",
            "It is in no folder that is read, such as `datasets` or `notices`, and is no `node.toml`.",
        ),
        Text("Zet het in de goede map.", "Put it in the right folder."),
        place=Place(str(path)),
    )

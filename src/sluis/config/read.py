"""From `node.toml` and the environment to settings.

`SLUIS_<SECTION>_<SETTING>` overrides one setting (`SLUIS_STORE_URL`; lists with commas); of a named source, peer or
person in the file, `SLUIS_SOURCES_<NAME>_URL`. Relative paths count from the folder of `node.toml`. Secrets
(`password_file`, `${NAME}` in a URL) are filled in only when asked: someone who merely asks has no right to them.
"""

import copy
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import inspect

from sluis.config.contact import contact_faults
from sluis.config.model import Address, Config, SourceConfig, StoreConfig
from sluis.config.passport import passport_faults
from sluis.config.signin import sign_in_faults
from sluis.grounds import Document, Fault, Keys, faults, meant, read_document, refuse_any
from sluis.kernel import Invalid, Place, Text

S = TypeVar("S", bound=msgspec.Struct)

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:)(.+)")
_LONGEST_PASSWORD = 4096


def load_config(file: Path, environ: Mapping[str, str] | None = None, *, secrets: bool = False) -> Config:
    """Read `node.toml`.

    Args:
        file: its path.
        environ: the environment; the process's own when absent.
        secrets: whether passwords must be filled in, in `store.url` and `sources.*.url`.
    Raises: Invalid, the first problem, saying how many there are.
    """
    config, problems = read_config(file, environ, secrets=secrets)
    refuse_any(list(problems))
    if config is None:
        raise TypeError("settings without problems, and yet no settings")
    return config


def read_config(
    file: Path, environ: Mapping[str, str] | None = None, *, secrets: bool = False
) -> tuple[Config | None, tuple[Invalid, ...]]:
    """As `load_config`, with every problem; the settings are None when their shape is wrong."""
    environ = os.environ if environ is None else environ
    try:
        document = read_document(file)
    except Invalid as problem:
        return None, (problem,)
    tables, origins, slips = _overridden(document.tables, environ)
    found = [*slips, *faults(tables, Config)]
    if found:
        return None, tuple(_told(fault, document, origins) for fault in found)
    built = msgspec.convert(tables, Config, dec_hook=lambda kind, value: kind(value))
    config = _absolute(built, file.absolute().parent)
    wrong = list(contradictions(config, tables))
    if secrets:
        config, unfilled = _with_secrets(config, environ)
        wrong += unfilled
    return config, tuple(_told(fault, document, origins) for fault in wrong)


def _told(fault: Fault, document: Document, origins: dict[Keys, str]) -> Invalid:
    """A fault at its line in the file, or at the environment variable that brought the value."""
    for length in range(len(fault.keys), 0, -1):
        variable = origins.get(fault.keys[:length])
        if variable:
            return Invalid(fault.code, fault.what, fault.why, fault.next, place=Place(f"${variable}"))
    return fault.problem(document)


def _overridden(
    tables: dict[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, Any], dict[Keys, str], list[Fault]]:
    """The tables with what the environment overrides, which variable that was, and variables that mean nothing."""
    tables, origins, slips = copy.deepcopy(tables), dict[Keys, str](), list[Fault]()
    for variable in sorted(name for name in environ if name.startswith("SLUIS_")):
        section, _, rest = variable.removeprefix("SLUIS_").lower().partition("_")
        if section not in SECTIONS or not rest:
            continue
        keys = _setting(section, rest, tables.get(section))
        settings = _settings(SECTIONS[section])
        origins[(section, rest) if keys is None else keys] = variable
        if keys is None:
            slips.append(_unknown_variable((section, rest), variable, rest, settings))
            continue
        table = tables
        for key in keys[:-1]:
            table = table.setdefault(str(key), {})
        table[str(keys[-1])] = _from_text(environ[variable], settings[str(keys[-1])])
    return tables, origins, slips


def _fields(kind: type[msgspec.Struct]) -> dict[str, inspect.Type]:
    info = inspect.type_info(kind)
    return (
        {field.encode_name: field.type for field in info.fields}
        if isinstance(info, inspect.StructType)
        else {}
    )


SECTIONS = _fields(Config)
"""The tables of `node.toml`, and what they hold."""


def _settings(section: inspect.Type) -> dict[str, inspect.Type]:
    """The settings in a section, or in each named table of it."""
    if isinstance(section, inspect.DictType):
        section = section.value_type
    return (
        {field.encode_name: field.type for field in section.fields}
        if isinstance(section, inspect.StructType)
        else {}
    )


def _setting(section: str, rest: str, table: Any) -> Keys | None:
    """Which setting `rest` of a variable's name means; None when there is none."""
    kind = SECTIONS[section]
    settings = _settings(kind)
    if not isinstance(kind, inspect.DictType):
        return (section, rest) if rest in settings else None
    for name in table if isinstance(table, dict) else {}:
        for setting in settings:
            if rest == f"{re.sub('[.-]', '_', name.lower())}_{setting}":
                return (section, name, setting)
    return None


def _from_text(text: str, kind: inspect.Type) -> Any:
    """A variable's text as the kind of value that the setting takes; the text itself when that fails."""
    if isinstance(kind, inspect.VarTupleType):
        return [part.strip() for part in text.split(",") if part.strip()]
    number = {inspect.IntType: int, inspect.FloatType: float}.get(type(kind))
    try:
        return number(text) if number else text
    except ValueError:
        return text


def _absolute(part: S, base: Path) -> S:
    """The struct with every relative path, also of an SQLite URL, counted from `base`."""
    return msgspec.structs.replace(
        part, **{name: _based(getattr(part, name), base) for name in part.__struct_fields__}
    )


def _based(value: Any, base: Path) -> Any:
    if isinstance(value, Path):
        return base / value
    if isinstance(value, Address):
        return absolute_address(value, base)
    if isinstance(value, msgspec.Struct):
        return _absolute(value, base)
    if isinstance(value, dict):
        return {name: _based(inner, base) for name, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_based(inner, base) for inner in value)
    return value


def absolute_address(url: Address, base: Path) -> Address:
    """The URL of a source or store with a relative file name counted from `base`; others stay as they are."""
    return Address(_RELATIVE_SQLITE.sub(lambda found: f"{found[1]}{base / found[2]}", url))


def _with_secrets(config: Config, environ: Mapping[str, str]) -> tuple[Config, list[Fault]]:
    """The settings with passwords in their URLs, and those that could not be found."""
    wrong = list[Fault]()
    store, missing = _expanded(config.store.url, ("store", "url"), environ)
    wrong += missing
    sources = {}
    for name, source in config.sources.items():
        url, missing = _expanded(source.url, ("sources", name, "url"), environ)
        wrong += missing
        if source.password_file is not None:
            url, missing = _with_password(url, source.password_file, ("sources", name, "password_file"))
            wrong += missing
        sources[name] = SourceConfig(
            url, source.password_file, source.timeout_seconds, source.max_rows, source.pool_size
        )
    return msgspec.structs.replace(config, store=StoreConfig(store), sources=sources), wrong


def _expanded(url: Address, keys: Keys, environ: Mapping[str, str]) -> tuple[Address, list[Fault]]:
    missing = [name for name in _VARIABLE.findall(url) if name not in environ]
    filled = _VARIABLE.sub(lambda found: quote(environ.get(found[1], ""), safe=""), url)
    return Address(filled), [
        Fault(
            keys,
            "variable-not-set",
            Text(
                f"De omgevingsvariabele {name} bestaat niet.", f"The environment variable {name} is not set."
            ),
            Text("Het adres verwijst ernaar met `${…}`.", "The address refers to it with `${…}`."),
            Text(
                f"Geef {name} een waarde voor u het knooppunt start.",
                f"Set {name} before you start the node.",
            ),
        )
        for name in missing
    ]


def _with_password(url: Address, file: Path, keys: Keys) -> tuple[Address, list[Fault]]:
    try:
        with file.open("rb") as opened:
            password = opened.read(_LONGEST_PASSWORD).decode().strip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        fault = Fault(
            keys,
            "unreadable-file",
            Text("Het bestand met het wachtwoord is niet te lezen.", "The password file cannot be read."),
            Text(f"Het systeem meldt: {reason}.", f"The system says: {reason}."),
            Text("Controleer de naam en de rechten.", "Check the name and the permissions."),
        )
        return url, [fault]
    scheme, _, rest = url.partition("://")
    account, at, place = rest.rpartition("@")
    user = account.partition(":")[0]
    return Address(f"{scheme}://{user}:{quote(password, safe='')}@{place if at else rest}"), []


def contradictions(config: Config, tables: dict[str, Any]) -> Iterator[Fault]:
    """Settings that are well-formed and cannot go together."""
    names = set(config.peers)
    for position, witness in enumerate(config.ledger.witnesses):
        if witness not in names:
            yield Fault(
                ("ledger", "witnesses", position),
                "unknown-peer",
                Text(f"Onbekende organisatie: `{witness}`.", f"Unknown peer: `{witness}`."),
                Text("Een getuige moet onder `peers` staan.", "A witness must be under `peers`."),
                meant(witness, names),
            )
    own = config.node.oin
    if config.ledger.origin and not re.fullmatch(rf"[^\s+]{{1,400}}/{own}", config.ledger.origin):
        yield Fault(
            ("ledger", "origin"),
            "log-name-of-nobody",
            Text("De naam van het logboek past niet.", "The name of the log does not fit."),
            Text(
                f"Hij eindigt op /{own} en heeft geen spatie of +.",
                f"It ends in /{own} and has no space or +.",
            ),
            Text(f"Schrijf bijvoorbeeld `logboek.example/{own}`.", f"Write for example `log.example/{own}`."),
        )
    if config.anchor.url and not config.anchor.certificates:
        yield _cannot_check_stamps()
    if config.fsc.group is not None:
        yield from _same_places(config)
    yield from _repeated([(("node", "oin"), config.node.oin), *_each("peers", "oin", tables)], "OIN")
    for setting in ("os_user", "signin"):
        yield from _repeated(_each("people", setting, tables), setting)
    yield from _repeated(_each("trust", "issuer", tables), "issuer")
    yield from _nats_faults(config)
    yield from sign_in_faults(config)
    yield from passport_faults(config)
    yield from contact_faults(config)
    if config.node.alias in names:
        yield _repeat(("peers", config.node.alias), "alias", config.node.alias)
    if not config.node.test:
        yield from _readable_passwords(config)


def _nats_faults(config: Config) -> Iterator[Fault]:
    """A certificate without its key; and what may only be shown over TLS, without it."""
    events = config.events
    if (events.nats_certificate is None) != (events.nats_key is None):
        yield Fault(
            ("events", "nats_certificate" if events.nats_certificate else "nats_key"),
            "half-a-certificate",
            Text("Een certificaat en zijn sleutel horen bij elkaar.", "A certificate and its key belong together."),
            Text("Alleen een van de twee staat er.", "Only one of the two is there."),
            Text("Geef `nats_certificate` en `nats_key` beide.", "Give both `nats_certificate` and `nats_key`."),
        )  # fmt: skip
    guarded = [*events.nats_authorities, events.nats_certificate, events.nats_secret]
    if any(guarded) and not (events.nats or "").startswith("tls://"):
        yield Fault(
            ("events", "nats"),
            "nats-without-tls",
            Text("NATS is zo niet beveiligd.", "NATS is not secured like this."),
            Text("Certificaten en een geheim gaan alleen over TLS.", "Certificates and a secret go over TLS alone."),
            Text("Begin het adres met `tls://`.", "Begin the address with `tls://`."),
        )  # fmt: skip


def _same_places(config: Config) -> Iterator[Fault]:
    """Two listeners that want the same address."""
    seen = dict[tuple[str, int], str]()
    for section in ("manager", "inway", "outway"):
        settings = getattr(config, section)
        other = seen.setdefault((settings.host, settings.port), section)
        if other != section:
            yield Fault(
                (section, "port"),
                "address-used-twice",
                Text(
                    f"`{section}` en `{other}` willen op hetzelfde adres luisteren.",
                    f"`{section}` and `{other}` want to listen on the same address.",
                ),
                Text(
                    f"Beide zeggen {settings.host}:{settings.port}.",
                    f"Both say {settings.host}:{settings.port}.",
                ),
                Text("Geef elk een eigen poort of adres.", "Give each a port or address of its own."),
            )


def _each(section: str, setting: str, tables: dict[str, Any]) -> list[tuple[Keys, str]]:
    return [
        ((section, name, setting), table[setting])
        for name, table in tables.get(section, {}).items()
        if setting in table
    ]


def _repeated(values: list[tuple[Keys, str]], kind: str) -> Iterator[Fault]:
    seen = set()
    for keys, value in values:
        if value in seen:
            yield _repeat(keys, kind, value)
        seen.add(value)


def _repeat(keys: Keys, kind: str, value: str) -> Fault:
    return Fault(
        keys,
        "name-used-twice",
        Text(f"{kind} `{value}` komt twee keer voor.", f"{kind} `{value}` occurs twice."),
        Text("Zo is niet te zien wie wordt bedoeld.", "It cannot be seen who is meant."),
        Text("Geef ieder een eigen waarde.", "Give each its own value."),
    )


def _readable_passwords(config: Config) -> Iterator[Fault]:
    """Passwords that stand in the file itself, where whoever reviews it can read them."""
    addresses = [(("sources", name, "url"), source.url) for name, source in config.sources.items()]
    for keys, url in [(("store", "url"), config.store.url), *addresses]:
        password = re.search(r"://[^:@/]*:([^@/]+)@", url)
        if password and not _VARIABLE.fullmatch(password[1]):
            yield Fault(
                keys,
                "password-in-file",
                Text("Er staat een wachtwoord in het bestand.", "There is a password in the file."),
                Text(
                    "Wie dit bestand leest, kan bij de gegevens.",
                    "Whoever reads this file can reach the data.",
                ),
                Text(
                    "Gebruik `password_file`, of `${NAAM}` uit de omgeving.",
                    "Use `password_file`, or `${NAME}` from the environment.",
                ),
            )


def _cannot_check_stamps() -> Fault:
    return Fault(
        ("anchor", "url"),
        "anchor-without-certificate",
        Text("Er is geen certificaat om tijdstempels mee te controleren.",
             "There is no certificate to check timestamps with."),
        Text("Een stempel dat niemand kan controleren, bewijst niets.",
             "A stamp that nobody can check proves nothing."),
        Text("Zet het stamcertificaat van de autoriteit in `anchor.certificates`.",
             "Put the root certificate of the authority in `anchor.certificates`."),
    )  # fmt: skip


def _unknown_variable(keys: Keys, variable: str, rest: str, settings: dict[str, inspect.Type]) -> Fault:
    return Fault(
        keys,
        "unknown-setting",
        Text(f"{variable} past bij geen instelling.", f"{variable} fits no setting."),
        Text(
            "De naam is SLUIS_, de tabel, zo nodig de naam daarin, en de instelling.",
            "The name is SLUIS_, the table, the name in it where there is one, and the setting.",
        ),
        meant(rest, settings),
    )

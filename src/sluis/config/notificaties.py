"""Applications that use the ZGW Notificaties API, as the settings name them: made for the node, and tried by `sluis check`."""

from collections.abc import Collection, Iterator
from pathlib import Path

from sluis.config.model import ApplicationConfig, Config
from sluis.events.notificaties import SHORTEST_SECRET, Application
from sluis.kernel import Invalid, Text


def applications_of(config: Config) -> dict[str, Application]:
    """The applications by their `client_id`, their secrets read. Raises `Invalid` for the first that is not right."""
    return {name: _application(name, one) for name, one in config.notificaties.applications.items()}


def wrong_notificaties(
    config: Config, activities: Collection[str]
) -> Iterator[tuple[tuple[str, ...], Invalid]]:
    """What stands in the way of this API, each with the keys of the setting that it is about.

    Args:
        config: of the node.
        activities: ids of the processing activities that there are.
    """
    settings = config.notificaties
    if not settings.applications:
        return
    if config.portal.address is None:
        yield ("notificaties",), _no_address()
    if settings.activity not in activities:
        yield ("notificaties", "activity"), _no_activity()
    for name, one in settings.applications.items():
        try:
            _application(name, one)
        except Invalid as problem:
            yield ("notificaties", "applications", name), problem


def _application(name: str, settings: ApplicationConfig) -> Application:
    if any(not address.endswith("/") for address in settings.callbacks):
        raise _callbacks(name)
    return Application(
        name, _secret(name, settings.secret_file), frozenset(settings.scopes), settings.callbacks
    )


def _secret(name: str, file: Path) -> bytes:
    try:
        secret = file.read_bytes().strip()
    except OSError:
        secret = b""
    if len(secret) < SHORTEST_SECRET:
        raise Invalid(
            "weak-secret",
            Text(f"Het geheim van [notificaties.applications.{name}] is er niet of is te kort.",
                 f"The secret of [notificaties.applications.{name}] is not there or is too short."),
            Text(f"In {file} horen ten minste {SHORTEST_SECRET} tekens.", f"{file} should have at least {SHORTEST_SECRET} characters."),
            Text("Maak een geheim met `openssl rand -hex 32`, en zet het ook in de toepassing.",
                 "Make a secret with `openssl rand -hex 32`, and put it in the application too."),
        )  # fmt: skip
    return secret


def _callbacks(name: str) -> Invalid:
    return Invalid(
        "unfit-callbacks",
        Text(f"De adressen van [notificaties.applications.{name}] kloppen niet.",
             f"The addresses of [notificaties.applications.{name}] are not right."),
        Text("Een adres in `callbacks` eindigt op `/`: alles daaronder mag.", "An address in `callbacks` ends with `/`: everything below it will do."),
        Text("Zet er een `/` achter.", "Put a `/` behind it."),
    )  # fmt: skip


def _no_address() -> Invalid:
    return Invalid(
        "notificaties-without-portal",
        Text("Toepassingen kunnen de Notificaties API niet bereiken.", "Applications cannot reach the Notificaties API."),
        Text("Zij staat op het adres van het portaal, en dat is er niet.", "It is at the address of the portal, and there is none."),
        Text("Geef `portal.address`.", "Give `portal.address`."),
    )  # fmt: skip


def _no_activity() -> Invalid:
    return Invalid(
        "notificaties-without-activity",
        Text("Notificaties hebben geen grond.", "Notifications have no ground."),
        Text("`notificaties.activity` noemt geen verwerkingsactiviteit van dit knooppunt.",
             "`notificaties.activity` names no processing activity of this node."),
        Text("Noem de `id` van een bestand in `activities/`.", "Name the `id` of a file in `activities/`."),
    )  # fmt: skip

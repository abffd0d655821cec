"""Channels that are well-formed in the settings and cannot work, or may not."""

from collections.abc import Collection, Iterator

from sluis.config.model import ChannelConfig, Config
from sluis.grounds import Fault, meant
from sluis.kernel import Invalid, Text

NEEDS: dict[str, tuple[str, ...]] = {
    "smtp": ("host", "sender"),
    "notify-email": ("url", "secret_file", "template"),
    "notify-sms": ("url", "secret_file", "template"),
    "notify-letter": ("url", "secret_file", "template"),
    "print": (),
    "box": ("url", "secret_file"),
}
"""What a channel of each kind cannot do without."""


def contact_faults(config: Config) -> Iterator[Fault]:
    """Of `[contact]` and `[channels]`."""
    contact = config.contact
    for name in ("address", "company_address"):
        if (getattr(contact, f"{name}_sql") is None) != (getattr(contact, f"{name}_activity") is None):
            yield _half_question(name)
    if contact.consulted != "off" and contact.consulted_activity is None:
        yield _no_ground()
    for place, name in enumerate(contact.consulted_channels):
        if name not in config.channels:
            yield _no_channel(place, name, config)
    for name, channel in config.channels.items():
        yield from _channel(name, channel, config)


def _channel(name: str, channel: ChannelConfig, config: Config) -> Iterator[Fault]:
    for setting in NEEDS[channel.kind]:
        if getattr(channel, setting) is None:
            yield _lacking(name, channel.kind, setting)
    if channel.kind == "smtp" and (channel.returns is None) != (channel.maildir is None):
        yield _lacking(name, channel.kind, "maildir" if channel.maildir is None else "returns")
    if channel.kind == "print":
        yield from _street(name, channel)
    if config.node.test:
        return
    if channel.kind == "smtp" and channel.security == "none":
        yield _unencrypted(name, "security")
    if channel.url is not None and not channel.url.startswith("https://"):
        yield _unencrypted(name, "url")


def _street(name: str, channel: ChannelConfig) -> Iterator[Fault]:
    """A print street is a folder here, or one on a server that proves who it is."""
    if (channel.folder is None) == (channel.host is None):
        yield _lacking(name, channel.kind, "folder")
    elif channel.host is not None:
        for setting in ("remote", "user", "known_hosts", "key"):
            if getattr(channel, setting) is None:
                yield _lacking(name, channel.kind, setting)


def _lacking(name: str, kind: str, setting: str) -> Fault:
    return Fault(
        ("channels", name),
        "channel-incomplete",
        Text(f"`{setting}` ontbreekt bij kanaal `{name}`.", f"`{setting}` is missing at channel `{name}`."),
        Text(f"Een kanaal van de soort `{kind}` heeft dat nodig.", f"A channel of kind `{kind}` needs it."),
        Text(f"Vul `{setting}` in; wat het is, staat in de handleiding over berichten.",
             f"Fill in `{setting}`; what it is, the guide about messages says."),
    )  # fmt: skip


def _unencrypted(name: str, setting: str) -> Fault:
    return Fault(
        ("channels", name, setting),
        "channel-unencrypted",
        Text(f"Kanaal `{name}` is niet beveiligd.", f"Channel `{name}` is not encrypted."),
        Text("Berichten aan mensen gaan alleen over TLS de deur uit.",
             "Messages to people leave encrypted, or not at all."),
        Text("Gebruik TLS, of zet `environment = \"test\"` onder `[node]`.",
             "Use TLS, or set `environment = \"test\"` under `[node]`."),
    )  # fmt: skip


def consulted_channels(config: Config) -> tuple[str, ...]:
    """By which channels people are told that they were consulted, in order: as the settings say, or all that are no letters."""
    return config.contact.consulted_channels or tuple(
        name for name, one in config.channels.items() if one.kind not in ("print", "notify-letter")
    )


def wrong_consulted(config: Config, activities: Collection[str]) -> Iterator[tuple[tuple[str, ...], Invalid]]:
    """What stands in the way of telling people that they were consulted, each with the keys of its setting.

    Args:
        config: of the node.
        activities: ids of the processing activities that there are.
    """
    settings = config.contact
    if settings.consulted == "off":
        return
    if settings.consulted_activity not in activities:
        yield ("contact", "consulted_activity"), Invalid(
            "unknown-activity",
            Text("Deze verwerkingsactiviteit is er niet.", "This processing activity is not there."),
            Text("Een bericht over een raadpleging gaat onder een activiteit uit het register.",
                 "A message about a consultation goes under an activity of the register."),
            meant(str(settings.consulted_activity), activities),
        )  # fmt: skip
    if not consulted_channels(config):
        yield ("contact", "consulted"), Invalid(
            "no-channel",
            Text("Er is geen kanaal voor deze berichten.", "There is no channel for these messages."),
            Text("Zonder kanaal komt er niets aan.", "Without a channel nothing arrives."),
            Text("Richt een kanaal in onder [channels], of zet `consulted` op \"off\".",
                 "Set up a channel under [channels], or set `consulted` to \"off\"."),
        )  # fmt: skip


def _no_ground() -> Fault:
    return Fault(
        ("contact",),
        "consulted-without-ground",
        Text(
            "Berichten over raadplegingen hebben geen grond.", "Messages about consultations have no ground."
        ),
        Text("`consulted_activity` ontbreekt.", "`consulted_activity` is missing."),
        Text(
            "Noem een verwerkingsactiviteit uit het register.", "Name a processing activity of the register."
        ),
    )


def _no_channel(place: int, name: str, config: Config) -> Fault:
    return Fault(
        ("contact", "consulted_channels", place),
        "unknown-channel",
        Text(f"Kanaal `{name}` is er niet.", f"Channel `{name}` is not there."),
        Text("Het staat niet onder `[channels]`.", "It does not stand under `[channels]`."),
        meant(name, list(config.channels)),
    )


def _half_question(name: str) -> Fault:
    return Fault(
        ("contact",),
        "address-question-incomplete",
        Text("De vraag naar adressen is niet compleet.", "The question for addresses is not complete."),
        Text(f"`{name}_sql` en `{name}_activity` horen bij elkaar: zonder grond wordt er niets gevraagd.",
             f"`{name}_sql` and `{name}_activity` go together: without a ground nothing is asked."),
        Text("Vul beide in, of geen van beide.", "Fill in both, or neither."),
    )  # fmt: skip

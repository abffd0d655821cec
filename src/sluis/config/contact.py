"""Channels that are well-formed in the settings and cannot work, or may not."""

from collections.abc import Iterator

from sluis.config.model import ChannelConfig, Config
from sluis.grounds import Fault
from sluis.kernel import Text

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


def _half_question(name: str) -> Fault:
    return Fault(
        ("contact",),
        "address-question-incomplete",
        Text("De vraag naar adressen is niet compleet.", "The question for addresses is not complete."),
        Text(f"`{name}_sql` en `{name}_activity` horen bij elkaar: zonder grond wordt er niets gevraagd.",
             f"`{name}_sql` and `{name}_activity` go together: without a ground nothing is asked."),
        Text("Vul beide in, of geen van beide.", "Fill in both, or neither."),
    )  # fmt: skip

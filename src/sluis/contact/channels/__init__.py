"""The kinds of channel that there are. A new kind is a file here, a line in this list, one where `serve` reads the settings, and one
in the contract suite, which tries it."""

from sluis.contact.channels.base import Channel, Doubt, Failed, Parcel, Report, Sent, Waiting
from sluis.contact.channels.box import Box, BoxSettings
from sluis.contact.channels.drop import Drop, Folder, Server, Sftp
from sluis.contact.channels.layout import Paper
from sluis.contact.channels.notify import Notify, NotifySettings, callback, key_parts
from sluis.contact.channels.smtp import Mail, MailSettings
from sluis.contact.channels.street import Street

__all__ = [
    "Box",
    "BoxSettings",
    "Channel",
    "Doubt",
    "Drop",
    "Failed",
    "Folder",
    "Mail",
    "MailSettings",
    "Notify",
    "NotifySettings",
    "Paper",
    "Parcel",
    "Report",
    "Sent",
    "Server",
    "Sftp",
    "Street",
    "Waiting",
    "callback",
    "key_parts",
]

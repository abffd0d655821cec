"""The kinds of channel that there are. A new kind is a file here and a line in `KINDS`; the contract suite tries it."""

from sluis.contact.channels.base import Channel, Doubt, Failed, Parcel, Report, Sent, Waiting
from sluis.contact.channels.smtp import Mail, MailSettings

__all__ = [
    "Channel",
    "Doubt",
    "Failed",
    "Mail",
    "MailSettings",
    "Parcel",
    "Report",
    "Sent",
    "Waiting",
]

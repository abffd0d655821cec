"""To people: what they are told when something happened, by which channel, and what they prefer."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.contact.channels import (
        Box,
        BoxSettings,
        Channel,
        Failed,
        Folder,
        Mail,
        MailSettings,
        Notify,
        NotifySettings,
        Paper,
        Parcel,
        Report,
        Sent,
        Server,
        Sftp,
        Street,
        Waiting,
        callback,
        key_parts,
    )
    from sluis.contact.consulted import Telling, consulted_scenario, is_inspection
    from sluis.contact.handing import Addresses, Settings
    from sluis.contact.http import api_routes
    from sluis.contact.keeping import Known
    from sluis.contact.model import KINDS, Kind, Language, Occurrence, PostalAddress, Preference, Scenario
    from sluis.contact.pages import NAVIGATION, routes
    from sluis.contact.parties import MESSAGES, Parties, Party, Reach, own_party
    from sluis.contact.rendering import Templates
    from sluis.contact.rules import Quiet
    from sluis.contact.scenarios import (
        SCENARIOS,
        Around,
        FactTypes,
        Listening,
        ScenarioReading,
        examine_scenarios,
        listening,
        read_scenarios,
    )
    from sluis.contact.service import Contact, open_contact
    from sluis.contact.views import Entry, Step
    from sluis.contact.words import scenario_schema
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "KINDS",
    "MESSAGES",
    "NAVIGATION",
    "SCENARIOS",
    "Addresses",
    "Around",
    "Box",
    "BoxSettings",
    "Channel",
    "Contact",
    "Entry",
    "FactTypes",
    "Failed",
    "Folder",
    "Kind",
    "Known",
    "Language",
    "Listening",
    "Mail",
    "MailSettings",
    "Notify",
    "NotifySettings",
    "Occurrence",
    "Paper",
    "Parcel",
    "Parties",
    "Party",
    "PostalAddress",
    "Preference",
    "Quiet",
    "Reach",
    "Report",
    "Scenario",
    "ScenarioReading",
    "Sent",
    "Server",
    "Settings",
    "Sftp",
    "Step",
    "Street",
    "Telling",
    "Templates",
    "Waiting",
    "api_routes",
    "callback",
    "consulted_scenario",
    "examine_scenarios",
    "is_inspection",
    "key_parts",
    "listening",
    "open_contact",
    "own_party",
    "read_scenarios",
    "routes",
    "scenario_schema",
]

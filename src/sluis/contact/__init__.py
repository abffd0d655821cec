"""To people: what they are told when something happened, by which channel, and what they prefer."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.contact.channels import Channel, Failed, Mail, MailSettings, Parcel, Report, Sent, Waiting
    from sluis.contact.keeping import Known
    from sluis.contact.model import KINDS, Kind, Language, Occurrence, PostalAddress, Preference, Scenario
    from sluis.contact.reaching import Addresses, Settings
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
    "SCENARIOS",
    "Addresses",
    "Around",
    "Channel",
    "Contact",
    "Entry",
    "FactTypes",
    "Failed",
    "Kind",
    "Known",
    "Language",
    "Listening",
    "Mail",
    "MailSettings",
    "Occurrence",
    "Parcel",
    "PostalAddress",
    "Preference",
    "Quiet",
    "Report",
    "Scenario",
    "ScenarioReading",
    "Sent",
    "Settings",
    "Step",
    "Templates",
    "Waiting",
    "examine_scenarios",
    "listening",
    "open_contact",
    "read_scenarios",
    "scenario_schema",
]

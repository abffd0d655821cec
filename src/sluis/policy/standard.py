"""What people do at their own node, as requests to the decision point, and the policies for it that every node has.

An organisation's own policies forbid beside these, or permit what they do not; a policy that permits cannot be taken away,
only forbidden where it does not fit.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sluis.kernel import Acting, Level
from sluis.policy.known import ACTIVITY, PERSON
from sluis.policy.model import ACTIVITY_ID, Action, Evaluation, Properties, Resource, Subject

ASK, READ_LOG, READ_GROUP, CHANGE_GROUP = "ask", "read-log", "read-group", "change-group"
READ_ACCESS, CHANGE_ACCESS, READ_OWN_LINES = "read-access", "change-access", "read-own-lines"
READ_EVENTS, CHANGE_EVENTS = "read-events", "change-events"
READ_QUESTIONS, CHANGE_QUESTIONS = "read-questions", "change-questions"
READ_PEOPLE, CHANGE_PEOPLE = "read-people", "change-people"
READ_CONTRACTS, REQUEST_CONTRACT, DECIDE_CONTRACT = "read-contracts", "request-contract", "decide-contract"
READ_REPORTS, CHANGE_REPORTS = "read-reports", "change-reports"
READ_RIGHTS, CHANGE_RIGHTS = "read-rights", "change-rights"
READ_OVERSIGHT, CHANGE_OVERSIGHT = "read-oversight", "change-oversight"
READ_DATA, PREVIEW_DATA, PREVIEW_SECRET = "read-data", "preview-data", "preview-secret"
PUBLISH_NOTIFICATIONS, RECEIVE_NOTIFICATIONS = "publish-notifications", "receive-notifications"
READ_USAGE, USAGE = "read-usage", "usage"
"""Seeing what a node used of others and others of it, with what that costs; and the type of that as a resource."""
READ_TERMS, ACCEPT_TERMS, TRY_SERVICE = "read-terms", "accept-terms", "try-service"
CATALOGUE = "catalogue"
"""Type of what can be found at a node, and of what it uses of others on which terms."""
APPLICATION, KANAAL = "application", "kanaal"
"""Types of a program of this organisation that uses the ZGW Notificaties API, by its `client_id`, and of a channel there."""
LOG, GROUP, ACCESS, PEOPLE, EVENTS = "log", "group", "access", "people", "events"
OVERSIGHT = "oversight"
"""Types of resources: the log of a node, a node as a peer of its FSC group, who has access to what of a node, who acts for
whom there, what it tells others of and hears from them; and the register of processing, decisions, proof and unusual use."""
REQUESTS = "requests"
"""Type of what people ask of an organisation about their own data: reports of mistakes, and the rights of the AVG."""

QUESTIONS = "questions"
"""Type of the questions that officials of a node saved."""

DATA = "data"
"""The same: a dataset as its owner has it, by name, or all of a node, by its alias."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

STANDARD = {
    "(standard)": """
@id("standard-ask")
permit (principal is person, action == Action::"ask", resource is activity)
when { principal has audience && principal.audience == "staff" };

@id("standard-inspect")
permit (principal is person, action == Action::"ask", resource is activity)
when { resource has inspection && resource.inspection == "people" && principal has audience && principal.audience == "citizen" };

@id("standard-inspect-for-company")
permit (principal is person, action == Action::"ask", resource is activity)
when { resource has inspection && resource.inspection == "companies" && principal has entity && principal.entity like "urn:nl:*" };

@id("standard-inspect-level")
@level("substantial")
@nl("Om op te vragen wat organisaties over u of uw bedrijf hebben, is een hoger betrouwbaarheidsniveau nodig.")
@en("Asking what organisations have about you or your company takes a higher level of assurance.")
forbid (principal is person, action == Action::"ask", resource is activity)
when { resource has inspection && resource.inspection != "" }
unless { context.level >= 3 };

@id("standard-inspect-oneself")
@article("AVG, art. 15")
@nl("Deze verwerkingsactiviteit is er alleen voor wie de eigen gegevens opvraagt.")
@en("This processing activity is only for who asks for their own data.")
forbid (principal is person, action == Action::"ask", resource is activity)
when { resource has inspection && resource.inspection == "people" }
unless { principal has audience && principal.audience == "citizen" && !(principal has entity && principal.entity like "urn:nl:*") };

@id("standard-inspect-own-company")
@article("Wet open overheid, art. 5.5")
@nl("Deze verwerkingsactiviteit is er alleen voor wie namens een bedrijf de gegevens van dat bedrijf opvraagt.")
@en("This processing activity is only for who asks for the data of a company on its behalf.")
forbid (principal is person, action == Action::"ask", resource is activity)
when { resource has inspection && resource.inspection == "companies" }
unless { principal has audience && principal.audience != "staff" && principal has entity && principal.entity like "urn:nl:*" };

@id("standard-read-log")
permit (principal is person, action == Action::"read-log", resource is log)
when { principal has roles && principal.roles.contains("privacy-officer") };

@id("standard-read-own-lines")
permit (principal is person, action == Action::"read-own-lines", resource is log)
when { principal has audience && principal.audience == "citizen" };

@id("standard-own-lines-level")
@level("substantial")
@nl("Voor uw eigen logregels is een hoger betrouwbaarheidsniveau nodig.")
@en("Your own log lines take a higher level of assurance.")
forbid (principal is person, action == Action::"read-own-lines", resource is log)
unless { context.level >= 3 };

@id("standard-read-group")
permit (principal is person, action == Action::"read-group", resource is group)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "fsc-readonly"]) };

@id("standard-change-group")
permit (principal is person, action == Action::"change-group", resource is group)
when { principal has roles && principal.roles.contains("fsc-admin") };

@id("standard-read-contracts")
permit (principal is person, action == Action::"read-contracts", resource is group)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "fsc-readonly", "data-owner", "contract-requester"]) };

@id("standard-request-contract")
permit (principal is person, action == Action::"request-contract", resource is group)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "contract-requester"]) };

@id("standard-decide-contract")
permit (principal is person, action == Action::"decide-contract", resource is group)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "data-owner"]) };

@id("standard-read-access")
permit (principal is person, action == Action::"read-access", resource is access)
when { principal has roles && principal.roles.containsAny(["access-admin", "privacy-officer"]) };

@id("standard-change-access")
permit (principal is person, action == Action::"change-access", resource is access)
when { principal has roles && principal.roles.contains("access-admin") };

@id("standard-read-events")
permit (principal is person, action == Action::"read-events", resource is events)
when { principal has roles && principal.roles.containsAny(["event-admin", "privacy-officer"]) };

@id("standard-change-events")
permit (principal is person, action == Action::"change-events", resource is events)
when { principal has roles && principal.roles.contains("event-admin") };

@id("standard-read-questions")
permit (principal is person, action == Action::"read-questions", resource is questions)
when { principal has audience && principal.audience == "staff" };

@id("standard-change-questions")
permit (principal is person, action == Action::"change-questions", resource is questions)
when { principal has audience && principal.audience == "staff" };

@id("standard-read-people")
permit (principal is person, action == Action::"read-people", resource is people)
when { principal has roles && principal.roles.containsAny(["people-admin", "privacy-officer"]) };

@id("standard-change-people")
permit (principal is person, action == Action::"change-people", resource is people)
when { principal has roles && principal.roles.contains("people-admin") };

@id("standard-read-reports")
permit (principal is person, action == Action::"read-reports", resource is requests)
when { principal has roles && principal.roles.containsAny(["data-owner", "privacy-officer"]) };

@id("standard-change-reports")
permit (principal is person, action == Action::"change-reports", resource is requests)
when { principal has roles && principal.roles.contains("data-owner") };

@id("standard-read-rights")
permit (principal is person, action == Action::"read-rights", resource is requests)
when { principal has roles && principal.roles.contains("privacy-officer") };

@id("standard-change-rights")
permit (principal is person, action == Action::"change-rights", resource is requests)
when { principal has roles && principal.roles.contains("privacy-officer") };

@id("standard-read-oversight")
permit (principal is person, action == Action::"read-oversight", resource is oversight)
when { principal has roles && principal.roles.containsAny(["privacy-officer", "auditor"]) };

@id("standard-change-oversight")
permit (principal is person, action == Action::"change-oversight", resource is oversight)
when { principal has roles && principal.roles.contains("privacy-officer") };

@id("standard-try-service")
permit (principal is person, action == Action::"try-service", resource is catalogue)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "data-owner", "developer"]) };

@id("standard-read-usage")
permit (principal is person, action == Action::"read-usage", resource is usage)
when { principal has roles && principal.roles.containsAny(["finance", "data-owner", "fsc-admin"]) };

@id("standard-read-terms")
permit (principal is person, action == Action::"read-terms", resource is catalogue)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "data-owner", "privacy-officer"]) };

@id("standard-accept-terms")
permit (principal is person, action == Action::"accept-terms", resource is catalogue)
when { principal has roles && principal.roles.containsAny(["fsc-admin", "data-owner"]) };

@id("standard-read-data")
permit (principal is person, action == Action::"read-data", resource is data)
when { principal has roles && principal.roles.contains("data-owner") };

@id("standard-preview-data")
permit (principal is person, action == Action::"preview-data", resource is data)
when { principal has roles && principal.roles.contains("data-owner") };

@id("standard-preview-data-level")
@level("substantial")
@nl("Voor een proefblik is een hoger betrouwbaarheidsniveau nodig.")
@en("A preview takes a higher level of assurance.")
forbid (principal is person, action == Action::"preview-data", resource is data)
unless { context.level >= 3 };

@id("standard-publish-notifications")
permit (principal is application, action == Action::"publish-notifications", resource is kanaal)
when { principal has scopes && principal.scopes.contains("notificaties.publiceren") };

@id("standard-receive-notifications")
permit (principal is application, action == Action::"receive-notifications", resource is kanaal)
when { principal has scopes && principal.scopes.contains("notificaties.consumeren") };
"""
}
"""Cedar texts by name, as `Policies.own` has them."""


def person(
    acting: Acting,
    acr: str,
    *,
    audience: str,
    level: Level | None = None,
    roles: tuple[str, ...] = (),
    represents: Mapping[str, Any] = _NOTHING,
) -> Subject:
    """Who acts, as the subject of a request.

    Args:
        acting: the person, and for whom.
        acr: how that person signed in.
        audience: as whom: `staff`, `citizen` or `company`.
        level: of assurance; None when the way of signing in has none.
        roles: of an official.
        represents: what is known of how they represent another; plain values.
    """
    properties: dict[str, Any] = {**represents, "audience": audience, "acr": acr, "roles": list(roles)}
    said = {"level": level, "entity": acting.entity, "intermediary": acting.intermediary}
    return Subject(
        PERSON, acting.person, properties | {name: one for name, one in said.items() if one is not None}
    )


def asking(who: Subject, activity: str, context: Properties) -> Evaluation:
    """May this person ask questions for that activity?

    Args:
        who: as `person` makes it.
        activity: URI of the processing activity.
        context: what belongs in the record, such as `case` and `traceparent`.
    """
    return Evaluation(who, Action(ASK, {ACTIVITY_ID: activity}), Resource(ACTIVITY, activity), context)

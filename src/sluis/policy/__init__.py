"""The decision point: facts come in; yes or no, and which disclosure applies, come out, with the record of it."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.policy.disclosures import rulings_of
    from sluis.policy.engine import Engine
    from sluis.policy.explaining import Difference, Why, Would, differences, explained, simulated
    from sluis.policy.files import (
        BY_DAY,
        Own,
        Tried,
        examine_own,
        holds_policies,
        policies_of,
        read_own,
        try_cases,
    )
    from sluis.policy.http import Who, call_routes, routes
    from sluis.policy.known import known_of
    from sluis.policy.model import (
        ACTIVITY_ID,
        CONSULT,
        EVENT_TYPE,
        NOTIFY,
        Action,
        Decided,
        Evaluation,
        Policies,
        Resource,
        Subject,
        consultation,
        notification,
    )
    from sluis.policy.records import Occasion, references_of
    from sluis.policy.replaying import Replayed, replay
    from sluis.policy.service import Call, DecisionPoint
    from sluis.policy.standard import (
        ACCESS,
        APPLICATION,
        CHANGE_ACCESS,
        CHANGE_EVENTS,
        CHANGE_GROUP,
        CHANGE_PEOPLE,
        DECIDE_CONTRACT,
        EVENTS,
        GROUP,
        KANAAL,
        LOG,
        PEOPLE,
        PUBLISH_NOTIFICATIONS,
        READ_ACCESS,
        READ_CONTRACTS,
        READ_EVENTS,
        READ_GROUP,
        READ_LOG,
        READ_OWN_LINES,
        READ_PEOPLE,
        RECEIVE_NOTIFICATIONS,
        REQUEST_CONTRACT,
        STANDARD,
        asking,
        person,
    )
    from sluis.policy.versions import Version, Versions, open_versions
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "ACCESS",
    "ACTIVITY_ID",
    "APPLICATION",
    "BY_DAY",
    "CHANGE_ACCESS",
    "CHANGE_EVENTS",
    "CHANGE_GROUP",
    "CHANGE_PEOPLE",
    "CONSULT",
    "DECIDE_CONTRACT",
    "EVENTS",
    "EVENT_TYPE",
    "GROUP",
    "KANAAL",
    "LOG",
    "NOTIFY",
    "PEOPLE",
    "PUBLISH_NOTIFICATIONS",
    "READ_ACCESS",
    "READ_CONTRACTS",
    "READ_EVENTS",
    "READ_GROUP",
    "READ_LOG",
    "READ_OWN_LINES",
    "READ_PEOPLE",
    "RECEIVE_NOTIFICATIONS",
    "REQUEST_CONTRACT",
    "STANDARD",
    "Action",
    "Call",
    "Decided",
    "DecisionPoint",
    "Difference",
    "Engine",
    "Evaluation",
    "Occasion",
    "Own",
    "Policies",
    "Replayed",
    "Resource",
    "Subject",
    "Tried",
    "Version",
    "Versions",
    "Who",
    "Why",
    "Would",
    "asking",
    "call_routes",
    "consultation",
    "differences",
    "examine_own",
    "explained",
    "holds_policies",
    "known_of",
    "notification",
    "open_versions",
    "person",
    "policies_of",
    "read_own",
    "references_of",
    "replay",
    "routes",
    "rulings_of",
    "simulated",
    "try_cases",
]

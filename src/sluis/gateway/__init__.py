"""How nodes reach each other: the link, and the signed card by which a node says what it is."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.gateway.card import Card, read_card, sign_card
    from sluis.gateway.contracts import read_allowed
    from sluis.gateway.crossing import SERVICE, Agreed
    from sluis.gateway.documents import read as read_documents
    from sluis.gateway.http import routes
    from sluis.gateway.link import Answer, Covers, Link, body_of, headers_for, problem_from, read_answer
    from sluis.gateway.manager import AutoSign, DecisionPoint, Judge, Trust, elsewhere
    from sluis.gateway.manager import Settings as ManagerSettings
    from sluis.gateway.measures import Counted, Delivering, reader_of
    from sluis.gateway.membership import Membership, open_membership
    from sluis.gateway.metrics import MetricsApp
    from sluis.gateway.operating import Diagnosis, Operator, Step, open_operator
    from sluis.gateway.operating import routes as group_routes
    from sluis.gateway.own import OwnLink
    from sluis.gateway.pages import NAVIGATION as GROUP_NAVIGATION
    from sluis.gateway.pages import Own as OwnCertificates
    from sluis.gateway.pages import Part, Revoked
    from sluis.gateway.pages import Shown as ShownCertificate
    from sluis.gateway.pages import page_routes as group_page_routes
    from sluis.gateway.peers import Group, check_group, hold_to, manager_address
    from sluis.gateway.planes.inprocess import InwayPlane, OutwayPlane
    from sluis.gateway.planes.meeting import meeting
    from sluis.gateway.planes.nginx import NginxPlane
    from sluis.gateway.planes.nginx_layout import Listen as NginxListen
    from sluis.gateway.planes.nginx_process import Files as NginxFiles
    from sluis.gateway.planes.nginx_system import check_nginx
    from sluis.gateway.steps import DOCTOR_STEPS
    from sluis.gateway.streams import Stream as HttpStream
    from sluis.gateway.streams import head_of
    from sluis.gateway.telemetry import open_telemetry
    from sluis.gateway.timestamps import TimestampAuthority
    from sluis.gateway.traffic import Traffic
    from sluis.gateway.transactions import TransactionLog
    from sluis.gateway.transactions import fits as sealed_lines_fit
    from sluis.gateway.witnesses import Witnesses, witness_name
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "DOCTOR_STEPS",
    "GROUP_NAVIGATION",
    "SERVICE",
    "Agreed",
    "Answer",
    "AutoSign",
    "Card",
    "Counted",
    "Covers",
    "DecisionPoint",
    "Delivering",
    "Diagnosis",
    "Group",
    "HttpStream",
    "InwayPlane",
    "Judge",
    "Link",
    "ManagerSettings",
    "Membership",
    "MetricsApp",
    "NginxFiles",
    "NginxListen",
    "NginxPlane",
    "Operator",
    "OutwayPlane",
    "OwnCertificates",
    "OwnLink",
    "Part",
    "Revoked",
    "ShownCertificate",
    "Step",
    "TimestampAuthority",
    "Traffic",
    "TransactionLog",
    "Trust",
    "Witnesses",
    "body_of",
    "check_group",
    "check_nginx",
    "elsewhere",
    "group_page_routes",
    "group_routes",
    "head_of",
    "headers_for",
    "hold_to",
    "manager_address",
    "meeting",
    "open_membership",
    "open_operator",
    "open_telemetry",
    "problem_from",
    "read_allowed",
    "read_answer",
    "read_card",
    "read_documents",
    "reader_of",
    "routes",
    "sealed_lines_fit",
    "sign_card",
    "witness_name",
]

"""Oversight, for the privacy officer and the auditor: the register of processing, decisions, proof of the log, unusual use."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.oversight.doctor import diagnosis_routes, examine
    from sluis.oversight.laws import LAWS_FILE, joined, read_laws, versions_in, written
    from sluis.oversight.model import Given, Version
    from sluis.oversight.pages import NAVIGATION, page_routes
    from sluis.oversight.register import Agreement
    from sluis.oversight.reviews import Filled
    from sluis.oversight.service import Organisation, Oversight, Through
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "LAWS_FILE",
    "NAVIGATION",
    "Agreement",
    "Filled",
    "Given",
    "Organisation",
    "Oversight",
    "Through",
    "Version",
    "diagnosis_routes",
    "examine",
    "joined",
    "page_routes",
    "read_laws",
    "versions_in",
    "written",
]

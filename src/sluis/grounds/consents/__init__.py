"""Consents of people: what one opens, to whom, until when. A room within a room, for unlike the rest of `grounds` it
keeps something."""

from sluis.grounds.consents.model import Consent, Datasets, Narrowing, Request, Terms
from sluis.grounds.consents.service import Consents, Whom, open_consents

__all__ = ["Consent", "Consents", "Datasets", "Narrowing", "Request", "Terms", "Whom", "open_consents"]

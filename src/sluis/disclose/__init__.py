"""The owner's side of a question: parse again, decide, enforce, read, log, stream, receipt."""

from sluis.disclose.http import routes
from sluis.disclose.model import Bounds
from sluis.disclose.preview import Looking, Shown
from sluis.disclose.records import permit
from sluis.disclose.service import Discloser
from sluis.disclose.use import Name, Total, Use, open_use

__all__ = ["Bounds", "Discloser", "Looking", "Name", "Shown", "Total", "Use", "open_use", "permit", "routes"]

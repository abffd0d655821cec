"""How every API and page of a node behaves: who calls, what an answer looks like, and what goes wrong."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.web.access import (
        CROSSED,
        LINE,
        Access,
        Crossed,
        OnRefusal,
        Person,
        identified,
        keep_caller,
        purpose_of,
        shown_certificate,
        write_line,
    )
    from sluis.web.app import Api, make_api, problem_of
    from sluis.web.bearer import API_SCOPE, TokenAccess, thumbprint_of, token_of
    from sluis.web.charts import Chart
    from sluis.web.connection import FROM_ONE
    from sluis.web.cookies import COOKIE, cookies_of, hand_out, held_secret, take_back
    from sluis.web.exports import MOST_EXPORTED, export
    from sluis.web.filled import at_field, read_day, required_day
    from sluis.web.gate import Gate
    from sluis.web.listeners import BrowserListener, LocalListener, LoopbackListener, PeerListener, place_of
    from sluis.web.listing import Asked, Cell, Column, Listing, Row, arranged
    from sluis.web.look import Look, advice_on, look_of
    from sluis.web.notation import amount, bsn, day, number
    from sluis.web.openapi import About
    from sluis.web.outgoing import EVERYWHERE, Answer, Network, Outgoing, Unreached, is_inside
    from sluis.web.pages import (
        Entry,
        Section,
        Setting,
        after_form,
        asked_in,
        elsewhere,
        local_path,
        onward,
        page,
        redirect,
        rendered,
        setting_of,
    )
    from sluis.web.portal import Beside, House, Portal, make_portal
    from sluis.web.refusals import Refusals
    from sluis.web.routes import Form
    from sluis.web.server import Server
    from sluis.web.short import SHORT, header
    from sluis.web.stream import streamed
    from sluis.web.tries import TooOften, Tries, address_of
    from sluis.web.visitors import STAFF, Audience, Represents, SignedIn, Visitors
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "API_SCOPE",
    "COOKIE",
    "CROSSED",
    "EVERYWHERE",
    "FROM_ONE",
    "LINE",
    "MOST_EXPORTED",
    "SHORT",
    "STAFF",
    "About",
    "Access",
    "Answer",
    "Api",
    "Asked",
    "Audience",
    "Beside",
    "BrowserListener",
    "Cell",
    "Chart",
    "Column",
    "Crossed",
    "Entry",
    "Form",
    "Gate",
    "House",
    "Listing",
    "LocalListener",
    "Look",
    "LoopbackListener",
    "Network",
    "OnRefusal",
    "Outgoing",
    "PeerListener",
    "Person",
    "Portal",
    "Refusals",
    "Represents",
    "Row",
    "Section",
    "Server",
    "Setting",
    "SignedIn",
    "TokenAccess",
    "TooOften",
    "Tries",
    "Unreached",
    "Visitors",
    "address_of",
    "advice_on",
    "after_form",
    "amount",
    "arranged",
    "asked_in",
    "at_field",
    "bsn",
    "cookies_of",
    "day",
    "elsewhere",
    "export",
    "hand_out",
    "header",
    "held_secret",
    "identified",
    "is_inside",
    "keep_caller",
    "local_path",
    "look_of",
    "make_api",
    "make_portal",
    "number",
    "onward",
    "page",
    "place_of",
    "problem_of",
    "purpose_of",
    "read_day",
    "redirect",
    "rendered",
    "required_day",
    "setting_of",
    "shown_certificate",
    "streamed",
    "take_back",
    "thumbprint_of",
    "token_of",
    "write_line",
]

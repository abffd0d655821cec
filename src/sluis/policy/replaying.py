"""Deciding again what was decided then, with the policies of then: does the log tell the truth about them?"""

from datetime import datetime
from typing import Any, Protocol

import msgspec

from sluis.kernel import Conflict, Text, from_milliseconds
from sluis.ledger import Decision
from sluis.policy.calls import answer
from sluis.policy.engine import Engine
from sluis.policy.records import BEYOND, POLICIES, REQUEST, RESPONSE, VERSION


class Kept(Protocol):
    """Finds what decided as a version did; see `Versions.engine`."""

    def engine(self, digest: str) -> Engine:
        """Raises NotFound for a version that was never used here."""


class Replayed(msgspec.Struct, frozen=True):
    """What came of deciding again.

    Args:
        same: the decision, what determined it, and which disclosure applied are the same.
        version: digest of the policies of then.
        moment: when it was decided.
        recorded: the answer in the record.
        again: the answer now, by the policies of then.
    """

    same: bool
    version: str
    moment: datetime
    recorded: dict[str, Any]
    again: dict[str, Any]


def replay(record: Decision, versions: Kept) -> Replayed:
    """Decide a record of the decision point again.

    Args:
        record: of any of its calls.
        versions: the policies of then.

    Raises:
        Conflict: the record does not say by which policies, or holds no request: it is not of the decision point.
        NotFound: those policies were never used here.
    """
    digest = record.attributes.get(POLICIES, {}).get(VERSION)
    request, recorded = record.body.get(REQUEST), record.body.get(RESPONSE)
    if not isinstance(digest, str) or not isinstance(request, dict) or not isinstance(recorded, dict):
        raise Conflict(
            "not-replayable",
            Text("Deze regel is niet over te doen.", "This record cannot be replayed."),
            Text("Er staat geen verzoek in, of niet volgens welke regels is beslist.",
                 "It holds no request, or not by which policies it was decided."),
            Text("Kies een regel van het beslispunt.", "Choose a record of the decision point."),
        )  # fmt: skip
    moment = from_milliseconds(record.timestamp)
    again, failed = answer(versions.engine(digest), record.event_name, request, moment)
    same = _decided(recorded) == _decided(again) and failed == (record.status == "Error")
    return Replayed(same, digest, moment, recorded, again)


_COMPARED = ("rule", "policies", "disclosure", "legal", "reason_user", "error")


def _decided(response: dict[str, Any]) -> Any:
    """What of an answer the policies decided. A limit beyond them refuses what they permitted: then that counts."""
    if "evaluations" in response:
        return [_decided(one) for one in response["evaluations"]]
    if "results" in response:
        return response
    context = response.get("context", {})
    beyond = context.get(BEYOND)
    if beyond is not None:
        return _decided(beyond)
    return response["decision"], {name: context[name] for name in _COMPARED if name in context}

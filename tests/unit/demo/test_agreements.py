"""Contracts of the demo: requested again while nodes have not found each other yet, and for nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluis.cli.local import Body
from sluis.kernel import Refused, Text, encode
from sluis_demo import federation
from sluis_demo.activities import BENEFIT, INSPECTION, PARKING
from sluis_demo.agreements import agree
from sluis_demo.federation import Place
from sluis_demo.organisations import ASKER, ORGANISATIONS

RDW = Place(next(one for one in ORGANISATIONS if one.alias == "rdw"), Path("rdw"), "127.0.0.7", "sqlite")
SLUISWIJK = Place(ASKER, Path("sluiswijk"), "127.0.0.1", "sqlite")


def refused(code: str) -> Refused:
    return Refused(code, Text("-", "-"), Text("-", "-"), Text("-", "-"))


def nodes(refusals: list[str]) -> Callable[..., Body]:
    """Both nodes; requests are refused with these codes first."""

    def call_at(listening: Path, node: Path, method: str, path: str, body: Any = None) -> Body:
        if path == "/v1/group/requests":
            if refusals:
                raise refused(refusals.pop(0))
            return Body(encode({"outcomes": [{"contract": body["activity"]}]}))
        activity = next(one.id for one in (BENEFIT, PARKING, INSPECTION) if one.id.rsplit("/", 1)[1] in path)
        grant = {"hash": "g", "purpose": {"activity": activity, "disclosures": []}}
        found = {"hash": "c", "state": "valid", "accepted": ["a", "b"], "grants": [grant]}
        return Body(encode(found))

    return call_at


def test_a_request_waits_until_the_nodes_are_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federation, "call_at", nodes(["not-connected", "not-connected"]))
    made = agree(SLUISWIJK, [RDW])
    assert [one.activity for one in made] == [BENEFIT.id, PARKING.id, INSPECTION.id]


def test_what_waiting_does_not_help_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federation, "call_at", nodes(["group-not-yours"]))
    with pytest.raises(Refused) as raised:
        agree(SLUISWIJK, [RDW])
    assert raised.value.code == "group-not-yours"

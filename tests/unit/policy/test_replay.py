"""A decision of then can be made again, by the policies of then, and a record that says otherwise is found out."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from tests.unit.policy.samples import NOW, asked, engine, like, policies

from sluis.kernel import Conflict, NotFound, Trace, milliseconds, plain
from sluis.ledger import Decision
from sluis.policy import Versions, open_versions, replay
from sluis.policy.engine import digest_of
from sluis.policy.records import Occasion, record
from sluis.store import Store, open_store

TRACE = Trace.begin()
FORBID = {
    "a.cedar": '@id("closed") @nl("Dicht.") forbid (principal, action, resource) when { context has emergency };'
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "node.db")
    yield store
    store.close()


@pytest.fixture
def versions(store: Store) -> Versions:
    return open_versions(store)


def decided(versions: Versions, request: Any = None, limit: str | None = None, **more: Any) -> Decision:
    one = policies(**more)
    versions.keep(one, NOW)
    request = request or asked()
    return record(request, engine(**more).decide(request, NOW), Occasion(TRACE, NOW, limit=limit), "own")


def test_what_was_decided_is_decided_again_by_the_policies_of_then(versions: Versions) -> None:
    opened = decided(versions)
    closed = decided(versions, asked(acr="local"))
    forbidden = decided(versions, asked(context={"emergency": True}), own=FORBID)
    versions.keep(policies(like(dataset="others")), NOW)
    for one, permit in ((opened, True), (closed, False), (forbidden, False)):
        found = replay(one, versions)
        assert found.same
        assert found.again["decision"] is permit
        assert found.moment == NOW
    assert replay(forbidden, versions).again["context"]["reason_user"] == {"nl": "Dicht.", "en": "Dicht."}


def test_what_a_limit_refused_is_decided_again_as_the_policies_did(versions: Versions) -> None:
    refused = decided(versions, limit="rate")
    assert refused.body["adl.core.response"]["decision"] is False
    found = replay(refused, versions)
    assert (found.same, found.again["decision"]) == (True, True)


CHANGES: list[dict[str, Any]] = [
    {"decision": False},
    {"context": {"rule": "other"}},
    {"context": {"policies": []}},
    {"context": {"disclosure": "d2"}},
    {"context": {"legal": "other"}},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_record_that_says_otherwise_is_found_out(versions: Versions, change: dict[str, Any]) -> None:
    one = decided(versions)
    answer = plain(one.body["adl.core.response"])
    told = {
        "decision": change.get("decision", True),
        "context": {**answer["context"], **change.get("context", {})},
    }
    false = msgspec.structs.replace(one, body={**one.body, "adl.core.response": told})
    assert not replay(false, versions).same
    failed = msgspec.structs.replace(one, status="Error")
    assert not replay(failed, versions).same


def test_a_record_that_is_not_of_the_decision_point_cannot_be_replayed(versions: Versions) -> None:
    one = decided(versions)
    for other in (
        msgspec.structs.replace(one, attributes={}),
        msgspec.structs.replace(one, body={}),
        msgspec.structs.replace(one, attributes={"adl.core.policies": {"disclosure": {"id": "d1"}}}),
    ):
        with pytest.raises(Conflict) as refused:
            replay(other, versions)
        assert refused.value.code == "not-replayable"


def test_policies_that_were_never_used_here_are_not_made_up(versions: Versions) -> None:
    one = decided(versions)
    other = msgspec.structs.replace(one, attributes={"adl.core.policies": {"cedar": "sha256:0"}})
    with pytest.raises(NotFound):
        replay(other, versions)


def test_a_version_is_kept_once_since_it_was_first_used(versions: Versions, store: Store) -> None:
    first, second = policies(), policies(own=FORBID)
    for moment, one in ((NOW, first), (NOW.replace(day=2), second), (NOW.replace(day=3), first)):
        assert versions.keep(one, moment) == digest_of(one)
    kept = [(one.digest, one.since) for one in open_versions(store).all()]
    assert kept == [
        (digest_of(first), milliseconds(NOW)),
        (digest_of(second), milliseconds(NOW.replace(day=2))),
    ]
    assert open_versions(store).engine(digest_of(second)).policies == second


def test_a_version_that_somebody_changed_decides_nothing(versions: Versions, store: Store) -> None:
    digest = versions.keep(policies(), NOW)
    other = zlib.compress(msgspec.json.encode(plain(policies(own=FORBID))))
    store.write_blocking(
        lambda connection: (
            connection.execute(text("UPDATE policy_versions SET body = :body"), {"body": other}) and None
        )
    )
    with pytest.raises(Conflict) as refused:
        open_versions(store).engine(digest)
    assert refused.value.code == "policy-version-changed"

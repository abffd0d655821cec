"""What decisions rest on is kept the same in both store engines."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.unit.policy.samples import NOW, asked, policies

from sluis.crypto import FileKeyStore
from sluis.kernel import NotFound, Trace, milliseconds
from sluis.ledger import decisions, open_ledger
from sluis.policy import DecisionPoint, Version, open_versions, replay
from sluis.store import open_store

EARLIER = NOW - timedelta(days=30)
FORBID = {"own.cedar": '@id("closed") forbid (principal, action, resource);'}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/node.db"
    url: str = request.getfixturevalue("empty_postgres")
    return url


def test_every_version_is_there_after_opening_again_and_since_when(url: str) -> None:
    first, second = policies(), policies(own=FORBID)
    with closing(open_store(url)) as store:
        versions = open_versions(store)
        digests = [versions.keep(one, at) for one, at in ((second, NOW), (first, EARLIER), (first, NOW))]
    with closing(open_store(url)) as store:
        versions = open_versions(store)
        assert versions.all() == [
            Version(digests[1], milliseconds(EARLIER)),
            Version(digests[0], milliseconds(NOW)),
        ]
        assert versions.engine(digests[0]).policies == second
        with pytest.raises(NotFound):
            versions.engine("sha256:" + "0" * 64)


async def test_a_decision_is_recorded_and_made_again_from_what_is_kept(url: str, tmp_path: Path) -> None:
    with closing(open_store(url)) as store:
        ledger = open_ledger(store, FileKeyStore(tmp_path / "keys"), "node.example/log", lambda: NOW)
        for made in (policies(), policies(own=FORBID)):
            open_versions(store).keep(made, NOW)
            await DecisionPoint(made, "own", ledger, lambda: NOW).evaluate(asked(), Trace.begin())
    with closing(open_store(url)) as store:
        versions = open_versions(store)
        kept = list(decisions(store, 0))
        again = [replay(one, versions) for one in kept]
        assert [one.again["decision"] for one in again] == [True, False]
        assert all(one.same for one in again)
        other = msgspec.structs.replace(kept[0], body=kept[1].body)
        assert not replay(other, versions).same

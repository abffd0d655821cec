"""What sessions promise on both engines: durable when they were handed out, gone when they ended."""

from pathlib import Path

from sqlalchemy import text
from tests.clocks import Clock
from tests.unit.identity.people import established

from sluis.crypto import FileKeyStore
from sluis.identity.sessions import open_sessions
from sluis.identity.sessions.rules import IDLE
from sluis.store import Store


async def test_sessions_live_and_end_alike_on_both_engines(store: Store, tmp_path: Path) -> None:
    clock, keys = Clock(), FileKeyStore(tmp_path / "keys")
    sessions = open_sessions(store, keys, clock)
    first, _ = await sessions.begin(established(audience="company"))
    second, stepped_up = await sessions.begin(established(audience="company", level="high"), replaces=first)
    third, chosen = await sessions.act_for(stepped_up.session, "urn:nl:kvk:90000003", "Fictief BV")
    other, _ = await sessions.begin(established(value="999990020"))

    again = open_sessions(store, keys, clock)
    assert [again.by_cookie(secret) for secret in (first, second, third)] == [None, None, chosen]
    assert again.subject(chosen.session) == ("BSN", "999990019")

    clock.later(seconds=IDLE - 1)
    again.by_cookie(third)
    await again.tidy()
    clock.later(seconds=2)
    await again.tidy()
    assert again.by_cookie(other) is None
    assert open_sessions(store, keys, clock).by_cookie(third) == chosen

    await again.end(chosen.session)
    assert open_sessions(store, keys, clock).by_cookie(third) is None
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM identity_sessions")).scalar_one() == 0

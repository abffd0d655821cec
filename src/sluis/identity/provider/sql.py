"""The sign-in provider's tables: what was asked, what was granted, which tokens came of it, whom to tell of a sign-out.

What names somebody is sealed. Codes and request addresses are kept as their SHA-256: who reads the database can use none.
"""

from sluis.identity.provider.model import State
from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "provider",
        (
            """CREATE TABLE oauth_requests (
                digest {bytes} NOT NULL PRIMARY KEY, pushed {int} NOT NULL, until {int} NOT NULL, sealed {bytes} NOT NULL)""",
            "CREATE INDEX oauth_requests_until ON oauth_requests (until)",
            """CREATE TABLE oauth_grants (
                id TEXT NOT NULL PRIMARY KEY, code {bytes} NOT NULL, client TEXT NOT NULL, session TEXT NOT NULL,
                state {int} NOT NULL, made {int} NOT NULL, until {int} NOT NULL, sealed {bytes} NOT NULL)""",
            "CREATE UNIQUE INDEX oauth_grants_code ON oauth_grants (code)",
            "CREATE INDEX oauth_grants_session ON oauth_grants (session)",
            "CREATE INDEX oauth_grants_until ON oauth_grants (until)",
            # `parent` is the grant that a token came of; empty for one that a client got for itself and that was revoked.
            "CREATE TABLE oauth_tokens (jti TEXT NOT NULL PRIMARY KEY, parent TEXT NOT NULL, until {int} NOT NULL)",
            "CREATE INDEX oauth_tokens_until ON oauth_tokens (until)",
            """CREATE TABLE oauth_sign_outs (
                id TEXT NOT NULL PRIMARY KEY, client TEXT NOT NULL, until {int} NOT NULL, sealed {bytes} NOT NULL)""",
        ),
    ),
    # From where somebody came who has to sign in first; a keyed digest, so that it names no address.
    Migration("origins", ("ALTER TABLE oauth_requests ADD COLUMN origin {bytes}",)),
)

WAITING = "SELECT count(*) FROM oauth_requests WHERE pushed = 0"
"""How many requests wait for somebody to sign in."""

CROWD = """DELETE FROM oauth_requests WHERE digest IN (SELECT digest FROM (
    SELECT digest, ROW_NUMBER() OVER (ORDER BY place, until DESC) AS rank FROM (
        SELECT digest, until, ROW_NUMBER() OVER (PARTITION BY origin ORDER BY until DESC) AS place
        FROM oauth_requests WHERE pushed = 0) AS placed) AS ranked
    WHERE rank > :most)"""
"""Of too many requests, those give way that wait longest of whoever has most: nobody pushes out others by asking often."""

HOLD = """INSERT INTO oauth_requests (digest, pushed, until, sealed, origin)
    VALUES (:digest, :pushed, :until, :sealed, :origin)"""
"""Keep a request, pushed by a client (1) or waiting for somebody to sign in (0)."""

HELD = "SELECT sealed FROM oauth_requests WHERE digest = :digest AND pushed = :pushed AND until > :now"
"""A request that still stands."""

USE = """UPDATE oauth_requests SET pushed = 0, until = :until, origin = :origin
    WHERE digest = :digest AND pushed = 1"""
"""A pushed request is used, and waits: for the browser that came with it."""

TAKE = "DELETE FROM oauth_requests WHERE digest = :digest AND until > :now"
"""A request is answered: no other answer will be given."""

GRANT = """INSERT INTO oauth_grants (id, code, client, session, state, made, until, sealed)
    VALUES (:id, :code, :client, :session, :state, :made, :until, :sealed)"""
"""Keep what was granted."""

BY_CODE = "SELECT id, state, made, sealed FROM oauth_grants WHERE code = :code"
"""The grant behind a code."""

MOVE = "UPDATE oauth_grants SET state = :state WHERE id = :id"
"""A grant goes on to another state."""

LAST = "UPDATE oauth_grants SET until = :until WHERE id = :id"
"""A code was traded: who was signed in where is remembered for long."""

NOTE = "INSERT INTO oauth_tokens (jti, parent, until) VALUES (:jti, :parent, :until) ON CONFLICT (jti) DO NOTHING"
"""A token came of a grant; or one without was revoked."""

TOKENS = f"""SELECT t.jti, t.parent, t.until, g.sealed FROM oauth_tokens t LEFT JOIN oauth_grants g ON g.id = t.parent
    WHERE t.until > :now AND (t.parent = '' OR g.state = {State.SPENT.value})"""
"""Tokens that are good, each with its grant, and those without one that were revoked."""

OF_SESSION = f"""SELECT id, client, state, sealed FROM oauth_grants
    WHERE session = :session AND state <> {State.ENDED.value} ORDER BY made, id"""
"""What was granted in a session."""

SESSIONS = f"SELECT DISTINCT session FROM oauth_grants WHERE state <> {State.ENDED.value}"
"""Sessions in which something was granted, and whose end was not told yet."""

CLIENTS = f"""SELECT DISTINCT client FROM oauth_grants WHERE session = :session
    AND state IN ({State.SPENT.value}, {State.REVOKED.value}) ORDER BY client"""
"""To whom somebody was signed in with a session."""

OLD = "SELECT DISTINCT session FROM oauth_grants WHERE until < :now"
"""Sessions of grants that were kept long enough, if they are over."""

KEEP = f"UPDATE oauth_grants SET until = :until WHERE session = :session AND state <> {State.CODE.value}"
"""A session is still alive: its client must be told when it ends."""

TELL = "INSERT INTO oauth_sign_outs (id, client, until, sealed) VALUES (:id, :client, :until, :sealed)"
"""A client is to be told that somebody signed out."""

TO_TELL = """SELECT id, client, sealed FROM (
        SELECT id, client, sealed, ROW_NUMBER() OVER (PARTITION BY client ORDER BY until, id) AS place
        FROM oauth_sign_outs WHERE until > :now) AS waiting
    WHERE place <= 20 ORDER BY place, id"""
"""Whom to tell, longest waiting first; of each client a few, so that one that does not answer keeps no other waiting."""

TOLD = "DELETE FROM oauth_sign_outs WHERE id = :id"
"""It was told."""

SWEEP = (
    "DELETE FROM oauth_requests WHERE until < :now",
    "DELETE FROM oauth_tokens WHERE until < :now",
    "DELETE FROM oauth_grants WHERE until < :now",
    "DELETE FROM oauth_sign_outs WHERE until < :now",
)
"""Let go of what is over."""

"""The tables of the queue. An event is kept once; of every subscription a row for each event in the order of its own
numbers, so that reading what waits for one never passes what waits for another."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "queue",
        (
            # `open` is how many deliveries still speak of it.
            """CREATE TABLE events_kept (
                number {int} PRIMARY KEY, content {bytes} NOT NULL, sealed {int} NOT NULL, open {int} NOT NULL)""",
            # `newest` was given last; all up to `settled` has its outcome.
            """CREATE TABLE events_counters (
                subscription TEXT PRIMARY KEY, newest {int} NOT NULL, settled {int} NOT NULL, waiting {int} NOT NULL)
                {clustered}""",
            """CREATE TABLE events_deliveries (
                subscription TEXT NOT NULL, sequence {int} NOT NULL, event {int} NOT NULL, stream TEXT NOT NULL,
                subject {bytes}, notice TEXT NOT NULL, trace TEXT NOT NULL, state {int} NOT NULL, due {int} NOT NULL,
                attempts {int} NOT NULL, trouble TEXT NOT NULL, began {int} NOT NULL, ended {int} NOT NULL,
                PRIMARY KEY (subscription, sequence)) {clustered}""",
            # A table of their own, so that the many updates of the other touch no index.
            """CREATE TABLE events_dead (
                subscription TEXT NOT NULL, sequence {int} NOT NULL, since {int} NOT NULL,
                PRIMARY KEY (subscription, sequence)) {clustered}""",
        ),
    ),
    Migration(
        "lanes",
        (
            # What the writer counts and what a sender counts stand in rows of their own: neither waits for the other.
            # `ended` is how many wait no longer, `turn` changes when the lane must be read anew, `gone` when its recipient
            # wants nothing more.
            """CREATE TABLE events_lanes (
                subscription TEXT PRIMARY KEY, settled {int} NOT NULL, ended {int} NOT NULL, turn {int} NOT NULL,
                holder TEXT NOT NULL, gone {int} NOT NULL) {clustered}""",
            "INSERT INTO events_lanes SELECT subscription, settled, 0, 0, '', 0 FROM events_counters",
            "ALTER TABLE events_counters RENAME COLUMN waiting TO added",
            "ALTER TABLE events_counters DROP COLUMN settled",
            # Processes that send; `until` in milliseconds of the database's own clock.
            """CREATE TABLE events_senders (
                id TEXT PRIMARY KEY, until {int} NOT NULL, sent {int} NOT NULL, waking TEXT NOT NULL)""",
        ),
    ),
)

KEPT_COLUMNS = ("number", "content", "sealed", "open")
COLUMNS = (
    "subscription", "sequence", "event", "stream", "subject", "notice", "trace",
    "state", "due", "attempts", "trouble", "began", "ended",
)  # fmt: skip

COUNT_UP = """INSERT INTO events_counters (subscription, newest, added) VALUES (?, ?, ?)
    ON CONFLICT (subscription) DO UPDATE SET newest = events_counters.newest + excluded.newest,
    added = events_counters.added + excluded.added RETURNING newest"""
"""Give so many numbers of a subscription; gives the last. SQLite."""

ADD = """WITH given AS (
        SELECT * FROM json_to_recordset(%s::json) AS t(place bigint, subscription text, event bigint, stream text,
            subject text, notice text, trace text)),
    counted AS (SELECT subscription, COUNT(*) AS n FROM given GROUP BY subscription),
    given_up_to AS (
        INSERT INTO events_counters (subscription, newest, added) SELECT subscription, n, n FROM counted
        ON CONFLICT (subscription) DO UPDATE SET newest = events_counters.newest + excluded.newest,
        added = events_counters.added + excluded.added RETURNING subscription, newest),
    kept AS (
        INSERT INTO events_kept (number, content, sealed, open)
        SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[]))
    INSERT INTO events_deliveries (subscription, sequence, event, stream, subject, notice, trace,
        state, due, attempts, trouble, began, ended)
    SELECT g.subscription, u.newest - c.n + row_number() OVER (PARTITION BY g.subscription ORDER BY g.place),
        g.event, g.stream, decode(g.subject, 'base64'), g.notice, g.trace, 0, 0, 0, '', %s, 0
    FROM given AS g JOIN counted AS c ON c.subscription = g.subscription
    JOIN given_up_to AS u ON u.subscription = g.subscription"""
"""Keep events and deliveries, numbered in their order, in one round trip. PostgreSQL. Deliveries come as JSON: the driver
takes longer over arrays of all their columns than the server over this."""

NEWEST = "SELECT COALESCE(MAX(number), 0) FROM events_kept"
"""The event that was kept last, as far as it is still there."""

SETTLE = """UPDATE events_deliveries SET state = ?, trouble = ?, due = ?, ended = ?, attempts = attempts + 1
    WHERE subscription = ? AND sequence = ? AND state = 0"""
"""What came of one. SQLite."""

SETTLE_ALL = """UPDATE events_deliveries AS d SET state = v.state, trouble = v.trouble, due = v.due, ended = %s,
    attempts = attempts + 1
    FROM json_to_recordset(%s::json)
    AS v(subscription text, sequence bigint, state bigint, trouble text, due bigint)
    WHERE d.subscription = v.subscription AND d.sequence = v.sequence AND d.state = 0 RETURNING d.subscription, d.state"""
"""What came of all of them. PostgreSQL."""

COUNT_DOWN = """INSERT INTO events_lanes (subscription, settled, ended, turn, holder, gone)
    SELECT subscription, :settled, :ended, 0, '', 0 FROM events_counters WHERE subscription = :subscription
    ON CONFLICT (subscription) DO UPDATE SET ended = events_lanes.ended + excluded.ended,
    settled = CASE WHEN events_lanes.turn = :turn THEN excluded.settled ELSE events_lanes.settled END"""
"""So many wait no longer; all up to this one has its outcome, unless the lane has had another turn since."""

BURY = """INSERT INTO events_dead (subscription, sequence, since)
    SELECT subscription, sequence, ended FROM events_deliveries
    WHERE subscription = :subscription AND sequence = :sequence AND state = 2 ON CONFLICT DO NOTHING"""
"""This one is a dead letter."""

PAGE = """SELECT sequence, event, stream, subject, notice, trace, attempts, due, began FROM events_deliveries
    WHERE subscription = :subscription AND sequence > :after AND state = 0 ORDER BY sequence LIMIT :most"""
"""What waits, in its order."""

HEADS = """SELECT sequence, event, stream, subject, notice, trace, attempts, due, began FROM events_deliveries
    WHERE subscription = :subscription AND sequence IN :heads AND state = 0 ORDER BY sequence"""
"""These, as far as they wait."""

STILL = """SELECT COUNT(*) FROM events_deliveries
    WHERE subscription = :subscription AND sequence IN :heads AND state = 0"""
"""How many of these wait."""

STREAMS = """SELECT sequence, event, stream, subject, notice, trace, attempts, due, began FROM events_deliveries
    WHERE subscription = :subscription AND sequence > :after AND sequence <= :last AND state = 0 AND stream IN :streams
    ORDER BY sequence LIMIT :most"""
"""What waits of some streams: all of them together, so that what lies between is passed once."""

SINCE = """SELECT sequence, event, stream, subject, notice, trace, attempts, due, began FROM events_deliveries
    WHERE subscription = :subscription AND sequence > :after ORDER BY sequence LIMIT :most"""
"""What there was after one, whatever became of it."""

KEPT = "SELECT number, content, sealed FROM events_kept WHERE number IN :numbers"
"""These events."""

COUNTERS = """SELECT c.subscription, c.newest, COALESCE(l.settled, 0) AS settled, c.added - COALESCE(l.ended, 0) AS waiting,
    COALESCE(l.turn, 0) AS turn, COALESCE(l.holder, '') AS holder, COALESCE(l.gone, 0) AS gone
    FROM events_counters AS c LEFT JOIN events_lanes AS l ON l.subscription = c.subscription"""
"""How all subscriptions stand."""

PLACE = "SELECT settled, turn FROM events_lanes WHERE subscription = :subscription"
"""How far a lane is."""

ALL_WAITING = """SELECT COALESCE((SELECT SUM(added) FROM events_counters), 0) - COALESCE((SELECT SUM(ended) FROM events_lanes), 0)"""
"""How many wait at this node."""

OLDEST = """SELECT began FROM events_deliveries WHERE subscription = :subscription AND sequence > :settled AND state = 0
    ORDER BY sequence LIMIT 1"""
"""Since when the first of those that wait does."""

HOW_MANY_DEAD = "SELECT subscription, COUNT(*) FROM events_dead GROUP BY subscription"
"""How many dead letters each has."""

DEAD_LETTERS = """SELECT d.subscription, d.sequence, x.since, d.trouble, d.notice, d.trace, d.attempts, d.event
    FROM events_dead AS x JOIN events_deliveries AS d ON d.subscription = x.subscription AND d.sequence = x.sequence
    WHERE x.subscription = :subscription AND x.sequence > :after ORDER BY x.sequence LIMIT :most"""
"""The dead letters of a subscription, in its order."""

TO_REPLAY = "SELECT sequence FROM events_dead WHERE subscription = :subscription AND sequence BETWEEN :first AND :last"
"""The dead letters of a stretch."""

REPLAY = """UPDATE events_deliveries SET state = 0, due = 0, attempts = 0, trouble = '', began = :now, ended = 0
    WHERE subscription = :subscription AND sequence BETWEEN :first AND :last AND state = 2"""
"""Try the dead letters of a stretch again, as if they were new."""

RAISE = "DELETE FROM events_dead WHERE subscription = :subscription AND sequence BETWEEN :first AND :last"
"""They are no dead letters any more."""

LATELY = """SELECT ended FROM (SELECT state, ended FROM events_deliveries WHERE subscription = :subscription
    AND sequence <= :newest ORDER BY sequence DESC LIMIT :most) AS latest WHERE state = 1"""
"""When the last of those that were given a number arrived, as far as they did."""

FIRST_WAITING = """SELECT trouble, attempts, began, due FROM events_deliveries WHERE subscription = :subscription
    AND sequence > :settled AND state = 0 ORDER BY sequence LIMIT 1"""
"""The first of those that wait, and what came of trying it."""

TO_GIVE_UP = """SELECT d.sequence, d.event FROM events_dead AS x
    JOIN events_deliveries AS d ON d.subscription = x.subscription AND d.sequence = x.sequence
    WHERE x.subscription = :subscription AND x.sequence >= :first AND x.sequence <= :last ORDER BY x.sequence LIMIT :most"""
"""The dead letters of a stretch, to let go of."""

HOW_MANY_IN = """SELECT COUNT(*) FROM events_dead WHERE subscription = :subscription AND sequence >= :first AND sequence <= :last"""
"""How many dead letters there are in a stretch."""

HOLD_LANES = "LOCK TABLE events_lanes IN SHARE ROW EXCLUSIVE MODE"
"""Let no sender write down how far a lane is until this commit; who has begun to, first ends. PostgreSQL."""

COUNT_AGAIN = "UPDATE events_counters SET added = added + :raised WHERE subscription = :subscription"
"""So many wait again."""

TURN_BACK = """UPDATE events_lanes SET turn = turn + 1, settled = CASE WHEN settled < :first THEN settled ELSE :first - 1 END
    WHERE subscription = :subscription RETURNING settled, turn"""
"""The lane has to be read anew, from this one on."""

NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"

RENEW = f"""INSERT INTO events_senders (id, until, sent, waking) VALUES (:id, {NOW} + :lease, :sent, :waking)
    ON CONFLICT (id) DO UPDATE SET until = excluded.until, sent = excluded.sent, waking = excluded.waking"""
"""This process sends, and may for a while. PostgreSQL, as all that follows."""

SENDERS = f"SELECT id, sent, waking, until > {NOW} AS alive FROM events_senders"
"""The processes that send, or did."""

CLAIMING = "SELECT pg_advisory_xact_lock(495874434423)"
"""One process at a time claims: nobody looks at who is there while another comes."""

FREE = f"""SELECT subscription FROM events_lanes WHERE subscription IN :names AND gone = 0
    AND (holder = '' OR holder = :id OR holder NOT IN (SELECT id FROM events_senders WHERE until > {NOW}))
    ORDER BY subscription LIMIT :most FOR UPDATE"""
"""Lanes that nobody holds who is there."""

OPEN_LANES = """INSERT INTO events_lanes (subscription, settled, ended, turn, holder, gone)
    SELECT subscription, 0, 0, 0, '', 0 FROM events_counters WHERE subscription IN :names ORDER BY subscription
    ON CONFLICT (subscription) DO NOTHING"""
"""Have a lane for each of these that has had something."""

TAKE = "UPDATE events_lanes SET holder = :id, turn = turn + 1 WHERE subscription IN :names RETURNING subscription, settled, turn"
"""Hold these from now on."""

LET_GO = (
    "UPDATE events_lanes SET holder = '', gone = :gone WHERE subscription = :subscription AND holder = :id"
)
"""Hold one no longer."""

LEAVE = "UPDATE events_senders SET until = 0, sent = :sent WHERE id = :id"
"""This process sends no more."""

FORGET_SENDERS = f"DELETE FROM events_senders WHERE until < {NOW} - 60000 RETURNING sent"
"""Let go of those that have been gone for a minute."""

HEARD = "UPDATE events_lanes SET gone = 0 WHERE subscription IN :names"
"""It was heard that their recipients want nothing more."""

TOO_OLD = """SELECT sequence FROM events_deliveries WHERE subscription = :subscription AND sequence > :settled
    AND state = 0 AND began < :before ORDER BY sequence LIMIT :most"""
"""What was tried for too long."""

TOO_MANY = """SELECT sequence FROM events_deliveries WHERE subscription = :subscription AND sequence > :settled
    AND state = 0 ORDER BY sequence LIMIT :most"""
"""The first of those that wait."""

CONFIRM = """SELECT sequence FROM events_deliveries WHERE subscription = :subscription AND sequence > :settled
    AND sequence <= :last AND state = 0 ORDER BY sequence"""
"""What waits up to one."""

OVER = """SELECT sequence, event FROM events_deliveries WHERE subscription = :subscription AND state <> 0
    AND ended < :before AND NOT (state = 2 AND ended >= :dead) ORDER BY sequence LIMIT :most"""
"""What nobody will want to read again."""

ALL_OF = "SELECT sequence, event FROM events_deliveries WHERE subscription = :subscription ORDER BY sequence LIMIT :most"
"""All of a subscription that has ended."""

WITHDRAWN = """SELECT sequence, event, state FROM events_deliveries WHERE subscription = :subscription AND sequence > :settled
    AND state = 0 AND notice = :notice AND stream IN :streams"""
"""What waits of some streams, by one notice."""

WITHDRAWN_DEAD = """SELECT d.sequence, d.event, d.state FROM events_dead AS x
    JOIN events_deliveries AS d ON d.subscription = x.subscription AND d.sequence = x.sequence
    WHERE x.subscription = :subscription AND d.notice = :notice AND d.stream IN :streams"""
"""What did not arrive of them."""

FORGET = "DELETE FROM events_deliveries WHERE subscription = :subscription AND sequence IN :sequences"
"""Let go of these."""

FORGET_DEAD = "DELETE FROM events_dead WHERE subscription = :subscription AND sequence IN :sequences"
"""Nor are they dead letters."""

FORGET_COUNTS = (
    "DELETE FROM events_counters WHERE subscription = :subscription",
    "DELETE FROM events_lanes WHERE subscription = :subscription",
)
"""A subscription that has ended counts no more."""

RELEASE = "UPDATE events_kept SET open = open - :fewer WHERE number = :number"
"""So many fewer speak of it."""

DESTROY = "DELETE FROM events_kept WHERE number IN :numbers AND open <= 0"
"""Nobody speaks of it any more."""

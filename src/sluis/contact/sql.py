"""The tables of this room, and its statements, the same for SQLite and PostgreSQL.

What a message says, whom it is for and where they live is sealed. In the clear stands what must be found: pseudonyms, states and
moments.
"""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "contact",
        (
            """CREATE TABLE contact_messages (
                id TEXT PRIMARY KEY, person TEXT NOT NULL, scenario TEXT NOT NULL, state TEXT NOT NULL,
                created {int} NOT NULL, due {int}, ends {int} NOT NULL, sealed {bytes} NOT NULL)""",
            "CREATE INDEX contact_messages_person ON contact_messages (person, created)",
            "CREATE INDEX contact_messages_due ON contact_messages (due) WHERE due IS NOT NULL",
            "CREATE INDEX contact_messages_ends ON contact_messages (ends)",
            """CREATE TABLE contact_tries (
                message TEXT NOT NULL REFERENCES contact_messages (id) ON DELETE CASCADE, number {int} NOT NULL,
                channel TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, attempts {int} NOT NULL,
                began {int} NOT NULL, changed {int} NOT NULL, due {int} NOT NULL, remote TEXT NOT NULL,
                trouble TEXT NOT NULL, PRIMARY KEY (message, number))""",
            "CREATE INDEX contact_tries_channel ON contact_tries (channel, state, changed)",
            """CREATE TABLE contact_kept (
                person TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, changed {int} NOT NULL,
                sealed {bytes} NOT NULL, PRIMARY KEY (person, kind, name)){clustered}""",
        ),
    ),
    Migration(
        "consulted",
        (
            """CREATE TABLE contact_watched (
                person TEXT PRIMARY KEY, how TEXT NOT NULL, said {int} NOT NULL, since {int} NOT NULL, seen {int} NOT NULL,
                year {int} NOT NULL, sealed {bytes} NOT NULL)""",
            "CREATE INDEX contact_watched_year ON contact_watched (year)",
            """CREATE TABLE contact_watched_by (
                subject TEXT PRIMARY KEY, term {int} NOT NULL, person TEXT NOT NULL, year {int} NOT NULL)""",
            "CREATE INDEX contact_watched_by_term ON contact_watched_by (term)",
            "CREATE INDEX contact_watched_by_person ON contact_watched_by (person)",
            "CREATE TABLE contact_read (log TEXT PRIMARY KEY, until {int} NOT NULL)",
        ),
    ),
)

ADD = """INSERT INTO contact_messages (id, person, scenario, state, created, due, ends, sealed)
    VALUES (:id, :person, :scenario, 'open', :created, :created, :ends, :sealed) ON CONFLICT (id) DO NOTHING"""
"""A message that must be sent. The same one is there once, however often its event is heard."""

DUE = """SELECT id FROM contact_messages WHERE due IS NOT NULL AND due <= :now ORDER BY due LIMIT :most"""
"""Which messages something must be done with."""

ONE = (
    """SELECT id, person, scenario, state, created, due, ends, sealed FROM contact_messages WHERE id = :id"""
)
"""One message."""

_SEEN = "person = :person AND created < :until AND (:every OR scenario IN :scenarios)"

OF_PERSON = f"""SELECT id, person, scenario, state, created, due, ends, sealed FROM contact_messages
    WHERE {_SEEN} AND created >= coalesce((SELECT created FROM contact_messages
        WHERE {_SEEN} ORDER BY created DESC LIMIT 1 OFFSET :others), 0) ORDER BY created DESC, id"""
"""The messages of a person from before a moment, newest first, and never a part of what is of one second."""

_TRY = "message, number, channel, kind, state, attempts, began, changed, due, remote, trouble"

TRIES = f"SELECT {_TRY} FROM contact_tries WHERE message = :message ORDER BY number"
"""The tries of one message, first to last."""

TRIES_OF_PERSON = f"""SELECT {_TRY} FROM contact_tries
    WHERE message IN (SELECT id FROM contact_messages WHERE person = :person) ORDER BY message, number"""
"""All tries to reach a person."""

ONE_TRY = f"SELECT {_TRY} FROM contact_tries WHERE message = :message AND number = :number"
"""One try."""

_ASKED = """SELECT message, number, remote, changed FROM contact_tries WHERE channel = :channel AND state IN ({})
    AND (changed, message, number) > (:changed, :message, :number) ORDER BY changed, message, number LIMIT :most"""

UNDER_WAY = _ASKED.format("'sent', 'doubtful'")
"""Tries of a channel of which it is not known whether they arrived: those after one of them."""

UNREAD = _ASKED.format("'delivered'")
"""Tries that arrived, of which it is not known whether they were read: those after one of them."""

KEEP_TRY = f"""INSERT INTO contact_tries ({_TRY})
    VALUES (:message, :number, :channel, :kind, :state, :attempts, :began, :changed, :due, :remote, :trouble)
    ON CONFLICT (message, number) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
        changed = excluded.changed, due = excluded.due, remote = excluded.remote, trouble = excluded.trouble"""
"""Keep a try in the place of what it was before."""

SET_MESSAGE = "UPDATE contact_messages SET state = :state, due = :due WHERE id = :id"
"""How far a message is, and when to look at it again."""

SET_CONTENT = "UPDATE contact_messages SET sealed = :sealed WHERE id = :id"
"""What a message says, from its first try on."""

SWEEP = "DELETE FROM contact_messages WHERE ends < :now"
"""Destroy what was kept long enough, its tries with it."""

SWEEP_PENDING = "DELETE FROM contact_kept WHERE kind = 'pending' AND changed < :before"
"""Forget addresses that nobody proved, and when codes were sent."""

KEPT = "SELECT kind, name, sealed FROM contact_kept WHERE person = :person"
"""Addresses and preferences of a person."""

KEEP = """INSERT INTO contact_kept (person, kind, name, changed, sealed) VALUES (:person, :kind, :name, :changed, :sealed)
    ON CONFLICT (person, kind, name) DO UPDATE SET changed = excluded.changed, sealed = excluded.sealed"""
"""Keep something of a person in the place of what it was before."""

FORGET = "DELETE FROM contact_kept WHERE person = :person AND kind = :kind AND name = :name"
"""Keep it no longer."""

# Who is told that they were consulted. The table that joins pseudonyms of the log to people holds those of two years at most.

ADD_LATER = """INSERT INTO contact_messages (id, person, scenario, state, created, due, ends, sealed)
    VALUES (:id, :person, :scenario, 'open', :created, :due, :ends, :sealed) ON CONFLICT (id) DO NOTHING"""
"""A message that waits until a moment, because more may come to stand in it."""

COUNT_TODAY = """SELECT COUNT(*) FROM contact_messages WHERE person = :person AND scenario = :scenario AND created >= :since
    AND NOT EXISTS (SELECT 1 FROM contact_messages WHERE id = :id)"""
"""How many messages of a scenario a person got since a moment; none when the one in hand is among them."""

WATCH = """INSERT INTO contact_watched (person, how, said, since, seen, year, sealed)
    VALUES (:person, :how, :said, :since, :since, :year, :sealed)
    ON CONFLICT (person) DO UPDATE SET
        since = CASE WHEN contact_watched.how = 'never' THEN excluded.since ELSE contact_watched.since END,
        how = excluded.how, said = excluded.said, seen = excluded.seen"""
"""What somebody said about being told. Who said never, and now wants it, is told of what comes from then on."""

MEET = """INSERT INTO contact_watched (person, how, said, since, seen, year, sealed)
    VALUES (:person, 'day', 0, :since, :since, :year, :sealed)
    ON CONFLICT (person) DO UPDATE SET seen = excluded.seen WHERE contact_watched.seen < :renewed"""
"""Somebody whom this organisation meets and who said nothing about it; what they did say stays."""

WATCHED = "SELECT how FROM contact_watched WHERE person = :person"
"""What somebody wants."""

BEHIND = """SELECT person, sealed FROM contact_watched
    WHERE year < :year AND how <> 'never' ORDER BY year LIMIT :most"""
"""Those whose pseudonym of this year is not there yet."""

JOIN = """INSERT INTO contact_watched_by (subject, term, person, year) VALUES (:subject, :term, :person, :year)
    ON CONFLICT (subject) DO NOTHING"""
"""Under which pseudonym somebody stands in the log in a year."""

JOINED = "UPDATE contact_watched SET year = :year WHERE person = :person"
"""Until which year their pseudonyms are there."""

ANYBODY = "SELECT 1 FROM contact_watched WHERE how <> 'never' LIMIT 1"
"""Whether there is anybody to tell."""

BY_TERM = """SELECT b.subject, b.term, b.person, w.how, w.since, w.sealed FROM contact_watched_by AS b
    JOIN contact_watched AS w ON w.person = b.person WHERE b.term IN :terms AND w.how <> 'never'"""
"""Who stands in the log under one of these terms, and wants to be told."""

READ_UNTIL = "SELECT until FROM contact_read WHERE log = :log"
"""How far the log was read."""

SET_READ = """INSERT INTO contact_read (log, until) VALUES (:log, :until)
    ON CONFLICT (log) DO UPDATE SET until = excluded.until"""
"""Keep how far the log was read, with what came of it."""

FORGET_YEARS = "DELETE FROM contact_watched_by WHERE year < :year"
"""Forget under which pseudonyms people stood in years before."""

FORGET_UNSEEN = "DELETE FROM contact_watched WHERE said = 0 AND seen < :before"
"""Forget those who said nothing, and whom nobody met for long."""

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

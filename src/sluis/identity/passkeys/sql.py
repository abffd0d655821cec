"""The table of passkeys."""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "passkeys",
        (
            """CREATE TABLE passkeys (
    id TEXT PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL, public_key {bytes} NOT NULL, count {int} NOT NULL,
    travels {int} NOT NULL, copied {int} NOT NULL, transports TEXT NOT NULL, level TEXT NOT NULL, made {int} NOT NULL,
    used {int}, confirmed {int} NOT NULL, state TEXT NOT NULL, sealed {bytes} NOT NULL)""",
            "CREATE INDEX passkeys_person ON passkeys (person)",
        ),
    ),
)

_ALL = "id, person, name, public_key, count, travels, copied, transports, level, made, used, confirmed, state, sealed"

ONE = f"SELECT {_ALL} FROM passkeys WHERE id = :id"
"""A passkey by its id."""

OF_PERSON = f"SELECT {_ALL} FROM passkeys WHERE person = :person ORDER BY made, id"
"""Every passkey of one person, the oldest first."""

ADD = f"""INSERT INTO passkeys ({_ALL}) VALUES (:id, :person, :name, :public_key, :count, :travels, :copied, :transports,
    :level, :made, :used, :confirmed, :state, :sealed)"""
"""A new passkey."""

USED = "UPDATE passkeys SET count = :count, copied = :copied, used = :used WHERE id = :id"
"""It signed in."""

INTO_STATE = "UPDATE passkeys SET state = :state WHERE id = :id"
"""It was revoked, or there is a copy of it."""

CONFIRM = (
    "UPDATE passkeys SET confirmed = :confirmed, sealed = :sealed WHERE person = :person AND state = 'active'"
)
"""Their owner signed in in another way, and this is what the directory says of them now."""

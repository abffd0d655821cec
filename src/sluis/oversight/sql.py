"""What oversight keeps: a summary of the log that grows with it, findings, what people did with them, and reviews.

The log stays the record. The summary can be made anew from it, and is for looking things up in the time that a page has. It
holds pseudonyms and no identifiers; after four hundred days what is about persons is taken out.
"""

from sluis.store import Migration

MIGRATIONS = (
    Migration(
        "oversight",
        (
            "CREATE TABLE oversight_place (one {int} PRIMARY KEY, idx {int} NOT NULL, at {int} NOT NULL)",
            """CREATE TABLE oversight_decisions (
                idx {int} PRIMARY KEY, at {int} NOT NULL, permit {int} NOT NULL, action TEXT NOT NULL, rule TEXT NOT NULL,
                peer TEXT NOT NULL, activity TEXT NOT NULL, resource TEXT NOT NULL)""",
            "CREATE INDEX oversight_by_rule ON oversight_decisions (rule, idx)",
            "CREATE INDEX oversight_by_peer ON oversight_decisions (peer, idx)",
            "CREATE INDEX oversight_by_activity ON oversight_decisions (activity, idx)",
            "CREATE INDEX oversight_by_outcome ON oversight_decisions (permit, idx)",
            "CREATE INDEX oversight_by_time ON oversight_decisions (at, idx)",
            """CREATE TABLE oversight_choices (
                kind TEXT NOT NULL, value TEXT NOT NULL, times {int} NOT NULL, PRIMARY KEY (kind, value)){clustered}""",
            """CREATE TABLE oversight_use (
                day {int} NOT NULL, hour {int} NOT NULL, peer TEXT NOT NULL, person TEXT NOT NULL, activity TEXT NOT NULL,
                permitted {int} NOT NULL, refused {int} NOT NULL,
                PRIMARY KEY (day, hour, peer, person, activity)){clustered}""",
            "CREATE INDEX oversight_use_person ON oversight_use (person, day)",
            "CREATE INDEX oversight_use_activity ON oversight_use (activity, day)",
            """CREATE TABLE oversight_streaks (
                peer TEXT NOT NULL, person TEXT NOT NULL, day {int} NOT NULL, running {int} NOT NULL, longest {int} NOT NULL,
                PRIMARY KEY (peer, person)){clustered}""",
            """CREATE TABLE oversight_people (
                day {int} NOT NULL, subject TEXT NOT NULL, activity TEXT NOT NULL, times {int} NOT NULL, trace TEXT NOT NULL,
                PRIMARY KEY (day, subject, activity)){clustered}""",
            "CREATE INDEX oversight_people_subject ON oversight_people (subject, day)",
            """CREATE TABLE oversight_asked (
                activity TEXT NOT NULL, dataset TEXT NOT NULL, times {int} NOT NULL, newest {int} NOT NULL,
                PRIMARY KEY (activity, dataset)){clustered}""",
            """CREATE TABLE oversight_findings (
                id TEXT PRIMARY KEY, day {int} NOT NULL, kind TEXT NOT NULL, activity TEXT NOT NULL, body {bytes} NOT NULL,
                found {int} NOT NULL, looked {int}, who TEXT, reason TEXT)""",
            "CREATE INDEX oversight_findings_day ON oversight_findings (day, kind)",
            """CREATE TABLE oversight_reviews (
                activity TEXT NOT NULL, at {int} NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (activity, at))""",
            "CREATE TABLE oversight_alerts (place TEXT PRIMARY KEY, at {int} NOT NULL)",
            """CREATE TABLE oversight_checks (
                at {int} PRIMARY KEY, size {int} NOT NULL, faults {bytes} NOT NULL, checkpoint TEXT NOT NULL)""",
        ),
    ),
)

PLACE = "SELECT idx FROM oversight_place WHERE one = 1"
"""How far the log was read."""

GO_ON = """INSERT INTO oversight_place (one, idx, at) VALUES (1, :idx, :at)
    ON CONFLICT (one) DO UPDATE SET idx = :idx, at = :at"""
"""It was read until here."""

DECISION = """INSERT INTO oversight_decisions (idx, at, permit, action, rule, peer, activity, resource)
    VALUES (:idx, :at, :permit, :action, :rule, :peer, :activity, :resource) ON CONFLICT (idx) DO NOTHING"""
"""A decision as it is looked for."""

CHOICE = """INSERT INTO oversight_choices (kind, value, times) VALUES (:kind, :value, :times)
    ON CONFLICT (kind, value) DO UPDATE SET times = oversight_choices.times + :times"""
"""A value that decisions have, so that a form can offer it."""

USE = """INSERT INTO oversight_use (day, hour, peer, person, activity, permitted, refused)
    VALUES (:day, :hour, :peer, :person, :activity, :permitted, :refused)
    ON CONFLICT (day, hour, peer, person, activity) DO UPDATE SET
    permitted = oversight_use.permitted + :permitted, refused = oversight_use.refused + :refused"""
"""How often somebody asked in an hour."""

STREAK_OF = "SELECT day, running, longest FROM oversight_streaks WHERE peer = :peer AND person = :person"
"""How often somebody was refused without a break."""

RUNNING = "SELECT peer, person, day, running, longest FROM oversight_streaks WHERE running > 0 LIMIT 10000"
"""Who was refused the last time."""

STREAK = """INSERT INTO oversight_streaks (peer, person, day, running, longest)
    VALUES (:peer, :person, :day, :running, :longest)
    ON CONFLICT (peer, person) DO UPDATE SET day = :day, running = :running, longest = :longest"""
"""That number now, and the longest of the day."""

PERSON = """INSERT INTO oversight_people (day, subject, activity, times, trace)
    VALUES (:day, :subject, :activity, :times, :trace)
    ON CONFLICT (day, subject, activity) DO UPDATE SET times = oversight_people.times + :times
    - CASE WHEN oversight_people.trace = :first THEN 1 ELSE 0 END, trace = :trace"""
"""How often a person was looked up on a day, a question once however many lines it has."""

ASKED = """INSERT INTO oversight_asked (activity, dataset, times, newest) VALUES (:activity, :dataset, :times, :newest)
    ON CONFLICT (activity, dataset) DO UPDATE SET times = oversight_asked.times + :times, newest = :newest"""
"""That a question for an activity named a dataset."""

FORGET = (
    "DELETE FROM oversight_use WHERE day < :day",
    "DELETE FROM oversight_people WHERE day < :day",
    "DELETE FROM oversight_streaks WHERE day < :day",
    "DELETE FROM oversight_findings WHERE day < :day",
)
"""What is too old."""

DESTROYED = "DELETE FROM oversight_decisions WHERE idx BETWEEN :first AND :last"
"""Decisions whose records were destroyed."""

CHOICES = "SELECT value FROM oversight_choices WHERE kind = :kind ORDER BY times DESC, value LIMIT 100"
"""What a form offers."""

_OFF = "(hour < :opens OR hour >= :closes OR day % 7 IN (0, 6))"
BY_PERSON = f"""SELECT day, peer, person, SUM(permitted + refused) AS times,
    SUM(CASE WHEN {_OFF} THEN permitted + refused ELSE 0 END) AS off
    FROM oversight_use WHERE day >= :day AND person <> '' GROUP BY day, peer, person LIMIT 200000"""
"""Per day how often each asked, and how often of that outside office hours (the proleptic day modulo 7: 0 is a Sunday)."""

BY_ACTIVITY = """SELECT day, peer, activity, SUM(permitted + refused) AS times FROM oversight_use
    WHERE day >= :day GROUP BY day, peer, activity LIMIT 200000"""
"""Per day how often each organisation asked for each activity."""

BY_HOUR = """SELECT day, hour, peer, SUM(permitted + refused) AS times FROM oversight_use
    WHERE day >= :day GROUP BY day, hour, peer LIMIT 200000"""
"""Per hour how often each organisation asked."""

STREAKS = "SELECT peer, person, day, longest FROM oversight_streaks WHERE day >= :day AND longest > :least LIMIT 1000"
"""Who was refused often without a break."""

HISTOGRAM = """SELECT times, COUNT(*) AS people FROM
    (SELECT SUM(times) AS times FROM oversight_people WHERE day >= :day GROUP BY subject) AS each GROUP BY times"""
"""How many people were looked up how often."""

OFTEN = """SELECT subject, SUM(times) AS total, MAX(day) AS newest FROM oversight_people WHERE day >= :day
    GROUP BY subject HAVING SUM(times) > :limit ORDER BY total DESC LIMIT 200"""
"""Who was looked up more than so often."""

FOUND = """INSERT INTO oversight_findings (id, day, kind, activity, body, found)
    VALUES (:id, :day, :kind, :activity, :body, :found)
    ON CONFLICT (id) DO UPDATE SET body = :body"""
"""A finding, or the same with newer numbers."""

FINDING = "SELECT id, day, kind, body, found, looked, who, reason FROM oversight_findings WHERE id = :id"
"""One finding."""

LOOK = "UPDATE oversight_findings SET looked = :at, who = :who, reason = :reason WHERE id = :id"
"""Somebody looked at it."""

OPEN_OF = "SELECT COUNT(*) FROM oversight_findings WHERE looked IS NULL AND activity = :activity"
"""How many about an activity nobody looked at."""

DAYS_OF = {
    "person": "SELECT day, SUM(times) AS times FROM oversight_people WHERE subject = :key AND day >= :day GROUP BY day",
    "asker": """SELECT day, SUM(permitted + refused) AS times FROM oversight_use
        WHERE person = :key AND peer = :peer AND day >= :day GROUP BY day""",
    "off-hours": f"""SELECT day, SUM(permitted + refused) AS times FROM oversight_use
        WHERE person = :key AND peer = :peer AND day >= :day AND {_OFF} GROUP BY day""",
    "refused": """SELECT day, SUM(refused) AS times FROM oversight_use
        WHERE person = :key AND peer = :peer AND day >= :day GROUP BY day""",
    "volume": """SELECT day, SUM(permitted + refused) AS times FROM oversight_use
        WHERE activity = :activity AND peer = :peer AND day >= :day GROUP BY day""",
    "hour": """SELECT hour AS day, SUM(permitted + refused) AS times FROM oversight_use
        WHERE day = :on AND peer = :peer GROUP BY hour""",
}
"""The counts that a finding is drawn with, by what it is about."""

REVIEW = "INSERT INTO oversight_reviews (activity, at, body) VALUES (:activity, :at, :body)"
"""A review; none is ever changed."""

REVIEWS = "SELECT activity, at, body FROM oversight_reviews ORDER BY activity, at"
"""Every review, the newest of an activity last."""

REVIEWS_OF = "SELECT body FROM oversight_reviews WHERE activity = :activity ORDER BY at DESC LIMIT 50"
"""Those of one activity, newest first."""

ALERT = "INSERT INTO oversight_alerts (place, at) VALUES (:place, :at) ON CONFLICT (place) DO NOTHING"
"""That a changed article was told of."""

ALERTS = "SELECT place FROM oversight_alerts"
"""Those that were."""

CHECKED = (
    "INSERT INTO oversight_checks (at, size, faults, checkpoint) VALUES (:at, :size, :faults, :checkpoint)"
)
"""The log was verified, and what was found."""

CHECKS = "SELECT at, size, faults, checkpoint FROM oversight_checks ORDER BY at DESC LIMIT :most"
"""The newest of those."""

VOLUME = """SELECT peer, SUM(permitted) AS permitted, SUM(refused) AS refused FROM oversight_use
    WHERE activity = :activity AND day >= :day GROUP BY peer"""
"""What an activity was used for in a period, by organisation."""

ASKED_FOR = (
    "SELECT dataset, times, newest FROM oversight_asked WHERE activity = :activity ORDER BY dataset LIMIT 200"
)
"""What was asked elsewhere for an activity."""

REFUSED = """SELECT rule, COUNT(*) AS times FROM oversight_decisions
    WHERE activity = :activity AND permit = 0 AND at >= :at GROUP BY rule ORDER BY times DESC LIMIT 50"""
"""By which rules an activity was refused."""

_COLUMNS = "idx, at, permit, action, rule, peer, activity, resource"
WHERE = {
    "rule": "rule = :rule",
    "peer": "peer = :peer",
    "activity": "activity = :activity",
    "outcome": "permit = :outcome",
    "since": "at >= :since",
    "until": "at < :until",
    "before": "idx < :before",
    "after": "idx > :after",
}


def decisions(filters: frozenset[str]) -> str:
    """Decisions that meet some filters (names of `WHERE`), newest first; after a place: the oldest of those, in that order."""
    conditions = " AND ".join(WHERE[one] for one in sorted(filters)) or "1 = 1"
    order = "ASC" if "after" in filters else "DESC"
    return f"SELECT {_COLUMNS} FROM oversight_decisions WHERE {conditions} ORDER BY idx {order} LIMIT :most"


def findings(filters: frozenset[str]) -> str:
    """Findings of a kind, or that nobody looked at; newest first."""
    given = {"kind": "kind = :kind", "open": "looked IS NULL", "seen": "looked IS NOT NULL"}
    conditions = " AND ".join(given[one] for one in sorted(filters)) or "1 = 1"
    return f"""SELECT id, day, kind, body, found, looked, who, reason FROM oversight_findings WHERE {conditions}
        ORDER BY day DESC, id LIMIT :most OFFSET :skip"""


COUNT_FINDINGS = """SELECT kind, SUM(CASE WHEN looked IS NULL THEN 1 ELSE 0 END) AS fresh, COUNT(*) AS every
    FROM oversight_findings GROUP BY kind"""
"""How many findings there are of each kind, and how many nobody looked at."""

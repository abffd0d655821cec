"""Tables and statements of contracts, the same for SQLite and PostgreSQL.

`content` is the JSON as it was received; `grants` is what was read from it, so that reading a contract back costs no
hashing. `standing` sums up the signatures for finding contracts by it: it is written with every signature, and what
it says follows from them.
"""

from sluis.store import Migration

PROPOSED, AGREED, CLOSED = 0, 1, 2
"""`standing`: someone has yet to accept; all did; someone rejected or revoked."""

MIGRATIONS = (
    Migration(
        "contracts",
        (
            """CREATE TABLE contracts (
                id {int} PRIMARY KEY, hash TEXT NOT NULL UNIQUE, iv TEXT NOT NULL UNIQUE, group_id TEXT NOT NULL,
                created {int} NOT NULL, not_before {int} NOT NULL, not_after {int} NOT NULL,
                types {int} NOT NULL, standing {int} NOT NULL, content {bytes} NOT NULL, grants {bytes} NOT NULL)""",
            "CREATE INDEX contracts_by_standing ON contracts (standing, not_after)",
            """CREATE TABLE contract_parties (
                peer TEXT NOT NULL, created {int} NOT NULL, contract {int} NOT NULL, types {int} NOT NULL,
                PRIMARY KEY (peer, created, contract)){clustered}""",
            "CREATE TABLE contract_grants (hash TEXT PRIMARY KEY, contract {int} NOT NULL){clustered}",
            """CREATE TABLE contract_signatures (
                contract {int} NOT NULL, peer TEXT NOT NULL, action TEXT NOT NULL, signed {int} NOT NULL,
                thumbprint TEXT NOT NULL, jws TEXT NOT NULL, PRIMARY KEY (contract, peer, action)){clustered}""",
        ),
    ),
    Migration(
        "validity of certificates, and what is open",
        (
            # Of what was signed before, the end is found when the Manager starts.
            "ALTER TABLE contract_signatures ADD COLUMN until {int} NOT NULL DEFAULT 0",
            "CREATE INDEX contract_signatures_by_certificate ON contract_signatures (thumbprint, action)",
            """CREATE TABLE contract_open (
                contract {int} PRIMARY KEY, peer TEXT NOT NULL, size {int} NOT NULL, not_after {int} NOT NULL)""",
            "CREATE INDEX contract_open_by_peer ON contract_open (peer, size)",
        ),
    ),
    Migration(
        "who brought a contract",
        (
            "ALTER TABLE contracts ADD COLUMN submitter TEXT NOT NULL DEFAULT ''",
            # Of what this peer signed something under, nobody asks any more.
            """UPDATE contracts SET submitter =
                COALESCE((SELECT o.peer FROM contract_open o WHERE o.contract = contracts.id), '')""",
        ),
    ),
)

CONTRACT_COLUMNS = (
    "id", "hash", "iv", "group_id", "created", "not_before", "not_after", "types", "standing", "content", "grants",
    "submitter",
)  # fmt: skip
_CONTRACT = ", ".join(f"c.{column}" for column in CONTRACT_COLUMNS)

LAST = "SELECT COALESCE(MAX(id), 0) FROM contracts"
"""The number of the newest contract."""

BY_HASH = f"SELECT {_CONTRACT} FROM contracts c WHERE c.hash = :hash"
"""One contract."""

IS_KNOWN = "SELECT id FROM contracts WHERE hash = :hash"
"""The number of one contract."""

SAME_IV = "SELECT hash FROM contracts WHERE iv = :iv"
"""The contract that has this initialisation vector."""

SIGNATURES = """SELECT contract, peer, action, jws, signed, thumbprint, until FROM contract_signatures
    WHERE contract IN :contracts ORDER BY contract, peer, action"""
"""All signatures of some contracts: the number of the contract, and then as `Signature` has it."""

ADD = f"""INSERT INTO contracts ({", ".join(CONTRACT_COLUMNS)})
    VALUES ({", ".join(f":{column}" for column in CONTRACT_COLUMNS)})"""
"""Keep a content."""

ADD_PARTY = "INSERT INTO contract_parties (peer, created, contract, types) VALUES (:peer, :created, :contract, :types)"
"""Note who is in it."""

ADD_GRANT = "INSERT INTO contract_grants (hash, contract) VALUES (:hash, :contract)"
"""Note which grants it has."""

SIGN = """INSERT INTO contract_signatures (contract, peer, action, signed, thumbprint, until, jws)
    VALUES (:contract, :peer, :action, :signed, :thumbprint, :until, :jws)
    ON CONFLICT (contract, peer, action) DO UPDATE SET
    signed = excluded.signed, thumbprint = excluded.thumbprint, until = excluded.until, jws = excluded.jws"""
"""Keep a signature, in the place of an earlier one of that peer for the same action."""

SET_STANDING = "UPDATE contracts SET standing = :standing WHERE id = :id"
"""What the signatures come to."""

AGREED_NOT_OVER = f"""SELECT hash, created, not_before, not_after, grants,
    (SELECT MIN(until) FROM contract_signatures s WHERE s.contract = c.id AND s.action = 'accept') AS until
    FROM contracts c WHERE standing = {AGREED} AND not_after >= :now ORDER BY id"""
"""What is in force, or will be, and until when the certificates are valid that it was accepted with."""

OPEN = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM contract_open WHERE peer = :peer"
"""How many contracts a peer brought that this one signed nothing under, and their bytes."""

ADD_OPEN = (
    "INSERT INTO contract_open (contract, peer, size, not_after) VALUES (:id, :peer, :size, :not_after)"
)
"""Note that a peer brought this contract."""

DECIDED = "DELETE FROM contract_open WHERE contract = :id"
"""This peer signed something under it."""

_FORGOTTEN = "(SELECT contract FROM contract_open WHERE not_after < :before)"
FORGET = (
    f"DELETE FROM contract_signatures WHERE contract IN {_FORGOTTEN}",
    f"DELETE FROM contract_grants WHERE contract IN {_FORGOTTEN}",
    f"DELETE FROM contract_parties WHERE contract IN {_FORGOTTEN}",
    f"DELETE FROM contracts WHERE id IN {_FORGOTTEN}",
    "DELETE FROM contract_open WHERE not_after < :before",
)
"""Destroy what is over and was never signed here, in this order."""

CERTIFICATES = f"""SELECT DISTINCT s.peer, s.thumbprint, s.until FROM contract_signatures s JOIN contracts c ON c.id = s.contract
    WHERE s.action = 'accept' AND c.standing <> {CLOSED} AND c.not_after >= :now"""
"""What contracts that are not over were accepted with, and until when that is taken to be valid."""

JUDGE = "UPDATE contract_signatures SET until = :until WHERE thumbprint = :thumbprint AND action = 'accept'"
"""A certificate is valid until then."""

ACCEPTED_WITH = f"""SELECT {_CONTRACT} FROM contracts c
    WHERE c.standing <> {CLOSED} AND c.not_after >= :now AND c.id IN
    (SELECT contract FROM contract_signatures WHERE thumbprint = :thumbprint AND action = 'accept')"""
"""Contracts that are not over and were accepted with a certificate."""


NUMBERED = f"SELECT {_CONTRACT} FROM contracts c WHERE c.id IN :numbers"
"""These contracts, in no order."""


def page(descending: bool) -> str:
    """Contracts of a peer from a place on, in the order in which they were made: number, date, and bytes of content."""
    sign, order = ("<", "DESC") if descending else (">", "ASC")
    return f"""SELECT c.id, c.created, LENGTH(c.content) AS size
        FROM contract_parties p JOIN contracts c ON c.id = p.contract
        WHERE p.peer = :peer AND (p.created, p.contract) {sign} (:created, :id) AND (p.types & :types) <> 0
        ORDER BY p.created {order}, p.contract {order} LIMIT :limit"""


BY_GRANTS = """SELECT DISTINCT c.id, c.created, LENGTH(c.content) AS size
    FROM contract_grants g JOIN contracts c ON c.id = g.contract
    JOIN contract_parties p ON p.contract = c.id AND p.created = c.created AND p.peer = :peer
    WHERE g.hash IN :hashes ORDER BY c.created DESC, c.id DESC"""
"""Contracts of a peer with one of these grants; columns as `page`."""

BY_STANDING = f"""SELECT {_CONTRACT} FROM contracts c
    WHERE c.standing = :standing AND c.not_after >= :now AND (c.not_after, c.hash) > (:not_after, :hash)
    AND c.not_after <= :until ORDER BY c.not_after, c.hash LIMIT :limit"""
"""Contracts of one standing that end in a period, the first to end first, from a place on."""

COUNTS = """SELECT standing, CASE WHEN not_after < :now THEN 1 ELSE 0 END AS ended, COUNT(*) AS number
    FROM contracts GROUP BY 1, 2"""
"""How many contracts there are of each standing, and whether they ended; the index answers it."""

SIGNED_OTHERWISE = f"""SELECT {_CONTRACT} FROM contracts c JOIN contract_signatures s ON s.contract = c.id
    WHERE s.peer = :peer AND s.action = 'accept' AND s.thumbprint <> :thumbprint
    AND c.standing <> {CLOSED} AND c.not_after >= :now ORDER BY c.not_after, c.id LIMIT :limit"""
"""Contracts that a peer accepted with another certificate than this one."""

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
)

CONTRACT_COLUMNS = (
    "id", "hash", "iv", "group_id", "created", "not_before", "not_after", "types", "standing", "content", "grants",
)  # fmt: skip
_CONTRACT = ", ".join(f"c.{column}" for column in CONTRACT_COLUMNS)

LAST = "SELECT COALESCE(MAX(id), 0) FROM contracts"
"""The number of the newest contract."""

BY_HASH = f"SELECT {_CONTRACT} FROM contracts c WHERE c.hash = :hash"
"""One contract."""

SAME_IV = "SELECT hash FROM contracts WHERE iv = :iv"
"""The contract that has this initialisation vector."""

SIGNATURES = """SELECT contract, peer, action, jws, signed, thumbprint FROM contract_signatures
    WHERE contract IN :contracts ORDER BY contract, peer, action"""
"""All signatures of some contracts: the number of the contract, and then as `Signature` has it."""

ADD = f"""INSERT INTO contracts ({", ".join(CONTRACT_COLUMNS)})
    VALUES ({", ".join(f":{column}" for column in CONTRACT_COLUMNS)})"""
"""Keep a content."""

ADD_PARTY = "INSERT INTO contract_parties (peer, created, contract, types) VALUES (:peer, :created, :contract, :types)"
"""Note who is in it."""

ADD_GRANT = "INSERT INTO contract_grants (hash, contract) VALUES (:hash, :contract)"
"""Note which grants it has."""

SIGN = """INSERT INTO contract_signatures (contract, peer, action, signed, thumbprint, jws)
    VALUES (:contract, :peer, :action, :signed, :thumbprint, :jws)
    ON CONFLICT (contract, peer, action)
    DO UPDATE SET signed = excluded.signed, thumbprint = excluded.thumbprint, jws = excluded.jws"""
"""Keep a signature, in the place of an earlier one of that peer for the same action."""

SET_STANDING = "UPDATE contracts SET standing = :standing WHERE id = :id"
"""What the signatures come to."""

AGREED_NOT_OVER = """SELECT hash, created, not_before, not_after, grants FROM contracts
    WHERE standing = :agreed AND not_after >= :now ORDER BY id"""
"""What is in force, or will be."""


def page(descending: bool) -> str:
    """Contracts of a peer from a place on, in the order in which they were made."""
    sign, order = ("<", "DESC") if descending else (">", "ASC")
    return f"""SELECT {_CONTRACT} FROM contract_parties p JOIN contracts c ON c.id = p.contract
        WHERE p.peer = :peer AND (p.created, p.contract) {sign} (:created, :id) AND (p.types & :types) <> 0
        ORDER BY p.created {order}, p.contract {order} LIMIT :limit"""


BY_GRANTS = f"""SELECT DISTINCT {_CONTRACT} FROM contract_grants g JOIN contracts c ON c.id = g.contract
    JOIN contract_parties p ON p.contract = c.id AND p.created = c.created AND p.peer = :peer
    WHERE g.hash IN :hashes ORDER BY c.created DESC, c.id DESC"""
"""Contracts of a peer with one of these grants."""

BY_STANDING = f"""SELECT {_CONTRACT} FROM contracts c
    WHERE c.standing = :standing AND c.not_after BETWEEN :since AND :until ORDER BY c.not_after, c.id LIMIT :limit"""
"""Contracts of one standing that end in a period, the first to end first."""

COUNTS = """SELECT standing, CASE WHEN not_after < :now THEN 1 ELSE 0 END AS ended, COUNT(*) AS number
    FROM contracts GROUP BY 1, 2"""
"""How many contracts there are of each standing, and whether they ended; the index answers it."""

SIGNED_OTHERWISE = f"""SELECT {_CONTRACT} FROM contracts c JOIN contract_signatures s ON s.contract = c.id
    WHERE s.peer = :peer AND s.action = 'accept' AND s.thumbprint <> :thumbprint
    AND c.standing <> {CLOSED} AND c.not_after >= :now ORDER BY c.not_after, c.id LIMIT :limit"""
"""Contracts that a peer accepted with another certificate than this one."""

"""What crosses between an asker's node and an owner's: the sub-question, the answer's frame, and the receipt."""

import msgspec

from sluis.kernel import Level, PeerId, level_of


class Acting(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acts, as the asking node vouches for it: a pseudonym of the person that only that node can undo, and how
    the person signed in (`local`: mapped from the operating-system user). `level` stands beside an `acr` that does not
    name one itself: of a broker or a directory whose own words the asking node's settings explain."""

    person: str
    acr: str
    level: Level | None = None

    @property
    def reached(self) -> Level | None:
        """The assurance level: what the `acr` names counts, whatever stands beside it."""
        return level_of(self.acr) or self.level


class KeyList(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of a key-list parameter. `type` is the DuckDB type of an element. `sealed` tokens are base64url."""

    type: str
    values: list[str | int | None] = []
    sealed: bool = False


class Seal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sealed columns of this sub-question (trust between owners; see `crypto.sealing`).

    `keys` holds, per opening owner (PeerId), the question's key sealed to that owner. Absent on the first
    sub-question: the owner that makes the tokens draws the key and returns these with its answer.
    `openers` are the signed cards (JWS) of the owners that will need to open tokens: with them the maker seals.
    """

    question: str
    columns: tuple[str, ...] = ()
    """Output columns of this sub-question that must leave as tokens."""
    parameters: tuple[str, ...] = ()
    """Key-list parameters of this sub-question that hold tokens."""
    openers: tuple[str, ...] = ()
    maker: PeerId | None = None
    key: str | None = None
    """The key sealed to the addressee, base64url; absent when the addressee is to draw it."""
    signature: str = ""
    """The maker's signature (JWS) over question, asker, activity, expiry and the sealed key's digest."""


class SubQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """The part of a question that one owner is asked. Body of `POST /v1/consultations`, as JSON.

    `sql` is one SELECT in DuckDB dialect over this owner's datasets, named without owner. Constants are parameters
    (`$p0`); key lists appear as `column = ANY($k0)`.
    """

    sql: str
    activity: str
    case: str
    acting: Acting
    disclosures: dict[str, str]
    """Per dataset the digest of the offer the asker relies on; an owner that changed it answers Conflict."""
    parameters: dict[str, str | int | float | bool | None] = {}
    types: dict[str, str] = {}
    """DuckDB type per scalar parameter that JSON cannot carry by itself (DATE, TIMESTAMP, DECIMAL)."""
    keys: dict[str, KeyList] = {}
    seal: Seal | None = None
    combining: bool = False
    """The asking node asks as the combiner that the disclosures name: rows come, with the subject sealed, and only
    groups leave that node."""


class Charge(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer costs: eurocents, and for how many different people."""

    cents: int
    subjects: int = 0


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the owner states about an answer, signed (JWS, Ed25519, payload this struct as canonical JSON).

    Arrives as custom metadata `sluis.receipt` on the last, empty record batch of the Arrow stream, with the nonce
    in `sluis.nonce` (base64url). `commitment` is SHA-256 over nonce and the bytes of the answer's rows.
    """

    owner: PeerId
    asker: PeerId
    activity: str
    case: str
    disclosures: dict[str, str]
    """Per dataset: disclosure id, version and digest, as `id@version sha256:…`."""
    columns: dict[str, tuple[str, ...]]
    """Per dataset the columns this sub-question used."""
    rows: int
    subjects: int
    transaction_id: str
    trace_id: str
    time: str
    commitment: str
    position: int
    """Index in the owner's ledger of the last record of this consultation."""
    origin: str
    """Name of the owner's log, as in its checkpoints."""
    size: int
    witnesses: int = 0
    """How many peers have cosigned the newest checkpoint."""
    charge: Charge | None = None
    """What this answer costs under the `price` of its disclosures; absent when they have none."""

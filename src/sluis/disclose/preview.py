"""What a recipient would see of one person, for the eyes of an official of the owner.

It is the recipient's own question, made here, and answered by the steps that answer any (`service`, `understand`, `answer`):
decided for the recipient, held to the disclosure, read at the source. What differs: nothing is sent, no receipt is made, no
budget of the recipient is drawn on, and what goes on record is that this organisation looked, for an activity of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from sluis.crypto import Scope, Tokens, draw_key
from sluis.disclose.model import Opened
from sluis.disclose.records import Crossing
from sluis.disclose.seals import Sealing
from sluis.disclose.use import PREVIEW
from sluis.grounds import Column, Dataset, Disclosure
from sluis.kernel import ACR, Invalid, NotFound, PeerId, Refused, Text, Trace, new_trace_id
from sluis.ledger import ACTIVITY, PROCESSOR, Decision, Processing
from sluis.statement import Acting, KeyList, Seal, SubQuestion

MOST = 200
"""Rows that are shown; the rest is counted."""

_KEYS = "sleutel"
_SECONDS = 60


class Looking(msgspec.Struct, frozen=True):
    """Who looks, and how that goes on record.

    Args:
        trace: of the look.
        activity: URI of the owner's own processing activity for it.
        decisions: the records of the decisions that the official may.
        name: what the lines in the log say was done.
    """

    trace: Trace
    activity: str
    decisions: tuple[Decision, ...]
    name: str


class Shown(msgspec.Struct, frozen=True):
    """What a recipient would see.

    Args:
        rows: values by column, at most `MOST`.
        count: rows that the recipient would get.
        there: rows about this person that are at the source.
        consented: whether the person consented; None where the disclosure does not rest on consent.
    """

    rows: tuple[dict[str, Any], ...]
    count: int
    there: int
    consented: bool | None = None

    @property
    def withheld(self) -> int:
        """Rows at the source that the recipient does not get."""
        return max(self.there - self.count, 0)


class Rehearsal(Crossing, frozen=True, kw_only=True):
    """The recipient's question as it would cross; on record stands the look of the owner's official."""

    looking: Looking

    def permits(
        self, opened: Iterable[Opened], shape: str, sealed: Mapping[str, Any] | None = None
    ) -> list[Decision]:
        return list(self.looking.decisions)

    def about(
        self,
        subjects: Iterable[tuple[str, str]],
        opened: Sequence[Opened],
        pseudonym: Callable[[tuple[str, str]], str],
        now: datetime,
        failed: bool,
    ) -> list[Processing]:
        (one,) = opened
        seen = {"dataset": one.dataset.name, "disclosure": one.disclosure.id}
        return [
            msgspec.structs.replace(
                line,
                name=self.looking.name,
                resource={"attributes": {"service.name": self.alias}},
                attributes={name: value for name, value in line.attributes.items() if name != PROCESSOR}
                | {ACTIVITY: self.looking.activity, PREVIEW: seen},
            )
            for line in super().about(subjects, opened, pseudonym, now, failed)
        ]


def question_of(
    one: Opened, key: str, recipient: PeerId, own: PeerId, now: datetime
) -> tuple[SubQuestion, Sealing]:
    """What the recipient asks of one person: every column that it may see. Where it may only join on who the person is, the
    key comes sealed, as another owner in the question would have made it.

    Args:
        one: what is open to it.
        key: of the person, as the dataset has it.
        recipient: asks.
        own: this node.
        now: aware UTC.

    Returns:
        the question, and what opens the key in it.

    Raises:
        Refused: `preview-groups`, `preview-nobody`, `preview-nothing`: there is no such question.
    """
    dataset, disclosure, subject = one.dataset, one.disclosure, one.dataset.subject
    if subject is None:
        raise _nothing("preview-nobody", *_NOBODY)
    if disclosure.aggregate is not None:
        raise _nothing("preview-groups", *_GROUPS)
    columns = [column.name for column in dataset.columns if disclosure.columns.get(column.name) == "output"]
    if not columns:
        raise _nothing("preview-nothing", *_NOTHING)
    scope = Scope(
        new_trace_id(),
        str.__str__(own),
        str.__str__(recipient),
        disclosure.activity,
        int(now.timestamp()) + _SECONDS,
    )
    tokens = Tokens(draw_key(), scope)
    joined = disclosure.columns.get(subject.column) == "join"
    kind = _column(dataset, subject.column).type
    given = KeyList(kind, [tokens.seal(_typed(key, kind)) if joined else key], joined)
    question = SubQuestion(
        sql=select(dataset, columns),
        activity=disclosure.activity,
        case="-",
        acting=Acting("-", ACR["high"], "high"),
        disclosures={dataset.name: one.digest},
        keys={_KEYS: given},
        seal=Seal(scope.question, parameters=(_KEYS,)) if joined else None,
    )
    return question, Sealing(tokens if joined else None, {})


def select(dataset: Dataset, columns: Sequence[str]) -> str:
    """A question about the rows of one person."""
    subject = dataset.subject
    assert subject is not None
    chosen = ", ".join(f'd."{name}" AS "{name}"' for name in columns)
    return f'SELECT {chosen} FROM "{dataset.name}" AS d WHERE d."{subject.column}" = ANY(${_KEYS})'


def unbounded(dataset: Dataset, like: Disclosure, columns: Sequence[str]) -> Opened:
    """A dataset as its owner has it: no condition, no mask. For counting, and for asking whether data are secret."""
    whole = msgspec.structs.replace(
        like, dataset=dataset.name, columns=dict.fromkeys(columns, "output"), filters={}, rows=None, masks={},
        aggregate=None, ground="public-task", subject_required=True,
    )  # fmt: skip
    return Opened(dataset, whole, "")


def owners_question(dataset: Dataset, columns: Sequence[str], key: str) -> tuple[SubQuestion, dict[str, Any]]:
    """What the owner asks itself about one person, and its parameters."""
    subject = dataset.subject
    assert subject is not None
    kind = _column(dataset, subject.column).type
    question = SubQuestion(
        select(dataset, columns),
        "-",
        "-",
        Acting("-", "-"),
        {dataset.name: ""},
        keys={_KEYS: KeyList(kind, [key])},
    )
    return question, {_KEYS: [key]}


def shown(table: pa.Table, there: int, consented: bool | None) -> Shown:
    """An answer for people to read."""
    return Shown(tuple(table.slice(0, MOST).to_pylist()), table.num_rows, there, consented)


def unknown_disclosure() -> NotFound:
    """The problem of a disclosure that is not, or no more."""
    return NotFound(
        "unknown-disclosure",
        Text("Deze verstrekking is er niet.", "There is no such disclosure."),
        Text("Zij staat niet in de bestanden van dit knooppunt.", "It is not in the files of this node."),
        Text("Kies een verstrekking uit de lijst.", "Choose a disclosure from the list."),
    )


def secret() -> Refused:
    """The refusal to show what is under secrecy."""
    return Refused(
        "preview-secret",
        Text("De gegevens van deze persoon zijn afgeschermd.", "The data of this person are under secrecy."),
        Text("Een proefblik is daarvoor niet toegestaan. Dat u keek, staat in het logboek.",
             "A preview is not allowed for that. That you looked is in the log."),
        Text("Vraag de privacyfunctionaris wie dit wel mag.", "Ask the privacy officer who may."),
        rule="preview-secret",
    )  # fmt: skip


def _column(dataset: Dataset, name: str) -> Column:
    found = dataset.column(name)
    assert found is not None
    return found


def _typed(key: str, kind: str) -> str | int:
    """A key as the source has it. Raises `Invalid`."""
    if kind not in ("BIGINT", "INTEGER"):
        return key
    if not (key.isascii() and key.isdecimal() and len(key) < 19):
        raise Invalid(
            "key-does-not-fit",
            Text("Dit nummer past niet.", "This number does not fit."),
            Text("In deze gegevens is het een getal.", "In these data it is a number."),
            Text("Vul alleen cijfers in.", "Fill in digits only."),
        )
    return int(key)


_NOBODY = (
    Text("Deze gegevens gaan niet over personen.", "These data are not about persons."),
    Text("Lees wat de verstrekking opent; dat is voor iedereen hetzelfde.",
         "Read what the disclosure opens; that is the same for everybody."),
)  # fmt: skip
_GROUPS = (
    Text("Deze verstrekking geeft alleen groepen, en nooit iets van één persoon.",
         "This disclosure gives groups only, and never anything of one person."),
    Text("Lees bij de verstrekking hoe groot een groep minstens is.", "Read with the disclosure how large a group is at least."),
)  # fmt: skip
_NOTHING = (
    Text("De ontvanger ziet hier geen enkel gegeven: hij mag er alleen mee koppelen of kiezen.",
         "The recipient sees nothing here: it may only join or select by it."),
    Text("Kies een andere verstrekking.", "Choose another disclosure."),
)  # fmt: skip


def _nothing(code: str, why: Text, after: Text) -> Refused:
    return Refused(
        code, Text("Er is niets te laten zien.", "There is nothing to show."), why, after, rule=code
    )

"""A question made ready: where it begins, and what each owner is asked."""

from datetime import date

import pytest

from sluis.grounds import Activity, Article, Disclosure, Offer, Subject
from sluis.grounds.model import OfferedColumn
from sluis.kernel import Oin, PeerId, Period, Text
from sluis.query.plan import Ready, make_ready
from sluis.statement import parse

PEER = PeerId("0" * 20)
LAW = Article("Participatiewet", "64", "BWBR0015703")
ACTIVITY = Activity(
    "urn:bijstand", Text("B", "B"), Text("B", "B"), Oin(PEER), "public-task", (LAW,), Period(date(2026, 1, 1))
)


def offer(
    alias: str,
    dataset: str,
    columns: dict[str, str],
    subject: str | None,
    key: str,
    rows: int,
    **more: object,
) -> Offer:
    disclosure = Disclosure(
        id=dataset, version=1, dataset=dataset, recipient=PEER, activity=ACTIVITY.id, columns=columns,
        articles=(LAW,), ground="public-task", controller=Oin(PEER), valid=Period(date(2026, 1, 1)), **more,
    )  # fmt: skip
    shown = tuple(OfferedColumn(name, "VARCHAR", role) for name, role in columns.items())
    return Offer(
        PEER, alias, dataset, Text(dataset, dataset), shown, disclosure, "sha256:x",
        Subject(subject, "BSN") if subject else None, key=(key,), rows=rows,
    )  # fmt: skip


PERSONS = {"bsn": "output", "adres": "output", "naam": "output"}
ADDRESSES = {"adres": "output", "plaats": "output"}


def ready(sql: str, persons: int, addresses: int, **changed: str) -> Ready:
    offers = {
        ("rvig", "personen"): offer("rvig", "personen", {**PERSONS, **changed}, "bsn", "bsn", persons, subject_required=False),
        ("bag", "adressen"): offer("bag", "adressen", ADDRESSES, None, "adres", addresses),
    }  # fmt: skip
    named = {("rvig", "personen"): offers["rvig", "personen"], ("bag", "adressen"): offers["bag", "adressen"]}
    return make_ready(parse(sql), ACTIVITY, named, PEER)


@pytest.mark.parametrize(("persons", "addresses"), [(1_000_000, 10), (10, 1_000_000)])
def test_a_question_begins_with_the_person_it_names_however_large_the_register(
    persons: int, addresses: int
) -> None:
    """Beginning with the town would have every address in it leave its owner."""
    made = ready(
        "select p.naam, a.plaats from rvig.personen p join bag.adressen a on a.adres = p.adres "
        "where p.bsn = $bsn and a.plaats = 'Sluiswijk'",
        persons,
        addresses,
    )
    assert [fetch.site for fetch in made.plan.fetches] == ["rvig", "bag"]
    assert made.plan.fetches[1].keys

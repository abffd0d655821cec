"""What a question means before anyone is asked: offers, provenance, what stays closed, which keys cross sealed."""

from datetime import date

import pytest

from sluis.grounds import Aggregate, Article, Closed, Disclosure, Offer, Subject
from sluis.grounds.model import OfferedColumn
from sluis.kernel import Invalid, Oin, PeerId, Period, Problem, Refused, Text
from sluis.query import rules
from sluis.query.model import Origin, Question
from sluis.statement import parse, qualify, text

PEER = PeerId("0" * 20)
LAW = Article("Participatiewet", "64", "BWBR0015703")


def offer(
    alias: str, dataset: str, columns: dict[str, str], closed: dict[str, str] | None = None, **more: object
) -> Offer:
    disclosure = Disclosure(
        id=f"{alias}-{dataset}", version=1, dataset=dataset, recipient=PEER, activity="urn:bijstand",
        columns=columns, articles=(LAW,), ground="public-task", controller=Oin(PEER), valid=Period(date(2026, 1, 1)),
        **{"closed": (Closed(tuple(closed), Text("Geheim.", "Secret."), LAW),) if closed else (), **more},  # type: ignore[arg-type]
    )  # fmt: skip
    everything = {**columns, **dict.fromkeys(closed or {})}
    shown = tuple(OfferedColumn(name, "VARCHAR", role) for name, role in everything.items())
    return Offer(
        PEER, alias, dataset, Text(dataset, dataset), shown, disclosure, "sha256:x", Subject("bsn", "BSN")
    )


PERSONEN = offer("rvig", "personen", {"naam": "output", "bsn": "output", "partner": "join"}, {"geheim": ""},
                 masks={"naam": "left(naam, 1)"}, rows="not geheim")  # fmt: skip
INKOMEN = offer("bd", "inkomen", {"bsn": "output", "bedrag": "output"})
OFFERS = {("rvig", "personen"): PERSONEN, ("bd", "inkomen"): INKOMEN}
SCHEMA, VISIBLE = rules.schemas(OFFERS)


def tree_of(sql: str):  # type: ignore[no-untyped-def]
    return qualify(parse(sql), SCHEMA, VISIBLE)


def code_of(kind: type[Problem], *named: tuple[str, str], activity: str = "urn:bijstand") -> Problem:
    with pytest.raises(kind) as caught:
        rules.choose(
            named,
            {"rvig": "RvIG", "bd": "Belastingdienst"},
            {"rvig": (PERSONEN,), "bd": (INKOMEN,)},
            activity,
        )
    return caught.value


def test_a_name_that_is_wrong_is_told_with_the_nearest() -> None:
    assert code_of(Invalid, ("rvgi", "personen")).code == "unknown-owner"
    assert "rvig.personen" in code_of(Invalid, ("rvig", "persoon")).next.en
    assert code_of(Invalid).code == "no-dataset"


def test_a_dataset_without_disclosure_for_the_activity_is_refused() -> None:
    assert code_of(Refused, ("rvig", "personen"), activity="urn:anders").rule == "no-disclosure"


@pytest.mark.parametrize("case", ["", "  ", "x" * 201, "a\nb"])
def test_a_question_needs_a_proper_case(case: str) -> None:
    with pytest.raises(Invalid):
        rules.check_case(Question("select 1", "urn:bijstand", case))


def test_a_disclosure_counts_on_its_days_only() -> None:
    rules.check_in_force("rvig", "personen", PERSONEN, date(2026, 1, 1))
    with pytest.raises(Refused) as caught:
        rules.check_in_force("rvig", "personen", PERSONEN, date(2025, 12, 31))
    assert caught.value.rule == "disclosure-expired"


def test_each_output_names_everything_it_was_computed_from() -> None:
    tree = tree_of(
        "with c as (select i.bsn, sum(i.bedrag) s from bd.inkomen i group by 1) "
        "select p.naam, coalesce(c.s, p.bsn) x, 1 one from rvig.personen p left join c on c.bsn = p.bsn"
    )
    naam = Origin("rvig", "personen", "naam", "left(naam, 1)")
    assert [(one.column, one.origins) for one in rules.provenance(tree, OFFERS)] == [
        ("naam", (naam,)),
        ("x", (Origin("bd", "inkomen", "bedrag"), Origin("rvig", "personen", "bsn"))),
        ("one", ()),
    ]


def test_every_branch_of_a_union_counts() -> None:
    tree = tree_of("select bsn from rvig.personen union all select bsn from bd.inkomen")
    [only] = rules.provenance(tree, OFFERS)
    assert [origin.owner for origin in only.origins] == ["rvig", "bd"]


def test_what_stays_closed_is_said_with_its_article() -> None:
    told = [(entry.what, entry.columns, entry.article) for entry in rules.stays_closed(OFFERS)]
    assert told == [
        ("columns", ("geheim",), "Participatiewet, art. 64"),
        ("rows", (), "Participatiewet, art. 64"),
        ("values", ("naam",), "Participatiewet, art. 64"),
    ]


def test_small_groups_are_said_to_stay_closed() -> None:
    counts = offer("bd", "telling", {"bedrag": "output"}, aggregate=Aggregate(10))
    [entry] = rules.stays_closed({("bd", "telling"): counts})
    assert "10" in entry.because.en


def sealed(sql: str) -> str:
    disclosures = {name: one.disclosure for name, one in OFFERS.items()}
    return text(rules.seal_joins(tree_of(sql), disclosures))


def test_both_sides_of_a_join_on_a_hidden_key_become_tokens() -> None:
    assert sealed(
        "select i.bedrag from rvig.personen p join bd.inkomen i on i.bsn = p.partner where p.bsn = '1'"
    ) == (
        "SELECT i.bedrag AS bedrag FROM rvig.personen AS p JOIN bd.inkomen AS i "
        "ON i.sealed__bsn = p.sealed__partner WHERE p.bsn = '1'"
    )


def test_both_sides_of_in_and_exists_become_tokens() -> None:
    assert "p.sealed__partner IN (SELECT i.sealed__bsn AS bsn" in sealed(
        "select p.naam from rvig.personen p where p.partner in (select i.bsn from bd.inkomen i)"
    )
    assert "i.sealed__bsn = p.sealed__partner" in sealed(
        "select p.naam from rvig.personen p where not exists (select 1 from bd.inkomen i where i.bsn = p.partner)"
    )


def test_an_open_key_stays_itself() -> None:
    assert "sealed__" not in sealed("select i.bedrag from rvig.personen p join bd.inkomen i on i.bsn = p.bsn")


def test_the_owner_reads_real_names_and_which_are_tokens() -> None:
    part = parse(
        "select p.naam, p.sealed__partner as k from rvig.personen p where p.sealed__partner = any($k0) and p.bsn = $b"
    )
    query, outputs, lists = rules.unseal(part)
    assert text(rules.own_tables(query)) == (
        "SELECT p.naam, p.partner AS k FROM personen AS p WHERE p.partner = ANY($k0) AND p.bsn = $b"
    )
    assert (outputs, lists) == (("k",), ("k0",))

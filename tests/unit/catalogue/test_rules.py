"""Entries follow from files, services and measurements: what is published is chosen, and what nobody said follows from what
is there."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.catalogue.examples import (
    EVENT,
    FULL,
    GROUNDS,
    INCOME,
    MEASURED,
    OF,
    SERVICE,
    TREES,
    described,
    full,
    whole,
)

from sluis.catalogue import Cost, Description, Entry
from sluis.catalogue.rules import project, published
from sluis.grounds import Grounds, Price
from sluis.kernel import Text


def entries(*said: Description, **more: object) -> dict[tuple[str, str], Entry]:
    found = project(whole(**more), said, GROUNDS, [SERVICE, "api"], SERVICE, OF, {"inkomen": MEASURED})
    return {(one.kind, one.name): one for one in found}


def test_nothing_is_published_that_nobody_chose() -> None:
    assert published(tuple(entries().values())) == ()


def test_what_is_chosen_is_published_and_the_way_to_it() -> None:
    found = published(tuple(entries(Description("dataset", "bomen", published=True)).values()))
    assert [(one.kind, one.name) for one in found] == [("dataset", "bomen"), ("service", SERVICE)]


def test_all_is_published_but_what_says_not() -> None:
    found = published(
        tuple(entries(Description("dataset", "inkomen", published=False), publish="all").values())
    )
    assert [one.name for one in found] == ["bomen", EVENT, "api", SERVICE]


def test_what_is_not_described_is_there_with_what_is_known() -> None:
    one = entries()["dataset", "inkomen"]
    assert (one.described, one.title, one.description) == (False, INCOME.title, INCOME.title)
    assert [column.name for column in one.columns] == [column.name for column in INCOME.columns]
    assert (one.contact, one.themes, one.subject, one.measured) == (
        whole().contact,
        ("GOVE",),
        "BSN",
        MEASURED,
    )


def test_who_may_have_it_follows_from_the_columns() -> None:
    found = entries()
    assert found["dataset", "bomen"].access_rights == "restricted"
    assert found["dataset", "inkomen"].access_rights == "non-public"
    assert (
        entries(described("dataset", "bomen", access_rights="public"))["dataset", "bomen"].access_rights
        == "public"
    )


def test_only_what_leaves_of_an_event_is_told() -> None:
    assert [column.name for column in entries()["event-type", EVENT].columns] == ["jaar"]


def test_prices_are_told_only_where_the_description_says_so() -> None:
    assert entries()["dataset", "inkomen"].prices == ()
    assert entries(described("dataset", "inkomen"))["dataset", "inkomen"].prices == ()
    agreed = entries(described("dataset", "inkomen", cost=Cost("agreed")))
    assert agreed["dataset", "inkomen"].prices == (Price(10), Price(25, 5))


def test_a_service_that_is_described_but_not_offered_is_not_there() -> None:
    assert ("service", "oud") not in entries(described("service", "oud"))


def test_a_service_without_a_description_goes_by_its_name() -> None:
    assert entries()["service", "api"].title == Text("api", "api")


@settings(max_examples=25, deadline=None)
@given(chosen=st.sets(st.sampled_from([(one.kind, one.name) for one in FULL])), every=st.booleans())
def test_who_gets_data_makes_no_difference_to_what_is_told(chosen: set[tuple[str, str]], every: bool) -> None:
    """Without agreed prices, a catalogue with disclosures is the same as one without."""
    said = [
        described(kind, name, published=(kind, name) in chosen)
        for kind, name in ((one.kind, one.name) for one in FULL)
    ]
    one = whole(publish="all" if every else "chosen")
    without = Grounds(GROUNDS.datasets, events=GROUNDS.events)
    assert project(one, said, GROUNDS, ["api"], SERVICE, OF, {}) == project(
        one, said, without, ["api"], SERVICE, OF, {}
    )


def test_what_people_write_of_the_node_itself_is_told() -> None:
    own = entries(described("service", SERVICE))["service", SERVICE]
    assert own.description.nl == "Wat het is (nl)"
    assert entries()["service", SERVICE].description.nl.startswith("Hierlangs")


def test_an_address_is_one_whatever_a_service_is_called() -> None:
    found = project(whole(), (), Grounds((TREES,)), ["één dienst/../x?y#z"], SERVICE, OF, {})
    assert found[-1].iri == f"{OF.base}/services/%C3%A9%C3%A9n%20dienst%2F..%2Fx%3Fy%23z"


def test_every_entry_has_an_address_of_its_own() -> None:
    addresses = [one.iri for one in full()[1]]
    assert len(set(addresses)) == len(addresses)

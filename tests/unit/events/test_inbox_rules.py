"""In which order the inbox hands on what comes, and from whom it takes it."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.events.samples import refused

from sluis.events.cloudevent import CloudEvent
from sluis.events.inbox.rules import all_numbered, arrange, check_source
from sluis.kernel import Invalid, PeerId, Refused

PEER = PeerId("00000001826002785000")


def event(**changed: object) -> CloudEvent:
    given: dict[str, object] = {
        "id": "e-1", "source": f"urn:nld:oin:{PEER!s}:systeem:zaken", "type": "nl.voorbeeld.gestopt", **changed,
    }  # fmt: skip
    return CloudEvent(**given)  # type: ignore[arg-type]


@given(
    st.permutations(range(1, 13)),
    st.lists(st.integers(1, 12), max_size=6),
    st.integers(1, 5),
    st.integers(1, 12),
)
def test_whatever_the_order_of_arrival_each_goes_on_once_in_its_place(
    order: list[int], again: list[int], size: int, most: int
) -> None:
    upto, held, gone = 0, set[int](), list[int]()
    arriving = [*order, *again]
    while arriving:
        some, arriving = arriving[:size], arriving[size:]
        came = {number for number in some if number not in held and number not in gone}
        plan = arrange(upto, held, came, most)
        gone += plan.release
        held = (held | set(plan.hold)) - set(plan.release)
        assert len(held) <= most
        arriving += plan.put_off
        upto = plan.upto
    assert gone == list(range(1, 13))
    assert (held, upto) == (set(), 12)


def test_what_is_not_to_be_had_any_more_is_passed_over() -> None:
    plan = arrange(2, {6, 9}, {4}, 9, through=7)
    assert (list(plan.release), list(plan.hold), plan.upto) == ([4, 6], [], 7)


def test_what_comes_after_it_was_passed_over_goes_on_at_once() -> None:
    plan = arrange(7, {9}, {5}, 9)
    assert (list(plan.release), list(plan.hold), plan.upto) == ([5], [], 7)


def test_an_event_is_its_bringers_own() -> None:
    check_source(event(), PEER)
    for source in (
        "urn:nld:oin:00000001001000001000:systeem:zaken",
        f"urn:nld:oin:{PEER!s}1:x",
        f"x:{PEER!s}:",
    ):
        with refused(Refused, "not-your-event"):
            check_source(event(source=source), PEER)


def test_an_event_has_its_number() -> None:
    assert all_numbered([event(extensions={"sequence": "12"})])[0].sequence == 12
    for wrong in ({}, {"sequence": "0"}, {"sequence": "-1"}, {"sequence": "1e3"}, {"sequence": "²"}):
        with refused(Invalid, "unfit-delivery"):
            all_numbered([event(extensions=wrong)])

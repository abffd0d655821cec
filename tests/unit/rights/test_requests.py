"""A request is kept, arrives once however often it is sent, is answered step by step, and is destroyed in time. Persons are fictitious."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import msgspec
import pytest
from tests.unit.rights.world import ANN, BOB, DAYS, MOST_OPEN, NOON, SIGNED, TAXES, TOWN, World

from sluis.kernel import Conflict, Invalid, NotFound, Refused, Text, Upstream, encode
from sluis.rights import rules
from sluis.rights.mine import Cell
from sluis.rights.model import (
    FOLLOWS,
    KINDS,
    REASONED,
    About,
    Asked,
    Confirmed,
    Kind,
    Placed,
    Progress,
    Reached,
    Stage,
    State,
)
from sluis.rights.saying import KIND_HINTS, KIND_NAMES, state_name
from sluis.rights.sending import GIVE_UP, PLACE, TRIES
from sluis.rights.service import A_DAY, LOOK_AGAIN
from sluis.rights.views import value_in_words

CORRECTION: tuple[Kind, ...] = ("correction",)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


async def decided(world: World, receipt: str, state: Reached, reason: str = "") -> None:
    await world.taxes.rights.decide("desk", str.__str__(TOWN), receipt, CORRECTION, state, reason)


async def test_a_report_arrives_and_every_step_comes_back(world: World) -> None:
    made = await world.place()
    assert (await world.known()).state == "waiting"
    await world.settle()
    assert (await world.known()).state == "received"
    for state, reason in (
        ("investigating", ""),
        ("extended", "Het archief is dicht."),
        ("refused", "Het klopt wel."),
    ):
        await decided(world, made.receipt, state, reason)  # type: ignore[arg-type]
        await world.settle()
        found = await world.known()
        assert (found.state, found.content.steps[-1].reason) == (state, reason)
    assert found.due is None


async def test_two_steps_at_once_both_come_back(world: World) -> None:
    made = await world.place()
    await world.settle()
    await decided(world, made.receipt, "investigating")
    due = await _due(world)
    await decided(world, made.receipt, "granted")
    await world.taxes.sending._send(due)  # the first answer arrives after the second was decided
    await world.settle()
    assert (await world.known()).state == "granted"


async def _due(world: World) -> object:
    with world.taxes.store.read() as connection:
        return world.taxes.rights.keeping.due(connection, int(NOON.timestamp()), 10)[0]


async def test_what_is_lost_on_the_way_is_sent_again_and_is_one_request(world: World) -> None:
    world.way.away = {TAXES}
    made = await world.place()
    await world.settle()
    assert (await world.known()).trouble == "peer-unreachable"
    world.way.away, world.way.lost = set(), 1
    world.clock.later(minutes=1)
    await world.settle()  # it arrives, and that it did does not
    assert (await world.known()).state == "waiting"
    world.clock.later(minutes=1)
    await world.settle()
    assert (await world.known()).state == "received"
    found, total = await world.taxes.rights.desk(CORRECTION, ("received",), 1)
    assert (total, found[0].receipt) == (1, made.receipt)
    assert [one["action"] for one in world.taxes.records()] == ["request.receive"]


async def test_an_answer_that_cannot_be_told_is_found_within_the_hour(world: World) -> None:
    made = await world.place()
    await world.settle()
    world.way.away = {TOWN}
    await decided(world, made.receipt, "granted")
    await world.settle()
    assert (await world.known()).state == "received"
    world.clock.later(seconds=LOOK_AGAIN)
    await world.town.sending.round()
    assert (await world.known()).state == "granted"


async def test_what_the_provider_asserts_goes_along_and_is_told_at_the_desk(world: World) -> None:
    sure = Confirmed("https://inloggen.example", "substantial", 5)
    world.taxes.believed, world.town.asserted = {"verklaring": sure}, ["verklaring"]
    made = await world.place()
    await world.settle()
    await world.place(BOB)  # of which nothing is asserted
    await world.settle()
    found, _ = await world.taxes.rights.desk(CORRECTION, ("received",), 1)
    assert {one.content.whom: one.content.confirmed for one in found} == {ANN: sure, BOB: None}
    assert all(one.content.signed is None for one in found)
    world.clock.later(seconds=LOOK_AGAIN)
    await world.settle()  # it is asked again how far it is: that is the same request
    sent = [msgspec.json.decode(body, type=Placed) for path, body in world.way.sent if path == PLACE]
    assert [one.assertion for one in sent if one.receipt == made.receipt] == ["verklaring", ""]
    assert (await world.known()).state == "received"


async def test_a_key_that_cannot_be_had_holds_nobody_up_for_long(world: World) -> None:
    away = Upstream("peer-unreachable", Text("-", "-"), Text("-", "-"), Text("-", "-"), retry=True)
    world.town.asserted = [away] * 20
    await world.place()
    for tries in range(TRIES):
        await world.settle()
        assert (await world.known()).state == "waiting", tries
        world.clock.later(hours=1)
    await world.settle()
    assert (await world.known()).state == "received"


async def test_what_never_arrives_ends_and_its_maker_sees_that(world: World) -> None:
    world.way.away = {TAXES}
    await world.place()
    world.clock.later(seconds=GIVE_UP)
    await world.town.sending.round()
    found = await world.known()
    assert (found.state, found.finished, found.due) == ("undeliverable", True, None)


@pytest.mark.parametrize("problem", [{"status": 503, "code": "store-unavailable"}, {"status": 503}])
async def test_who_cannot_take_anything_now_holds_up_nobody_elses_request(
    world: World, problem: dict[str, object]
) -> None:
    """An organisation whose database is full said so in the words of this node: its requests were sent again each second and
    stood before all others for good."""
    for _ in range(A_DAY):
        await world.place(BOB)
    world.way.says = [(503, encode(problem))] * A_DAY
    while await world.town.sending.round():
        pass
    assert not world.way.says
    world.clock.later(seconds=1)
    assert {one.attempts for one in await world.town.rights.of_person(BOB)} == {1}
    await world.place()
    world.clock.later(minutes=1)
    await world.settle()
    assert {one.state for one in await world.town.rights.of_person(BOB)} == {"received"}
    assert (await world.known()).state == "received"


async def test_an_organisation_that_cannot_read_it_ends_it_at_once(world: World) -> None:
    world.way.says = [(400, encode({"status": 400, "code": "invalid-body"}))]
    await world.place()
    await world.town.sending.round()
    assert (await world.known()).state == "undeliverable"


@pytest.mark.parametrize(
    "content",
    [b"nonsense", b"[]", b'{"receipt":"0000-0000-0000","steps":[{"state":"received","at":1}]}', b"x" * 300_000,
     b'{"receipt":"0000-0000-0000","steps":[]}', b'{"receipt":"x","steps":[{"state":"won","at":1}]}'],
)  # fmt: skip
async def test_an_answer_that_is_none_changes_nothing(world: World, content: bytes) -> None:
    world.way.says = [(200, content)]
    await world.place()
    await world.town.sending.round()
    assert (await world.known()).state == "waiting"
    world.clock.later(minutes=1)
    await world.settle()
    assert (await world.known()).state == "received"


async def test_nobody_else_says_how_far_a_request_is(world: World) -> None:
    made = await world.place()
    await world.settle()
    progress = Progress(made.receipt, (Stage("received", 1), Stage("granted", 2)))
    with pytest.raises(NotFound):
        await world.town.rights.told(TOWN, progress)
    with pytest.raises(Conflict):  # nor does it begin anew
        await world.town.rights.told(TAXES, progress)
    backwards = msgspec.structs.replace(
        progress, steps=(*(await world.known()).content.steps, Stage("granted", 9), Stage("received", 10))
    )
    with pytest.raises(Conflict):
        await world.town.rights.told(TAXES, backwards)
    assert (await world.known()).state == "received"


async def test_what_another_organisation_says_of_time_and_in_words_can_still_be_shown(world: World) -> None:
    """A moment at the end of the calendar took away the page of whoever asked there, for good."""
    made = await world.place()
    steps = (Stage("received", 253_402_200_000), Stage("refused", 0, "niet \u202egoed\x07"))
    await world.town.rights.told(TAXES, Progress(made.receipt, steps))
    found = await world.known()
    assert rules.answer_by("correction", found.content.steps) is not None
    assert found.content.steps[1].reason == "niet goed"
    await world.town.rights.told(TAXES, Progress(made.receipt, steps))  # the same may come again


async def test_what_a_desk_reads_has_no_letters_that_make_it_read_as_something_else(world: World) -> None:
    about = About("inkomen", "In\u202ekomen", "", "\x1bdoel")
    placed = Placed(
        "0000-0000-0000", "correction", ANN, "substantial", 0, about, Asked("\u2066a", "b\x00", "c")
    )
    for _ in range(2):
        await world.taxes.rights.receive(TOWN, placed)
    (found,), _ = await world.taxes.rights.desk(CORRECTION, ("received",), 1)
    assert found.content.about == About("inkomen", "Inkomen", "", "doel")
    assert found.content.asked == Asked("a", "b", "c")


async def test_a_number_belongs_to_one_request(world: World) -> None:
    made = await world.place()
    await world.settle()
    sent = next(body for path, body in world.way.sent if path == PLACE)
    placed = msgspec.json.decode(sent, type=Placed)
    assert (await world.taxes.rights.receive(TOWN, placed)).receipt == made.receipt
    with pytest.raises(Conflict):
        await world.taxes.rights.receive(TOWN, msgspec.structs.replace(placed, whom=BOB))
    assert (
        len((await world.taxes.rights.receive(TAXES, placed)).steps) == 1
    )  # of another organisation it is another


async def test_what_somebody_wrote_is_sealed_and_stands_in_no_log(world: World) -> None:
    made = await world.place(now="geheime woorden", should="andere woorden")
    await world.settle()
    await world.taxes.rights.opened("desk", str.__str__(TOWN), made.receipt, CORRECTION)
    await decided(world, made.receipt, "refused", "zeker niet")
    await world.settle()
    for side in (world.town, world.taxes):
        raw = side.raw()
        assert made.receipt.encode() in raw
        for secret in (b"geheime woorden", b"andere woorden", b"zeker niet", ANN.value.encode()):
            assert secret not in raw
    assert [one["action"] for one in world.taxes.records()] == [
        "request.receive",
        "request.read",
        "request.decide",
    ]
    assert len({one["trace_id"] for one in world.taxes.records()}) == 1


async def test_a_finished_request_is_destroyed_after_its_days_and_an_open_one_never(world: World) -> None:
    made = await world.place()
    await world.place(BOB)
    await world.settle()
    await decided(world, made.receipt, "granted")
    await world.settle()
    world.clock.later(days=DAYS, seconds=1)
    for side in (world.town, world.taxes):
        await side.rights.tidy()
    assert await world.town.rights.of_person(ANN) == []
    assert len(await world.town.rights.of_person(BOB)) == 1
    found, total = await world.taxes.rights.desk(CORRECTION, tuple(FOLLOWS), 1)
    assert (total, found[0].state) == (1, "received")


async def test_people_see_their_own_requests_and_make_so_many_a_day(world: World) -> None:
    for _ in range(A_DAY):
        await world.place(BOB)
    with pytest.raises(Refused) as refused:
        await world.place(BOB)
    assert refused.value.rule == "requests-pace"
    await world.place(ANN)
    assert len(await world.town.rights.of_person(ANN)) == 1
    with pytest.raises(Invalid):
        await world.town.rights.place(
            SIGNED, ANN, "00000009999999999999", "access", (await world.known()).content.about,
            (await world.known()).content.asked,
        )  # fmt: skip


async def test_an_organisation_has_so_many_open_and_another_and_what_is_finished_count_apart(
    world: World,
) -> None:
    def placed(at: int) -> Placed:
        return Placed(f"0000-0000-{at:04}", "correction", ANN, "high", 0, About(), Asked(should="x"))

    taxes = world.taxes.rights
    for at in range(MOST_OPEN):
        await taxes.receive(TOWN, placed(at))
    with pytest.raises(Refused) as refused:
        await taxes.receive(TOWN, placed(MOST_OPEN))
    assert (refused.value.rule, refused.value.retry) == ("requests-open", True)
    assert (await taxes.receive(TOWN, placed(0))).receipt == "0000-0000-0000"  # the same may come again
    await taxes.receive(TAXES, placed(MOST_OPEN))
    await decided(world, "0000-0000-0003", "granted")
    await taxes.receive(TOWN, placed(MOST_OPEN))
    with pytest.raises(Refused):
        await taxes.receive(TOWN, placed(MOST_OPEN + 1))


async def test_what_a_full_desk_does_not_take_arrives_when_there_is_room(world: World) -> None:
    for at in range(MOST_OPEN):
        full = Placed(f"0000-0000-{at:04}", "correction", BOB, "high", 0, About(), Asked(should="x"))
        await world.taxes.rights.receive(TOWN, full)
    await world.place()
    await world.settle()
    assert ((await world.known()).state, (await world.known()).trouble) == ("waiting", "too-many-open")
    await decided(world, "0000-0000-0000", "granted")
    world.clock.later(hours=1)
    await world.settle()
    assert (await world.known()).state == "received"


async def test_a_desk_sees_the_kinds_that_are_its_own(world: World) -> None:
    made = await world.place(kind="erasure", remark="Weg ermee.")
    await world.settle()
    assert (await world.taxes.rights.desk(CORRECTION, tuple(FOLLOWS), 1))[1] == 0
    with pytest.raises(NotFound):
        await world.taxes.rights.opened("desk", str.__str__(TOWN), made.receipt, CORRECTION)
    with pytest.raises(NotFound):
        await decided(world, made.receipt, "granted")


# Rules


@pytest.mark.parametrize(("state", "later"), list(product(FOLLOWS, FOLLOWS)))
def test_a_step_is_taken_when_the_table_says_so_and_a_reason_is_there(state: State, later: State) -> None:
    if later in ("waiting", "undeliverable"):
        return
    if later in FOLLOWS[state]:
        rules.check_step(state, later, "omdat")
        if later in REASONED:
            with pytest.raises(Invalid):
                rules.check_step(state, later, "")
        else:
            rules.check_step(state, later, "")
    else:
        with pytest.raises(Invalid):
            rules.check_step(state, later, "omdat")


def test_every_kind_and_state_has_words_in_both_languages() -> None:
    for kind, state in product(KINDS, FOLLOWS):
        assert all(
            (state_name(kind, state).nl, state_name(kind, state).en, KIND_NAMES[kind].nl, KIND_HINTS[kind][1])
        )
    assert state_name("correction", "granted") != state_name("erasure", "granted")


@pytest.mark.parametrize(
    ("received", "extended", "last"),
    [
        ((2026, 1, 31), False, (2026, 2, 28)),
        ((2026, 11, 23), False, (2026, 12, 23)),
        ((2026, 12, 31), True, (2027, 3, 31)),
    ],
)
def test_an_answer_must_be_there_within_a_month_or_three(
    received: tuple[int, int, int], extended: bool, last: tuple[int, int, int]
) -> None:
    at = int(NOON.replace(year=received[0], month=received[1], day=received[2]).timestamp())
    steps = [Stage("received", at), *([Stage("extended", at + 9, "druk")] if extended else [])]
    assert rules.answer_by("erasure", steps) == date(*last)
    assert rules.answer_by("decision", steps) is None
    assert rules.answer_by("erasure", []) is None


def test_what_somebody_writes_is_held_to_its_length_and_its_letters() -> None:
    asked = rules.asked_in("correction", "a\u202eb\x00", "c\r\nd", "")
    assert (asked.now, asked.should) == ("ab", "c\nd")
    for kind, fields, field in (
        ("correction", ("", " ", ""), "should"),
        ("objection", ("", "x", ""), "remark"),
        ("correction", ("x" * 2001, "y", ""), "now"),
    ):
        with pytest.raises(Invalid) as invalid:
            rules.asked_in(kind, *fields)  # type: ignore[arg-type]
        assert invalid.value.field == field


def test_receipts_have_no_letters_that_look_alike_and_are_not_given_twice() -> None:
    made = {rules.new_receipt() for _ in range(1000)}
    assert len(made) == 1000
    assert not set("".join(made)) & set("ILOU")


@pytest.mark.parametrize(
    ("cell", "nl", "en"),
    [
        (Cell(123456, "BIGINT", "eurocent per maand"), "€ 1.234,56 per maand", "€1,234.56 a month"),
        (Cell(date(2026, 11, 22), "DATE"), "22 november 2026", "22 November 2026"),
        (Cell(True, "BOOLEAN"), "ja", "yes"),
        (Cell(None, "VARCHAR"), "niet ingevuld", "not filled in"),
        (Cell("999990019", "VARCHAR", number=True), "9999.90.019", "9999.90.019"),
        (Cell(2025, "BIGINT"), "2025", "2025"),
        (Cell("<b>x</b>", "VARCHAR"), "<b>x</b>", "<b>x</b>"),
    ],
)
def test_a_value_is_written_as_people_write_it(cell: Cell, nl: str, en: str) -> None:
    assert (value_in_words(cell, "nl"), value_in_words(cell, "en")) == (nl, en)

"""From a source's own values to Arrow: what fits is kept exactly, what does not is a broken row with its place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from sluis.sources import SourceFailure
from sluis.sources.shape import Shape, arrow_type, counted


def one(kind: pa.DataType, value: Any) -> Any:
    return Shape(pa.schema([("v", kind)]), ["t.v"]).batch([(value,)]).column(0)[0].as_py()


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (pa.int64(), 2**60, 2**60),
        (pa.int64(), Decimal("3.00"), 3),
        (pa.decimal128(38, 0), 2**100, Decimal(2**100)),
        (pa.decimal128(15, 2), 12.34, Decimal("12.34")),
        (pa.decimal128(15, 2), Decimal("12.3"), Decimal("12.30")),
        (pa.float64(), 3, 3.0),
        (pa.bool_(), 1, True),
        (pa.date32(), "2020-02-29", date(2020, 2, 29)),
        (pa.date32(), date(2020, 2, 29), date(2020, 2, 29)),
        (pa.timestamp("us"), "2020-01-31 10:00:00.5", datetime(2020, 1, 31, 10, 0, 0, 500000)),
        (pa.timestamp("us", "UTC"), "2020-01-31T10:00:00+02:00", datetime(2020, 1, 31, 8, tzinfo=UTC)),
        (pa.string(), "0123", "0123"),
        (pa.int64(), None, None),
    ],
)
def test_a_value_that_fits_is_kept(kind: pa.DataType, value: Any, kept: Any) -> None:
    assert one(kind, value) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.int64(), "1"), (pa.int64(), 1.5), (pa.int64(), 1.0), (pa.int64(), True), (pa.int64(), Decimal("1.5")),
        (pa.int64(), 2**63), (pa.string(), 1), (pa.string(), b"a"), (pa.decimal128(15, 2), 12.345),
        (pa.decimal128(15, 2), Decimal("NaN")), (pa.decimal128(4, 2), Decimal("123.45")), (pa.decimal128(15, 2), "1"),
        (pa.float64(), 2**53 + 1), (pa.float64(), "1"), (pa.bool_(), 2), (pa.bool_(), "t"), (pa.date32(), "2020-02-30"),
        (pa.date32(), "20200229"), (pa.date32(), "2020-1-1"), (pa.date32(), datetime(2020, 1, 1)),
        (pa.timestamp("us"), "2020-01-31T10:00:00Z"), (pa.timestamp("us", "UTC"), "2020-01-31T10:00:00"),
        (pa.binary(), "a"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_a_broken_row(kind: pa.DataType, value: Any) -> None:
    with pytest.raises(SourceFailure) as caught:
        one(kind, value)
    assert caught.value.kind == "broken-row"
    assert "t.v" in caught.value.place


def test_a_broken_row_is_named_by_its_key() -> None:
    shape = Shape(pa.schema([("id", pa.int64()), ("age", pa.int64())]), ["p.id", "p.age"], keys=[0])
    with pytest.raises(SourceFailure) as caught:
        shape.batch([(7, 1), (8, "old"), (9, 2)])
    assert caught.value.place == "p.age, row with id=8"


def test_a_broken_row_without_a_key_is_named_by_its_number() -> None:
    with pytest.raises(SourceFailure) as caught:
        Shape(pa.schema([("age", pa.int64())]), ["p.age"]).batch([(1,), ("old",)], first=100)
    assert caught.value.place == "p.age, row 102 of the answer"


def test_an_empty_value_in_a_required_column_is_a_broken_row() -> None:
    schema = pa.schema([pa.field("v", pa.int64(), nullable=False)])
    with pytest.raises(SourceFailure):
        Shape(schema, ["t.v"]).batch([(1,), (None,)])
    with pytest.raises(SourceFailure):
        Shape(schema, ["t.v"]).conform(pa.record_batch([pa.array([1, None])], names=["v"]))


def test_no_rows_make_an_empty_batch_of_the_schema() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    batch = Shape(schema, ["t.a", "t.b"]).batch([])
    assert (batch.num_rows, batch.schema) == (0, schema)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (pa.array(["1.23"]), pa.decimal128(4, 1)), (pa.array(["NaN"]), pa.decimal128(4, 1)), (pa.array([2]), pa.bool_()),
        (pa.array([-1]), pa.bool_()), (pa.array(["2020-00-01"]), pa.date32()), (pa.array([2**40]), pa.int32()),
        (pa.array([1.5]), pa.int64()),
    ],
)  # fmt: skip
def test_a_batch_of_a_driver_is_cast_without_loss_or_not_at_all(given: pa.Array, kind: pa.DataType) -> None:
    with pytest.raises(SourceFailure) as caught:
        Shape(pa.schema([("v", kind)]), ["t.v"]).conform(pa.record_batch([given], names=["v"]))
    assert caught.value.kind == "broken-row"


def test_rows_are_counted_before_they_are_given() -> None:
    batches = iter([pa.record_batch([pa.array([1, 2])], names=["v"])] * 3)
    given = counted(batches, 5)
    assert [next(given).num_rows, next(given).num_rows] == [2, 2]
    with pytest.raises(SourceFailure) as caught:
        next(given)
    assert caught.value.kind == "too-many-rows"


def test_every_type_that_a_source_gives_has_an_arrow_type() -> None:
    assert arrow_type("DECIMAL(15,2)") == pa.decimal128(15, 2)
    assert arrow_type("HUGEINT") == pa.decimal128(38, 0)
    with pytest.raises(ValueError, match="INTERVAL"):
        arrow_type("INTERVAL")

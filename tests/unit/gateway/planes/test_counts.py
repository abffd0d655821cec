"""What nginx counts, as it is read."""

from sluis.gateway.meter import Meter
from sluis.gateway.planes.counts import Counts


def counted(*pieces: bytes) -> tuple[Meter, Meter]:
    inway, outway = Meter(), Meter()
    counts = Counts({b"i": inway, b"o": outway})
    for piece in pieces:
        counts.take(piece)
    return inway, outway


def test_equal_lines_are_counted_each_on_its_side() -> None:
    inway, outway = counted(b"i 200 0.002 100 300 20 -\n" * 3 + b"o 204 0.500 0 300  -\n")
    assert (dict(inway.requests), inway.downward, inway.upward) == ({2: 3}, 300, 60)
    assert (dict(outway.requests), outway.total, outway.upward) == ({2: 1}, 0.5, 0)
    assert sum(inway.seconds) == 3


def test_line_in_pieces_is_counted_once() -> None:
    inway, _ = counted(b"i 200 0.0", b"02 100 300 20 -", b"\ni 200")
    assert dict(inway.requests) == {2: 1}


def test_refusal_is_counted_by_its_code_and_only_when_it_is_one_of_ours() -> None:
    _, outway = counted(b"o 403 0.001 80 200  ERROR_CODE_NO_CONTRACT\no 403 0.001 80 200  SOMETHING\n")
    assert dict(outway.refusals) == {"ERROR_CODE_NO_CONTRACT": 1}
    assert dict(outway.requests) == {4: 2}


def test_client_that_went_away_counts_as_unanswered() -> None:
    inway, _ = counted(b"i 499 1.000 0 300  -\n")
    assert dict(inway.requests) == {0: 1}


def test_no_more_counts_as_sent_than_was_read() -> None:
    inway, _ = counted(b"i 400 0.001 0 300 99999999999 -\n")
    assert inway.upward == 300


def test_what_cannot_be_read_counts_for_nothing() -> None:
    inway, outway = counted(b"\nx 200 0.1 1 1 1 -\ni 200 0.1 1 1 1\ni two 0.1 1 1 1 -\ni 200 0.1 1 1 4 5 -\n")
    assert not inway.requests
    assert not outway.requests
    assert inway.upward == 0


def test_length_that_is_no_number_counts_for_nothing() -> None:
    inway, _ = counted(b"i 400 0.001 0 300 -999999999 -\n")
    assert (dict(inway.requests), inway.upward) == ({4: 1}, 0)

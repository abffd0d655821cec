"""The workplace says what one does on each page."""

from sluis.kernel import Text
from sluis.serve.about import ABOUT, explained
from sluis.web import Entry


def test_what_a_room_says_itself_counts_and_the_rest_is_said_here() -> None:
    title, own = Text("a", "a"), Text("eigen", "own")
    asked, mine, unknown = explained(
        [Entry("/ask", title), Entry("/mine", title, about=own), Entry("/x", title)]
    )
    assert (asked.about, mine.about, unknown.about) == (ABOUT["/ask"], own, None)

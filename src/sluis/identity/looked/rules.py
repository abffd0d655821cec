"""From lines of logs to what a person reads: what was done, by whom, what for. Pure."""

from collections.abc import Callable, Iterable, Sequence

from sluis.grounds import Article, Dataset, Grounds, Notice, Withhold
from sluis.identity.looked.model import Asker, Look, Question, Told
from sluis.kernel import Text
from sluis.ledger import ACTIVITY, DATASETS, PROCESSOR, Decision, Line
from sluis.policy import references_of

READ_AT = "dpl.read.externalReadAPI_id"
"""Where the log of the organisation that was asked can be read (LDV reading extension)."""

TOLD_OF = "sluis.event"
"""What of a line says by which notice somebody was told."""

_LONGEST_NAME = 300  # characters of what another organisation calls what it did
_LAST_MOMENT = 253_402_200_000_000  # ms: the last day of the year 9999, after which a calendar has no days


def look_of(
    line: Line,
    organisation: str,
    grounds: Grounds,
    called: Callable[[str], str | None],
    decisions: Iterable[Decision] = (),
    own: bool = False,
) -> Look:
    """One line for a person to read.

    Args:
        line: of a log, this node's or another's.
        organisation: in whose log it stands.
        grounds: of this node: what activities and data are called.
        called: the name of an organisation by an address of it, None for one that is not known.
        decisions: on the same request, from this node's own log; they tell which data it was.
        own: whether the line is of this node's own log; then it tells what was asked of another, and its notices tell of what
            somebody was told.
    """
    activity_id = str(line.attributes.get(ACTIVITY, ""))
    activity = grounds.activity(activity_id)
    data, articles = opened_by(decisions, grounds)
    if own and not data:
        data = _asked_in(line)
    notice = _notice_of(line, grounds) if own else None
    if notice is not None:
        data, articles = (notice.tells,), tuple(map(str, notice.articles))
    return Look(
        organisation,
        line.name[:_LONGEST_NAME],
        activity_id,
        min(max(line.start_time, 0), _LAST_MOMENT),
        plain_trace(line.trace_id),
        line.status == "Error",
        called(str(line.attributes.get(PROCESSOR, ""))),
        activity.name if activity else None,
        activity.purpose if activity else None,
        articles or tuple(map(str, activity.articles if activity else ())),
        data,
        isinstance(line.attributes.get(READ_AT), str),
    )


def _notice_of(line: Line, grounds: Grounds) -> Notice | None:
    """The notice by which somebody was told of the person, where the line is of that."""
    said = line.attributes.get(TOLD_OF)
    id = said.get("notice") if isinstance(said, dict) else None
    return next((one for one in grounds.notices if one.id == id), None)


def by_question(looks: Iterable[Look]) -> list[Question]:
    """Lines of one question and one activity together; the newest question, by its first line, comes first."""
    found: dict[tuple[str, str], list[Look]] = {}
    for look in sorted(looks, key=lambda one: one.began):
        found.setdefault((look.trace, look.activity), []).append(look)
    questions = [
        Question(one[0], any(each.failed for each in one), _told(one), chain_of(one))
        for one in found.values()
    ]
    return sorted(questions, key=lambda one: one.first.began, reverse=True)


def chain_of(lines: Sequence[Look]) -> tuple[Asker, ...]:
    """Who asked whom in one question: a tree from who began. An organisation stands in it once, at who asked it first, so that a
    circle ends.

    Args:
        lines: of the question, oldest first.
    """
    asked, by = dict[str, dict[str, None]](), set[str]()
    said, guessed = dict[str, dict[Text, None]](), dict[str, dict[Text, None]]()
    for one in lines:
        told = one.data or (Text(one.what, one.what),)
        said.setdefault(one.organisation, {}).update({} if one.asked else dict.fromkeys(told))
        if one.asked and one.other is not None:
            guessed.setdefault(one.other, {}).update(dict.fromkeys(one.data))
        if one.other is None or one.other == one.organisation:
            continue
        asker, owner = (one.organisation, one.other) if one.asked else (one.other, one.organisation)
        asked.setdefault(asker, {})[owner] = None
        by.add(owner)
    every = [*dict.fromkeys([*asked, *said])]
    beginners = [one for one in every if one not in by] or every[:1]
    seen = set(beginners)

    def below(name: str) -> Asker:
        new = [one for one in asked.get(name, ()) if one not in seen]
        seen.update(new)
        words = said.get(name) or guessed.get(name, {})  # of who told nothing, what the asker wrote down
        return Asker(name, tuple(words), tuple(map(below, new)))

    return tuple(map(below, beginners))


def articles_of(grounds: Grounds) -> dict[str, Article]:
    """Each article that the grounds of a node name, by how it is written in an overview."""
    articles = [
        *(one for source in grounds.activities for one in source.articles),
        *(one for source in grounds.disclosures for one in source.articles),
        *(one for source in grounds.notices for one in source.articles),
        *(rule.article for rule in withholding(grounds)),
    ]
    return {str(one): one for one in articles}


def withholding(grounds: Grounds) -> list[Withhold]:
    """The rules by which people are not shown, for a while, that data about them was asked for; each article once. What an
    organisation may withhold from anybody says nothing about anybody in particular."""
    rules = [*(one.withhold for one in grounds.disclosures), *(one.withhold for one in grounds.notices)]
    return [*{str(one.article): one for one in rules if one is not None}.values()]


def _told(lines: Sequence[Look]) -> tuple[Told, ...]:
    """Who asked need not say what, where whoever was asked says that in its own words."""
    tellers = {one.organisation for one in lines}
    others: dict[tuple[str, tuple[Text, ...]], dict[str, None]] = {}
    for one in lines:
        said = () if one.other in tellers else one.data or (Text(one.what, one.what),)
        others.setdefault((one.organisation, said), {}).update({one.other: None} if one.other else {})
    return tuple(Told(organisation, tuple(names), said) for (organisation, said), names in others.items())


def opened_by(decisions: Iterable[Decision], grounds: Grounds) -> tuple[tuple[Text, ...], tuple[str, ...]]:
    """Which data these decisions opened, in words, and the articles that the disclosures rest on."""
    data: dict[Text, None] = {}
    articles: dict[str, None] = {}
    known = {one.id: one for one in grounds.disclosures}
    for decision in decisions:
        references = references_of(decision)
        used = references.get("disclosure")
        disclosure = known.get(str(used.get("id"))) if isinstance(used, dict) else None
        dataset = grounds.dataset(disclosure.dataset) if disclosure is not None else None
        if disclosure is not None and dataset is not None:
            data[_in_words(dataset, tuple(disclosure.columns))] = None
            articles |= dict.fromkeys(map(str, disclosure.articles))
    return tuple(data), tuple(articles)


def _asked_in(line: Line) -> tuple[Text, ...]:
    """Of another organisation's data the names of the datasets are all that is known."""
    names = line.attributes.get(DATASETS)
    return tuple(Text(name, name) for name in names) if isinstance(names, list) else ()


def _in_words(dataset: Dataset, columns: Sequence[str]) -> Text:
    titles = []
    for name in columns:
        column = dataset.column(name)
        titles.append(column.title if column is not None and column.title else Text(name, name))
    return Text(
        f"{dataset.title.nl}: {', '.join(one.nl for one in titles)}",
        f"{dataset.title.en}: {', '.join(one.en for one in titles)}",
    )


def plain_trace(trace_id: str) -> str:
    """A trace as W3C writes it; the reading extension writes it as a UUID."""
    return trace_id.replace("-", "").lower()


def onward(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """Where these lines say that the question went on: address of a reading API, and trace; each once, in order."""
    found = [
        (address, plain_trace(line.trace_id))
        for line in lines
        if isinstance(address := line.attributes.get(READ_AT), str)
    ]
    return list(dict.fromkeys(found))

"""When an activity must be looked over again: because its day came, because a file says something else than was reviewed, or
because an article of law that it rests on has another version. Pure.

AVG article 30 asks for a register that is right; article 35, eleventh paragraph, for a new look when the risk changes.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sluis.grounds import Article, article_number
from sluis.kernel import HERE, from_milliseconds
from sluis.oversight.model import Changed, Cited, Entry, Review, Standing, State, Version

SOON = timedelta(days=60)
LONGEST = timedelta(days=3 * 366)
"""How far off the next review may be."""

ORDER: dict[State, int] = {"overdue": 0, "never": 1, "soon": 2, "fine": 3}


def place_of(article: Article) -> str:
    """The name under which versions of a place in the law are compared: the law's id, and the number of the article."""
    return f"{article.bwb} {article_number(article.article)}" if article.bwb else ""


def in_force(versions: Iterable[Version], article: Article, day: date) -> Version | None:
    """The version of an article on a day: that of the article itself where those are known, else that of the whole law."""
    number = article_number(article.article)
    of = [one for one in versions if one.bwb == article.bwb and one.since <= day]
    own = [one for one in of if one.article is not None and article_number(one.article) == number]
    return max(own or [one for one in of if one.article is None], key=lambda one: one.since, default=None)


def cited(articles: Iterable[Article], versions: Sequence[Version], day: date) -> tuple[Cited, ...]:
    """The versions of these articles that are in force on a day, as far as they are known."""
    found = ((place_of(one), in_force(versions, one, day)) for one in articles if one.bwb)
    return tuple(dict.fromkeys(Cited(place, one.since) for place, one in found if one is not None))


def changes(
    articles: Iterable[Article], reviewed: Review, versions: Sequence[Version], day: date
) -> tuple[Changed, ...]:
    """What of these articles has another version than the one that was reviewed. A version that is not known now says
    nothing; one that was not known at the review counts when it began after it."""
    then = {one.place: one.since for one in reviewed.cited}
    at = from_milliseconds(reviewed.at).astimezone(HERE).date()
    found = []
    for article in articles:
        now = in_force(versions, article, day)
        if now is None or article.bwb is None:
            continue
        place = place_of(article)
        before = then.get(place)
        if now.since > (before or at):
            found.append(Changed(str(article), now.since, before, article.bwb))
    return tuple(dict.fromkeys(found))


def standing(entry: Entry, review: Review | None, versions: Sequence[Version], day: date) -> Standing:
    """How an entry stands on a day."""
    if review is None:
        return Standing("never")
    changed = changes(articles_of(entry), review, versions, day)
    return Standing(due(review, day), review, changed, entry.digest != review.digest)


def due(review: Review, day: date) -> State:
    """Whether the next review is due."""
    if review.due < day:
        return "overdue"
    return "soon" if review.due - day <= SOON else "fine"


def articles_of(entry: Entry) -> tuple[Article, ...]:
    """Every article that an activity names."""
    return entry.activity.articles


def urgency(one: Standing) -> tuple[int, int, str]:
    """By what the list is in order: what is too late first, then what changed, then what is never looked at."""
    day = "" if one.review is None else one.review.due.isoformat()
    return (0 if one.state == "overdue" else 1 if one.changed or one.rewritten else 2, ORDER[one.state], day)

"""Disclosures and notices as Cedar policies: each opens one dataset, or the news of one type of event, to one peer for one
activity, while it and the activity hold.

What a disclosure says of rows and columns is not decided here, but enforced by whoever reads; so is the condition of a
notice by whoever publishes.
"""

from datetime import date

import msgspec

from sluis.grounds import Disclosure, Grounds, Notice
from sluis.kernel import Period
from sluis.policy.model import NOTIFY, OPENED, PEER, Ruling
from sluis.policy.rules import rank

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,:;/#@+=()")


def rulings_of(grounds: Grounds, alias: str, contracts: bool) -> tuple[Ruling, ...]:
    """What all disclosures and notices of a node come down to, in order of their policies' ids.

    Args:
        grounds: as loaded; what is for an activity that is not in there opens nothing.
        alias: the name that askers put before the dot.
        contracts: whether peers come under contracts.
    """
    valid = {one.id: one.valid for one in grounds.activities}
    made = [
        ruling_of(one, alias, valid[one.activity], contracts)
        for one in grounds.disclosures
        if one.activity in valid
    ]
    made += [
        notice_ruling(one, valid[one.activity], contracts) for one in grounds.notices if one.activity in valid
    ]
    return tuple(sorted(made, key=lambda one: one.policy))


def ruling_of(disclosure: Disclosure, alias: str, activity_valid: Period, contracts: bool) -> Ruling:
    """One disclosure as a ruling, with its Cedar policy; arguments as `rulings_of`."""
    ruling = Ruling(
        disclosure=disclosure.id,
        version=disclosure.version,
        recipient=str.__str__(disclosure.recipient),
        activity=disclosure.activity,
        dataset=f"{alias}.{disclosure.dataset}",
        valid=disclosure.valid,
        activity_valid=activity_valid,
        refuse_acr=disclosure.refuse_acr,
        minimum_level=disclosure.minimum_level,
        article=str(disclosure.articles[0]) if disclosure.articles else None,
    )
    return msgspec.structs.replace(ruling, text=_text(ruling, contracts))


def notice_ruling(notice: Notice, activity_valid: Period, contracts: bool) -> Ruling:
    """One notice as a ruling, with its Cedar policy; arguments as `rulings_of`."""
    ruling = Ruling(
        disclosure=notice.id,
        version=notice.version,
        recipient=str.__str__(notice.recipient),
        activity=notice.activity,
        dataset=notice.event,
        valid=notice.valid,
        activity_valid=activity_valid,
        article=str(notice.articles[0]),
        action=NOTIFY,
    )
    return msgspec.structs.replace(ruling, text=_text(ruling, contracts))


def day_number(day: date) -> int:
    """A day as policies compare it: 20260601."""
    return day.year * 10_000 + day.month * 100 + day.day


def quoted(text: str) -> str:
    """A string literal of Cedar that holds exactly `text`, whatever is in it."""
    return '"' + "".join(one if one in _PLAIN else f"\\u{{{ord(one):x}}}" for one in text) + '"'


def _text(one: Ruling, contracts: bool) -> str:
    conditions = [f"context.activity == {quoted(one.activity)}"]
    if contracts:
        conditions.append(f"context.agreed.contains({quoted(one.disclosure)})")
    conditions += [*_within(one.activity_valid), *_within(one.valid)]
    if one.refuse_acr:
        conditions.append(f"![{', '.join(map(quoted, one.refuse_acr))}].contains(context.acr)")
    if one.minimum_level is not None:
        conditions.append(f"context.level >= {rank(one.minimum_level)}")
    article = f"@article({quoted(one.article)})\n" if one.article is not None else ""
    return (
        f"@id({quoted(one.policy)})\n{article}permit (\n"
        f"  principal == {PEER}::{quoted(one.recipient)},\n"
        f'  action == Action::"{one.action}",\n'
        f"  resource == {OPENED[one.action]}::{quoted(one.dataset)}\n"
        ")\nwhen {\n  " + " &&\n  ".join(conditions) + "\n};\n"
    )


def _within(period: Period) -> list[str]:
    ends = [] if period.until is None else [f"context.day <= {day_number(period.until)}"]
    return [f"context.day >= {day_number(period.since)}", *ends]

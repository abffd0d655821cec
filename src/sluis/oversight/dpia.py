"""What a data protection impact assessment (AVG article 35, seventh paragraph) needs of the facts, made from the real settings
and counts. Pure. It is the factual part: what is done, for what, with whom, how much, and what holds it in; the judgement
stays with people."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from sluis.kernel import Text, plain
from sluis.oversight.model import Entry, Standing
from sluis.oversight.register import document
from sluis.oversight.service import Used


class Risk(msgspec.Struct, frozen=True):
    """Something that somebody has to look at."""

    told: Text
    href: str = ""


class Dossier(msgspec.Struct, frozen=True):
    """The facts of one activity on a day."""

    entry: Entry
    standing: Standing
    used: Used
    security: tuple[Text, ...]
    risks: tuple[Risk, ...]
    day: date
    version: str
    """Of the files: the first digits of the digest of activity and disclosures."""


def dossier(
    entry: Entry, standing: Standing, used: Used, findings: int, security: Sequence[Text], day: date
) -> Dossier:
    """The facts of an activity.

    Args:
        entry: of the register.
        standing: how it stands.
        used: in the last year.
        findings: how many about it nobody looked at.
        security: what protects it, from the settings.
        day: of this document.
    """
    return Dossier(
        entry, standing, used, tuple(security), risks(entry, standing, used, findings), day, entry.digest[:12]
    )


def risks(entry: Entry, standing: Standing, used: Used, findings: int) -> tuple[Risk, ...]:
    """What is open: overdue reviews, changed articles, sensitive data without a mask, what nobody used, refusals, findings."""
    found, here = list[Risk](), f"/register/{entry.key}"
    if standing.state == "never":
        found.append(Risk(Text("Deze verwerking is nog nooit getoetst.", "This activity was never reviewed."), here))  # fmt: skip
    if standing.state == "overdue":
        found.append(Risk(Text("De toets van deze verwerking is te laat.", "The review of this activity is overdue."), here))  # fmt: skip
    for one in standing.changed:
        found.append(Risk(Text(f"Artikel gewijzigd sinds de laatste toets: {one.place}.",
                               f"Article changed since the last review: {one.place}."), here))  # fmt: skip
    if standing.rewritten:
        found.append(Risk(Text("De instellingen zijn anders dan bij de laatste toets.",
                               "The settings are not those of the last review."), here))  # fmt: skip
    for recipient in entry.recipients:
        special = [
            one.name
            for one in recipient.columns
            if one.sensitivity == "special" and one.role == "output" and not one.mask
        ]
        if special:
            names = ", ".join(special)
            found.append(Risk(Text(f"Bijzondere persoonsgegevens zonder masker naar {recipient.name}: {names}.",
                                   f"Special categories of data without a mask to {recipient.name}: {names}.")))  # fmt: skip
        if recipient.until is None:
            nl, en = ("Kennisgeving", "Notice") if recipient.notice else ("Verstrekking", "Disclosure")
            found.append(Risk(Text(f"{nl} {recipient.id} heeft geen einddatum.", f"{en} {recipient.id} has no end.")))  # fmt: skip
    useful = {one.disclosure for one in used.through if one.questions}
    for recipient in entry.recipients:
        if not recipient.notice and recipient.id not in useful:
            found.append(Risk(Text(f"{recipient.name} gebruikte {recipient.id} het afgelopen jaar niet: is het nog nodig?",
                                   f"{recipient.name} did not use {recipient.id} in the last year: is it still needed?")))  # fmt: skip
    refused = sum(refused for _, _, refused in used.peers)
    if used.times and refused * 10 > used.times:
        found.append(Risk(Text(f"Van {used.times} vragen werden er {refused} geweigerd.",
                               f"Of {used.times} questions {refused} were refused."), "/oversight/decisions"))  # fmt: skip
    if findings:
        found.append(Risk(Text(f"Bevindingen van ongewoon gebruik die nog niemand bekeek: {findings}.",
                               f"Findings of unusual use that nobody looked at: {findings}."), "/oversight/unusual"))  # fmt: skip
    return tuple(dict.fromkeys(found))


def as_document(one: Dossier) -> dict[str, Any]:
    """A dossier as plain values."""
    return {
        "day": one.day.isoformat(),
        "version": one.version,
        "activity": document(one.entry, one.standing, one.security),
        "necessity": [
            {"recipient": recipient.name, "by": recipient.id, "what": plain(recipient.what),
             "columns": [plain(column) for column in recipient.columns], "closed": [plain(each) for each in recipient.closed],
             "limits": [plain(each) for each in recipient.limits], "retention": recipient.retention}
            for recipient in one.entry.recipients
        ],
        "last_year": {
            "by_disclosure": [plain(each) for each in one.used.through],
            "by_organisation": [{"oin": peer or None, "permitted": yes, "refused": no} for peer, yes, no in one.used.peers],
            "refused_by": [{"rule": rule, "times": times} for rule, times in one.used.rules],
            "asked_elsewhere": [{"dataset": name, "times": times, "last": at} for name, times, at in one.used.asked],
        },
        "open": [plain(risk.told) for risk in one.risks],
    }  # fmt: skip

"""Decisions and refusals for people: the list, read from where the last page ended, and one of them with its reasons and the
same decided again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import HERE, Invalid, PeerId, Text, beginning, from_milliseconds
from sluis.oversight.desk import Desk, changes
from sluis.oversight.record_pages import record_routes
from sluis.oversight.summing import Row as Decided
from sluis.policy import references_of
from sluis.web import (
    MOST_EXPORTED,
    STAFF,
    Asked,
    Cell,
    Column,
    Listing,
    Row,
    SignedIn,
    asked_in,
    export,
    page,
    setting_of,
)

SIZE = 50
ACTIONS: dict[str, Text] = {
    "ask": Text("een vraag stellen", "ask a question"),
    "consult": Text("gegevens raadplegen", "consult data"),
    "notify": Text("van gebeurtenissen horen", "hear of events"),
    "read-log": Text("het logboek lezen", "read the log"),
    "read-own-lines": Text("eigen logregels lezen", "read own log lines"),
    "read-group": Text("het beheer bekijken", "look at the gateway"),
    "change-group": Text("contracten en verbindingen wijzigen", "change contracts and connections"),
    "read-access": Text("toegang bekijken", "look at access"),
    "change-access": Text("toegang wijzigen", "change access"),
    "read-events": Text("gebeurtenissen bekijken", "look at events"),
    "change-events": Text("gebeurtenissen wijzigen", "change events"),
    "read-people": Text("vertegenwoordiging bekijken", "look at representation"),
    "change-people": Text("vertegenwoordiging wijzigen", "change representation"),
    "read-oversight": Text("toezicht houden", "oversee"),
    "change-oversight": Text("een toets of oordeel vastleggen", "record a review or judgement"),
    "read-contracts": Text("contracten bekijken", "look at contracts"),
    "request-contract": Text("een contract aanvragen", "request a contract"),
    "decide-contract": Text("over een contract beslissen", "decide about a contract"),
    "read-reports": Text("meldingen van fouten bekijken", "look at reports of mistakes"),
    "change-reports": Text("een melding behandelen", "handle a report"),
    "read-rights": Text("verzoeken over gegevens bekijken", "look at requests about data"),
    "change-rights": Text("een verzoek behandelen", "handle a request"),
    "read-data": Text("datasets en verstrekkingen bekijken", "look at datasets and disclosures"),
    "preview-data": Text("een proefblik nemen", "take a preview"),
    "preview-secret": Text("een proefblik bij geheime gegevens", "take a preview of secret data"),
    "read-questions": Text("bewaarde vragen bekijken", "look at saved questions"),
    "change-questions": Text("een vraag bewaren of weghalen", "save or remove a question"),
    "read-usage": Text("gebruik en kosten bekijken", "look at usage and costs"),
    "read-terms": Text("voorwaarden bekijken", "look at terms"),
    "accept-terms": Text("voorwaarden aanvaarden", "accept terms"),
    "try-service": Text("een dienst proberen", "try a service"),
    "publish-notifications": Text("notificaties publiceren", "publish notifications"),
    "receive-notifications": Text("notificaties ontvangen", "receive notifications"),
}
RULES: dict[str, Text] = {
    "disclosed": Text("een verstrekking staat het toe", "a disclosure permits it"),
    "notified": Text("een kennisgeving staat het toe", "a notice permits it"),
    "not-disclosed": Text("voor dit doel is niets geopend", "nothing was opened for this purpose"),
    "contract-missing": Text("er is geen contract voor", "there is no contract for it"),
    "activity-ended": Text("de verwerking is niet in werking", "the activity is not in force"),
    "not-valid-today": Text("de verstrekking geldt vandaag niet", "the disclosure does not hold today"),
    "sign-in-refused": Text("met deze manier van inloggen mag het niet", "not with this way of signing in"),
    "sign-in-too-weak": Text("te zwak ingelogd", "signed in too weakly"),
    "no-policy": Text("geen regel staat het toe", "no policy permits it"),
    "policy-failed": Text("een regel was niet uit te rekenen", "a policy could not be worked out"),
    "subject-required": Text("er is geen persoon genoemd", "no person was named"),
    "max-subjects": Text("te veel personen in één vraag", "too many persons in one question"),
    "budget-spent": Text("het dagelijkse aantal is op", "the number of the day is spent"),
    "column-closed": Text("een gevraagde kolom blijft gesloten", "a column asked for stays closed"),
    "column-join-only": Text("de kolom is alleen om te koppelen", "the column is only to join"),
    "column-filter-only": Text("de kolom is alleen om te kiezen", "the column is only to select"),
    "standard-inspect": Text(
        "wie zijn eigen gegevens opvraagt, mag dat", "people may ask for their own data"
    ),
    "standard-inspect-for-company": Text(
        "wie voor een bedrijf optreedt, mag opvragen wat erover bekend is",
        "who acts for a company may ask what is known about it",
    ),
    "standard-inspect-own-company": Text(
        "alleen voor wie voor het bedrijf optreedt", "only for who acts for the company"
    ),
    "standard-inspect-level": Text(
        "te zwak ingelogd voor eigen gegevens", "signed in too weakly for own data"
    ),
    "standard-inspect-oneself": Text(
        "alleen voor wie eigen gegevens vraagt", "only for who asks for their own data"
    ),
    "standard-own-lines-level": Text(
        "te zwak ingelogd voor eigen logregels", "signed in too weakly for own log lines"
    ),
    "standard-preview-data-level": Text(
        "te zwak ingelogd voor een proefblik", "signed in too weakly for a preview"
    ),
}
_OUTCOMES = (("1", Text("toegestaan", "permitted")), ("0", Text("geweigerd", "refused")))
_LONGEST_AGO = 3_000  # days
_CAPTION = Text("Besluiten, nieuwste eerst", "Decisions, newest first")
_NOTHING = Text("Er is nog niets besloten.", "Nothing was decided yet.")


def decision_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """These pages."""
    oversight = desk.oversight

    def columns() -> tuple[Column, ...]:
        rules, peers, activities = (oversight.summary.choices(one) for one in ("rule", "peer", "activity"))
        return (
            Column("at", Text("Wanneer", "When"), kind="moment"),
            Column("outcome", Text("Uitkomst", "Outcome"), filter=True, choices=_OUTCOMES),
            Column("action", Text("Wat", "What")),
            Column("peer", Text("Organisatie", "Organisation"), filter=True, foreign=True,
                   choices=tuple((one, _plain(called(one))) for one in peers)),
            Column("activity", Text("Verwerking", "Activity"), filter=True,
                   choices=tuple((one, oversight.called(one)) for one in activities)),
            Column("rule", Text("Regel", "Rule"), filter=True, choices=tuple((one, rule_words(one)) for one in rules)),
        )  # fmt: skip

    def called(peer: str) -> str:
        return name_of(peer, oversight.name)

    @get("/oversight/decisions", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wat er is besloten: toegestaan en geweigerd."""
        await desk.may_read(person)
        shape = await asyncio.to_thread(columns)
        asked = asked_in(request, shape, keep=("since", "until"), size=SIZE)
        given, period = filters_of(asked)
        most = MOST_EXPORTED + 1 if asked.form else SIZE + 1
        found = await asyncio.to_thread(oversight.summary.decisions, given, most)
        if asked.form:
            whole = Listing(_CAPTION, shape, (), asked)
            return await export(whole, "besluiten", setting_of(request).language, map(_row, found))
        rows = [_row(one) for one in found]
        more = str(found[SIZE - 1].idx) if len(found) > SIZE else ""
        view = Listing(_CAPTION, shape, tuple(rows[:SIZE]), asked, more=more, exports=True, nothing=_NOTHING)
        return page(request, "oversight/decisions.html", view=view, period=period, filters=asked.filters)

    async def shown(
        request: Request[Any, Any, Any], person: SignedIn, index: int, whole: bool
    ) -> Response[bytes]:
        """Een besluit, waarom het zo is, en hetzelfde opnieuw beoordeeld; met `whole` wie het vroeg en voor welke zaak."""
        told = await asyncio.to_thread(oversight.decision, index)
        return page(
            request, "oversight/decision.html", told=told, row=told.row, action=ACTIONS.get(told.row.action),
            rule=rule_words(told.row.rule), peer=called(told.row.peer), activity=oversight.called(told.row.activity), references=references_of(told.record),
            rule_words=rule_words, offer=changes(person) and not whole,
            content=msgspec.json.format(msgspec.json.encode(told.record), indent=2).decode() if whole else None,
        )  # fmt: skip

    place = "/oversight/decisions/{index:str}"
    return [listed, *record_routes(desk, place, f"{place}/content", shown)]


def filters_of(asked: Asked) -> tuple[dict[str, Any], dict[str, str]]:
    """What the list is narrowed to, for the database; and the period as it was asked. What is no day counts as not asked."""
    given: dict[str, Any] = {name: text for name, text in asked.filters.items() if name != "outcome"}
    if "outcome" in asked.filters:
        given["outcome"] = int(asked.filters["outcome"])
    kept, period = dict(asked.kept), dict[str, str]()
    for name, add in (("since", 0), ("until", 1)):
        try:
            day = datetime.strptime(kept.get(name, ""), "%Y-%m-%d").replace(tzinfo=HERE).date()
            given[name] = beginning(day + timedelta(days=add)) * 1000
            period[name] = day.isoformat()
        except (ValueError, OverflowError):
            continue
    if asked.after.isdecimal() and len(asked.after) < 18:
        given["before"] = int(asked.after)
    return given, period


def name_of(peer: str, name: Any) -> str:
    """What an organisation is called; itself where there is none."""
    if not peer:
        return ""
    try:
        return str(name(PeerId(peer)))
    except (Invalid, ValueError):
        return peer


def rule_words(rule: str) -> Text:
    """A rule in words; its own name when it has none, as that of an organisation's own policy."""
    if rule in RULES:
        return RULES[rule]
    action = ACTIONS.get(rule.removeprefix("standard-"))
    if action is None or not rule.startswith("standard-"):
        return _plain(rule or "–")
    return Text(f"de rol mag dit: {action.nl}", f"the role may do so: {action.en}")


def _row(one: Decided) -> Row:
    return Row(
        (
            Cell(from_milliseconds(one.at), f"/oversight/decisions/{one.idx}"),
            Cell("1" if one.permit else "0", tone="ok" if one.permit else "warning"),
            Cell(
                ACTIONS.get(one.action, _plain(one.action)),
                told=one.resource if one.peer else None,  # one's own question is about its activity
            ),
            one.peer or None,
            one.activity or None,
            one.rule or None,
        ),
        one,
    )


def _plain(text: str) -> Text:
    return Text(text, text)

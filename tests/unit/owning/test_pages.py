"""The pages of the owner of data: who may open them, what they say, and that nothing of a person is shown without a record."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.browser import Shown
from tests.unit.disclose.owner import ANN, ASKER, CIM, LAW, Owner, disclosure
from tests.unit.disclose.test_preview import SEEN, got
from tests.unit.owning.desk import ASKER_NAME, PREVIEWS, Desk, Group, desk

from sluis.catalogue import Measurement, keep_measurements
from sluis.grounds import Aggregate, Closed
from sluis.kernel import Text, Unkept
from sluis.ledger import Search
from sluis.owning.previewing import PREVIEWS_AN_HOUR
from sluis.sources import Probe

HOSTILE = "<script>alert(1)</script>'\"‮"
BAD = Text(HOSTILE, HOSTILE)
MASKED = disclosure(
    columns=SEEN, masks={"postcode": "left(postcode, 4)"}, rows="secret = 0", rows_because=Text("Geheim adres.", "Secret."),
    closed=(Closed(("house",), Text("Niet nodig.", "Not needed."), LAW),),
)  # fmt: skip
REASON = "Nagaan of het masker klopt"
PAGES = (
    "/data", "/data/datasets/persons", "/data/disclosures", "/data/disclosures/d-persons", "/data/preview", "/data/use", "/data/sources",
)  # fmt: skip


async def look(
    at: Desk, key: str = ANN, reason: str = REASON, who: str = "data-owner", id: str = "d-persons"
) -> Shown:
    browser = at.browser(who)
    form = (await browser.get("/data/preview")).form("/data/preview")
    return await browser.send(form, disclosure=id, key=key, reason=reason)


async def test_only_an_owner_of_data_opens_these_pages(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        for path in PAGES:
            assert (await at.browser().get(path)).status == 200, path
            for who in ("privacy-officer", "citizen"):
                assert (await at.browser(who).get(path)).status == 403, (path, who)
            assert (await at.browser("").get(path)).status == 303, path
        unknown = "/data/disclosures/none"  # nor does anybody else learn which there are
        assert (await at.browser().get(unknown)).status == 404
        assert (await at.browser("privacy-officer").get(unknown)).status == 403
        assert (
            (await at.browser("data-owner-weak").get("/data/preview"))
            .headers["location"]
            .startswith("/sign-in?")
        )
        weak = at.browser("data-owner-weak")
        form = (await weak.get("/data")).forms[0]  # signs out; its token serves
        asked = {**form.fields, "disclosure": "d-persons", "key": ANN, "reason": REASON}
        assert (await weak.post("/data/preview", asked)).headers["location"].startswith("/sign-in?")


@pytest.mark.parametrize("language", ["nl", "en"])
async def test_a_disclosure_is_told_in_words_with_the_law_and_where_it_is_written(
    tmp_path: Path, language: str
) -> None:
    with desk(tmp_path, MASKED, group=Group("d-persons")) as at:
        text = (await at.browser(language=language).get("/data/disclosures/d-persons")).text
        assert ASKER_NAME in text
        assert "https://wetten.overheid.nl/jci1.3:c:BWBR0015703&amp;artikel=64" in text
        assert "disclosures/d-persons.toml" in text
        assert "/contracts/%24" in text
        wanted = (
            ("alleen de eerste 4 tekens", "Niet nodig.")
            if language == "nl"
            else ("only the first 4 characters", "Not needed.")
        )
        assert all(one in text for one in wanted)
        assert "disclosure:d-persons@1" in text


async def test_what_waits_for_a_contract_or_a_policy_is_said(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED, group=Group(waiting=3)) as at:
        assert "Nu nog gesloten" in (await at.browser().get("/data/disclosures/d-persons")).text
        overview = (await at.browser().get("/data")).text
        assert "3 contracten wachten" in overview
        assert 'href="/contracts?section=us"' in overview
    policy = '@id("niet-nu")\nforbid (principal is peer, action == Action::"consult", resource);'
    with desk(tmp_path / "other", MASKED, own={"own.cedar": policy}) as at:
        assert "niet-nu" in (await at.browser().get("/data/disclosures/d-persons")).text


async def test_the_matrix_has_every_column_beside_every_disclosure_a_page_at_a_time(tmp_path: Path) -> None:
    many = [msgspec.structs.replace(MASKED, id=f"d-{number}") for number in range(20)]
    groups = disclosure("persons", id="groups", aggregate=Aggregate(10), subject_required=False)
    with desk(tmp_path, *many, groups) as at:
        first = (await at.browser().get("/data/datasets/persons")).text
        last = (await at.browser().get("/data/datasets/persons?page=3")).text
        assert first.count("gemaskeerd</span></td>") == 8
        assert "alleen groepen</span></td>" in last
        assert (await at.browser().get("/data/datasets/persons?page=99999999999")).status == 200
        assert (await at.browser().get("/data/datasets/elders")).status == 404
        assert (await at.browser().get("/data/disclosures/elders")).status == 404


async def test_a_preview_is_what_the_recipient_gets_and_is_on_record_for_the_person(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        shown = await look(at, "9999.90.019")
        assert shown.status == 200
        real: Any = (
            await got(Owner(tmp_path / "again", MASKED), MASKED, ANN)
            if (tmp_path / "again").mkdir() is None
            else None
        )
        assert all(
            str(value) in shown.text.replace("9999.90.019", ANN).replace(".", "")
            for value in map(str, real[0].values())
        )
        assert "1000AA" not in shown.text  # the mask
        assert ANN not in shown.url
        subjects = at.owner.log.subjects("BSN", ANN)
        (line,) = at.owner.log.log.processing(Search(subjects=tuple(subjects)), now=0)
        assert line.attributes["dpl.core.processing_activity_id"] == PREVIEWS
        assert line.name == "Proefblik van de bronhouder: persons"
        ((_, decided),) = at.owner.log.log.decisions(line.trace_id)
        request = decided.body["adl.core.request"]
        assert request["subject"]["id"] == "p-olga"
        assert request["context"]["reason"] == REASON
        assert ANN not in json.dumps(decided.body)
        text = (await at.browser().get("/data/use?by=disclosure&as=json")).json
        assert text["rows"] == [{"disclosure": "d-persons", "questions": 0, "persons": 0, "refused": 0, "failed": 0, "previews": 1, "cents": "0.00"}]  # fmt: skip


async def test_what_is_withheld_is_counted_with_the_reason(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        text = (await look(at, CIM)).text
        assert "geen enkele rij" in text
        assert "1 rij achtergehouden" in text
        assert "Geheim adres." in text


async def test_under_secrecy_nothing_is_shown_unless_a_policy_says_so(tmp_path: Path) -> None:
    plain = disclosure(columns={"bsn": "output", "name": "output"})
    opens = '@id("own")\npermit (principal is person, action == Action::"preview-secret", resource is data);'
    with desk(tmp_path, plain, secrecy=(("persons", "secret"),)) as at:
        refused = await look(at, CIM)
        assert refused.status == 403
        assert "Cim" not in refused.text
        assert (await look(at, ANN)).status == 200
    with desk(tmp_path / "other", plain, secrecy=(("persons", "secret"),), own={"own.cedar": opens}) as at:
        assert "Cim" in (await look(at, CIM)).text


async def test_what_cannot_be_recorded_is_not_shown(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        browser = at.browser()
        form = (await browser.get("/data/preview")).form("/data/preview")

        async def broken(records: Any) -> Any:
            raise Unkept("disk-full", *[Text("Vol.", "Full.")] * 3)

        at.owner.discloser._log = type(
            "Full", (), {"append": staticmethod(broken), "subject": at.owner.log.subject}
        )()
        shown = await browser.send(form, disclosure="d-persons", key=ANN, reason=REASON)
        assert shown.status == 503
        assert "Ann" not in shown.text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": "12"}, "key"),
        ({"key": ""}, "key"),
        ({"key": "9" * 300}, "key"),
        ({"reason": ""}, "reason"),
        ({"reason": "kort"}, "reason"),
        ({"reason": "x" * 1000}, "reason"),
        ({"reason": f"Over mevrouw {ANN} hier"}, "reason"),
    ],
)
async def test_what_is_filled_in_wrong_is_said_at_the_field_and_nothing_is_lost(
    tmp_path: Path, fields: dict[str, str], field: str
) -> None:
    with desk(tmp_path, MASKED) as at:
        shown = await look(at, **{"key": ANN, "reason": REASON, **fields})
        assert shown.status == 400
        assert f'href="#{field}"' in shown.text
        assert (REASON in shown.text) == (field == "key")
        assert at.owner.log.log.size() == 1  # that somebody opened the page


async def test_an_official_looks_so_often_and_no_more(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        for _ in range(PREVIEWS_AN_HOUR):
            assert (await look(at)).status == 200
        refused = await look(at)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) == 3600
        at.later(hours=1)
        assert (await look(at)).status == 200


async def test_a_recipient_that_would_be_refused_is_told_of_with_the_reason(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED, group=Group()) as at:
        shown = await look(at)
        assert shown.status == 200
        assert "De ontvanger krijgt geen antwoord" in shown.text
        assert "Geen geldig contract" in shown.text


async def test_without_a_ground_of_its_own_there_is_no_preview(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED, activity=None) as at:
        assert "data.preview_activity" in (await at.browser().get("/data/preview")).text
        browser = at.browser()
        form = (await browser.get("/data")).forms[0]  # signs out; its token serves
        shown = await browser.post(
            "/data/preview", {**form.fields, "disclosure": "d-persons", "key": ANN, "reason": REASON}
        )
        assert shown.status == 403


async def test_hostile_words_of_others_stay_words(tmp_path: Path) -> None:
    bad = msgspec.structs.replace(
        MASKED, rows_because=BAD, closed=(Closed(("house",), BAD),), masks={"postcode": "left(postcode, 4)"}
    )
    with desk(tmp_path, bad) as at:
        at.holdings.name = lambda peer: HOSTILE  # type: ignore[method-assign,assignment]
        for path in PAGES:
            assert "<script>alert" not in (await at.browser().get(path)).text
        assert "<script>alert" not in (await look(at, "<script>alert(1)</script>", HOSTILE)).text
        found = await at.browser().get(f"/data/use?by={HOSTILE}&days=-1&dataset={HOSTILE}")
        assert found.status == 200
        assert "<script>alert" not in found.text


async def test_use_is_told_over_days_and_taken_along(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED, disclosure("jobs")) as at:
        await at.owner.ask("SELECT j.job AS job FROM jobs AS j WHERE j.bsn = ANY($k)", [ANN])
        text = (await at.browser().get("/data/use?by=dataset&days=7")).text
        assert "In totaal 1 vraag." in text
        assert "/data/datasets/jobs" in text
        csv = await at.browser().get("/data/use?by=peer&as=csv")
        assert csv.headers["content-type"].startswith("text/csv")
        assert f"{ASKER_NAME};1;1;0;0;0;0,00" in csv.text
        assert str.__str__(ASKER) in (await at.browser().get("/data/use")).text
        each = await at.browser().get("/data/use?by=each&as=csv")
        (line,) = each.text.splitlines()[1:]
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d;{re.escape(ASKER_NAME)};[^;]+;[^;]+;1;1;0;0;0;0,00", line)
        assert each.text.splitlines()[0].endswith("Vragen;Personen;Geweigerd;Mislukt;Proefblikken;Kosten")
        (day,) = (await at.browser().get("/data/use?by=day&as=json")).json["rows"]
        assert (day["questions"], day["persons"]) == (1, 1)
        week = (await at.browser().get("/data/use?days=365")).text
        assert "Week vanaf" in week


class Hanging:
    """A source that answers nothing until a test lets it."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.dialect = None

    def probe(self) -> Probe:
        self.free.wait(20)
        return Probe(False, 12.0, None, None, HOSTILE)

    def tables(self) -> tuple[Any, ...]:
        return ()

    def close(self) -> None:
        self.free.set()


@contextmanager
def hanging(path: Path) -> Iterator[tuple[Desk, Hanging]]:
    source: Any = Hanging()
    with desk(path, MASKED, source=source) as at:
        yield at, source
        source.close()


async def test_a_source_that_hangs_holds_up_no_page_and_what_is_wrong_is_said_after(tmp_path: Path) -> None:
    with hanging(tmp_path) as (at, source):
        for path in ("/data/sources", "/data", "/data/datasets/persons"):
            shown = await asyncio.wait_for(at.browser().get(path), 3)
            assert "nog niet bekend" in shown.text
        source.close()
        for _ in range(100):
            if at.holdings.sources.states()[0].last is not None:
                break
            await asyncio.sleep(0.01)
        text = (await at.browser().get("/data/sources")).text
        assert "antwoordt niet" in text
        assert "sluis source probe" in text
        assert "<script>alert" not in text
        assert "Een bron antwoordt niet" in (await at.browser().get("/data")).text


async def test_what_was_measured_is_shown(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        keep_measurements(tmp_path, [Measurement("persons", at.now, 5, 1_234)])
        assert "1.234" in (await at.browser().get("/data/sources")).text
        assert "1.234" in (await at.browser().get("/data/datasets/persons")).text


async def test_what_the_last_change_was_is_shown(tmp_path: Path) -> None:
    with desk(tmp_path, MASKED) as at:
        assert "Wat er veranderde" not in (await at.browser().get("/data/disclosures/d-persons")).text
    newer = msgspec.structs.replace(MASKED, version=2, columns={"bsn": "output", "name": "output"}, masks={})
    with desk(tmp_path, newer) as at:
        text = (await at.browser().get("/data/disclosures/d-persons")).text
        assert "Wat er veranderde sinds versie 1" in text
        assert "left(postcode, 4)" in text


async def test_where_there_is_nothing_the_pages_say_what_to_do(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        assert "Nog aan niemand geopend" in (await at.browser().get("/data/datasets/persons")).text
        assert "Er is nog niets geopend" in (await at.browser().get("/data/disclosures")).text
        assert (
            "Niemand" in (await at.browser().get("/data/use")).text
            or "niemand" in (await at.browser().get("/data/use")).text
        )

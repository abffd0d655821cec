"""From the files of a node to mail in somebody's mailbox; and where somebody lives."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.contract.contact.notify_service import KEY
from tests.unit.contact.mailserver import Post, post_office
from tests.unit.contact.test_scenarios import FILE
from tests.unit.contact.world import BSN, NOON, Happened, write_templates

from sluis.config import examine_node, load_node
from sluis.contact.model import Address
from sluis.crypto import FileKeyStore
from sluis.kernel import Invalid, Trace
from sluis.ledger import open_ledger
from sluis.query import Question
from sluis.serve.contact import Homes, address_in, contact_of, telling_of
from sluis.store import open_store

NODE = """
[node]
oin = "00000001000000000001"
name = "Voorbeelddienst (fictief)"
alias = "dienst"
url = "https://dienst.voorbeeld.nl:8443"
environment = "test"

[channels.mail]
kind = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "post@dienst.example"
"""
EVENT_TYPE = """
type = "nl.voorbeeld.besluit.genomen"
title = { nl = "Besluit genomen", en = "Decision made" }
description = { nl = "Er is een besluit.", en = "There is a decision." }
subject = "BSN"
[facts.uitkomst]
type = "text"
meaning = { nl = "Wat is besloten.", en = "What was decided." }
[facts.kenmerk]
type = "text"
meaning = { nl = "Kenmerk van de zaak.", en = "Reference of the case." }
"""
ACTIVITY = """
id = "https://register.voorbeeld.nl/besluiten"
name.nl = "Besluiten"
name.en = "Decisions"
purpose.nl = "Mensen laten weten wat er is besloten."
purpose.en = "Letting people know what was decided."
controller = "00000001000000000001"
ground = "public-task"
[[articles]]
law = "Algemene wet bestuursrecht"
article = "3:41"
[valid]
since = 2020-01-01
"""


def write(folder: Path, port: int = 25, node: str = NODE) -> Path:
    for name in ("activities", "scenarios", "event-types"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "node.toml").write_text(node.format(port=port), encoding="utf-8")
    (folder / "activities/besluiten.toml").write_text(ACTIVITY, encoding="utf-8")
    (folder / "scenarios/besluit.toml").write_text(FILE.replace('"box"', '"mail"'), encoding="utf-8")
    (folder / "event-types/besluit.toml").write_text(EVENT_TYPE, encoding="utf-8")
    write_templates(folder / "templates")
    return folder


async def test_what_happens_arrives_as_mail(tmp_path: Path) -> None:
    post, nobody = Post(), None
    async with post_office(post) as port:
        loaded, keys = load_node(write(tmp_path, port), {}), FileKeyStore(tmp_path / "keys")
        with closing(open_store(tmp_path / "node.db")) as store:
            ledger = open_ledger(store, keys, "node.example/log", lambda: NOON)
            contact = contact_of(loaded, store, ledger, keys, nobody, nobody, lambda: NOON)  # type: ignore[arg-type]
            assert contact is not None
            person = contact._keeping.person(BSN)
            address = Address("email", "anna@voorbeeld.nl", 0)

            def happens(connection: Any) -> None:
                contact._keeping.keep(connection, person, address, 0)
                contact.heard(connection, Happened())

            await store.write(happens)
            await contact.work()
            await contact.reaching.settled()
            await contact.stop()
    message = post.message()
    assert (message["To"], message["Subject"]) == ("anna@voorbeeld.nl", "Er is een besluit")
    assert "Voorbeelddienst" in message["From"]


def test_a_node_without_channels_reaches_nobody(tmp_path: Path) -> None:
    write(tmp_path, node=NODE.partition("[channels")[0])
    (tmp_path / "scenarios/besluit.toml").unlink()
    nothing: Any = None
    assert (
        contact_of(load_node(tmp_path, {}), nothing, nothing, nothing, nothing, nothing, lambda: NOON) is None
    )


def test_a_scenario_that_is_wrong_keeps_a_node_from_starting(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "scenarios/besluit.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"mail"', '"duif"'), encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        load_node(tmp_path, {})
    assert refused.value.code == "unknown-channel"
    assert [one.code for one in examine_node(path, {})] == ["unknown-channel"]


def incomplete(node: str) -> str:
    return node.replace('sender = "post@dienst.example"\n', "")


def open_to_all(node: str) -> str:
    return node.replace('environment = "test"\n', "")


def half(node: str) -> str:
    return node + '[contact]\naddress_sql = "SELECT 1"\n'


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (incomplete, "channel-incomplete"),
        (open_to_all, "channel-unencrypted"),
        (half, "address-question-incomplete"),
        (lambda node: node + 'returns = "retour@dienst.example"\n', "channel-incomplete"),
        (lambda node: node + '[channels.post]\nkind = "print"\n', "channel-incomplete"),
        (
            lambda node: node + '[channels.sms]\nkind = "notify-sms"\nurl = "https://x"\n',
            "channel-incomplete",
        ),
        (lambda node: node + 'secret_file = "weg"\n', "missing-file"),
        (lambda node: node + '[channels.post]\nkind = "print"\nfolder = "weg"\n', "missing-folder"),
        (lambda node: node + '[contact]\nquiet_from = "25:00"\n', "wrong-value"),
    ],
)
def test_settings_that_cannot_work_are_told(tmp_path: Path, change: Callable[[str], str], code: str) -> None:
    write(tmp_path, node=change(NODE))
    assert code in {one.code for one in examine_node(tmp_path / "node.toml", {})}


@pytest.mark.parametrize(("key", "wrong"), [(KEY, False), ("geen sleutel", True), (KEY[:-1], True)])
def test_a_key_with_which_nothing_can_be_signed_is_told(tmp_path: Path, key: str, wrong: bool) -> None:
    sms = '[channels.sms]\nkind = "notify-sms"\nurl = "https://notify.example"\ntemplate = "t"\nsecret_file = "key"\n'
    write(tmp_path, node=NODE + sms)
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    found = {one.code for one in examine_node(tmp_path / "node.toml", {})}
    assert ("notify-key" in found) == wrong


# Where somebody lives


class Asked:
    """Answers each question with the same rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.questions = rows, list[Question]()

    async def rendered(self, question: Question, who: Any, render: Any) -> Any:
        self.questions.append(question)
        return self.rows


async def test_an_address_is_asked_for_under_an_activity_of_its_own(tmp_path: Path) -> None:
    node = (
        NODE
        + '[contact]\naddress_sql = "SELECT line_1 FROM brp.adressen WHERE bsn = $bsn"\naddress_activity = "urn:a"\n'
    )
    config = load_node(write(tmp_path, node=node), {}).config
    asked = Asked(
        [
            {
                "line_1": "A. Fictief",
                "line_2": " Nergensstraat   1 ",
                "line_3": None,
                "line_4": "1234 AB Nergens",
            }
        ]
    )
    homes = Homes(asked, config)  # type: ignore[arg-type]
    found = await homes.postal("BSN", BSN, "Z-1", Trace.begin())
    assert found is not None
    assert found.lines == ("A. Fictief", "Nergensstraat 1", "1234 AB Nergens")
    (question,) = asked.questions
    assert (question.activity, question.case, question.parameters) == ("urn:a", "Z-1", {"bsn": BSN})
    asked.rows = []
    assert await homes.postal("BSN", BSN, "", Trace.begin()) is None


async def test_a_company_is_asked_for_by_its_own_number_and_only_where_there_is_a_question(
    tmp_path: Path,
) -> None:
    node = (
        NODE
        + '[contact]\ncompany_address_sql = "SELECT line_1 FROM hr.adressen WHERE kvk = $kvk"\ncompany_address_activity = "urn:a"\n'
    )
    config = load_node(write(tmp_path, node=node), {}).config
    asked = Asked([{"line_1": "Fictieve Fietsen B.V.", "line_2": "Nergensweg 3"}])
    homes = Homes(asked, config)  # type: ignore[arg-type]
    kinds = ("BSN", "urn:nl:kvk", "urn:nl:rsin")
    assert [homes.asks(kind) for kind in kinds] == [False, True, False]
    found = [await homes.postal(kind, "90000003", "", Trace.begin()) for kind in kinds]
    assert [one is not None for one in found] == [False, True, False]
    assert [one.parameters for one in asked.questions] == [{"kvk": "90000003"}]


def test_a_name_alone_is_no_address_and_neither_is_a_house_without_a_name() -> None:
    assert address_in({"line_1": "A. Fictief", "line_2": "", "line_3": None}) is None
    assert address_in({"line_1": " ", "line_2": "Nergensstraat 1", "line_3": "1234 AB Nergenshuizen"}) is None
    assert address_in({"line_2": "Nergensstraat 1", "line_3": "1234 AB Nergenshuizen"}) is None


# The how-to


@pytest.mark.parametrize("number", range(8))
def test_the_settings_in_the_how_to_are_right(tmp_path: Path, number: int) -> None:
    page = Path(__file__).parents[3] / "docs/how-to/berichten.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 9
    bare = NODE.partition("[channels")[0]
    node = bare if number == 0 else bare.replace('environment = "test"\n', "")
    (tmp_path / "node.toml").write_text(node + blocks[number], encoding="utf-8")
    told = {one.code for one in examine_node(tmp_path / "node.toml", {})}
    assert told <= {"missing-file", "missing-folder"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            'consulted = "asked"\nconsulted_activity = "https://register.voorbeeld.nl/niets"',
            {"unknown-activity"},
        ),
        ('consulted = "asked"', {"consulted-without-ground"}),
        ('consulted = "off"\nconsulted_channels = ["duif"]', {"unknown-channel"}),
    ],
)
def test_word_of_consultations_takes_a_ground_and_a_channel(
    tmp_path: Path, settings: str, told: set[str]
) -> None:
    write(tmp_path)
    file = tmp_path / "node.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n[contact]\n{settings}\n", encoding="utf-8")
    assert told <= {one.code for one in examine_node(tmp_path, {})}


def test_who_is_told_of_nothing_is_inspection_and_asking_for_an_address(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / "node.toml"
    known = load_node(tmp_path, {})
    assert telling_of(known.config, known.grounds, None) is None  # type: ignore[arg-type]
    activity = known.grounds.activities[0].id
    told = (
        f'[contact]\nconsulted = "known"\nconsulted_activity = "{activity}"\nconsulted_silent = ["urn:a:b"]\n'
    )
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{told}", encoding="utf-8")
    loaded = load_node(tmp_path, {})
    telling = telling_of(loaded.config, loaded.grounds, None)  # type: ignore[arg-type]
    assert telling is not None
    assert (telling.known, telling.silent) == (True, frozenset({"urn:a:b"}))
    assert [one.channel for one in telling.scenario.steps] == ["mail"]

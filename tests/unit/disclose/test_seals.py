from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.disclose.owner import (
    ACTIVITY,
    ANN,
    ASKER,
    BOB,
    JOBS,
    NOW,
    OTHER,
    OWNER,
    PEOPLE,
    Answered,
    Owner,
    disclosure,
    fill,
)

from sluis.crypto import FileKeyStore, Grant, Scope, draw_key, key_digest, seal_key, sign_grant
from sluis.disclose.seals import Sealer
from sluis.gateway import Card
from sluis.kernel import Invalid, PeerId, Refused, decode
from sluis.ledger import Decision
from sluis.statement import SEALS, KeyList, Seal

JOINED = {"bsn": "join", "name": "output", "job": "output"}
TOKENS = "SELECT p.bsn AS token, p.name AS name FROM persons AS p WHERE p.city = 'Zwolle'"
BY_TOKEN = "SELECT j.bsn AS token, j.job AS job FROM jobs AS j WHERE j.bsn = ANY($k)"


class Federation:
    """Two owners, and an asker that may not see their keys."""

    def __init__(self, path: Path) -> None:
        cards: dict[str, Card] = {}
        for folder in ("one", "two"):
            (path / folder).mkdir()
            fill(path / folder / "people.sqlite", PEOPLE, JOBS)
        persons = disclosure(
            columns={"bsn": "join", "name": "output", "city": "output"}, subject_required=False
        )
        jobs = disclosure("jobs", columns={"bsn": "join", "job": "output", "id": "output"})
        self.one = Owner(path / "one", persons, cards=cards)
        self.two = Owner(path / "two", jobs, peer=OTHER, cards=self.one.cards)
        self.one.cards.update(self.two.cards)

    async def draw(self, **changed: Any) -> Answered:
        seal = Seal("q1", columns=("token",), openers=(f"card-{OTHER}",))
        return await self.one.ask(TOKENS, seal=msgspec.structs.replace(seal, **changed))

    def seal(self, drawn: Answered, **changed: Any) -> Seal:
        seal = decode(drawn.closing.extra[SEALS], dict[str, Seal])[OTHER]
        return msgspec.structs.replace(seal, **{"columns": ("token",), "parameters": ("k",), **changed})

    async def forward(
        self, tokens: list[Any], seal: Seal | None, sql: str = BY_TOKEN, **changed: Any
    ) -> Answered:
        keys = {"k": KeyList("VARCHAR", tokens, sealed=True)}
        return await self.two.ask(sql, **{"keys": keys, "seal": seal, **changed})


@pytest.fixture
def federation(tmp_path: Path) -> Federation:
    return Federation(tmp_path)


async def test_an_asker_joins_what_it_may_not_see(federation: Federation) -> None:
    drawn = await federation.draw()
    names = {row[0]: row[1] for row in drawn.rows}
    found = await federation.forward(list(names), federation.seal(drawn))
    joined = sorted((names[token], job) for token, job in found.rows)
    assert joined == [("Ann", "Bakker"), ("Ann", "Kok"), ("Bob", "Smid")]
    assert not set(names) & {ANN, BOB}


async def test_both_owners_know_whom_it_was_about(federation: Federation) -> None:
    drawn = await federation.draw()
    await federation.forward([row[0] for row in drawn.rows], federation.seal(drawn))
    assert sorted(federation.one.log.subjects()) == sorted(federation.two.log.subjects()) == [ANN, BOB]


async def test_who_could_read_sealed_keys_is_on_record(federation: Federation) -> None:
    """Owners that work together with the asker could open them; whoever reads the log later can see who could."""
    drawn = await federation.draw()
    await federation.forward([row[0] for row in drawn.rows], federation.seal(drawn))
    told = [
        record.attributes["adl.core.policies"]["sealed"]
        for owner in (federation.one, federation.two)
        for record in owner.log.records
        if isinstance(record, Decision)
    ]
    assert told == [{"maker": OWNER, "openers": [OWNER, OTHER]}, {"maker": OWNER}]


async def test_a_question_has_a_key_of_its_own(federation: Federation) -> None:
    first, second = await federation.draw(), await federation.draw()
    assert not {row[0] for row in first.rows} & {row[0] for row in second.rows}


async def test_a_join_column_takes_no_key_in_the_clear(federation: Federation) -> None:
    drawn = await federation.draw()
    with pytest.raises(Refused):
        await federation.two.ask(BY_TOKEN, [ANN], seal=federation.seal(drawn))
    with pytest.raises(Refused):
        await federation.two.ask(BY_TOKEN, [ANN], seal=federation.seal(drawn, parameters=()))
    with pytest.raises(Refused):
        await federation.two.ask("SELECT j.job AS job FROM jobs AS j WHERE j.bsn = ANY($k)", [ANN])


@pytest.mark.parametrize("tokens", [[ANN], ["A" * 40], [""], [7]])
async def test_a_token_that_no_owner_made_is_refused(federation: Federation, tokens: list[Any]) -> None:
    drawn = await federation.draw()
    with pytest.raises(Refused) as caught:
        await federation.forward(tokens, federation.seal(drawn))
    assert caught.value.rule == "sealed-keys"


async def test_a_token_of_another_question_is_refused(federation: Federation) -> None:
    other, drawn = await federation.draw(), await federation.draw()
    with pytest.raises(Refused):
        await federation.forward([row[0] for row in other.rows], federation.seal(drawn))


@pytest.mark.parametrize(
    "changed", [{"question": "q2"}, {"maker": ASKER}, {"signature": ""}, {"key": "AAAA"}, {"key": None}]
)
async def test_a_seal_that_was_changed_is_refused(federation: Federation, changed: dict[str, Any]) -> None:
    drawn = await federation.draw()
    with pytest.raises(Refused) as caught:
        await federation.forward([row[0] for row in drawn.rows], federation.seal(drawn, **changed))
    assert caught.value.rule == "sealed-keys"


async def test_sealed_keys_expire(federation: Federation) -> None:
    drawn = await federation.draw()
    federation.two.now = NOW.replace(hour=13)
    with pytest.raises(Refused):
        await federation.forward([row[0] for row in drawn.rows], federation.seal(drawn))


async def test_a_key_sealed_to_another_owner_is_refused(federation: Federation) -> None:
    drawn = await federation.draw()
    seals = decode(drawn.closing.extra[SEALS], dict[str, Seal])
    own = msgspec.structs.replace(seals[OWNER], columns=("token",), parameters=("k",))
    with pytest.raises(Refused):
        await federation.forward([row[0] for row in drawn.rows], own)


async def test_the_asker_cannot_make_tokens_itself(federation: Federation, tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path / "asker")
    federation.two.cards["card-asker"] = Card(
        ASKER, "A", "a", "https://a.example", keys.public, keys.sealing_public, NOW
    )
    scope = Scope("q1", str(ASKER), str(ASKER), ACTIVITY, int(NOW.timestamp()) + 60)
    sealed = seal_key(draw_key(), scope, federation.two.keys.sealing_public)
    signature = sign_grant(Grant(scope, str(OTHER), key_digest(sealed)), keys.sign, "card-asker")
    seal = Seal("q1", ("token",), ("k",), maker=ASKER, key=sealed, signature=signature)
    with pytest.raises(Refused) as caught:
        await federation.forward([], seal)
    assert caught.value.rule == "sealed-keys"


async def test_no_key_is_sealed_to_the_asker(federation: Federation, tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path / "asker")
    federation.one.cards["card-asker"] = Card(
        ASKER, "A", "a", "https://a.example", keys.public, keys.sealing_public, NOW
    )
    with pytest.raises(Refused):
        await federation.draw(openers=("card-asker",))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT j.bsn AS token, j.bsn AS clear FROM jobs AS j WHERE j.bsn = ANY($k)",
        f"SELECT j.bsn AS token FROM jobs AS j WHERE j.bsn = ANY($k) AND j.bsn = '{ANN}'",
        f"SELECT j.bsn AS token FROM jobs AS j WHERE j.bsn = ANY($k) AND j.bsn > '{ANN}'",
        "SELECT j.bsn AS token FROM jobs AS j JOIN jobs AS i ON i.bsn = j.bsn WHERE j.bsn = ANY($k) ORDER BY i.bsn",
        "SELECT j.bsn AS token FROM jobs AS j WHERE j.bsn = ANY($k) AND length(j.bsn) = 9",
    ],
)
async def test_a_column_bound_by_tokens_is_only_joined_and_sealed(tmp_path: Path, sql: str) -> None:
    federation = Federation(tmp_path)
    federation.two = Owner(tmp_path / "two", disclosure("jobs"), peer=OTHER, cards=federation.one.cards)
    drawn = await federation.draw()
    tokens = [row[0] for row in drawn.rows]
    assert (await federation.forward(tokens, federation.seal(drawn))).table.num_rows == 3
    with pytest.raises(Refused) as caught:
        await federation.forward(tokens, federation.seal(drawn), sql)
    assert caught.value.rule == "column-join-only"


@pytest.mark.parametrize("output", [f"'{ANN}'", "upper(p.name)", "$p0"])
async def test_a_token_of_a_constant_is_not_made(federation: Federation, output: str) -> None:
    sql = f"SELECT {output} AS token FROM persons AS p"
    with pytest.raises(Invalid) as caught:
        await federation.one.ask(
            sql, seal=Seal("q1", ("token",)), parameters={"p0": ANN} if "$" in output else {}
        )
    assert caught.value.code == "sealed-column"


async def test_nothing_sealed_is_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "people.sqlite", [(None, "No one", None, 1, 1, 0, "Goes", 1)], [])
    owner = Owner(tmp_path, disclosure(subject_required=False, columns=JOINED | {"age": "output"}))
    answered = await owner.ask(
        "SELECT p.bsn AS token, p.age AS age FROM persons AS p", seal=Seal("q1", ("token",))
    )
    assert answered.rows == [(None, 1)]


def test_parameters_without_a_key_are_refused(tmp_path: Path) -> None:
    keys = FileKeyStore(tmp_path)
    sealer = Sealer(PeerId(OWNER), lambda: "card", keys, dict[str, Card]().__getitem__, 60)
    owner = Owner(tmp_path, disclosure())
    question = owner.question("SELECT 1 AS x FROM persons", seal=Seal("q1", parameters=("k",)))
    with pytest.raises(Refused):
        sealer.sealing(ASKER, question, NOW)

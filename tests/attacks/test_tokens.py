"""A token tells nothing but which rows of the next owner belong to it."""

from pathlib import Path

import pytest
from tests.unit.disclose.owner import OTHER, Owner, disclosure
from tests.unit.disclose.test_seals import Federation

from sluis.kernel import Problem


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT j.bsn AS clear FROM jobs AS j WHERE concat(j.bsn, '') = ANY($k)",
        "SELECT j.bsn AS clear FROM jobs AS j WHERE CAST(j.bsn AS VARCHAR) = ANY($k)",
        "SELECT x.b AS clear FROM (SELECT j.bsn AS b FROM jobs AS j) AS x WHERE x.b = ANY($k)",
        "WITH x AS (SELECT j.bsn AS b FROM jobs AS j) SELECT x.b AS clear FROM x AS x WHERE x.b = ANY($k)",
        "SELECT x.b AS clear FROM (SELECT upper(j.bsn) AS b FROM jobs AS j) AS x WHERE ANY($k) = x.b",
        "SELECT j.bsn AS clear FROM jobs AS j WHERE (SELECT i.bsn FROM jobs AS i WHERE i.id = j.id) = ANY($k)",
        "SELECT j.bsn AS clear FROM jobs AS j JOIN (SELECT i.bsn AS b FROM jobs AS i WHERE i.bsn = ANY($k)) AS x ON x.b = j.bsn",
        "SELECT j.bsn AS clear FROM jobs AS j WHERE '999990019' = ANY($k)",
    ],
)  # fmt: skip
async def test_a_token_is_not_read_through_an_expression(tmp_path: Path, sql: str) -> None:
    federation = Federation(tmp_path)
    opened = disclosure("jobs", subject_required=False)
    federation.two = Owner(tmp_path / "two", opened, peer=OTHER, cards=federation.one.cards)
    drawn = await federation.draw()
    for token in (row[0] for row in drawn.rows):
        with pytest.raises(Problem):
            await federation.forward([token], federation.seal(drawn, columns=()), sql)

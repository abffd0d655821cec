"""Tables from a folder, and what a list of legal grounds opens in them."""

import json
from pathlib import Path

import pytest

from sluis.grounds import Disclosure
from sluis.kernel import Invalid
from sluis_demo.activities import BENEFIT
from sluis_demo.derived import derive, read_grounds
from sluis_demo.federation import Options, set_up
from sluis_demo.folder import read_folder
from sluis_demo.laws import TAX_SECRECY
from sluis_demo.organisations import ORGANISATIONS
from sluis_demo.registers import FICTITIOUS, Registers
from sluis_demo.script import ABOUT_THE_APPLICANT, ABOUT_THE_PARTNER, Offered, question

HEADER = (
    "doel_wet,bron_organisatie,bron_tabel,bron_velden,soort,"
    "grondslag_law,grondslag_bwb_id,grondslag_article,grondslag_paragraph"
)
LINES = (
    "wet_brp,RvIG,personen,geboortedatum,sources,Wet BRP,BWBR0033715,2.7,1",
    "wet_brp,RvIG,relaties,partner_bsn,sources,Wet BRP,BWBR0033715,2.8,",
    "participatiewet/bijstand,RvIG,,geboortedatum,input,Participatiewet,BWBR0015703,9,1",
    "participatiewet/bijstand,RvIG,,heeft_partner,input,Participatiewet,BWBR0015703,3,2",
    "participatiewet/bijstand,RvIG,,partner_bsn,input,Participatiewet,BWBR0015703,3,2",
    "participatiewet/bijstand,BELASTINGDIENST,,bezittingen,input,Participatiewet,BWBR0015703,34,",
    "zorgtoeslagwet,BELASTINGDIENST,box3,schulden,sources,Zorgtoeslagwet,BWBR0018451,3,1",
)
TABLES = {
    "RvIG/personen": [
        {
            "_profile_bsn": "999900018",
            "bsn": "999900018",
            "geboortedatum": "1990-05-01",
            "nationaliteit": "X",
        },
        {"_profile_bsn": "999900031", "bsn": "999900031", "geboortedatum": "1991-06-02", "land": "Y"},
    ],
    "RvIG/relaties": [
        {
            "_profile_bsn": "999900031",
            "bsn": "999900031",
            "partner_bsn": "999900018",
            "partnerschap_type": "HUWELIJK",
        }
    ],
    "BELASTINGDIENST/box3": [
        {
            "_profile_bsn": "999900031",
            "bsn": "999900031",
            "spaargeld": 1,
            "beleggingen": 2,
            "onroerend_goed": 3,
            "schulden": 4,
        }
    ],
    "BELASTINGDIENST/werkgevers": [
        {"_profile_bsn": "999900018", "kvk_nummer": "99000001", "leeg": None, "x": [1, 2]}
    ],
    "ONBEKEND/tabel": [{"bsn": "999900018"}],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sources = tmp_path / "personas" / "sources"
    for name, rows in TABLES.items():
        path = sources / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rows))
    grounds = tmp_path / "grondslagen" / "gegevensgrondslagen.csv"
    grounds.parent.mkdir()
    grounds.write_text("\n".join((HEADER, *LINES)))
    return sources


@pytest.fixture
def tables(data: Path) -> Registers:
    return read_folder(data)


def opened(data: Path, tables: Registers) -> dict[str, Disclosure]:
    grounds = read_grounds(data / "../../grondslagen/gegevensgrondslagen.csv")
    organisations = [derive(one, tables.get(one.alias, []), grounds) for one in ORGANISATIONS]
    return {f"{one.alias}.{each.dataset}": each for one in organisations for each in one.disclosures}


def test_types_follow_from_the_values_and_every_row_is_marked(tables: Registers) -> None:
    persons = next(table for table in tables["rvig"] if table.name == "personen")
    assert dict(persons.columns) == {
        "bsn": "VARCHAR",
        "geboortedatum": "DATE",
        "nationaliteit": "VARCHAR",
        "land": "VARCHAR",
        "fictief": "VARCHAR",
    }
    assert persons.rows[1] == ("999900031", "1991-06-02", None, "Y", FICTITIOUS)


def test_whose_record_it_is_becomes_the_bsn_where_the_record_has_none(tables: Registers) -> None:
    employers = next(table for table in tables["belastingdienst"] if table.name == "werkgevers")
    assert employers.rows == [("999900018", "99000001", None, "[1, 2]", FICTITIOUS)]


def test_folders_of_others_are_not_read(tables: Registers) -> None:
    assert set(tables) == {"rvig", "belastingdienst"}


def test_only_what_a_line_opens_for_this_purpose_is_open(data: Path, tables: Registers) -> None:
    found = opened(data, tables)
    assert found["rvig.personen"].columns == {"bsn": "output", "geboren": "output"}
    assert found["belastingdienst.vermogen"].columns == {"bsn": "output", "bezittingen": "output"}
    assert set(found) == {"rvig.personen", "rvig.relaties", "belastingdienst.vermogen"}
    assert {str(article) for one in found.values() for article in one.articles} == {
        "Participatiewet, art. 9, lid 1",
        "Participatiewet, art. 3, lid 2",
        "Participatiewet, art. 34",
    }


def test_a_number_that_serves_to_look_somebody_up_is_join_only(data: Path, tables: Registers) -> None:
    assert opened(data, tables)["rvig.relaties"].columns["partner_bsn"] == "join"


def test_what_no_line_opens_is_said_to_stay_closed(data: Path, tables: Registers) -> None:
    (closed,) = opened(data, tables)["belastingdienst.vermogen"].closed
    assert closed.columns == ("schulden", "spaargeld", "beleggingen", "onroerend_goed")
    assert closed.article == TAX_SECRECY


def test_the_question_holds_what_is_there_and_leaves_out_the_rest(data: Path, tmp_path: Path) -> None:
    federation = set_up(Options(home=tmp_path / "demo", data=data), [])
    offered = Offered(federation.places)
    assert (federation.applicant, federation.hidden) == ("999900031", None)
    assert question(ABOUT_THE_APPLICANT, offered) == (
        "SELECT p.geboren,\n       r.soort AS relatie,\n       w.bezittingen\n"
        "FROM rvig.personen p\nLEFT JOIN rvig.relaties r ON r.bsn = p.bsn\n"
        "LEFT JOIN belastingdienst.vermogen w ON w.bsn = p.bsn\nWHERE p.bsn = $bsn"
    )
    assert question(ABOUT_THE_PARTNER, offered, key="partner_bsn") == ""
    assert offered.opens("rvig.personen", ["geboren"], BENEFIT.id)


@pytest.mark.parametrize("content", ["{", "{}", "[1]"])
def test_a_table_that_is_no_list_of_records_is_a_problem_with_its_place(data: Path, content: str) -> None:
    path = data / "RvIG" / "personen.json"
    path.write_text(content)
    with pytest.raises(Invalid) as caught:
        read_folder(data)
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)


def test_a_folder_without_known_tables_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        read_folder(tmp_path)


def test_grounds_without_the_columns_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Invalid):
        read_grounds(tmp_path / "g.csv")

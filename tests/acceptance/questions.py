"""Questions over the official test data, each with the same question as one SQL statement over the raw files.

`sql` is asked through the engine; `raw` is answered by sqlite3 over the tables of `raw.database`, and states the
owner's rules (hidden rows, masks, minimum group) in its own words.
"""

from typing import Any

import msgspec
from tests.acceptance.owners import BENEFIT, CHAIN, STATISTICS

BENEFIT_APPLICANT = "100000003"
WHOLE_CHAIN = (
    "2781308446",
    "2709360256",
    "2717879792",
    "2853514321",
    "2099994126",
    "2741795871",
    "2736752885",
)
PARTLY_KNOWN_BIRTHDAYS = ("999992806", "999992351", "999995856", "999995881", "999999333")
SECRET_AND_OPEN = ("999992181", "999992934", "999999333", "999990639")


class Question(msgspec.Struct, frozen=True):
    """A question and, in `raw`, its independent answer. Rows are compared in order only when `ordered`."""

    name: str
    activity: str
    sql: str
    raw: str
    parameters: dict[str, Any] = {}
    ordered: bool = False


def listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


QUESTIONS = (
    Question(
        "a person list gives one current name",
        CHAIN,
        "SELECT voornamen, achternaam, geboortedatum, geslacht FROM brp.personen WHERE bsn = $bsn",
        "SELECT e010210, e010240, e010310, e010410 FROM lijst WHERE regel = 1 AND e010120 = :bsn",
        {"bsn": "999999333"},
    ),
    Question(
        "the file of 257 columns, two of one name and one without, is a table as it is",
        CHAIN,
        "SELECT lijst, achternaam, geboortedatum FROM brp.lijsten WHERE bsn = $bsn",
        "SELECT CASE WHEN regel = 1 THEN lijst END, e010240, e010310 FROM lijst WHERE e010120 = :bsn",
        {"bsn": "999992806"},
    ),
    Question(
        "names with letters outside ASCII arrive whole",
        CHAIN,
        "SELECT achternaam FROM brp.personen WHERE bsn IN ('999990172', '999999333')",
        "SELECT e010240 FROM lijst WHERE regel = 1 AND e010120 IN ('999990172', '999999333')",
    ),
    Question(
        "a birthday that is partly unknown stays as it is written",
        CHAIN,
        f"SELECT bsn, geboortedatum FROM brp.personen WHERE bsn IN ({listed(PARTLY_KNOWN_BIRTHDAYS)})"
        " AND geboortedatum LIKE '%00'",
        f"SELECT e010120, e010310 FROM lijst WHERE regel = 1 AND e010120 IN ({listed(PARTLY_KNOWN_BIRTHDAYS)})"
        " AND e010310 LIKE '%00'",
    ),
    Question(
        "history lines become earlier addresses with the municipality's name from a UTF-16 table",
        CHAIN,
        "SELECT v.regel, v.straat, g.omschrijving FROM brp.verblijf v LEFT JOIN brp.gemeenten g ON g.code = v.gemeente_code"
        " WHERE v.bsn = $bsn ORDER BY v.regel",
        "SELECT h.regel, h.e081110, g.c1 FROM lijst p JOIN lijst h ON h.lijst = p.lijst"
        " LEFT JOIN tabel33 g ON g.c0 = h.e080910"
        " WHERE p.regel = 1 AND p.e010120 = :bsn AND h.e080910 IS NOT NULL ORDER BY h.regel",
        {"bsn": "999997890"},
        ordered=True,
    ),
    Question(
        "the postcode is masked and a condition sees the mask",
        CHAIN,
        "SELECT postcode, count(*) AS aantal FROM brp.verblijf WHERE bsn = $bsn AND length(postcode) <= 4 GROUP BY postcode",
        "SELECT substr(h.e081160, 1, 4), count(*) FROM lijst p JOIN lijst h ON h.lijst = p.lijst"
        " WHERE p.regel = 1 AND p.e010120 = :bsn AND h.e081160 IS NOT NULL GROUP BY 1",
        {"bsn": "999997890"},
    ),
    Question(
        "a secret address reads as no address",
        CHAIN,
        "SELECT p.bsn, p.achternaam, v.straat FROM brp.personen p"
        " LEFT JOIN brp.verblijf v ON v.bsn = p.bsn AND v.regel = 1"
        f" WHERE p.bsn IN ({listed(SECRET_AND_OPEN)})",
        "SELECT e010120, e010240, CASE WHEN coalesce(e077010, '0') = '0' AND e080910 IS NOT NULL THEN e081110 END"
        f" FROM lijst WHERE regel = 1 AND e010120 IN ({listed(SECRET_AND_OPEN)})",
    ),
    Question(
        "the partner's name is found through a number that the asker never sees",
        CHAIN,
        "SELECT p.achternaam AS vrager, q.achternaam AS partner FROM brp.personen p JOIN brp.huwelijk h ON h.bsn = p.bsn"
        " JOIN brp.personen q ON q.bsn = h.partner_bsn WHERE p.bsn = $bsn",
        "SELECT p.e010240, q.e010240 FROM lijst p JOIN lijst q ON q.e010120 = p.e050120 AND q.regel = 1"
        " WHERE p.regel = 1 AND p.e010120 = :bsn",
        {"bsn": "999999333"},
    ),
    Question(
        "children of one parent, oldest first",
        CHAIN,
        "SELECT voornamen, geboortedatum FROM brp.kinderen WHERE bsn = $bsn ORDER BY geboortedatum, voornamen",
        "SELECT k.e090210, k.e090310 FROM lijst p JOIN lijst k ON k.lijst = p.lijst"
        " WHERE p.regel = 1 AND p.e010120 = :bsn AND k.e090240 IS NOT NULL ORDER BY k.e090310, k.e090210",
        {"bsn": "999993628"},
        ordered=True,
    ),
    Question(
        "a dossier at one owner meets a home at the next and passages at a third",
        CHAIN,
        "SELECT d.geslachtsnaam, d.beslissing, b.locatie, k.doorlaatpost, k.datum FROM ind.dossiers d"
        " LEFT JOIN coa.bewoners b ON b.v_nummer = d.v_nummer JOIN kmar.passages k ON k.v_nummer = d.v_nummer"
        " WHERE d.v_nummer = $v",
        "SELECT d.geslachtsnaam, d.beslissing, b.locatie, k.doorlaatpost, k.datum FROM ind_dossiers d"
        " LEFT JOIN coa_bewoners b ON b.v_nummer = d.v_nummer JOIN kmar_grenspassages k ON k.v_nummer = d.v_nummer"
        " WHERE d.v_nummer = :v",
        {"v": "2709360256"},
    ),
    Question(
        "who of a list has no case at the return service (anti join over two owners)",
        CHAIN,
        f"SELECT d.v_nummer FROM ind.dossiers d WHERE d.v_nummer IN ({listed(WHOLE_CHAIN)})"
        " AND NOT EXISTS (SELECT 1 FROM dtv.casussen c WHERE c.v_nummer = d.v_nummer)",
        f"SELECT v_nummer FROM ind_dossiers WHERE v_nummer IN ({listed(WHOLE_CHAIN)})"
        " AND v_nummer NOT IN (SELECT v_nummer FROM dtv_casussen)",
    ),
    Question(
        "the newest event of each person (window function)",
        CHAIN,
        "SELECT v_nummer, type, datum FROM (SELECT v_nummer, type, datum,"
        " row_number() OVER (PARTITION BY v_nummer ORDER BY datum DESC) AS n FROM ind.gebeurtenissen"
        f" WHERE v_nummer IN ({listed(WHOLE_CHAIN)})) t WHERE n = 1",
        "SELECT v_nummer, type, max(datum) FROM gebeurtenissen"
        f" WHERE v_nummer IN ({listed(WHOLE_CHAIN)}) GROUP BY v_nummer",
    ),
    Question(
        "known by visa or by passage (set operation over two owners)",
        CHAIN,
        f"SELECT v_nummer FROM bz.visa WHERE v_nummer IN ({listed(WHOLE_CHAIN)})"
        f" UNION SELECT v_nummer FROM kmar.passages WHERE v_nummer IN ({listed(WHOLE_CHAIN)})",
        f"SELECT v_nummer FROM bz_visa WHERE v_nummer IN ({listed(WHOLE_CHAIN)})"
        f" UNION SELECT v_nummer FROM kmar_grenspassages WHERE v_nummer IN ({listed(WHOLE_CHAIN)})",
    ),
    Question(
        "a name in the chain and in the BRP, joined on a sealed BSN",
        CHAIN,
        "SELECT d.geslachtsnaam, p.achternaam, n.omschrijving FROM ind.dossiers d"
        " JOIN brp.personen p ON p.bsn = d.bsn JOIN brp.nationaliteiten n ON n.code = d.nationaliteit_code"
        f" WHERE d.v_nummer IN ({listed(WHOLE_CHAIN)})",
        "SELECT d.geslachtsnaam, p.e010240, n.c1 FROM ind_dossiers d JOIN lijst p ON p.e010120 = d.bsn AND p.regel = 1"
        f" JOIN tabel32 n ON n.c0 = d.nationaliteit_code WHERE d.v_nummer IN ({listed(WHOLE_CHAIN)})",
    ),
    Question(
        "days between application and decision (CTE and date arithmetic)",
        CHAIN,
        "WITH klaar AS (SELECT v_nummer, CAST(beslisdatum AS DATE) - CAST(procedure_start AS DATE) AS dagen"
        f" FROM ind.dossiers WHERE v_nummer IN ({listed(WHOLE_CHAIN)}) AND beslissing <> 'in_behandeling')"
        " SELECT v_nummer, dagen FROM klaar",
        "SELECT v_nummer, CAST(julianday(beslisdatum) - julianday(procedure_start) AS INTEGER) FROM ind_dossiers"
        f" WHERE v_nummer IN ({listed(WHOLE_CHAIN)}) AND beslissing <> 'in_behandeling'",
    ),
    Question(
        "decisions per procedure: no group under three, nor the one that would give it away",
        STATISTICS,
        "SELECT procedure, beslissing, count(*) AS aantal FROM ind.dossiers GROUP BY procedure, beslissing",
        "WITH groep AS (SELECT procedure, beslissing, count(*) AS n FROM ind_dossiers GROUP BY 1, 2),"
        " plek AS (SELECT *, sum(n < 3) OVER (PARTITION BY procedure) AS klein,"
        " row_number() OVER (PARTITION BY procedure, n >= 3 ORDER BY n) AS plaats FROM groep)"
        " SELECT procedure, beslissing, n FROM plek WHERE n >= 3 AND NOT (klein = 1 AND plaats = 1)",
    ),
    Question(
        "dossiers per nationality, groups under three left out",
        STATISTICS,
        "SELECT nationaliteit_code, count(*) AS aantal FROM ind.dossiers GROUP BY nationaliteit_code",
        "SELECT nationaliteit_code, count(*) FROM ind_dossiers GROUP BY 1 HAVING count(DISTINCT v_nummer) >= 3",
    ),
    Question(
        "an average over all tax payers together",
        STATISTICS,
        "SELECT count(*) AS mensen, avg(loon_uit_dienstbetrekking) AS loon FROM belastingdienst.inkomen",
        "SELECT count(*), avg(loon_uit_dienstbetrekking) FROM BELASTINGDIENST_box1",
    ),
    Question(
        "a benefit application over five organisations",
        BENEFIT,
        "SELECT p.geboortedatum, r.partnerschap_type, i.winst_uit_onderneming, v.schulden, k.aantal_kinderen,"
        " f.kvk_nummer, f.functie FROM rvig.personen p JOIN rvig.relaties r ON r.bsn = p.bsn"
        " LEFT JOIN belastingdienst.inkomen i ON i.bsn = p.bsn LEFT JOIN belastingdienst.vermogen v ON v.bsn = p.bsn"
        " LEFT JOIN svb.kinderbijslag k ON k.ouder_bsn = p.bsn LEFT JOIN kvk.functionarissen f ON f.bsn = p.bsn"
        " LEFT JOIN uwv.dienstverbanden d ON d.bsn = p.bsn WHERE p.bsn = $bsn",
        "SELECT p.geboortedatum, r.partnerschap_type, i.winst_uit_onderneming, v.schulden, k.aantal_kinderen,"
        " f.kvk_nummer, f.functie FROM RvIG_personen p JOIN RvIG_relaties r ON r.bsn = p.bsn"
        " LEFT JOIN BELASTINGDIENST_box1 i ON i.bsn = p.bsn LEFT JOIN BELASTINGDIENST_box3 v ON v.bsn = p.bsn"
        " LEFT JOIN SVB_algemene_kinderbijslagwet k ON k.ouder_bsn = p.bsn"
        " LEFT JOIN KVK_functionarissen f ON f.bsn = p.bsn LEFT JOIN UWV_dienstverbanden d ON d.bsn = p.bsn"
        " WHERE p.bsn = :bsn",
        {"bsn": BENEFIT_APPLICANT},
    ),
    Question(
        "a partner whose number stays sealed and of whom nothing is known abroad",
        BENEFIT,
        "SELECT r.partnerschap_type, b.bedrag FROM rvig.relaties r"
        " LEFT JOIN belastingdienst.buitenland b ON b.bsn = r.partner_bsn WHERE r.bsn = $bsn",
        "SELECT r.partnerschap_type, b.bedrag FROM RvIG_relaties r"
        " LEFT JOIN BELASTINGDIENST_buitenlands_inkomen b ON b.bsn = r.partner_bsn WHERE r.bsn = :bsn",
        {"bsn": BENEFIT_APPLICANT},
    ),
    Question(
        "offices per person, with HAVING",
        BENEFIT,
        "SELECT p.bsn, count(*) AS functies FROM rvig.personen p JOIN kvk.functionarissen f ON f.bsn = p.bsn"
        " WHERE p.bsn IN ('100000001', '100000003', '999993656') GROUP BY p.bsn HAVING count(*) > 1",
        "SELECT bsn, count(*) FROM KVK_functionarissen WHERE bsn IN ('100000001', '100000003', '999993656')"
        " GROUP BY bsn HAVING count(*) > 1",
    ),
    Question(
        "work in 2024 in hours per week, by real dates",
        BENEFIT,
        "SELECT bsn, uren_per_week FROM uwv.dienstverbanden WHERE bsn IN ('888888888', '900253022', '900253046')"
        " AND start_date <= DATE '2024-02-01' AND end_date > DATE '2024-02-01'",
        "SELECT bsn, uren_per_week FROM UWV_dienstverbanden WHERE bsn IN ('888888888', '900253022', '900253046')"
        " AND start_date <= '2024-02-01' AND end_date > '2024-02-01'",
    ),
)

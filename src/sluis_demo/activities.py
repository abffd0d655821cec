"""Who asks for what: the processing activities of the fictitious organisations, and the numbers of those that several files name."""

from datetime import date

from sluis.grounds import Activity, Article
from sluis.kernel import Oin, PeerId, Period, Text
from sluis_demo.laws import (
    ACCOUNTABLE,
    BRP_INSPECTION,
    COMPANY_INSPECTION_RIGHT,
    CONSENT,
    EXAMPLE_STATISTICS,
    INSPECTION_RIGHT,
    MUNICIPALITIES,
    PARTICIPATION,
    RESEARCH,
    SUWI,
)

SINCE = Period(date(2025, 1, 1))


def peer(number: int) -> PeerId:
    """An OIN that is not given out."""
    return PeerId(f"000000099900000{number:05}")


SLUISWIJK, UWV = peer(1), peer(4)
BENEFIT = Activity(
    id="https://sluiswijk.example/verwerkingen/bijstand",
    name=Text("Bijstand vaststellen", "Decide on a benefit application"),
    purpose=Text(
        "Vaststellen of iemand recht heeft op bijstand, en hoeveel.",
        "Decide whether somebody is entitled to social assistance, and to how much.",
    ),
    controller=Oin(SLUISWIJK),
    ground="public-task",
    articles=(
        Article("Participatiewet", "11", "BWBR0015703"),
        Article("Participatiewet", "17", "BWBR0015703"),
        PARTICIPATION,
    ),
    valid=SINCE,
    subjects=Text(
        "aanvragers van bijstand en hun partners", "applicants for social assistance and their partners"
    ),
)
POVERTY = Activity(
    id="https://sluiswijk.example/verwerkingen/statistiek-armoede",
    name=Text("Statistiek armoede", "Poverty statistics"),
    purpose=Text(
        "Tellen hoeveel inwoners een laag inkomen hebben, per wijk.",
        "Count how many residents have a low income, per district.",
    ),
    controller=Oin(SLUISWIJK),
    ground="public-task",
    articles=(RESEARCH, EXAMPLE_STATISTICS),
    valid=SINCE,
    subjects=Text("inwoners", "residents"),
)
PARKING = Activity(
    id="https://sluiswijk.example/verwerkingen/parkeervergunning",
    name=Text("Parkeervergunning verlenen", "Grant a parking permit"),
    purpose=Text(
        "Nagaan of het voertuig van de aanvrager is, en of die in de wijk woont.",
        "Check that the vehicle belongs to the applicant, who lives in the district.",
    ),
    controller=Oin(SLUISWIJK),
    ground="public-task",
    articles=(MUNICIPALITIES,),
    valid=SINCE,
    subjects=Text("aanvragers van een parkeervergunning", "applicants for a parking permit"),
)
OVERLAP = Activity(
    id="https://uwv.example/verwerkingen/samenloop",
    name=Text("Samenloop van uitkeringen nagaan", "Check for benefits that overlap"),
    purpose=Text(
        "Nagaan of iemand naast WW ook bijstand krijgt.", "Check whether somebody on WW also has assistance."
    ),
    controller=Oin(UWV),
    ground="public-task",
    articles=(SUWI,),
    valid=SINCE,
    subjects=Text("mensen met een WW-uitkering", "people on unemployment benefit"),
)
WORK = Activity(
    id="https://uwv.example/verwerkingen/hulp-bij-werk",
    name=Text("Hulp bij werk zoeken", "Help with finding work"),
    purpose=Text(
        "Iemand die dat wil, helpen bij het vinden van werk.", "Help somebody who wants that to find work."
    ),
    controller=Oin(UWV),
    ground="consent",
    articles=(CONSENT,),
    valid=SINCE,
    subjects=Text("werkzoekenden die om hulp vragen", "jobseekers who ask for help"),
)
TELLING = Activity(
    id="https://sluiswijk.example/verwerkingen/bericht-bij-raadpleging",
    name=Text("Bericht als er gegevens zijn opgevraagd", "Word when data was asked for"),
    purpose=Text(
        "Inwoners laten weten wie gegevens over hen opvroeg.",
        "Let residents know who asked for data about them.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(Article("Algemene verordening gegevensbescherming", "12"),),
    valid=SINCE,
    subjects=Text("inwoners", "residents"),
)
"""Of the asker itself; no contract is about it."""
CHECKING = Activity(
    id="https://sluiswijk.example/verwerkingen/controle-verstrekkingen",
    name=Text("Nagaan wat wij verstrekken", "Check what we disclose"),
    purpose=Text(
        "Nagaan of een ontvanger niet meer te zien krijgt dan mag.",
        "Check that a recipient does not get to see more than allowed.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(ACCOUNTABLE,),
    valid=SINCE,
    subjects=Text("mensen met bijstand, en aanvragers", "people on social assistance, and applicants"),
)

INSPECTION = Activity(
    id="https://sluiswijk.example/verwerkingen/inzage",
    name=Text("Uw eigen inzage", "Your own inspection"),
    purpose=Text(
        "Iemand laten zien wat organisaties over die persoon hebben, omdat die daar zelf om vraagt.",
        "Show people what organisations have about them, because they ask for it themselves.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(INSPECTION_RIGHT, BRP_INSPECTION),
    valid=SINCE,
    subjects=Text("wie de eigen gegevens opvraagt", "who asks for their own data"),
    inspection="people",
)

COMPANY_INSPECTION = Activity(
    id="https://sluiswijk.example/verwerkingen/inzage-bedrijven",
    name=Text("Inzage voor uw bedrijf", "Inspection for your company"),
    purpose=Text(
        "Een bedrijf laten zien wat organisaties erover hebben, omdat het daar zelf om vraagt.",
        "Show a company what organisations have about it, because it asks for that itself.",
    ),
    controller=Oin(SLUISWIJK),
    ground="legal-obligation",
    articles=(COMPANY_INSPECTION_RIGHT,),
    valid=SINCE,
    subjects=Text("bedrijven die de eigen gegevens opvragen", "companies that ask for their own data"),
    inspection="companies",
)

ACTIVITIES = (BENEFIT, POVERTY, PARKING, OVERLAP, WORK, INSPECTION, COMPANY_INSPECTION)

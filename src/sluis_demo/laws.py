"""On what the fictitious organisations open and close what they have: places in the law, and why in words.

The articles are real, but for those marked as an example: there the demo does what no article that we know of says in so many words.
"""

from sluis.grounds import Article
from sluis.kernel import Text

WET_BRP = Article("Wet basisregistratie personen", "3.2", "BWBR0033715")
PARTICIPATION = Article("Participatiewet", "64", "BWBR0015703")
SUWI = Article("Wet structuur uitvoeringsorganisatie werk en inkomen", "62", "BWBR0013060")
TAX_SECRECY = Article("Algemene wet inzake rijksbelastingen", "67", "BWBR0002320")
TAX_RELEASE = Article("Uitvoeringsregeling Algemene wet inzake rijksbelastingen 1994", "43c")
TRADE_REGISTER = Article("Handelsregisterwet 2007", "28", "BWBR0021777")
ROAD_TRAFFIC = Article("Wegenverkeerswet 1994", "43", "BWBR0006622")
ACCOUNTABLE = Article("Algemene verordening gegevensbescherming", "24, lid 1")
MINIMISATION = Article("Algemene verordening gegevensbescherming", "5, lid 1, onder c")
EXAMPLE_SECRECY = Article("Voorbeeldregel geheime adressen (fictief)", "1")
EXAMPLE_STATISTICS = Article("Voorbeeldregel armoedestatistiek (fictief)", "1")
RESEARCH = Article("Algemene verordening gegevensbescherming", "89")
MUNICIPALITY_DECIDES = Article("Algemene wet bestuursrecht", "4:1", "BWBR0005537")
MUNICIPALITIES = Article("Gemeentewet", "225", "BWBR0005416")
CONSENT = Article("Algemene verordening gegevensbescherming", "6, lid 1, onder a")

INSPECTION_RIGHT = Article("Algemene verordening gegevensbescherming", "15")
COMPANY_INSPECTION_RIGHT = Article("Wet open overheid", "5.5", "BWBR0045754")
BRP_INSPECTION = Article("Wet basisregistratie personen", "2.55", "BWBR0033715")

OTHERS_RIGHTS = Article("Algemene verordening gegevensbescherming", "15, lid 4")

NOT_NEEDED = Text("Niet nodig voor dit doel.", "Not needed for this purpose.")
SECRET_TAX = Text("Fiscaal geheim; alleen het totaal is open.", "Tax secrecy; only the total is open.")
SECRET_BUT_COUNTED = Text("Fiscaal geheim; alleen groepen zijn open.", "Tax secrecy; only groups are open.")
OF_THE_CHILD = Text("Dit is een gegeven van het kind zelf.", "This is a datum of the child itself.")
CURRENT = Text("Alleen het huidige huwelijk of partnerschap.", "Only the current marriage or partnership.")
RESIDENTS = Text("Alleen inwoners van Sluiswijk.", "Only residents of Sluiswijk.")
SEPARATE_PROCEDURE = Text(
    "Een geheim adres gaat alleen langs de aparte procedure.",
    "A secret address goes by the separate procedure only.",
)

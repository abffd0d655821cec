"""Every rule that can stand in the way of representation, with its reason for people."""

from sluis.kernel import Text

REASONS: dict[str, Text] = {
    "no-representation": Text(
        "U bent hier niet bekend als iemand die hiervoor mag handelen.",
        "You are not known here as somebody who may act for this company, organisation or person.",
    ),
    "unknown-entity": Text(
        "Dit is geen bedrijf, organisatie of persoon die dit knooppunt kent.",
        "This is no company, organisation or person that this node knows.",
    ),
    "not-yours-to-mandate": Text(
        "Machtigingen regelt wie het zelf aangaat, of een bestuurder die in het handelsregister staat.",
        "Mandates are for whom they concern, or for a director who is in the trade register.",
    ),
    # Offices, as read from the trade register
    "officer-is-a-company": Text(
        "Deze functie is van een bedrijf, niet van een mens.", "This office is held by a company, not by a person."
    ),
    "office-without-authority": Text(
        "Deze functie geeft geen bevoegdheid om voor het bedrijf te handelen.",
        "This office gives no authority to act for the company.",
    ),
    "office-not-understood": Text(
        "Het handelsregister zegt over deze bevoegdheid iets wat dit knooppunt niet begrijpt; daarom telt zij niet.",
        "The trade register says something about this authority that this node does not understand; so it does not count.",
    ),
    "officer-deceased": Text(
        "Het handelsregister meldt dat deze persoon is overleden.",
        "The trade register says that this person has died.",
    ),
    "officer-restricted": Text(
        "Deze persoon staat onder curatele of bewind, is failliet, of zit in een schuldsanering.",
        "This person is under guardianship or administration, bankrupt, or in debt restructuring.",
    ),
    "officer-minor": Text(
        "Deze persoon is nog geen achttien.", "This person is not eighteen yet."
    ),
    "office-suspended": Text(
        "Deze functionaris is geschorst.", "This officer is suspended."
    ),
    # What the way of signing in says
    "signed-in-for-another": Text(
        "U bent ingelogd voor een ander bedrijf of via een ander bedrijf.",
        "You signed in for another company, or through another company.",
    ),
    # Guardians
    "guardian-ended": Text(
        "U mag niet meer voor deze persoon handelen.", "You may no longer act for this person."
    ),
    "guardian-not-begun": Text(
        "U mag nog niet voor deze persoon handelen.", "You may not act for this person yet."
    ),
    "ward-of-sixteen": Text(
        "Uw kind is 16 jaar of ouder en doet dit zelf (artikel 5 UAVG).",
        "Your child is 16 or older and does this themselves (article 5 of the Dutch GDPR implementation act, UAVG).",
    ),
    # Mandates
    "mandate-declined": Text("Deze machtiging is afgewezen.", "This mandate was declined."),
    "mandate-revoked": Text("Deze machtiging is ingetrokken.", "This mandate was revoked."),
    "mandate-ended": Text("Deze machtiging is afgelopen.", "This mandate has ended."),
    "mandate-proposed": Text(
        "Deze machtiging wacht op de tweede handtekening van wie haar geeft.",
        "This mandate waits for the second signature of its giver.",
    ),
    "mandate-offered": Text(
        "Deze machtiging is nog niet aanvaard.", "This mandate has not been accepted yet."
    ),
    "mandate-not-begun": Text("Deze machtiging is nog niet ingegaan.", "This mandate has not begun yet."),
    "chain-not-onward": Text(
        "Uw machtiging geldt voor het bedrijf zelf, niet voor zijn klanten.",
        "Your mandate is for the company itself, not for its clients.",
    ),
    "other-establishment": Text(
        "Deze machtiging geldt voor andere vestigingen.", "This mandate is for other establishments."
    ),
    "other-service": Text(
        "Deze bevoegdheid geldt voor andere diensten.", "This authority is for other services."
    ),
    "other-action": Text(
        "Deze bevoegdheid geldt voor andere handelingen.", "This authority is for other actions."
    ),
    "above-cap": Text(
        "Dit bedrag is hoger dan deze bevoegdheid toelaat.", "This amount is more than this authority allows."
    ),
    # Companies
    "register-unavailable": Text(
        "Het handelsregister is nu niet te bereiken; zonder dat is niet vast te stellen of dit bedrijf mag handelen.",
        "The trade register cannot be reached now; without it nobody can tell whether this company may act.",
    ),
    "register-too-old": Text(
        "Wat dit knooppunt uit het handelsregister weet is te oud, en een nieuw antwoord is er niet.",
        "What this node knows from the trade register is too old, and there is no new answer.",
    ),
    "company-not-understood": Text(
        "Het handelsregister zegt over de toestand van dit bedrijf iets wat dit knooppunt niet begrijpt.",
        "The trade register says something about the state of this company that this node does not understand.",
    ),
    "company-unstated": Text(
        "Dit antwoord van het handelsregister zegt niet of het bedrijf failliet is.",
        "This answer of the trade register does not say whether the company is bankrupt.",
    ),
    "company-restricted": Text(
        "Een rechter heeft beperkt wat dit bedrijf mag.", "A court has restricted what this company may do."
    ),
    "company-debts-restructured": Text(
        "De ondernemer zit in een schuldsanering en kan niet zelf handelen.",
        "The owner is in debt restructuring and cannot act alone.",
    ),
    "company-payments-suspended": Text(
        "Het bedrijf heeft surseance van betaling; handelen kan alleen samen met de bewindvoerder.",
        "The company has a suspension of payments; it can act only together with the administrator.",
    ),
    "company-bankrupt": Text(
        "Het bedrijf is failliet; alleen de curator kan nog handelen.",
        "The company is bankrupt; only the trustee can still act.",
    ),
    "company-dissolved": Text(
        "Het bedrijf is ontbonden; alleen de vereffenaar kan nog handelen.",
        "The company was dissolved; only the liquidator can still act.",
    ),
    "company-ended": Text(
        "Het bedrijf is uitgeschreven uit het handelsregister.", "The company is no longer in the trade register."
    ),
}  # fmt: skip
"""From what is furthest from being allowed to what is nearest; of several obstacles the nearest is told. What is about the
company itself is told before all else."""

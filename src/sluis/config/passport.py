"""Digital passports that are well-formed in the settings and cannot work."""

from collections.abc import Iterator

from sluis.config.model import Config
from sluis.config.signin import no_pages
from sluis.grounds import Fault, meant
from sluis.kernel import Text


def passport_faults(config: Config) -> Iterator[Fault]:
    """Of `[passport]`."""
    passport = config.passport
    types = sorted({type for issuer in passport.issuers.values() for type in issuer.types})
    for name, way in passport.ways.items():
        if config.portal.address is None:
            yield no_pages(("passport", "ways", name))
        if not {"bsn", "person"} & way.claims.keys():
            yield _nobody(name)
        if (way.audience == "company") != ("kvk" in way.claims):
            yield _for_whom(name)
        if way.type not in types:
            yield _no_issuer(name, way.type, types)
        if name in config.signin:
            yield _same_name(name)
    if (passport.certificate is None) != (passport.key is None):
        yield _half()


def _nobody(name: str) -> Fault:
    return Fault(
        ("passport", "ways", name, "claims"),
        "passport-of-nobody",
        Text("Uit dit paspoort blijkt niet wie iemand is.", "This passport does not tell who somebody is."),
        Text("Onder `claims` ontbreekt `bsn` of `person`.", "Under `claims`, `bsn` or `person` is missing."),
        Text("Noem de claim die één mens aanwijst.", "Name the claim that identifies one person."),
    )


def _for_whom(name: str) -> Fault:
    return Fault(
        ("passport", "ways", name, "claims"),
        "passport-for-whom",
        Text("Uit dit paspoort blijkt niet goed voor wie iemand handelt.",
             "This passport does not tell well for whom somebody acts."),
        Text("`kvk` hoort bij een ondernemer (`company`), en bij niemand anders.",
             "`kvk` goes with an entrepreneur (`company`), and with nobody else."),
        Text("Noem `kvk`, of verander `audience`.", "Name `kvk`, or change `audience`."),
    )  # fmt: skip


def _no_issuer(name: str, type: str, types: list[str]) -> Fault:
    return Fault(
        ("passport", "ways", name, "type"),
        "passport-without-issuer",
        Text("Niemand geeft dit soort paspoort uit.", "Nobody issues this type of passport."),
        Text("Het staat bij geen uitgever onder `types`.", "It is among the `types` of no issuer."),
        meant(type, types) if types else Text(
            "Noem bij een uitgever, onder `[passport.issuers.NAAM]`, wat hij uitgeeft.",
            "Say of an issuer, under `[passport.issuers.NAME]`, what it issues.",
        ),
    )  # fmt: skip


def _same_name(name: str) -> Fault:
    return Fault(
        ("passport", "ways", name),
        "sign-in-name-twice",
        Text("Twee manieren van inloggen heten hetzelfde.", "Two ways of signing in have the same name."),
        Text(f"`{name}` staat ook onder `[signin]`.", f"`{name}` is under `[signin]` too."),
        Text("Kies een andere naam.", "Choose another name."),
    )


def _half() -> Fault:
    return Fault(
        ("passport",),
        "passport-half-a-key",
        Text("Certificaat en sleutel horen bij elkaar.", "Certificate and key belong together."),
        Text("`certificate` of `key` ontbreekt onder `[passport]`.",
             "`certificate` or `key` is missing under `[passport]`."),
        Text("Vul beide in, of geen van beide.", "Fill in both, or neither."),
    )  # fmt: skip

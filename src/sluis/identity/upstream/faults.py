"""Everything that can go wrong while somebody signs in at another's provider, in words for the one who signs in.

None of them names a person, and none repeats what a provider wrote, but for the name of an OAuth error.
"""

from sluis.kernel import Invalid, NotFound, Problem, Refused, Text, Unidentified, Upstream

_AGAIN = Text("Begin opnieuw met inloggen.", "Start signing in again.")
_OPERATOR = Text(
    "Probeer het later. Blijft het zo? Meld het dan bij de beheerder van deze site.",
    "Try again later. Does it stay like this? Then tell who looks after this site.",
)
_OTHER_WAY = Text("Kies een andere manier om in te loggen.", "Choose another way of signing in.")


def unknown_method() -> NotFound:
    """No way of signing in has this name."""
    return NotFound(
        "unknown-sign-in",
        Text("Deze manier van inloggen is er niet.", "There is no such way of signing in."),
        Text("De naam in het adres is hier niet bekend.", "The name in the address is not known here."),
        _OTHER_WAY,
    )


def level_not_given(title: str) -> Refused:
    """The method never reaches the level that is needed."""
    return Refused(
        "level-not-given",
        Text(f"Met {title} kunt u hier niet inloggen.", f"You cannot sign in here with {title}."),
        Text(
            "Deze pagina vraagt een hoger betrouwbaarheidsniveau dan deze manier geeft.",
            "This page needs a higher level of assurance than this way gives.",
        ),
        _OTHER_WAY,
        rule="level",
        peer=title,
    )


def not_begun() -> Unidentified:
    """The answer belongs to no sign-in of this browser: used before, too late, or begun by somebody else."""
    return Unidentified(
        "sign-in-not-begun",
        Text("Het inloggen is niet gelukt.", "Signing in did not succeed."),
        Text(
            "Het begon in een andere browser, het duurde langer dan tien minuten, of het was al afgerond.",
            "It began in another browser, it took longer than ten minutes, or it was finished already.",
        ),
        _AGAIN,
        rule="state",
    )


def mixed_up() -> Refused:
    """The answer comes from another provider than was asked (RFC 9207, 2.4)."""
    return Refused(
        "sign-in-mixed-up",
        Text("Het inloggen is gestopt.", "Signing in was stopped."),
        Text(
            "Het antwoord kwam van een andere inlogdienst dan u koos. Mogelijk probeert iemand u te misleiden.",
            "The answer came from another sign-in service than you chose. Somebody may be trying to mislead you.",
        ),
        Text(
            "Sluit dit venster, en begin opnieuw op de site zelf.",
            "Close this window, and start again at the site itself.",
        ),
        rule="issuer",
    )


def cancelled(title: str) -> Unidentified:
    """The person stopped, or said no."""
    return Unidentified(
        "sign-in-cancelled",
        Text("U bent niet ingelogd.", "You are not signed in."),
        Text(f"Het inloggen met {title} is afgebroken.", f"Signing in with {title} was cancelled."),
        Text(
            "Wilt u toch verder? Begin dan opnieuw met inloggen.",
            "Do you want to go on after all? Then start signing in again.",
        ),
        rule="cancelled",
        peer=title,
    )


def refused_there(title: str, error: str) -> Problem:
    """The provider answered with an error.

    Args:
        title: of the method.
        error: the name of the OAuth error, if it is one.
    """
    return Upstream(
        "sign-in-refused-there",
        Text(f"Inloggen met {title} lukt nu niet.", f"Signing in with {title} does not work now."),
        Text(
            f"Deze inlogdienst gaf een fout: {error or 'onbekend'}.",
            f"This sign-in service gave an error: {error or 'unknown'}.",
        ),
        _OPERATOR,
        peer=title,
        retry=error in ("temporarily_unavailable", "server_error"),
    )


def unreachable(title: str, why: Text) -> Upstream:
    """The provider did not answer, or not in time.

    Args:
        title: of the method.
        why: what happened.
    """
    return Upstream(
        "sign-in-unreachable",
        Text(f"{title} is nu niet te bereiken.", f"{title} cannot be reached now."),
        why,
        Text(
            "Probeer het over een paar minuten opnieuw, of kies een andere manier om in te loggen.",
            "Try again in a few minutes, or choose another way of signing in.",
        ),
        peer=title,
        retry=True,
    )


def not_understood(title: str, what: Text) -> Upstream:
    """The provider answered something that is not right.

    Args:
        title: of the method.
        what: was not right, without any value of it.
    """
    return Upstream(
        "sign-in-not-understood",
        Text(f"Inloggen met {title} lukt nu niet.", f"Signing in with {title} does not work now."),
        what,
        _OPERATOR,
        peer=title,
    )


def not_believed(title: str, why: Text, rule: str = "token") -> Refused:
    """A token that does not hold.

    Args:
        title: of the method.
        why: it does not.
        rule: the check that it failed.
    """
    return Refused(
        "sign-in-not-believed",
        Text("Het inloggen is niet gelukt.", "Signing in did not succeed."),
        Text(f"Het bewijs van {title} klopt niet. {why.nl}", f"The proof of {title} does not hold. {why.en}"),
        _AGAIN,
        rule=rule,
        peer=title,
    )


def unknown_level(title: str) -> Refused:
    """An `acr` that no setting knows."""
    return Refused(
        "unknown-level",
        Text("Het inloggen is niet gelukt.", "Signing in did not succeed."),
        Text(
            f"{title} zegt niet goed hoe zeker het is dat u het bent.",
            f"{title} does not say, or in an unknown way, how certain it is that it is you.",
        ),
        Text("Meld dit bij de beheerder van deze site.", "Tell who looks after this site."),
        rule="level",
        peer=title,
    )


def level_too_low(title: str) -> Refused:
    """A lower level than was asked for (OIDC-NLGOV 1.0.1, `acr`)."""
    return Refused(
        "level-too-low",
        Text("Dit betrouwbaarheidsniveau is te laag.", "This level of assurance is too low."),
        Text(
            f"U logde in met {title} op een lager niveau dan deze pagina vraagt.",
            f"You signed in with {title} at a lower level than this page needs.",
        ),
        Text(
            "Log opnieuw in op een hoger niveau, bijvoorbeeld met een ID-check of een ander middel.",
            "Sign in again at a higher level, for example with an ID check or another means.",
        ),
        rule="level",
        peer=title,
    )


def not_told(title: str, what: Text) -> Refused:
    """A fact that this audience needs, and no claim gives, or gives in another form.

    Args:
        title: of the method.
        what: is missing or wrong.
    """
    return Refused(
        "identity-not-told",
        Text("Het inloggen is niet gelukt.", "Signing in did not succeed."),
        Text(
            f"{title} zegt niet goed wie u bent. {what.nl}",
            f"{title} does not tell well who you are. {what.en}",
        ),
        Text(
            "Kies een andere manier, of meld dit bij de beheerder van deze site.",
            "Choose another way, or tell who looks after this site.",
        ),
        rule="identity",
        peer=title,
    )


def unknown_official() -> Refused:
    """Somebody of the directory who has no place in the settings."""
    return Refused(
        "unknown-official",
        Text("U kunt hier niet inloggen.", "You cannot sign in here."),
        Text(
            "U staat niet bij de medewerkers die dit knooppunt gebruiken.",
            "You are not among the officials who use this node.",
        ),
        Text(
            "Vraag de beheerder om u toe te voegen (`[people.NAAM]`, `signin`).",
            "Ask who looks after it to add you (`[people.NAME]`, `signin`).",
        ),
        rule="official",
    )


def simulated() -> Refused:
    """A simulator in production."""
    return Refused(
        "simulator-in-production",
        Text("Hier werken geen simulators.", "Simulators do not work here."),
        Text(
            "Deze inlogdienst verzint mensen, en dit knooppunt werkt met echte.",
            "This sign-in service invents people, and this node works with real ones.",
        ),
        _OTHER_WAY,
        rule="simulator",
    )


def unusable_secret(title: str) -> Invalid:
    """The file with the client secret cannot be used."""
    return Invalid(
        "unreadable-file",
        Text(f"Inloggen met {title} lukt nu niet.", f"Signing in with {title} does not work now."),
        Text(
            "Het bestand met het geheim is leeg of niet te lezen.",
            "The file with the secret is empty or cannot be read.",
        ),
        Text("De beheerder moet `secret_file` controleren.", "Who looks after it must check `secret_file`."),
    )


def not_signed_out() -> Invalid:
    """A message that somebody signed out, which does not hold."""
    return Invalid(
        "sign-out-not-believed",
        Text(
            "Dit bericht over uitloggen wordt niet aanvaard.",
            "This message about signing out is not accepted.",
        ),
        Text(
            "Het token is niet van deze inlogdienst, is niet voor dit knooppunt, of is geen bericht over uitloggen.",
            "The token is not of this sign-in service, not for this node, or no message about signing out.",
        ),
        Text(
            "Stuur een logout token volgens OpenID Connect Back-Channel Logout 1.0.",
            "Send a logout token according to OpenID Connect Back-Channel Logout 1.0.",
        ),
    )

"""What goes wrong in this room, in words."""

from sluis.contact.channels.base import Failed
from sluis.kernel import Invalid, NotFound, Refused, Text, Unidentified, Upstream


def no_channel() -> NotFound:
    """A channel that is not in the settings."""
    return NotFound(
        "unknown-channel",
        Text("Dit kanaal is er niet.", "This channel is not there."),
        Text("Het staat niet onder `[channels]`.", "It does not stand under `[channels]`."),
        Text("Kijk de naam na in `node.toml`.", "Check the name in `node.toml`."),
    )


def unknown_kind() -> Invalid:
    """A way of being reached that this organisation does not have."""
    return Invalid(
        "unknown-kind",
        Text("Zo kunnen wij u niet bereiken.", "We cannot reach you like that."),
        Text("Deze organisatie heeft dit kanaal niet, of het staat er dubbel.",
             "This organisation does not have this channel, or it stands there twice."),
        Text("Kies uit de kanalen op de pagina.", "Choose from the channels on the page."),
    )  # fmt: skip


def unknown_how() -> Invalid:
    """A way of being told of consultations that there is not."""
    return Invalid(
        "unknown-how",
        Text("Deze keuze is er niet.", "This choice is not there."),
        Text("Deze organisatie biedt haar niet aan.", "This organisation does not offer it."),
        Text("Kies uit wat op de pagina staat.", "Choose from what is on the page."),
        field="how",
    )


def too_many_cases() -> Invalid:
    """A preference about one more case."""
    return Invalid(
        "too-many-cases",
        Text(
            "U hebt al voor veel zaken een eigen keuze.",
            "You have a choice of its own for many cases already.",
        ),
        Text("Meer keuzes kunnen wij niet bewaren.", "We cannot keep more choices."),
        Text("Haal een keuze weg die u niet meer nodig hebt.", "Remove a choice that you need no longer."),
        field="case",
    )


def no_email() -> Invalid:
    """What was filled in is no e-mail address."""
    return Invalid(
        "no-email",
        Text("Dit is geen e-mailadres.", "This is no e-mail address."),
        Text(
            "Een e-mailadres ziet eruit als `naam@voorbeeld.nl`.",
            "An e-mail address looks like `name@example.org`.",
        ),
        Text("Kijk na wat u hebt ingevuld.", "Check what you filled in."),
    )


def no_phone() -> Invalid:
    """What was filled in is no mobile number."""
    return Invalid(
        "no-phone",
        Text("Dit is geen mobiel nummer.", "This is no mobile number."),
        Text("Een mobiel nummer ziet eruit als `06 12345678` of `+32 …`.",
             "A mobile number looks like `06 12345678` or `+32 …`."),
        Text("Kijk na wat u hebt ingevuld.", "Check what you filled in."),
    )  # fmt: skip


def too_many_codes() -> Refused:
    """One more code within the hour."""
    return Refused(
        "codes-pace",
        Text("Er is te vaak een code gevraagd.", "A code was asked for too often."),
        Text("Per uur en per dag sturen wij een paar codes, zodat niemand een ander ermee lastigvalt.",
             "We send a few codes an hour and a day, so that nobody bothers another with them."),
        Text("Probeer het over een uur opnieuw, of morgen.", "Try again in an hour, or tomorrow."),
        rule="codes-pace",
        retry=True,
    )  # fmt: skip


def too_many_changes() -> Refused:
    """One more change within the hour."""
    return Refused(
        "changes-pace",
        Text("U hebt dit te vaak veranderd.", "You changed this too often."),
        Text("Van elke verandering bewaren wij een regel; daarom kan het per uur een aantal keren.",
             "We keep a line of every change, so there is a number of times each hour."),
        Text("Probeer het over een uur opnieuw.", "Try again in an hour."),
        rule="changes-pace",
        retry=True,
    )  # fmt: skip


def no_code() -> NotFound:
    """A code where none is waited for."""
    return NotFound(
        "no-code",
        Text("Er is geen code die nog werkt.", "There is no code that still works."),
        Text("Een code werkt een kwartier, en na vijf verkeerde keren niet meer.",
             "A code works for a quarter of an hour, and not after five wrong tries."),
        Text("Vraag een nieuwe code.", "Ask for a new code."),
    )  # fmt: skip


def wrong_code() -> Invalid:
    """Another code than was sent."""
    return Invalid(
        "wrong-code",
        Text("Deze code klopt niet.", "This code is not right."),
        Text("Wij stuurden een andere code naar dit adres.", "We sent another code to this address."),
        Text("Kijk de zes cijfers na.", "Check the six digits."),
    )


def code_not_sent(failed: Failed) -> Invalid | Upstream:
    """A code that did not leave."""
    if failed.how == "never":
        return Invalid(
            "address-refused",
            Text("Wij kunnen naar dit adres niets sturen.", "We cannot send anything to this address."),
            Text("De ontvangende kant neemt het niet aan.", "The receiving side does not take it."),
            Text("Kijk na wat u hebt ingevuld.", "Check what you filled in."),
        )
    return Upstream(
        "code-not-sent",
        Text("Wij konden de code niet sturen.", "We could not send the code."),
        Text("Er is een storing bij het kanaal.", "There is a disturbance at the channel."),
        Text("Probeer het over een paar minuten opnieuw.", "Try again in a few minutes."),
        retry=True,
    )


def not_the_channel() -> Unidentified:
    """A report of who is not the channel."""
    return Unidentified(
        "not-the-channel",
        Text("Deze melding is niet van het kanaal.", "This report is not of the channel."),
        Text("Het geheim ontbreekt of klopt niet.", "The secret is missing, or not right."),
        Text("Zet bij de dienst hetzelfde geheim als in `callback_file`.",
             "Set the same secret at the service as in `callback_file`."),
    )  # fmt: skip


def not_yours() -> Refused:
    """Messages of somebody else."""
    return Refused(
        "messages-not-yours",
        Text("Deze berichten zijn niet van u.", "These messages are not yours."),
        Text("Alleen wie een bericht kreeg, leest het hier.", "Only who got a message reads it here."),
        Text("Log in als de betrokkene zelf.", "Sign in as the data subject."),
        rule="messages-own",
    )


def not_for_this(scope: str) -> Refused:
    """A token that was given for something else."""
    return Refused(
        "token-not-for-this",
        Text("U mag dit niet met dit token.", "You may not do this with this token."),
        Text(f"Het token is niet gegeven voor de scope {scope}.", f"The token was not given for the scope {scope}."),
        Text("Vraag een token aan met die scope.", "Request a token with that scope."),
        rule="token-not-for-this",
    )  # fmt: skip


def unreachable() -> Refused:
    """Messages of whom this organisation sends none."""
    return Refused(
        "no-messages-for",
        Text("Voor wie u nu handelt, zijn hier geen berichten.", "For whom you act now there are no messages here."),
        Text("Berichten gaan naar mensen, en naar bedrijven met een KVK-nummer of RSIN.",
             "Messages go to people, and to companies with a KVK number or RSIN."),
        Text("Kies bij *Handel voor een ander* voor wie u handelt.", "Choose at *Act for another* for whom you act."),
        rule="messages-own",
    )  # fmt: skip


def too_weak() -> Refused:
    """Messages for who signed in too weakly."""
    return Refused(
        "sign-in-too-weak",
        Text("U bent te zwak ingelogd.", "You signed in too weakly."),
        Text(
            "Voor uw eigen berichten is een hoger betrouwbaarheidsniveau nodig.",
            "Your own messages take a higher level of assurance.",
        ),
        Text("Log sterker in.", "Sign in more surely."),
        rule="messages-level",
        level="substantial",
    )

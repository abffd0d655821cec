"""E-mail, against a real SMTP server: what leaves, encrypted; what an answer means; what comes back."""

import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.contact.mailserver import Post, post_office

from sluis.contact.channels import Failed, Mail, MailSettings, Parcel, Waiting
from sluis.contact.channels.bounces import report_of
from sluis.crypto import browser_context, make_authority
from sluis.kernel import PeerId

pytestmark = [  # of the server that the tests talk to
    pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
]

REFERENCE = "0123456789abcdef0123456789abcdef01"
PARCEL = Parcel(REFERENCE, ("anna@voorbeeld.nl",), "nl", "Er is een besluit ✓", "Beste Anna,\n.\nUw aanvraag is afgewezen.\n",
                "<p>Uw aanvraag is <strong>afgewezen</strong>.</p>", "kort", "Dienst Voorbeeld (fictief)", 1_763_900_000)  # fmt: skip
PLAIN = ssl.create_default_context()


def settings(port: int, **more: Any) -> MailSettings:
    given = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "post@dienst.example",
        "seconds": 5.0,
    }
    return MailSettings(**{**given, **more})


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, and one that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    authority = make_authority(folder / "authority", "Fictieve autoriteit")
    files = authority.issue(folder / "tls", PeerId("00000000000000000001"), "Post (fictief)", ["localhost"])
    trusting = ssl.create_default_context(cafile=str(folder / "authority/authority.pem"))
    return browser_context(*files), trusting


async def test_a_message_arrives_in_words_and_in_html() -> None:
    post = Post()
    async with post_office(post) as port:
        await Mail(settings(port, returns="retour@dienst.example"), PLAIN).send(PARCEL)
    envelope, message = post.taken[0], post.message()
    assert envelope.rcpt_tos == ["anna@voorbeeld.nl"]
    assert envelope.mail_from == f"retour+{REFERENCE}@dienst.example"
    assert str(message["Message-ID"]).endswith("@dienst.example>")
    assert message["Subject"] == "Er is een besluit ✓"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == PARCEL.text
    assert PARCEL.html in html.get_content()
    assert '<html lang="nl">' in html.get_content()


async def test_the_connection_is_encrypted_before_anything_is_said(
    certified: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    own, trusting = certified
    for security in ("starttls", "tls"):
        post = Post()
        async with post_office(post, own, starttls=security == "starttls", users=True) as port:
            channel = Mail(
                settings(port, host="localhost", security=security, user="sluis", password="geheim"), trusting
            )
            sent = await channel.send(PARCEL)
        assert len(post.taken) == 1
        assert post.signed_in == [b"sluis"]
        assert any("encrypted" in one.en for one in sent.told)


async def test_a_server_that_offers_no_encryption_gets_nothing() -> None:
    post = Post()
    async with post_office(post) as port:
        with pytest.raises(Failed) as failed:
            await Mail(settings(port, security="starttls"), PLAIN).send(PARCEL)
    assert (failed.value.trouble, failed.value.how) == ("mail-without-tls", "later")
    assert post.taken == []


async def test_a_server_that_cannot_prove_who_it_is_gets_nothing(
    certified: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    for security in ("starttls", "tls"):
        post = Post()
        async with post_office(post, certified[0], starttls=security == "starttls") as port:
            with pytest.raises(Failed) as failed:
                await Mail(settings(port, host="localhost", security=security), PLAIN).send(PARCEL)
        assert failed.value.how == "later"
        assert post.taken == []


@pytest.mark.parametrize(
    ("step", "answer", "trouble", "how"),
    [
        ("recipient", "450 4.2.0 greylisted, try again", "mail-later", "later"),
        ("recipient", "550 5.1.1 no such user", "no-such-address", "never"),
        ("recipient", "550 no such user", "no-such-address", "never"),
        ("recipient", "552 5.2.2 mailbox full", "mailbox-full", "never"),
        ("recipient", "550 5.7.1 not from you", "mail-refused", "never"),
        ("data", "451 4.3.0 try again", "mail-later", "later"),
        ("data", "554 5.6.0 looks like spam", "mail-refused", "never"),
    ],
)
async def test_what_a_negative_answer_means(step: str, answer: str, trouble: str, how: str) -> None:
    post = Post()
    getattr(post, step).append(answer)
    async with post_office(post) as port:
        with pytest.raises(Failed) as failed:
            await Mail(settings(port), PLAIN).send(PARCEL)
    assert (failed.value.trouble, failed.value.how) == (trouble, how)
    assert post.taken == []


async def test_a_wrong_password_is_ours_to_mend(certified: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    own, trusting = certified
    async with post_office(Post(), own, starttls=True, users=True) as port:
        with pytest.raises(Failed) as failed:
            await Mail(
                settings(port, host="localhost", security="starttls", user="sluis", password="fout"), trusting
            ).send(PARCEL)
    assert (failed.value.trouble, failed.value.how) == ("mail-sign-in", "later")


async def test_greylisted_mail_is_taken_the_next_time() -> None:
    post = Post()
    post.recipient.append("450 4.2.0 greylisted")
    async with post_office(post) as port:
        channel = Mail(settings(port), PLAIN)
        with pytest.raises(Failed):
            await channel.send(PARCEL)
        await channel.send(PARCEL)
    assert len(post.taken) == 1


@pytest.mark.parametrize(("hang", "how"), [("rcpt", "later"), ("data", "doubtful")])
async def test_a_server_that_hangs_is_left_and_only_the_last_moment_is_doubtful(hang: str, how: str) -> None:
    post = Post()
    post.hang = hang
    async with post_office(post) as port:
        with pytest.raises(Failed) as failed:
            await Mail(settings(port, seconds=0.3), PLAIN).send(PARCEL)
    assert failed.value.how == how


async def test_a_connection_that_is_cut_after_the_last_byte_is_doubtful() -> None:
    post = Post()
    post.cut = True
    async with post_office(post) as port:
        with pytest.raises(Failed) as failed:
            await Mail(settings(port), PLAIN).send(PARCEL)
    assert failed.value.how == "doubtful"
    assert len(post.taken) == 1


async def test_no_server_is_later() -> None:
    async with post_office(Post()) as port:
        pass
    with pytest.raises(Failed) as failed:
        await Mail(settings(port), PLAIN).send(PARCEL)
    assert (failed.value.trouble, failed.value.how) == ("mail-broken", "later")
    assert f":{port} " in failed.value.told[-1].nl


async def test_what_is_said_cannot_become_a_header_or_a_command() -> None:
    post = Post()
    sly = msgspec.structs.replace(
        PARCEL, subject="Besluit\r\nBcc: ander@voorbeeld.nl", text="einde\r\n.\r\nMAIL FROM:<x@y>\r\n"
    )
    async with post_office(post) as port:
        with pytest.raises(Failed) as failed:
            await Mail(settings(port), PLAIN).send(sly)
        assert (failed.value.trouble, failed.value.how) == ("mail-unfit", "never")
        await Mail(settings(port), PLAIN).send(msgspec.structs.replace(sly, subject="Besluit"))
    assert [one.rcpt_tos for one in post.taken] == [["anna@voorbeeld.nl"]]
    assert "MAIL FROM" in str(post.message().get_body(("plain",)))


# What comes back (RFC 3464)

BOUNCE = """Return-Path: <>
Delivered-To: retour+{reference}@dienst.example
From: MAILER-DAEMON@mx.voorbeeld.nl
To: retour+{reference}@dienst.example
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="grens"

--grens
Content-Type: text/plain

Sorry.

--grens
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.voorbeeld.nl

Final-Recipient: rfc822; anna@voorbeeld.nl
Action: {action}
Status: {status}

--grens--
"""


def bounce(action: str = "failed", status: str = "5.1.1", reference: str = REFERENCE) -> bytes:
    return BOUNCE.format(action=action, status=status, reference=reference).encode()


@pytest.mark.parametrize(
    ("action", "status", "state", "trouble"),
    [
        ("failed", "5.1.1", "bounced", "no-such-address"),
        ("Failed", "5.2.2", "bounced", "mailbox-full"),
        ("failed", "5.7.1", "bounced", "mail-refused"),
        ("failed", "nonsense", "bounced", "mail-refused"),
        ("delivered", "2.0.0", "delivered", ""),
    ],
)
def test_what_a_notification_says(action: str, status: str, state: str, trouble: str) -> None:
    report = report_of(bounce(action, status), "t")
    assert (report.reference, report.state, report.trouble) == (REFERENCE, state, trouble)


@pytest.mark.parametrize(
    "raw",
    [
        bounce("delayed", "4.4.1"),
        bounce("expanded", "2.0.0"),
        b"To: retour+"
        + REFERENCE.encode()
        + b"@dienst.example\r\nSubject: ik ben op vakantie\r\n\r\nTot maandag.\r\n",
        bounce(reference="nietvanons"),
        b"",
        b"\xff\xfe" * 50,
        bounce().replace(b"message/delivery-status", b"text/plain"),
    ],
)
def test_what_says_nothing_final_about_our_mail_is_only_thrown_away(raw: bytes) -> None:
    assert report_of(raw, "t").reference == ""


async def test_who_gets_an_answer_or_a_copy_does_not_learn_where_bounces_go() -> None:
    """An answer has the `Message-ID` in `References`; a forwarded message has all of it."""
    post = Post()
    async with post_office(post) as port:
        channel = Mail(settings(port, returns="retour@dienst.example"), PLAIN)
        await channel.send(PARCEL)
        await channel.send(PARCEL)
    assert REFERENCE not in str(post.message())
    assert post.message(0)["Message-ID"] == post.message(1)["Message-ID"]


@pytest.mark.parametrize(
    "header",
    [
        b"To: " + b"(" * 5_000,
        b"To: =?foo?b?\xff\xfe?=",
        b"To: " + b"=?utf-8?q?a?= " * 60_000,
        b"Content-Type: " + b"(" * 5_000,
        b"\r\n".join([b"Content-Type: message/rfc822\r\n"] * 3_000),
    ],
    ids=["nested", "half", "endless", "type", "deep"],
)
async def test_one_message_does_not_keep_the_others_from_being_read(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/1.a").write_bytes(header + b"\r\n" + bounce())
    (tmp_path / "new/2.b").write_bytes(bounce())
    reports = await Mail(settings(1, maildir=tmp_path), PLAIN).reports([])
    assert [one.token for one in reports] == ["new/1.a", "new/2.b"]
    assert reports[1].reference == REFERENCE


async def test_a_maildir_is_read_and_what_was_heeded_is_gone(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "new/1.a").write_bytes(bounce())
    (tmp_path / "new/2.b").write_bytes(b"Subject: vakantie\r\n\r\n")
    channel = Mail(settings(1, returns="retour@dienst.example", maildir=tmp_path), PLAIN)
    reports = await channel.reports([Waiting(REFERENCE, "")])
    assert {one.reference for one in reports} == {REFERENCE, ""}
    assert len(list((tmp_path / "new").iterdir())) == 2
    await channel.heed(reports)
    assert list((tmp_path / "new").iterdir()) == []

"""A far side for each kind of channel: what it got, and how it is made to fail. A new kind adds one here."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncssh
import msgspec
from tests.contract.contact.notify_service import KEY, NotifyService
from tests.pango import need_pango
from tests.unit.contact.mailserver import Post, post_office

from sluis.contact.channels import (
    Box,
    BoxSettings,
    Channel,
    Failed,
    Folder,
    Mail,
    MailSettings,
    Notify,
    NotifySettings,
    Parcel,
    Sftp,
    Street,
)
from sluis.contact.channels import Server as StreetServer
from sluis.web import LoopbackListener, Server
from sluis_demo.simulators.message_box import MessageBox

REFERENCE = "0123456789abcdef0123456789abcdef01"
PLAIN = ssl.create_default_context()
ADDRESS = ("A. Fictief", "Nergensstraat 1", "1234 AB Nergenshuizen")


class Far(Protocol):
    """The other side of a channel.

    Attributes:
        channel: to it.
        parcel: something that it takes.
        nobody: something for somebody who is not there; None where that cannot be known.
    """

    channel: Channel
    parcel: Parcel
    nobody: Parcel | None

    def got(self) -> list[str]:
        """References of what it has, each as often as it has it."""

    async def down(self) -> None:
        """From now on it answers nobody."""

    def says_back(self) -> None:
        """It has a final report of the parcel ready."""


def parcel(*to: str, **more: Any) -> Parcel:
    made = Parcel(REFERENCE, to, "nl", "Er is een besluit", "Uw aanvraag is afgewezen.\n", "<p>Uw aanvraag is afgewezen.</p>",
                  "Er is een besluit.", "Dienst Voorbeeld (fictief)", 1_763_900_000)  # fmt: skip
    return msgspec.structs.replace(made, **more)


class MailFar:
    def __init__(self, post: Post, port: int, folder: Path) -> None:
        self.post, self.folder = post, folder / "retour"
        for name in ("new", "cur", "tmp"):
            (self.folder / name).mkdir(parents=True)
        self.channel: Channel = Mail(
            MailSettings(
                "127.0.0.1",
                port,
                "none",
                "post@dienst.example",
                "retour@dienst.example",
                self.folder,
                seconds=0.4,
            ),
            PLAIN,
        )
        self.parcel, self.nobody = parcel("anna@voorbeeld.nl"), parcel("niemand@voorbeeld.nl")

    def got(self) -> list[str]:
        return [str(one.mail_from).partition("+")[2][:34] for one in self.post.taken]

    async def down(self) -> None:
        self.post.hang = "rcpt"

    def says_back(self) -> None:
        from tests.unit.contact.test_mail import bounce

        (self.folder / "new/1").write_bytes(bounce())


class Nobody(Post):
    """Knows one person less."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("niemand"):
            return "550 5.1.1 no such user"
        return await super().handle_RCPT(server, session, envelope, address, options)


@asynccontextmanager
async def mail(folder: Path) -> AsyncIterator[Far]:
    post = Nobody()
    async with post_office(post) as port:
        yield MailFar(post, port, folder)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[tuple[Server, str]]:
    server = Server(app)
    host, port = await server.listen(LoopbackListener("127.0.0.1", 0))  # type: ignore[misc]
    try:
        yield server, f"http://{host}:{port}"
    finally:
        await server.stop()


class NotifyFar:
    def __init__(self, service: NotifyService, server: Server, url: str, form: Any) -> None:
        self.service, self._server = service, server
        self.channel: Channel = Notify(NotifySettings(url, KEY, form, "sjabloon-1", True, 2.0), PLAIN)
        to = {"email": ["anna@voorbeeld.nl"], "sms": ["+31612345678"], "letter": ADDRESS}[form]
        nobody = {
            "email": ["niemand@voorbeeld.nl"],
            "sms": ["+31600000000"],
            "letter": ["A. Fictief", "Nergens"],
        }[form]
        self.parcel, self.nobody = parcel(*to), parcel(*nobody)

    def got(self) -> list[str]:
        return [one["reference"] for one in self.service.taken]

    async def down(self) -> None:
        await self._server.stop(0.1)

    def says_back(self) -> None:
        self.service.taken[0]["status"] = "permanent-failure"


def notify(form: str) -> Callable[[Path], AbstractAsyncContextManager[Far]]:
    @asynccontextmanager
    async def far(folder: Path) -> AsyncIterator[Far]:
        service = NotifyService()
        async with served(service) as (server, url):
            made = NotifyFar(service, server, url, form)
            yield made
            await made.channel.close()

    return far


class BoxFar:
    def __init__(self, box: MessageBox, server: Server, url: str) -> None:
        self.box, self._server = box, server
        self.channel: Channel = Box(BoxSettings(url, "geheim", True, 2.0), PLAIN)
        self.parcel, self.nobody = parcel("999990019"), parcel("999990020")

    def got(self) -> list[str]:
        return list(self.box.messages)

    async def down(self) -> None:
        await self._server.stop(0.1)

    def says_back(self) -> None:
        self.box.read.add(REFERENCE)


@asynccontextmanager
async def box(folder: Path) -> AsyncIterator[Far]:
    boxes = MessageBox("geheim", ["999990020"])
    async with served(boxes) as (server, url):
        far = BoxFar(boxes, server, url)
        yield far
        await far.channel.close()


class StreetFar:
    def __init__(self, folder: Path, drop: Folder | Sftp, down: Callable[[], None]) -> None:
        self.folder, self._down = folder, down
        self.channel: Channel = Street(drop)
        self.parcel, self.nobody = parcel(*ADDRESS), None

    def got(self) -> list[str]:
        return [path.stem for path in self.folder.glob("*.json")]

    async def down(self) -> None:
        self._down()

    def says_back(self) -> None:
        (self.folder / f"{REFERENCE}.returned").touch()


@asynccontextmanager
async def folder_street(folder: Path) -> AsyncIterator[Far]:
    need_pango()
    place = folder / "straat"
    place.mkdir()
    yield StreetFar(place, Folder(place), lambda: place.rename(folder / "weg") and None)


class Alone(asyncssh.SSHServer):
    """Lets one key in."""

    def begin_auth(self, username: str) -> bool:
        return True


@asynccontextmanager
async def sftp_street(folder: Path) -> AsyncIterator[Far]:
    need_pango()
    place, files = folder / "straat", folder / "ssh"
    for one in (place, files):
        one.mkdir()
    host, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    client.write_private_key(str(files / "client"))
    client.write_public_key(str(files / "client.pub"))
    listener = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host], authorized_client_keys=str(files / "client.pub"),
        sftp_factory=lambda connection: asyncssh.SFTPServer(connection, chroot=str(place)), server_factory=Alone,
    )  # fmt: skip
    port = listener.get_port()
    known = host.export_public_key().decode().strip()
    (files / "known_hosts").write_text(f"[127.0.0.1]:{port} {known}\n", encoding="utf-8")
    server = StreetServer("127.0.0.1", port, "sluis", files / "client", files / "known_hosts", "/", 5.0)
    yield StreetFar(place, Sftp(server), listener.close)
    listener.close()
    await listener.wait_closed()


KINDS: dict[str, Callable[[Path], AbstractAsyncContextManager[Far]]] = {
    "smtp": mail,
    "notify-email": notify("email"),
    "notify-sms": notify("sms"),
    "notify-letter": notify("letter"),
    "box": box,
    "print": folder_street,
    "print-sftp": sftp_street,
}

POSTED = {"print", "print-sftp"}
"""Kinds that cannot know who lives at an address."""

__all__ = ["KINDS", "POSTED", "REFERENCE", "Failed", "Far", "parcel"]

"""A real SMTP server (aiosmtpd) in the event loop of the test, which a test tells how to misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Post:
    """Keeps what it takes. `recipient` and `data` answer in turn what was put there; empty: 250.

    Attributes:
        taken: envelopes, in order.
        hang: at which command it never answers: `rcpt` or `data`.
        cut: whether the connection is cut after the message was taken, before the answer.
    """

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.recipient: list[str] = []
        self.data: list[str] = []
        self.hang = ""
        self.cut = False
        self.signed_in: list[bytes] = []

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.hang == "rcpt":
            await asyncio.sleep(3_600)
        if self.recipient:
            return self.recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        if self.data:
            return self.data.pop(0)
        self.taken.append(envelope)
        if self.hang == "data":
            await asyncio.sleep(3_600)
        if self.cut:
            server.transport.abort()
        return "250 2.0.0 taken"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append(data.login)
        return AuthResult(success=data.password == b"geheim", handled=False)

    def message(self, number: int = -1) -> EmailMessage:
        """A message that was taken."""
        content = self.taken[number].content
        assert isinstance(content, bytes)
        read = message_from_bytes(content, policy=default)
        assert isinstance(read, EmailMessage)
        return read


@asynccontextmanager
async def post_office(
    post: Post, context: ssl.SSLContext | None = None, *, starttls: bool = False, users: bool = False
) -> AsyncIterator[int]:
    """The server, on a port of its own: gives the port."""
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        return SMTP(
            post,
            hostname="localhost",
            loop=loop,
            tls_context=context if starttls else None,
            require_starttls=starttls,
            authenticator=post.authenticate if users else None,
            auth_required=users,
            auth_require_tls=False,
            ident="post",
        )

    server = await loop.create_server(
        made, "127.0.0.1", 0, ssl=context if context is not None and not starttls else None
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()

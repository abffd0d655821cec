"""A service that speaks the REST API of GOV.UK Notify v2, as its documentation describes it: a stand-in for tests."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath, FromQuery

SERVICE, SECRET = "26785a09-ab16-4eb0-8407-a37497a57506", "3d844edf-8d35-48ac-975b-e847b4f122b0"
KEY = f"proefsleutel-{SERVICE}-{SECRET}"


class NotifyService:
    """Keeps what it takes. `says` answers in turn with (status, error, message) before anything is taken."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.says: list[tuple[int, str, str]] = []
        self.unknown = {"niemand@voorbeeld.nl", "+31600000000"}
        self.loses = 0  # answers that are 500 although the message was taken
        self.framework = Litestar(route_handlers=self._routes(), openapi_config=None, logging_config=None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.framework(scope, receive, send)

    def _routes(self) -> list[Any]:
        @post("/v2/notifications/{form:str}")
        async def take(request: Request[Any, Any, Any], form: FromPath[str]) -> Response[Any]:
            if (refused := self._refused(request)) is not None:
                return refused
            body = await request.json()
            if self.says:
                status, error, message = self.says.pop(0)
                return wrong(status, error, message)
            if (refused := self._unfit(form, body)) is not None:
                return refused
            number = str(uuid.uuid4())
            self.taken.append({**body, "id": number, "type": form, "status": "created"})
            if self.loses:
                self.loses -= 1
                return wrong(500, "Exception", "Internal server error")
            return Response(
                {"id": number, "reference": body.get("reference"), "content": {}}, status_code=201
            )

        @get("/v2/notifications")
        async def every(request: Request[Any, Any, Any], reference: FromQuery[str] = "") -> Response[Any]:
            if (refused := self._refused(request)) is not None:
                return refused
            found = [one for one in self.taken if not reference or one["reference"] == reference]
            return Response({"notifications": found, "links": {}})

        @get("/v2/notifications/{number:str}")
        async def one(request: Request[Any, Any, Any], number: FromPath[str]) -> Response[Any]:
            if (refused := self._refused(request)) is not None:
                return refused
            found = [one for one in self.taken if one["id"] == number]
            return Response(found[0]) if found else wrong(404, "NoResultFound", "No result found")

        return [take, every, one]

    def _refused(self, request: Request[Any, Any, Any]) -> Response[Any] | None:
        """Who does not sign as the service asks (HS256; `iss` the service, `iat` within thirty seconds)."""
        content, _, signature = (
            request.headers.get("authorization", "").removeprefix("Bearer ").rpartition(".")
        )
        wanted = hmac.digest(SECRET.encode(), content.encode(), hashlib.sha256)
        if not content or not hmac.compare_digest(_decoded(signature), wanted):
            return wrong(403, "AuthError", "Invalid token: API key not found")
        claims = json.loads(_decoded(content.partition(".")[2]))
        if claims["iss"] != SERVICE or abs(claims["iat"] - time.time()) > 30:
            return wrong(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
        return None

    def _unfit(self, form: str, body: dict[str, Any]) -> Response[Any] | None:
        given = body["personalisation"]
        if not {"subject", "body"} <= given.keys():
            return wrong(400, "BadRequestError", "Missing personalisation: body")
        if form == "letter":
            lines = [given[name] for name in sorted(given) if name.startswith("address_line_")]
            if len(lines) < 3 or lines[-1] == "Nergens":
                return wrong(400, "ValidationError", "address must have at least 3 lines")
            return None
        name = {"email": "email_address", "sms": "phone_number"}[form]
        if body[name] in self.unknown:
            return wrong(400, "ValidationError", f"{name} Not a valid address")
        return None


def wrong(status: int, error: str, message: str) -> Response[Any]:
    headers = {"retry-after": "120"} if status == 429 else {}
    return Response(
        {"status_code": status, "errors": [{"error": error, "message": message}]},
        status_code=status,
        headers=headers,
    )


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

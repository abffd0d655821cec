"""The log for people: how it stands, verified whole or one record at a time, with the proof drawn; and the evidence to take away."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import Invalid, Problem, Text
from sluis.oversight.desk import Desk, changes
from sluis.oversight.record_pages import record_routes
from sluis.web import STAFF, Form, SignedIn, page, redirect

KINDS: dict[str, Text] = {
    "processing": Text("verwerking", "processing"),
    "decision": Text("besluit", "decision"),
    "contract": Text("handtekening onder een contract", "signature under a contract"),
    "transaction": Text("stuk van het transactielogboek", "stretch of the transaction log"),
    "admin": Text("iets dat iemand regelde", "something that somebody arranged"),
    "epoch": Text("nieuw tijdvak van het logboek", "new epoch of the log"),
    "destruction": Text("vernietiging van regels", "destruction of records"),
    "": Text("vernietigd", "destroyed"),
}
PATIENCE = 1.5
"""Seconds that a page waits for a verification to be done; that of a small log is."""


def log_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """These pages."""
    checking = desk.oversight.checking

    async def shown(
        request: Request[Any, Any, Any], wrong: Problem | None = None, index: str = "", note: str = ""
    ) -> Response[bytes]:
        glance, checks, earlier = await asyncio.gather(
            asyncio.to_thread(checking.glance),
            asyncio.to_thread(checking.checks),
            asyncio.to_thread(checking.earlier),
        )
        return page(
            request, "oversight/log.html", status=422 if wrong else 200, glance=glance, checks=checks, earlier=earlier,
            going=checking.under_way, wrong=wrong, index=index, note=note,
        )  # fmt: skip

    @get("/oversight/log", opt=STAFF)
    async def state(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Hoe het logboek ervoor staat."""
        await desk.may_read(person)
        return await shown(request)

    @post("/oversight/log/verify", opt=STAFF, status_code=200)
    async def verify(person: SignedIn, form: Form) -> Response[Any]:
        """Reken het hele logboek na."""
        await desk.may_read(person)
        checking.begin()
        await checking.wait(PATIENCE)
        return redirect("/oversight/log")

    @post("/oversight/log/find", opt=STAFF, status_code=200)
    async def find(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Naar het bewijs van één regel."""
        await desk.may_read(person)
        given = form.get("index", "").strip().replace(".", "")
        try:
            if not (given.isascii() and given.isdecimal() and len(given) < 18):
                raise _no_number()
            await asyncio.to_thread(checking.proof, int(given))
        except Problem as problem:
            problem.field = problem.field or "index"
            return await shown(request, problem, given[:20])
        return redirect(f"/oversight/log/{given}")

    @post("/oversight/log/since", opt=STAFF, status_code=200)
    async def since(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Of een eerder checkpoint het begin van het logboek van nu is, getekend."""
        await desk.may_read(person)
        note = form.get("note", "").strip() or form.get("kept", "")
        try:
            old, now, drawing = await asyncio.to_thread(checking.since, note)
        except Problem as problem:
            if problem.status >= 500:
                raise
            return await shown(request, problem, note=note[:4000])
        return page(request, "oversight/since.html", old=old, now=now, drawing=drawing)

    async def proved(
        request: Request[Any, Any, Any], person: SignedIn, index: int, whole: bool
    ) -> Response[bytes]:
        """Het bewijs dat een regel in het logboek staat, getekend; met `whole` wat er in de regel staat."""
        proof = await asyncio.to_thread(checking.proof, index)
        return page(
            request, "oversight/proof.html", proof=proof, kind=KINDS.get(proof.kind, Text(proof.kind, proof.kind)),
            offer=changes(person), whole=whole, content=(proof.stored.json or b"").decode() if whole else None,
        )  # fmt: skip

    async def evidence(
        request: Request[Any, Any, Any], person: SignedIn, index: int, whole: bool
    ) -> Response[bytes]:
        """Het bewijs om elders na te rekenen; met `whole` met de regel erbij."""
        return _zip(await asyncio.to_thread(checking.bundle, index, whole), index)

    place = "/oversight/log/{index:str}"
    return [
        state, verify, find, since, *record_routes(desk, place, f"{place}/content", proved),
        *record_routes(desk, f"{place}/evidence", f"{place}/evidence", evidence),
    ]  # fmt: skip


def _zip(raw: bytes, index: int) -> Response[bytes]:
    return Response(
        raw,
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="bewijs-{index}.zip"'},
    )


def _no_number() -> Problem:
    return Invalid(
        "no-record-number",
        Text("Dit is geen nummer van een regel.", "This is no number of a record."),
        Text("Regels zijn genummerd vanaf 0.", "Records are numbered from 0."),
        Text("Vul een nummer in.", "Fill in a number."),
        field="index",
    )

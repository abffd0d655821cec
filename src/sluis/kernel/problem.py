"""What can go wrong, in one tree. Every failure a caller can meet is one of these.

    Problem
    ├── Invalid        400  what was sent cannot be understood, or breaks a published limit
    ├── Unidentified   401  nobody proved who is asking
    ├── Refused        403  understood, and not allowed: names the rule and, where there is one, the law
    ├── NotFound       404  what is named does not exist here (or may not be seen: the two read the same)
    ├── Conflict       409  it clashes with what was agreed or recorded before
    ├── Upstream       502  another organisation, or a source, did not do its part; `retry` says if trying helps
    └── Unkept         503  this node cannot record what it does, so it does nothing

Each says what happened, why, and what to do next, in Dutch and English. `web` writes them as RFC 9457
problem details; no other place does. A Problem never carries personal data.
"""

import re
import unicodedata
from typing import Any

import msgspec

from sluis.kernel.acting import LEVELS, Level

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")


class Text(msgspec.Struct, frozen=True):
    """The same sentence in Dutch and English."""

    nl: str
    en: str

    def __str__(self) -> str:
        return self.en

    def said_in(self, language: str) -> str:
        """It in one language: English for `en`, else Dutch."""
        return self.en if language == "en" else self.nl


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where in a file something is wrong. `line` counts from 1; 0 when the whole file is meant."""

    file: str
    line: int = 0


class Problem(Exception):
    """The root of the tree; never raised itself.

    Args:
        code: stable kebab-case name of this problem, unique in the product (`unknown-dataset`).
        what: what happened.
        why: the cause, in terms the caller can check.
        next: the step that helps.
        rule: for refusals, the rule that decided (`subject-required`).
        legal: for refusals, the article that the rule rests on.
        peer: the other organisation concerned, by name or OIN.
        retry: whether sending the same again may succeed.
        place: where in a file, for configuration.
        level: the assurance level with which it would have been allowed: who asks can sign in again, at that level.
        field: of the form that was filled in, the one to correct; a page ties the problem to it.
    """

    status: int = 500

    seconds: int = 0
    """After so many the same may succeed (`Retry-After`); 0 when that is not known."""

    def __init__(
        self,
        code: str,
        what: Text,
        why: Text,
        next: Text,
        *,
        rule: str | None = None,
        legal: str | None = None,
        peer: str | None = None,
        retry: bool = False,
        place: Place | None = None,
        level: Level | None = None,
        field: str = "",
    ) -> None:
        super().__init__(f"{what.en} {why.en} {next.en}")
        self.code, self.what, self.why, self.next = code, what, why, next
        self.rule, self.legal, self.peer, self.retry, self.place = rule, legal, peer, retry, place
        self.level, self.field = level, field

    def members(self, language: str = "nl") -> dict[str, Any]:
        """The RFC 9457 members of this problem, title and detail in `language` (`nl` or `en`)."""

        def say(text: Text) -> str:
            return text.said_in(language)

        extra = {"rule": self.rule, "legalBasis": self.legal, "peer": self.peer, "level": self.level}
        return {
            "type": f"urn:sluis:problem:{self.code}",
            "status": self.status,
            "title": say(self.what),
            "detail": f"{say(self.why)} {say(self.next)}",
            "code": self.code,
            "retry": self.retry,
            "texts": {
                lang: {
                    "what": getattr(self.what, lang),
                    "why": getattr(self.why, lang),
                    "next": getattr(self.next, lang),
                }
                for lang in ("nl", "en")
            },
            **{name: value for name, value in extra.items() if value is not None},
            **({"place": msgspec.to_builtins(self.place)} if self.place else {}),
        }

    @classmethod
    def from_members(cls, members: dict[str, Any]) -> "Problem":
        """Rebuild a problem that a peer sent; unknown or incomplete members give a general text.

        The members are hostile input: only strings and booleans are taken over, cut to 2,000 characters, without what could make
        a text read as something else. A code is one in form, since it is kept, and stands in logs.
        """
        kinds = {
            kind.status: kind
            for kind in (Invalid, Unidentified, Refused, NotFound, Conflict, Upstream, Unkept)
        }
        status = members.get("status")
        kind = kinds.get(status, Upstream) if isinstance(status, int) else Upstream

        def string(value: object, otherwise: str = "") -> str:
            return _shown(value[:2000]) if isinstance(value, str) else otherwise

        texts = members.get("texts")
        texts = texts if isinstance(texts, dict) else {}

        def text(part: str, otherwise: str) -> Text:
            by_language = [texts.get(lang) for lang in ("nl", "en")]
            nl, en = (
                string(entry.get(part), otherwise) if isinstance(entry, dict) else otherwise
                for entry in by_language
            )
            return Text(nl, en)

        code = members.get("code")
        return kind(
            code if isinstance(code, str) and _CODE.fullmatch(code) else "unknown-problem",
            text("what", string(members.get("title"), "-")),
            text("why", string(members.get("detail"), "-")),
            text("next", "-"),
            rule=string(members.get("rule")) or None,
            legal=string(members.get("legalBasis")) or None,
            peer=string(members.get("peer")) or None,
            retry=members.get("retry") is True,
            level=next((level for level in LEVELS if level == members.get("level")), None),
        )


def _shown(text: str) -> str:
    """A text of another without control and direction characters."""
    return "".join(one for one in text if one == "\n" or unicodedata.category(one) not in ("Cc", "Cf", "Cs"))


class Invalid(Problem):
    """What was sent cannot be understood, or breaks a published limit."""

    status = 400


class Unidentified(Problem):
    """Nobody proved who is asking."""

    status = 401


class Refused(Problem):
    """Understood, and not allowed: names the rule and, where there is one, the law."""

    status = 403


class NotFound(Problem):
    """What is named does not exist here, or may not be seen."""

    status = 404


class Conflict(Problem):
    """It clashes with what was agreed or recorded before."""

    status = 409


class Upstream(Problem):
    """Another organisation, or a source, did not do its part."""

    status = 502


class Unkept(Problem):
    """This node cannot record what it does, so it does nothing."""

    status = 503


def cause_of(failure: Exception) -> str:
    """What a program's own log says of a failure: the code of a Problem, of others only their type, for what they say may
    be about a person."""
    return failure.code if isinstance(failure, Problem) else type(failure).__name__

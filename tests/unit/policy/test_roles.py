"""People meet roles by the words they know, never by their names in settings."""

import re
from pathlib import Path

from sluis.kernel import Text
from sluis.policy import STANDARD, role_words, takes_role
from sluis.policy.roles import ROLES, one_of

_LISTED = re.compile(r"roles\.contains(?:Any)?\(([^)]*)\)")


def test_every_role_of_the_standard_policies_has_words_in_both_languages() -> None:
    named = {
        role
        for text in STANDARD.values()
        for some in _LISTED.findall(text)
        for role in re.findall(r'"([^"]+)"', some)
    }
    assert "data-owner" in named
    assert named <= set(ROLES)
    for name, words in ROLES.items():
        assert words.nl
        assert words.en
        assert "-" not in words.nl + words.en, name


def test_the_reference_names_every_role_with_its_words() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/policy.md").read_text(encoding="utf-8")
    for name, words in ROLES.items():
        assert f"| `{name}` | {words.nl} | `{words.en}` |" in page


def test_a_role_of_the_organisation_itself_is_called_what_it_is_named() -> None:
    assert role_words("consulent") == Text("consulent", "consulent")


def test_several_roles_are_told_as_a_choice() -> None:
    assert one_of(["auditor"]).nl == "auditor"
    assert one_of(["auditor", "developer"]).nl == "auditor of ontwikkelaar"
    assert one_of(["finance", "auditor", "developer"]).en == "finance officer, auditor or developer"


def test_who_misses_a_role_hears_which_and_who_else_may_look() -> None:
    assert takes_role("data-owner").nl == "Dat mag wie deze rol heeft: gegevensbeheerder."
    assert takes_role("auditor", "developer").en == "Who has one of these roles may: auditor or developer."
    told = takes_role("access-admin", looks=["privacy-officer"])
    assert (
        told.nl == "Dat mag wie deze rol heeft: beheerder van toegang. Bekijken mag ook: privacyfunctionaris."
    )
    assert told.en == "Who has this role may: access administrator. May look as well: privacy officer."

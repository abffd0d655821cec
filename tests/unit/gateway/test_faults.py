"""Error codes of FSC Core 2.0.0 and Logging 1.0.0, with the HTTP status that the text gives each."""

import json

import pytest

from sluis.gateway.faults import FAULTS, FscProblem, inway_fault, manager_fault, outway_fault
from sluis.kernel import Text

WHY = Text("Daarom.", "That is why.")

STANDARD = {
    "ERROR_CODE_INCORRECT_GROUP_ID": 422,
    "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT": 422,
    "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT": 422,
    "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH": 422,
    "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED": 400,
    "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH": 422,
    "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED": 422,
    "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED": 422,
    "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH": 422,
    "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH": 422,
    "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE": 422,
    "ERROR_CODE_UNKNOWN_FSC_VERSION": 422,
    "ERROR_CODE_INCORRECT_PUBLIC_KEY_THUMBPRINT": 422,
    "ERROR_CODE_METHOD_UNSUPPORTED": 405,
    "ERROR_CODE_ACCESS_TOKEN_MISSING": 401,
    "ERROR_CODE_ACCESS_TOKEN_INVALID": 401,
    "ERROR_CODE_ACCESS_TOKEN_EXPIRED": 401,
    "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN": 403,
    "ERROR_CODE_SERVICE_NOT_FOUND": 404,
    "ERROR_CODE_SERVICE_UNREACHABLE": 502,
    "TRANSACTION_LOG_WRITE_ERROR": 500,
    "INVALID_LOG_RECORD_ID": 400,
    "MISSING_LOG_RECORD_ID": 400,
}


def test_every_code_of_the_standard_has_its_status() -> None:
    assert {code: fault.status for code, fault in FAULTS.items() if fault.standard} == STANDARD


@pytest.mark.parametrize("code", FAULTS)
def test_every_problem_has_the_form_of_the_standard(code: str) -> None:
    problem = FscProblem(code, FAULTS[code].domains[0], WHY)
    told = json.loads(problem.body())
    assert told == {"message": str(problem), "domain": FAULTS[code].domains[0], "code": code}
    assert "That is why." in told["message"]
    assert problem.headers()["Fsc-Error-Code"] == code
    assert problem.members()["status"] == problem.status == FAULTS[code].status


@pytest.mark.parametrize("code", FAULTS)
def test_who_must_get_a_token_is_told_how(code: str) -> None:
    headers = FscProblem(code, FAULTS[code].domains[0], WHY).headers()
    assert headers.get("WWW-Authenticate") == ("Bearer" if "ACCESS_TOKEN" in code else None)


def test_each_component_speaks_for_itself() -> None:
    code = "TRANSACTION_LOG_WRITE_ERROR"
    assert [make(code, WHY).domain for make in (inway_fault, outway_fault)] == [
        "ERROR_DOMAIN_INWAY",
        "ERROR_DOMAIN_OUTWAY",
    ]
    assert manager_fault("ERROR_CODE_INCORRECT_GROUP_ID", WHY).domain == "ERROR_DOMAIN_MANAGER"
    assert manager_fault("ERROR_CODE_INCORRECT_GROUP_ID", WHY).code == "incorrect-group-id"
    assert (
        manager_fault("ERROR_CODE_INCORRECT_GROUP_ID", WHY, code="group-of-others").code == "group-of-others"
    )


@pytest.mark.parametrize("code", FAULTS)
def test_every_text_is_there_in_both_languages(code: str) -> None:
    for text in (FAULTS[code].what, FAULTS[code].next):
        assert text.nl.endswith(".")
        assert text.en.endswith(".")
        assert text.nl != text.en

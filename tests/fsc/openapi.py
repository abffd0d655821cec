"""The official OpenAPI files of FSC, with what Core 2.0.0 changed and what is plainly wrong in them put right.

The files stand beside the checkout or nowhere; nothing of them is kept here. Sources of the differences: the text of Core
2.0.0 (4.2, 4.2.1.3, 4.4.5.3) and the published head of its OpenAPI file.
"""

from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

_IDENTIFICATION: Schema = {
    "oneOf": [
        {
            "type": "object",
            "required": ["type", "public_key_thumbprint"],
            "properties": {
                "type": {"type": "string", "enum": ["OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"]},
                "public_key_thumbprint": {"$ref": "#/components/schemas/publicKeyThumbprint"},
            },
        },
        {
            "type": "object",
            "required": ["type", "domain_name"],
            "properties": {
                "type": {"type": "string", "enum": ["OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME"]},
                "domain_name": {"type": "string"},
            },
        },
    ]
}
_NEW_CODES = [
    "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT",
    "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT",
    "ERROR_CODE_UNKNOWN_FSC_VERSION",
]


def core(folder: Path) -> Schema:
    """The Manager API of Core 2.0.0."""
    schema = _read(folder / "fsc-core-manager.develop-2025-10.yaml")
    parts = schema["components"]["schemas"]
    content = parts["contractContent"]
    content["properties"]["fsc_version"] = {"type": "string", "example": "2.0.0"}
    content["required"].append("fsc_version")
    outway = parts["outway"]
    del outway["properties"]["public_key_thumbprint"]
    outway["properties"]["identification"] = _IDENTIFICATION
    outway["required"] = ["peer_id", "identification"]
    for body in (
        schema["paths"]["/contracts"]["post"]["requestBody"],
        schema["components"]["requestBodies"]["signatureRequest"],
    ):
        members = body["content"]["application/json"]["schema"]
        members["properties"]["content"] = members["properties"].pop("contract_content")
        members["required"] = ["content", "signature"]
    codes = parts["managerErrorCode"]["enum"]
    codes.remove("ERROR_CODE_PEER_NOT_PART_OF_CONTRACT")
    codes += _NEW_CODES
    parts["fscVersion"]["enum"] = ["2.0.0"]
    for listing in ("serviceListingService", "serviceListingDelegatedService"):
        parts[listing]["properties"]["properties"] = {"type": "object", "additionalProperties": True}
    _mend(schema)
    return _whole(schema)


def _mend(schema: Schema) -> None:
    """Where the file contradicts the standard it belongs to: `type` of a listing stands in `data`; coordinates of P-256
    are no 66 characters; a key fits both kinds of `oneOf`. Which codes there are is held by `test_core_manager`."""
    parts = schema["components"]["schemas"]
    parts["serviceListing"]["required"] = ["data"]
    for name in ("minLength", "maxLength"):
        for coordinate in ("x", "y"):
            parts["ecPublicKey"]["properties"][coordinate].pop(name, None)
    parts["errorCode"] = {"type": "string", "pattern": "^[A-Z_]+$"}
    parts["jwk"].pop("oneOf")
    parts["jwk"]["anyOf"] = [
        {"$ref": f"#/components/schemas/{name}"} for name in ("ecPublicKey", "rsaPublicKey")
    ]


def logging(folder: Path) -> Schema:
    """The Manager API of Logging 1.0.0."""
    return _whole(_read(folder / "fsc-logging.v1.0.0.yaml"))


def _read(path: Path) -> Schema:
    # Ten times as fast as in Python.
    found: Schema = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def _whole(schema: Schema) -> Schema:
    """With what section 4.4.5.2 says of every endpoint, and the file only of some: it may answer 400 with the error
    object. The official server address is a template; the caller says where it is."""
    schema["servers"] = [{"url": "/v1"}]
    error = (
        {"$ref": "#/components/schemas/error"}
        if "error" in schema["components"]["schemas"]
        else {"type": "object"}
    )
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault(
                400, {"description": "Bad request", "content": {"application/json": {"schema": error}}}
            )
            operation["responses"] = {
                str(status): answer for status, answer in operation["responses"].items()
            }
    return schema

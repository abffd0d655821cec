"""What the provider tells of itself: OpenID Connect Discovery 1.0 and RFC 8414, one document under both addresses."""

from typing import Any

from sluis.crypto import PROFILE
from sluis.identity.clients import METHODS, Clients
from sluis.identity.provider.model import (
    ACTS,
    DECISIONS,
    EVENTS,
    EXCHANGE,
    MESSAGES,
    OPENID,
    OWN_LOG,
    READ_EVENTS,
)
from sluis.identity.provider.rules import PROMPTS
from sluis.identity.tokens import ID_TYPES
from sluis.kernel import ACR
from sluis.web import API_SCOPE

ENDPOINTS = {
    "authorization_endpoint": "/oauth/authorize",
    "pushed_authorization_request_endpoint": "/oauth/par",
    "token_endpoint": "/oauth/token",
    "userinfo_endpoint": "/oauth/userinfo",
    "introspection_endpoint": "/oauth/introspect",
    "revocation_endpoint": "/oauth/revoke",
    "end_session_endpoint": "/oauth/end",
    "jwks_uri": "/oauth/jwks",
}
"""Where everything is."""

_MUTUAL = (
    "pushed_authorization_request_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
)
_CLAIMS = (
    "iss sub aud exp iat nbf jti nonce acr auth_time azp sid sub_id_type represents roles"  # never amr
).split()


def discovery(issuer: str, clients: Clients, mutual: str | None = None) -> dict[str, Any]:
    """The document.

    Args:
        issuer: address of the provider.
        clients: whose scopes are told.
        mutual: address where client certificates are asked for, when that is another one (RFC 8705, 5).
    """
    algorithms, methods = sorted(PROFILE, reverse=True), list(METHODS)
    document: dict[str, Any] = {
        "issuer": issuer,
        **{name: issuer + path for name, path in ENDPOINTS.items()},
        "scopes_supported": sorted(
            {
                OPENID,
                OWN_LOG,
                DECISIONS,
                EVENTS,
                READ_EVENTS,
                MESSAGES,
                ACTS,
                API_SCOPE,
                *(scope for client in clients.all for scope in client.scopes),
            }
        ),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", EXCHANGE],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "userinfo_signing_alg_values_supported": ["none"],
        "request_object_signing_alg_values_supported": ["none"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods[:-1],
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": list(ACR.values()),
        "claims_supported": _CLAIMS,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "prompt_values_supported": list(PROMPTS),
        "sub_id_types_supported": list(ID_TYPES.values()),
        "tls_client_certificate_bound_access_tokens": True,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "ui_locales_supported": ["nl", "en"],
    }
    if mutual is not None:
        document["mtls_endpoint_aliases"] = {name: mutual + ENDPOINTS[name] for name in _MUTUAL}
    return document

"""The configuration of the nginx plane, as a pure function: listeners and places in, text out.

nginx parses, ends and begins TLS, and streams; before each request it asks Sluis over a unix socket (`auth_request`,
see `questions`), which decides and records. Directives: the nginx documentation of 1.22. What comes from settings or
from peers is checked before it is written, and quoted: a name can never become a directive. All files are named
relative to the folder that nginx starts in, so that no path of this machine is written at all.
"""

import json
import re
from collections.abc import Iterable

from sluis.crypto import CURVE, SUITES_1_2
from sluis.gateway.faults import FAULTS, INWAY, OUTWAY, Domain, FscProblem
from sluis.gateway.forward import OTHERWISE, READING
from sluis.gateway.planes.hosts import ALWAYS, CROSS_SITE, FROM_A_PAGE, NOT_CALLED_SO
from sluis.gateway.planes.nginx_layout import (
    Layout,
    Listen,
    Place,
    check_name,
    check_place,
    is_address,
    shown_file,
    unfit,
    with_port,
)
from sluis.kernel import Text
from sluis.web import FROM_ONE

DECIDE, REPORT, STATUS, OWN = "decide.sock", "report.sock", "status.sock", "own.sock"
COUNTS = "counts"
ANCHORS, REVOKED, SERVICE_ANCHORS = "anchors.pem", "revoked.pem", "service-anchors.pem"
REPORTED = "$upstream_header_time|$upstream_status|$place|$token|$transaction|$upstream_http_fsc_error_code"
"""What is told of an outcome; the first two are lists when more addresses were tried (see `reports`)."""

COUNTED = "$status $request_time $body_bytes_sent $request_length $upward"
"""What is told of every request, to be counted (see `counts`): figures, and not what it was about."""

HERE = "http://here"
"""What decisions call the node itself."""
MARK = "Sluis-Mark"
"""The header by which a request for the node itself is known for what was decided (see `marked`)."""

REFUSALS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""What a decision may refuse with. A named location stands for each: nginx can return no status from a variable."""

ENDING = 600
"""Seconds that requests in hand get to finish after a reload."""

NOT_DONE = Text(
    "De gateway kan dit verzoek nu niet doorlaten.", "The gateway cannot let this request pass now."
)

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def ascii_body(problem: FscProblem) -> str:
    """The error object of FSC on one line of ASCII: fit for a header, and for a quoted string."""
    return json.dumps(json.loads(problem.body()), separators=(",", ":"))


def configuration(layout: Layout) -> str:
    """The text of `nginx.conf`. Raises `Invalid` (`unfit-address`, `unfit-user`) for what may not be written."""
    places = sorted({check_place(one) for one in layout.places}, key=lambda one: one.block)
    parts = [_head(layout), _upstreams(places, layout.own), _status(layout.generation)]
    if layout.outway is not None:
        parts.append(_outway(layout, layout.outway))
    if layout.inway is not None:
        parts.append(_inway(layout, layout.inway))
    return "\n".join([*parts, "}", ""])


def _head(layout: Layout) -> str:
    if layout.user is not None and not _USER.fullmatch(layout.user):
        raise unfit("unfit-user")
    user = f"user {layout.user};" if layout.user else ""
    return f"""
daemon off;
{user}
worker_processes {layout.workers or "auto"};
worker_rlimit_nofile {layout.files};
worker_shutdown_timeout {ENDING}s;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections {layout.files // 2}; }}
http {{
access_log off;
server_tokens off;
default_type application/json;
client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
client_header_timeout 10s; client_body_timeout 60s; send_timeout 60s; keepalive_timeout 75s; keepalive_requests 1000000;
request_pool_size 16k; client_header_buffer_size 4k; large_client_header_buffers 4 16k; client_max_body_size {layout.most_body};
reset_timedout_connection on; tcp_nodelay on; lingering_timeout 5s;

# Both ways as it comes, nothing held on disk; a request whose fate is unknown is not sent twice, unless it may be.
proxy_http_version 1.1;
proxy_request_buffering off; proxy_buffering off; proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_max_temp_file_size 0;
proxy_connect_timeout 5s; proxy_send_timeout 60s; proxy_read_timeout 300s;
proxy_next_upstream error; proxy_next_upstream_tries 2; proxy_next_upstream_timeout 5s;
# Who answers may not steer this gateway.
proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;

upstream sluis {{ server unix:{DECIDE} max_fails=0; keepalive 512; keepalive_requests 100000000; keepalive_time 1d; }}
map_hash_bucket_size 512; map_hash_max_size 16384;

# What is counted: all of it is nginx's own, and of a body's length no more than was read. One write holds whole lines.
map $http_transfer_encoding $upward {{ "" $content_length; default $request_length; }}
log_format inway "i {COUNTED} -"; log_format inway-refused "i {COUNTED} $sent_http_fsc_error_code";
log_format outway "o {COUNTED} -"; log_format outway-refused "o {COUNTED} $sent_http_fsc_error_code";"""


def _counted(kind: str) -> str:
    return f"access_log {COUNTS} {kind} buffer=4k flush=1s;"


def _upstreams(places: Iterable[Place], own: bool) -> str:
    blocks, names, authorities, shown = list[str](), list[str](), list[str](), list[str]()
    if own:
        blocks.append(f"upstream here {{ server unix:{OWN} max_fails=0; keepalive 256; }}")
        authorities.append(f'"{HERE}" "here";')
    for place in places:
        servers = " ".join(f'server "{with_port(one, place.port)}" max_fails=0;' for one in place.addresses)
        blocks.append(f"upstream {place.block} {{ {servers} keepalive 256; keepalive_requests 1000000; }}")
        names.append(f'"{place.url}" "{place.host}";')
        authorities.append(f'"{place.url}" "{place.authority}";')
        if place.shows:
            shown.append(f'"{place.url}" "{shown_file(place.shows)}";')
    return "\n".join(
        [*blocks, _RARE,
         "map $to $name { volatile; default $key_name;", *names, "}",
         "map $to $authority { volatile; default $key_authority;", *authorities, "}",
         "map $to $shown { volatile; default $key_shown;", *shown, "}", _KEYS, _UNANSWERED]
    )  # fmt: skip


# What few answers say stands in one header, for each that is read takes its time at every request. It holds pairs with a
# space between; that of a path or a body comes last, and what is in those is never read as another pair.
_RARE = "\n".join(
    f'map $rare ${name} {{ volatile; "" ""; default ""; "~^(?:[AC-OQ-Z]=[^ ]+ )*{letter}=(?<rare_{name}>{value})" $rare_{name}; }}'
    for name, letter, value in (
        ("key", "K", "[^ ]+"), ("alternative", "L", "[^ ]+"), ("watch", "W", "[^ ]+"), ("instead", "I", "[^ ]+"),
        ("path", "P", ".+"), ("refused", "S", "[^ ]+"), ("code", "E", "[^ ]+"), ("body", "B", ".+"),
    )
)  # fmt: skip

# Of a place that has no block the key is told, and all else is read from that: its name, what it is called in `Host`, and
# which client certificate it gets; a place whose key names none gets none. Workers read that at each handshake: so a renewed
# one is shown with the first token that is bound to it, whatever configuration a worker has.
_KEYS = r"""map $key $key_name { volatile; "~^https?://\[(?<to_six>[^]]+)]" $to_six; "~^https?://(?<to_host>[^:#]+)" $to_host; }
map $key $key_authority { volatile; "~^https?://(?<to_at>[^#]+)#" $to_at; }
map $key $key_shown { volatile; "~!(?<shown_name>[0-9a-f]{16})$" "client-$shown_name.pem"; }"""

# Where a request goes on that nobody answered. The maps above are `volatile` for its sake: it may get another place.
_UNANSWERED = (
    'map "$alternative $request_method $content_length$http_transfer_encoding" $unanswered {'
    ' default "@unreachable"; "~^[0-9]+ (GET|HEAD|OPTIONS|PUT|DELETE|TRACE) 0?$" "@elsewhere"; }'
)


def _status(generation: int) -> str:
    return f"""
server {{
    listen unix:{STATUS};
    location = /generation {{ return 200 "{generation}"; }}
    location = /connections {{ stub_status; }}
}}"""


def _outway(layout: Layout, listen: Listen) -> str:
    carried = f"""        proxy_set_header Fsc-Authorization $token;
        proxy_set_header Fsc-Transaction-Id $transaction;
        proxy_set_header Fsc-Grant-Hash "";
        proxy_hide_header Sluis-Alternative;
        add_header Fsc-Transaction-Id $transaction always; add_header Sluis-Alternative $instead always;
{_client_tls(ANCHORS, layout.revocations, layout.tls)}"""
    return f"""
# What a breaker must know, and nothing that says what a request was about.
log_format report "{REPORTED}";
map $key $place {{ default $key; "" $to; }}
map "$upstream_http_fsc_error_code|$upstream_status" $report {{
    |200 $watch; |201 $watch; |204 $watch; |304 $watch; |404 $watch;
    "~^[^|]" 1; "~^[|](.* : )?(401|502|504|-|502, 502|502, 504)$" 1; default $watch;
}}
map $request $unreadable {{ default "//sluis-400"; "~^CONNECT " "//sluis-405"; }}
server_names_hash_bucket_size 512;
# Whoever calls by another name is a web page that has its own lead here, and gets nothing else than this.
server {{
    listen {_listening(listen)} default_server backlog=4096;
    {_counted("outway")}
{_unreadable()}
    location / {{ {_fixed("ERROR_CODE_UNKNOWN_HOST", OUTWAY, NOT_CALLED_SO)} }}
}}
server {{
    listen {_listening(listen)};
    server_name {_called(listen)};
    {_counted("outway")} {_REPORTING}
    if ($http_sec_fetch_site = "{CROSS_SITE}") {{ rewrite ^ //sluis-403 last; }}
    location = //sluis-403 {{ internal; {_fixed("ERROR_CODE_OTHER_SITE", OUTWAY, FROM_A_PAGE)} }}
    auth_request_set $token $upstream_http_a;
    auth_request_set $transaction $upstream_http_x;
{_deciding(OUTWAY)}
{_unreadable()}
{_locations(carried)}
    location sluis-decide {{
        proxy_pass http://sluis/outway;
{_question(layout.generation)}
        proxy_set_header G "=$http_fsc_grant_hash";
    }}
    location sluis-instead {{
        proxy_pass http://sluis/outway-instead;
{_question(layout.generation, "$alternative")}
    }}
}}"""


def _inway(layout: Layout, listen: Listen) -> str:
    crl = f"ssl_crl {REVOKED};" if layout.revocations else ""
    # Without anchors of its own a service that speaks TLS is held against the group's: never against nothing.
    service_tls = _client_tls(SERVICE_ANCHORS if layout.service_anchors else ANCHORS)
    otherwise = [(name, "http_" + name.lower().replace("-", "_")) for name in OTHERWISE]
    nothing = " ".join(f'{method} "";' for method in sorted(READING))
    maps = "\n".join(
        f"map $request_method $kept_{variable} {{ {nothing} default ${variable}; }}"
        for _, variable in otherwise
    )
    kept = " ".join(f"proxy_set_header {name} $kept_{variable};" for name, variable in otherwise)
    carried = f"""        proxy_set_header Fsc-Authorization $http_fsc_authorization; {kept}
        proxy_set_header Fsc-Transaction-Id $http_fsc_transaction_id;
        proxy_set_header {MARK} {"$mark" if layout.own else '""'};
        proxy_hide_header Sluis-Alternative;
        add_header Fsc-Transaction-Id $http_fsc_transaction_id always;
{service_tls}"""
    own = shown_file(layout.identity)
    return f"""
# Writing a certificate out takes longer than all else here, so it is told once a connection, and known by its
# fingerprint from then on.
map $connection_requests $certificate {{ 1 $ssl_client_escaped_cert; default ""; }}
# Who may read may not write by another name for it.
{maps}
# One caller does not take the place of all others.
limit_conn_zone $ssl_client_fingerprint zone=callers:2m;
server {{
    listen {_listening(listen)} ssl backlog=4096;
    limit_conn callers {FROM_ONE}; limit_conn_status 429; limit_conn_log_level info;
    error_page 429 = @crowded;
    location @crowded {{ {_fixed("ERROR_CODE_TOO_MANY_REQUESTS", INWAY)} add_header Retry-After 1 always; }}
    {_counted("inway")}
    ssl_certificate {own}; ssl_certificate_key {own};
    ssl_client_certificate {ANCHORS}; ssl_verify_client on; ssl_verify_depth 4; {crl}
    ssl_protocols {_protocols(layout.tls)}; ssl_ciphers "{SUITES_1_2}"; ssl_prefer_server_ciphers on; ssl_ecdh_curve {CURVE};
    ssl_session_tickets off; ssl_session_cache off;
{_deciding(INWAY)}
    {"auth_request_set $mark $upstream_http_n;" if layout.own else ""}
{_locations(carried)}
    location sluis-instead {{
        proxy_pass http://sluis/inway-instead;
{_question(layout.generation, "$alternative")}
    }}
    location sluis-decide {{
        proxy_pass http://sluis/inway;
{_question(layout.generation)}
        proxy_set_header A "=$http_fsc_authorization";
        proxy_set_header F $ssl_client_fingerprint;
        proxy_set_header C $certificate;
    }}
}}"""


def _locations(carried: str) -> str:
    """Where requests are carried over as was decided; and once more, to the alternative of what did not answer, which is
    asked for first. The request must then be one without a body that may be sent twice: nginx keeps no body."""
    over = f"""        proxy_pass $to$path;
        proxy_set_header Host $authority; proxy_set_header Connection "";
        proxy_set_header Proxy-Authorization ""; proxy_set_header Proxy-Connection ""; proxy_set_header Keep-Alive "";
        proxy_hide_header Fsc-Transaction-Id;
{carried}"""
    return f"""    location / {{
        recursive_error_pages on;
{over}
    }}
    location @elsewhere {{
        auth_request sluis-instead;
        error_page 403 = $refused; error_page 500 = @undecided; error_page 502 504 = @unreachable;
{over}
    }}"""


def _deciding(domain: Domain) -> str:
    """Ask before each request; answer what was refused, or went wrong, as FSC writes it."""
    refusals = "\n".join(
        f"    location @refused-{status} {{ {_error_headers('$code', domain)}{_CHALLENGE if status == 401 else ''}"
        f" return {status} $body; }}"
        for status in REFUSALS
    )
    unreachable = "ERROR_CODE_SERVICE_UNREACHABLE" if domain == INWAY else "ERROR_CODE_PEER_UNREACHABLE"
    return f"""
    auth_request sluis-decide;
    auth_request_set $to $upstream_http_t;
    auth_request_set $rare $upstream_http_r;
    error_page 403 = $refused;
    error_page 500 = @undecided;
    error_page 502 504 = $unanswered;
{refusals}
    location @undecided {{ {_fixed("TRANSACTION_LOG_WRITE_ERROR", domain)} }}
    location @unreachable {{ {_fixed(unreachable, domain)}{"" if domain == INWAY else " " + _REPORTING} }}"""


def _fixed(code: str, domain: Domain, why: Text = NOT_DONE) -> str:
    fault = FAULTS[code]
    problem = FscProblem(code, domain, why)
    return f"{_error_headers(code, domain)} return {fault.status} {_quoted(ascii_body(problem))};"


_FINAL = "error_page 599 = @undecided;"
"""What is answered there stays as it is. A location with an `error_page` of its own takes none from its server, and this
one means nothing: nobody answers 599."""

_CHALLENGE = " add_header WWW-Authenticate Bearer always;"


_REPORTING = f"access_log syslog:server=unix:{REPORT},nohostname report if=$report;"


def _error_headers(code: str, domain: Domain) -> str:
    counted = _counted("inway-refused" if domain == INWAY else "outway-refused")
    return f"auth_request off; {_FINAL} add_header Fsc-Error-Code {code} always; {counted}"


def _unreadable() -> str:
    """CONNECT is none of ours, nor readable for nginx. No request can name these places: it has one slash in front at most."""
    return f"""    error_page 400 414 494 = $unreadable;
    error_page 405 = //sluis-405;
    location = //sluis-400 {{ internal; auth_request off; {_FINAL} return 400 ""; }}
    location = //sluis-405 {{ internal; {_fixed("ERROR_CODE_METHOD_UNSUPPORTED", OUTWAY)} }}"""


def _question(generation: int, about: str = "$http_fsc_transaction_id") -> str:
    """What every question says; nothing that a client sent gets into it but what stands here, behind a mark. The answer may
    bring the longest path there is (a line of 16 kB) and the longest token.

    Args:
        generation: of the configuration.
        about: the transaction, or the number of what passed and may go elsewhere.
    """
    return f"""        internal; auth_request off;
        proxy_pass_request_headers off; proxy_pass_request_body off;
        proxy_buffer_size 40k; proxy_connect_timeout 2s; proxy_read_timeout 30s; proxy_next_upstream off;
        proxy_set_header Host "{generation}"; proxy_set_header Connection ""; proxy_set_header Content-Length "";
        proxy_set_header M "$request_method $request_uri";
        proxy_set_header X "={about}";"""


def _protocols(oldest: str) -> str:
    return "TLSv1.3" if oldest == "1.3" else "TLSv1.2 TLSv1.3"


def _client_tls(anchors: str, revocations: bool = False, oldest: str = "1.2") -> str:
    """How nginx shows itself, and whom it believes: the chain must end at an anchor, and bear the name it went to."""
    crl = f"proxy_ssl_crl {REVOKED};" if revocations else ""
    return f"""        proxy_ssl_certificate $shown; proxy_ssl_certificate_key $shown;
        proxy_ssl_trusted_certificate {anchors}; proxy_ssl_verify on; proxy_ssl_verify_depth 4; {crl}
        proxy_ssl_server_name on; proxy_ssl_name $name; proxy_ssl_session_reuse off;
        proxy_ssl_protocols {_protocols(oldest)}; proxy_ssl_ciphers "{SUITES_1_2}";"""


def _listening(listen: Listen) -> str:
    if not (is_address(listen.address) and 0 < listen.port < 65536):
        raise unfit("unfit-address")
    return with_port(listen.address, listen.port)


def _called(listen: Listen) -> str:
    """By which names programs call the outway. The address stands there too: nginx finds that without an expression."""
    own = f"[{listen.address}]" if ":" in listen.address else listen.address
    names = {own, ALWAYS, *map(check_name, listen.names)}
    return " ".join([*(f'"{name}"' for name in sorted(names)), *_ADDRESSES])


_ADDRESSES = (r'"~^[0-9]{1,3}(\.[0-9]{1,3}){3}$"', r'"~^\[[0-9a-f:.]+]$"')


def _quoted(text: str) -> str:
    if "$" in text or not text.isprintable():  # nginx reads each $ as the beginning of a variable
        raise unfit("unfit-text")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""Requests over HTTP as a typed tool in Python; see wit/fetch.wit.

Python's own clients want sockets, and TLS within the component. This asks the host through wasi:http instead, with the
bindings that componentize-py makes from the WIT. Every call waits: one request at a time needs no event loop.
"""

import os
import re
from typing import NoReturn, Optional

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.exports.web import Header, Response
from wit_world.imports import outgoing_handler
from wit_world.imports.streams import StreamError_Closed, StreamError_LastOperationFailed
from wit_world.imports.types import (
    Fields,
    FutureIncomingResponse,
    IncomingResponse,
    OutgoingRequest,
    Scheme_Http,
    Scheme_Https,
    http_error_code,
)

# Scheme, authority, path with query. A fragment is not sent; the rest is for the host to judge as it stands.
URL = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)
PIECE = 64 << 10


class Web(exports.Web):
    def fetch(self, url: str, token: Optional[str]) -> Response:
        return get(url, [] if token is None else [("authorization", bearer(token))])

    def fetch_header(self, url: str, header: str, variable: str) -> Response:
        value = os.environ.get(variable)
        if value is None:
            raise Err(f"{variable} is not set")
        return get(url, [(header, bearer(value))])


def bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


def get(url: str, headers: list[tuple[str, bytes]]) -> Response:
    """What is raised has to be an `Err` of the WIT's type; anything else would trap."""
    try:
        # A resource of the host is given back where its block ends, the stream before the body that it belongs to.
        with outgoing_handler.handle(request(url, headers), None) as future, wait(future) as response:
            return read(response)
    except Err as error:
        failed(url, error.value)


def request(url: str, headers: list[tuple[str, bytes]]) -> OutgoingRequest:
    parts = URL.fullmatch(url)
    if parts is None:
        raise Err("not an http or https URL")
    scheme, authority, path = parts.groups()
    built = OutgoingRequest(Fields.from_list(headers))
    built.set_scheme(Scheme_Https() if scheme.lower() == "https" else Scheme_Http())
    try:
        built.set_authority(authority)
        built.set_path_with_query(path if path.startswith("/") else f"/{path}")
    except Err:
        raise Err("not a host and a path") from None
    return built


def wait(future: FutureIncomingResponse) -> IncomingResponse:
    while (answer := future.get()) is None:
        with future.subscribe() as ready:
            ready.block()
    # Two results, one in the other: whether it is the first time of asking, and whether the request went well.
    if isinstance(answer, Ok):
        answer = answer.value
    if isinstance(answer, Err):
        raise answer
    return answer.value


def read(response: IncomingResponse) -> Response:
    with response.headers() as fields:
        headers = [Header(name, value.decode(errors="replace")) for name, value in fields.entries()]
    pieces = []
    with response.consume() as body, body.stream() as stream:
        try:
            while True:
                pieces.append(stream.blocking_read(PIECE))
        except Err as error:
            if not isinstance(error.value, StreamError_Closed):
                raise
    return Response(response.status(), headers, b"".join(pieces).decode(errors="replace"))


def failed(url: str, why: object) -> NoReturn:
    if isinstance(why, StreamError_LastOperationFailed):
        # Hosts may append to their words what helps only whoever debugs them.
        why = http_error_code(why.value) or why.value.to_debug_string().partition("\n")[0]
    raise Err(f"{url}: {why if isinstance(why, str) else wasi_name(why)}")


def wasi_name(code: object) -> str:
    """`ErrorCode_ConnectionRefused()` becomes `connection-refused`, which is what WASI calls it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(code).__name__.rpartition("_")[2]).lower()
    words = getattr(code, "value", None)
    return f"{name}: {words}" if isinstance(words, str) else name

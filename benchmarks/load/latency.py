"""How long one client waits: a blocking socket, one request after the other, nothing else in the way."""

import socket
import time

from benchmarks.load.endpoint import Endpoint, LoadFailed


def latencies(endpoint: Endpoint, *, requests: int) -> list[float]:
    """Seconds of each request. Raises LoadFailed for an answer that isn't 200."""
    with socket.create_connection(endpoint.address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return [one(connection, endpoint.request) for _ in range(requests)]


def one(connection: socket.socket, request: bytes) -> float:
    started = time.perf_counter()
    connection.sendall(request)
    received = connection.recv(65536)
    while not complete(received):
        piece = connection.recv(65536)
        if not piece:
            raise LoadFailed(f"the connection ended within the answer {received[:300]!r}")
        received += piece
    taken = time.perf_counter() - started
    if not received.startswith(b"HTTP/1.1 200"):
        raise LoadFailed(f"not a 200: {received[:300]!r}")
    return taken


def complete(received: bytes) -> bool:
    """Whether the bytes hold a whole answer, of declared length or chunked."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            return len(body) >= int(line[15:])
    return body.endswith(b"0\r\n\r\n")

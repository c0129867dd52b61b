"""WebSockets. There is nothing to connect to yet, which is said before the handshake ends."""

from typing import Final

from orchestrator_site.asgi_messages import Receive, Scope, Send

NO_SUCH_SOCKET: Final = 4404


async def refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """404 where the server can answer with a status, else a refused handshake."""
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"0")]
        await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": NO_SUCH_SOCKET})

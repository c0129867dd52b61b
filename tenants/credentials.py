"""The API key of a request as it was sent: in `Authorization: Bearer` or in `x-api-key`."""

from common.errors import InvalidRequest, Unauthenticated


def presented_key(authorization: bytes, plain: bytes) -> bytes:
    """The key in the values of the two headers, empty for none. Raises InvalidRequest for more than one."""
    bearer, plain = bearer_token(authorization), plain.strip()
    if bearer and plain and bearer != plain:
        raise InvalidRequest("Two different API keys were given, in Authorization and in x-api-key.")
    text = bearer or plain
    # Servers and proxies join a header that was repeated with commas (RFC 9110 section 5.3); no key has one.
    if b"," in text:
        raise given_twice("authorization" if bearer else "x-api-key")
    return text


def bearer_token(value: bytes) -> bytes:
    scheme, _, token = value.strip().partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def given_twice(header: str) -> InvalidRequest:
    return InvalidRequest(f"The {header} header was given more than once.")


def missing_key() -> Unauthenticated:
    return Unauthenticated(
        "No API key was given. Send it as `Authorization: Bearer <key>` or as `x-api-key`.", code="missing_api_key"
    )

"""Claims and answers in PostgreSQL, each tenant's behind its door."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec
from django.db import connection

from billing.idempotency.claims import Claim, Kept, reused
from tenants.door import platform_scope, tenant_scope
from tenants.identity import TenantRef

KEPT_FOR: Final = timedelta(hours=24)
MOST_PURGED: Final = 5_000

FIND: Final = """
SELECT body_digest, status, request_id, headers::text, body FROM public.billing_idempotentanswer
WHERE id = %s AND tenant_id = %s AND expires_at > now() AND (status IS NOT NULL OR lease_until > now())
"""
# What has expired, or was left by a process that is gone, is as good as not there.
CLAIM: Final = """
INSERT INTO public.billing_idempotentanswer AS found
    (id, tenant_id, body_digest, request_id, lease_until, created_at, expires_at)
VALUES (%s, %s, %s, %s, now() + %s, now(), now() + %s)
ON CONFLICT (id) DO UPDATE SET body_digest = excluded.body_digest, request_id = excluded.request_id,
    lease_until = excluded.lease_until, created_at = excluded.created_at, expires_at = excluded.expires_at,
    status = NULL, headers = NULL, body = NULL
WHERE found.expires_at <= now() OR (found.status IS NULL AND found.lease_until <= now())
RETURNING true
"""
KEEP: Final = """
UPDATE public.billing_idempotentanswer SET status = %s, headers = %s, body = %s
WHERE id = %s AND tenant_id = %s AND request_id = %s AND status IS NULL
"""
RELEASE: Final = """
DELETE FROM public.billing_idempotentanswer WHERE id = %s AND tenant_id = %s AND request_id = %s AND status IS NULL
"""
RENEW: Final = """
UPDATE public.billing_idempotentanswer AS found SET lease_until = now() + %s
FROM unnest(%s::uuid[], %s::uuid[]) AS running(id, request_id)
WHERE found.id = running.id AND found.request_id = running.request_id AND found.status IS NULL
"""
PURGE: Final = """
DELETE FROM public.billing_idempotentanswer WHERE id IN (
    SELECT id FROM public.billing_idempotentanswer WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def claim_once(*, tenant: TenantRef, claim: Claim, lease: timedelta) -> Kept | Literal["ours", "running"]:
    """The answer there is; or "ours", to be ended by `keep_answer` or `release` and renewed before `lease` is over;
    or "running" elsewhere. Raises Conflict for a key that stands for another request."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(FIND, [claim.id, tenant.id])
        found = cursor.fetchone()
        if found is None:
            values: list[Any] = [claim.id, tenant.id, claim.digest, claim.request_id, lease, KEPT_FOR]
            cursor.execute(CLAIM, values)
            # Who was quicker is found by asking again.
            return "ours" if cursor.fetchone() else "running"
    return answer_in(found, claim)


def answer_in(row: tuple[Any, ...], claim: Claim) -> Kept | Literal["running"]:
    digest, status, request_id, headers, body = row
    if bytes(digest) != claim.digest:
        raise reused()
    if status is None:
        return "running"
    told = msgspec.json.decode(headers, type=tuple[tuple[str, str], ...])
    return Kept(request_id, status, told, None if body is None else bytes(body))


def keep_answer(*, tenant: TenantRef, claim: Claim, answer: Kept) -> bool:
    """False where the claim was lost meanwhile: what its next holder is answered stands."""
    headers = msgspec.json.encode(answer.headers).decode()
    values = [answer.status, headers, answer.body, claim.id, tenant.id, claim.request_id]
    with tenant_scope(tenant):
        return changed(KEEP, values) == 1


def release(*, tenant: TenantRef, claim: Claim) -> None:
    """The request was not done: the next with its key is. Repeatable; an answer stays."""
    with tenant_scope(tenant):
        changed(RELEASE, [claim.id, tenant.id, claim.request_id])


def renew(*, claims: Collection[Claim], lease: timedelta) -> int:
    """Of any tenants; how many are still held."""
    ids, requests = [claim.id for claim in claims], [claim.request_id for claim in claims]
    with platform_scope():
        return changed(RENEW, [lease, ids, requests])


def purge(*, most: int = MOST_PURGED) -> int:
    """Deletes what has expired, of all tenants, at most `most` rows; returns how many."""
    with platform_scope():
        return changed(PURGE, [most])


def changed(statement: str, values: Sequence[Any]) -> int:
    """How many rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)

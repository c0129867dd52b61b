"""The public landing page and a tenant's home page."""

from datetime import date
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.reports import UsageRow
from common.money import usd_from_nano
from console import chart
from console.home import Home, find_member, find_tenant_name, load_home
from tenants.door import TenantRef


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    return render(request, "console/landing.html", {"api_url": api_url(request)})


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """A member sees the tenant's page, a stranger nothing; a visitor may sign in."""
    tenant: TenantRef = request.tenant  # type: ignore[attr-defined]
    if not request.user.is_authenticated:
        return render(request, "console/welcome.html", {"tenant_name": find_tenant_name(tenant)})
    member = find_member(tenant, request.user.id)
    if member is None:
        raise Http404
    return render(request, "console/home.html", home_page(load_home(member), api_url(request)))


@require_safe
def no_mail(request: HttpRequest) -> HttpResponse:
    """In the place of the password reset where no mail server is configured."""
    return render(request, "account/no_mail.html")


def home_page(shown: Home, url: str) -> dict[str, Any]:
    days = [described(row) for row in shown.usage.rows]
    return {
        "member": shown.member,
        "models": shown.models,
        "days": days,
        "total": described(UsageRow(None, shown.usage.total)),
        "bars": chart.bars([day["day"] for day in days], [day["requests"] for day in days]),
        "chart": chart,
        "api_url": url,
    }


def described(row: UsageRow) -> dict[str, Any]:
    return {
        "day": date.fromisoformat(row.label) if row.label else None,
        "requests": row.amounts.requests,
        "input_tokens": row.amounts.input_tokens,
        "output_tokens": row.amounts.output_tokens,
        "charge_usd": f"{usd_from_nano(row.amounts.charge_nano):f}" if row.amounts.charge_nano else "0",
    }


def api_url(request: HttpRequest) -> str:
    """Address of the API. Programs cannot resolve *.localhost, so there it is the public host: the key says whose."""
    host = request.get_host()
    name, colon, port = host.partition(":")
    if name.endswith(".localhost"):
        host = f"{settings.ENVIRONMENT.base_domain}{colon}{port}"
    return f"{request.scheme}://{host}/v1"

"""Figures as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.template import RequestContext
from django.utils.html import format_html

register = template.Library()
NOTHING = "–"
UNITS = ("B", "kB", "MB", "GB", "TB")
TONES = {
    "ready": "good", "done": "good", "accepted": "good", "active": "good", "paid": "good", "upheld": "good",
    "delivered": "good",
    "rejected": "bad", "failed": "bad", "banned": "bad", "quarantined": "bad", "cancelled": "bad", "declined": "bad",
    "uploaded": "warn", "indexing": "warn", "opening": "warn", "building": "warn", "paused": "warn", "pending": "warn",
    "sending": "warn", "under_way": "warn", "unknown": "warn",
}  # fmt: skip


@register.filter
def percent(share: float | None) -> str:
    """A share from 0 to 1: 0.834 is 83 %."""
    return NOTHING if share is None else f"{share * 100:.0f} %"


@register.filter
def money(micros: int | None, currency: str = "EUR") -> str:
    """Millionths of a currency: 1,230,000 is 1.23 EUR. Fractions of a cent are shown where there are any."""
    if micros is None:
        return NOTHING
    whole, rest = divmod(abs(micros), 10**6)
    cents = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole:,}.{cents} {currency}"


@register.filter
def amount(micros: int | None) -> str:
    """Millionths of a currency as a field holds them: 1,230,000 is 1.23, and nothing is empty."""
    return "" if micros is None else f"{micros // 10**6}.{micros % 10**6:06d}".rstrip("0").rstrip(".")


@register.filter
def minutes(seconds: int) -> str:
    """Seconds as a field of minutes holds them: 1800 is 30, 90 is 1.5."""
    return f"{seconds / 60:.6f}".rstrip("0").rstrip(".")


@register.filter
def size(count: int | None) -> str:
    """Bytes: 1,500,000 is 1.5 MB."""
    if count is None:
        return NOTHING
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {UNITS[unit]}" if unit == 0 else f"{amount:.1f} {UNITS[unit]}"


@register.filter
def clock(seconds: float | None) -> str:
    """A duration: 75.2 is 1:15."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@register.filter
def when(at: datetime | None) -> str:
    """A moment in UTC, which `pages/times.js` turns into the reader's own time."""
    if at is None:
        return NOTHING
    utc = at.astimezone(UTC)
    return format_html('<time datetime="{}">{} UTC</time>', f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M}")


@register.filter
def tone(status: str) -> str:
    """The colour of a state: good, warn, bad or none."""
    return TONES.get(str(status), "")


@register.filter
def words(status: str) -> str:
    return str(status).replace("_", " ")


@register.simple_tag(takes_context=True)
def at_page(context: RequestContext, name: str, number: int) -> str:
    """This page's own query with another number for one of its lists."""
    query = context["request"].GET.copy()
    query[name] = str(number)
    return f"?{query.urlencode()}"

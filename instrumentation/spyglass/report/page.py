"""Render the report as one HTML page. What is unknown reads "unknown", never 0."""

from __future__ import annotations

import math
from datetime import datetime

from jinja2 import Environment, PackageLoader, select_autoescape

from spyglass.report.gather import Report

UNKNOWN = "unknown"


def render(report: Report) -> str:
    """Return the page's HTML."""
    environment = Environment(
        loader=PackageLoader("spyglass", "report"),
        autoescape=select_autoescape(("html", "j2")),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": _moment, "count": _count, "usd": _usd, "seconds": _seconds, "share": _share}
    return environment.get_template("page.html.j2").render(report=report)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _count(number: float | None) -> str:
    return UNKNOWN if _is_unknown(number) else f"{number:,.0f}"


def _usd(nano_usd: int | None) -> str:
    return UNKNOWN if nano_usd is None else f"${nano_usd / 1e9:,.6f}"


def _seconds(seconds: float | None) -> str:
    return UNKNOWN if _is_unknown(seconds) else f"{seconds:.3f}"


def _share(share: float) -> str:
    return f"{share:.3%}"


def _is_unknown(number: float | None) -> bool:
    return number is None or math.isnan(number)

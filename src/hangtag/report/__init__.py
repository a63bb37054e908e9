"""A report on a trained model, as one HTML file that opens from disk and reaches for nothing outside itself."""

from __future__ import annotations

from hangtag.core.optional import require

require("jinja2", extra="report")  # everything here writes markup: without it the cure is told, not a missing module

from hangtag.report.build import Report, report_on, report_on_two  # noqa: E402

__all__ = ["Report", "report_on", "report_on_two"]

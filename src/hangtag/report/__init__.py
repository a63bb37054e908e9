"""A report on a trained model, as one HTML file that opens from disk and reaches for nothing outside itself."""

from __future__ import annotations

from hangtag.report.build import Report, report_on, report_on_two

__all__ = ["Report", "report_on", "report_on_two"]

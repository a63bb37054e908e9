"""Auditing data: labels that are likely wrong, pictures that are there twice, pictures that are odd."""

from __future__ import annotations

from hangtag.audit.audit import Audit, examine
from hangtag.audit.label_errors import LabelError, label_errors
from hangtag.audit.near_duplicates import NearDuplicate, near_duplicates
from hangtag.audit.odd_pictures import OddPicture, odd_pictures

__all__ = [
    "Audit",
    "LabelError",
    "NearDuplicate",
    "OddPicture",
    "examine",
    "label_errors",
    "near_duplicates",
    "odd_pictures",
]

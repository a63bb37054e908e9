"""The temperature of a model: fitted on validation pictures, shown, and kept in the bundle's card."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.paths import is_packaged
from hangtag.core.types import Labels, Probabilities, Split
from hangtag.metrics._temperature import fit_temperature, tempered
from hangtag.metrics.ece import expected_calibration_error
from hangtag.predict.bundle import Bundle

FEWEST = 50  # validation pictures: fewer tell no temperature


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How far confidence can be trusted.

    Args:
        before: expected calibration error on the test pictures, as served.
        after: the same with the temperature, or None without one.
        temperature: or None.
        n: validation pictures it was fitted on.
        remark: where the temperature is kept, or why there is none.
    """

    before: float
    after: float | None = None
    temperature: float | None = None
    n: int = 0
    remark: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "ece": self.before,
            "ece_tempered": self.after,
            "temperature": self.temperature,
            "n": self.n,
            "remark": self.remark,
        }


def calibrate(
    bundle: Bundle,
    held_out: Probabilities | None,
    validation: Split | None,
    probabilities: Probabilities,
    labels: Labels,
    missing: str,
    own: bool,
) -> Calibration:
    """Fit on validation, judge on test, and keep the temperature in the card where that may be written.

    Args:
        bundle: whose card it goes into.
        held_out, validation: answers on the validation pictures, and these, if there are any.
        probabilities, labels: answers on the test pictures, and their labels.
        missing: why the training half could not be opened, or empty.
        own: whether these are the very data the model was trained on. Others' validation pictures may have been learnt
            from, and the card speaks of its own data only.
    """
    before = expected_calibration_error(probabilities, labels)
    if held_out is None or validation is None or len(validation) < FEWEST or not own:
        return Calibration(before=before, remark=_why_none(bundle, validation, missing, own))
    temperature = round(fit_temperature(held_out, validation.labels), 4)
    after = expected_calibration_error(tempered(probabilities, temperature), labels)
    record = {
        "temperature": temperature,
        "method": "temperature scaling of log-probabilities (Guo et al. 2017)",
        "fitted_on": "validation split",
        "n": len(validation),
        "data": bundle.card.data.get("digest"),
        "validation_ece": round(expected_calibration_error(held_out, validation.labels), 6),
        "validation_ece_tempered": round(
            expected_calibration_error(tempered(held_out, temperature), validation.labels), 6
        ),
    }
    return Calibration(
        before=before, after=after, temperature=temperature, n=len(validation), remark=_keep(bundle, record)
    )


def _why_none(bundle: Bundle, validation: Split | None, missing: str, own: bool) -> str:
    if bundle.card.full:
        return "No temperature: this model was trained on the validation pictures too, so none are left to fit it on."
    if validation is None:
        return f"No temperature: there are no validation pictures to fit it on ({missing})."
    if not own:
        return (
            "No temperature: these are not the data the model was trained on, so it may know these validation pictures."
        )
    return f"No temperature: {len(validation)} validation pictures are too few to fit it on (at least {FEWEST})."


def _keep(bundle: Bundle, record: dict[str, Any]) -> str:
    if bundle.card.calibration == record:
        return "It is kept in the bundle’s card."
    if is_packaged(bundle.folder):
        return "It is not kept: the bundle lies in the installed package."
    if cards.is_member(bundle.folder):
        return "It is not kept: the model is a member of a bundle, whose card vouches for this one as it is."
    if not os.access(bundle.folder, os.W_OK):
        return "It is not kept: the bundle may not be written to."
    try:
        cards.calibrate(bundle.folder, record)
    except HangtagError as error:
        return f"It is not kept: {error.message}."
    return "It is kept in the bundle’s card."

import dataclasses
import os
import shutil

import pytest

from hangtag.core import card as cards
from hangtag.predict.bundle import open_bundle
from hangtag.report.judged import measure


@pytest.fixture
def bundle(shop, tmp_path):
    shutil.copytree(shop.other, tmp_path / "bundle")
    cards.calibrate(tmp_path / "bundle", {})
    return tmp_path / "bundle"


def test_the_temperature_is_fitted_shown_and_kept_in_the_card(shop, bundle):
    before = cards.read(bundle)
    assert before.calibration == {}
    found = measure(bundle, shop.data, audited=False).calibration
    kept = open_bundle(bundle).card  # digests still hold
    assert kept.calibration["temperature"] == found.temperature
    assert kept.calibration["n"] == found.n == 60
    assert found.after is not None
    assert "kept in the bundle" in found.remark
    assert dataclasses.replace(kept, calibration={}) == dataclasses.replace(before, format=cards.FORMAT)


@pytest.mark.slow
def test_a_second_report_changes_nothing(shop, bundle):
    measure(bundle, shop.data, audited=False)
    first = (bundle / "card.json").stat().st_mtime_ns
    measure(bundle, shop.data, audited=False)
    assert (bundle / "card.json").stat().st_mtime_ns == first


@pytest.mark.slow
def test_a_model_that_learnt_from_the_validation_pictures_gets_no_temperature(shop, bundle):
    cards.write(dataclasses.replace(cards.read(bundle), full=True), bundle)
    found = measure(bundle, shop.data, audited=False).calibration
    assert found.temperature is None
    assert "trained on the validation pictures too" in found.remark
    assert cards.read(bundle).calibration == {}


@pytest.mark.slow
def test_other_peoples_data_are_not_written_into_the_card(shop, bundle):
    card = cards.read(bundle)
    cards.write(dataclasses.replace(card, data={**card.data, "digest": "another"}), bundle)
    found = measure(bundle, shop.data, audited=False).calibration
    assert found.temperature is None
    assert "not the data the model was trained on" in found.remark


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_bundle_that_may_not_be_written_to_is_left_alone(shop, bundle):
    bundle.chmod(0o555)
    try:
        assert "may not be written" in measure(bundle, shop.data, audited=False).calibration.remark
    finally:
        bundle.chmod(0o755)


def test_a_full_disk_spoils_neither_bundle_nor_report(shop, bundle, monkeypatch):
    before = (bundle / "card.json").read_bytes()

    def full(file):
        raise OSError(28, "no space")

    monkeypatch.setattr("os.fsync", full)
    found = measure(bundle, shop.data, audited=False).calibration
    assert "not kept: no space left" in found.remark
    assert found.temperature is not None
    assert (bundle / "card.json").read_bytes() == before


@pytest.mark.slow
def test_what_came_with_the_package_is_not_changed(shop, bundle, monkeypatch):
    monkeypatch.setattr("hangtag.report.calibration.is_packaged", lambda folder: True)
    assert "installed package" in measure(bundle, shop.data, audited=False).calibration.remark
    assert cards.read(bundle).calibration == {}

"""Importing Hangtag prepares the environment of native libraries, and never against what the user has set."""

import os

import pytest

from hangtag.core import environment
from hangtag.core.environment import OPENMP


@pytest.fixture
def clean(monkeypatch):
    for name in (*OPENMP, "ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "put back afterwards")
        monkeypatch.delenv(name)
    return monkeypatch


def openmp():
    return {name: os.environ[name] for name in OPENMP if name in os.environ}


def test_waiting_threads_sleep_soon(clean):
    environment.prepare()
    assert openmp() == {"GOMP_SPINCOUNT": str(environment.SPIN_COUNT)}


@pytest.mark.parametrize("given", [{"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}])
def test_what_the_user_set_for_openmp_stays(given, clean):
    for name, value in given.items():
        clean.setenv(name, value)
    environment.prepare()
    assert openmp() == given


@pytest.mark.parametrize("given", ["0", "", "1"])
def test_telemetry_is_off_whatever_was_set(given, clean):
    clean.setenv("ORT_DISABLE_TELEMETRY", given)
    environment.prepare()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "1"


def test_doctor_is_told_whose_setting_it_is(clean):
    environment.prepare()
    assert f"GOMP_SPINCOUNT={environment.SPIN_COUNT}: " in environment.waiting_threads()
    clean.setenv("GOMP_SPINCOUNT", "7")
    assert environment.waiting_threads() == "GOMP_SPINCOUNT=7, as your environment says"

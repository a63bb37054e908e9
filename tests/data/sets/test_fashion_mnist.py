from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hangtag import data
from hangtag.data.sets.fashion_mnist import CLASS_NAMES, FASHION_MNIST
from hangtag.data.split import stratified


def test_is_fetched_over_https_first_and_from_two_places_or_more():
    assert len(FASHION_MNIST.mirrors) >= 2
    assert FASHION_MNIST.mirrors[0].startswith("https://")
    schemes = [url.partition(":")[0] for url in FASHION_MNIST.mirrors]
    assert schemes == sorted(schemes, reverse=True)  # plain http comes last


@pytest.mark.real
def test_the_real_files_hold_what_they_should():
    dataset = data.find()
    training, test = dataset.training(), dataset.test()
    assert training.class_names == test.class_names == CLASS_NAMES
    assert set(training.counts().values()) == {6_000}
    assert set(test.counts().values()) == {1_000}
    assert [CLASS_NAMES[label] for label in training.labels[:3]] == ["Ankle boot", "T-shirt/top", "T-shirt/top"]


@pytest.mark.real
def test_the_real_validation_pictures_never_change():
    training, validation = stratified(data.find().training())
    assert set(training.counts().values()) == {5_500}
    assert set(validation.counts().values()) == {500}
    assert validation.digest() == "b9853a61faac6e9bc4820ef8b60a9f4d0d685fb603da61a587dc209495210c19"


@pytest.mark.real
def test_the_real_folder_is_only_read():
    path = next(iter(data.find().files))
    before = {file: hashlib.md5(file.read_bytes()).hexdigest() for file in Path(path).parent.iterdir()}
    data.find().test()
    assert {file: hashlib.md5(file.read_bytes()).hexdigest() for file in Path(path).parent.iterdir()} == before

import numpy as np
import pytest
from PIL import Image

from hangtag import data
from hangtag.data.sets import drawn
from hangtag.data.split import only, stratified
from hangtag.report.judged import measure

from .conftest import linear_model, write_bundle


@pytest.mark.slow
def test_out_of_fold_answers_judge_every_training_label(shop):
    asked = []

    def unlearnt(training):
        asked.append(len(training))
        answers = np.full((len(training), 3), 0.001, np.float32)
        answers[np.arange(len(training)), training.labels] = 0.998
        answers[5] = np.roll(answers[5], 1)
        return answers

    judged = measure(shop.bundle, shop.data, unlearnt=unlearnt)
    audit = judged.audit
    assert judged.out_of_fold
    assert asked == [720]
    assert audit.judged["training"] == 720
    assert [error.index for error in audit.label_errors["training"]] == [5]


def test_without_them_the_validation_pictures_alone_are_judged(shop):
    judged = measure(shop.bundle, shop.data)
    assert judged.audit.judged["training"] == 60
    assert not judged.out_of_fold


@pytest.mark.slow
def test_of_a_model_that_knows_some_classes_the_pictures_of_these_are_judged_each_on_its_side(shop, tmp_path):
    whole = shop.learnt
    names = (whole.class_names[0], whole.class_names[2])
    some = only(whole, names)
    about = {"name": "goods", "digest": whole.digest(), "classes_in_all": 3}
    bundle = write_bundle(tmp_path / "some", linear_model(some.images, some.labels, 2), names, data=about)
    judged = measure(bundle, shop.data)
    assert judged.evaluation.class_names == judged.everything.class_names == names
    assert len(judged.training) + len(judged.validation) == len(judged.everything) == len(some)
    held_out = only(stratified(whole)[1], names)  # parted before a class is left out, as in training
    assert np.array_equal(judged.validation.images, held_out.images)
    assert np.array_equal(judged.everything.labels[judged.held_out_rows], held_out.labels)
    assert judged.calibration.temperature is None
    assert f"{len(held_out)} validation pictures are too few" in judged.calibration.remark


def test_of_a_model_of_few_labels_those_are_what_it_learnt_from(shop, tmp_path):
    about = {"name": "goods", "digest": shop.learnt.digest()}
    model = linear_model(shop.learnt.images, shop.learnt.labels, 3)
    bundle = write_bundle(tmp_path / "few", model, shop.names, data=about, recipe={"few": 5, "seed": 1})
    judged = measure(bundle, shop.data, audited=False)
    assert judged.training.counts() == dict.fromkeys(shop.names, 5)


@pytest.mark.slow
def test_of_other_data_nothing_is_said_to_have_been_learnt(shop, tmp_path):
    about = {"name": "elsewhere", "digest": "another"}
    bundle = write_bundle(
        tmp_path / "stranger", linear_model(shop.learnt.images, shop.learnt.labels, 3), shop.names, data=about
    )
    codes = {finding.code for finding in measure(bundle, shop.data).findings}
    assert {"HT005", "HT007"} <= {finding.code for finding in measure(shop.bundle, shop.data).findings}
    assert not {"HT001", "HT005", "HT007"} & codes


@pytest.mark.slow
def test_photos_are_audited_at_a_size_that_shows_them_whatever_the_model_takes(tmp_path):
    garments = drawn.pictures(60, seed=4, size=100, colour=True)
    for i, (image, label) in enumerate(zip(garments.images, garments.labels % 3, strict=True)):
        place = tmp_path / "shop" / ("train" if i < 48 else "test") / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i}.png")
    copy = Image.fromarray(garments.images[59]).crop((4, 4, 96, 97))
    copy.save(tmp_path / "shop" / "train" / "0" / "copy.png")
    train = data.find(tmp_path / "shop", size=16).training()
    content = linear_model(train.images, train.labels, 3)
    bundle = write_bundle(tmp_path / "bundle", content, train.class_names)
    judged = measure(bundle, str(tmp_path / "shop"))
    found = {
        (first, second): [
            (judged.audit.place(first, pair.first), judged.audit.place(second, pair.second)) for pair in pairs
        ]
        for (first, second), pairs in judged.audit.near_duplicates.items()
    }
    assert found["training", "test"] == [("0/copy.png", "0/59.png")]
    assert found["training", "training"] == found["test", "test"] == []

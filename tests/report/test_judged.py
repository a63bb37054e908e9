import numpy as np

from hangtag.data.split import only, stratified
from hangtag.report.judged import measure

from .conftest import linear_model, write_bundle


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


def test_of_other_data_nothing_is_said_to_have_been_learnt(shop, tmp_path):
    about = {"name": "elsewhere", "digest": "another"}
    bundle = write_bundle(
        tmp_path / "stranger", linear_model(shop.learnt.images, shop.learnt.labels, 3), shop.names, data=about
    )
    codes = {finding.code for finding in measure(bundle, shop.data).findings}
    assert {"HT005", "HT007"} <= {finding.code for finding in measure(shop.bundle, shop.data).findings}
    assert not {"HT001", "HT005", "HT007"} & codes

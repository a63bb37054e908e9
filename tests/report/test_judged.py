import numpy as np

from hangtag.report.judged import measure


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

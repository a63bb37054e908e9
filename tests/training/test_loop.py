"""Promises of the training loop. Steps: 70 pictures in batches of 16 are 5 steps an epoch (the last of 6 pictures)."""

import itertools
import json
import math

import numpy as np
import pytest
import torch

from hangtag import augment
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training import averages, loop, optimisers, schedules
from hangtag.training.interrupt import Stop

OPTIMISERS = [*(Part(name) for name in optimisers.register.names()), Part("sgd", momentum=0.0, nesterov=False)]
AVERAGES = [None, *(Part(name) for name in averages.register.names())]
SCHEDULES = [Part(name) for name in schedules.register.names()]


@pytest.mark.parametrize(("optimiser", "average"), [*itertools.product(OPTIMISERS, AVERAGES)], ids=str)
def test_a_run_stopped_and_killed_ends_in_the_weights_of_an_unbroken_one(trainer, digest_of, optimiser, average):
    recipe = trainer.recipe(optimiser=optimiser, average=average, checkpoint_s=1e-9)  # at every step
    unbroken = trainer.fit(recipe, "unbroken")
    trainer.stopped_at(3, recipe)  # in the middle of the first epoch
    trainer.killed_at(9, recipe)  # the checkpoint of step 8 is the last
    resumed = trainer.fit(recipe)
    assert resumed.resumed_from_step == 8
    assert digest_of(resumed) == digest_of(unbroken)
    without_time = [[{**vars(epoch), "seconds": 0} for epoch in run.history] for run in (resumed, unbroken)]
    assert without_time[0] == without_time[1]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("step", [1, 5, 14])
def test_resumes_along_every_schedule(trainer, digest_of, schedule, step):
    recipe = trainer.recipe(schedule=schedule)
    unbroken = trainer.fit(recipe, "unbroken")
    trainer.stopped_at(step, recipe)
    resumed = trainer.fit(recipe)
    assert resumed.resumed_from_step == step
    assert digest_of(resumed) == digest_of(unbroken)


def test_resumes_with_every_augmentation_bf16_and_early_stopping_at_once(trainer, digest_of):
    everything = tuple(Part(name) for name in augment.register.names())
    recipe = trainer.recipe(
        augment=everything, label_smoothing=0.1, patience=2, average=Part("ema"), flip_average=True, epochs=4
    )
    unbroken = trainer.fit(recipe, "unbroken", precision="bf16")
    for step in (2, 5, 12):
        trainer.stopped_at(step, recipe, precision="bf16")
    resumed = trainer.fit(recipe, precision="bf16")
    assert digest_of(resumed) == digest_of(unbroken)
    assert resumed.best_epoch == unbroken.best_epoch


def test_a_kill_loses_one_epoch_at_most(trainer):
    trainer.killed_at(9)
    assert trainer.fit().resumed_from_step == 5


def test_a_kill_loses_no_more_than_the_seconds_between_checkpoints(trainer, monkeypatch):
    now = itertools.count()
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(now) / 10)  # a tenth of a second per look
    recipe = trainer.recipe(batch_size=2, epochs=1, checkpoint_s=1.0)
    trainer.killed_at(34, recipe)
    assert 34 - trainer.fit(recipe).resumed_from_step <= 10


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(trainer, digest_of):
    recipe = trainer.recipe(augment=(Part("shift"), Part("cutmix")))
    torch.manual_seed(1)
    first = trainer.fit(recipe, "first")
    torch.manual_seed(2)  # whatever happened before in this process
    np.random.seed(2)
    assert digest_of(trainer.fit(recipe, "second")) == digest_of(first)
    other = trainer.recipe(augment=recipe.augment, seed=1)
    assert digest_of(trainer.fit(other, "other")) != digest_of(first)


def test_validating_or_watching_does_not_change_the_weights(trainer, digest_of):
    watched = trainer.fit(out="watched", watch=lambda progress: torch.rand(progress.step))
    assert digest_of(trainer.fit(out="alone", validation=None)) == digest_of(watched)


def test_learns(trainer):
    history = trainer.fit(trainer.recipe(epochs=6, optimiser=Part("adam", lr=0.01))).history
    assert history[-1].val_accuracy > 0.9
    assert history[-1].val_loss < history[0].val_loss
    assert history[-1].accuracy > history[0].accuracy


def test_history_says_what_the_kept_weights_score(trainer):
    fitted = trainer.fit(trainer.recipe(flip_average=True))
    predictor = loop.TorchPredictor(fitted.deployed, trainer.training.class_names)
    probabilities = predictor.predict_proba(trainer.validation.images)
    chosen = probabilities[np.arange(30), trainer.validation.labels]
    assert fitted.history[-1].val_loss == pytest.approx(-np.log(chosen).mean(), abs=1e-5)
    assert fitted.history[-1].val_accuracy == (probabilities.argmax(1) == trainer.validation.labels).mean()


def test_training_loss_is_the_mean_over_the_pictures_of_the_epoch(trainer, monkeypatch):
    measured, losses = loop._Run._losses, []

    def noted(run, *arguments):
        found = measured(run, *arguments)
        losses.append((found[0] if isinstance(found, tuple) else found).detach().clone())
        return found

    monkeypatch.setattr(loop._Run, "_losses", noted)
    epoch = trainer.fit(trainer.recipe(epochs=1)).history[0]
    assert sorted({len(batch) for batch in losses}) == [6, 16]  # of 70
    assert epoch.loss == pytest.approx(torch.cat(losses).mean().item(), rel=1e-5)
    small = trainer.fit(trainer.recipe(optimiser=Part("sgd", lr=1e-12), epochs=1), "small").history[0]
    assert 0 <= small.accuracy <= 1
    assert round(small.accuracy * 70, 6) == round(small.accuracy * 70)  # of 70 pictures, not of 5 batches


def test_early_stopping_keeps_the_best_weights(trainer, digest_of):
    recipe = trainer.recipe(patience=2, epochs=30, optimiser=Part("adam", lr=0.05))
    shuffled = np.random.default_rng(3).permutation(trainer.validation.labels)  # nothing here can be learnt
    validation = loop.Split(trainer.validation.images, shuffled, trainer.validation.class_names)
    fitted = trainer.fit(recipe, validation=validation)
    losses = [epoch.val_loss for epoch in fitted.history]
    assert len(losses) < 30
    assert fitted.best_epoch == int(np.argmin(losses)) + 1 == len(losses) - 2
    until_best = trainer.fit(trainer.recipe(epochs=fitted.best_epoch, optimiser=recipe.optimiser), "until")
    assert digest_of(until_best) == digest_of(fitted)


def test_without_validation_nothing_stops_early(trainer):
    fitted = trainer.fit(trainer.recipe(patience=1, epochs=5), validation=None)
    assert len(fitted.history) == 5
    assert fitted.best_epoch is None
    assert all(epoch.val_loss is None and epoch.val_accuracy is None for epoch in fitted.history)


@pytest.mark.parametrize("name", averages.register.names())
def test_what_is_kept_and_judged_is_the_average(trainer, name):
    averaged = trainer.fit(trainer.recipe(average=Part(name)), "averaged")
    plain = trainer.fit(out="plain")
    assert not torch.equal(averaged.deployed.model.classifier.weight, plain.deployed.model.classifier.weight)
    predictor = loop.TorchPredictor(averaged.deployed, trainer.training.class_names)
    chosen = predictor.predict_proba(trainer.validation.images)[np.arange(30), trainer.validation.labels]
    assert averaged.history[-1].val_loss == pytest.approx(-np.log(chosen).mean(), abs=1e-5)


def test_a_finished_run_is_not_trained_again(trainer, digest_of):
    first = trainer.fit()
    steps = []
    again = trainer.fit(watch=lambda progress: steps.append(progress.step), clock=lambda: 500.0)
    assert not steps
    assert (digest_of(again), again.history, again.resumed_from_step) == (digest_of(first), first.history, 15)
    assert again.seconds == first.seconds


def test_seconds_add_up_over_interruptions(trainer):
    trainer.stopped_at(7, clock=lambda: 100.0)
    fitted = trainer.fit(clock=lambda: 20.0)
    assert fitted.seconds == 120
    assert [epoch.seconds for epoch in fitted.history] == [100, 120, 120]


def test_a_stop_in_the_last_step_is_heard_and_nothing_is_lost(trainer, digest_of):
    trainer.stopped_at(15)
    resumed = trainer.fit()
    assert resumed.resumed_from_step == 15
    assert digest_of(resumed) == digest_of(trainer.fit(out="unbroken"))


def test_a_stop_says_where_and_how_to_go_on(trainer):
    stop = Stop()
    stop.requested = True
    with pytest.raises(KeyboardInterrupt, match=r"step 1 of 15 .* the same command goes on"):
        trainer.fit(stop=stop)


@pytest.mark.parametrize("bad", [ValueError("screen"), KeyboardInterrupt()])
def test_a_watcher_that_fails_breaks_nothing(trainer, digest_of, bad):
    def fail() -> None:
        raise bad

    with pytest.raises(type(bad)):
        trainer.fit(watch=trainer.at(8, fail))
    assert digest_of(trainer.fit()) == digest_of(trainer.fit(out="unbroken"))


def test_progress_says_where_the_run_stands(trainer):
    seen = []
    trainer.fit(watch=seen.append)
    assert [progress.step for progress in seen] == list(range(1, 16))
    assert [progress.epoch for progress in seen] == [1] * 5 + [2] * 5 + [3] * 5
    assert [progress.step for progress in seen if progress.epoch_ended] == [5, 10, 15]
    assert seen[0].last is None
    assert seen[9].last.epoch == 2
    assert seen[9].last.val_accuracy is not None
    assert all(progress.images_per_s > 0 and math.isfinite(progress.loss) for progress in seen)
    assert seen[0].eta_s > 0
    assert seen[-1].eta_s == 0


def spoilt(model, at_step: int):
    """Put a NaN into the weights before forward pass number `at_step`."""
    calls = itertools.count()
    forward = type(model).forward

    def broken(self, images):
        if self.training and next(calls) == at_step:
            with torch.no_grad():
                self.classifier.weight[0, 0] = math.nan
        return forward(self, images)

    return broken


def test_a_loss_that_is_not_finite_stops_that_step_and_names_the_batch(trainer, monkeypatch, digest_of):
    tiny = loop.models.register.get("test_tiny")
    with monkeypatch.context() as patch:
        patch.setattr(tiny, "forward", spoilt(tiny(3, 1, 8), 7))
        with pytest.raises(HangtagError) as caught:
            trainer.fit()
    assert caught.value.code == "training_not_finite"
    order = torch.randperm(70, generator=torch.Generator().manual_seed(loop.derive(0, "order", 1)))
    first = ", ".join(map(str, order[32:40].tolist()))  # step 7 is batch 2 of the second epoch
    assert f"loss became nan at step 7, epoch 2, batch 2 (training pictures {first}, ...)" in caught.value.message
    resumed = trainer.fit()  # what was saved before is sound
    assert resumed.resumed_from_step == 5
    assert digest_of(resumed) == digest_of(trainer.fit(out="unbroken"))


def test_names_the_files_of_the_batch_where_it_knows_them(trainer, pictures):
    named = pictures(70)
    named = loop.Split(named.images, named.labels, named.class_names, tuple(f"shirt/{i}.png" for i in range(70)))
    with pytest.raises(HangtagError, match=r"training pictures shirt/\d+\.png, "):
        trainer.fit(trainer.recipe(optimiser=Part("sgd", lr=1e30)), training=named)


@pytest.mark.parametrize("optimiser", [Part("sgd", lr=1e6), Part("sgd", lr=1e38), Part("adam", lr=1e38)], ids=str)
def test_runaway_rates_end_as_one_line(trainer, optimiser):
    with pytest.raises(HangtagError) as caught:
        trainer.fit(trainer.recipe(optimiser=optimiser, epochs=20))
    assert caught.value.code == "training_not_finite"
    assert "optimiser.lr" in caught.value.message


def test_weights_lost_in_the_very_last_step_are_noticed(trainer):
    """No later loss would tell."""
    with pytest.raises(HangtagError, match="weights became infinite at step 0"):
        trainer.fit(trainer.recipe(optimiser=Part("adam", lr=1e39), epochs=1, batch_size=70), validation=None)
    assert not list((trainer.folder / "run").rglob("step-*"))


def test_a_checkpoint_of_another_network_is_refused_and_says_what_differs(trainer):
    trainer.stopped_at(3)
    with pytest.raises(HangtagError, match=r"another model .*features\.0\.weight.*choose another --out") as caught:
        trainer.fit(trainer.recipe(model=Part("lenet5", kernel=3), size=8))
    assert caught.value.code == "checkpoint_incompatible"


def test_a_checkpoint_with_unknown_parts_is_refused(trainer):
    trainer.stopped_at(3, trainer.recipe(average=Part("ema")))
    path = trainer.folder / "run/checkpoints/step-000000003"
    found = loop.read_newest(path.parent, print)
    found.tensors["zebra.x"] = torch.zeros(1)
    loop.write(path.parent, found)
    with pytest.raises(HangtagError) as caught:
        trainer.fit(trainer.recipe(average=Part("ema")))
    assert caught.value.code == "checkpoint_incompatible"


def test_a_wrong_option_is_told_before_anything_is_done(trainer):
    for changes in (
        {"schedule": Part("one_cycle", warm=1)},
        {"optimiser": Part("adam", rl=1)},
        {"model": Part("lenet")},
    ):
        with pytest.raises(HangtagError, match="Did you mean"):
            trainer.fit(trainer.recipe(**changes))
    assert not (trainer.folder / "run").exists()


def test_out_of_memory_suggests_half_the_batch(trainer, monkeypatch):
    tiny = loop.models.register.get("test_tiny")
    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA"),
        RuntimeError("DefaultCPUAllocator: can't allocate"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: out of memory"),
    ):

        def forward(self, images, error=error):
            raise error

        monkeypatch.setattr(tiny, "forward", forward)
        with pytest.raises(HangtagError, match="batch_size=8") as caught:
            trainer.fit()
        assert caught.value.code == "training_out_of_memory"


def test_memory_that_runs_out_while_going_on_is_no_fault_of_the_checkpoint(trainer, monkeypatch):
    trainer.stopped_at(3)

    def load_state_dict(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loop.models.register.get("test_tiny"), "load_state_dict", load_state_dict)
    with pytest.raises(HangtagError) as caught:
        trainer.fit()
    assert caught.value.code == "training_out_of_memory"


def test_other_faults_of_torch_are_not_called_memory(trainer, monkeypatch):
    def forward(self, images):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(loop.models.register.get("test_tiny"), "forward", forward)
    with pytest.raises(RuntimeError, match="shapes differ"):
        trainer.fit()


@pytest.mark.parametrize("batch_size", [69, 1000])
def test_a_last_batch_of_one_picture_is_left_out_and_large_batches_are_whole(trainer, batch_size):
    assert trainer.fit(trainer.recipe(batch_size=batch_size)).steps == 3


def test_statistics_are_those_of_the_pixels(pictures):
    for colour in (False, True):
        images = pictures(30, colour=colour).images
        mean, std = loop.channel_statistics(pictures(30, colour=colour))
        axes = (0, 1, 2)
        np.testing.assert_allclose(mean, np.atleast_1d((images / 255).mean(axes)), rtol=1e-12)
        np.testing.assert_allclose(std, np.atleast_1d((images / 255).std(axes)), rtol=1e-9)


def test_trains_in_colour(trainer, pictures):
    fitted = trainer.fit(training=pictures(40, colour=True), validation=pictures(12, 1, colour=True))
    assert fitted.deployed.mean.shape == (1, 3, 1, 1)


def test_weights_that_share_memory_are_saved_and_restored(trainer, digest_of, monkeypatch):
    tiny = loop.models.register.get("test_tiny")
    plain = tiny.__init__

    def tied(self, *arguments, **options):
        plain(self, *arguments, **options)
        self.layers[1].bias = self.layers[1].weight

    monkeypatch.setattr(tiny, "__init__", tied)
    trainer.stopped_at(4)
    assert digest_of(trainer.fit()) == digest_of(trainer.fit(out="unbroken"))


def test_a_clock_that_jumps_a_day_changes_nothing(trainer, monkeypatch, digest_of):
    unbroken = trainer.fit(out="unbroken")
    jumps = itertools.cycle([0.0, 86_400.0, -86_400.0])
    real = loop.time.time
    monkeypatch.setattr(loop.time, "time", lambda: real() + next(jumps))
    trainer.stopped_at(6)
    resumed = trainer.fit()
    assert digest_of(resumed) == digest_of(unbroken)
    assert resumed.seconds == 2


def test_a_checkpoint_holds_no_more_than_json_and_tensors(trainer):
    trainer.stopped_at(6)
    newest = trainer.folder / "run/checkpoints/step-000000006"
    assert sorted(path.name for path in newest.iterdir()) == ["manifest.json", "state.json", "state.safetensors"]
    assert json.loads((newest / "state.json").read_text())["books"]["step"] == 6


def test_leaving_easy_pictures_out_resumes_in_the_middle_of_an_epoch(trainer, digest_of):
    recipe = trainer.recipe(prune=0.5, epochs=6, batch_size=8)
    unbroken = trainer.fit(recipe, "unbroken")
    for step in (4, 11, 20, 31):  # the first of them in the first epoch, when no picture may be left out yet
        trainer.stopped_at(step, recipe)
    resumed = trainer.fit(recipe)
    assert resumed.resumed_from_step == 31
    assert digest_of(resumed) == digest_of(unbroken)


def test_leaving_easy_pictures_out_saves_steps_and_the_last_epoch_sees_all(trainer):
    steps = {}
    recipe = trainer.recipe(prune=0.9, epochs=8, batch_size=8)
    fitted = trainer.fit(recipe, watch=lambda now: steps.setdefault(now.epoch, []).append(now))
    assert len(steps[1]) == len(steps[8]) == 9  # 70 pictures in batches of 8
    assert all(len(steps[epoch]) < 9 for epoch in (2, 3, 4, 5, 6, 7))
    assert steps[8][-1].eta_s == 0
    assert steps[8][-1].steps == fitted.steps == sum(map(len, steps.values()))

"""The training loop: one uint8 tensor, whole batches, and a state that can be picked up at any step.

Whatever is random at a step is a function of (seed, step) and not of what happened before (`core.seeds`), so a
checkpoint need not hold generators, and a killed run ends in the very weights of an unbroken one.
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hangtag import augment, models
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import NetworkRecipe
from hangtag.core.seeds import derive
from hangtag.core.types import Probabilities, Split
from hangtag.predict.torch import Deployed, TorchPredictor, normalise
from hangtag.training import averages, optimisers, schedules
from hangtag.training.checkpoint import Checkpoint, flatten_optimiser, packed, read_newest, restore_optimiser, write
from hangtag.training.class_weights import class_weights, expected_weights
from hangtag.training.contention import Contention, libgomp
from hangtag.training.interrupt import Stop
from hangtag.training.pruning import choose
from hangtag.training.start import Start, load
from hangtag.training.views import Views, channels_first

PREPARE = 4096  # pictures shown to a model that initialises itself from data


@dataclass(frozen=True)
class Epoch:
    """What one epoch brought. `loss` and `accuracy` are running means over augmented training batches."""

    epoch: int  # from 1
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float  # on the run's clock, interruptions left out


@dataclass(frozen=True)
class Progress:
    """Where a run stands, for whoever watches."""

    step: int
    steps: int  # an estimate while easy pictures are left out: each epoch says anew how many those are
    epoch: int  # from 1
    epochs: int
    loss: float  # running mean of this epoch
    images_per_s: float
    eta_s: float
    last: Epoch | None
    epoch_ended: bool


@dataclass
class Fitted:
    """A trained network and how it came about."""

    deployed: Deployed  # fp32, on the CPU, in eval mode
    history: list[Epoch]
    best_epoch: int | None  # whose weights were kept, if early stopping chose
    resumed_from_step: int
    seconds: float  # on the run's clock, interruptions left out
    steps: int
    start: dict[str, Any] | None  # what was loaded to start from, if anything


@dataclass(frozen=True)
class Snapshot:
    """The weights an epoch ended with: what would be kept if training ended now.

    Args:
        improved: no epoch before had a lower validation loss; without validation pictures, every epoch improves.
        weights: by name, the run's own tensors: they change with the next step.
        mean, std: as `Deployed` takes them.
        params: trained numbers.
        history: the epochs so far, this one last.
        start: what was loaded to start from, if anything.
    """

    improved: bool
    weights: dict[str, Tensor]
    mean: list[float]
    std: list[float]
    params: int
    history: list[dict[str, Any]]
    start: dict[str, Any] | None

    def safetensors(self) -> bytes:
        """The weights as a file's content."""
        return packed(self.weights)


@dataclass
class _Bookkeeping:
    """Every number a checkpoint holds."""

    step: int = 0
    epoch: int = 0  # whole epochs done
    batch: int = 0  # batches of the running epoch done
    loss_sum: float = 0.0  # over this epoch's pictures so far
    correct: int = 0
    seen: int = 0
    best_loss: float | None = None
    best_epoch: int | None = None
    stopped: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def fit(
    recipe: NetworkRecipe,
    training: Split,
    validation: Split | None,
    *,
    device: torch.device,
    precision: Literal["fp32", "bf16"],
    checkpoints: Path,
    stop: Stop,
    clock: Callable[[], float],
    start: Start | None = None,
    taught: Probabilities | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    warn: Callable[[str], None] = lambda message: None,
    keep: Callable[[Snapshot], None] = lambda snapshot: None,
) -> Fitted:
    """Train `recipe` on `training`, going on from the newest checkpoint in `checkpoints` if there is one.

    Args:
        recipe: what to do.
        training: pictures to learn from.
        validation: pictures to judge each epoch on and to stop early by, or None.
        device: where to compute.
        precision: "bf16" computes convolutions and matrix products in bfloat16; weights stay fp32.
        checkpoints: folder of this run's checkpoints.
        clock: seconds since the run, or its process, began; what an earlier process spent is added.
        stop: when it says so, a checkpoint is written at the end of the step and `KeyboardInterrupt` raised.
        start: weights to start from, `recipe.start` read.
        taught: what the recipe's teachers say of each training picture, (N, K); or of each of its views, (V, N, K).
        watch: called after each step.
        warn: called with one-line messages.
        keep: called at the end of each epoch, before its checkpoint is written: a run that is killed in between goes
            through that end again.

    Raises:
        HangtagError: `training_not_finite`, `training_out_of_memory`, `checkpoint_*`, or `usage_*` for options.
        KeyboardInterrupt: if stopped; the same call goes on from there.
    """
    threads = libgomp() if device.type == "cpu" else None
    with memory_errors(recipe), Contention(threads) as contention:

        def after_step(progress: Progress) -> None:
            contention.look()
            watch(progress)

        run = _Run(recipe, training, validation, device, precision, checkpoints, start, taught, warn)
        return run.to_end(stop, clock, after_step, keep)


class _Run:
    """The state of one run; only `fit` makes it."""

    def __init__(
        self,
        recipe: NetworkRecipe,
        training: Split,
        validation: Split | None,
        device: torch.device,
        precision: Literal["fp32", "bf16"],
        checkpoints: Path,
        start: Start | None,
        taught: Probabilities | None,
        warn: Callable[[str], None],
    ) -> None:
        self.recipe = recipe
        self.validation = validation
        self.class_names = training.class_names
        self.sources = training.sources
        self.device = device
        self.bf16 = precision == "bf16"
        self.checkpoints = checkpoints
        self.mean, self.std = channel_statistics(training)
        if start and start.normalise and len(start.normalise[0]) == len(self.mean):
            self.mean, self.std = start.normalise  # the filters know pixels on this scale

        self.images = channels_first(training.images).to(device)  # (N, C, H, W) uint8
        labels = torch.from_numpy(training.labels).to(device)
        smooth, classes = recipe.label_smoothing, len(training.class_names)
        self.targets = functional.one_hot(labels, classes).float() * (1 - smooth) + smooth / classes  # (N, K)
        self.class_weights = class_weights(training).to(device) if recipe.class_weights else None
        self.taught, self.views = taught, None
        if taught is not None and recipe.teacher_views:
            self.views = Views(recipe.augment, self.images, self.targets)
        elif taught is not None:
            self.targets = self._beside(self.targets, taught)

        torch.manual_seed(derive(recipe.seed, "initial weights"))
        in_channels = self.images.shape[1]
        model = models.create(recipe.model, classes, in_channels, recipe.size)
        self.model: nn.Module = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.augmentations = [] if self.views else augment.create(recipe.augment)
        self.schedule = schedules.register.get(recipe.schedule.name)
        recipe.schedule.call(self.schedule, 0.0)  # a wrong option is told before anything is done
        self.deployed = Deployed(self.model, self.mean, self.std, recipe.flip_average).to(device)
        if hasattr(self.model, "prepare"):
            sample = np.random.default_rng(derive(recipe.seed, "prepare")).permutation(len(training))[:PREPARE]
            with torch.no_grad():
                self.model.prepare(self._normalised(self.images[torch.from_numpy(np.sort(sample)).to(device)].float()))
        self.started = None if start is None else load(self.model, start, self.class_names, freeze=recipe.freeze)
        self.frozen = self._freeze() if recipe.freeze else []
        self.parameters: list[Tensor] = list(self.model.parameters())
        self.generator = _default_generator(device)
        self.optimiser = recipe.optimiser.call(optimisers.register.get(recipe.optimiser.name), self.model)
        self.average = recipe.average and recipe.average.call(averages.register.get(recipe.average.name), self.model)
        self.best: dict[str, Tensor] | None = None

        # What each picture's loss was when it was last seen, now and when the epoch began: pruning goes by the latter.
        self.losses = torch.full((len(training),), math.inf, device=device) if recipe.prune else None
        self.losses_before = None if self.losses is None else self.losses.clone()
        self.books = _Bookkeeping()
        self.resumed_from_step = 0
        if (found := read_newest(checkpoints, warn)) is not None:
            self._restore(found)
            self.resumed_from_step = found.step

    def to_end(
        self,
        stop: Stop,
        clock: Callable[[], float],
        watch: Callable[[Progress], None],
        keep: Callable[[Snapshot], None],
    ) -> Fitted:
        """Run the remaining steps."""
        books, epochs = self.books, self.recipe.epochs
        started, before, done_before = time.perf_counter(), books.seconds, 0.0
        saved, batches, seen = started, None, 0
        self._learning()
        while books.epoch < epochs and not books.stopped:
            epoch = books.epoch
            if batches is None or books.batch == 0:
                batches = self._batches(epoch)
            if not seen:
                done_before = (epoch + books.batch / len(batches)) / epochs
            index, weights = batches[books.batch]
            self._step(index, weights, (epoch + books.batch / len(batches)) / epochs)
            at = self._where()
            books.step += 1
            books.batch += 1
            books.seconds = before + clock()
            seen += len(index)
            done = (epoch + books.batch / len(batches)) / epochs
            ended = books.batch == len(batches)
            if self.average:
                self.average.update(self.model, books.step - 1, done)
            if ended:
                self._check_weights(index, at)  # before they are judged
                self._end_epoch()
                keep(self._snapshot())
                books.seconds = before + clock()
            watch(self._progress(epoch, done, done - done_before, seen, time.perf_counter() - started, ended))
            stopping = stop.requested  # read once: it may change at any moment
            if stopping or ended or time.perf_counter() - saved > self.recipe.checkpoint_s:
                if not ended:
                    self._check_weights(index, at)
                self._save()
                saved = time.perf_counter()
            if stopping:
                where = f"step {books.step:,} of {round(books.step / done):,}"
                raise KeyboardInterrupt(f"stopped after {where} and saved: the same command goes on from there")
        books.seconds = max(books.seconds, before + clock() if seen else 0.0)
        return self._fitted()

    def _batches(self, epoch: int) -> list[tuple[Tensor, Tensor | None]]:
        """The epoch's batches: which pictures, and how much each one's loss counts if not all alike."""
        recipe = self.recipe
        if self.views:
            self._show(epoch)
        generator = torch.Generator().manual_seed(derive(recipe.seed, "order", epoch))
        order, weights = torch.randperm(len(self.targets), generator=generator), None
        if self.losses_before is not None:
            kept, weight = choose(self.losses_before.cpu(), recipe.prune, epoch / recipe.epochs, generator)
            order = order[kept[order]]
            weights = weight[order].to(self.device)
        order = order.to(self.device)
        slices = [slice(start, start + recipe.batch_size) for start in range(0, len(order), recipe.batch_size)]
        if len(slices) > 1 and len(order) - slices[-1].start == 1:
            del slices[-1]  # a batch of one picture would leave batch norm without a spread
        return [(order[part], None if weights is None else weights[part]) for part in slices]

    def _show(self, epoch: int) -> None:
        """Make `epoch` one of the views the teachers were asked about: all in turn, in an order of the seed's."""
        assert self.views is not None
        assert self.taught is not None
        rounds, place = divmod(epoch, len(self.taught))
        generator = torch.Generator().manual_seed(derive(self.recipe.seed, "views", rounds))
        number = int(torch.randperm(len(self.taught), generator=generator)[place])
        self.images, targets = self.views.of(number)
        self.targets = self._beside(targets, self.taught[number])

    def _beside(self, labels: Tensor, said: Probabilities) -> Tensor:
        """Teachers' halves beside the labels' halves, (N, 2K): rows still sum to 1, and mixing mixes both."""
        weight, temperature = self.recipe.teacher_weight, self.recipe.temperature
        soft = torch.from_numpy(said).to(self.device).float().clamp_min(1e-8).log().div(temperature).softmax(1)
        return torch.cat([labels * (1 - weight), soft * weight], dim=1)

    def _step(self, index: Tensor, weights: Tensor | None, done: float) -> None:
        """One step of the optimiser on pictures `index`, at `done` in [0, 1) of the run."""
        recipe, step, epoch = self.recipe, self.books.step, self.books.epoch
        self.generator.manual_seed(derive(recipe.seed, "step", step))  # dropout and the like
        images, targets = self.images[index].float(), self.targets[index]
        if self.augmentations:
            generator = torch.Generator().manual_seed(derive(recipe.seed, "augment", step))
            images, targets = augment.augmented(self.augmentations, images, targets, index.cpu(), epoch, generator)
        inputs = self._normalised(images)

        factor = float(recipe.schedule.call(self.schedule, done))
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * factor
        with self._autocast():
            logits = self.model(inputs)
        losses = self._losses(logits.float(), targets)
        counted = losses if weights is None else losses * weights
        if self.class_weights is not None:
            counted = counted * self._weights_of(targets)
        loss = counted.mean()
        if (penalty := getattr(self.model, "penalty", None)) is not None:
            loss = loss + penalty
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        wanted = targets.view(len(targets), -1, logits.shape[1]).sum(1)  # labels and teachers together
        correct = (logits.argmax(1) == wanted.argmax(1)).sum()
        finite = _finite([parameter.grad for parameter in self.parameters if parameter.grad is not None])
        # One answer for all three: an accelerator idles from each to the next launch. In float32: MPS has no double.
        value, all_finite, right = torch.stack([losses.detach().mean(), finite.float(), correct.float()]).tolist()
        if not math.isfinite(value):
            self._not_finite(f"the loss became {value}", index, self._where())
        if not all_finite:
            self._not_finite("a gradient became infinite", index, self._where())
        self.optimiser.step()

        if self.losses is not None:
            self.losses[index] = losses.detach()
        self.books.loss_sum += value * len(index)
        self.books.correct += int(right)
        self.books.seen += len(index)

    def _losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(N,) cross-entropy; with teachers, that of the labels and how far off theirs it is at the temperature.

        Source: Hinton et al. 2015, arXiv 1503.02531, section 2: the square of the temperature keeps the gradients
        of both equally large.
        """
        if self.taught is None:
            return functional.cross_entropy(logits, targets, reduction="none")
        labels, said = targets.chunk(2, dim=1)
        temperature, weight = self.recipe.temperature, max(self.recipe.teacher_weight, 1e-8)
        by_labels = (labels * logits.log_softmax(1)).sum(1)
        off = torch.special.xlogy(said, said / weight) - said * (logits / temperature).log_softmax(1)
        losses: Tensor = temperature**2 * off.sum(1) - by_labels
        return losses

    def _weights_of(self, targets: Tensor) -> Tensor:
        """(N,) the class weights of targets as they stand in a step: smoothed, mixed, teachers' beside them."""
        recipe, classes = self.recipe, len(self.class_names)
        assert self.class_weights is not None
        if self.taught is None:
            return expected_weights(targets, self.class_weights, recipe.label_smoothing)
        if recipe.teacher_weight < 1:
            labels = targets[:, :classes] / (1 - recipe.teacher_weight)
            return expected_weights(labels, self.class_weights, recipe.label_smoothing)
        return expected_weights(targets[:, classes:], self.class_weights)  # no labels are learnt: the teachers' classes

    def _freeze(self) -> list[nn.Module]:
        """Let the classifier alone learn. Returns the modules that stay as they are, batch norms' counting included."""
        classifier = models.classifier_of(self.model)
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        for parameter in classifier.parameters():
            parameter.requires_grad_(True)
        learning = set(classifier.modules())
        return [module for module in self.model.modules() if module not in learning]

    def _learning(self) -> None:
        self.model.train()
        for module in self.frozen:
            module.training = False

    def _end_epoch(self) -> None:
        books = self.books
        books.epoch, books.batch = books.epoch + 1, 0
        if self.losses is not None:
            self.losses_before = self.losses.clone()
        val_loss = val_accuracy = None
        if self.validation is not None:
            with self._final_weights():
                predictor = TorchPredictor(self.deployed, self.class_names, bf16=self.bf16)
                probabilities = predictor.predict_proba(self.validation.images)
            self._learning()
            chosen = probabilities[np.arange(len(probabilities)), self.validation.labels]
            val_loss = float(-np.log(np.clip(chosen, 1e-12, None)).mean())
            val_accuracy = float((probabilities.argmax(1) == self.validation.labels).mean())
        record = Epoch(
            epoch=books.epoch,
            loss=books.loss_sum / books.seen,
            accuracy=books.correct / books.seen,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=self.optimiser.param_groups[0]["lr"],
            seconds=books.seconds,
        )
        books.history.append(asdict(record))
        books.loss_sum, books.correct, books.seen = 0.0, 0, 0
        if self.recipe.patience is not None and val_loss is not None:
            if books.best_loss is None or val_loss < books.best_loss:
                books.best_loss, books.best_epoch = val_loss, books.epoch
                self.best = {name: tensor.detach().clone() for name, tensor in self._weights().items()}
            elif books.epoch - (books.best_epoch or 0) >= self.recipe.patience:
                books.stopped = True

    def _fitted(self) -> Fitted:
        self.model.load_state_dict(self.best if self.best is not None else self._weights())
        model = copy.deepcopy(self.model).to("cpu")
        model = model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return Fitted(
            deployed=Deployed(model, self.mean, self.std, self.recipe.flip_average).eval(),
            history=[Epoch(**record) for record in self.books.history],
            best_epoch=self.books.best_epoch if self.best is not None else None,
            resumed_from_step=self.resumed_from_step,
            seconds=self.books.seconds,
            steps=self.books.step,
            start=self.started,
        )

    def _snapshot(self) -> Snapshot:
        *before, last = self.books.history
        improved = last["val_loss"] is None or all(last["val_loss"] < epoch["val_loss"] for epoch in before)
        params = sum(parameter.numel() for parameter in self.model.parameters())
        weights, history = self._weights(), self.books.history
        return Snapshot(improved, weights, self.mean, self.std, params, history, self.started)

    def _weights(self) -> dict[str, Tensor]:
        return self.average.weights() if self.average else self.model.state_dict()

    @contextlib.contextmanager
    def _final_weights(self) -> Iterator[None]:
        """The model carries, for a moment, the weights that would be kept if training ended now."""
        if not self.average:
            yield
            return
        own = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}
        self.model.load_state_dict(self.average.weights())
        try:
            yield
        finally:
            self.model.load_state_dict(own)

    def _normalised(self, images: Tensor) -> Tensor:
        inputs = normalise(images, self.deployed.mean, self.deployed.std)
        return inputs.contiguous(memory_format=torch.channels_last)

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else contextlib.nullcontext()

    def _progress(self, epoch: int, done: float, part: float, seen: int, spent: float, ended: bool) -> Progress:
        """After `spent` seconds, in which `seen` pictures and `part` of the run were worked off."""
        books = self.books
        last = Epoch(**books.history[-1]) if books.history else None
        return Progress(
            step=books.step,
            steps=books.step if books.stopped else round(books.step / done),
            epoch=epoch + 1,
            epochs=self.recipe.epochs,
            loss=last.loss if ended and last else books.loss_sum / max(1, books.seen),
            images_per_s=seen / spent,
            eta_s=0.0 if books.stopped else spent / part * (1 - done),
            last=last,
            epoch_ended=ended,
        )

    def _check_weights(self, index: Tensor, at: str) -> None:
        """Before anything is judged or saved: no later loss would tell of the last step."""
        if not _finite(self.parameters):
            self._not_finite("the weights became infinite", index, at)

    def _where(self) -> str:
        return f"step {self.books.step}, epoch {self.books.epoch + 1}, batch {self.books.batch}"

    def _not_finite(self, what: str, index: Tensor, where: str) -> NoReturn:
        """Stop without saving: the forward pass has already put its numbers into the statistics of batch norms."""
        shown = ", ".join(self.sources[i] if self.sources else str(i) for i in index[:8].tolist())
        more = ", ..." if len(index) > 8 else ""
        raise HangtagError(
            "training_not_finite",
            f"{what} at {where} (training pictures {shown}{more}): "
            f"try a smaller --set optimiser.lr, with another --out; earlier checkpoints are kept",
        )

    def _save(self) -> None:
        tensors = {f"model.{name}": tensor.detach().cpu() for name, tensor in self.model.state_dict().items()}
        state, numbers = flatten_optimiser(self.optimiser)
        tensors |= {f"optimiser.{name}": tensor for name, tensor in state.items()}
        if self.average:
            tensors |= {f"average.{name}": tensor.detach().cpu() for name, tensor in self.average.state().items()}
        if self.losses is not None and self.losses_before is not None:
            tensors |= {"losses.now": self.losses.cpu(), "losses.before": self.losses_before.cpu()}
        if self.best is not None:
            tensors |= {f"best.{name}": tensor.cpu() for name, tensor in self.best.items()}
        write(
            self.checkpoints, Checkpoint(self.books.step, tensors, {"books": asdict(self.books), "optimiser": numbers})
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        groups: dict[str, dict[str, Tensor]] = {
            name: {} for name in ("model", "optimiser", "average", "losses", "best")
        }
        try:
            for name, tensor in checkpoint.tensors.items():
                head, _, rest = name.partition(".")
                groups[head][rest] = tensor.to(self.device)
            self.model.load_state_dict(groups["model"])
            restore_optimiser(self.optimiser, groups["optimiser"], checkpoint.numbers["optimiser"])
            if self.average:
                self.average.load(groups["average"])
            if self.losses is not None:
                self.losses, self.losses_before = groups["losses"]["now"], groups["losses"]["before"]
            self.books = _Bookkeeping(**checkpoint.numbers["books"])
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            if _is_out_of_memory(error):
                raise
            reason = " ".join(str(error).split())[:300]
            raise HangtagError(
                "checkpoint_incompatible",
                f"the checkpoint in {self.checkpoints} is of another model or version ({reason}): choose another --out",
            ) from error
        self.best = groups["best"] or None


@torch.no_grad()
def _finite(tensors: list[Tensor]) -> Tensor:
    """Whether all numbers are, as a tensor: asking for its value waits for an accelerator."""
    return torch.isfinite(torch.stack(torch._foreach_norm(tensors))).all()


def _default_generator(device: torch.device) -> torch.Generator:
    """What layers on `device` draw from.

    `torch.manual_seed` seeds it too, but writes a traceback at each call for GPUs that may be found later: 0.3 ms of
    every step.
    """
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()
    return torch.default_generator


def channel_statistics(split: Split) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel of pixels in [0, 1], counted exactly over histograms of 256 levels."""
    channels = [split.images] if split.images.ndim == 3 else [split.images[..., c] for c in range(3)]
    mean, std = [], []
    levels = np.arange(256) / 255
    for channel in channels:
        # bincount makes eight bytes of each pixel: a few pictures at a time, or 43 MB would take 345
        parts = (np.bincount(channel[i : i + 1000].reshape(-1), minlength=256) for i in range(0, len(channel), 1000))
        share = sum(parts) / channel.size
        mean.append(float(share @ levels))
        std.append(float(max(math.sqrt(share @ (levels - mean[-1]) ** 2), 1e-3)))  # plain pictures have no spread
    return mean, std


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    said = str(error).lower()  # the CPU's allocator, cuBLAS and others have no exception class of their own
    return isinstance(error, RuntimeError) and ("alloc" in said or "out of memory" in said)


@contextlib.contextmanager
def memory_errors(recipe: NetworkRecipe) -> Iterator[None]:
    """Whatever says that memory ran out, as one error with its cure.

    Raises:
        HangtagError: `training_out_of_memory`.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        half = max(1, recipe.batch_size // 2)
        raise HangtagError(
            "training_out_of_memory", f"out of memory: try --set batch_size={half}, with another --out"
        ) from error

"""One process of the training."""

import contextlib
import math
import os
import random
import time
from dataclasses import dataclass, fields
from pathlib import Path

import torch

import losses
from model import AUDIO_CONTEXT, Mini, quantise
from report import Report
from targets import Batch, draw_batch
from windows import WindowShape

SAVE_EVERY_S = 120
# From this progress on the weights are used as q5_0 keeps them: what is shipped is what was trained.
QUANTISE_FROM = 0.86
# The learning rate stays up to here, then falls along a cosine to 3 %.
DECAY_FROM = 0.4
FINAL_RATE = 0.03
WARM_UP_STEPS = 150
WARM_UP_STEPS_RESUMED = 60
MAX_GRADIENT_NORM = 1.0
# Above this something has gone wrong, and the step is left out.
BROKEN_GRADIENT_NORM = 1e6


@dataclass(frozen=True)
class Settings:
    """`minutes`: from `progress` (share of the training taken as done, 0..1) to the end."""

    work: Path
    minutes: float
    resume: Path
    progress: float
    learning_rate: float
    processes: int


@dataclass(frozen=True)
class Shared:
    """What the processes share: a row of gradients each, the progress (1 value), a barrier."""

    gradients: torch.Tensor
    progress: torch.Tensor
    barrier: object


def draw_plan(progress, rng):
    """First short slices of 30 s, later whole ones too. -> batch size of a process, WindowShape"""
    if progress < 0.12:
        return 6, _early_slice(rng, 300)
    if progress < 0.50:
        return 8, _early_slice(rng, 350)
    kind = rng.random()
    if kind < 0.28:
        return 8, _late_slice(rng, 350)
    if kind < 0.38:
        return 4, _late_slice(rng, 800)
    return 3, WindowShape(AUDIO_CONTEXT, full=True)


def _early_slice(rng, frames):
    return WindowShape(frames, 0 if rng.random() < 0.45 else rng.randint(0, AUDIO_CONTEXT - frames))


def _late_slice(rng, frames):
    return WindowShape(frames, 0 if rng.random() < 0.25 else rng.randint(50, AUDIO_CONTEXT - frames))


@contextlib.contextmanager
def quantised_weights(model, active):
    """Inside, the layers' matrices and the embedding are as q5_0 keeps them; afterwards exact again."""
    if not active:
        yield
        return
    model.quantised = True
    matrices = [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.ndim == 2 and name.startswith(("enc.", "dec."))
    ]
    exact = [matrix.data.clone() for matrix in matrices]
    for matrix in matrices:
        matrix.data.copy_(quantise(matrix.data))
    yield
    for matrix, values in zip(matrices, exact):
        matrix.data.copy_(values)
    model.quantised = False


class Worker:
    """One process. Each makes its own batches; they average their gradients and so stay the same."""

    def __init__(self, rank, corpus, settings, shared):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.rank = rank
        self.corpus = corpus
        self.settings = settings
        self.shared = shared
        stage = int(settings.progress * 1000)
        self.rng = random.Random(1000 + rank + stage)
        # The same in all processes, so that their steps take about as long.
        self.plan_rng = random.Random(7 + stage)
        self.model = Mini(corpus.vocabulary)
        self.parameters = list(self.model.parameters())
        self.optimizer = _optimizer(self.parameters, settings.learning_rate)
        if settings.resume:
            self._resume(torch.load(settings.resume))
        self.steps = 0

    def _resume(self, checkpoint):
        """Takes over what fits. With other phonemes, their heads and the optimiser start afresh."""
        saved, own = checkpoint["model"], self.model.state_dict()
        fitting = {name for name in own if name in saved and saved[name].shape == own[name].shape}
        self.model.load_state_dict({name: saved[name] if name in fitting else own[name] for name in own})
        if checkpoint.get("opt") and len(fitting) == len(own):
            self.optimizer.load_state_dict(checkpoint["opt"])

    def run(self):
        started = last_save = time.time()
        report = Report(started)
        if self.rank == 0:
            count = sum(parameter.numel() for parameter in self.parameters)
            print(f"{count} parameters, {self.corpus.vocabulary.size} columns", flush=True)
        while True:
            if self.rank == 0:
                self.shared.progress[0] = self._progress(started)
            self.shared.barrier.wait()
            progress = float(self.shared.progress[0])
            if progress >= 1:
                break
            step_started = time.time()
            shape, batch, result, norm = self._step(progress)
            if self.rank != 0:
                continue
            report.add(self.model, batch, result, norm, shape.full, self.steps)
            if self.steps % 25 == 0:
                report.show(progress, self.steps, self._rate(progress), shape, time.time() - step_started)
            if time.time() - last_save > SAVE_EVERY_S:
                last_save = time.time()
                self._save("ck.pt", with_optimizer=False)
        if self.rank == 0:
            self._save("ck.pt", with_optimizer=False)
            self._save("final.pt", with_optimizer=True)
            print(f"done after {self.steps} steps", flush=True)

    def _progress(self, started):
        if (self.settings.work / "STOP").exists():
            return 2.0
        done = self.settings.progress
        return done + (1 - done) * (time.time() - started) / (self.settings.minutes * 60)

    def _rate(self, progress):
        """The learning rate of the next step."""
        warm_up_steps = WARM_UP_STEPS_RESUMED if self.settings.resume else WARM_UP_STEPS
        warm_up = min(1, (self.steps + 1) / warm_up_steps)
        decay = 1.0
        if progress >= DECAY_FROM:
            phase = math.pi * (progress - DECAY_FROM) / (1 - DECAY_FROM)
            decay = 0.5 * (1 + math.cos(phase)) * (1 - FINAL_RATE) + FINAL_RATE
        return self.settings.learning_rate * warm_up * decay

    def _step(self, progress):
        """One step of all processes. -> shape, own batch, own losses, norm of the mean gradient"""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(progress)
        size, shape = draw_plan(progress, self.plan_rng)
        batch = _tensors(draw_batch(self.corpus, self.rng, size, shape))
        with quantised_weights(self.model, progress > QUANTISE_FROM):
            result = losses.compute(self.model, batch, shape.offset, progress)
            self.optimizer.zero_grad()
            result.total.backward()
        self._average_gradients()
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM))
        if norm < BROKEN_GRADIENT_NORM:  # false for NaN too
            self.optimizer.step()
        self.steps += 1
        return shape, batch, result, norm

    def _average_gradients(self):
        gradients = torch.cat([parameter.grad.flatten() for parameter in self.parameters])
        self.shared.gradients[self.rank] = gradients
        self.shared.barrier.wait()
        mean = self.shared.gradients.mean(0)
        sizes = [parameter.numel() for parameter in self.parameters]
        for parameter, values in zip(self.parameters, mean.split(sizes)):
            parameter.grad.copy_(values.view_as(parameter))

    def _save(self, name, with_optimizer):
        path = self.settings.work / name
        unfinished = path.with_name(name + ".tmp")
        checkpoint = {
            "model": self.model.state_dict(),
            "opt": self.optimizer.state_dict() if with_optimizer else None,
            "hp": self.model.hp,
            "step": self.steps,
            "p": float(self.shared.progress[0]),
        }
        torch.save(checkpoint, unfinished)
        os.replace(unfinished, path)


def _optimizer(parameters, learning_rate):
    """AdamW; only matrices decay."""
    groups = [
        {
            "params": [parameter for parameter in parameters if parameter.ndim >= 2],
            "weight_decay": 0.01,
        },
        {
            "params": [parameter for parameter in parameters if parameter.ndim < 2],
            "weight_decay": 0,
        },
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), eps=1e-8)


def _tensors(batch):
    return Batch(**{field.name: torch.from_numpy(getattr(batch, field.name)) for field in fields(batch)})

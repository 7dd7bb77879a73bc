"""How the training goes: moving averages, printed now and then."""

import math
import time

import torch

KEEP = 0.93
TIME_STEP_S = 0.02


class Report:
    """Averages apart for slices and for whole windows (their names end in F)."""

    def __init__(self, started):
        self.started = started
        self.averages = {}

    def add(self, model, batch, losses, gradient_norm, is_full, step):
        """Takes in the losses and measures of one step."""
        values = {
            "tokens": losses.tokens.item(),
            "words": losses.words.item(),
            "phonemes": losses.phonemes.item() / 2,
            "gradient": gradient_norm,
        }
        for layer, loss in enumerate(losses.attention):
            values[f"guide{layer}"] = loss.item()
        with torch.no_grad():
            values.update(_accuracy(model, batch, losses))
            if step % 10 == 0:
                values["frames"] = _frame_accuracy(model, batch, losses)
        for name, value in values.items():
            if math.isfinite(value):
                self._average(name + ("F" if is_full else ""), value)

    def _average(self, name, value):
        before = self.averages.get(name, value)
        self.averages[name] = KEEP * before + (1 - KEEP) * value

    def show(self, progress, step, rate, shape, step_s):
        averages = " ".join(f"{name}={value:.3f}" for name, value in sorted(self.averages.items()))
        kind = f"{'full' if shape.full else 'slice'} {shape.frames}"
        elapsed = time.time() - self.started
        print(
            f"{elapsed:.0f} s, progress {progress:.2f}, step {step}, rate {rate:.1e}, {kind}, {step_s:.2f} s "
            + averages,
            flush=True,
        )


def _accuracy(model, batch, losses):
    """Share of text tokens that are right, and the median error of the times in seconds."""
    guesses = losses.logits.argmax(-1)
    targets, weights = batch.target_columns[..., 0], batch.target_weights[..., 0]
    is_text = (weights > 0.9) & (targets < model.vocabulary.unused)
    is_time = (weights > 0.4) & (weights < 0.6)
    values = {"accuracy": (guesses == targets)[is_text].float().mean().item()}
    if is_time.any():
        error = (guesses - targets)[is_time].abs().float().median().item()
        values["time error"] = error * TIME_STEP_S
    return values


def _frame_accuracy(model, batch, losses):
    """Share of the frames with speech whose word is right."""
    is_speech = batch.word_labels > 0
    if not is_speech.any():
        return math.nan
    right = model.cls(losses.encoded).argmax(-1) == batch.word_labels
    return right[is_speech].float().mean().item()

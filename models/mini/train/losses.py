"""What the training makes small."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from windows import FRAME_S

# Frames (20 ms) before and after at which the second layer has to name the phoneme.
PHONEME_OFFSETS = (-12, -6, 0, 6, 12)
# The first part of the training is about hearing words in frames, the rest about writing tokens.
EARLY_SHARE = 0.35


@dataclass(frozen=True)
class Losses:
    """`total` is what is made small; the others are its parts, unweighted."""

    total: torch.Tensor
    tokens: torch.Tensor  # cross entropy of the decoder, per step
    words: torch.Tensor  # which word is spoken in a frame
    phonemes: torch.Tensor  # which phonemes are spoken at and around a frame
    attention: list  # per decoder layer: does it look where the token is heard
    logits: torch.Tensor  # (batch, steps, columns)
    encoded: torch.Tensor  # (batch, frames, width)


def compute(model, batch, offset, progress):
    """Runs the model on a batch that begins at frame `offset` of 30 s. -> Losses

    `progress`: share of the training done, 0..1.
    """
    frames = batch.word_labels.shape[1]
    encoded = model.encode(batch.mel, offset)
    logits, attention = model.decode(batch.columns, encoded, with_weights=True)
    tokens = token_loss(logits, batch.target_columns, batch.target_weights)
    words = F.cross_entropy(model.cls(encoded).flatten(0, 1), batch.word_labels.flatten())
    phonemes = phoneme_loss(model, batch.phoneme_labels)
    # The first layer finds the token that is read, the others the one to write.
    intervals = [batch.read_s] + [batch.written_s] * (len(attention) - 1)
    guides = [guide_loss(weights, where, frames) for weights, where in zip(attention, intervals)]
    word_weight, phoneme_weight, guide_weight = (1.0, 0.5, 0.3) if progress < EARLY_SHARE else (0.3, 0.1, 0.4)
    total = (
        tokens + word_weight * words + phoneme_weight * phonemes + guide_weight * sum(guides[1:], guides[0])
    )
    return Losses(total, tokens, words, phonemes, guides, logits, encoded)


def token_loss(logits, target_columns, target_weights):
    """Cross entropy against weighted targets, over the steps that have any."""
    steps = (target_weights.sum(-1) > 0).float().sum()
    return -(target_weights * logits.log_softmax(-1).gather(-1, target_columns)).sum() / steps


def phoneme_loss(model, labels):
    """The first layer names the phoneme of a frame, the second those around it.

    So the layers learn early to look around.
    """
    at_frame = F.cross_entropy(model.ph0(model.layer_outputs[0]).flatten(0, 1), labels.flatten())
    guesses = model.ph1(model.layer_outputs[1])
    guesses = guesses.view(*guesses.shape[:2], len(PHONEME_OFFSETS), -1)
    frames = labels.shape[1]
    around = 0
    for number, offset in enumerate(PHONEME_OFFSETS):
        first, last = max(0, -offset), frames - max(0, offset)
        around = around + F.cross_entropy(
            guesses[:, first:last, number].flatten(0, 1),
            labels[:, first + offset : last + offset].flatten(),
        )
    return at_frame + around / 3


def guide_loss(attention, intervals_s, frames):
    """How little a step attends to the interval where its token is heard: mean of -log(share inside).

    `attention` (batch, steps, frames), `intervals_s` (batch, steps, 2); steps without one do not count.
    """
    centres_s = torch.arange(frames) * FRAME_S + FRAME_S / 2
    inside = (centres_s >= intervals_s[..., 0:1]) & (centres_s <= intervals_s[..., 1:2])
    mass = (attention * inside.float()).sum(-1)
    counts = (intervals_s[..., 0] > -0.5) & (inside.sum(-1) > 0)
    if not counts.any():
        return attention.new_zeros(())
    return -(mass + 1e-4).log()[counts].mean()

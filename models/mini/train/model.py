"""Whisper's architecture, small: d = 128, 2 heads, 3 encoder and 3 decoder layers."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from vocabulary import TIME_COUNT

MEL_BANDS = 80
# Frames of 20 ms in 30 s.
AUDIO_CONTEXT = 1500
Q5_BLOCK = 32
# The phoneme tasks of the second layer look at this many frames around; see losses.py.
PHONEME_NEIGHBOURS = 5


def sinusoids(length, channels):
    """Whisper's positional embedding: (length, channels), sines then cosines."""
    increment = math.log(10000) / (channels // 2 - 1)
    timescales = torch.exp(-increment * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * timescales[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


def quantise(weights):
    """What ggml's q5_0 keeps: blocks of 32, a scale (largest value / -16) and 5-bit steps each."""
    blocks = weights.reshape(-1, Q5_BLOCK)
    scale = blocks.gather(1, blocks.abs().argmax(1, keepdim=True)) / -16
    inverse = torch.where(scale != 0, 1 / scale, torch.zeros_like(scale))
    steps = (blocks * inverse + 16.5).floor().clamp(0, 31) - 16
    return (steps * scale).view_as(weights)


class MultiHeadAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x, source=None, mask=None, with_weights=False):
        """`x` (batch, n, width) attends to `source` (batch, m, width), itself if None.

        -> output (batch, n, width), weights of head 0 (batch, n, m) or None
        """
        source = x if source is None else source
        head_width = x.shape[2] // self.heads
        query = self._split(self.query(x) * head_width**-0.5)
        key = self._split(self.key(source))
        value = self._split(self.value(source))
        scores = query.matmul(key.transpose(2, 3))
        if mask is not None:
            scores = scores + mask
        weights = scores.softmax(-1)
        output = weights.matmul(value).transpose(1, 2).reshape(x.shape)
        return self.out(output), (weights[:, 0] if with_weights else None)

    def _split(self, x):
        """(batch, n, width) -> (batch, heads, n, width of a head)"""
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)


class Block(nn.Module):
    """A transformer layer. Its parts have whisper's own names: export.py writes them as they are."""

    def __init__(self, width, heads, cross=False):
        super().__init__()
        self.attn = MultiHeadAttention(width, heads)
        self.attn_ln = nn.LayerNorm(width)
        self.cross_attn = MultiHeadAttention(width, heads) if cross else None
        self.cross_attn_ln = nn.LayerNorm(width) if cross else None
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x, audio=None, mask=None, with_weights=False):
        """-> output, attention to the audio (head 0) or None"""
        weights = None
        x = x + self.attn(self.attn_ln(x), mask=mask)[0]
        if audio is not None:
            output, weights = self.cross_attn(self.cross_attn_ln(x), audio, with_weights=with_weights)
            x = x + output
        return x + self.mlp(self.mlp_ln(x)), weights


class Mini(nn.Module):
    """The model, with a reduced token embedding: the used tokens, one row for all others, 1501 times.

    The names and the order of the parts are those of checkpoint.pt, whose optimiser goes by the order:

    - `emb`: embedding of all columns but the times; `tsw`, `tsr`: the times' (a map of sinusoids,
      and what is left); `pos`: positions of the text
    - `enc`, `dec`: layers; `ln_post`, `ln`: the normalisations after them
    - `cls`, `ph0`, `ph1`: heads for words and phonemes, used in training only
    - buffers: `pe` positions of the audio, `tpe` sinusoids of the times, `causal` mask, `ubias` the
      weight of the column `unused` in the softmax (the logarithm of how many tokens it stands for)
    """

    def __init__(self, vocabulary, width=128, heads=2, encoder_layers=3, decoder_layers=3, text_context=448):
        super().__init__()
        self.vocabulary = vocabulary
        self.width = width
        self.hp = (width, heads, encoder_layers, decoder_layers, text_context)
        # Use the weights as q5_0 keeps them.
        self.quantised = False
        # What the encoder's layers put out, of the last call: (batch, frames, width) each.
        self.layer_outputs = []
        # Convolutions of 3 taps, written as matrix products: the convolution gradients of Debian's
        # PyTorch (oneDNN) were wrong.
        self.conv1 = nn.Linear(3 * MEL_BANDS, width)
        self.conv2 = nn.Linear(3 * width, width)
        self.register_buffer("pe", sinusoids(AUDIO_CONTEXT, width) * 0.5)
        self.register_buffer("tpe", sinusoids(TIME_COUNT, width))
        self.enc = nn.ModuleList([Block(width, heads) for _ in range(encoder_layers)])
        self.ln_post = nn.LayerNorm(width)
        self.emb = nn.Parameter(torch.randn(vocabulary.first_time, width) * 0.05)
        self.tsw = nn.Parameter(torch.linalg.qr(torch.randn(width, width))[0] * 0.09)
        self.tsr = nn.Parameter(torch.zeros(TIME_COUNT, width))
        self.pos = nn.Parameter(sinusoids(text_context, width) * 0.05)
        self.dec = nn.ModuleList([Block(width, heads, cross=True) for _ in range(decoder_layers)])
        self.ln = nn.LayerNorm(width)
        self.cls = nn.Linear(width, vocabulary.word_class_count)
        self.ph0 = nn.Linear(width, vocabulary.phoneme_count)
        self.ph1 = nn.Linear(width, PHONEME_NEIGHBOURS * vocabulary.phoneme_count)
        self.register_buffer("causal", torch.full((text_context, text_context), float("-inf")).triu(1))
        self.register_buffer("ubias", torch.zeros(vocabulary.size))
        self.ubias[vocabulary.unused] = math.log(vocabulary.unused_count)
        with torch.no_grad():
            self.conv1.weight *= 2
            self.conv2.weight *= 4

    def embedding(self):
        """(columns, width): the embedding of every column, which is also the last layer."""
        embedding = torch.cat([self.emb, self.tpe @ self.tsw + self.tsr])
        if not self.quantised:
            return embedding
        # The value is the quantised one, the gradient that of the exact one (straight-through).
        return embedding + (quantise(embedding.detach()) - embedding.detach())

    def encode(self, mel, offset=0):
        """`mel` (batch, 80, 2 * frames) from frame `offset` of 30 s on -> (batch, frames, width)"""
        x = F.gelu(self.conv1(_taps(mel.transpose(1, 2), stride=1)))
        x = F.gelu(self.conv2(_taps(x, stride=2)))
        x = x + self.pe[offset : offset + x.shape[1]]
        self.layer_outputs = []
        for block in self.enc:
            x, _ = block(x)
            self.layer_outputs.append(x)
        return self.ln_post(x)

    def decode(self, columns, audio, with_weights=False):
        """`columns` (batch, n), `audio` (batch, frames, width).

        -> logits (batch, n, all columns), by layer the attention to the audio (batch, n, frames)
        """
        embedding = self.embedding()
        length = columns.shape[1]
        mask = self.causal[:length, :length]
        x = embedding[columns] + self.pos[:length]
        attention = []
        for block in self.dec:
            x, weights = block(x, audio, mask, with_weights)
            attention.append(weights)
        return F.linear(self.ln(x), embedding, self.ubias), attention


def _taps(x, stride):
    """Each frame with its neighbours: (batch, n, channels) -> (batch, n / stride, 3 * channels)."""
    x = F.pad(x, (0, 0, 1, 1))
    return torch.cat([x[:, :-2:stride], x[:, 1:-1:stride], x[:, 2::stride]], 2)

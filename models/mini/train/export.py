"""Writes a checkpoint as a ggml model file with f16 matrices.

    python3 export.py --vocabulary for-tests-ggml-base.bin checkpoint.pt mini-f16.bin
    whisper-quantize mini-f16.bin ggml-mini-q5_0.bin q5_0
"""

import argparse
import os
import struct

import numpy as np
import torch

from model import AUDIO_CONTEXT, MEL_BANDS, Mini
from vocabulary import FIRST_TIME, FULL_SIZE, TRANSLATE, Vocabulary, WhisperFile

GGML_MAGIC = 0x67676D6C
F32, F16 = 0, 1
# whisper.cpp wants these as f32, though they have two dimensions.
F32_ENDINGS = ("conv1.bias", "conv2.bias", "positional_embedding")


def load_model(checkpoint_path, vocabulary):
    """The model of a checkpoint, ready to be exported or used."""
    state = torch.load(checkpoint_path)["model"]
    vocabulary.phoneme_count = state["ph0.weight"].shape[0]
    model = Mini(vocabulary)
    model.load_state_dict(state)
    return model


def full_embedding(model):
    """(51865, width): whisper's whole embedding; tokens that are never used share one row."""
    vocabulary = model.vocabulary
    reduced = model.embedding().detach()
    full = reduced[vocabulary.unused].repeat(FULL_SIZE, 1)
    for column, token_id in enumerate(vocabulary.used_ids):
        full[token_id] = reduced[column]
    full[FIRST_TIME:] = reduced[vocabulary.first_time :]
    full[TRANSLATE] = reduced[vocabulary.transcribe]
    return full


def named_tensors(model):
    """The tensors by whisper's names, in the order in which they are written."""

    def convolution(weight):
        # (out, 3 * in) -> (out, in, 3)
        return weight.view(model.width, 3, -1).transpose(1, 2)

    tensors = {
        "encoder.positional_embedding": model.pe,
        "encoder.conv1.weight": convolution(model.conv1.weight),
        "encoder.conv1.bias": model.conv1.bias[:, None],
        "encoder.conv2.weight": convolution(model.conv2.weight),
        "encoder.conv2.bias": model.conv2.bias[:, None],
    }
    for part, blocks in (("encoder", model.enc), ("decoder", model.dec)):
        for number, block in enumerate(blocks):
            for name, tensor in block.state_dict().items():
                tensors[f"{part}.blocks.{number}.{name}"] = tensor
    tensors["encoder.ln_post.weight"] = model.ln_post.weight
    tensors["encoder.ln_post.bias"] = model.ln_post.bias
    tensors["decoder.ln.weight"] = model.ln.weight
    tensors["decoder.ln.bias"] = model.ln.bias
    tensors["decoder.token_embedding.weight"] = full_embedding(model)
    tensors["decoder.positional_embedding"] = model.pos
    return tensors


def header(model):
    width, heads, encoder_layers, decoder_layers, text_context = model.hp
    return struct.pack(
        "12i",
        GGML_MAGIC,
        FULL_SIZE,
        AUDIO_CONTEXT,
        width,
        heads,
        encoder_layers,
        text_context,
        width,
        heads,
        decoder_layers,
        MEL_BANDS,
        F16,
    )


def write_tensor(file, name, tensor):
    """Dimensions, length of the name, type; the dimensions from the last to the first; name; values."""
    values = tensor.detach().numpy()
    is_f32 = values.ndim < 2 or name.endswith(F32_ENDINGS)
    values = np.ascontiguousarray(values.astype(np.float32 if is_f32 else np.float16))
    encoded_name = name.encode()
    file.write(struct.pack("3i", values.ndim, len(encoded_name), F32 if is_f32 else F16))
    file.write(struct.pack(f"{values.ndim}i", *values.shape[::-1]))
    file.write(encoded_name)
    file.write(values.tobytes())


def export(vocabulary_path, checkpoint_path, out_path):
    whisper_file = WhisperFile.read(vocabulary_path)
    model = load_model(checkpoint_path, Vocabulary(whisper_file))
    with open(out_path, "wb") as file:
        file.write(header(model))
        file.write(whisper_file.raw)
        for name, tensor in named_tensors(model).items():
            write_tensor(file, name, tensor)


def main():
    parser = argparse.ArgumentParser(description="Write a checkpoint as a ggml model file (f16).")
    parser.add_argument("--vocabulary", required=True, help="for-tests-ggml-base.bin of whisper.cpp")
    parser.add_argument("checkpoint", help="checkpoint.pt, or final.pt of a training")
    parser.add_argument("out", help="the model file to write")
    arguments = parser.parse_args()
    export(arguments.vocabulary, arguments.checkpoint, arguments.out)
    print(f"{arguments.out}: {os.path.getsize(arguments.out)} bytes")


if __name__ == "__main__":
    main()

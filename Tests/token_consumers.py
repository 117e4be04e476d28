"""Reads what `revq-train tokenize` writes as those who train on it do, each by the logic of its own loader, and compares all formats.

    swift build -c release && python Tests/token_consumers.py [PATH OF revq-train]     needs numpy; webdataset where it is installed

WebDataset: the library where it is there, otherwise tar, grouping by key and decoding by ending as it does. LlamaGen: `CustomDataset` of
`dataset/imagenet.py`. nanoGPT: `np.memmap` of `get_batch` in `train.py`. JSON Lines: a line, an object.
"""

import hashlib
import io
import json
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

import numpy as np

try:
    import webdataset
except ImportError:
    webdataset = None

here = pathlib.Path(__file__).resolve().parent.parent
train = sys.argv[1] if len(sys.argv) > 1 else here / ".build/release/revq-train"
checkpoint = max(path for path in (here / "checkpoints/default").iterdir() if path.name.isdigit())
photographs = here / "Tests/Photographs"
fingerprint = json.loads((checkpoint / "manifest.json").read_text())["fingerprint"]


def tokenize(output, form, *options):
    command = [train, "tokenize", "--images", photographs, "--checkpoint", checkpoint, "--output", output]
    command += ["--format", form, "--per-file", "4", *options]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def web_dataset(folder):
    """Samples with __key__, npy and json, as WebDataset(…).decode() gives them."""
    shards = sorted(str(path) for path in folder.glob("*.tar"))
    if webdataset:
        yield from webdataset.WebDataset(shards, shardshuffle=False).decode()
        return
    for shard in shards:
        sample = {}
        with tarfile.open(shard) as archive:
            for member in archive:
                key, ending = member.name.split(".", 1)
                if sample and sample["__key__"] != key:
                    yield sample
                    sample = {}
                data = archive.extractfile(member).read()
                sample["__key__"] = key
                sample[ending] = np.load(io.BytesIO(data)) if ending == "npy" else json.loads(data)
        yield sample


class CustomDataset:
    """LlamaGen's, without torch's conversions, of as many numbers as there are."""

    def __init__(self, feature_dir, label_dir, count):
        self.feature_dir, self.label_dir, self.flip = feature_dir, label_dir, "flip" in str(feature_dir)
        self.feature_files = [f"{i}.npy" for i in range(count)]
        self.label_files = [f"{i}.npy" for i in range(count)]

    def __getitem__(self, index):
        features = np.load(self.feature_dir / self.feature_files[index])
        if self.flip:
            features = features[:, random.randrange(features.shape[1])]
        return features, np.load(self.label_dir / self.label_files[index])


def nano_gpt(folder, tokens, block):
    """A batch of blocks from the flat numbers, and all pictures."""
    metadata = json.loads((folder / "metadata.json").read_text())
    pictures = []
    for path in sorted(folder.glob("*.bin")):
        data = np.memmap(path, dtype=np.dtype(metadata["dtype"]), mode="r")
        start = random.randrange(len(data) - block)
        x = data[start : start + block].astype(np.int64)
        assert x.shape == (block,) and x.min() >= 0 and x.max() < metadata["codebook_size"]
        pictures += list(data.reshape(-1, metadata["tokens_per_view"]))
    assert metadata["tokens_per_view"] == tokens
    return pictures


with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    names = sorted(path.name for path in photographs.iterdir() if path.suffix == ".jpg")

    tokenize(scratch / "webdataset", "webdataset")
    samples = list(web_dataset(scratch / "webdataset"))
    assert [sample["json"]["name"] for sample in samples] == names
    for sample in samples:
        assert sample["npy"].dtype == np.uint16 and sample["npy"].shape == (512,) and sample["json"]["fingerprint"] == fingerprint
        assert sample["json"]["sha256"] == hashlib.sha256((photographs / sample["json"]["name"]).read_bytes()).hexdigest()
    expected = [sample["npy"].astype(np.int64) for sample in samples]
    print(f"webdataset: {len(samples)} samples, read by {'webdataset ' + webdataset.__version__ if webdataset else 'tarfile'}")

    for views, count in [("none", 1), ("flip", 2), ("ten-crop", 10)]:
        folder = scratch / f"llamagen_{views}"
        tokenize(folder, "llamagen", "--views", views, "--name", "photographs256")
        dataset = CustomDataset(folder / "photographs256_codes", folder / "photographs256_labels", len(names))
        for index, tokens in enumerate(expected):
            whole = np.load(folder / f"photographs256_codes/{index}.npy")
            assert whole.dtype == np.int64 and whole.shape == (1, count, 512)
            features, label = dataset[index]
            assert features.reshape(-1, 512).shape[0] == (1 if dataset.flip else count) and label.dtype == np.int64 and label.shape == (1,)
            assert views == "ten-crop" or (whole[0, 0] == tokens).all()
        print(f"llamagen, --views {views}: {len(names)} arrays of {whole.shape}")

    tokenize(scratch / "bin", "bin")
    pictures = nano_gpt(scratch / "bin", 512, 256)
    assert len(pictures) == len(expected) and all((a == b).all() for a, b in zip(pictures, expected, strict=True))
    print(f"bin: {len(pictures)} pictures by np.memmap")

    tokenize(scratch / "jsonl", "jsonl")
    lines = [json.loads(line) for path in sorted((scratch / "jsonl").glob("tokens-*.jsonl")) for line in path.open()]
    assert [line["name"] for line in lines] == names and all((np.array(a["tokens"]) == b).all() for a, b in zip(lines, expected, strict=True))
    print(f"jsonl: {len(lines)} lines")

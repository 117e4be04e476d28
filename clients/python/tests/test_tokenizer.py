"""Against the real server."""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
import pickle

import numpy as np
import pytest
from PIL import Image

import revq
from conftest import ROOT

GOLDEN = ROOT / "checkpoints" / "default" / "000006"


@pytest.fixture(scope="module")
def tokenizer(server):
    with revq.Tokenizer(server.url) as tokenizer:
        yield tokenizer


@pytest.fixture(scope="module")
def golden():
    """A picture of the model's own size, and the tokens that the checkpoint promises for it."""
    return GOLDEN / "golden-0.png", np.array(json.loads((GOLDEN / "golden.json").read_text())[0]["tokens"])


class Tensor:
    """What a tensor has for NumPy."""

    def __init__(self, array):
        self._array, self.shape = array, array.shape

    def __array__(self, dtype=None, copy=None):
        return self._array

    def __getitem__(self, index):
        return Tensor(self._array[index])

    def __len__(self):
        return len(self._array)


def test_info_is_what_the_manifest_says(tokenizer):
    manifest = json.loads((GOLDEN / "manifest.json").read_text())
    info = tokenizer.info()
    assert (info.model, info.version, info.fingerprint) == ("default", 6, manifest["fingerprint"])
    assert (info.image_size, info.latent, info.tokens, info.codebook_size) == (256, (64, 8, 8), 512, 16384)


def test_every_form_of_a_picture_has_the_same_tokens(tokenizer, golden):
    path, expected = golden
    image = Image.open(path).convert("RGB")
    array = np.asarray(image)
    webp = io.BytesIO()
    image.save(webp, "WEBP", lossless=True)
    forms = [path, str(path), path.read_bytes(), bytearray(path.read_bytes()), webp.getvalue(), image, array, Tensor(array), array.transpose(2, 0, 1)]
    tokens = tokenizer.encode(forms)
    assert tokens.dtype == np.int64 and tokens.shape == (len(forms), 512)
    # Near ties may fall the other way on another processor; within one they may not.
    assert np.mean(tokens[0] == expected) > 0.98
    for row in tokens:
        np.testing.assert_array_equal(row, tokens[0])
    for batch in (array[None], Tensor(array[None])):
        np.testing.assert_array_equal(tokenizer.encode(batch), tokens[:1])
    for form in forms:
        np.testing.assert_array_equal(tokenizer.encode(form), tokens[:1])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_every_mode_of_pillow_is_a_picture(tokenizer, golden, mode):
    image = Image.open(golden[0]).convert("RGB").convert(mode)
    assert tokenizer.encode(image).shape == (1, 512)


def test_torch_tensors(tokenizer, golden):
    torch = pytest.importorskip("torch")
    array = np.array(Image.open(golden[0]).convert("RGB"))
    expected = tokenizer.encode(array)
    for tensor in (torch.from_numpy(array), torch.from_numpy(array).permute(2, 0, 1)):
        np.testing.assert_array_equal(tokenizer.encode(tensor), expected)
    ids = revq.Processor(tokenizer)(array, return_tensors="pt")["input_ids"]
    assert ids.dtype == torch.int64
    np.testing.assert_array_equal(ids.numpy(), expected)
    assert isinstance(revq.Processor(tokenizer).decode(ids), Image.Image)


def test_order_is_kept_in_large_batches(tokenizer, photographs):
    alone = {path: tokenizer.encode(path) for path in photographs}
    many = photographs * 10
    tokens = tokenizer.encode(many)
    for path, row in zip(many, tokens):
        np.testing.assert_array_equal(row, alone[path][0])


def test_pictures_come_back(tokenizer, photographs):
    tokens = tokenizer.encode(photographs[:3])
    drawn = tokenizer.decode(tokens, output="np")
    assert drawn.dtype == np.uint8 and drawn.shape == (3, 256, 256, 3)
    pictures = tokenizer.decode(tokens)
    assert [picture.size for picture in pictures] == [(256, 256)] * 3
    np.testing.assert_array_equal(np.stack([np.asarray(picture) for picture in pictures]), drawn)
    np.testing.assert_array_equal(tokenizer.reconstruct(photographs[:3], output="np"), drawn)
    np.testing.assert_array_equal(tokenizer.decode(tokens[1], output="np"), drawn[1:2])
    np.testing.assert_array_equal(tokenizer.decode(np.asarray(tokens), tokens.fingerprint, output="np"), drawn)
    np.testing.assert_array_equal(tokenizer.decode(np.asarray(tokens).astype("i4").tolist(), tokens.fingerprint, output="np"), drawn)


def test_pictures_of_other_sizes_go_there_and_back(tokenizer, photographs, tmp_path):
    assert tokenizer.info().sizes == revq.Sizes(64, 64, 1 << 20)
    for size, (height, width) in ((128, (128, 128)), ((192, 320), (192, 320))):
        tokens = tokenizer.encode(photographs[:2], size=size)
        assert tokens.shape == (2, height * width // 128) and tokens.picture_size == (height, width)
        drawn = tokenizer.decode(tokens, output="np")
        assert drawn.shape == (2, height, width, 3)
        np.testing.assert_array_equal(tokenizer.reconstruct(photographs[:2], size=size, output="np"), drawn)
        plain = tokenizer.decode(np.asarray(tokens), tokens.fingerprint, size=size, output="np")
        np.testing.assert_array_equal(plain, drawn)
        each = list(tokenizer.encode_each(photographs[:2], size=size))
        np.testing.assert_array_equal(np.stack([item.tokens for item in each]), tokens)
        tokens.save(tmp_path / "tokens.npz")
        for kept in (revq.Tokens.load(tmp_path / "tokens.npz"), pickle.loads(pickle.dumps(tokens)), np.stack(list(tokens))):
            assert kept.picture_size == (height, width) and kept.fingerprint == tokens.fingerprint
    assert tokenizer.encode(photographs[0], size=256).picture_size is None


def test_what_is_no_size_is_refused_in_a_sentence(tokenizer, photographs):
    with pytest.raises(revq.Error, match="the sides of the model's pictures are multiples of 64") as refusal:
        tokenizer.encode(photographs[0], size=200)
    assert (refusal.value.code, refusal.value.status) == ("size_not_served", 422)
    for size in (0, -64, 64.0, "64", (64,), (64, 64, 64), True):
        with pytest.raises(revq.Error, match="a size is the side of a square in pixels"):
            tokenizer.encode(photographs[0], size=size)
    tokens = tokenizer.encode(photographs[0], size=128)
    with pytest.raises(revq.Error, match="the tokens are of pictures of 128x128 pixels, and not of 64x256"):
        tokenizer.decode(tokens, size=(64, 256))
    with pytest.raises(revq.Error, match="there are 128 tokens; the model has 512"):
        tokenizer.decode(np.asarray(tokens), tokens.fingerprint)
    with pytest.raises(revq.Error, match="different sizes"):
        np.concatenate([tokens, tokenizer.encode(photographs[0], size=(64, 256))])


def test_a_version_may_be_asked_for(tokenizer, photographs):
    tokens = tokenizer.encode(photographs[0])
    for version in (6, "6", "stable"):
        np.testing.assert_array_equal(tokenizer.encode(photographs[0], version=version), tokens)
    with pytest.raises(revq.Error, match="has no version"):
        tokenizer.reconstruct(photographs[0], version="canary")


def test_an_edited_token_changes_the_picture(tokenizer, photographs):
    tokens = tokenizer.encode(photographs[0])
    edited = tokens.copy()
    edited[0, 0] = (edited[0, 0] + 1) % 16384
    before, after = tokenizer.decode(np.stack([tokens[0], edited[0]]), output="np")
    assert (before != after).any()


def test_the_twin_for_asyncio_gives_the_same(tokenizer, server, photographs):
    async def both():
        async with revq.AsyncTokenizer(server.url) as twin:
            tokens = await twin.encode(photographs)
            names = [item.name async for item in twin.encode_each(photographs)]
            return tokens, names, await twin.decode(tokens[:1], output="np"), await twin.reconstruct(photographs[0], output="np"), await twin.info()

    tokens, names, drawn, reconstructed, info = asyncio.run(both())
    np.testing.assert_array_equal(tokens, tokenizer.encode(photographs))
    assert names == [str(path) for path in photographs]
    np.testing.assert_array_equal(drawn, reconstructed)
    assert info == tokenizer.info()


def test_one_twin_serves_one_loop_after_another(server, photographs):
    twin = revq.AsyncTokenizer(server.url)
    for _ in range(2):

        async def once():
            try:
                return await twin.encode(photographs[:2])
            finally:
                await twin.close()

        assert asyncio.run(once()).shape == (2, 512)


def test_inside_a_running_loop_as_in_a_notebook(tokenizer, photographs):
    async def cell():
        return tokenizer.encode(photographs[0])

    assert asyncio.run(cell()).shape == (1, 512)


def test_a_pickled_tokenizer_goes_on(tokenizer, photographs):
    again = pickle.loads(pickle.dumps(tokenizer))
    np.testing.assert_array_equal(again.encode(photographs[0]), tokenizer.encode(photographs[0]))
    again.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(tokenizer, photographs):
    expected = tokenizer.encode(photographs)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child():
        sender.send(np.asarray(tokenizer.encode(photographs)))

    process = context.Process(target=child)
    process.start()
    assert receiver.poll(30)
    np.testing.assert_array_equal(receiver.recv(), expected)
    process.join()
    np.testing.assert_array_equal(tokenizer.encode(photographs), expected)


def test_processor(tokenizer, photographs):
    processor = revq.Processor(tokenizer)
    ids = processor(photographs[:2])["input_ids"]
    assert (ids.shape, processor.vocab_size) == ((2, 512), 16384)
    assert processor.decode(ids[0].tolist()).size == (256, 256)
    assert len(processor.batch_decode(np.asarray(ids))) == 2
    with pytest.raises(revq.Error, match="batch_decode"):
        processor.decode(ids)
    with pytest.raises(revq.Error, match="np"):
        processor(photographs[:2], return_tensors="tf")
    with pytest.raises(revq.FingerprintMismatch, match="this processor is for tokens of 00"):
        revq.Processor(tokenizer, fingerprint="00")


@pytest.mark.parametrize(
    "image, message",
    [
        (b"", "picture 0: not a picture: it is empty"),
        (b"nonsense", "picture 0: not a picture"),
        (b"\xff\xd8\xff nonsense", "picture 0: JPEG"),
        ("/nowhere.jpg", "/nowhere.jpg: cannot be read: No such file"),
        (np.zeros((4, 4, 3), "f4"), "picture 0: float32 of shape"),
        (np.zeros((4, 4, 7), "u1"), "picture 0: uint8 of shape"),
        (np.zeros((0, 4, 3), "u1"), "picture 0: uint8 of shape"),
        (7, "picture 0: not a picture: int"),
    ],
)
def test_what_is_no_picture_is_named(tokenizer, photographs, image, message):
    with pytest.raises(revq.NotAPicture) as caught:
        tokenizer.encode(image)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    with pytest.raises(revq.NotAPicture, match=message.replace("picture 0", "picture 1").split(":")[0]):
        tokenizer.encode([photographs[0], image])


def test_a_picture_that_is_cut_off(tokenizer, photographs):
    with pytest.raises(revq.NotAPicture, match="picture 0: JPEG") as caught:
        tokenizer.encode(photographs[0].read_bytes()[:20000])
    assert (caught.value.code, caught.value.status) == ("image_truncated", 422)


def test_what_is_too_large(tokenizer):
    with pytest.raises(revq.TooLarge, match="picture 0") as caught:
        tokenizer.encode(b"\xff\xd8\xff" + bytes(40_000_000))
    assert caught.value.code == "body_too_large"


def test_what_is_too_large_to_decode(tokenizer):
    # A JPEG of 65,535 × 65,535 says so in its head.
    head = bytearray((ROOT / "Tests" / "Photographs" / "chelsea.jpg").read_bytes())
    frame = head.index(b"\xff\xc0") if b"\xff\xc0" in head else head.index(b"\xff\xc2")
    head[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(revq.TooLarge) as caught:
        tokenizer.encode(bytes(head))
    assert caught.value.code == "image_too_large"


@pytest.mark.parametrize(
    "tokens, fingerprint, message",
    [
        (np.zeros((1, 512), "i8"), None, "do not say whose they are"),
        (np.zeros((1, 512), "f4"), "aa", "whole numbers"),
        (np.full((1, 512), -1), "aa", "from 0"),
        (np.zeros((1, 1, 512), "i8"), "aa", "shape"),
        (np.zeros((0, 512), "i8"), "aa", "nothing to draw"),
    ],
)
def test_what_are_no_tokens(tokenizer, tokens, fingerprint, message):
    with pytest.raises(revq.Error, match=message):
        tokenizer.decode(tokens, fingerprint)


def test_tokens_that_the_model_does_not_have(tokenizer):
    fingerprint = tokenizer.info().fingerprint
    with pytest.raises(revq.Error, match=r"tokens 0: .*16384") as caught:
        tokenizer.decode(np.full((1, 512), 16384), fingerprint)
    assert caught.value.code == "token_out_of_range"
    with pytest.raises(revq.Error, match="there are 3 tokens"):
        tokenizer.decode([1, 2, 3], fingerprint)
    with pytest.raises(revq.FingerprintMismatch, match="the tokens' fingerprint is 00"):
        tokenizer.decode(np.zeros((1, 512), "i8"), "00")


def test_what_is_asked_wrongly(server, photographs):
    for make, message in [
        (lambda: revq.Tokenizer("127.0.0.1:8080"), "is no URL"),
        (lambda: revq.Tokenizer("http://"), "is no URL"),
        (lambda: revq.Tokenizer("http://a:b@host"), "Authorization"),
        (lambda: revq.Tokenizer(server.url, concurrency=0), "at least one"),
        (lambda: revq.Tokenizer(server.url, timeout=0), "above 0"),
        (lambda: revq.Tokenizer(server.url).encode([]), "no pictures"),
        (lambda: revq.Tokenizer(server.url, "nobody").encode(photographs[0]), "there is no model"),
        (lambda: revq.Tokenizer(server.url, "nobody").info(), "there is no nobody"),
        (lambda: revq.Tokenizer(server.url, headers={"A": "b\nc"}).info(), "a header cannot be sent"),
        (lambda: revq.Tokenizer(server.url).reconstruct(photographs[0], output="jpg"), "output is"),
    ]:
        with pytest.raises(revq.Error, match=message):
            make()


def test_whoever_stops_early_leaves_nothing_behind(tokenizer, photographs):
    for item in tokenizer.encode_each(photographs * 20):
        assert item.tokens.shape == (512,)
        break
    assert tokenizer.encode(photographs[0]).shape == (1, 512)


def test_pictures_are_asked_for_as_they_are_needed(tokenizer, photographs):
    given = []

    def endless():
        while True:
            given.append(1)
            yield photographs[0]

    items = tokenizer.encode_each(endless())
    for _ in range(5):
        next(items)
    items.close()
    # What waits for this thread, and what is under way.
    assert len(given) <= 5 + 64 + 4 * 16

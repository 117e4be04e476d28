"""Checkpoints that are swapped while a client works."""

from __future__ import annotations

import os

import numpy as np
import pytest

import revq
from servers import tokens as tokens_answer


def test_tokens_of_a_version_that_is_gone_are_refused(swapping, photographs):
    with revq.Tokenizer(swapping.url) as tokenizer:
        processor = revq.Processor(tokenizer)
        before = tokenizer.encode(photographs[:2])
        picture = tokenizer.decode(before, output="np")
        swapping.swap()
        after = tokenizer.encode(photographs[:2])
        # The test's checkpoint has the codes in reverse order, so the fingerprint is all that tells these from tokens that mean it.
        np.testing.assert_array_equal(np.asarray(after), 16383 - np.asarray(before))
        np.testing.assert_array_equal(tokenizer.decode(after, output="np"), picture)
        with pytest.raises(revq.FingerprintMismatch, match=f"fingerprint is {before.fingerprint}.*encode the pictures again"):
            tokenizer.decode(before)
        with pytest.raises(revq.FingerprintMismatch, match="cannot stand in one array"):
            np.concatenate([before, after])
        for use in (lambda: processor(photographs[0]), lambda: processor.batch_decode(before)):
            with pytest.raises(revq.FingerprintMismatch, match=before.fingerprint):
                use()


def test_two_thousand_pictures_one_broken_one_swap(swapping, photographs, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2000):
        os.symlink(photographs[number % len(photographs)], folder / f"{number:04}.jpg")
    (folder / "0100.jpg").unlink()
    (folder / "0100.jpg").write_bytes(b"no picture")
    with revq.Tokenizer(swapping.url) as tokenizer:
        items = []
        for item in tokenizer.encode_each(revq.folder(folder), progress=True):
            items.append(item)
            if len(items) == 1000:
                swapping.swap()
    assert [item.name for item in items] == [f"{number:04}.jpg" for number in range(2000)]
    assert [(item.name, str(item.error)[:22]) for item in items if item.error] == [("0100.jpg", "0100.jpg: not a pictur")]
    found = [item.tokens.fingerprint for item in items if item.tokens is not None]
    assert len(set(found)) == 2 and found[0] != found[-1]
    assert "2000/2000" in capsys.readouterr().err


def test_a_batch_that_a_swap_divides_is_made_one(scripted):
    old, new = tokens_answer((1, 2), "aa", 1), tokens_answer((5, 6), "bb", 2)
    server = scripted(old, new, old, new)
    with revq.Tokenizer(server.url, concurrency=1) as tokenizer:
        tokens = tokenizer.encode([b"\xff\xd8\xff"] * 3)
    assert tokens.fingerprint == "bb"
    np.testing.assert_array_equal(tokens, [[5, 6]] * 3)
    # The two that were old, again.
    assert len(server.requests) == 5


def test_replicas_that_differ_are_told_of(scripted):
    old, new = tokens_answer((1, 2), "aa", 1), tokens_answer((5, 6), "bb", 2)
    with revq.Tokenizer(scripted(new, old).url, concurrency=1) as tokenizer, pytest.raises(revq.FingerprintMismatch, match="aa, bb"):
        tokenizer.encode([b"\xff\xd8\xff"] * 2)

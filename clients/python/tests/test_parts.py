"""What needs no server."""

from __future__ import annotations

import io
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

import revq
from revq.progress import Progress
from revq.protocol import Answer, Call, Protocol
from revq.retry import Attempts, Lost, NotConnected
from revq.tokens import packed


def attempts(patience=None, has_answered=True, chance=0.0):
    protocol = Protocol("http://a", None, {}, 1)
    call = Call("GET", "/", (), b"", "image/png", "")
    return Attempts(protocol, call, patience or revq.Patience(), has_answered, lambda: chance, lambda: 1_000_000_000.0)


def refused(**headers):
    return Answer(429, {"content-type": "text/html", **headers}, b"")


def test_a_date_to_come_back_at():
    assert attempts().after_answer(refused(**{"retry-after": "Sun, 09 Sep 2001 01:46:47 GMT"})) == 7.0
    assert attempts().after_answer(refused(**{"retry-after": "Sun, 09 Sep 2001 01:46:33 GMT"})) == 0.0


def test_pauses_are_never_shorter_than_asked_and_spread():
    answer = refused(**{"retry-after": "2"})
    assert attempts(chance=0.0).after_answer(answer) == 2.0
    assert attempts(chance=1.0).after_answer(answer) == 2.5


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5"])
def test_a_pause_that_makes_no_sense_is_chosen_here(text):
    assert attempts().after_answer(refused(**{"retry-after": text})) == 0.05


def test_failures_wait_longer_each_time_and_end():
    some = attempts(revq.Patience(failures=8), chance=1.0)
    assert [some.after_failure(Lost("gone", was_reused=False)) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    with pytest.raises(revq.NoServer, match=r"no server answers at http://a: gone \(9 tries\)"):
        some.after_failure(Lost("gone", was_reused=False))


def test_a_connection_that_was_idle_costs_no_pause_but_once():
    some = attempts()
    assert [some.after_failure(Lost("gone", was_reused=True)) for _ in range(2)] == [0.0, 0.05]


def test_nothing_listens():
    assert attempts(has_answered=True).after_failure(NotConnected("refused")) == 0.05
    with pytest.raises(revq.NoServer):
        attempts(has_answered=False).after_failure(NotConnected("refused"))


def test_patience_has_limits():
    for wrong in (dict(seconds=-1), dict(failures=-1), dict(seconds=float("nan"))):
        with pytest.raises(revq.Error, match="patience"):
            revq.Patience(**wrong)


@pytest.fixture
def tokens():
    return revq.Tokens([[1, 2], [3, 4]], "aa")


def test_the_fingerprint_goes_along(tokens):
    edited = tokens.copy()
    edited[0, 1] = 7
    for same in (
        edited,
        tokens[0],
        tokens[:, :1],
        tokens[[1, 0]],
        pickle.loads(pickle.dumps(tokens)),
        np.stack(list(tokens)),
        np.vstack([tokens] * 2),
    ):
        assert isinstance(same, revq.Tokens) and same.fingerprint == "aa"
    assert np.concatenate([tokens, tokens], axis=1).tolist() == [[1, 2, 1, 2], [3, 4, 3, 4]]
    assert tokens.dtype == np.int64 and tokens[0, 0] == 1
    assert repr(tokens).endswith("fingerprint='aa')")


def test_what_is_computed_of_tokens_is_no_tokens(tokens):
    for plain in (tokens + 1, tokens == 1, tokens % 2, np.concatenate([tokens, np.zeros((1, 2), int)])):
        assert type(plain) is np.ndarray
    assert (tokens == 1).sum() == 1 and tokens.max() == 4


def test_tokens_of_two_versions_do_not_mix(tokens):
    with pytest.raises(revq.FingerprintMismatch, match="1 of aa, 2 of bb"):
        np.concatenate([tokens, revq.Tokens([[1, 2]], "bb"), revq.Tokens([[1, 2]], "bb")])


def test_tokens_are_kept_in_files(tokens, tmp_path):
    tokens.save(tmp_path / "tokens.npz")
    again = revq.Tokens.load(tmp_path / "tokens.npz")
    np.testing.assert_array_equal(again, tokens)
    assert (again.fingerprint, again.dtype) == ("aa", np.int64)
    (tmp_path / "other").write_text("something else")
    with pytest.raises(revq.Error, match="has no tokens"):
        revq.Tokens.load(tmp_path / "other")
    with pytest.raises(revq.Error, match="No such file"):
        revq.Tokens.load(tmp_path / "missing")


@pytest.mark.parametrize("most, kind", [(255, "|u1"), (256, "<u2"), (65535, "<u2"), (65536, "<i4"), (1 << 31, "<i8")])
def test_tokens_travel_in_as_few_bytes_as_hold_them(most, kind):
    assert packed(np.array([0, most])).dtype.str == kind
    assert packed(np.array([0, most])).tolist() == [0, most]


def png():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


def test_a_folder_is_read_by_name(tmp_path):
    for name in ("b.png", "a/c.JPG", "a/notes.txt", ".hidden.png", "README"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png())
    assert [picture.name for picture in revq.folder(tmp_path)] == ["a/c.JPG", "b.png"]
    with pytest.raises(revq.Error, match="is no folder"):
        revq.folder(tmp_path / "b.png")


@pytest.mark.parametrize("suffix, mode", [("tar", "w"), ("tar.gz", "w:gz")])
def test_archives_as_webdataset_writes_them(tmp_path, suffix, mode):
    archive = tmp_path / f"shard.{suffix}"
    with tarfile.open(archive, mode) as members:
        for name in ("0001.png", "0001.json", "0002.png"):
            info = tarfile.TarInfo(name)
            info.size = len(png())
            members.addfile(info, io.BytesIO(png()))
    assert list(revq.webdataset([archive, archive])) == [revq.Picture("0001.png", png()), revq.Picture("0002.png", png())] * 2
    assert [picture.name for picture in revq.webdataset(str(archive))] == ["0001.png", "0002.png"]


def test_a_damaged_archive_gives_what_it_has(tmp_path):
    archive = tmp_path / "shard.tar"
    with tarfile.open(archive, "w") as members:
        for number in range(3):
            info = tarfile.TarInfo(f"{number}.png")
            info.size = len(png())
            members.addfile(info, io.BytesIO(png()))
    for length in (540, 1024 + 512 + 20, 2048 + 512 + 1):
        (tmp_path / "cut.tar").write_bytes(archive.read_bytes()[:length])
        *whole, last = revq.webdataset(tmp_path / "cut.tar")
        assert [picture.name for picture in whole] == [f"{number}.png" for number in range(length // 1024)]
        assert "the archive is damaged" in str(last.source)
    (tmp_path / "cut.tar").write_bytes(b"no archive")
    assert "the archive is damaged" in str(next(revq.webdataset(tmp_path / "cut.tar")).source)
    with pytest.raises(revq.Error, match="there is no archive"):
        next(revq.webdataset(tmp_path / "missing.tar"))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal():
    now, file = [0.0], Terminal()
    bar = Progress(4, file, lambda: now[0])
    for is_broken in (False, True, False, False):
        now[0] += 1.0
        bar.add(is_broken)
    bar.close()
    lines = file.getvalue().split("\r")[1:]
    assert lines[0] == "1/4 [######..................], 1.0/s, 0:03 left"
    assert lines[1] == "2/4 [############............], 1.0/s, 0:02 left, 1 broken"
    assert lines[-1].rstrip(" ") == "4/4 [########################], 1.0/s, 0:04, 1 broken".ljust(len(lines[-1].rstrip("\n"))) + "\n"


def test_progress_elsewhere_is_a_line_now_and_then():
    now, file = [0.0], io.StringIO()
    bar = Progress(None, file, lambda: now[0])
    for _ in range(25):
        now[0] += 1.0
        bar.add(False)
    bar.close()
    assert file.getvalue().splitlines() == ["10, 1.0/s, 0:10", "20, 1.0/s, 0:20", "25, 1.0/s, 0:25"]

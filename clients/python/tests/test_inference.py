"""The Open Inference Protocol, as `tritonclient` speaks it: unmodified, with tensors in binary and in JSON."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

http = pytest.importorskip("tritonclient.http")
errors = pytest.importorskip("tritonclient.utils")


@pytest.fixture
def triton(server):
    with http.InferenceServerClient(server.url.removeprefix("http://")) as client:
        yield client


def tensor(name, array, kind, *, binary=True):
    made = http.InferInput(name, list(array.shape), kind)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def files(photographs, *, binary=True):
    """JSON has no bytes: there they are base64."""
    contents = [path.read_bytes() for path in photographs[:2]]
    return np.array(contents if binary else [base64.b64encode(content) for content in contents], dtype=object)


def test_says_what_there_is(triton):
    assert triton.is_server_live() and triton.is_server_ready()
    assert triton.is_model_ready("default.encode") and not triton.is_model_ready("none.encode")
    assert triton.get_server_metadata()["name"] == "revq"
    described = triton.get_model_metadata("default.decode")
    assert [one["name"] for one in described["inputs"]] == ["tokens"]
    assert {one["name"]: one["datatype"] for one in described["outputs"]} == {"image": "BYTES", "pixels": "UINT8"}


@pytest.mark.parametrize("binary", [True, False])
def test_encodes_and_decodes(triton, photographs, binary):
    asked = [http.InferRequestedOutput("tokens", binary_data=binary)]
    pictures = tensor("image", files(photographs, binary=binary), "BYTES", binary=binary)
    encoded = triton.infer("default.encode", [pictures], outputs=asked, request_id="a")
    tokens, answer = encoded.as_numpy("tokens"), encoded.get_response()
    assert tokens.dtype == np.int64 and tokens.shape[0] == 2 and answer["id"] == "a"
    whose = {"fingerprint": answer["parameters"]["fingerprint"]}
    decoded = triton.infer("default.decode", [tensor("tokens", tokens.astype(np.uint16), "UINT16", binary=binary)], parameters=whose)
    pixels = decoded.as_numpy("pixels")
    assert pixels.dtype == np.uint8 and pixels.shape[0] == 2
    for drawn, file in zip(pixels, decoded.as_numpy("image").ravel(), strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(file))), drawn)
    by_version = triton.infer("default.decode", [tensor("tokens", tokens, "INT64")], model_version=answer["model_version"])
    assert np.array_equal(by_version.as_numpy("pixels"), pixels)


def test_pixels_are_encoded_as_their_file_is(triton, photographs):
    size = triton.get_model_metadata("default.encode")["inputs"][1]["shape"][1]
    with Image.open(photographs[0]) as picture:
        square = np.asarray(picture.convert("RGB").resize((size, size)))
    stored = io.BytesIO()
    Image.fromarray(square).save(stored, "png")
    file = triton.infer("default.encode", [tensor("image", np.array([stored.getvalue()], dtype=object), "BYTES")]).as_numpy("tokens")
    for array, kind in ((square, "UINT8"), (square.astype(np.float32) / 255, "FP32")):
        answer = triton.infer("default.encode", [tensor("pixels", array[np.newaxis], kind)])
        assert np.array_equal(answer.as_numpy("tokens"), file), kind


def test_refuses_in_words(triton):
    tokens = tensor("tokens", np.zeros((1, 4), np.int64), "INT64")
    for model, inputs, more, part in (
        ("none.encode", [tokens], {}, "there is no model"),
        ("default.encode", [tokens], {}, "expected image or pixels"),
        ("default.decode", [tokens], {}, "whose tokens"),
        ("default.decode", [tokens], {"parameters": {"fingerprint": "x"}}, "resident are"),
        ("default.encode", [tensor("image", np.array([b"no picture"], dtype=object), "BYTES")], {}, "JPEG"),
    ):
        with pytest.raises(errors.InferenceServerException, match=part):
            triton.infer(model, inputs, **more)

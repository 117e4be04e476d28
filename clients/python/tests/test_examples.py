"""What is under examples/, as somebody would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from conftest import PHOTOGRAPHS, ROOT

EXAMPLES = ROOT / "examples"


def test_the_notebook_runs(server, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(EXAMPLES / "tokens.ipynb", as_version=4)
    monkeypatch.setenv("REVQ_URL", server.url)
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    assert any("do not say whose they are" in output.get("text", "") for output in outputs)


def test_the_notebook_is_kept_without_outputs():
    for cell in json.loads((EXAMPLES / "tokens.ipynb").read_text())["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count")


def test_the_autoregressive_model_draws(server, tmp_path):
    pytest.importorskip("torch")
    drawn = tmp_path / "drawn.png"
    command = [sys.executable, EXAMPLES / "autoregressive.py", PHOTOGRAPHS, "--url", server.url, "--output", drawn, "--seconds", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients/python/src")}
    subprocess.run([str(word) for word in command], check=True, env=environment)
    assert np.asarray(Image.open(drawn)).shape == (256, 4 * 256, 3)

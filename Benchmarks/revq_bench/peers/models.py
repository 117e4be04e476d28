"""The tokenizers that are measured: where their weights lie and what they are called."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from .. import FOLDER

# The paper's 512T: tokens, codes, and the rectifier's width and depth.
TOKENS, CODES = 512, 16_384
RECTIFIER_WIDTH, RECTIFIER_DEPTH = 512, 3
# What in a configuration has an entry for each resolution.
STAGES = {
    "AutoencoderDC": "encoder_layers_per_block",
    "PatchSkipAutoencoderDC": "encoder_layers_per_block",
    "AutoencoderTiny": "num_encoder_blocks",
    "AutoencoderKL": "block_out_channels",
}


@dataclasses.dataclass(frozen=True)
class Model:
    """Either a folder with an autoencoder, and for a whole tokenizer with `codebooks.safetensors` and `rectifier.safetensors`; or a checkpoint."""

    name: str
    folder: pathlib.Path
    # Where the exported graphs go; they may refer to weights beside them.
    graphs: pathlib.Path

    @property
    def is_checkpoint(self):
        return (self.folder / "manifest.json").exists()

    @property
    def manifest(self):
        return json.loads((self.folder / "manifest.json").read_text())

    @property
    def codebooks(self):
        return self.folder / "codebooks.safetensors"

    @property
    def rectifier(self):
        return self.folder / "rectifier.safetensors"

    @property
    def autoencoder(self):
        """The folder of the diffusers layout."""
        if not self.is_checkpoint:
            return self.folder
        own = self.folder / "vae"
        return own if own.exists() else self.folder.parent / f"vae-{self.manifest['vae']['weights']['sha256'][:12]}"

    @property
    def configuration(self):
        return json.loads((self.autoencoder / "config.json").read_text())

    @property
    def factor(self):
        configuration = self.configuration
        return 2 ** (len(configuration[STAGES[configuration["_class_name"]]]) - 1)

    @property
    def latent_channels(self):
        return self.configuration["latent_channels"]

    @property
    def image_size(self):
        """The side for which tokens are defined, in pixels."""
        return self.manifest["imageSize"] if self.is_checkpoint else 256

    def input_shape(self, operation, batch, size):
        """The shape in PyTorch's order; what is quantised is flat."""
        grid = size // self.factor
        return {
            "encode": (batch, 3, size, size),
            "decode": (batch, self.latent_channels, grid, grid),
            "quantise": (batch, self.latent_channels * grid * grid),
            "rectify": (batch, self.latent_channels, grid, grid),
        }[operation]

    @property
    def arguments(self):
        """What tells revq-bench to load this model."""
        if self.is_checkpoint:
            return ["--checkpoint", str(self.folder)]
        arguments = ["--vae", str(self.folder)]
        if self.codebooks.exists():
            arguments += ["--codebooks", str(self.codebooks)]
        if self.rectifier.exists():
            shape = ["--rectifier-shape", str(RECTIFIER_WIDTH), "--rectifier-shape", str(RECTIFIER_DEPTH)]
            arguments += ["--rectifier", str(self.rectifier), *shape]
        return arguments


def random_autoencoder(folder, configuration):
    """The autoencoder `configuration` of random_vae.py, where no codes are that would be loaded with it. Made once."""
    return _with_random_autoencoder(Model(configuration, folder / f"{configuration}-vae", folder / f"{configuration}-vae"))


def random_tokenizer(folder, configuration):
    """Such an autoencoder with the paper's 512T quantiser and rectifier, of random weights too. Made once."""
    import torch
    from safetensors.torch import save_file

    from .networks import Rectifier

    model = _with_random_autoencoder(Model(configuration, folder / configuration, folder / configuration))
    if not model.rectifier.exists():
        torch.manual_seed(1)
        # As many numbers to a token as the latents of this autoencoder have; 4 with those of DC-AE.
        dimension = model.input_shape("quantise", 1, model.image_size)[1] // TOKENS
        save_file({"codebooks": torch.randn(TOKENS, CODES, dimension)}, model.codebooks)
        rectifier = Rectifier(model.latent_channels, RECTIFIER_WIDTH, RECTIFIER_DEPTH)
        save_file({name: tensor.contiguous() for name, tensor in rectifier.state_dict().items()}, model.rectifier)
    return model


def _with_random_autoencoder(model):
    if not (model.folder / "diffusion_pytorch_model.safetensors").exists():
        subprocess.run(
            [sys.executable, "-m", "revq_bench.random_vae", model.folder, model.name], check=True, env=dict(os.environ, PYTHONPATH=str(FOLDER))
        )
    return model

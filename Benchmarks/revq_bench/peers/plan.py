"""What is measured: peers, and cases."""

import dataclasses

from .models import Model

ENCODE_DECODE = ("encode", "decode")
ALL = ENCODE_DECODE + ("quantise", "rectify")
# Other families of autoencoders, and the side in pixels that each is measured at.
FAMILIES = {"taesd": 256, "taef2": 256, "sd-1": 512}


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    engine: str
    precision: str = "fp32"
    # How PyTorch runs it; of revq, another build's revq-bench.
    form: str = ""


OURS = Peer("revq", "revq")


def another_build(executable):
    """revq as another build of it, such as one of an earlier commit."""
    return Peer("revq beside", "revq", "fp32", str(executable))


OURS_BF16 = Peer("revq bf16", "revq", "bf16")
PYTORCH = [
    Peer("PyTorch eager", "pytorch", "fp32", "eager"),
    Peer("PyTorch channels-last", "pytorch", "fp32", "channels-last"),
    Peer("PyTorch compiled", "pytorch", "fp32", "compiled"),
]
OTHERS = [Peer("ONNX Runtime", "onnxruntime"), Peer("OpenVINO", "openvino"), Peer("MNN", "mnn")]
PYTORCH_BF16 = [Peer("PyTorch bf16 channels-last", "pytorch", "bf16", "channels-last"), Peer("PyTorch bf16 compiled", "pytorch", "bf16", "compiled")]
OTHERS_BF16 = [Peer("OpenVINO bf16", "openvino", "bf16")]


@dataclasses.dataclass(frozen=True)
class Case:
    """One shape at one thread count. Its peers live at the same time and are measured in turn."""

    model: Model
    batch: int
    size: int
    threads: int
    precision: str
    operations: tuple
    # Whether revq's time is told apart by operation.
    is_profiled: bool = False

    def __str__(self):
        return f"{self.model.name}, {self.precision}, {self.size}×{self.size}, batch {self.batch}, {self.threads} thread{'s' * (self.threads > 1)}"

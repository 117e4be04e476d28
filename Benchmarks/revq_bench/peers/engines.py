"""The peers, each with the settings that make it fastest for one request at a time on a fixed number of threads."""

from . import export, mnn


class PyTorch:
    """`form`: eager (as a user writes it), channels-last (weights and pictures NHWC), compiled (that, through the inductor with
    frozen weights; it needs a C++ compiler)."""

    def __init__(self, model, threads, precision, form):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.form = torch, form
        self.type = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        self.model, self.modules = model, None

    def load(self, operation, batch, size):
        from . import networks

        if self.modules is None:
            self.modules = {name: self._arranged(module) for name, module in networks.load(self.model).items()}
        if operation not in self.modules:
            raise ValueError(f"{operation} is not expressed in PyTorch")

    def _arranged(self, module):
        module = module.to(self.type)
        if self.form == "eager":
            return module
        module = module.to(memory_format=self.torch.channels_last)
        if self.form == "channels-last":
            return module
        import torch._inductor.config

        torch._inductor.config.freezing = True
        return self.torch.compile(module, dynamic=False)

    def input(self, array):
        x = self.torch.from_numpy(array).to(self.type)
        return x.to(memory_format=self.torch.channels_last) if x.ndim == 4 and self.form != "eager" else x

    def run(self, operation, x):
        with self.torch.inference_mode() if self.form != "compiled" else self.torch.no_grad():
            return self.modules[operation](x)

    def array(self, y):
        return y.float().numpy()


class OnnxRuntime:
    def __init__(self, model, threads, precision, form):
        import onnxruntime

        if precision != "fp32":
            raise ValueError("ONNX Runtime has no bf16 on CPUs")
        self.onnxruntime, self.model, self.threads, self.sessions = onnxruntime, model, threads, {}

    def load(self, operation, batch, size):
        options = self.onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.log_severity_level = 3
        graph = export.existing(self.model, operation, batch, size)
        self.sessions[operation] = self.onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def input(self, array):
        return array

    def run(self, operation, x):
        return self.sessions[operation].run(None, {"x": x})[0]

    def array(self, y):
        return y


class OpenVINO:
    def __init__(self, model, threads, precision, form):
        import openvino

        self.core, self.model, self.requests = openvino.Core(), model, {}
        self.options = {
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision],
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
        }

    def load(self, operation, batch, size):
        graph = export.existing(self.model, operation, batch, size)
        compiled = self.core.compile_model(self.core.read_model(graph), "CPU", self.options)
        self.requests[operation] = compiled.create_infer_request()

    def input(self, array):
        return array

    def run(self, operation, x):
        return self.requests[operation].infer([x], share_inputs=True, share_outputs=True)[0]

    def array(self, y):
        return y.copy()


class MNN:
    def __init__(self, model, threads, precision, form):
        import MNN.expr
        import MNN.nn

        if precision != "fp32":
            raise ValueError("MNN is measured in fp32")
        self.expr, self.nn, self.model, self.modules = MNN.expr, MNN.nn, model, {}
        # "high" is fp32 wherever MNN would choose something narrower by itself.
        self.options = {"backend": "CPU", "numThread": threads, "precision": "high"}

    def load(self, operation, batch, size):
        graph = mnn.existing(self.model, operation, batch, size)
        runtime = self.nn.create_runtime_manager((self.options,))
        self.modules[operation] = self.nn.load_module_from_file(str(graph), ["x"], ["y"], runtime_manager=runtime)

    def input(self, array):
        return self.expr.const(array, list(array.shape), self.expr.NCHW, self.expr.float)

    def run(self, operation, x):
        # Results are computed when they are read.
        return self.modules[operation].forward(x).read()

    def array(self, y):
        return y.copy()


ENGINES = {"pytorch": PyTorch, "onnxruntime": OnnxRuntime, "openvino": OpenVINO, "mnn": MNN}
# Those that read what `export` writes.
READERS_OF_GRAPHS = ("onnxruntime", "openvino", "mnn")

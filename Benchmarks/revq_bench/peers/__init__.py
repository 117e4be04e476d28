"""`make bench`: revq beside PyTorch, ONNX Runtime, OpenVINO and MNN on the same CPU, in the same run."""

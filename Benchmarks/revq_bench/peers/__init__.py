"""`make bench`: revq beside PyTorch, ONNX Runtime and OpenVINO on the same CPU, in the same run."""

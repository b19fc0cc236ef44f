"""The networks as files for other programs: ONNX and TFLite."""

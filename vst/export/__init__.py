"""The networks as files for other programs: ONNX, TFLite, and a static site for browsers."""

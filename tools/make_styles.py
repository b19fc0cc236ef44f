"""Compute the embeddings of the built-in styles from pictures, with Magenta's TFLite predictor.

    python tools/make_styles.py SHARED

SHARED is a folder with ``magenta/style_predict_quantized_256.tflite`` and
``training/style/NNNN.jpg``. The project's own patterns (`vst.samples`) are drawn here and need no
file. Only the embeddings are stored, in vst/data/styles/builtin.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vst.core.data_folder import BUILTIN_STYLES
from vst.core.files import atomic_write
from vst.core.style_spaces import TFLITE_SPACE
from vst.core.types import Embedding, Picture
from vst.samples import PATTERNS, draw_pattern
from vst.styles.library import VERSION

OWN = {
    "blue-swirls": "Thick blue strokes whirl around glowing yellow lights",
    "indigo-waves": "A woodcut sea in flat indigo and cream",
    "warm-dots": "Countless dots of orange, pink and violet",
    "stained-glass": "Glowing glass in dark leading",
    "ink-wash": "Grey ink in mist on pale paper",
    "ochre-facets": "Planes of ochre, brown and grey-blue",
    "fire-impasto": "Flames laid on thick with a knife",
    "green-meadow": "Short dabs of spring green",
    "marbled-paper": "Combed veins of crimson, cream and teal",
    "paper-cuts": "Flat bright shapes cut out of coloured paper",
    "pen-hatching": "Sepia lines crossing on cream paper",
    "comic-dots": "Bold outlines and screens of printed dots",
    "chalk-board": "Coloured chalk on dark slate",
    "sea-mosaic": "Small stone tiles, turquoise and gold",
    "gold-spirals": "Gold leaf with dark curls and eyes",
    "woven-wool": "A rug of madder red, indigo and saffron",
    "soft-watercolour": "Wet washes of rose, sky and lilac",
    "neon-lines": "Tubes of magenta and cyan light in the dark",
}
"""The project's own patterns that are styles -> one line of description."""

PICTURES = {
    "burnt-sky": ("0001", "Long wavy strokes of orange, brown and blue"),
    "bold-ink": ("0002", "Nothing but black ink on white"),
    "pastel-leaves": ("0003", "Fine lines and clear pastel washes on white"),
    "rainy-lights": ("0004", "Palette-knife patches of lamp light on a wet street"),
    "pink-nebula": ("0007", "Magenta dust and points of light"),
    "smoky-rose": ("0010", "Clouds of blue and rose over ink"),
    "gold-grid": ("0016", "Little boxes of gold and grey in dark lines"),
    "red-chalk": ("0020", "Soft red chalk on tan paper"),
    "graffiti": ("0022", "Splashes of every colour with black contours"),
    "sea-print": ("0027", "An old sea print in Prussian blue and beige"),
    "retro-garden": ("0038", "Curls and discs in cream, red and sky blue"),
    "pale-glass": ("0040", "Light panes of rose and blue in fine lead"),
    "red-petals": ("0041", "Smooth glowing reds, orange and yellow"),
    "red-blots": ("0050", "Wet red blots on white"),
    "coral-beads": ("0053", "Rows of coral and amber beads"),
    "rainbow-zigzag": ("0057", "Zigzags of orange, green and violet"),
    "zebra": ("0059", "Hard black and white zigzags"),
    "ice-petals": ("0071", "Dabs of ice blue that burst from a point"),
    "blue-curls": ("0073", "Smooth curls of deep and bright blue"),
    "black-lace": ("0077", "White ornaments on black"),
    "copper-ferns": ("0079", "Ferns of copper and violet glow"),
    "lily-pond": ("0082", "Loose strokes of lilac, green and rose"),
    "orange-surf": ("0083", "Hard navy surf before a blazing orange sky"),
}
"""Styles from training pictures -> the picture's number, and one line of description."""


def main(shared: Path) -> None:
    """Embed every picture and write the file of styles."""
    embed = open_predictor(shared / "magenta" / "style_predict_quantized_256.tflite")
    styles = []
    for name, description in OWN.items():
        assert name in PATTERNS
        styles.append(
            make_entry(
                name, description, f"the project's own pattern {name}", embed(draw_pattern(name))
            )
        )
    for name, (number, description) in PICTURES.items():
        data = cv2.imread(str(shared / "training" / "style" / f"{number}.jpg"))
        assert data is not None
        origin = f"a painting in the training pictures, number {number}"
        styles.append(
            make_entry(name, description, origin, embed(np.asarray(data[..., ::-1], np.uint8)))
        )
    report_nearest(styles)
    head = {"version": VERSION, "space": TFLITE_SPACE}
    lines = ",\n".join(json.dumps(style, ensure_ascii=False) for style in styles)
    BUILTIN_STYLES.parent.mkdir(exist_ok=True)
    with atomic_write(BUILTIN_STYLES) as draft:
        draft.write_text(
            json.dumps(head)[:-1] + ', "styles": [\n' + lines + "\n]}\n", encoding="utf-8"
        )
    print(f"{len(styles)} styles, {BUILTIN_STYLES.stat().st_size} bytes: {BUILTIN_STYLES}")


def make_entry(name: str, description: str, origin: str, embedding: Embedding) -> dict[str, object]:
    """One style as it is stored; four digits exceed the predictor's accuracy."""
    numbers = [float(f"{value:.4g}") for value in embedding.tolist()]
    return {"name": name, "description": description, "origin": origin, "embedding": numbers}


def open_predictor(path: Path) -> Callable[[Picture], Embedding]:
    """Return Magenta's TFLite predictor as a function: RGB uint8 of any size -> float32 (100,)."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path), num_threads=2)
    interpreter.allocate_tensors()
    into, out = (
        interpreter.get_input_details()[0]["index"],
        interpreter.get_output_details()[0]["index"],
    )

    def embed(picture: Picture) -> Embedding:
        small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
        interpreter.set_tensor(into, small[None].astype(np.float32) / 255)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(out), np.float32).ravel()

    return embed


def report_nearest(styles: Sequence[dict[str, object]]) -> None:
    """Print the pairs of most similar styles: candidates to drop."""
    names = [style["name"] for style in styles]
    numbers = np.array([style["embedding"] for style in styles])
    apart = np.linalg.norm(numbers[:, None] - numbers[None], axis=-1)
    first, second = np.triu_indices(len(styles), 1)
    order = np.argsort(apart[first, second])[:15]
    nearest, middle = apart[first, second].min(), np.median(apart[first, second])
    print(f"distances: minimum {nearest:.2f}, median {middle:.2f}; the nearest pairs:")
    for index in order:
        one, other = first[index], second[index]
        print(f"  {apart[one, other]:.2f}  {names[one]} {names[other]}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

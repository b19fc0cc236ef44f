"""The models that vst can fetch: files, hashes, license, authors; handles and their URLs."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vst.core.paths import expand_home, find_cache_folder
from vst.core.registry import make_unknown_error

HUB_HANDLE = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
"""Magenta's model on TensorFlow Hub, which redirects to Kaggle."""
KAGGLE_HANDLE = (
    "https://www.kaggle.com/models/google/arbitrary-image-stylization-v1/tensorFlow1/256/2"
)
SAVED_MODEL, KERAS_WEIGHTS = "SavedModel", "Keras weights"
"""The kinds of models that TensorFlow alone runs."""
_STORE = (
    "https://storage.googleapis.com/download.tensorflow.org/models/tflite/arbitrary_style_transfer/"
)


@dataclass(frozen=True)
class KnownFile:
    """One file of a model: its path in the folder, size and sha256 where known, its URL; ``md5``
    where the publisher gives no other hash.
    """

    path: str
    size: int | None = None
    sha256: str | None = None
    url: str | None = None
    md5: str | None = None

    @property
    def digest(self) -> str | None:
        """The hash that a download must have."""
        return self.sha256 or self.md5


@dataclass(frozen=True)
class KnownModel:
    """A model that can be fetched. ``archives``: URLs of a .tar.gz with all files, best first;
    ``engine``: the engine whose ``--model`` takes its name; ``options``: those of `vst stylize`
    that use it instead.
    """

    name: str
    about: str
    kind: str
    author: str
    license: str
    files: tuple[KnownFile, ...]
    handle: str = ""
    archives: tuple[str, ...] = ()
    engine: str = "magenta"
    options: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size or 0 for file in self.files)

    @property
    def needs_tensorflow(self) -> bool:
        """Whether nothing but TensorFlow runs it."""
        return self.kind in (SAVED_MODEL, KERAS_WEIGHTS)


MODELS = {
    "magenta": KnownModel(
        "magenta",
        "Magenta's arbitrary image stylization, from TensorFlow Hub (768 numbers a style)",
        SAVED_MODEL,
        "Google Magenta: Ghiasi, Lee, Kudlur, Dumoulin, Shlens (BMVC 2017)",
        "Apache-2.0",
        (
            KnownFile(
                "saved_model.pb",
                2066871,
                "e881d1356be03f7b9ddc86bf884abec8c1b50103543b13b9c0f90f7e69347c0e",
            ),
            # The index holds a checksum of every tensor, which TensorFlow verifies on loading, so
            # the hash of the index pins the data, too.
            KnownFile(
                "variables/variables.index",
                30228,
                "335edef640a1eb3cebb8bbba5f1891c5d88004accab307d3f53eb8e132f54a8f",
            ),
            KnownFile("variables/variables.data-00000-of-00001", 92474972),
        ),
        HUB_HANDLE,
        (
            f"{HUB_HANDLE}?tf-hub-format=compressed",
            "https://www.kaggle.com/api/v1/models/google/arbitrary-image-stylization-v1/tensorFlow1/256/2/download",
            "https://storage.googleapis.com/tfhub-modules/google/magenta/arbitrary-image-stylization-v1-256/2.tar.gz",
        ),
    ),
    "magenta-lite": KnownModel(
        "magenta-lite",
        "Magenta's small TFLite pair: predictor and painter of any size (100 numbers a style)",
        "TFLite pair",
        "Google Magenta and the TensorFlow Lite authors",
        "Apache-2.0",
        (
            KnownFile(
                "style_predict_quantized_256.tflite",
                2827952,
                "203dbd6a09da1091ab7e48e8b101aef8c2d81438ad047a5cb150747a977134c1",
                f"{_STORE}style_predict_quantized_256.tflite",
            ),
            KnownFile(
                "style_transfer_quantized_dynamic.tflite",
                244072,
                "69b191c1f1f3f6520634293803a528469015a00269f982ebd38b7850f68d9341",
                f"{_STORE}style_transfer_quantized_dynamic.tflite",
            ),
        ),
    ),
    "vgg16": KnownModel(
        "vgg16",
        "VGG16 without its top: judges paintings (vst evaluate), paints (--engine gatys), trains",
        KERAS_WEIGHTS,
        "Simonyan and Zisserman (ICLR 2015), converted by the Keras authors",
        "CC-BY-4.0",
        (
            KnownFile(
                "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
                58889256,
                url="https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
                "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
                md5="6d6bbae143d832006294945121d1f1fc",  # Keras itself checks this one
            ),
        ),
        engine="gatys",
        options=("--engine", "gatys", "--backbone", "vgg16"),
    ),
    "person": KnownModel(
        "person",
        "MediaPipe's selfie segmenter: finds people for --mask person",
        "TFLite",
        "The MediaPipe authors, Google",
        "Apache-2.0",
        (
            KnownFile(
                "selfie_segmentation.tflite",
                249024,
                "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
                "https://cdn.jsdelivr.net/npm/@mediapipe/selfie_segmentation@0.1.1675465747/"
                "selfie_segmentation.tflite",
            ),
        ),
        engine="",
        options=("--mask", "person"),
    ),
}
"""Name -> model that can be fetched. The embedded model comes with the package and is not here."""


def get_cache_folder() -> Path:
    """Return ``TFHUB_CACHE_DIR``, or ``models`` in the user's cache folder of vst."""
    named = os.environ.get("TFHUB_CACHE_DIR")
    if named:
        return expand_home(named)
    return find_cache_folder() / "models"


def get_known_model(name: str) -> KnownModel:
    """Return the model of that name; raise `UnknownNameError` that suggests the nearest."""
    if name not in MODELS:
        raise make_unknown_error("model", name, MODELS)
    return MODELS[name]


def list_painters(engine: str) -> list[str]:
    """List the names of the models that an engine's ``--model`` takes."""
    return [name for name, model in MODELS.items() if model.engine == engine]


def is_handle(text: str) -> bool:
    """Return whether ``text`` is a (short) handle of TensorFlow Hub or Kaggle, not a path.

    >>> is_handle("google/magenta/arbitrary-image-stylization-v1-256/2")
    True
    >>> is_handle("models/magenta")
    False
    """
    return "://" in text or bool(re.fullmatch(r"[A-Za-z][\w-]*(/[\w.-]+){2,4}/\d+", text))


def expand_handle(text: str) -> str:
    """Expand a handle to its full URL; all forms of the default model become one."""
    handle = text.strip().rstrip("/")
    if "://" not in handle:
        kaggle = handle.count("/") == 4
        handle = ("https://www.kaggle.com/models/" if kaggle else "https://tfhub.dev/") + handle
    handle = re.sub(r"^https?://(www\.)?kaggle\.com/", "https://www.kaggle.com/", handle)
    handle = re.sub(r"/frameworks/([^/]+)/variations/([^/]+)/versions/", r"/\1/\2/", handle)
    handle = handle.split("?")[0]
    return HUB_HANDLE if handle.lower() == KAGGLE_HANDLE.lower() else handle


def list_archive_urls(handle: str) -> tuple[str, ...]:
    """List the URLs of a full handle's .tar.gz, best first."""
    if handle == HUB_HANDLE:
        return MODELS["magenta"].archives
    direct = f"{handle}?tf-hub-format=compressed"
    kaggle = handle.removeprefix("https://www.kaggle.com/models/")
    if kaggle != handle:
        return (f"https://www.kaggle.com/api/v1/models/{kaggle}/download", direct)
    hub = handle.removeprefix("https://tfhub.dev/")
    return (
        (direct, f"https://storage.googleapis.com/tfhub-modules/{hub}.tar.gz")
        if hub != handle
        else (direct,)
    )


def get_handle_folder(handle: str) -> Path:
    """Return the folder of a full handle in the cache, named as TensorFlow Hub names it."""
    return get_cache_folder() / hashlib.sha1(handle.encode()).hexdigest()

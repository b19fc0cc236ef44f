"""Several regions of the picture, each with its own mask and its own styles.

A file names them, or a folder holds them: label pictures, in which each region has a color, or a
folder of masks for each region, as `vst` writes them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np

from vst.core.limits import LIMITS, Limits
from vst.core.types import Frame, Picture
from vst.errors import MissingFileError, UsageError
from vst.masks.base import Alpha, Mask
from vst.masks.file import FileMask, resize_alpha
from vst.masks.open import FOUND, open_mask, split_drawn
from vst.schedule.score.nodes import YamlNode, parse_yaml
from vst.video.sources import open_source
from vst.video.sources.base import FrameReader
from vst.video.sources.folder import DEFAULT_RATE, list_pictures
from vst.video.sources.picture import read_picture

MOST = 16
"""Regions of a picture, at most."""
TOLERANCE = 8
"""Levels of 255 by which a label's color may differ, for an encoder changes it."""
KEYS = ("mask", "label", "styles", "score")

Label = tuple[int, int, int]
"""The color of a region in label pictures, RGB."""


@dataclass(frozen=True)
class Region:
    """A part of the picture. ``mask``: as `open_mask` takes it, or the label pictures where there
    is a ``label``. Its styles are ``styles`` or those of the file ``score``.
    """

    name: str
    mask: str
    label: Label | None = None
    styles: tuple[str, ...] = ()
    score: str | None = None


def is_regions_folder(path: str) -> bool:
    """Return whether regions take the job's styles in order: they are a folder, not a file."""
    return Path(path).is_dir()


def read_regions(path: str, styles: Sequence[str] = ()) -> list[Region]:
    """Read the regions of a file or a folder, the topmost first; ``styles``: those of the regions
    of a folder, in order. Raises `MissingFileError` and `UsageError`.
    """
    place = Path(path)
    if not place.exists():
        raise MissingFileError(
            f"mask_regions {path!r} does not exist. Give a YAML file with regions, or a folder of "
            "label pictures"
        )
    if not place.is_dir():
        return _read_file(place)
    found = _read_folder(place)
    if len(found) != len(styles):
        raise UsageError(
            f"mask_regions {path!r} has {len(found)} regions "
            f"({', '.join(region.name for region in found)}), but there are {len(styles)} styles. "
            "Give each region one style, in this order"
        )
    return [
        Region(region.name, region.mask, region.label, (style,))
        for region, style in zip(found, styles)
    ]


def _read_folder(folder: Path) -> list[Region]:
    """Read the regions of a folder: its folders, by name, or the colors of its first picture, the
    darkest first, without black.
    """
    parts = sorted(one for one in folder.iterdir() if one.is_dir() and one.name[0] != ".")
    if parts:
        return [Region(one.name, str(one)) for one in parts[:MOST]]
    pictures = list_pictures(folder)
    if not pictures:
        raise UsageError(
            f"mask_regions {str(folder)!r} holds no pictures. Give label pictures, or a folder of "
            "masks for each region"
        )
    # Some regions may come later.
    shown = {pictures[len(pictures) * number // 5] for number in range(5)}
    colors = np.unique(np.concatenate([_list_colors(path) for path in sorted(shown)]), axis=0)
    labels = [(int(r), int(g), int(b)) for r, g, b in colors if max(r, g, b) > TOLERANCE]
    if not 0 < len(labels) <= MOST:
        raise UsageError(
            f"mask_regions {str(folder)!r} has {len(labels)} colors besides black: these are not "
            f"label pictures. Give pictures of 1 to {MOST} colors, without soft edges"
        )
    labels.sort(key=sum)
    return [Region(_name_label(label), str(folder), label) for label in labels]


def _list_colors(path: Path) -> Picture:
    """Return the colors of a picture, (count, 3); at most a few more than are allowed."""
    return np.asarray(np.unique(read_picture(path).reshape(-1, 3), axis=0)[: 4 * MOST], np.uint8)


def _name_label(label: Label) -> str:
    return str(label[0]) if len(set(label)) == 1 else f"{label[0]:02x}{label[1]:02x}{label[2]:02x}"


def _read_file(path: Path) -> list[Region]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"mask_regions {str(path)!r} is not a readable text ({error}). Give a YAML file"
        ) from error
    if not text.strip():
        raise UsageError(f"mask_regions {str(path)!r} is empty. Write `regions:` and their names")
    root = parse_yaml(text, str(path))
    known = root.content if root.kind == "mapping" else {}
    if not set(known) <= {"labels", "regions"} or "regions" not in known:
        _fail(root, "not a file of regions. Write `regions:` and below it a name for each")
    entries = known["regions"]
    if entries.kind != "mapping" or not 0 < len(entries.content) <= MOST:
        _fail(entries, f"not 1 to {MOST} names. Write `NAME: {{mask: PATH, styles: [A]}}` below")
    labels = _read_text(known["labels"]) if "labels" in known else None
    return [_read_region(name, node, labels, path.parent) for name, node in entries.content.items()]


def _read_region(name: str, node: YamlNode, labels: str | None, folder: Path) -> Region:
    if not re.fullmatch(r"\w[\w -]{0,60}", name):
        _fail(node, "not a name for a region. Use letters, digits, - and _")
    given = node.content if node.kind == "mapping" else {}
    wrong = next((key for key in given if key not in KEYS), None)
    if not given or wrong is not None:
        _fail(node, f"unknown key {wrong!r}. Write {', '.join(KEYS[:-1])} or {KEYS[-1]}")
    if ("mask" in given) == ("label" in given):
        _fail(node, "needs a mask or a label, one of them. Write `mask: PATH` or `label: 3`")
    if ("styles" in given) == ("score" in given):
        _fail(node, "needs styles or a score, one of them. Write `styles: [a.jpg]`")
    label = None
    mask = _read_text(given["mask"]) if "mask" in given else labels
    if mask is None:
        _fail(node, "a label without pictures. Write `labels: FOLDER` above `regions:`")
    if "label" in given:
        label = _parse_label(given["label"])
    styles = tuple(_resolve(folder, style) for style in _read_list(given.get("styles")))
    score = str(folder / _read_text(given["score"])) if "score" in given else None
    return Region(name, _resolve(folder, mask), label, styles, score)


def _parse_label(node: YamlNode) -> Label:
    """Parse a gray value, 1 to 255, or a color, #rrggbb."""
    text = _read_text(node)
    if text.isdecimal() and 0 < int(text) < 256:
        return (int(text),) * 3
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        _fail(node, f"{text!r} is not a label. Write a gray value, 1 to 255, or '#rrggbb'")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:], 16)


def _read_text(node: YamlNode) -> str:
    if node.kind != "text" or not node.content:
        _fail(node, "not a word. Write a path or a name")
    return str(node.content)


def _read_list(node: YamlNode | None) -> list[str]:
    if node is None:
        return []
    return [_read_text(one) for one in node.content] if node.kind == "list" else [_read_text(node)]


def _resolve(folder: Path, given: str) -> str:
    """Return a path relative to the file's folder; names stay as they are."""
    named = given.startswith("@") or given == "none" or given.partition(":")[0] in FOUND
    if named:
        return given
    before, path = split_drawn(given)
    return f"{before}{folder / path}"


def _fail(node: YamlNode, text: str) -> NoReturn:
    node.location.fail(text)


class LabelMask(FileMask):
    """One region of label pictures: the foreground is what has its color."""

    def __init__(self, source: FrameReader, label: Label) -> None:
        super().__init__(source)
        self.label = np.array(label, np.int16)

    def convert(self, mask: Picture, picture: Picture) -> Alpha:
        away = np.abs(mask.astype(np.int16) - self.label).max(axis=2)
        alpha = np.where(away <= TOLERANCE, np.uint8(255), np.uint8(0))
        return resize_alpha(np.asarray(alpha, np.uint8), picture)


class RegionsMask(Mask):
    """The masks of several regions, as one array (height, width, regions) for each frame.

    An earlier region covers the later ones: their alphas do not overlap.
    """

    def __init__(
        self,
        regions: Sequence[Region],
        limits: Limits = LIMITS,
        rate: Fraction = DEFAULT_RATE,
        content: str | None = None,
    ) -> None:
        super().__init__()
        self.regions = list(regions)
        self._masks: list[Mask] = []
        try:
            for region in regions:
                self._masks.append(open_region(region, limits, rate, content))
        except BaseException:
            self.close()
            raise

    def apply(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Alpha]]:
        # The masks may look a few frames ahead: `tee` keeps those that others have not read.
        copies = itertools.tee(frames, len(self._masks))
        for found in zip(*(mask.apply(copy) for mask, copy in zip(self._masks, copies))):
            yield found[0][0], cover_lower([alpha for _, alpha in found])
        for region, mask in zip(self.regions, self._masks):
            self.warnings += [f"region {region.name}: {line}" for line in mask.warnings]

    def close(self) -> None:
        for mask in self._masks:
            mask.close()


def open_region(
    region: Region,
    limits: Limits = LIMITS,
    rate: Fraction = DEFAULT_RATE,
    content: str | None = None,
) -> Mask:
    """Open a region's mask, as `open_mask` does; the caller closes it. Errors name the region."""
    try:
        if region.label is not None:
            source = open_source(region.mask, limits, default_rate=rate)
            return LabelMask(source, region.label)
        return open_mask(region.mask, limits=limits, rate=rate, content=content)
    except (UsageError, MissingFileError) as error:
        raise type(error)(f"region {region.name}: {error}") from error


def cover_lower(alphas: Sequence[Alpha]) -> Alpha:
    """Stack alphas, (height, width, count), each without what those before it cover."""
    free = np.full(alphas[0].shape, 255, np.uint8)
    shown = []
    for alpha in alphas:
        part = cv2.multiply(alpha, free, scale=1 / 255)
        shown.append(part)
        free = cv2.subtract(free, part)
    return np.asarray(np.stack(shown, axis=2), np.uint8)

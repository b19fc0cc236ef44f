"""Films in the layout of the MPI Sintel flow data (Butler et al., "A naturalistic open source movie
for optical flow evaluation", 2012), and its flow files.

    training/clean/SCENE/frame_0001.png        pictures (or final/: with blur and fog)
    training/flow/SCENE/frame_0001.flo         where the pixels of frame 1 are in frame 2
    training/occlusions/SCENE/frame_0001.png   white: pixels of frame 1 that frame 2 does not show

The flow goes forward in time: the *later* frame is warped to the earlier one, to which the flow and
the occlusions belong, and compared there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import MediaError, MissingFileError, UsageError
from vst.imaging.optical_flow import Flow, Mask, compute_positions, find_inside, sample

TAG = 202021.25
"""The first float32 of a ``.flo`` file; its bytes read "PIEH"."""
UNKNOWN = 1e9
"""Components of at least this size mean unknown flow."""
KINDS = ("clean", "final")
MAX_PIXELS = 2**28


def read_flow(path: Path) -> Flow:
    """Read a ``.flo`` file: float32 (height, width, 2), pixels to the right and down."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingFileError(
            f"flow {str(path)!r} cannot be read ({error.strerror or error})"
        ) from error
    if len(content) < 12 or struct.unpack("<f", content[:4])[0] != TAG:
        raise MediaError(f"{str(path)!r} is not a .flo file: it does not begin with {TAG}.")
    width, height = struct.unpack("<ii", content[4:12])
    if not (width > 0 and height > 0 and width * height <= MAX_PIXELS):
        raise MediaError(f"flow {str(path)!r} has a size of {width}x{height} in its header.")
    if len(content) != 12 + 8 * width * height:
        raise MediaError(
            f"flow {str(path)!r} has {len(content)} bytes; {width}x{height} needs "
            f"{12 + 8 * width * height}: it is truncated or damaged."
        )
    numbers = np.frombuffer(content, "<f4", offset=12)
    return numbers.reshape(height, width, 2).astype(np.float32)


def write_flow(path: Path, flow: Flow) -> None:
    """Write a flow (height, width, 2) as ``.flo``; `read_flow` returns it exactly."""
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise UsageError(f"flow of shape {flow.shape}. Give (height, width, 2).")
    height, width = flow.shape[:2]
    head = struct.pack("<fii", TAG, width, height)
    path.write_bytes(head + np.ascontiguousarray(flow, "<f4").tobytes())


def read_visible(path: Path) -> Mask:
    """Read an occlusion map (white: hidden) and return the visible pixels, (height, width)."""
    hidden = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if hidden is None:
        raise MissingFileError(f"occlusions {str(path)!r} cannot be read as a picture")
    return np.asarray(hidden < 128)


def find_known(flow: Flow) -> Mask:
    """Return the mask of pixels whose flow is known."""
    return np.asarray(np.isfinite(flow).all(2) & (np.abs(flow) < UNKNOWN).all(2))


def chain_flows(flows: Sequence[Flow], seen: Sequence[Mask]) -> tuple[Flow, Mask]:
    """Chain flows from frame to frame; returns the flow from the first to the last, and the pixels
    that stay visible and within the frame.
    """
    total, whole = flows[0], seen[0] & find_inside(flows[0])
    for flow, mask in zip(flows[1:], seen[1:]):
        where = compute_positions(total)
        whole &= sample(mask.astype(np.float32), where) > 0.999
        total = total + sample(flow, where)
        whole &= find_inside(total)
    return total, whole


@dataclass(frozen=True)
class SintelScene:
    """One scene: its frames in order, and the flow and occlusions from each to the next."""

    name: str
    frames: tuple[Path, ...]
    flows: tuple[Path, ...]
    occlusions: tuple[Path, ...]

    @property
    def count(self) -> int:
        """The number of frames."""
        return len(self.frames)

    def picture(self, index: int) -> Picture:
        """Return frame ``index``, RGB."""
        picture = cv2.imread(str(self.frames[index]), cv2.IMREAD_COLOR)
        if picture is None:
            raise MediaError(f"frame {str(self.frames[index])!r} cannot be read as a picture")
        return np.ascontiguousarray(picture[:, :, ::-1])

    def motion(self, index: int, later: int) -> tuple[Flow, Mask]:
        """Return the flow from frame ``index`` to ``later``, and the mask of visible pixels."""
        flows = [read_flow(path) for path in self.flows[index:later]]
        seen = [
            read_visible(path) & find_known(flow)
            for path, flow in zip(self.occlusions[index:later], flows)
        ]
        return chain_flows([np.where(find_known(f)[..., None], f, 0) for f in flows], seen)


def is_sintel(folder: Path) -> bool:
    """Whether a folder, or ``training`` in it, has flow in Sintel's layout."""
    return (_find_root(folder) / "flow").is_dir()


def _find_root(folder: Path) -> Path:
    return folder / "training" if (folder / "training").is_dir() else folder


def find_sintel_scenes(folder: Path, kind: str = "clean") -> list[SintelScene]:
    """Find the scenes of a folder in Sintel's layout; ``kind``: ``clean`` or ``final``."""
    if kind not in KINDS:
        raise UsageError(f"Sintel's pictures {kind!r} do not exist. Give {' or '.join(KINDS)}.")
    root = _find_root(folder)
    scenes = []
    for place in sorted(path for path in (root / kind).glob("*") if path.is_dir()):
        frames = tuple(sorted(place.glob("*.png")))
        if len(frames) < 2:
            continue
        flows = tuple(root / "flow" / place.name / f"{one.stem}.flo" for one in frames[:-1])
        hidden = tuple(root / "occlusions" / place.name / one.name for one in frames[:-1])
        for path in (*flows, *hidden):
            if not path.is_file():
                raise MissingFileError(
                    f"{str(path)!r} is not there; a scene in Sintel's layout has flow and "
                    "occlusions for each frame but its last"
                )
        scenes.append(SintelScene(place.name, frames, flows, hidden))
    if not scenes:
        raise MissingFileError(
            f"{str(root / kind)!r} has no scenes; in Sintel's layout it holds a folder of PNG "
            "frames for each"
        )
    return scenes

"""Films in the layout of the MPI Sintel flow data (Butler et al., "A naturalistic open source movie
for optical flow evaluation", 2012), and its flow files.

    training/clean/SCENE/frame_0001.png        pictures (or final/: with blur and fog)
    training/flow/SCENE/frame_0001.flo         where the pixels of frame 1 are in frame 2
    training/occlusions/SCENE/frame_0001.png   white: pixels of frame 1 that frame 2 does not show

The flow goes forward in time. So the *later* frame is moved to the earlier one, which is where the
flow and the occlusions belong, and the comparison is made there.
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
from vst.imaging.optical_flow import Flow, Mask, inside, places, sample

TAG = 202021.25
"""A ``.flo`` file begins with this float32; it reads "PIEH"."""
UNKNOWN = 1e9
"""Flow beyond this length means that it is not known."""
KINDS = ("clean", "final")
MAX_PIXELS = 2**28


def read_flow(path: Path) -> Flow:
    """A ``.flo`` file: float32 (height, width, 2), pixels to the right and down."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingFileError(
            f"flow {str(path)!r} cannot be read ({error.strerror or error})"
        ) from error
    if len(content) < 12 or struct.unpack("<f", content[:4])[0] != TAG:
        raise MediaError(f"{str(path)!r} is no .flo file; it does not begin with {TAG}")
    width, height = struct.unpack("<ii", content[4:12])
    if not (width > 0 and height > 0 and width * height <= MAX_PIXELS):
        raise MediaError(f"flow {str(path)!r} says that it is {width}x{height}")
    if len(content) != 12 + 8 * width * height:
        raise MediaError(
            f"flow {str(path)!r} has {len(content)} bytes; {width}x{height} needs "
            f"{12 + 8 * width * height}: it was cut short, or is damaged"
        )
    numbers = np.frombuffer(content, "<f4", offset=12)
    return numbers.reshape(height, width, 2).astype(np.float32)


def write_flow(path: Path, flow: Flow) -> None:
    """Write a flow (height, width, 2) as ``.flo``; `read_flow` gives every number back exactly."""
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise UsageError(f"a flow of shape {flow.shape}; it has (height, width, 2)")
    height, width = flow.shape[:2]
    head = struct.pack("<fii", TAG, width, height)
    path.write_bytes(head + np.ascontiguousarray(flow, "<f4").tobytes())


def read_visible(path: Path) -> Mask:
    """Pixels that an occlusion map (white: hidden) leaves, (height, width)."""
    hidden = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if hidden is None:
        raise MissingFileError(f"occlusions {str(path)!r} cannot be read as a picture")
    return np.asarray(hidden < 128)


def find_known(flow: Flow) -> Mask:
    """Pixels whose flow is a number of a sensible length."""
    return np.asarray(np.isfinite(flow).all(2) & (np.abs(flow) < UNKNOWN).all(2))


def chain_flows(flows: Sequence[Flow], seen: Sequence[Mask]) -> tuple[Flow, Mask]:
    """One flow from the first frame over several to the last, and the pixels that are seen, and
    within the frame, all the way.
    """
    total, whole = flows[0], seen[0] & inside(flows[0])
    for flow, mask in zip(flows[1:], seen[1:]):
        where = places(total)
        whole &= sample(mask.astype(np.float32), where) > 0.999
        total = total + sample(flow, where)
        whole &= inside(total)
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
        """How many frames there are."""
        return len(self.frames)

    def picture(self, index: int) -> Picture:
        """Frame ``index``, RGB."""
        picture = cv2.imread(str(self.frames[index]), cv2.IMREAD_COLOR)
        if picture is None:
            raise MediaError(f"frame {str(self.frames[index])!r} cannot be read as a picture")
        return np.ascontiguousarray(picture[:, :, ::-1])

    def motion(self, index: int, later: int) -> tuple[Flow, Mask]:
        """Where the pixels of frame ``index`` are in frame ``later``, and which are seen there."""
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
    """The scenes of a folder in Sintel's layout; ``kind``: ``clean`` or ``final`` pictures."""
    if kind not in KINDS:
        raise UsageError(f"pictures {kind!r} of Sintel; allowed is {' or '.join(KINDS)}")
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

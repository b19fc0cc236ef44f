"""A job: what to paint and how, with defaults and allowed values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from vst.core.fields import accept_aliases, check_option, check_types, option
from vst.core.limits import LIMITS, Limits
from vst.core.quality import NORMAL, QUALITIES
from vst.core.timecode import format_time
from vst.core.types import VideoInfo
from vst.engines import ENGINES
from vst.engines.options import OptionPairs, drop_defaults
from vst.errors import UsageError
from vst.imaging.color import COLORS
from vst.keyframes import PICKERS
from vst.masks import EDGES
from vst.schedule.alignment import ALIGNS
from vst.schedule.easing import EASES, get_ease
from vst.schedule.ordering import ORDERS
from vst.schedule.score.model import PACES
from vst.schedule.timeline import BLENDS
from vst.schedule.timeline import NONE as NOT_PAINTED
from vst.stabilizers import EARLIER_NAMES, STABILIZERS
from vst.video.sources.hdr import HDR_MODES, TONE_MAP

SCORE_FIELDS = ("ease", "hold", "blend", "pace", "align", "order", "loop", "brush", "colors")
"""Fields that a score contains, and that therefore cannot be given beside one."""
DEFAULT_STEADINESS = QUALITIES[NORMAL].steadiness
NATIVE = "native"
"""The size that stands for the content's own, without a limit."""
DEFAULT_MAX_SIDE = 512
"""Default limit, in pixels, of the short side to paint at."""


@accept_aliases
@dataclass(frozen=True)
class Job:
    """A video, or a folder of frames, to paint in one or more styles.

    ``content`` and ``output`` are paths; each of ``styles`` is a picture, a folder of pictures, a
    video, or ``@name``.
    """

    content: str
    styles: tuple[str, ...]
    output: str
    keyframes: int = option(
        5, "Number of keyframes from each style video.", low=1, high=1000, group="Styles"
    )
    picker: str = option(
        "middle", "Method that chooses the keyframes.", choices=PICKERS, group="Styles"
    )
    at: tuple[float, ...] = option(
        (), "Times of the keyframes, for picker manual: 1.5,4,0:09.", group="Styles"
    )
    score: str | None = option(
        None, "Score file with the styles and their times, instead of -s.", group="Styles"
    )
    painted: tuple[str, ...] = option(
        (),
        "Frame painted over by hand, as TIME=PICTURE; again for more. Carried along the motion.",
        group="Styles",
    )
    size: int | str | None = option(
        None,
        f"Short side to paint at, in pixels, or '{NATIVE}' "
        f"(default: {NATIVE}, at most {DEFAULT_MAX_SIDE}).",
        low=16,
        high=16384,
        group="Look",
    )
    strength: float = option(
        1.0, "Strength of the style; 0 is the content itself.", low=0, high=1, group="Look"
    )
    ease: str = option(
        "smooth",
        f"Easing curve of each transition: {', '.join(EASES)}, or cubic-bezier(a,b,c,d).",
        group="Transition",
    )
    hold: float = option(
        0.0,
        "Part of each transition's time that stays with a pure style.",
        low=0,
        high=1,
        group="Transition",
    )
    blend: str = option(
        "embedding", "Method that mixes two styles.", choices=BLENDS, group="Transition"
    )
    pace: str = option(
        "eased",
        "Speed of each transition: by its ease, or visibly constant.",
        choices=PACES,
        group="Transition",
    )
    align: str = option(
        "off", "Times of the content at which transitions end.", choices=ALIGNS, group="Transition"
    )
    order: str = option("given", "Order of the styles.", choices=ORDERS, group="Styles")
    loop: bool = option(False, "End in the first style.", group="Transition")
    brush: float = option(
        1.0,
        "Painting size relative to the size option: below 1 strokes are larger.",
        low=0.25,
        high=4,
        group="Look",
    )
    colors: str = option(
        "style",
        "Source of the painting's colors.",
        choices=COLORS,
        group="Look",
        aliases=("colours",),
    )
    lut: str | None = option(
        None, "Lookup table (.cube) that the content's colors pass before painting.", group="Look"
    )
    ghost: float = option(
        0.0, "Strength of a trail of earlier outputs.", low=0, high=1, group="Look"
    )
    speed: float = option(
        1.0,
        "Playback speed: below 1 slow motion, above 1 time-lapse.",
        low=1 / 16,
        high=64,
        group="Output",
    )
    mask: str | None = option(
        None,
        "Mask of the foreground, where the styles go: auto, auto:left,top,width,height, person, "
        "person:invert, drawn:FOLDER, or a file or folder.",
        group="Mask",
    )
    mask_background: str = option(
        "none",
        "Style of the background, or none.",
        group="Mask",
        aliases=("mask_ground",),
    )
    mask_regions: str | None = option(
        None,
        "Regions with styles of their own: a YAML file, or a folder of label pictures.",
        group="Mask",
    )
    mask_edge: str = option(
        "inpainted", "Method that separates foreground and background.", choices=EDGES, group="Mask"
    )
    save_mask: str | None = option(
        None,
        "Also write the mask: a video, or a folder of pictures, which --mask reads.",
        group="Mask",
        shapes_frames=False,
    )
    engine: str = option("embedded", "Engine that paints.", choices=ENGINES, group="Look")
    model: str | None = option(
        None, "The engine's model: fine, a file, folder or handle (default: its own).", group="Look"
    )
    engine_options: OptionPairs = option(
        (), "Options of the engine alone, as pairs of name and value.", group="Look"
    )
    stabilize: str = option(
        "steady",
        "Method that removes flicker.",
        choices=STABILIZERS,
        group="Look",
        aliases=("stabilise",),
        earlier_choices=EARLIER_NAMES,
    )
    quality: str = option(
        NORMAL,
        "Quality of the picture against speed: sets steadiness, size and x264's preset.",
        choices=QUALITIES,
        group="Look",
    )
    steadiness: float = option(
        DEFAULT_STEADINESS,
        "Strength of the stabilizer; 0 keeps each frame as it was painted.",
        low=0,
        high=1,
        group="Look",
    )
    start: float = option(
        0.0, "Time at which to start, in seconds or as H:MM:SS.mmm.", low=0, group="Output"
    )
    end: float | None = option(
        None, "Time before which to end (default: the end of the content).", low=0, group="Output"
    )
    audio: bool = option(True, "Keep the content's sound.", group="Output")
    codec: str | None = option(
        None, "Video codec (default: the best for the file format).", group="Output"
    )
    hdr: str = option(
        TONE_MAP, "What becomes of HDR: tone-mapped, or kept.", choices=HDR_MODES, group="Output"
    )
    crf: int | None = option(
        None,
        "Constant rate factor of the encoder; lower is better (default: the codec's).",
        low=0,
        high=63,
        group="Output",
    )
    fps: Fraction | None = option(
        None,
        "Frame rate of the output, in frames per second (default: the content's).",
        group="Output",
    )
    first_number: int = option(
        1,
        "Number of the first picture of a folder: 1001 for frame_001001.png.",
        low=0,
        high=99_999_999,
        group="Output",
        shapes_frames=False,
    )
    sidecar: str | None = option(
        None,
        "Also write a file that shows where styles change: OpenTimelineIO (.otio) or an EDL.",
        group="Output",
        shapes_frames=False,
    )
    metadata: bool = option(
        True,
        "Write the job into the output, with paths relative to it.",
        group="Output",
        shapes_frames=False,
    )
    overwrite: bool = option(
        False, "Replace an existing output.", group="Output", shapes_frames=False
    )
    keep_chunks: bool = option(
        False,
        "Keep the folder OUT.vst with the chunks.",
        group="Output",
        shapes_frames=False,
    )
    patience: float = option(
        600.0,
        "Seconds without progress after which reading, painting or writing counts as hung.",
        low=1,
        high=1_000_000,
        group="Speed and limits",
        shapes_frames=False,
    )
    max_pixels: int = option(
        LIMITS.pixels,
        "Largest picture or frame to read, in pixels.",
        low=1,
        high=2**31 - 1,
        group="Speed and limits",
        shapes_frames=False,
    )
    max_frames: int = option(
        LIMITS.frames,
        "Longest video to read or paint, in frames.",
        low=1,
        high=2**31 - 1,
        group="Speed and limits",
        shapes_frames=False,
    )
    max_memory: float | None = option(
        LIMITS.memory,
        "Largest estimated need of memory, in megabytes (default: what is free).",
        low=1,
        high=1_000_000_000,
        group="Speed and limits",
        shapes_frames=False,
    )
    threads: int | None = option(
        None,
        "Number of cores to use (default: all).",
        low=1,
        high=1024,
        group="Speed and limits",
        shapes_frames=False,
    )
    batch: int | None = option(
        None,
        "Frames to paint at once (default: the engine's choice).",
        low=1,
        high=256,
        group="Speed and limits",
        shapes_frames=False,
    )

    def __post_init__(self) -> None:
        check_types(self, skip=("engine_options",))  # `drop_defaults` checks those of the engine
        self._replace_earlier_stabilizer()
        if (
            self.model is not None
            and self.engine in ENGINES
            and ENGINES[self.engine].model_is_style
        ):
            self._take_model_as_style(self.model)
        if self.mask_regions is not None and not self.styles and self.score is None:
            object.__setattr__(self, "styles", (NOT_PAINTED,))
        if not self.styles and self.score is None and not self.painted:
            raise UsageError("no style was given. Name a picture, a folder, a video, or @name")
        get_ease(self.ease)
        self._check_score()
        for part in fields(self):
            check_option(part.name, getattr(self, part.name), part.metadata)
        self._apply_quality()
        object.__setattr__(self, "engine_options", drop_defaults(self.engine, self.engine_options))
        if isinstance(self.size, str) and self.size != NATIVE:
            raise UsageError(
                f"size {self.size!r} is not allowed. Give a number of pixels, or {NATIVE!r}"
            )
        if self.end is not None and self.end <= self.start:
            raise UsageError(
                f"end {format_time(self.end)} is not after start {format_time(self.start)}. Give a "
                "later end: the frames with start <= time < end are painted"
            )

    def _replace_earlier_stabilizer(self) -> None:
        """Replace the name of a stabilizer of an earlier version by the present one."""
        if self.stabilize == "strong" and self.steadiness == DEFAULT_STEADINESS:
            object.__setattr__(self, "steadiness", 1.0)
        object.__setattr__(self, "stabilize", EARLIER_NAMES.get(self.stabilize, self.stabilize))

    def _apply_quality(self) -> None:
        """Set what the quality sets, where it has its default."""
        chosen = QUALITIES[self.quality]
        object.__setattr__(self, "size", self.size or chosen.size)
        if self.steadiness == DEFAULT_STEADINESS:
            object.__setattr__(self, "steadiness", chosen.steadiness)

    def _take_model_as_style(self, model: str) -> None:
        """Use a model that contains its style as the style; beside others it would be unused."""
        if self.score is not None or self.styles not in ((), (model,)):
            raise UsageError(
                f"model {model!r} was given beside styles: engine {self.engine!r} paints in the "
                "styles of its networks. Give one network as the model, or all of them as styles"
            )
        object.__setattr__(self, "styles", (model,))

    def _check_score(self) -> None:
        """Refuse a value that the score contains, too."""
        if self.score is None:
            return
        known = {part.name: part.default for part in fields(self)}
        for name in ("styles", *SCORE_FIELDS):
            if getattr(self, name) != (() if name == "styles" else known[name]):
                raise UsageError(
                    f"{name} was given beside a score. Write it into {self.score!r}, or leave "
                    "one of them out"
                )

    @property
    def limits(self) -> Limits:
        """The limits on what is read and painted."""
        return Limits(self.max_pixels, self.max_frames, self.max_memory)

    def as_dict(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, with those of the engine, as plain
        values for YAML or JSON.
        """
        own = ((part.name, getattr(self, part.name), part.default) for part in fields(self))
        given = [(name, value) for name, value, default in own if value != default]
        plain: dict[str, Any] = {}
        for name, value in given:
            if name == "engine_options":
                plain |= {one: _to_plain(chosen) for one, chosen in value}
            else:
                plain[name] = _to_plain(value)
        return plain


def _to_plain(value: Any) -> Any:
    """Convert a value to a type of YAML and JSON."""
    kind = type(value)
    return str(value) if kind is Fraction else list(value) if kind is tuple else value


def compute_painted_seconds(job: Job, info: VideoInfo) -> float:
    """Compute how many seconds of the content are painted."""
    if job.start >= info.duration:
        raise UsageError(
            f"start {format_time(job.start)} is after the end of {job.content} "
            f"({format_time(info.duration)}). Give an earlier start"
        )
    return min(job.end if job.end is not None else info.duration, info.duration) - job.start


def compute_painting_size(
    size: int | str | None, width: int, height: int, sample_aspect: Fraction = Fraction(1)
) -> tuple[int, int]:
    """Compute the width and height to paint at, in square pixels, so that strokes are not stretched
    where the content's pixels are not square.
    """
    shown = width * float(sample_aspect)
    short = min(shown, height)
    target = (
        min(short, DEFAULT_MAX_SIDE) if size is None else short if size == NATIVE else float(size)
    )
    return max(1, round(shown * target / short)), max(1, round(height * target / short))

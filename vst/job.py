"""A job: everything that says what is to be painted, with its defaults and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from vst.core.fields import accept_aliases, check_option, check_types, option
from vst.core.limits import LIMITS, Limits
from vst.core.timecode import format_time
from vst.core.types import VideoInfo
from vst.engines import ENGINES
from vst.engines.options import OptionPairs, drop_defaults
from vst.errors import MissingFileError, OutputExistsError, UsageError
from vst.imaging.color import COLORS
from vst.keyframes import PICKERS
from vst.masks import EDGES
from vst.schedule.alignment import ALIGNS
from vst.schedule.easing import EASES, get_ease
from vst.schedule.ordering import ORDERS
from vst.schedule.score.model import PACES
from vst.schedule.timeline import BLENDS
from vst.stabilizers import EARLIER_NAMES, STABILIZERS
from vst.styles.resolve import check_style_exists

SAID_BY_SCORE = ("ease", "hold", "blend", "pace", "align", "order", "loop", "brush", "colors")
"""Fields that a score says itself."""
DEFAULT_STEADINESS = 0.5
NATIVE = "native"
"""The size that is the content's own, without a limit."""
LARGEST_BY_DEFAULT = 512
"""Short side, in pixels, that a content larger than this is painted at unless a size is given."""


@accept_aliases
@dataclass(frozen=True)
class Job:
    """One video (or folder of frames) to paint in one or more styles.

    ``content`` and ``output`` are paths; each of ``styles`` is a picture, a folder of pictures, a
    video, or ``@name``.
    """

    content: str
    styles: tuple[str, ...]
    output: str
    keyframes: int = option(
        5, "Keyframes taken from each style video.", low=1, high=1000, group="Styles"
    )
    picker: str = option("middle", "How keyframes are chosen.", choices=PICKERS, group="Styles")
    at: tuple[float, ...] = option(
        (), "Times of the keyframes (picker manual): 1.5,4,0:09.", group="Styles"
    )
    score: str | None = option(
        None, "A score file: says which style when (then without -s).", group="Styles"
    )
    size: int | str | None = option(
        None,
        f"Short side to paint at, in pixels, or '{NATIVE}' "
        f"(default: {NATIVE}, at most {LARGEST_BY_DEFAULT}).",
        low=16,
        high=16384,
        group="Look",
    )
    strength: float = option(
        1.0,
        "How strong the style is; 0 is the content itself.",
        low=0,
        high=1,
        group="Look",
    )
    ease: str = option(
        "smooth",
        f"How the change from style to style feels: {', '.join(EASES)}, or cubic-bezier(a,b,c,d).",
        group="Transition",
    )
    hold: float = option(
        0.0, "Part of each segment that stays with a pure style.", low=0, high=1, group="Transition"
    )
    blend: str = option(
        "embedding", "How two styles are mixed.", choices=BLENDS, group="Transition"
    )
    pace: str = option(
        "eased",
        "Speed of a change: by its ease, or even to the eye.",
        choices=PACES,
        group="Transition",
    )
    align: str = option("off", "What changes end on.", choices=ALIGNS, group="Transition")
    order: str = option(
        "given", "The order in which the styles are played.", choices=ORDERS, group="Styles"
    )
    loop: bool = option(False, "End where it began.", group="Transition")
    brush: float = option(
        1.0,
        "Size painted at, relative to --size: below 1 larger strokes.",
        low=0.25,
        high=4,
        group="Look",
    )
    colors: str = option(
        "style",
        "Whose colours the painting has.",
        choices=COLORS,
        group="Look",
        aliases=("colours",),
    )
    ghost: float = option(0.0, "A trail of what was shown, fed back.", low=0, high=1, group="Look")
    speed: float = option(
        1.0, "Slow motion (below 1) or time-lapse.", low=1 / 16, high=64, group="Output"
    )
    mask: str | None = option(
        None,
        "Where the styles go: auto, auto:left,top,width,height, or a mask file or folder.",
        group="Mask",
    )
    mask_background: str = option(
        "none",
        "What the ground is painted in: a STYLE, or none.",
        group="Mask",
        aliases=("mask_ground",),
    )
    mask_edge: str = option(
        "inpainted", "How figure and ground are parted.", choices=EDGES, group="Mask"
    )
    engine: str = option("embedded", "What paints.", choices=ENGINES, group="Look")
    model: str | None = option(
        None,
        "Model file, folder or handle of the engine (default: its own).",
        group="Look",
    )
    engine_options: OptionPairs = option(
        (), "What the engine alone can be told: names and values.", group="Look"
    )
    stabilize: str = option(
        "steady",
        "How flicker is removed.",
        choices=STABILIZERS,
        group="Look",
        aliases=("stabilise",),
        earlier_choices=EARLIER_NAMES,
    )
    steadiness: float = option(
        DEFAULT_STEADINESS,
        "How far flicker is removed; 0 keeps each frame as it was painted.",
        low=0,
        high=1,
        group="Look",
    )
    start: float = option(
        0.0, "Time of the first frame: seconds or H:MM:SS.mmm.", low=0, group="Output"
    )
    end: float | None = option(
        None,
        "Time before which the last frame is (default: the end).",
        low=0,
        group="Output",
    )
    audio: bool = option(True, "Keep the content's sound.", group="Output")
    codec: str | None = option(
        None,
        "Codec of the pictures (default: the best for the kind of file).",
        group="Output",
    )
    crf: int | None = option(
        None,
        "Quality of the encoding, lower is better (default: the codec's).",
        low=0,
        high=63,
        group="Output",
    )
    fps: Fraction | None = option(
        None, "Frames per second of the output (default: the content's).", group="Output"
    )
    metadata: bool = option(
        True,
        "Write the job into the output, with paths relative to it.",
        group="Output",
        shapes_frames=False,
    )
    overwrite: bool = option(
        False, "Replace the output if it is there.", group="Output", shapes_frames=False
    )
    keep_chunks: bool = option(
        False,
        "Keep the folder OUT.vst with the chunks of a long video.",
        group="Output",
        shapes_frames=False,
    )
    patience: float = option(
        600.0,
        "Seconds without a step after which reading, painting or writing counts as hung.",
        low=1,
        high=1_000_000,
        group="Speed and limits",
        shapes_frames=False,
    )
    max_pixels: int = option(
        LIMITS.pixels,
        "Largest picture or frame that is read, in pixels.",
        low=1,
        high=2**31 - 1,
        group="Speed and limits",
        shapes_frames=False,
    )
    max_frames: int = option(
        LIMITS.frames,
        "Longest video that is read or painted, in frames.",
        low=1,
        high=2**31 - 1,
        group="Speed and limits",
        shapes_frames=False,
    )
    max_memory: float | None = option(
        LIMITS.memory,
        "Megabytes that a job may be expected to need (default: what is free).",
        low=1,
        high=1_000_000_000,
        group="Speed and limits",
        shapes_frames=False,
    )
    threads: int | None = option(
        None,
        "Cores to paint on (default: all).",
        low=1,
        high=1024,
        group="Speed and limits",
        shapes_frames=False,
    )
    batch: int | None = option(
        None,
        "Frames painted at once (default: the engine's choice).",
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
        if not self.styles and self.score is None:
            raise UsageError(
                "no style was given; name one with -s: a picture, a folder, a video, or @name"
            )
        get_ease(self.ease)
        self._check_score()
        for part in fields(self):
            check_option(part.name, getattr(self, part.name), part.metadata)
        object.__setattr__(self, "engine_options", drop_defaults(self.engine, self.engine_options))
        if isinstance(self.size, str) and self.size != NATIVE:
            raise UsageError(f"size {self.size!r}; allowed is a number of pixels or {NATIVE!r}")
        if self.end is not None and self.end <= self.start:
            raise UsageError(
                f"end {format_time(self.end)} is not after start {format_time(self.start)}; "
                "painted is start <= t < end"
            )

    def _replace_earlier_stabilizer(self) -> None:
        """A stabilizer's name of an earlier version stands for the present one."""
        if self.stabilize == "strong" and self.steadiness == DEFAULT_STEADINESS:
            object.__setattr__(self, "steadiness", 1.0)
        present = EARLIER_NAMES.get(self.stabilize, self.stabilize)
        object.__setattr__(self, "stabilize", present)

    def _take_model_as_style(self, model: str) -> None:
        """A model that is a style stands for the styles; beside others it would be left unused."""
        if self.score is not None or self.styles not in ((), (model,)):
            raise UsageError(
                f"model {model!r} beside styles: the styles of engine {self.engine!r} are its "
                "networks; give all of them with -s, or one with --model"
            )
        object.__setattr__(self, "styles", (model,))

    def _check_score(self) -> None:
        """A score says everything about the styles: nothing else may."""
        if self.score is None:
            return
        known = {part.name: part.default for part in fields(self)}
        for name in ("styles", *SAID_BY_SCORE):
            if getattr(self, name) != (() if name == "styles" else known[name]):
                raise UsageError(
                    f"{name} was given beside a score; write it into {self.score!r}, "
                    "or leave the score out"
                )

    @property
    def limits(self) -> Limits:
        """What is read and painted at most."""
        return Limits(self.max_pixels, self.max_frames, self.max_memory)

    def as_dict(self) -> dict[str, Any]:
        """The options that are not at their default, as plain values for YAML or JSON; those of the
        engine stand among them.
        """
        own = ((part.name, getattr(self, part.name), part.default) for part in fields(self))
        given = [(name, value) for name, value, default in own if value != default]
        plain: dict[str, Any] = {}
        for name, value in given:
            if name == "engine_options":
                plain |= {one: _plain(chosen) for one, chosen in value}
            else:
                plain[name] = _plain(value)
        return plain


def _plain(value: Any) -> Any:
    """A value as YAML and JSON have it."""
    kind = type(value)
    return str(value) if kind is Fraction else list(value) if kind is tuple else value


def span(job: Job, info: VideoInfo) -> float:
    """Seconds of the content that are painted."""
    if job.start >= info.duration:
        raise UsageError(
            f"start {format_time(job.start)} is after the end of {job.content} "
            f"({format_time(info.duration)})"
        )
    return min(job.end if job.end is not None else info.duration, info.duration) - job.start


def painting_size(
    size: int | str | None, width: int, height: int, sample_aspect: Fraction = Fraction(1)
) -> tuple[int, int]:
    """Width and height to paint at, in square pixels: strokes must not be stretched by the pixels'
    shape.
    """
    shown = width * float(sample_aspect)
    short = min(shown, height)
    wanted = (
        min(short, LARGEST_BY_DEFAULT) if size is None else short if size == NATIVE else float(size)
    )
    return max(1, round(shown * wanted / short)), max(1, round(height * wanted / short))


def check_named(output: str) -> None:
    """Refuse an output such as ``.`` or ``/``: what is made needs a name of its own."""
    if Path(output).name in ("", ".."):
        raise UsageError(f"output {output!r} has no name; give one such as out.mp4 or frames/")


def check_paths(job: Job) -> None:
    """Refuse what can be known to be wrong before anything is opened."""
    check_named(job.output)
    content, output = Path(job.content), Path(job.output)
    if not content.exists():
        raise MissingFileError(
            f"content {job.content!r} is not there; give a video, a picture or a folder of frames"
        )
    for style in (*job.styles, job.mask_background):
        check_style_exists(style)
    inputs = [job.content, *job.styles, job.mask_background, job.mask or "", job.score or ""]
    for name in inputs:
        if name and not name.startswith("@") and same_file(Path(name), output):
            raise UsageError(
                f"output {job.output!r} is also an input; give the output another name"
            )
    if output.is_file() and not job.overwrite:
        raise OutputExistsError(f"output {job.output!r} is already there; --overwrite replaces it")


def same_file(a: Path, b: Path) -> bool:
    """Whether two paths are one existing file or folder."""
    try:
        return a.samefile(b)
    except OSError:
        return False

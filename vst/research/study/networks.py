"""Networks of one style within a study: trained for a set time, or given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from vst import __version__
from vst.checkpoint.fingerprint import fingerprint_input
from vst.core.types import OnProgress, Picture
from vst.errors import MissingFileError, UsageError
from vst.nets.feedforward_plan import FeedForwardPlan
from vst.plotting import save_picture
from vst.research.study.base import Case, CaseResult
from vst.research.study.content import Subject, collect_pictures, resolve_subject_styles, write_clip
from vst.research.study.painting import describe_options, paint_film
from vst.research.study.votes import write_whole
from vst.research.training.style_plans import FastPlan, StylePlan, TemporalPlan
from vst.video.sources import open_source

MINUTES = 2.0
"""Of training for each network, unless more are given."""
SMALL: dict[str, Any] = {"side": 128, "width": 16, "blocks": 3}
"""Of a network and its training in a study: what learns something in minutes on a processor."""
TRAININGS: dict[str, type[StylePlan]] = {"fast": FastPlan, "temporal": TemporalPlan}
"""Kind of training -> its plan."""
PICTURES = 120
"""Frames of the content that a network is trained on where no pictures are given."""
NETWORKS = "networks"
NETWORK_FILE = "style.keras"
RECORD_FILE = "finished.json"
LEAST_REST = 1.0
"""Seconds of the content outside the clip that are enough to train on."""
LONGEST_REST = 30.0


@dataclass(frozen=True)
class Network:
    """A network of a study: its name in the table, its training, and its own options."""

    label: str
    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """How the study gets its networks.

    ``pictures``: a folder for their training; ``data``: for flow losses, a video or a folder in MPI
    Sintel's layout; by default the content outside the clip. ``given``: a network's file, which
    replaces training. ``options``: for every network.
    """

    kind: str = "fast"
    minutes: float = MINUTES
    pictures: str | None = None
    data: str | None = None
    given: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in TRAININGS:
            raise UsageError(f"training {self.kind!r}: unknown. Use {' or '.join(TRAININGS)}")
        if not self.minutes > 0:
            raise UsageError(f"minutes {self.minutes:g}: a training takes more than 0")
        for name in (self.pictures, self.data, self.given):
            if name is not None and not Path(name).exists():
                raise MissingFileError(f"{name!r} does not exist: a network cannot learn from it")
        self.plans()

    def settings(self) -> dict[str, Any]:
        """The options of the training and its network."""
        return {**SMALL, **self.options}

    def fingerprint(self) -> dict[str, Any]:
        """What a trained network depends on."""
        return {
            "training": self.kind,
            "minutes": self.minutes,
            "pictures": fingerprint_input(self.pictures) if self.pictures else None,
            "data": fingerprint_input(self.data) if self.data else None,
            "training options": self.settings(),
        }

    def plans(self) -> tuple[StylePlan, FeedForwardPlan]:
        """The plan of the training and that of the network; raises where a value is not allowed."""
        values = {**self.settings(), "minutes": self.minutes}
        kind = TRAININGS[self.kind]
        return kind(**select_fields(values, kind)), FeedForwardPlan(
            **select_fields(values, FeedForwardPlan)
        )

    def describe(self) -> str:
        """Describe the training in one line, for the page."""
        seen = self.pictures or self.data or "the content outside the clip"
        text = ", ".join(f"{name} {value}" for name, value in self.settings().items())
        return f"{self.minutes:g} minutes of training each, on {Path(seen).name} ({text})"


def collect_training_fields(kind: str) -> dict[str, Field[Any]]:
    """Return the options of a training and of its network."""
    return {part.name: part for plan in (TRAININGS[kind], FeedForwardPlan) for part in fields(plan)}


def select_fields(values: Mapping[str, Any], plan: type) -> dict[str, Any]:
    """Select the values that are fields of a plan."""
    names = {part.name for part in fields(plan)}
    return {name: value for name, value in values.items() if name in names}


def build_trained_case(
    name: str,
    subject: Subject,
    clip: Path,
    folder: Path,
    training: Training,
    painting: Mapping[str, Any],
) -> Case:
    """Build the case that paints the clip with a network, trained first unless it is given.

    ``painting``: options of the job.
    """
    known = {
        **subject.fingerprint(),
        **subject.span(),
        **describe_options(painting),
        "engine": "fast",
    }
    given = training.given
    known |= {"model": fingerprint_input(given)} if given is not None else training.fingerprint()

    def work(place: Path, on_progress: OnProgress) -> CaseResult:
        model, minutes = given, None
        if model is None:
            trained = train_network(subject, folder, training, on_progress)
            model, minutes = str(trained / NETWORK_FILE), read_minutes(trained)
        job = {"engine": "fast", **painting, "model": model}
        found = paint_film(subject, clip, job, place, on_progress)
        if minutes is not None:
            found.figures["training"] = minutes
        return found

    return Case(name, known, work)


def train_network(
    subject: Subject, folder: Path, training: Training, on_progress: OnProgress
) -> Path:
    """Return the folder of the network with these settings; trains it unless it is complete, and
    resumes an interrupted training.
    """
    text = json.dumps([__version__, subject.fingerprint(), subject.span(), training.fingerprint()])
    key = blake2b(text.encode(), digest_size=6).hexdigest()
    out = folder / NETWORKS / key
    if (out / RECORD_FILE).is_file() and (out / NETWORK_FILE).is_file():
        return out
    run = create_training(read_first_style(subject), subject, folder, training, out)
    record = run.run(on_progress)
    write_whole(out / RECORD_FILE, json.dumps({"minutes": record["seconds"] / 60}))
    return out


def read_first_style(subject: Subject) -> Picture:
    """Read the picture that a network learns from: the first style's."""
    found = list(collect_pictures(resolve_subject_styles(subject)).values())
    if not found:
        raise UsageError(
            "a network learns from a style's picture, and the style has none. Give a picture"
        )
    return found[0]


def create_training(
    style: Picture, subject: Subject, folder: Path, training: Training, out: Path
) -> Any:
    """Create the training, ready to run."""
    # Keras is imported by these.
    from vst.research.training.fast import FastTraining, PictureFolder
    from vst.research.training.films import FilmSet
    from vst.research.training.temporal import TemporalTraining

    plan, network = training.plans()
    about = {"style": subject.styles[0]}
    if isinstance(plan, FastPlan):
        pictures = PictureFolder(Path(training.pictures or write_frames(subject, folder)))
        return FastTraining(style, pictures, out, plan, network, about)
    assert isinstance(plan, TemporalPlan)
    films = FilmSet.read([Path(training.data or write_rest(subject, folder))], plan.side)
    return TemporalTraining(style, films, out, plan, network, about)


def read_minutes(trained: Path) -> float:
    """Read how long a network was trained."""
    return float(json.loads((trained / RECORD_FILE).read_text(encoding="utf-8"))["minutes"])


def find_rest(subject: Subject) -> tuple[float, float]:
    """Find the part of the content for training: after the clip, before it, or all of it where
    nothing else is left.
    """
    with open_source(subject.content) as source:
        length = source.info.duration
    end = subject.start + subject.seconds
    if length - end >= LEAST_REST:
        return end, min(length, end + LONGEST_REST)
    if subject.start >= LEAST_REST:
        return max(0.0, subject.start - LONGEST_REST), subject.start
    return 0.0, length


def write_rest(subject: Subject, folder: Path) -> Path:
    """Write the content outside the clip as a clip."""
    start, end = find_rest(subject)
    return write_clip(replace(subject, start=start, seconds=end - start), folder)


def write_frames(subject: Subject, folder: Path) -> Path:
    """Write frames of the content outside the clip as a folder of pictures."""
    rest = write_rest(subject, folder)
    place = rest.with_suffix("")
    if place.is_dir():
        return place
    draft = place.with_name(f".{place.name}.part")
    draft.mkdir(exist_ok=True)
    with open_source(rest) as source:
        step = max(1, source.info.frames // PICTURES)
        for frame in source.frames():
            if frame.index % step == 0:
                save_picture(draft / f"{frame.index:06d}.jpg", frame.picture)
    draft.rename(place)
    return place

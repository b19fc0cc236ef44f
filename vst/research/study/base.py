"""A study: cases that run one after the other; each fills a row of a table.

To add a study: a file in this folder with a function that builds one, and a verb in
`vst.cli.study`.
"""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from vst import __version__
from vst.core.locks import Lock
from vst.core.packages import require_tensorflow
from vst.core.types import OnProgress, Picture, Progress, ignore_progress
from vst.engines import ENGINES
from vst.errors import Cancelled, OutputError, OutputExistsError, UsageError, VSTError
from vst.plotting import save_picture
from vst.research.study.votes import write_whole

KEY = 12
"""Letters of a row's key."""
ROW = "row.json"
DONE, FAILED = "done", "failed"
QUALITY = 90
"""Of the JPEGs that a row keeps."""


@dataclass
class CaseResult:
    """The result of one case.

    ``figures``: name in `vst.research.study.figures.FIGURES` -> number. ``pictures``: caption ->
    picture. ``curves``: name -> one value for each frame. ``video``: a file in the row's folder.
    """

    figures: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    video: str = ""
    notes: list[str] = field(default_factory=list)


CaseFunction = Callable[[Path, OnProgress], CaseResult]
"""Does a case; may leave files in the folder that it is given."""


@dataclass(frozen=True)
class Case:
    """One case to run.

    ``settings``: plain values that determine the result: a row with the same settings is read from
    the disk instead.
    """

    name: str
    settings: Mapping[str, Any]
    work: CaseFunction

    @property
    def key(self) -> str:
        """A name for these settings."""
        text = json.dumps([__version__, self.settings], sort_keys=True, default=str)
        return blake2b(text.encode(), digest_size=16).hexdigest()[:KEY]


@dataclass
class CaseRow:
    """The outcome of a case.

    Its pictures are files in ``folder``, which like ``video`` is relative to the study's folder.
    ``wall``: seconds of the whole case, with training and measuring; ``machine``: what it ran on.
    """

    name: str
    state: str
    folder: str
    settings: dict[str, Any]
    figures: dict[str, float | None] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    curves: dict[str, list[float | None]] = field(default_factory=dict)
    video: str = ""
    notes: list[str] = field(default_factory=list)
    reason: str = ""
    wall: float = 0.0
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the case was measured."""
        return self.state == DONE


@dataclass(frozen=True)
class Study:
    """The cases of one study, and the content of its page.

    ``shown``: caption -> picture of an input. ``about``: lines on the method. ``rate``: values a
    second of the curves.
    """

    name: str
    title: str
    cases: Sequence[Case]
    about: Sequence[str] = ()
    shown: Mapping[str, Picture] = field(default_factory=dict)
    reported: Sequence[Mapping[str, str]] = ()
    source: str = ""
    rate: float = 1.0


@dataclass
class StudyTable:
    """A study with the rows that are done."""

    study: Study
    folder: Path
    rows: list[CaseRow] = field(default_factory=list)

    @property
    def json(self) -> Path:
        """The file with its figures."""
        return self.folder / f"{self.study.name}.json"

    @property
    def html(self) -> Path:
        """Its page."""
        return self.folder / f"{self.study.name}.html"

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "study": self.study.name,
            "title": self.study.title,
            "vst": __version__,
            "about": list(self.study.about),
            "rows": [asdict(row) for row in self.rows],
            "reported": {"by": self.study.source, "rows": list(self.study.reported)},
        }


def run_study(
    study: Study,
    folder: Path,
    on_progress: OnProgress = ignore_progress,
    *,
    page: Callable[[StudyTable], str] | None = None,
) -> StudyTable:
    """Run every case that has no row yet.

    The study's JSON and page are written after each case, so an interruption loses one case at
    most.
    """
    check_case_packages(study.cases)
    table = StudyTable(study, folder)
    with StudyFolder(table):
        for number, case in enumerate(study.cases, 1):
            place = folder / study.name / case.key
            row = read_row(place, case)
            if row is None:
                label = f"{case.name} ({number} of {len(study.cases)})"
                row = run_case(case, place, label_progress(on_progress, label))
                gc.collect()
            row.folder = place.relative_to(folder).as_posix()
            table.rows.append(row)
            text = json.dumps(table.as_dict(), ensure_ascii=False, indent=1, allow_nan=False)
            write_whole(table.json, text)
            if page is not None:
                write_whole(table.html, page(table))
    return table


def check_case_packages(cases: Sequence[Case]) -> None:
    """Raise `DependencyError` where the engine of a case needs TensorFlow, and it is not installed.

    Which model of Magenta's a case has shows when it is opened.
    """
    for case in cases:
        engine = str(case.settings.get("engine"))
        if engine in ENGINES and engine != "magenta":
            use = ENGINES[engine].find_tensorflow_use(None, None)
            if use:
                require_tensorflow(f"row {case.name!r} of the study")


def describe_machine() -> dict[str, Any]:
    """Describe what seconds depend on. ``load``: the recent number of runnable processes, on all
    cores.
    """
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else None
    return {"cores": os.cpu_count(), "system": platform.platform(), "load": load}


class StudyFolder:
    """A study's folder, locked by one run."""

    def __init__(self, table: StudyTable) -> None:
        self.table = table

    def __enter__(self) -> None:
        folder, name = self.table.folder, self.table.study.name
        if folder.exists() and not folder.is_dir():
            raise OutputExistsError(f"{str(folder)!r} is not a folder. Give the study a folder")
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"folder {str(folder)!r} cannot be made ({error.strerror or error}). Give another"
            ) from error
        if self.table.json.exists() and not is_study(self.table.json):
            raise OutputExistsError(
                f"{str(self.table.json)!r} exists and is not a study. Give another folder"
            )
        self.lock = Lock(folder / f".{name}.lock", f"the study in {str(folder)!r}")

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def is_study(path: Path) -> bool:
    """Whether a file was written by a study."""
    try:
        return "rows" in json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, OSError):
        return False


def label_progress(on_progress: OnProgress, label: str) -> OnProgress:
    """Put the case's name before its progress messages."""

    def tell(progress: Progress) -> None:
        stage = f"{label}: {progress.stage}"
        on_progress(
            Progress(stage, progress.done, progress.total, progress.seconds, progress.detail)
        )

    return tell


def run_case(case: Case, place: Path, on_progress: OnProgress) -> CaseRow:
    """Run a case and return its row; a case that fails gives a row with the reason."""
    settings = json.loads(json.dumps(dict(case.settings), default=str))
    began = time.perf_counter()
    try:
        place.mkdir(parents=True, exist_ok=True)
        on_progress(Progress("start", 0))
        found = case.work(place, on_progress)
    except Cancelled:
        raise
    except (VSTError, OSError, RuntimeError, ValueError, MemoryError, ImportError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return CaseRow(case.name, FAILED, "", settings, reason=reason)
    row = CaseRow(
        name=case.name,
        state=DONE,
        folder="",
        settings=settings,
        figures={name: round_finite(value) for name, value in found.figures.items()},
        pictures=save_pictures(found.pictures, place),
        curves={name: [round_finite(v) for v in values] for name, values in found.curves.items()},
        video=(place / found.video).relative_to(place.parent.parent).as_posix()
        if found.video
        else "",
        notes=found.notes,
        wall=round(time.perf_counter() - began, 3),
        machine=describe_machine(),
    )
    write_whole(place / ROW, json.dumps(asdict(row), ensure_ascii=False, indent=1, allow_nan=False))
    return row


def save_pictures(pictures: Mapping[str, Picture], place: Path) -> dict[str, str]:
    """Write the pictures; returns caption -> file name."""
    names = {}
    for number, (caption, picture) in enumerate(pictures.items(), 1):
        names[caption] = save_picture(place / f"{number}.jpg", picture, QUALITY).name
    return names


def read_row(place: Path, case: Case) -> CaseRow | None:
    """Read the row that an earlier run left, if it is complete."""
    try:
        known = json.loads((place / ROW).read_text(encoding="utf-8"))
        row = CaseRow(**{**known, "name": case.name})
    except (OSError, ValueError, TypeError):
        return None
    files = [place / name for name in row.pictures.values()]
    files += [place.parent.parent / row.video] if row.video else []
    return row if row.done and all(file.is_file() for file in files) else None


def round_finite(value: float) -> float | None:
    """Round a number for JSON to its significant digits; None unless it is finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def select_cases(cases: Sequence[Case], only: Sequence[str]) -> list[Case]:
    """Select the cases whose names contain one of these texts; all cases without a text."""
    if not only:
        return list(cases)
    found = [case for case in cases if any(text.lower() in case.name.lower() for text in only)]
    missing = [text for text in only if not any(text.lower() in c.name.lower() for c in cases)]
    if missing:
        names = ", ".join(case.name for case in cases)
        raise UsageError(f"no case is named {missing[0]!r}. Use one of: {names}")
    return found

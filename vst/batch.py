"""Many contents in many styles from one file, ``jobs.yaml``: existing outputs are skipped, and a
job that fails does not stop the rest.
"""

from __future__ import annotations

import re
import reprlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from vst.api import make_job
from vst.checkpoint.fingerprint import rename_field
from vst.core.paths import expand_home
from vst.core.registry import find_nearest
from vst.core.types import OnProgress, Progress, ignore_progress
from vst.engines.options import collect_option_fields
from vst.errors import Cancelled, MissingFileError, UsageError, VSTError
from vst.job import Job
from vst.pipeline.build_schedule import read_job_score
from vst.pipeline.checks import check_job, check_output_name
from vst.pipeline.object_files import names_objects
from vst.pipeline.run import Result, run
from vst.storage import exists, is_address, list_matches
from vst.video.frame_names import locate_output

LARGEST_FILE = 1_000_000
"""Bytes of a batch file at most: no list written by hand is larger."""
MOST_ALIASES = 100
"""References (``*name``) in it at most: nested ones grow exponentially."""
MOST_JOBS = 10_000

FILLED = ("content", "style")
"""Names in braces that an output's name may have."""
KEYS = ("contents", "styles", "output", "options", "jobs")
JOB_KEYS = ("content", "styles", "output", "options")
NO_OPTIONS = ("content", "styles", "output", "engine_options")
OPTIONS = tuple(n for n in Job.__dataclass_fields__ if n not in NO_OPTIONS)
STATES = ("done", "there", "failed")
PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class JobOutcome:
    """The outcome of one job: ``state`` is ``done``, ``there`` (skipped) or ``failed``."""

    output: str
    content: str
    styles: list[str]
    state: str
    frames: int = 0
    seconds: float = 0.0
    error: str = ""
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def read_batch(path: str | Path) -> list[Job]:
    """Read the jobs of a batch file, in order; paths in it are relative to the file's folder.

    Raises `UsageError`, which names the key and the remedy.
    """
    path = Path(path)
    plan = _check_mapping(_load(path), str(path), KEYS)
    folder = path.absolute().parent
    shared = _read_options(plan.get("options"), "options")
    jobs: list[Job] = []
    if plan.get("contents") is not None or plan.get("styles") is not None:
        jobs += _cross_jobs(plan, folder, shared)
    singles = plan.get("jobs")
    if singles is not None and not isinstance(singles, list):
        raise UsageError(
            f"jobs: {_shorten(singles)} is not a list. Write each job with a dash before it"
        )
    for number, entry in enumerate(singles or [], 1):
        jobs.append(_read_single(entry, f"jobs[{number}]", folder, shared))
    if not jobs:
        raise UsageError(f"{path} has no jobs. Give contents, styles and output, or a list of jobs")
    if len(jobs) > MOST_JOBS:
        raise UsageError(f"{path} makes {len(jobs)} jobs; the limit is {MOST_JOBS}. Split the file")
    seen: dict[str, Job] = {}
    for job in jobs:
        if job.output in seen:
            raise UsageError(
                f"output: two jobs write {job.output!r}. Put {{content}} and {{style}} into it"
            )
        seen[job.output] = job
    return jobs


def run_batch(
    jobs: Iterable[Job],
    on_progress: OnProgress = ignore_progress,
    *,
    on_outcome: Callable[[JobOutcome], None] | None = None,
    runner: Callable[[Job, OnProgress], Result] = run,
) -> list[JobOutcome]:
    """Run the jobs whose output is missing, one after another; only `Cancelled` stops them all."""
    outcomes: list[JobOutcome] = []
    jobs = list(jobs)

    def report(progress: Progress) -> None:
        detail = {**progress.detail, "jobs": len(outcomes), "all_jobs": len(jobs)}
        on_progress(replace(progress, detail=detail))

    for job in jobs:
        outcome = _run_one(job, report, runner)
        outcomes.append(outcome)
        if on_outcome is not None:
            on_outcome(outcome)
    return outcomes


def _run_one(job: Job, on_progress: OnProgress, runner: Callable[..., Result]) -> JobOutcome:
    about = (job.output, job.content, list(job.styles))
    began = time.perf_counter()
    try:
        if not is_address(job.output):
            check_output_name(job.output)
        if is_written(job.output) and not job.overwrite:
            return JobOutcome(*about, "there")
        if not names_objects(job):  # those are checked once their files are here
            check_job(job)
        read_job_score(job)  # refuses a score's missing styles before the folder is made
        make_output_folder(job.output)
        result = runner(job, on_progress)
    except Cancelled:
        raise
    except (VSTError, OSError, RuntimeError, ValueError, MemoryError) as error:
        return make_failure(job, error, time.perf_counter() - began)
    seconds = round(time.perf_counter() - began, 3)
    return JobOutcome(*about, "done", result.frames, seconds, warnings=list(result.warnings))


def make_failure(job: Job, error: Exception, seconds: float) -> JobOutcome:
    """The outcome of a job that failed."""
    text = " ".join(str(error).split()) or type(error).__name__
    about = (job.output, job.content, list(job.styles))
    return JobOutcome(*about, "failed", seconds=round(seconds, 3), error=text)


def is_written(output: str) -> bool:
    """Whether an output exists: a file or a folder that is not empty."""
    if is_address(output):
        return exists(output)
    path = locate_output(output)
    if path.is_dir():
        return any(path.iterdir())
    return path.is_file() and path.stat().st_size > 0


def make_output_folder(output: str) -> None:
    """Create the folder that an output goes into; object storage needs none."""
    if not is_address(output):
        locate_output(output).absolute().parent.mkdir(parents=True, exist_ok=True)


def format_outcomes(outcomes: Iterable[JobOutcome]) -> str:
    """The outcomes as a table in plain text, with a header and counts."""
    outcomes = list(outcomes)
    rows = [("output", "state", "frames", "seconds", "")]
    for one in outcomes:
        worked = one.state == "done"
        frames, seconds = (str(one.frames), f"{one.seconds:.1f}") if worked else ("", "")
        rows.append((one.output, one.state, frames, seconds, one.error))
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{row[0]:<{wide[0]}}  {row[1]:<{wide[1]}}  {row[2]:>{wide[2]}}  "
        f"{row[3]:>{wide[3]}}  {row[4]}".rstrip()
        for row in rows
    ]
    counts = {state: sum(one.state == state for one in outcomes) for state in STATES}
    return "\n".join([*lines, ", ".join(f"{count} {state}" for state, count in counts.items())])


def _load(path: Path) -> Any:
    if not path.exists():
        raise MissingFileError(f"batch file {str(path)!r} does not exist. Give a YAML file of jobs")
    if not path.is_file() or not path.stat().st_size:
        what = "is empty" if path.is_file() else "is not a file"
        raise UsageError(f"batch file {str(path)!r} {what}. Give a YAML file of jobs")
    if path.stat().st_size > LARGEST_FILE:
        size = f"{path.stat().st_size:,}"
        raise UsageError(f"{path} has {size} bytes; the limit is {LARGEST_FILE:,}. Split the file")
    try:
        text = path.read_text(encoding="utf-8")
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))
        if aliases > MOST_ALIASES:
            raise UsageError(
                f"{path} has {aliases} references; the limit is {MOST_ALIASES}. Write values out"
            )
        return yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text. Give a YAML file of jobs, in UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise UsageError(f"{path}, {where}: {error.problem}. Fix it there or above") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{path} is not valid YAML: {str(error).splitlines()[0]}") from error


def _cross_jobs(plan: Mapping[str, Any], folder: Path, shared: dict[str, Any]) -> list[Job]:
    """Every content in every style."""
    for key in ("contents", "styles", "output"):
        if plan.get(key) is None:
            raise UsageError(
                f"{key} is missing. Give contents, styles and output (o/{{content}}-{{style}}.mp4)"
            )
    contents = [
        one
        for text in _list_texts(plan["contents"], "contents")
        for one in _expand_files(text, folder)
    ]
    entries = plan["styles"] if isinstance(plan["styles"], list) else [plan["styles"]]
    style_lists: list[list[str]] = []
    for number, entry in enumerate(entries, 1):
        key = f"styles[{number}]"
        if isinstance(entry, list):  # several styles over one content
            style_lists.append([_resolve_path(text, folder) for text in _list_texts(entry, key)])
        else:
            style_lists += [[one] for one in _expand_files(_list_texts(entry, key)[0], folder, key)]
    (pattern,) = _list_texts(plan["output"], "output")[:1]
    return [
        _make_job(
            content,
            styles,
            _fill_name(pattern, content, styles, "output"),
            folder,
            shared,
            "options",
        )
        for content in contents
        for styles in style_lists
    ]


def _read_single(entry: Any, key: str, folder: Path, shared: dict[str, Any]) -> Job:
    entry = _check_mapping(entry, key, JOB_KEYS)
    own = {**shared, **_read_options(entry.get("options"), f"{key}.options")}
    scored = own.get("score") is not None
    for name in ("content", "output") if scored else ("content", "styles", "output"):
        if entry.get(name) is None:
            raise UsageError(
                f"{key}.{name} is missing. A job has content, output, and styles or a score"
            )
    content = _resolve_path(_list_texts(entry["content"], f"{key}.content")[0], folder)
    named = [] if entry.get("styles") is None else _list_texts(entry["styles"], f"{key}.styles")
    styles = [_resolve_path(text, folder) for text in named]
    pattern = _list_texts(entry["output"], f"{key}.output")[0]
    output = _fill_name(pattern, content, styles, f"{key}.output")
    return _make_job(content, styles, output, folder, own, f"{key}.options")


def _make_job(
    content: str, styles: list[str], output: str, folder: Path, options: dict[str, Any], key: str
) -> Job:
    try:
        return make_job(content, styles, _resolve_path(output, folder), **options)
    except UsageError as error:
        raise UsageError(f"{key}: {error}") from error
    except TypeError as error:
        raise UsageError(
            f"{key}: a value has the wrong type ({error}). See vst stylize --help"
        ) from error


def _read_options(value: Any, key: str) -> dict[str, Any]:
    engines = collect_option_fields()
    given = value if value is not None else {}
    if isinstance(given, dict):
        given = {rename_field(str(name), OPTIONS): one for name, one in given.items()}
    options = dict(_check_mapping(given, key, (*OPTIONS, *engines)))
    for name, one in options.items():
        if name not in engines:  # those are checked by their engine
            _check_option(one, Job.__dataclass_fields__[name].default, f"{key}.{name}")
    return options


def _check_option(value: Any, default: Any, key: str) -> None:
    """Refuse a value of a type that the option, with its ``default``, does not take."""
    text = f"{key}: {_shorten(value)}"
    if not isinstance(value, PLAIN):
        raise UsageError(f"{text} is not a single value. Write one")
    if isinstance(default, bool) != isinstance(value, bool):
        kind = "true or false" if isinstance(default, bool) else "a number or a word"
        raise UsageError(f"{text} has the wrong type. Write {kind}")
    is_number = isinstance(default, (int, float)) and not key.endswith(".start")
    if is_number and isinstance(value, str):
        raise UsageError(f"{text} is not a number. Write {default}, for example")
    if value is None and default is not None:
        raise UsageError(f"{key}: no value is given. Write {default}, for example")


def _check_mapping(value: Any, key: str, known: Iterable[str]) -> Mapping[str, Any]:
    known = list(known)
    if not isinstance(value, dict):
        raise UsageError(f"{key}: {_shorten(value)} has no keys. Known: {', '.join(known)}")
    for name in value:
        if name not in known:
            hint = find_nearest(str(name), known)
            remedy = f"Did you mean {hint!r}?" if hint else "Remove it."
            raise UsageError(
                f"{key}: unknown key {_shorten(name)}. {remedy} Known: {', '.join(known)}."
            )
    return value


def _list_texts(value: Any, key: str) -> list[str]:
    """One text or a list of them."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise UsageError(f"{key} is empty. Give a path, or a list of them")
    for one in values:
        if not isinstance(one, str) or not one.strip():
            raise UsageError(
                f"{key}: {_shorten(one)} is not text. Give a path (in quotes if need be)"
            )
    return list(values)


def _expand_files(text: str, folder: Path, key: str = "contents") -> list[str]:
    """The files that match a path with ``*``, ``?`` or ``[``, sorted by name."""
    if is_address(text):
        return list_matches(text) if set("*?[") & set(text) else [text]
    place = _resolve_path(text, folder)
    if text.startswith("@") or not set("*?[") & set(text) or Path(place).exists():
        return [place]
    pattern = Path(place)
    found = sorted(
        str(one) for one in Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
    )
    if not found:
        raise UsageError(f"{key}: no file matches {text!r} in {folder}. Check the pattern")
    return found


def _resolve_path(text: str, folder: Path) -> str:
    if text.startswith("@") or is_address(text):
        return text
    return str(folder / expand_home(text))


def _fill_name(pattern: str, content: str, styles: list[str], key: str) -> str:
    """Fill {content} and {style} into an output's name."""
    wrong = [name for name in re.findall(r"\{([^{}]*)\}", pattern) if name not in FILLED]
    if wrong:
        raise UsageError(f"{key}: unknown name {_shorten(wrong[0])}. Use {{content}} and {{style}}")
    style = "+".join(Path(style.lstrip("@")).stem for style in styles)
    names = {"content": Path(content).stem, "style": style}
    return re.sub(r"\{([^{}]*)\}", lambda found: names[found[1]], pattern)


def _shorten(value: Any) -> str:
    return reprlib.repr(value)

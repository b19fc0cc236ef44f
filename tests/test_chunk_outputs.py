"""GIFs and folders of frames in chunks: the same files as in one go, also after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.chunk_helpers import (
    CHUNK_SECONDS,
    films,
    is_same,
    make_chunk_job,
    read_pictures,
    run_in_chunks,
)
from tests.test_plan import SeparatePainter
from vst.checkpoint.store import get_chunk_folder
from vst.core.types import Progress
from vst.errors import Cancelled, OutputExistsError
from vst.job import Job
from vst.pipeline import resume as resuming
from vst.pipeline.resume import resume
from vst.pipeline.run import run
from vst.pipeline.session import has_chunks
from vst.video.frame_names import locate_output
from vst.video.sinks.folder import FolderSink
from vst.video.sources import open_source

__all__ = ["films"]

OUTPUTS = pytest.mark.parametrize("name", ["a.gif", "frames/", "shot/f.####.tif"])


def make_job(films: Path, folder: Path, name: str, **options: Any) -> Job:
    folder.mkdir(exist_ok=True)
    job = make_chunk_job(films, folder / name, codec=None, first_number=7 if name[-1] == "/" else 1)
    return Job(**{**vars(job), "output": f"{folder}/{name}", "metadata": False, **options})


def read_files(output: Path) -> dict[str, bytes]:
    """The output's files, or the file itself: name -> content."""
    output = locate_output(output)
    files = sorted(output.iterdir()) if output.is_dir() else [output]
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(films: Path) -> Callable[[str], dict[str, bytes]]:
    """The files of an output that was painted in one go, without chunks."""
    known: dict[str, dict[str, bytes]] = {}

    def paint(name: str) -> dict[str, bytes]:
        if name not in known:
            job = make_job(films, films / "whole", name)
            with open_source(job.content) as source:
                assert not has_chunks(job, source.info)
            run(job)
            known[name] = read_files(films / "whole" / name)
        return known[name]

    return paint


def stop_after(frames: int) -> Callable[[Progress], None]:
    def listen(progress: Progress) -> None:
        if progress.done >= frames:
            raise Cancelled("stopped")

    return listen


@OUTPUTS
def test_chunks_make_the_same_files_to_the_byte(
    films: Path, tmp_path: Path, whole: Any, name: str
) -> None:
    job = make_job(films, tmp_path, name)
    with open_source(job.content) as source:
        assert has_chunks(job, source.info, CHUNK_SECONDS)
    result = run_in_chunks(job)
    assert read_files(tmp_path / name) == whole(name)
    assert (result.frames, len(list(tmp_path.iterdir()))) == (100, 1)


@OUTPUTS
def test_an_interrupted_output_is_resumed_to_the_same_files(
    films: Path, tmp_path: Path, whole: Any, name: str
) -> None:
    job = make_job(films, tmp_path, name)
    with pytest.raises(Cancelled, match="frames are kept"):
        run_in_chunks(job, stop_after(60))
    assert not locate_output(tmp_path / name).exists()
    painted: list[int] = []
    done = resume(job.output, lambda p: painted.append(p.done), runner=run_in_chunks)
    assert done is not None and 0 < max(painted) < 80
    assert read_files(tmp_path / name) == whole(name)
    assert resume(job.output) is None
    assert len(list(tmp_path.iterdir())) == 1


@OUTPUTS
def test_a_run_that_ended_before_its_chunks_were_removed_is_complete(
    films: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(films, tmp_path, name, keep_chunks=True)
    run_in_chunks(job)
    before = read_files(tmp_path / name)
    monkeypatch.setattr(resuming, "run", None)
    assert resume(job.output) is None
    assert read_files(tmp_path / name) == before


@OUTPUTS
def test_an_output_that_exists_is_refused_before_it_is_painted(
    films: Path, tmp_path: Path, name: str
) -> None:
    job = make_job(films, tmp_path, name)
    run_in_chunks(job)
    with pytest.raises(OutputExistsError, match="exists"):
        run_in_chunks(job, stop_after(0))
    run_in_chunks(make_job(films, tmp_path, name, overwrite=True))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_finished_keeps_the_old_one_and_the_chunks(
    films: Path, tmp_path: Path, whole: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(films, tmp_path, "frames/")
    run_in_chunks(job)
    with monkeypatch.context() as patch:
        patch.setattr(FolderSink, "_read_back", lambda sink: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            run_in_chunks(make_job(films, tmp_path, "frames/", overwrite=True, strength=0.5))
    assert read_files(tmp_path / "frames") == whole("frames/")
    assert get_chunk_folder(tmp_path / "frames").is_dir()
    assert resume(job.output) is not None
    assert len(read_pictures(tmp_path / "frames")) == 100


@OUTPUTS
def test_workers_paint_its_chunks(films: Path, tmp_path: Path, whole: Any, name: str) -> None:
    run_in_chunks(make_job(films, tmp_path, name), chunk_painter=SeparatePainter(workers=3))
    assert read_files(tmp_path / name) == whole(name)


def test_frames_of_half_floats_survive_the_chunks(films: Path, tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR", reason="needs OpenEXR")
    name, options = "shot/f.1001.exr", {"end": 3.0}
    run(make_job(films, tmp_path / "whole", name, **options))
    with pytest.raises(Cancelled):
        run_in_chunks(make_job(films, tmp_path / "parts", name, **options), stop_after(25))
    assert resume(f"{tmp_path}/parts/shot", runner=run_in_chunks) is not None  # by its folder
    pictures = [read_pictures(tmp_path / one / "shot") for one in ("whole", "parts")]
    assert is_same(*pictures)
    names = [sorted(read_files(tmp_path / one / name)) for one in ("whole", "parts")]
    assert names[0] == names[1] and names[0][0] == "f.1001.exr"


def test_a_gif_that_leaves_frames_out_has_no_chunks(films: Path, tmp_path: Path) -> None:
    job = make_job(films, tmp_path, "a.gif")
    with open_source(job.content) as source:
        assert has_chunks(Job(**{**vars(job), "fps": 50}), source.info, CHUNK_SECONDS)
        assert not has_chunks(Job(**{**vars(job), "fps": 60}), source.info, CHUNK_SECONDS)


def test_opacity_survives_the_chunks_of_a_folder(films: Path, tmp_path: Path) -> None:
    frames = tmp_path / "in"
    frames.mkdir()
    import cv2

    for number in range(30):
        picture = np.full((48, 64, 4), (10, 20, 30, 8 * number), np.uint8)
        cv2.imwrite(str(frames / f"{number:03d}.png"), picture)
    options = {"engine": "tint", "size": 48, "overwrite": True}
    job = Job(str(frames), (str(films / "red.png"),), f"{tmp_path}/out/", **options)
    run(job)
    expected = read_files(tmp_path / "out")
    run(job, chunk_seconds=0.3)
    assert read_files(tmp_path / "out") == expected

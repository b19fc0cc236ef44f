"""The commands as a user types them, with right and with wrong input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import CommandResult
from vst.video.sources import open_source

Run = Callable[..., CommandResult]
TINT = ("--engine", "tint")


def frames_of(path: Path) -> list[np.ndarray]:
    with open_source(path) as source:
        return [frame.picture for frame in source.frames()]


def test_a_video_is_painted_in_the_style_of_a_video(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    done = run(
        "stylize",
        media / "clip.mp4",
        "-s",
        media / "film.mp4",
        "-o",
        output,
        "--keyframes",
        3,
        *TINT,
        "--json",
    )
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert {
        "output",
        "frames",
        "fps",
        "seconds",
        "startup",
        "frames_per_second",
        "engine",
        "keyframes",
        "warnings",
    } <= set(result)
    assert (result["frames"], result["fps"], result["engine"]) == (20, "10/1", "tint")
    assert [key["time"] for key in result["keyframes"]] == [0.5, 1.5, 2.5]
    painted = frames_of(output)
    assert len(painted) == 20
    # Gray tinted to red at the start, to green in the middle, to blue at the end.
    assert [int(painted[i][40, 60].argmax()) for i in (0, 10, 19)] == [0, 1, 2]


def test_the_content_s_sound_comes_along(run: Run, media: Path, tmp_path: Path) -> None:
    for flags, streams in (((), 1), (("--no-audio",), 0)):
        output = tmp_path / f"{streams}.mp4"
        assert (
            run(
                "stylize", media / "clip.mp4", "-s", media / "red.png", "-o", output, *TINT, *flags
            ).code
            == 0
        )
        with open_source(output) as source:
            assert len(source.info.audio) == streams


def test_start_and_end_cut_out_a_part(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "part.mp4"
    words = ("stylize", media / "clip.mp4", "-s", media / "red.png", "-o", output, *TINT)
    assert run(*words, "--start", "0.5", "--end", "0:00:01.5", "--json").code == 0
    assert len(frames_of(output)) == 10


def test_fps_changes_the_rate_and_keeps_the_duration(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "rate.mp4"
    done = run(
        "stylize",
        media / "clip.mp4",
        "-s",
        media / "red.png",
        "-o",
        output,
        *TINT,
        "--fps",
        "29.97",
        "--json",
    )
    result = json.loads(done.out)
    assert result["fps"] == "30000/1001"
    assert result["frames"] in (59, 60)


def test_a_dry_run_writes_nothing(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "none.mp4"
    done = run(
        "stylize",
        media / "clip.mp4",
        "-s",
        media / "film.mp4",
        "-o",
        output,
        *TINT,
        "--dry-run",
        "--json",
    )
    result = json.loads(done.out)
    assert (result["frames"], result["size"]) == (20, [64, 48])
    assert result["seconds"] > 0
    assert not list(tmp_path.iterdir())


def test_show_prints_the_job_that_made_an_output(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "shown.mp4"
    run(
        "stylize",
        media / "clip.mp4",
        "-s",
        media / "red.png",
        "-o",
        output,
        *TINT,
        "--strength",
        0.5,
    )
    job = json.loads(run("show", output).out)
    assert job["strength"] == 0.5
    assert [(tmp_path / name).resolve() for name in job["styles"]] == [media / "red.png"]
    assert job["vst"]


def test_an_image_is_painted_at_its_own_size(run: Run, media: Path, tmp_path: Path) -> None:
    output = tmp_path / "painted.png"
    done = run("image", media / "blue.png", "-s", media / "red.png", "-o", output, *TINT)
    assert done.code == 0, done.err
    picture = frames_of(output)[0]
    assert picture.shape == (60, 40, 3)
    assert picture[5, 5].tolist() == pytest.approx([125, 20, 125], abs=1)


def test_keyframes_are_listed_and_drawn(run: Run, media: Path, tmp_path: Path) -> None:
    sheet, folder = tmp_path / "sheet.png", tmp_path / "keys"
    done = run("keyframes", media / "film.mp4", "-n", 3, "-o", sheet, "--json")
    assert [key["time"] for key in json.loads(done.out)["keyframes"]] == [0.5, 1.5, 2.5]
    assert frames_of(sheet)[0].shape[1] > 300
    assert run("keyframes", media / "film.mp4", "-n", 3, "-o", folder).code == 0
    assert len(list(folder.glob("*.png"))) == 3


def test_a_grid_has_a_picture_for_each_content_and_style(
    run: Run, media: Path, tmp_path: Path
) -> None:
    output = tmp_path / "grid.png"
    styles = ("-s", media / "red.png", "-s", media / "blue.png")
    done = run("grid", media / "clip.mp4", media / "blue.png", *styles, "-o", output, *TINT)
    assert done.code == 0, done.err
    sheet = frames_of(output)[0].astype(int)
    # Half gray or blue from the content, half red or blue from the style.
    gray, red, blue = (96, 96, 96), (230, 20, 20), (20, 20, 230)
    for content in (gray, blue):
        for style in (red, blue):
            color = (np.array(content) + style) // 2
            assert (np.abs(sheet - color).max(axis=-1) < 12).sum() > 10_000, (content, style)


def test_the_built_in_styles_are_listed(run: Run) -> None:
    lines = run("styles").out.splitlines()
    assert len(lines) >= 24
    assert all(line.startswith("@") for line in lines)


def test_a_user_s_own_style_is_kept_and_used(
    run: Run, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    assert run("styles", "add", "brick", media / "red.png", *TINT).code == 0
    assert "@brick" in run("styles").out
    output = tmp_path / "brick.mp4"
    assert run("stylize", media / "clip.mp4", "-s", "@brick", "-o", output, *TINT).code == 0
    assert run("styles", "remove", "brick").code == 0
    assert "@brick" not in run("styles").out


CLIP, RED = "{media}/clip.mp4", "{media}/red.png"
WRONG: list[tuple[str, int, str]] = [
    ("stylise x", 2, "did you mean 'stylize'"),
    (f"stylize {CLIP} -o o.mp4", 2, "-s"),
    (f"stylize {CLIP} -s {RED}", 2, "-o"),
    (f"stylize missing.mp4 -s {RED} -o o.mp4", 2, "missing.mp4.*does not exist"),
    (f"stylize {CLIP} -s missing.png -o o.mp4", 2, "missing.png"),
    (f"stylize {CLIP} -s @blue-swirl -o o.mp4", 2, "did you mean"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --engine tinnt", 2, "did you mean 'tint'"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --ease smoth", 2, "did you mean 'smooth'"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --picker midle", 2, "did you mean 'middle'"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --blend pixel", 2, "did you mean 'pixels'"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --strength 1.5", 2, "0 to 1"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --strength nan", 2, "0 to 1"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --keyframes 0", 2, "1 to 1000"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --keyframes many", 2, "not a whole number"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --size 0", 2, "16 to"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --size big", 2, "native"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --start x", 2, "H:MM:SS"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --start 1 --end 0.5", 2, "not after start"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --start 99", 2, "after the end"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --fps fast", 2, "30000/1001"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --crf 99", 2, "0 to 63"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --codec h2645", 2, "codec"),
    (f"stylize {CLIP} -s {RED} -o o.xyz", 2, "xyz"),
    (f"stylize {CLIP} -s {RED} -o {CLIP} --overwrite", 2, "also an input"),
    (f"stylize {CLIP} -s {RED} -o {RED} --overwrite", 2, "also an input"),
    (f"stylize {CLIP} -s {RED} -o {{media}}/film.mp4", 2, "--overwrite"),
    (f"stylize {CLIP} -s {RED} -o o.mp4 --wrong", 2, "--wrong"),
    (f"stylize empty.mp4 -s {RED} -o o.mp4", 2, "empty.mp4"),
    (f"stylize text.mp4 -s {RED} -o o.mp4", 2, "text.mp4"),
    (f"stylize sound.m4a -s {RED} -o o.mp4", 2, "sound.m4a"),
    (f"stylize {CLIP} -s text.png -o o.mp4", 2, "text.png"),
    (f"stylize {CLIP} -s emptyfolder -o o.mp4", 2, "no pictures"),
    (f"stylize {CLIP} -s {RED} -o missing/folder/o.mp4", 2, "missing/folder"),
    (f"stylize {CLIP} -s {RED} -o readme.txt/o.mp4", 2, "readme.txt"),
    (f"image {RED} -s {RED} -o p.xyz", 2, "xyz"),
    (f"image text.png -s {RED} -o p.png", 2, "text.png"),
    ("keyframes text.mp4 -o k.png", 2, "text.mp4"),
    ("keyframes missing.mp4 -o k.png", 2, "missing.mp4"),
    ("show text.mp4", 2, "text.mp4"),
    ("show missing.mp4", 2, "missing.mp4"),
    ("styles add ../evil {media}/red.png", 2, "name"),
    ("styles remove nothing-like-it", 2, "nothing-like-it"),
]


@pytest.fixture
def workspace(media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a few files that are not what their names say."""
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is not a video\n" * 50, encoding="utf-8")
    (tmp_path / "text.png").write_text("this is not a picture\n" * 50, encoding="utf-8")
    (tmp_path / "readme.txt").write_text("a file", encoding="utf-8")
    (tmp_path / "emptyfolder").mkdir()
    sound_only(tmp_path / "sound.m4a")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VST_HOME", str(tmp_path / "home"))
    return tmp_path


def sound_only(path: Path) -> None:
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[wrong[0] for wrong in WRONG])
def test_wrong_input_ends_with_one_clear_line(
    run: Run, media: Path, workspace: Path, words: str, code: int, said: str
) -> None:
    import re

    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    kept = {path: path.read_bytes() for path in media.iterdir()}
    done = run(
        *words.format(media=media).split(),
        *(TINT if words.startswith(("stylize", "image")) and "--engine" not in words else ()),
    )
    assert done.code == code, done.err
    assert re.search(said, done.err), done.err
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()} == before
    assert {path: path.read_bytes() for path in media.iterdir()} == kept


def test_a_truncated_clip_is_painted_as_far_as_it_reads(run: Run, workspace: Path) -> None:
    from tests.conftest import make_clip

    make_clip(workspace / "whole.mkv", frames=60)
    whole = (workspace / "whole.mkv").read_bytes()
    (workspace / "half.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    save_red(workspace)
    done = run("stylize", "half.mkv", "-s", "red.png", "-o", "o.mp4", *TINT, "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert 5 < result["frames"] < 60
    assert result["warnings"]


def save_red(folder: Path) -> None:
    from vst.plotting import save_picture

    save_picture(folder / "red.png", np.full((8, 8, 3), (230, 20, 20), np.uint8))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing_behind(workspace: Path, ending: signal.Signals) -> None:
    """A GIF that drops frames is not made in chunks; for outputs that are see test_resume.py."""
    from tests.conftest import make_clip

    make_clip(workspace / "long.mp4", frames=600, size=(640, 480))
    save_red(workspace)
    (workspace / "o.gif").write_bytes(b"the old output")
    before = sorted(workspace.iterdir())
    words = [
        "stylize",
        "long.mp4",
        "-s",
        "red.png",
        "-o",
        "o.gif",
        "--fps",
        "60",
        "--overwrite",
        *TINT,
        "--progress",
        "plain",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "vst", *words],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    while "fps" not in process.stderr.readline():
        pass
    time.sleep(0.2)
    process.send_signal(ending)
    rest = process.communicate(timeout=20)[1]
    assert process.returncode == 1
    assert "Traceback" not in rest
    assert sorted(workspace.iterdir()) == before
    assert (workspace / "o.gif").read_bytes() == b"the old output"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_vst_alone_shows_the_help(run: Run) -> None:
    done = run()
    assert done.code == 2
    assert "stylize" in done.err


def test_python_does_the_same(media: Path, tmp_path: Path) -> None:
    import vst

    events: list[vst.Progress] = []
    result = vst.stylize(
        media / "clip.mp4", [media / "red.png", media / "blue.png"], tmp_path / "api.mp4",
        engine="tint", start="0.5", on_progress=events.append,
    )  # fmt: skip
    assert (result.frames, result.fps) == (15, "10/1")
    assert events[-1].done == 15
    with pytest.raises(vst.VSTError, match="did you mean 'strength'"):
        vst.stylize(media / "clip.mp4", media / "red.png", tmp_path / "no.mp4", strengh=1)


def test_an_engine_is_opened_from_python() -> None:
    import vst

    with vst.open_engine("tint") as engine:
        numbers = engine.embed(np.full((9, 7, 3), 51, np.uint8))
        assert numbers.dtype == np.float32
        assert numbers == pytest.approx(0.2)
        for size in ((4, 6, 3), (9, 5, 3)):
            painted = engine.stylize(np.zeros((2, *size), np.uint8), np.stack([numbers, numbers]))
            assert painted.shape == (2, *size)

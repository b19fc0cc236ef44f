"""What needs a package that is not installed says so before it begins, and how to install it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # as if they were not installed
"""
RUN_ALL = f"""{BLOCK}
import contextlib, io, json
from vst.cli import run
found = {{}}
for name, words in json.load(sys.stdin).items():
    sys.argv = ["vst", *words.split()]
    with contextlib.redirect_stderr(io.StringIO()) as err, contextlib.redirect_stdout(err):
        code = run()
    found[name] = [code, err.getvalue()]
print(json.dumps(found))
"""
PAINT = "clip.mp4 -s @ink-wash"
COMMANDS = {
    "gatys": f"stylize {PAINT} -o out.mp4 --engine gatys",
    "fast": "stylize clip.mp4 -o out.mp4 --engine fast --model style.keras",
    "magenta": f"stylize {PAINT} -o out.mp4 --engine magenta",
    "handle": f"stylize {PAINT} -o out.mp4 --engine magenta --model a/b/c/1",
    "bfloat16": f"stylize {PAINT} -o out.mp4 --precision bfloat16",
    "dry run": f"stylize {PAINT} -o out.mp4 --engine gatys --dry-run",
    "image": "image red.png -s @ink-wash -o out.png --engine gatys",
    "preview": f"preview {PAINT} -o out.png --precision float32",
    "grid": "grid red.png -s @ink-wash -o out.png --engine gatys",
    "live": f"live {PAINT} -o out.mp4 --engine magenta",
    "lut": f"lut {PAINT} -o out.cube --engine magenta",
    "keyframes": "keyframes film.mp4 -o out.png --engine magenta",
    "styles": "styles add mine red.png --engine magenta",
    "train fast": "train fast --style @ink-wash --pictures . --out out",
    "train temporal": "train temporal --style @ink-wash --data clip.mp4 --out out",
    "train embedded": "train embedded --teacher . --pictures . --out out",
    "onnx": "export onnx out",
    "tflite": "export tflite out",
    "web": "export web out",
    "judge": "evaluate clip.mp4 --content clip.mp4 --judge red.png",
    "predictor": "evaluate clip.mp4 --content clip.mp4 -s @ink-wash --predictor magenta",
    "backbones": "study backbones red.png -s red.png --out study",
    "optimizers": "study optimizers red.png -s red.png --out study",
    "video": "study video clip.mp4 -s red.png --out study",
    "sweep": "study sweep clip.mp4 -s red.png --out study --vary width=8,16 --train fast",
}
"""What needs TensorFlow -> a command."""


@pytest.fixture(scope="module")
def endings(media: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Command -> its exit code, and all it printed."""
    folder = tmp_path_factory.mktemp("without")
    for name in ("clip.mp4", "film.mp4", "red.png"):
        (folder / name).symlink_to(media / name)
    (folder / "style.keras").write_bytes(b"not opened")
    before = set(folder.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        input=json.dumps(COMMANDS),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    # A study copies its clip before it knows its rows.
    written = {path.name for path in set(folder.iterdir()) - before} - {"study"}
    assert not written, f"{written}: {done.stdout}"
    found: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_names_the_extra_in_one_line(
    endings: dict[str, tuple[int, str]], name: str
) -> None:
    code, printed = endings[name]
    assert code == 2, printed
    assert printed.count("\n") == 1 and printed.startswith("vst: "), printed
    assert "needs TensorFlow, which is not installed" in printed
    assert "pip install 'vst-video[tensorflow]'" in printed


@pytest.mark.parametrize(
    "code",
    [
        "import vst; vst.open_engine('gatys')",
        "import vst; vst.open_engine('magenta')",
        "import vst; vst.open_engine('embedded', options={'precision': 'float32'})",
        "from vst.nets.models import load_model",
        "from vst.research.training.fast import FastTraining",
    ],
)
def test_the_library_raises_an_import_error_that_names_the_extra(code: str) -> None:
    text = f"{BLOCK}\ntry:\n    {code}\nexcept ImportError as error:\n    print(error)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert "pip install 'vst-video[tensorflow]'" in done.stdout


WITHOUT_GRADIO = """
import sys
sys.modules["gradio"] = sys.modules["anyio"] = None
from vst.cli import main
main()
"""


def run_without_gradio(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_GRADIO, *words], capture_output=True, text=True
    )


@pytest.mark.parametrize("words", [("app",), ("study", "rate", ".", "--no-open")])
def test_a_page_without_gradio_names_the_extra(
    media: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).symlink_to(media / "clip.mp4")
    done = run_without_gradio(*(word.replace(".", str(tmp_path)) for word in words))
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "pip install 'vst-video[web]'" in done.stderr


def test_help_of_the_page_needs_no_gradio() -> None:
    done = run_without_gradio("app", "--help")
    assert done.returncode == 0 and "--port" in done.stdout

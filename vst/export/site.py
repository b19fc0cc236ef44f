"""Write the static site that paints in a browser: the built page, the models and the styles.

`browser/` holds the page's source; docs/export.md describes the files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vst import __version__
from vst.core.data_folder import DATA
from vst.core.files import hash_file
from vst.core.packages import require_tensorflow
from vst.core.style_spaces import TFLITE_SPACE
from vst.engines.embedded import EmbeddedEngine
from vst.errors import MissingFileError, OutputExistsError, UsageError
from vst.export.plan import PAINTER, PREDICTOR, ExportPlan
from vst.export.site_icons import write_icons
from vst.export.write import ExportedFile, export_networks, make_output_error
from vst.imaging.resize import resize
from vst.plotting import save_picture
from vst.plotting.report import encode_data_url
from vst.samples import draw_photo
from vst.styles.library import load_builtin_styles

INDEX, WORKER, MODELS = "index.html", "sw.js", "models"
BUILT = DATA / "browser"
"""Where `make browser` puts the built page: in the package, so that a wheel made then has it."""
OTHER_RUNTIMES = "runtime/"
"""Folder of the runtimes, of which a browser uses one: it keeps that when it has asked for it."""
VERSION = 1
"""Version of the format of models.json and styles.json."""
PRECISION = {PAINTER: "float16", PREDICTOR: "int8"}
"""Kind -> precision: the painter loses nothing, and the predictor is a quarter of its size."""
SAMPLE, PAINTED, THUMBNAIL = (768, 512), (288, 192), (144, 96)
"""Width and height: of the picture that the page begins with, of what is painted for a thumbnail,
and of the thumbnail."""


@dataclass(frozen=True)
class Site:
    """A written site: its folder, the size of all its files, and the models in it."""

    folder: Path
    bytes: int
    models: tuple[ExportedFile, ...]


def find_page(folder: Path | None = None) -> Path:
    """Return the folder of the built page: ``folder``, or where `make browser` puts it."""
    folder = folder or BUILT
    if (folder / INDEX).is_file():
        return folder
    raise MissingFileError(
        f"the page in the browser is not built: no {INDEX} is in {str(folder)!r}. Build it in a "
        "clone with `make browser`, which needs Node.js, or give a built one (--site)."
    )


def export_site(out: Path, *, page: Path | None = None, overwrite: bool = False) -> Site:
    """Write the site into ``out``: the built page, its models, and the built-in styles.

    ``overwrite``: write into a folder that has files, which stay unless the site has a file of the
    same name. Raises `MissingFileError` if the page is not built, `OutputExistsError` if ``out``
    has files, and what `export_networks` raises. The folder appears when it is complete.
    """
    require_tensorflow("vst export")
    page = find_page(page)
    check_site_folder(out, page, overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
            draft = Path(name) / "site"
            shutil.copytree(page, draft, ignore=shutil.ignore_patterns(MODELS))
            files = write_models(draft / MODELS)
            write_icons(draft)
            list_kept_files(draft)
            if out.exists():
                shutil.copytree(draft, out, dirs_exist_ok=True)
            else:
                draft.replace(out)
    except OSError as error:
        if isinstance(error, (MissingFileError, OutputExistsError)):
            raise
        raise make_output_error(out, error) from error
    models = tuple(replace(file, path=out / MODELS / file.path.name) for file in files)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Site(out, size, models)


def list_kept_files(site: Path) -> None:
    """Write into the service worker which files it keeps for use offline, and a version of all of
    them: a browser fetches a site again when this file has changed.
    """
    worker, version = site / WORKER, hashlib.sha256()
    names = sorted(
        path.relative_to(site).as_posix()
        for path in site.rglob("*")
        if path.is_file() and path != worker
    )
    for name in names:
        version.update(f"{name} {hash_file(site / name)}\n".encode())
    kept = ["./", *(name for name in names if not name.startswith(OTHER_RUNTIMES))]
    text = worker.read_text(encoding="utf-8").replace("VERSION", version.hexdigest()[:12], 1)
    worker.write_text(text.replace('["FILES"]', json.dumps(kept), 1), encoding="utf-8")


def check_site_folder(out: Path, page: Path, overwrite: bool) -> None:
    """Refuse a folder that the site cannot be written into."""
    if out.exists() and not out.is_dir():
        raise OutputExistsError(f"{str(out)!r} is a file. Give a folder.")
    if out.resolve() == page.resolve() or page.resolve() in out.resolve().parents:
        raise UsageError(
            f"{str(out)!r} is the folder of the built page, or in it. Give another folder."
        )
    if out.exists() and any(out.iterdir()) and not overwrite:
        raise OutputExistsError(
            f"{str(out)!r} has files already. Give another folder, or write into it (--overwrite)."
        )


def write_models(folder: Path) -> list[ExportedFile]:
    """Write the folder ``models`` of the site: both networks, the styles, and a picture to begin
    with.
    """
    files = []
    for kind, precision in PRECISION.items():
        plan = ExportPlan(precision=precision, only=kind)
        files += export_networks("onnx", plan, folder, overwrite=True)
    models: dict[str, Any] = {
        file.kind: {
            "file": file.path.name, "bytes": file.bytes, "sha256": hash_file(file.path),
        }
        for file in files
    }  # fmt: skip
    common = {"version": VERSION, "space": TFLITE_SPACE}
    write_json(folder / "styles.json", {**common, "styles": describe_styles()})
    write_json(
        folder / "models.json", {**common, "vst": __version__, **models, "styles": "styles.json"}
    )
    save_picture(folder / "sample.jpg", draw_photo(*SAMPLE))
    return files


def describe_styles() -> list[dict[str, Any]]:
    """Return the built-in styles with their embeddings and a thumbnail, painted in each."""
    content = draw_photo(*PAINTED)[None]
    found = []
    with EmbeddedEngine() as engine:
        for style in load_builtin_styles().values():
            painted = engine.stylize(content, style.embedding[None])[0]
            picture = encode_data_url(resize(painted, *THUMBNAIL), 80)
            about = style.as_dict()
            values = {key: about[key] for key in ("name", "description", "embedding")}
            found.append({**values, "picture": picture})
    return found


def write_json(path: Path, content: Any) -> None:
    """Write JSON without spaces: browsers download it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")

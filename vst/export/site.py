"""Write the static site that paints in a browser: the built page, the models and the styles.

`browser/` holds the page's source; docs/export.md describes the files.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vst import __version__
from vst.core.data_folder import DATA
from vst.core.files import hash_file
from vst.core.style_spaces import TFLITE_SPACE
from vst.engines.embedded import EmbeddedEngine
from vst.errors import MissingFileError, OutputExistsError, UsageError
from vst.export.plan import PAINTER, PREDICTOR, ExportPlan
from vst.export.write import ExportedFile, export_networks, make_output_error
from vst.imaging.resize import resize
from vst.plotting.report import encode_data_url
from vst.samples import draw_photo
from vst.styles.library import load_builtin_styles

INDEX, MODELS = "index.html", "models"
PLACES = (DATA / "browser", DATA.parent.parent / "browser" / "dist")
"""Where a built page lies: in the package, or in a clone after `make browser`."""
VERSION = 1
"""Version of the format of models.json and styles.json."""
PRECISION = {PAINTER: "float16", PREDICTOR: "int8"}
"""Kind -> precision: the painter loses nothing, and the predictor is a quarter of its size."""
PAINTED, THUMBNAIL = (288, 192), (96, 64)
"""Width and height of what is painted for a thumbnail, and of the thumbnail."""


@dataclass(frozen=True)
class Site:
    """A written site: its folder, the size of all its files, and the models in it."""

    folder: Path
    bytes: int
    models: tuple[ExportedFile, ...]


def find_page(place: Path | None = None) -> Path:
    """Return the folder of the built page: ``place``, else the first of `PLACES` that has one."""
    for folder in [place] if place else PLACES:
        if (folder / INDEX).is_file():
            return folder
    where = " nor in ".join(str(folder) for folder in ([place] if place else PLACES))
    raise MissingFileError(
        f"the page in the browser is not built: no {INDEX} is in {where}. Build it in a clone with "
        "`make browser`, which needs Node.js, or give the folder of a built one (--site)."
    )


def export_site(out: Path, *, page: Path | None = None, overwrite: bool = False) -> Site:
    """Write the site into ``out``: the built page, its models, and the built-in styles.

    ``overwrite``: write into a folder that has files, which stay unless the site has a file of the
    same name. Raises `MissingFileError` if the page is not built, `OutputExistsError` if ``out``
    has files, and what `export_networks` raises. The folder appears when it is complete.
    """
    page = find_page(page)
    check_site_folder(out, page, overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
            draft = Path(name) / "site"
            shutil.copytree(page, draft, ignore=shutil.ignore_patterns(MODELS))
            files = write_models(draft / MODELS)
            if out.exists():
                shutil.copytree(draft, out, dirs_exist_ok=True)
            else:
                draft.replace(out)
    except OSError as error:
        if isinstance(error, (MissingFileError, OutputExistsError)):
            raise
        raise make_output_error(out, error) from error
    models = tuple(
        ExportedFile(
            out / MODELS / file.path.name, file.kind, file.bytes, file.likeness, file.unchecked
        )
        for file in files
    )
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Site(out, size, models)


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
    """Write the folder ``models`` of the site: both networks, models.json and styles.json."""
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

"""``vst models``: the models that are known, fetching them ahead, and checking them."""

from __future__ import annotations

from typing import Any

import click

from vst import assets
from vst.cli.next_steps import format_command, print_next_steps
from vst.cli.options import OneOf, print_json, verbose_option, warn
from vst.cli.progress import Reporter
from vst.core.packages import has_tensorflow
from vst.core.paths import expand_home
from vst.core.types import Progress
from vst.doctor import check_embedded_weights
from vst.errors import AssetError


@click.group()
def command() -> None:
    """List, fetch and check models: those that paint, and the one that finds people.

    \b
    Example: vst models pull magenta
    """


@command.command("list")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@verbose_option
def list_models(as_json: bool) -> None:
    """List the models: where each one is stored, its size, license, authors and hashes.

    \b
    Example: vst models list
    """
    models = [
        describe_embedded_model(),
        *(describe_model(model) for model in assets.MODELS.values()),
    ]
    if as_json:
        print_json({"cache": str(assets.get_cache_folder()), "models": models})
        return
    for model in models:
        click.echo(f"{model['name']}: {model['about']}")
        click.echo(f"  {model['state']} · {model['bytes'] / 1e6:.1f} MB · {model['licence']}")
        click.echo(f"  by {model['author']}")
        click.echo(f"  in {model['folder']}")
        if model["handle"]:
            click.echo(f"  handle {model['handle']}")
        for file in model["files"]:
            click.echo(f"  {file['path']}  {describe_hash(file)}")


@command.command()
@click.argument("name", type=OneOf(assets.MODELS))
@click.option(
    "--from-folder", "source", metavar="DIR", help="Take files carried by hand, or their .tar.gz."
)
@click.option("--progress", type=OneOf(["auto", "plain", "none"]), default="auto")
@verbose_option
def pull(name: str, source: str | None, progress: str) -> None:
    """Download the model NAME, or copy it from a folder; a damaged one is replaced.

    \b
    Example: vst models pull magenta-lite
    """
    model = assets.get_known_model(name)
    if source is not None:
        folder = assets.install_from_folder(model, expand_home(source))
    else:
        with ByteReporter(progress, "MB") as reporter:
            folder = assets.obtain_model(model, reporter, thorough=True)
    chosen = model.options or ("--engine", model.engine, "--model", name)
    click.echo(f"{name} is in {folder}; use it with {' '.join(chosen)}")
    if model.needs_tensorflow and not has_tensorflow():
        warn([f"model {name!r} needs TensorFlow: pip install 'vst-video[tensorflow]'"])
    words = ("stylize", "holiday.mp4", "-s", "art.jpg", *chosen)
    print_next_steps(
        quiet=progress == "none",
        paint=format_command(*words, "-o", "painted.mp4"),
        check=format_command("models", "check"),
    )


@command.command()
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else."
)
@verbose_option
def check(as_json: bool) -> None:
    """Compare every file of every model that is here with its hash.

    Exits with 1 if one is damaged; a model that was not downloaded is not a fault.

    \b
    Example: vst models check
    """
    weights = check_embedded_weights()
    found: dict[str, list[str]] = {"embedded": [] if weights.ok else [weights.detail]}
    absent = []
    for model in assets.MODELS.values():
        place = assets.find_model_folder(model, thorough=True)
        if place.folder.exists():
            found[model.name] = list(place.problems)
        else:
            absent.append(model.name)
    broken = {name: problems for name, problems in found.items() if problems}
    if as_json:
        print_json({"whole": sorted(set(found) - set(broken)), "broken": broken, "absent": absent})
    else:
        for name, problems in found.items():
            click.echo(f"{name}: {'; '.join(problems) or 'whole'}")
        for name in absent:
            click.echo(f"{name}: not here (vst models pull {name})")
    if broken:
        name, problems = next(iter(broken.items()))
        remedy = "install vst again" if name == "embedded" else f"run `vst models pull {name}`"
        raise AssetError(f"model {name!r} is incomplete: {problems[0]}; {remedy}")


def describe_model(model: assets.KnownModel) -> dict[str, Any]:
    """Describe a model that can be downloaded, as JSON."""
    place = assets.find_model_folder(model)
    return {
        "name": model.name,
        "about": model.about,
        "kind": model.kind,
        "state": "here" if place.is_complete else place.problems[0],
        "bytes": model.size,
        "licence": model.license,
        "author": model.author,
        "folder": str(place.folder),
        "handle": model.handle,
        "files": [
            {"path": f.path, "size": f.size, "sha256": f.sha256, "md5": f.md5} for f in model.files
        ],
    }


def describe_hash(file: dict[str, Any]) -> str:
    """Describe what a model's file is checked by."""
    if file.get("md5"):
        return f"md5 {file['md5']}"
    return f"sha256 {file['sha256'] or 'by the index'}"


def describe_embedded_model() -> dict[str, Any]:
    """Describe the model in the package, as JSON."""
    from vst.core.data_folder import WEIGHTS
    from vst.nets.weight_files import list_packaged_files

    finding = check_embedded_weights()
    files = [
        {"path": path.relative_to(WEIGHTS).as_posix(), "size": path.stat().st_size}
        | {"sha256": entry["sha256"]}
        for path, entry in list_packaged_files().items()
    ]
    return {
        "name": "embedded",
        "about": "the package's own painters, fast and fine (the 100 numbers of magenta-lite)",
        "kind": "Keras",
        "state": "here" if finding.ok else finding.detail,
        "bytes": sum(file["size"] or 0 for file in files),
        "licence": "Apache-2.0",
        "author": "this project, trained to agree with Magenta's pictures",
        "folder": str(WEIGHTS),
        "handle": "",
        "files": files,
    }


class ByteReporter(Reporter):
    """The bar of the other verbs, counting megabytes."""

    def __call__(self, progress: Progress) -> None:
        total = None if progress.total is None else max(1, round(progress.total / 1e6))
        last = progress.total is not None and progress.done >= progress.total
        done = total if last and total else min(round(progress.done / 1e6), total or 1 << 40)
        if not last and total is not None and done >= total:
            done = total - 1  # the last line is for the end
        super().__call__(Progress(progress.stage, done, total, progress.seconds))

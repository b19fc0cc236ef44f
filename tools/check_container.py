"""Run the Dockerfile's steps in bare Debian roots, where there is no container engine, and try the
image: `vst app` answers, and an ordinary user paints the demo.

sudo python tools/check_container.py FOLDER     (needs debootstrap, 5 GB, and a network)

Each stage begins as Debian's base system. Environment variables of package installers (PIP_*, UV_*,
SSL_*) and this machine's certificates are passed on to the steps that build.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from json import loads
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
PASSED_ON = ("PIP_", "UV_", "SSL_", "REQUESTS_")
"""Beginnings of the environment variables that steps receive."""
MIRROR = "http://deb.debian.org/debian"
START_SECONDS = 120
PAINTED = "/videos/out/demo.mp4"
KNOWN = {"FROM", "RUN", "WORKDIR", "COPY", "ARG", "ENV", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}


@dataclass
class Stage:
    """One stage of the image: its root, and the settings in force."""

    name: str
    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    folder: str = "/"
    user: str = "0"
    entrypoint: list[str] = field(default_factory=list)


def read_instructions(text: str) -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: name and arguments, with joined lines."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    unknown = {name for name, _, _ in found} - KNOWN
    if unknown:
        raise SystemExit(f"instructions that this script does not know: {', '.join(unknown)}")
    return [(name, rest.strip()) for name, _, rest in found]


def run_inside(
    stage: Stage, command: list[str], *, building: bool = False
) -> subprocess.Popen[bytes]:
    """Start a command in the stage's root, as its user, in its folder."""
    environment = dict(stage.environment)
    if stage.user != "0":
        environment["HOME"] = "/home/vst"
    if building:
        environment |= {k: v for k, v in os.environ.items() if k.startswith(PASSED_ON)}
    go = f"cd {shlex.quote(stage.folder)} && exec {shlex.join(command)}"
    return subprocess.Popen(
        [
            str(shutil.which("chroot")),
            f"--userspec={stage.user}:{stage.user}",
            str(stage.root),
            "/bin/sh",
            "-c",
            go,
        ],
        env=environment,
    )


def prepare_root(base: Path, root: Path) -> None:
    """Copy Debian's base system, and give it this machine's network, /proc and /dev."""
    subprocess.run(["cp", "-a", str(base), str(root)], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for kind in ("proc", "dev"):
        subprocess.run(["mount", "--rbind", f"/{kind}", str(root / kind)], check=True)


def add_certificates(root: Path) -> None:
    """Let the installers trust what this machine trusts, behind a proxy for example."""
    if (Path("/") / CERTIFICATES).is_file():
        (root / CERTIFICATES).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path("/") / CERTIFICATES, root / CERTIFICATES)


def copy_into(stage: Stage, arguments: str, stages: dict[str, Stage]) -> None:
    """COPY: from the repository, or from an earlier stage."""
    words = arguments.split()
    source = ROOT
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *names, target = words
    place = stage.root / (Path(stage.folder) / target).relative_to("/")
    for name in names:
        found = source / name.lstrip("/")
        to = place / found.name if len(names) > 1 or target.endswith("/") else place
        to.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if source == ROOT else None
            shutil.copytree(found, to, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy2(found, to)


def apply(stage: Stage, name: str, arguments: str, stages: dict[str, Stage]) -> None:
    """Carry out one instruction of a stage."""
    if name == "RUN":
        add_certificates(stage.root)
        status = run_inside(stage, ["/bin/sh", "-c", arguments], building=True).wait()
        if status:
            raise SystemExit(f"RUN {arguments}\nended with status {status}")
    elif name == "COPY":
        copy_into(stage, arguments, stages)
    elif name in ("ARG", "ENV"):
        stage.environment |= dict(word.split("=", 1) for word in shlex.split(arguments))
    elif name == "WORKDIR":
        stage.folder = arguments
        (stage.root / arguments.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif name == "USER":
        stage.user = arguments
    elif name == "ENTRYPOINT":
        stage.entrypoint = loads(arguments)


def build(folder: Path) -> Stage:
    """Run all instructions; return the last stage."""
    base = folder / "base"
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for name, arguments in read_instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        print(f"== {name} {arguments[:120]}", flush=True)
        if name != "FROM":
            if stage is None:
                raise SystemExit("the Dockerfile has an instruction before FROM")
            apply(stage, name, arguments, stages)
            continue
        image, *rest = arguments.split()
        if not base.is_dir():
            release = image.partition(":")[2].removesuffix("-slim")
            subprocess.run(
                ["debootstrap", "--variant=minbase", release, str(base), MIRROR], check=True
            )
        label = rest[-1] if rest else "image"
        stage = stages[label] = Stage(label, folder / label)
        prepare_root(base, stage.root)
    if stage is None:
        raise SystemExit("the Dockerfile has no stage")
    return stage


def try_app(image: Stage, port: int) -> None:
    """`docker run … vst app`: wait for the page, then stop the server."""
    server = run_inside(image, [*image.entrypoint, "app", "--port", str(port)])
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as reply:
                    page = reply.read()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > end:
                    raise SystemExit("vst app does not answer") from None
                time.sleep(0.5)
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        print(f"vst app answers with {len(page)} bytes, as user {owner}", flush=True)
        if owner == 0 or b"<title>" not in page:
            raise SystemExit("vst app runs as root, or answers with something else")
    finally:
        server.terminate()
        server.wait(30)


def try_demo(image: Stage) -> None:
    """`docker run … vst demo`: the video exists, and its owner is not root."""
    status = run_inside(image, [*image.entrypoint, "demo", "--output", "/videos/out"]).wait()
    video = image.root / PAINTED.lstrip("/")
    if status or not video.is_file() or video.stat().st_uid == 0:
        raise SystemExit(f"vst demo ended with status {status}")
    print(f"vst demo wrote {PAINTED}: {video.stat().st_size} bytes, user {video.stat().st_uid}")


def measure(root: Path) -> int:
    """Return the megabytes of a root, without what is mounted in it."""
    found = subprocess.run(["du", "-smx", str(root)], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])


def main() -> None:
    """Build and try the image in mounts of this process alone."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("folder", type=Path, help="an empty folder, or one of an earlier run")
    parser.add_argument("--port", type=int, default=7860, help="a free port of this machine")
    given = parser.parse_args()
    folder = given.folder.resolve()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise SystemExit("run as root, with debootstrap installed")
    if os.environ.get("VST_UNSHARED") != "1":
        os.environ["VST_UNSHARED"] = "1"  # the mounts end with this process
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in ("build", "image"):
        if (folder / earlier).exists():
            raise SystemExit(f"{folder / earlier} exists: remove what an earlier run left there")
    image = build(folder)
    print(
        f"image: {measure(image.root)} MB, of them Debian {measure(folder / 'base')} MB", flush=True
    )
    try_app(image, given.port)
    try_demo(image)


if __name__ == "__main__":
    main()

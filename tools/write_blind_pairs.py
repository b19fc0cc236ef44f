"""Write what `vst study rate` shows to judge the package's painters blind: 12 folders, in each the
same clip in the same style, painted by `fast` and by `fine`.

    python tools/write_blind_pairs.py work/pairs
    vst study rate work/pairs/pair-*

Contents and styles are drawn by this project; with `--shared` the third painter is Magenta's pair.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import vst
from vst.core.data_folder import PAINTERS
from vst.samples import write_clip
from vst.samples.motion.clips import KINDS, ClipRecipe, draw_clip
from vst.styles.library import load_builtin_styles

COUNT, FIRST_SEED = 12, 2000
HEIGHT, WIDTH, FRAMES, RATE = 256, 448, 36, 24


def main() -> None:
    """Draw the clips and paint each with every painter."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shared", type=Path, help="the folder of Magenta's models")
    options = parser.parse_args()
    models = {name: ("embedded", name) for name in PAINTERS}
    if options.shared:
        models["magenta"] = ("magenta", str(options.shared / "magenta"))
    names = list(load_builtin_styles())
    styles = names[:: len(names) // COUNT]
    for number in range(COUNT):
        folder = options.folder / f"pair-{number + 1:02}"
        folder.mkdir(parents=True, exist_ok=True)
        recipe = ClipRecipe(KINDS[number % len(KINDS)], FIRST_SEED + number, HEIGHT, WIDTH, FRAMES)
        content = folder.parent / f"content-{number + 1:02}.mp4"
        write_clip(content, draw_clip(recipe).frames, WIDTH, HEIGHT, RATE, None)
        for name, (engine, model) in models.items():
            out = folder / f"{name}.mp4"
            vst.stylize(
                content, f"@{styles[number]}", out, engine=engine, model=model, overwrite=True
            )
            print(out)


if __name__ == "__main__":
    main()

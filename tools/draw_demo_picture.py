"""Make docs/pictures/demo.jpg, the README's picture, from the sheet that `vst demo` writes.

draw_demo_picture.py [FOLDER WITH demo.png]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from vst.plotting import save_picture
from vst.preview import read_first_picture

TARGET = Path(__file__).parent.parent / "docs" / "pictures" / "demo.jpg"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        if len(sys.argv) == 1:
            subprocess.run([sys.executable, "-m", "vst", "demo", "--output", temporary], check=True)
        save_picture(TARGET, read_first_picture(str(folder / "demo.png")), quality=88)
    print(TARGET)


if __name__ == "__main__":
    main()

"""The browser's timeline and score reader agree with Python's: vitest compares them on the cases of
tests/data/mixing_cases.json.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = Path(__file__).parent.parent / "browser"
VITEST = BROWSER / "node_modules" / ".bin" / "vitest"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
@pytest.mark.skipif(not VITEST.exists(), reason="needs vitest: run `make test-browser` once")
def test_the_browser_modules_agree_with_python() -> None:
    done = subprocess.run(
        [VITEST, "run"], cwd=BROWSER, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

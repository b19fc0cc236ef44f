"""The paths of the package's data: weights and built-in styles."""

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
WEIGHTS = DATA / "weights"
"""The embedded model's weights."""
BUILTIN_STYLES = DATA / "styles" / "builtin.json"
"""The embeddings of the built-in styles."""

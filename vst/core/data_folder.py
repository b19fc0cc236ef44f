"""The paths of the package's data: weights and built-in styles."""

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"
WEIGHTS = DATA / "weights"
"""The embedded model's weights."""
FAST, FINE = "fast", "fine"
PAINTERS = {FAST: WEIGHTS, FINE: WEIGHTS / FINE}
"""The painters in the package, by name -> their folder of weights."""
BUILTIN_STYLES = DATA / "styles" / "builtin.json"
"""The embeddings of the built-in styles."""


def locate_weights(model: str | Path | None) -> Path:
    """Return the folder of a model of engine ``embedded``: a name of `PAINTERS`, or a folder; None:
    the fast painter's.
    """
    return PAINTERS.get(str(model or FAST)) or Path(str(model))

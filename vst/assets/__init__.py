"""The models that are known, where they lie, how they are fetched and verified.

`known` is the table (files, hashes, licence, authors, handles), `fetch` downloads, `cache` puts
whole models into the cache folder and finds what is broken there.
"""

from vst.assets.cache import (
    Place,
    discard,
    from_folder,
    obtain,
    obtain_handle,
    place_of,
    saved_model_problems,
)
from vst.assets.fetch import PATIENCE, fetch, probe, sha256_of
from vst.assets.hub import resolve_with_hub, speaks_web
from vst.assets.known import (
    HUB_HANDLE,
    MODELS,
    KnownFile,
    KnownModel,
    cache_folder,
    full_handle,
    is_handle,
    known_model,
)

__all__ = [
    "HUB_HANDLE",
    "MODELS",
    "PATIENCE",
    "KnownFile",
    "KnownModel",
    "Place",
    "cache_folder",
    "discard",
    "fetch",
    "from_folder",
    "full_handle",
    "is_handle",
    "known_model",
    "obtain",
    "obtain_handle",
    "place_of",
    "probe",
    "resolve_with_hub",
    "saved_model_problems",
    "sha256_of",
    "speaks_web",
]

"""Models on disk: which ones vst can fetch, where they are stored, how they are verified.

`catalog` lists them (files, hashes, license, authors, handles), `fetch` downloads, `cache` installs
complete models in the cache folder and reports damaged ones.
"""

from vst.assets.cache import (
    ModelFolder,
    discard_model,
    find_model_folder,
    find_saved_model_problems,
    install_from_folder,
    obtain_handle,
    obtain_model,
)
from vst.assets.catalog import (
    HUB_HANDLE,
    MODELS,
    KnownFile,
    KnownModel,
    expand_handle,
    get_cache_folder,
    get_known_model,
    is_handle,
    list_painters,
)
from vst.assets.fetch import PATIENCE, fetch, probe_url
from vst.assets.hub import is_web_handle, resolve_with_hub

__all__ = [
    "HUB_HANDLE",
    "MODELS",
    "PATIENCE",
    "KnownFile",
    "KnownModel",
    "ModelFolder",
    "discard_model",
    "expand_handle",
    "fetch",
    "find_model_folder",
    "find_saved_model_problems",
    "get_cache_folder",
    "get_known_model",
    "install_from_folder",
    "is_handle",
    "is_web_handle",
    "list_painters",
    "obtain_handle",
    "obtain_model",
    "probe_url",
    "resolve_with_hub",
]

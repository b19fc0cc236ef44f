"""The engines, which paint frames: one file each, listed in one table."""

from vst.core.registry import Registry

ENGINES = Registry(
    "engine",
    {
        "embedded": "vst.engines.embedded:EmbeddedEngine",
        "fast": "vst.engines.fast:FastEngine",
        "gatys": "vst.engines.gatys:GatysEngine",
        "magenta": "vst.engines.magenta:MagentaEngine",
        "tint": "vst.engines.tint:TintEngine",
    },
)

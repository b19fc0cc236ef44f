"""Sinks: where painted frames go. One file each; `open_sink` finds the one that writes a path."""

from vst.registry import Registry

SINKS = Registry(
    "sink",
    {
        "video": "vst.sinks.video:VideoSink",
        "gif": "vst.sinks.gif:GifSink",
        "folder": "vst.sinks.folder:FolderSink",
    },
)

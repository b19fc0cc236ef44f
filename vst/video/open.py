"""Open media files safely with PyAV, for sources and sinks."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer

from vst.core.limits import LIMITS
from vst.errors import MediaError, MissingFileError

ANY_SIZE = 2**31 - 1
"""Pixels: no limit, for files whose size was checked before and for vst's own."""

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg,mxf,nut,ivf,wtv,rm,dv,"
    "yuv4mpegpipe,apng,h264,hevc,av1,obu,m4v,mpegvideo,mjpeg,vc1,swf,wav,mp3,aac,flac"
)
"""The formats that FFmpeg may open, by its names: no playlists, which would read other files. The
last four hold only sound; they are opened so that the error can say so.
"""


def open_container(path: Path, max_pixels: int = LIMITS.pixels) -> InputContainer:
    """Open a media file, allowing only the protocol ``file`` and the formats in `FORMATS`.

    Raises `MissingFileError`, and `MediaError` where the file cannot be read.
    """
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        "max_pixels": str(max_pixels),
    }
    try:
        return av.open(f"file:{path}", "r", options=options, metadata_errors="replace")
    except FileNotFoundError as error:
        raise MissingFileError(f"file {str(path)!r} does not exist. Check the path") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{str(path)!r} is not a readable video or picture, or is cut off before its index: "
            f"{describe_error(error)}. Give a video such as mp4, mov, mkv, webm, avi or gif"
        ) from error


def describe_error(error: BaseException) -> str:
    """Return the text of FFmpeg's error in one line, without its number and file name."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split()).rstrip(".")

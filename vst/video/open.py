"""Opening media files safely, with PyAV: what sources and sinks have in common."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer

from vst.core.limits import LIMITS
from vst.errors import MediaError, MissingFileError

ANY_SIZE = 2**31 - 1
"""Pixels, for files whose size has been looked at before, and our own."""

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg,mxf,nut,ivf,wtv,rm,dv,yuv4mpegpipe,apng,"
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg,mxf,nut,ivf,wtv,rm,dv,yuv4mpegpipe,apng,"
    "h264,hevc,av1,obu,m4v,mpegvideo,mjpeg,vc1,swf,wav,mp3,aac,flac"
)
"""The kinds of file that are opened, in FFmpeg's names: none of them is a playlist that reads other
files. The last ones hold sound alone and are there for the message that says so.
"""


def open_container(path: Path, max_pixels: int = LIMITS.pixels) -> InputContainer:
    """Open a video file with no protocol but ``file`` and no playlists; raise `MediaError` where it
    cannot be read.
    """
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        "max_pixels": str(max_pixels),
    }
    try:
        return av.open(f"file:{path}", "r", options=options, metadata_errors="replace")
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {str(path)!r}; check the path") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{str(path)!r} is no video that can be read, or is cut off before its index "
            f"({describe_error(error)}); "
            "give a video such as mp4, mov, mkv, webm, avi or gif"
        ) from error


def describe_error(error: BaseException) -> str:
    """The text of FFmpeg's error without its number and file name, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split()).rstrip(".")

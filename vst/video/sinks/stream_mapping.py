"""What of a content comes along into an output beside the pictures, and how: copied, converted, or
left out with a line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from av.stream import Disposition

from vst.video.open import ANY_SIZE, open_container
from vst.video.sinks.formats import TEXT_SUBTITLES, ContainerFormat

_COVER_CODECS = {"mjpeg": "jpeg", "png": "png"}
# Tags that describe the content's own file and would be wrong in another one.
_STALE_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder")


@dataclass
class StreamMapping:
    """What comes along: ffmpeg's options for the streams of the content, which is its second input,
    and lines on what is left out.
    """

    sound: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    """Options for metadata and chapters."""
    warnings: list[str] = field(default_factory=list)
    audio: int = 0
    subtitles: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    start: float = 0.0
    """Seconds on the file's clock at which its earliest stream starts: ffmpeg's zero."""

    @property
    def options(self) -> list[str]:
        """All options."""
        return [*self.sound, *self.others, *self.about]

    def sound_alone(self) -> StreamMapping:
        """The same without subtitles, covers and attachments."""
        return replace(self, others=[], subtitles=0)

    def nothing(self) -> StreamMapping:
        """The same with no stream at all; metadata and chapters remain."""
        return replace(self, sound=[], others=[], audio=0, subtitles=0)


def map_streams(
    path: Path, kind: ContainerFormat, audio: bool, suffix: str, tempo: str = ""
) -> StreamMapping:
    """Look at the streams of the content at ``path`` and decide what each becomes in a file of
    ``kind``.

    ``tempo``: filters for the sound, where the pictures run at another speed; what goes by the
    content's clock (subtitles, chapters) is left out then.
    """
    carried = StreamMapping()
    with open_container(path, ANY_SIZE) as content:
        carried.start = (content.start_time or 0) / 1_000_000
        carried.tags = {
            key: value for key, value in content.metadata.items() if key.lower() not in _STALE_TAGS
        }
        for stream in content.streams:
            codec = _name_codec(stream)
            if stream.type == "audio" and audio:
                _map_audio(carried, stream, codec, kind, suffix, tempo)
            elif stream.type == "subtitle" and tempo:
                carried.warnings.append("subtitles are left out at another speed")
            elif stream.type == "subtitle":
                _map_subtitle(carried, stream, codec, kind, suffix)
            elif stream.type == "attachment":
                _map_attachment(carried, stream, kind, suffix)
            elif stream.type == "video" and stream.disposition & Disposition.attached_pic:
                _map_cover(carried, stream, codec, kind, suffix)
            elif stream.type == "data" and codec not in ("bin_data", "unknown"):
                carried.warnings.append(f"the content's data stream ({codec}) is left out")
    carried.about = ["-map_metadata", "1", "-map_chapters", "-1" if tempo else "1"]
    for tag in _STALE_TAGS[:3]:
        carried.about += ["-metadata", f"{tag}="]
    return carried


def _name_codec(stream: Any) -> str:
    context = stream.codec_context
    if context is not None:
        return str(context.codec.canonical_name)
    return str(getattr(stream, "name", None) or "unknown")


def _map_audio(
    carried: StreamMapping, stream: Any, codec: str, kind: ContainerFormat, suffix: str, tempo: str
) -> None:
    number = carried.audio
    if tempo and codec != "unknown":
        options = _encode_audio(number, stream, kind.audio_fallback, tempo)
    elif codec in kind.audio:
        options = [f"-c:a:{number}", "copy"]
    elif codec == "unknown":
        carried.warnings.append(
            "a sound track of the content is of an unknown codec; it is left out"
        )
        return
    else:
        options = _encode_audio(number, stream, kind.audio_fallback)
        name = kind.audio_fallback.removeprefix("lib")
        carried.warnings.append(f"{suffix} cannot hold {codec} sound; it was re-encoded as {name}")
    carried.sound += ["-map", f"1:{stream.index}", *options]
    carried.audio += 1


def _encode_audio(number: int, stream: Any, encoder: str, tempo: str = "") -> list[str]:
    """Options that encode one sound track well, with gaps in its times filled so that it stays in
    sync.
    """
    channels = max(1, int(stream.codec_context.channels or 2))
    each = 64 if encoder == "libopus" else 96
    filters = ",".join(["aresample=async=1", *([tempo] if tempo else [])])
    if (
        encoder == "libopus"
    ):  # it knows the layouts of Vorbis alone, and for instance not 5.1 with side speakers
        filters += ",aformat=channel_layouts=7.1|6.1|5.1|5.0|quad|3.0|stereo|mono"
    rate = f"{min(512, max(96, each * channels))}k"
    return [f"-c:a:{number}", encoder, f"-b:a:{number}", rate, f"-filter:a:{number}", filters]


def _map_subtitle(
    carried: StreamMapping, stream: Any, codec: str, kind: ContainerFormat, suffix: str
) -> None:
    number = carried.subtitles
    if codec in kind.subtitles or codec in kind.pictured:
        target = "copy"
    elif codec in TEXT_SUBTITLES:
        target = kind.subtitle_fallback
    else:
        carried.warnings.append(
            f"{suffix} cannot hold {codec} subtitles; they are left out; .mkv holds them"
        )
        return
    carried.others += ["-map", f"1:{stream.index}", f"-c:s:{number}", target]
    carried.subtitles += 1


def _map_attachment(
    carried: StreamMapping, stream: Any, kind: ContainerFormat, suffix: str
) -> None:
    if kind.attachments:
        carried.others += ["-map", f"1:{stream.index}", "-c:t", "copy"]
    else:
        name = stream.metadata.get("filename", "a file")
        carried.warnings.append(
            f"{suffix} cannot hold attachments; {name!r} is left out; .mkv holds it"
        )


def _map_cover(
    carried: StreamMapping, stream: Any, codec: str, kind: ContainerFormat, suffix: str
) -> None:
    if kind.covers and codec in _COVER_CODECS:
        # The second video stream of the output; the first is the painting.
        carried.others += [
            "-map",
            f"1:{stream.index}",
            "-c:v:1",
            "copy",
            "-disposition:v:1",
            "attached_pic",
        ]
    else:
        carried.warnings.append(f"the content's cover picture is left out of {suffix}")

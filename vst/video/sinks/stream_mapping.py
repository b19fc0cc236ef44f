"""Map the content's streams to the output: copy, convert, or leave out with a warning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from av.stream import Disposition

from vst.video.open import ANY_SIZE, open_container
from vst.video.sinks.formats import TEXT_SUBTITLES, ContainerFormat

_COVER_CODECS = {"mjpeg": "jpeg", "png": "png"}
# Tags that describe the content's file and would be wrong in another.
_STALE_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder")


@dataclass
class StreamMapping:
    """ffmpeg's options for the streams of the content, its second input, and warnings on what is
    left out.
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
    """Start of the earliest stream, in seconds on the file's clock: ffmpeg's zero."""

    @property
    def options(self) -> list[str]:
        """All options."""
        return [*self.sound, *self.others, *self.about]

    def keep_sound(self) -> StreamMapping:
        """Return a copy without subtitles, covers and attachments."""
        return replace(self, others=[], subtitles=0)

    def keep_metadata(self) -> StreamMapping:
        """Return a copy without any stream, with metadata and chapters."""
        return replace(self, sound=[], others=[], audio=0, subtitles=0)


def map_streams(
    path: Path, kind: ContainerFormat, audio: bool, suffix: str, tempo: str = ""
) -> StreamMapping:
    """Decide what each stream of the content at ``path`` becomes in a file of ``kind``.

    ``tempo``: filters for the sound where the speed changes; subtitles and chapters, which follow
    the content's clock, are then left out.
    """
    mapping = StreamMapping()
    with open_container(path, ANY_SIZE) as content:
        mapping.start = (content.start_time or 0) / 1_000_000
        mapping.tags = {
            key: value for key, value in content.metadata.items() if key.lower() not in _STALE_TAGS
        }
        for stream in content.streams:
            codec = _name_codec(stream)
            if stream.type == "audio" and audio:
                _map_audio(mapping, stream, codec, kind, suffix, tempo)
            elif stream.type == "subtitle" and tempo:
                mapping.warnings.append("subtitles are left out at another speed")
            elif stream.type == "subtitle":
                _map_subtitle(mapping, stream, codec, kind, suffix)
            elif stream.type == "attachment":
                _map_attachment(mapping, stream, kind, suffix)
            elif stream.type == "video" and stream.disposition & Disposition.attached_pic:
                _map_cover(mapping, stream, codec, kind, suffix)
            elif stream.type == "data" and codec not in ("bin_data", "unknown"):
                mapping.warnings.append(f"the content's data stream ({codec}) is left out")
    mapping.about = ["-map_metadata", "1", "-map_chapters", "-1" if tempo else "1"]
    for tag in _STALE_TAGS[:3]:
        mapping.about += ["-metadata", f"{tag}="]
    return mapping


def _name_codec(stream: Any) -> str:
    context = stream.codec_context
    if context is not None:
        return str(context.codec.canonical_name)
    return str(getattr(stream, "name", None) or "unknown")


def _map_audio(
    mapping: StreamMapping, stream: Any, codec: str, kind: ContainerFormat, suffix: str, tempo: str
) -> None:
    number = mapping.audio
    if tempo and codec != "unknown":
        options = _encode_audio(number, stream, kind.audio_fallback, tempo)
    elif codec in kind.audio:
        options = [f"-c:a:{number}", "copy"]
    elif codec == "unknown":
        mapping.warnings.append(
            "a sound track of the content is of an unknown codec; it is left out"
        )
        return
    else:
        options = _encode_audio(number, stream, kind.audio_fallback)
        name = kind.audio_fallback.removeprefix("lib")
        mapping.warnings.append(
            f"{suffix} does not support {codec} sound; it was re-encoded as {name}"
        )
    mapping.sound += ["-map", f"1:{stream.index}", *options]
    mapping.audio += 1


def _encode_audio(number: int, stream: Any, encoder: str, tempo: str = "") -> list[str]:
    """Return options that encode one sound track and fill gaps in it, so that it stays in sync."""
    channels = max(1, int(stream.codec_context.channels or 2))
    each = 64 if encoder == "libopus" else 96
    filters = ",".join(["aresample=async=1", *([tempo] if tempo else [])])
    if (
        encoder == "libopus"
    ):  # it supports only Vorbis's channel layouts, and not 5.1 with side speakers, for one
        filters += ",aformat=channel_layouts=7.1|6.1|5.1|5.0|quad|3.0|stereo|mono"
    rate = f"{min(512, max(96, each * channels))}k"
    return [f"-c:a:{number}", encoder, f"-b:a:{number}", rate, f"-filter:a:{number}", filters]


def _map_subtitle(
    mapping: StreamMapping, stream: Any, codec: str, kind: ContainerFormat, suffix: str
) -> None:
    number = mapping.subtitles
    if codec in kind.subtitles or codec in kind.bitmap_subtitles:
        target = "copy"
    elif codec in TEXT_SUBTITLES:
        target = kind.subtitle_fallback
    else:
        mapping.warnings.append(
            f"{suffix} does not support {codec} subtitles; they are left out (.mkv supports them)"
        )
        return
    mapping.others += ["-map", f"1:{stream.index}", f"-c:s:{number}", target]
    mapping.subtitles += 1


def _map_attachment(
    mapping: StreamMapping, stream: Any, kind: ContainerFormat, suffix: str
) -> None:
    if kind.attachments:
        mapping.others += ["-map", f"1:{stream.index}", "-c:t", "copy"]
    else:
        name = stream.metadata.get("filename", "a file")
        mapping.warnings.append(
            f"{suffix} does not support attachments; {name!r} is left out (.mkv supports them)"
        )


def _map_cover(
    mapping: StreamMapping, stream: Any, codec: str, kind: ContainerFormat, suffix: str
) -> None:
    if kind.covers and codec in _COVER_CODECS:
        # The second video stream of the output; the first holds the painted frames.
        mapping.others += [
            "-map",
            f"1:{stream.index}",
            "-c:v:1",
            "copy",
            "-disposition:v:1",
            "attached_pic",
        ]
    else:
        mapping.warnings.append(f"the content's cover picture is left out of {suffix}")

"""What each file format supports, and the encoder options of each codec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vst.core.registry import make_unknown_error
from vst.errors import UsageError


@dataclass(frozen=True)
class Encoder:
    """One codec: its encoder in ffmpeg, its options, and its pixel format.

    ``crf``: default quality, None for codecs without one. ``pixels_odd``: pixel format where a side
    is odd and ``pixels`` does not support that. ``track``: format of the temporary picture track.
    """

    encoder: str
    options: tuple[str, ...]
    pixels: str
    crf: int | None = None
    highest_crf: int = 51
    pixels_odd: str | None = None
    track: str = "mp4"
    alpha: str | None = None
    """Pixel format with opacity, where the codec has one."""
    deep: str | None = None
    """Pixel format of more than 8 bits, where the codec has one; ``deep_odd``: for odd sizes."""
    deep_odd: str | None = None
    deep_alpha: str | None = None
    """Pixel format of more than 8 bits with opacity."""
    alpha_options: tuple[str, ...] = ()
    in_order: tuple[str, ...] = ()
    """Options that disable reordering, so that each packet of MP4 lasts as long as its frame."""

    def choose_track(self, alpha: bool) -> str:
        """Return the format of the temporary track: MP4 has no opacity of VP9."""
        return "matroska" if alpha and self.track == "mp4" else self.track

    def choose_pixels(self, odd: bool, alpha: bool, deep: bool) -> str:
        """Return the pixel format, for odd sizes, opacity and more than 8 bits a color."""
        if alpha and self.alpha is not None:
            return (self.deep_alpha if deep else None) or self.alpha
        if deep and self.deep is not None:
            return (self.deep_odd if odd else None) or self.deep
        return (self.pixels_odd if odd else None) or self.pixels

    @property
    def is_rgb(self) -> bool:
        """Whether the pictures stay RGB, without conversion to YUV."""
        return self.pixels in ("bgr0", "gbrp", "rgb24")


ENCODERS = {
    # `veryfast` at CRF 18: visually lossless, three times as fast as `medium`, 10 % larger.
    "h264": Encoder("libx264", ("-preset", "veryfast"), "yuv420p", crf=18, in_order=("-bf", "0")),
    "hevc": Encoder(
        "libx265",
        ("-preset", "fast", "-tag:v", "hvc1", "-x265-params", "log-level=error"),
        "yuv420p",
        crf=20,
        pixels_odd="yuv444p",
        deep="yuv420p10le",
        deep_odd="yuv444p10le",
        in_order=("-x265-params", "log-level=error:bframes=0"),
    ),
    "vp9": Encoder(
        "libvpx-vp9",
        ("-b:v", "0", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1"),
        "yuv420p",
        crf=24,
        highest_crf=63,
        alpha="yuva420p",
        deep="yuv420p10le",
        alpha_options=("-auto-alt-ref", "0", "-metadata:s:v:0", "alpha_mode=1"),
    ),
    "vp8": Encoder(
        "libvpx",
        ("-b:v", "20M", "-deadline", "good", "-cpu-used", "5"),
        "yuv420p",
        crf=8,
        highest_crf=63,
        track="matroska",
    ),
    "prores": Encoder(
        "prores_ks",
        ("-profile:v", "hq", "-vendor", "apl0"),
        "yuv422p10le",
        pixels_odd="yuv444p10le",
        deep="yuv422p10le",
        deep_odd="yuv444p10le",
        track="mov",
    ),
    "prores4444": Encoder(
        "prores_ks",
        ("-profile:v", "4444", "-vendor", "apl0"),
        "yuv444p10le",
        track="mov",
        alpha="yuva444p10le",
        deep="yuv444p10le",
    ),
    "ffv1": Encoder(
        "ffv1",
        ("-level", "3", "-slicecrc", "1"),
        "bgr0",
        track="matroska",
        alpha="bgra",
        deep="gbrp16le",
        deep_alpha="gbrap16le",
    ),
}
"""Codecs by the names that users give."""


@dataclass(frozen=True)
class ContainerFormat:
    """One video file format.

    ``codecs``: supported video codecs, the default first. ``audio``: sound codecs that are copied;
    others are re-encoded as ``audio_fallback``. ``subtitles`` likewise for text subtitles;
    ``bitmap_subtitles``: supported bitmap subtitles. ``muxer``: ffmpeg's name of the format.
    """

    muxer: str
    codecs: tuple[str, ...]
    audio: frozenset[str]
    audio_fallback: str
    subtitles: frozenset[str]
    subtitle_fallback: str
    bitmap_subtitles: frozenset[str] = frozenset()
    attachments: bool = False
    covers: bool = False
    options: tuple[str, ...] = ()


TEXT_SUBTITLES = frozenset(
    {"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text", "ttml", "microdvd", "subviewer"}
)

_PCM = frozenset(
    {
        "pcm_s16le",
        "pcm_s24le",
        "pcm_s32le",
        "pcm_s16be",
        "pcm_s24be",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_u8",
    }
)
_MP4 = ContainerFormat(
    muxer="mp4",
    codecs=("h264", "hevc", "vp9"),
    audio=frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    audio_fallback="aac",
    subtitles=frozenset({"mov_text"}),
    subtitle_fallback="mov_text",
    covers=True,
    options=("-movflags", "+faststart"),
)
_MOV = ContainerFormat(
    muxer="mov",
    codecs=("h264", "hevc", "prores", "prores4444"),
    audio=frozenset({"aac", "mp3", "ac3", "eac3", "alac"}) | _PCM,
    audio_fallback="aac",
    subtitles=frozenset({"mov_text"}),
    subtitle_fallback="mov_text",
    options=("-movflags", "+faststart"),
)
_MKV = ContainerFormat(
    muxer="matroska",
    codecs=("h264", "hevc", "vp9", "vp8", "ffv1", "prores", "prores4444"),
    audio=frozenset(
        {
            "aac",
            "mp3",
            "mp2",
            "ac3",
            "eac3",
            "dts",
            "truehd",
            "flac",
            "alac",
            "opus",
            "vorbis",
            "wavpack",
        }
    )
    | (_PCM - {"pcm_f32be"}),
    audio_fallback="aac",
    subtitles=frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "text"}),
    subtitle_fallback="subrip",
    bitmap_subtitles=frozenset({"dvd_subtitle", "hdmv_pgs_subtitle", "dvb_subtitle"}),
    attachments=True,
)
_WEBM = ContainerFormat(
    muxer="webm",
    codecs=("vp9", "vp8"),
    audio=frozenset({"opus", "vorbis"}),
    audio_fallback="libopus",
    subtitles=frozenset({"webvtt"}),
    subtitle_fallback="webvtt",
)

CONTAINERS = {".mp4": _MP4, ".m4v": _MP4, ".mov": _MOV, ".mkv": _MKV, ".webm": _WEBM}
"""File formats by suffix."""


def choose_format(
    path: Path, codec: str | None, crf: int | None
) -> tuple[ContainerFormat, str, int | None]:
    """Return the file format, the codec's name and the CRF of an output. Raises `UsageError` where
    they do not fit together.
    """
    kind = CONTAINERS[path.suffix.lower()]
    name = codec or kind.codecs[0]
    if name not in ENCODERS:
        raise make_unknown_error("codec", name, ENCODERS)
    if name not in kind.codecs:
        fitting = ", ".join(suffix for suffix, each in CONTAINERS.items() if name in each.codecs)
        raise UsageError(
            f"codec {name!r}: {path.suffix} supports only {', '.join(kind.codecs)}. For {name} "
            f"give a name in {fitting}"
        )
    encoder = ENCODERS[name]
    if crf is None:
        return kind, name, encoder.crf
    if encoder.crf is None:
        raise UsageError(f"crf {crf}: the codec {name} has no quality setting. Leave it out")
    if not 0 <= crf <= encoder.highest_crf:
        raise UsageError(
            f"crf {crf} is out of range for {name}. Give 0 (best) to {encoder.highest_crf}"
        )
    return kind, name, crf

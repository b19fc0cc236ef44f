"""Arrange pictures with labels: contact sheets, grids, swatches, the demo's sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from vst.core.types import Picture
from vst.errors import UsageError
from vst.imaging.resize import resize
from vst.plotting.basics import DARK, LIGHT, Theme, make_canvas, shorten, write_text, write_upward


def crop_to_fill(picture: Picture, width: int, height: int) -> Picture:
    """Scale the picture to fill ``width`` x ``height`` and crop the rest evenly on both sides."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    larger = resize(
        picture,
        max(width, round(picture.shape[1] * scale)),
        max(height, round(picture.shape[0] * scale)),
    )
    left, top = (larger.shape[1] - width) // 2, (larger.shape[0] - height) // 2
    return larger[top : top + height, left : left + width]


def _paste(canvas: Picture, picture: Picture, x: int, y: int, theme: Theme) -> None:
    """Paste a picture on the canvas, with slightly rounded corners."""
    height, width = picture.shape[:2]
    radius = min(5, height // 8, width // 8)
    mask = np.zeros((height * 4, width * 4), np.uint8)
    if radius:
        ends = ((radius, 0, width - radius, height), (0, radius, width, height - radius))
        for left, top, right, bottom in ends:
            cv2.rectangle(mask, (left * 4, top * 4), (right * 4 - 1, bottom * 4 - 1), 255, -1)
        for cx, cy in (
            (radius, radius),
            (width - radius, radius),
            (radius, height - radius),
            (width - radius, height - radius),
        ):
            cv2.circle(mask, (cx * 4, cy * 4), radius * 4, 255, -1)
    else:
        mask[:] = 255
    part = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)[..., None] / np.float32(
        255
    )
    canvas[y : y + height, x : x + width] = np.round(
        picture * part + np.array(theme.background) * (1 - part)
    ).astype(np.uint8)


def _write_title(canvas: Picture, title: str, margin: int, theme: Theme) -> None:
    room = canvas.shape[1] - 2 * margin
    write_text(canvas, shorten(title, 26, room), (margin, margin - 6), 26, theme.ink)


def draw_sheet(
    rows: Sequence[Sequence[Picture]],
    labels: Sequence[Sequence[str]] | None = None,
    *,
    captions: Sequence[str] | None = None,
    title: str = "",
    width: int = 1280,
    tallest: int = 260,
) -> Picture:
    """Draw a contact sheet: each row of pictures (any sizes) fills ``width`` pixels.

    ``labels``: a text under each picture, in rows like ``rows``. ``captions``: one line above each
    row. ``tallest``: largest height of a row; a row that reaches it does not fill the width.
    """
    if not rows or not all(rows):
        raise UsageError("a row of the sheet has no pictures. Give at least one in every row")
    theme = LIGHT
    margin, gap, text = 28, 12, 15
    room = width - 2 * margin
    heights = []
    for row in rows:
        shapes = sum(picture.shape[1] / picture.shape[0] for picture in row)
        heights.append(max(8, min(tallest, int((room - gap * (len(row) - 1)) / shapes))))
    above = 30 if captions else 0
    below = 26 if labels else 0
    top = margin + (46 if title else 0)
    total = top + sum(heights) + len(rows) * (above + below) + (len(rows) - 1) * gap + margin
    canvas = make_canvas(total, width, theme)
    _write_title(canvas, title, margin, theme)
    y = top
    for number, (row, high) in enumerate(zip(rows, heights)):
        if captions:
            write_text(canvas, shorten(captions[number], 17, room), (margin, y), 17, theme.ink)
            y += above
        x = margin
        for place, picture in enumerate(row):
            wide = max(1, int(high * picture.shape[1] / picture.shape[0]))
            _paste(canvas, resize(picture, wide, high), x, y, theme)
            if labels:
                label = shorten(labels[number][place], text, wide)
                write_text(canvas, label, (x + wide / 2, y + high + 5), text, theme.faint, "ma")
            x += wide + gap
        y += high + below + gap
    return canvas


def draw_grid(
    pictures: Sequence[Sequence[Picture]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    corner: Sequence[Picture] | None = None,
    heads: Sequence[Picture] | None = None,
    cell: tuple[int, int] = (240, 160),
) -> Picture:
    """Draw a table of pictures: contents down (``row_labels``), styles across (``column_labels``).

    ``corner``: the content pictures, in an extra column at the left. ``heads``: the style pictures,
    in an extra row on top. ``cell``: width and height of one picture in pixels; pictures are
    cropped to fill it.
    """
    _check_table(pictures, row_labels, column_labels)
    theme = LIGHT
    margin, gap, text = 28, 10, 16
    wide, high = cell
    side = 30  # for the row labels, turned
    left = margin + side + (wide + 2 * gap if corner is not None else 0)
    top = margin + (high // 2 + gap if heads is not None else 0) + 28
    canvas = make_canvas(
        top + len(pictures) * (high + gap) - gap + margin,
        left + len(column_labels) * (wide + gap) - gap + margin,
        theme,
    )
    for column, label in enumerate(column_labels):
        x = left + column * (wide + gap)
        if heads is not None:
            head = crop_to_fill(heads[column], wide, high // 2)
            _paste(canvas, head, x, top - 24 - gap - high // 2, theme)
        write_text(
            canvas, shorten(label, text, wide), (x + wide / 2, top - 26), text, theme.ink, "ma"
        )
    for row, label in enumerate(row_labels):
        y = top + row * (high + gap)
        label, middle = shorten(label, text, high), y + high / 2
        write_upward(canvas, label, (margin + 8, middle), text, theme.ink)
        if corner is not None:
            _paste(canvas, crop_to_fill(corner[row], wide, high), margin + side, y, theme)
        for column, picture in enumerate(pictures[row]):
            _paste(
                canvas, crop_to_fill(picture, wide, high), left + column * (wide + gap), y, theme
            )
    return canvas


def _check_table(
    pictures: Sequence[Sequence[Picture]], row_labels: Sequence[str], column_labels: Sequence[str]
) -> None:
    if len(pictures) != len(row_labels) or any(len(row) != len(column_labels) for row in pictures):
        shape = f"{len(pictures)} rows of {sorted({len(row) for row in pictures})} pictures"
        raise UsageError(
            f"{shape} for {len(row_labels)} row and {len(column_labels)} column labels. "
            "Give one picture for each pair"
        )


def draw_swatches(
    pictures: Mapping[str, Picture],
    *,
    columns: int = 6,
    cell: tuple[int, int] = (200, 150),
    title: str = "",
    dark: bool = False,
) -> Picture:
    """Draw pictures in equal cells, each with its name below; ``cell``: width and height of one
    picture in pixels.
    """
    if not pictures:
        raise UsageError("there are no pictures for the swatches. Give at least one, by name")
    theme = DARK if dark else LIGHT
    margin, gap, text, below = 28, 14, 16, 26
    wide, high = cell
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    top = margin + (46 if title else 0)
    canvas = make_canvas(
        top + rows * (high + below + gap) - gap + margin - 6,
        2 * margin + columns * (wide + gap) - gap,
        theme,
    )
    _write_title(canvas, title, margin, theme)
    for number, (name, picture) in enumerate(pictures.items()):
        row, column = divmod(number, columns)
        x, y = margin + column * (wide + gap), top + row * (high + below + gap)
        _paste(canvas, crop_to_fill(picture, wide, high), x, y, theme)
        write_text(
            canvas, shorten(name, text, wide), (x + wide / 2, y + high + 4), text, theme.ink, "ma"
        )
    return canvas


def draw_demo_sheet(
    keyframes: Sequence[tuple[float, Picture]],
    contents: Sequence[tuple[float, Picture]],
    paintings: Sequence[Picture],
    *,
    title: str = "",
    width: int = 1280,
) -> Picture:
    """Draw keyframes above content frames and their paintings, all with their times in seconds."""
    if len(contents) != len(paintings):
        raise UsageError(
            f"{len(contents)} content frames and {len(paintings)} paintings. "
            "Give one painting for each frame"
        )
    rows = [
        [picture for _, picture in keyframes],
        [picture for _, picture in contents],
        list(paintings),
    ]
    times = [time for time, _ in contents]
    labels = [
        [format_label_time(time) for time, _ in keyframes],
        [format_label_time(time) for time in times],
        [format_label_time(time) for time in times],
    ]
    captions = ["Style keyframes", "Content", "Painted"]
    return draw_sheet(rows, labels, captions=captions, title=title, width=width)


def format_label_time(seconds: float) -> str:
    """Format a time: '12.34 s', from a minute on '1:02.5'."""
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"

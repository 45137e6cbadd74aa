"""Pictures for files: a painted tissue with its text as pixels (PNG), and a row of them over time (GIF, MP4)."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from abm.errors import ConfigError
from abm.view.server.colours import LEVELS
from abm.view.server.painting import PER_ROW, Bar, Picture
from abm.view.style import DARK, WHITE, scale_length
from abm.view.text import number

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

MARGIN, TOP, BAR_HEIGHT = 12, 34, 52


@cache
def font(size: int) -> FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)


def print_pictures(pictures: Sequence[Picture]) -> Image:
    """Pictures in rows of at most `PER_ROW`, each with its caption, regions, scale and colour bars.

    ConfigError where there are none.
    """
    from PIL import Image, ImageDraw

    if not pictures:
        raise ConfigError("there is no tissue to show yet")

    high, wide = (max(sizes) for sizes in zip(*(picture.pixels.shape for picture in pictures), strict=True))
    across = min(len(pictures), PER_ROW)
    row = TOP + high + 8 + BAR_HEIGHT * max(len(picture.bars) for picture in pictures)
    sheet = Image.new("RGB", (across * (wide + MARGIN) + MARGIN, row * -(-len(pictures) // across)), WHITE)
    draw = ImageDraw.Draw(sheet)
    for place, picture in enumerate(pictures):
        left = MARGIN + place % across * (wide + MARGIN)
        _draw_picture(sheet, draw, picture, left, place // across * row + TOP)
    return sheet


def _draw_picture(sheet: Image, draw: ImageDraw, picture: Picture, left: int, top: int) -> None:
    from PIL import Image

    rows, columns = picture.pixels.shape
    sheet.paste(Image.fromarray(picture.colours[picture.pixels]), (left, top))
    draw.text((left, top - 26), _shortened(draw, picture.caption, columns), DARK, font(16))
    for name, x, y in picture.labels:
        ink, edge = picture.ink
        draw.text((left + x, top + y), name, ink, font(18), anchor="mm", stroke_width=2, stroke_fill=edge)
    _draw_scale(draw, picture, left + columns, top + rows)
    for place, bar in enumerate(picture.bars):
        _draw_bar(sheet, draw, picture, bar, left, top + rows + 8 + place * BAR_HEIGHT, columns)


def _shortened(draw: ImageDraw, caption: str, width: int) -> str:
    """A caption without what would lie over its neighbour; its end, which says when, stays."""
    head, comma, when = caption.rpartition(",") if "," in caption else (caption, "", "")
    text = caption
    while head and draw.textlength(text, font(16)) > width:
        head = head[:-1]
        text = f"{head}…{comma}{when}"
    return text


def _draw_scale(draw: ImageDraw, picture: Picture, right: int, bottom: int) -> None:
    length = scale_length(picture.size[0])
    start = right - 12 - round(length / picture.size[0] * picture.pixels.shape[1])
    ink, edge = picture.ink
    draw.rectangle((start - 1, bottom - 15, right - 11, bottom - 9), edge)
    draw.rectangle((start, bottom - 14, right - 12, bottom - 10), ink)
    place = ((start + right - 12) / 2, bottom - 18)
    draw.text(place, f"{length:g} µm", ink, font(14), anchor="mb", stroke_width=2, stroke_fill=edge)


def _draw_bar(sheet: Image, draw: ImageDraw, picture: Picture, bar: Bar, x: int, y: int, width: int) -> None:
    from PIL import Image

    shades = bar.first + np.arange(width) * LEVELS // width
    draw.text((x, y), ("neurons: " if bar.first else "field: ") + bar.title, DARK, font(13))
    sheet.paste(Image.fromarray(np.tile(picture.colours[shades], (12, 1, 1))), (x, y + 20))
    draw.rectangle((x, y + 20, x + width - 1, y + 31), outline=DARK)
    for share, anchor in ((0.0, "lt"), (0.5, "mt"), (1.0, "rt")):
        value = bar.ends[0] + share * (bar.ends[1] - bar.ends[0])
        draw.text((x + share * (width - 1), y + 36), number(value), DARK, font(12), anchor=anchor)


def png_file(pictures: Sequence[Picture]) -> bytes:
    """Pictures side by side as a PNG file."""
    stream = io.BytesIO()
    print_pictures(pictures).save(stream, "png")
    return stream.getvalue()


def movie_file(frames: Iterable[Image], seconds: float = 1.0) -> bytes:
    """Frames as an animated GIF, each shown for `seconds`; equal frames give equal files."""
    stream = io.BytesIO()
    first, *others = [frame.quantize(255) for frame in frames]
    first.save(stream, "gif", save_all=True, append_images=others, duration=round(1000 * seconds), loop=0, disposal=1)
    return stream.getvalue()


def write_movie(frames: Iterable[Image], path: Path, seconds: float = 1.0) -> Path:
    """As `movie_file`, written to a file in one move."""
    from abm.study.store import write_atomically

    content = movie_file(frames, seconds)
    write_atomically(path, lambda draft: _write(draft, content))
    return path


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def write_video(gif: Path) -> Path | None:
    """The same as MP4 beside it, where ffmpeg is installed; None elsewhere."""
    tool = shutil.which("ffmpeg")
    if tool is None:
        return None
    path = gif.with_suffix(".mp4")
    even = "scale=trunc(iw/2)*2:trunc(ih/2)*2"
    command = [tool, "-y", "-loglevel", "error", "-i", str(gif), "-vf", even, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True)
    return path

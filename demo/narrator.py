"""The narrator: prints the story with the time since its beginning, in colour only where a terminal asks for it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE_WIDTH: Final = 132
# rich's own picture loads its font from a server; a README must show without one.
_SVG: Final = """<svg class="rich-terminal" xml:space="preserve" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px; }} {styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" \
height="{terminal_height}"/></clipPath>{lines}</defs>{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""
_STYLES: Final = {
    "PROMOTED": "bold green",
    "TAKEN BACK": "bold red",
    "BLOCKED": "bold red",
    "gates": "cyan",
    "weight": "cyan",
    "mirror": "cyan",
}


class Narrator:
    """Says lines; each event bears the time since the beginning, what belongs to it is indented."""

    def __init__(self) -> None:
        # Piped, rich would fold lines at 80 columns; a log is read by grep.
        self._console = Console(highlight=False, soft_wrap=True)
        self._picture = Console(record=True, highlight=False, file=io.StringIO(), width=PICTURE_WIDTH)
        self._started = time.monotonic()

    def headline(self, text: str) -> None:
        """A chapter."""
        self._print([Text(""), Text(text, style="bold")])

    def say(self, text: str, *more: str, passing: bool = False) -> None:
        """Something that happened now, with lines that belong to it; what is only passing stays off the picture."""
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        style = next((style for word, style in _STYLES.items() if text.startswith(word)), "")
        line = Text.assemble((f"{minutes:3d}:{seconds:02d}  ", "dim"), (text, style))
        self._print([line, *map(_belonging, more)], passing=passing)

    def add(self, *lines: str) -> None:
        """What belongs to the line before."""
        self._print(map(_belonging, lines))

    def save_picture(self, path: Path, *, title: str) -> None:
        """Writes what was said as an SVG."""
        self._picture.save_svg(str(path), title=title, theme=MONOKAI, code_format=_SVG)

    def _print(self, lines: Iterable[Text], *, passing: bool = False) -> None:
        for line in lines:
            self._console.print(line)
            if not passing:
                self._picture.print(line)


def _belonging(line: str) -> Text:
    return Text(f"        {line}", style="dim" if line.startswith("$") else "")

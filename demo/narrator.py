"""The narrator: prints the story with the time since its beginning, in colour only where a terminal asks for it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import MONOKAI

WIDTH: Final = 118
# rich's own picture loads its font from a server; a README must show without one.
_SVG: Final = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
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
    "weight": "cyan",
    "mirror": "cyan",
}


class Narrator:
    """Says lines; each event bears the time since the beginning, what belongs to it is indented."""

    def __init__(self) -> None:
        # Piped, rich would fold lines at 80 columns; a log is read by grep.
        self._console = Console(record=True, highlight=False, soft_wrap=True, width=WIDTH)
        self._started = time.monotonic()

    def headline(self, text: str) -> None:
        """A chapter."""
        self._console.print(f"\n{text}", style="bold", markup=False)

    def say(self, text: str) -> None:
        """Something that happened now."""
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        style = next((style for word, style in _STYLES.items() if text.startswith(word)), None)
        self._console.print(f"{minutes:3d}:{seconds:02d}  ", end="", style="dim")
        self._console.print(text, style=style, markup=False)

    def add(self, lines: Iterable[str]) -> None:
        """What belongs to the line before."""
        for line in lines:
            self._console.print(
                f"        {line}", style="dim" if line.startswith("$") else None, markup=False
            )

    def save_picture(self, path: Path, *, title: str) -> None:
        """Writes all that was said as an SVG."""
        self._console.save_svg(str(path), title=title, theme=MONOKAI, code_format=_SVG)

"""The colours that charts draw with, one palette per theme; `assets/loglake.css` holds the same for everything else.

The level colours were searched for contrast of at least 3:1 on the panel and the greatest distance under normal,
protanopic, deuteranopic and tritanopic sight; a test compares them with the style sheet.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Theme:
    """Literal colours: Plotly takes no CSS variables."""

    name: str
    panel: str
    text: str
    muted: str
    line: str
    accent: str
    missing: str
    levels: Mapping[str, str]
    services: tuple[str, ...]
    heat: tuple[str, ...]


LIGHT = Theme(
    "light",
    panel="#FFFFFF",
    text="#1B2430",
    muted="#5C6773",
    line="#E4E8ED",
    accent="#1E6FAB",
    missing="#EEF1F4",
    levels={"CRITICAL": "#771B55", "ERROR": "#B23922", "WARNING": "#D67E18", "INFO": "#1E6FAB", "DEBUG": "#35A2AD"},
    services=("#1E6FAB", "#B23922", "#35A2AD", "#D67E18", "#771B55", "#6B7A8C"),
    heat=("#FFFFFF", "#D8E7F3", "#93BEDD", "#4A90C2", "#1E6FAB", "#12486F"),
)
DARK = Theme(
    "dark",
    panel="#14181D",
    text="#E4E9EF",
    muted="#93A0AE",
    line="#262D36",
    accent="#6C9BE8",
    missing="#1D232A",
    levels={"CRITICAL": "#D6B3F8", "ERROR": "#E43524", "WARNING": "#FDB907", "INFO": "#4E76C2", "DEBUG": "#67BFA2"},
    services=("#6C9BE8", "#E43524", "#67BFA2", "#FDB907", "#D6B3F8", "#8A97A6"),
    heat=("#14181D", "#1B2C47", "#27508A", "#4E76C2", "#8FB0EC", "#E3ECFC"),
)
UNKNOWN = {"light": "#7E7A6F", "dark": "#676A6A"}


def theme_of(name: str | None) -> Theme:
    """Return the theme so named; the light one for anything else."""
    return DARK if name == "dark" else LIGHT


def level_colour(theme: Theme, level: str) -> str:
    """Return a level's colour; grey for a level that the schema does not know."""
    return theme.levels.get(level, UNKNOWN[theme.name])

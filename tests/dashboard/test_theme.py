"""The palettes: seen on their panels, told apart by every kind of sight, and the same in the style sheet."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import dashboard
from catalog.schema import LEVELS
from dashboard.theme import DARK, LIGHT, UNKNOWN, Theme, level_colour, theme_of

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
SIGHTS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What dichromats see of linear sRGB: Machado, Oliveira and Fernandes 2009, severity 1."""
D65 = np.array([0.95047, 1.0, 1.08883])
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.119192, 0.9503041]]
)
APART = 15.0
"""The least CIEDE2000 distance of two levels under any sight; side by side about 1 is just noticed."""


def _linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _contrast(first: str, second: str) -> float:
    """WCAG 2.2's contrast ratio."""
    dark, light = sorted(float(TO_XYZ[1] @ _linear(colour)) for colour in (first, second))
    return (light + 0.05) / (dark + 0.05)


def _lab(colour: str, sight: str) -> np.ndarray:
    seen = np.clip(np.asarray(SIGHTS[sight]) @ _linear(colour), 0, 1)
    scaled = TO_XYZ @ seen / D65
    x, y, z = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """CIEDE2000 as Sharma, Wu and Dalal give it, with all weights 1."""
    chroma = (np.hypot(*first[1:]) + np.hypot(*second[1:])) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25**7)))
    (c1, h1), (c2, h2) = (
        (np.hypot(a * stretch, b), np.degrees(np.arctan2(b, a * stretch)) % 360) for a, b in (first[1:], second[1:])
    )
    turn = (h2 - h1 + 180) % 360 - 180
    hue, c, light = (h1 + turn / 2) % 360, (c1 + c2) / 2, (first[0] + second[0]) / 2
    weight = 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.2 * _cos(4 * hue - 63)
    by_light = (second[0] - first[0]) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    by_chroma = (c2 - c1) / (1 + 0.045 * c)
    by_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * c * weight)
    rotation = -2 * np.sqrt(c**7 / (c**7 + 25**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    return float(np.sqrt(by_light**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue))


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def test_distance_is_that_of_the_published_examples() -> None:
    assert _distance(np.array([50, 2.6772, -79.7751]), np.array([50, 0, -82.7485])) == pytest.approx(2.0425, abs=1e-4)
    assert _distance(np.array([50, 2.5, 0]), np.array([73, 25, -18])) == pytest.approx(27.1492, abs=1e-4)
    assert _distance(np.array([22.7233, 20.0904, -46.694]), np.array([23.0331, 14.973, -42.5619])) == pytest.approx(
        2.0373, abs=1e-4
    )


def test_contrast_of_black_on_white_is_wcags() -> None:
    assert _contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert _contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@THEMES
def test_every_level_has_a_colour_of_its_own_and_what_is_no_level_is_grey(theme: Theme) -> None:
    assert set(theme.levels) == set(LEVELS)
    assert len({*theme.levels.values(), UNKNOWN[theme.name]}) == len(LEVELS) + 1
    assert level_colour(theme, "LOUD") == UNKNOWN[theme.name]
    assert theme_of(theme.name) is theme


@THEMES
def test_graphics_are_seen_and_words_are_read_on_the_panel(theme: Theme) -> None:
    for colour in (*theme.levels.values(), *theme.services, theme.accent, UNKNOWN[theme.name]):
        assert _contrast(colour, theme.panel) >= 3, colour
    for colour in (theme.text, theme.muted):
        assert _contrast(colour, theme.panel) >= 4.5, colour


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_levels_are_told_apart_by_every_kind_of_sight(theme: Theme, sight: str) -> None:
    for first, second in itertools.combinations(theme.levels.values(), 2):
        assert _distance(_lab(first, sight), _lab(second, sight)) >= APART, (first, second)


@THEMES
def test_heat_grows_steadily_away_from_the_panel(theme: Theme) -> None:
    contrasts = [_contrast(colour, theme.panel) for colour in theme.heat]
    assert contrasts == sorted(contrasts)
    assert contrasts[0] == 1


@THEMES
def test_style_sheet_holds_the_same_colours(theme: Theme) -> None:
    sheet = (Path(str(dashboard.__file__)).parent / "assets" / "loglake.css").read_text().upper()
    block = re.search(rf'\[DATA-BS-THEME="{theme.name.upper()}"\] {{(.*?)}}', sheet, re.DOTALL)
    assert block
    declared = dict(re.findall(r"--([A-Z-]+): (#[0-9A-F]{6})", block[1]))
    named = {name: getattr(theme, name) for name in ("panel", "text", "muted", "line", "accent")}
    wanted = named | {f"level-{level}": colour for level, colour in theme.levels.items()}
    assert {name: declared[name.upper()] for name in wanted} == wanted

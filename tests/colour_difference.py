"""How different two colours look: CIEDE2000, in normal sight and as deuteranopes and protanopes see them.

Sources: G. Sharma, W. Wu and E. Dalal, "The CIEDE2000 Color-Difference Formula" (2005), whose test pairs the
tests recompute; G. Machado, M. Oliveira and L. Fernandes, "A Physiologically-based Model for Simulation of
Color Vision Deficiency" (2009), severity 1.
"""

from __future__ import annotations

import numpy as np

_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
SIGHT = {
    "normal": np.eye(3),
    "deuteranope": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanope": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}


def _linear(colour: str) -> np.ndarray:
    coded = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def seen(colour: str, sight: str) -> str:
    """Return what a colour looks like to somebody with another sight, or in ``grey``."""
    linear = _linear(colour)
    linear = np.full(3, linear @ _XYZ[1]) if sight == "grey" else np.clip(SIGHT[sight] @ linear, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * part):02x}" for part in coded)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, by the Web Content Accessibility Guidelines 2.1."""
    low, high = sorted(float(_linear(colour) @ _XYZ[1]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, sight: str = "normal") -> np.ndarray:
    """Return CIE L*a*b* of an sRGB colour under D65."""
    x = _XYZ @ np.clip(SIGHT[sight] @ _linear(colour), 0, 1) / _WHITE
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return CIEDE2000 between two colours in L*a*b*."""
    chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    (l1, a1, b1), (l2, a2, b2) = one, other
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    hue_step = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    if c1 * c2 == 0:
        hue = h1 + h2
    elif abs(h1 - h2) <= 180:
        hue = (h1 + h2) / 2
    else:
        hue = (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    weight = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    of_l = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2))
    of_c, of_h = (c2 - c1) / (1 + 0.045 * chroma), hue_step / (1 + 0.015 * chroma * weight)
    blue = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    mixed = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(blue))
    return float(np.sqrt(of_l**2 + of_c**2 + of_h**2 + mixed * of_c * of_h))

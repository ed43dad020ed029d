// What colours stand for, in light, in dark and in print.
/** @import {Colour} from "../types.js" */

/** The colours of a theme: `lines` for what is drawn, `text` for letters, which need more contrast.
 * @typedef {{name: ThemeName, lines: Record<Colour, string>, text: Record<Colour, string>, font: string}} Theme
 */
/** @typedef {"light" | "dark" | "print"} ThemeName */

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

/** @type {Colour[]} */
const COLOUR_NAMES = [
  "ink", "quiet", "grid", "ground", "panel", "loss", "path", "rival", "tangent", "secant", "minimum", "maximum",
  "saddle", "left", "right", "limit", "accent", "converged", "cycling", "diverged", "moving", "nonfinite", "stalled",
];

/**
 * @param {ThemeName} name
 * @param {string} lines colours in the order of the names, without #
 * @param {string} text the same for letters; "-" where letters take the colour of lines
 * @returns {Theme}
 */
function themeFrom(name, lines, text) {
  const drawn = lines.split(" "), written = text.split(" ");
  /** @type {Partial<Record<Colour, string>>} */
  const first = {};
  /** @type {Partial<Record<Colour, string>>} */
  const second = {};
  COLOUR_NAMES.forEach((colour, k) => {
    first[colour] = "#" + drawn[k];
    second[colour] = "#" + (written[k] === "-" ? drawn[k] : written[k]);
  });
  return {
    name, lines: /** @type {Record<Colour, string>} */ (first), text: /** @type {Record<Colour, string>} */ (second),
    font: FONT,
  };
}

/** The themes by name. Letters have a contrast of at least 4.5 on ground and panel.
 * @type {Record<ThemeName, Theme>}
 */
export const THEMES = {
  light: themeFrom(
    "light",
    "1b1b1b 5a5a5a e4e4e4 ffffff f5f6f8 176dcc e25411 723b6c 1d7f5a 673307 2f8a5e 723b6c a8480f b07d00 1d87a6 ae1e3f 176dcc"
      + " 487fc5 f48533 ae1e3f c9c9c9 1b1b1b e0dfb3",
    "- - 5a5a5a - - - b8400a - - - 1f7a4d - - 7d5a00 146f89 - - 2a67b0 a34d00 - 5a5a5a - 5f5e2a",
  ),
  dark: themeFrom(
    "dark",
    "f2f2f2 b9bfc2 2c333b 14181d 1c2229 5fb7ef f78b2c d48fb4 4ae79d d2a36a 4ae79d d48fb4 f0b27a ffd84a 5fc9e8 ff7b8f 5fb7ef"
      + " 487fc5 f48533 d6405f 5b646d f2f2f2 b9b88a",
    "- - b9bfc2 - - - - - - - - - - - - - - 8db9ec - ff8fa1 b9bfc2 - -",
  ),
  print: themeFrom(
    "print",
    "000000 444444 d8d8d8 ffffff ffffff 0b1726 b3500f 5b2871 14694e 4e1300 1d7a5d 5b2871 8a3d0b 7a6a00 235ce9 4e1300 235ce9"
      + " 487fc5 f48533 ae1e3f c9c9c9 1b1b1b e0dfb3",
    "- - 444444 - - - - - - - - - - - - - - 2a67b0 a34d00 - 5a5a5a - 5f5e2a",
  ),
};

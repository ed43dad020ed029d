import type { Emitted } from "./types";

/** Written by gdsim/page/formulas.py when a page is made. */
export const emitted: Emitted;

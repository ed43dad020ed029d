// Lines of equal height by marching squares.

/**
 * Returns ascending levels with equally many values between neighbours, closer together where values are low.
 * @param {Float64Array} values
 * @param {number} count
 * @returns {number[]}
 */
export function quantileLevels(values, count) {
  const finite = values.filter(Number.isFinite).sort(), last = finite.length - 1;
  /** @type {number[]} */
  const levels = [];
  for (let k = 1; k < count && last >= 0; k++) {
    const place = last * (k / count) ** 1.5, under = Math.floor(place);
    const level = finite[under] + (place - under) * (finite[Math.min(last, under + 1)] - finite[under]);
    if (level > (levels[levels.length - 1] ?? finite[0])) levels.push(level);
  }
  return levels;
}

/** A closed line as x, y, x, y, …; `rim` says of each point whether it lies on the border of what is a number.
 * @typedef {{points: number[], rim: boolean[]}} Ring
 */

/**
 * Returns the rings around all that is at least as high as a level, closed along the border of the grid; inner
 * and outer rings run in opposite ways. What is not a number counts as low, infinity as high.
 * @param {Float64Array} values row by row from the top
 * @param {number} columns
 * @param {number} rows
 * @param {number} level
 * @param {number} left pixels of the first column
 * @param {number} top pixels of the first row
 * @param {number} dx pixels from column to column
 * @param {number} dy
 * @returns {Ring[]}
 */
export function contourRings(values, columns, rows, level, left, top, dx, dy) {
  const wide = columns + 2, high = rows + 2; // a ring of low nodes around the grid closes every line
  const height = (/** @type {number} */ i, /** @type {number} */ j) =>
    (i < 1 || j < 1 || i > columns || j > rows ? -Infinity : values[(j - 1) * columns + i - 1]);
  const upright = wide * high, next = new Int32Array(2 * upright).fill(-1);
  const edges = [0, 0, 0, 0], inside = [false, false, false, false];
  for (let j = 0; j + 1 < high; j++) {
    for (let i = 0; i + 1 < wide; i++) {
      const heights = [height(i, j), height(i + 1, j), height(i + 1, j + 1), height(i, j + 1)];
      let count = 0;
      for (let k = 0; k < 4; k++) count += (inside[k] = heights[k] >= level) ? 1 : 0;
      if (count === 0 || count === 4) continue;
      edges[0] = j * wide + i;
      edges[1] = upright + j * wide + i + 1;
      edges[2] = (j + 1) * wide + i;
      edges[3] = upright + j * wide + i;
      const joined = 0.25 * (heights[0] + heights[1] + heights[2] + heights[3]) >= level;
      for (let k = 0; k < 4; k++) {
        if (!inside[k] || inside[(k + 1) % 4]) continue; // the line enters where going round leads out of the high part
        let to = (k + (joined ? 1 : 3)) % 4;
        while (inside[to] || !inside[(to + 1) % 4]) to = (to + (joined ? 1 : 3)) % 4;
        next[edges[k]] = edges[to];
      }
    }
  }
  const place = (/** @type {number} */ edge, /** @type {Ring} */ ring) => {
    const node = edge % upright, i = node % wide, j = Math.floor(node / wide), down = edge >= upright;
    const a = height(i, j), b = height(i + (down ? 0 : 1), j + (down ? 1 : 0));
    const rim = !Number.isFinite(a + b), part = rim ? 0.5 : (level - a) / (b - a);
    const x = i - 1 + (down ? 0 : part), y = j - 1 + (down ? part : 0);
    ring.rim.push(rim);
    ring.points.push(left + dx * Math.max(0, Math.min(columns - 1, x)), top + dy * Math.max(0, Math.min(rows - 1, y)));
  };
  const rings = [];
  for (let first = 0; first < next.length; first++) {
    if (next[first] < 0) continue;
    /** @type {Ring} */
    const ring = { points: [], rim: [] };
    for (let edge = first; next[edge] >= 0;) {
      place(edge, ring);
      const after = next[edge];
      next[edge] = -1;
      edge = after;
    }
    if (ring.rim.length > 2) rings.push(ring);
  }
  return rings;
}

/**
 * Joins rings into one outline by bridges that are walked there and back.
 * @param {Ring[]} rings
 * @returns {number[]}
 */
export function ringsAsOne(rings) {
  const outline = [], [x, y] = rings[0].points;
  for (const { points } of rings) {
    for (const one of points) outline.push(one);
    outline.push(points[0], points[1], x, y);
  }
  return outline;
}

/**
 * Returns a ring as lines without its parts on the border of what is a number.
 * @param {Ring} ring
 * @returns {number[][]}
 */
export function ringLines({ points, rim }) {
  /** @type {number[][]} */
  const lines = [];
  /** @type {number[]} */
  let line = [];
  for (let k = 0; k < rim.length; k++) {
    const next = (k + 1) % rim.length;
    if (rim[k] && rim[next]) {
      if (line.length) lines.push(line);
      line = [];
    } else {
      if (!line.length) line.push(points[2 * k], points[2 * k + 1]);
      line.push(points[2 * next], points[2 * next + 1]);
    }
  }
  if (line.length) lines.push(line);
  return lines;
}

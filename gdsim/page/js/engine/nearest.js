// The name that was probably meant.

/**
 * The known name most like a misspelt one, or "": at least 0.6 of the letters of both, in runs.
 * @param {string} name
 * @param {string[]} known
 * @returns {string}
 */
export function nearestName(name, known) {
  const letters = [...name];
  let [found, most] = ["", 0.6];
  for (const other of known) {
    const share = (2 * lettersShared([...other], letters)) / (letters.length + [...other].length);
    if (share > most || (share === most && other > found)) [found, most] = [other, share];
  }
  return found;
}

/**
 * The letters of the longest run that both have, of the longest one before it, and behind it, and so on.
 * @param {string[]} first
 * @param {string[]} second
 * @returns {number}
 */
function lettersShared(first, second) {
  let [size, from, to] = [0, 0, 0];
  for (let i = 0; i < first.length; i++) {
    for (let j = 0; j < second.length; j++) {
      let run = 0;
      while (i + run < first.length && first[i + run] === second[j + run]) run += 1;
      if (run > size) [size, from, to] = [run, i, j];
    }
  }
  if (!size) return 0;
  const before = lettersShared(first.slice(0, from), second.slice(0, to));
  return size + before + lettersShared(first.slice(from + size), second.slice(to + size));
}

// Elements of the lessons' pages. Prose comes as markup that Python made; all else is text.

/** @typedef {Record<string, string | number | boolean | ((event: Event) => void)>} NodeAttributes */

/**
 * An element: what begins with "on" listens, true and false are attributes without a value, all else is text.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {NodeAttributes} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function lessonNode(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Markup as nodes. It is read as XML, so that nothing in it is mended or run.
 * @type {(markup: string) => Node[]}
 */
export function proseNodes(markup) {
  const text = '<div xmlns="http://www.w3.org/1999/xhtml">' + markup + "</div>";
  const read = new DOMParser().parseFromString(text, "application/xhtml+xml");
  return [...document.importNode(read.documentElement, true).childNodes];
}

/** Hands a text over as a file. @type {(name: string, kind: string, text: string) => void} */
export function handOver(name, kind, text) {
  const address = URL.createObjectURL(new Blob([text], { type: kind + ";charset=utf-8" }));
  const link = lessonNode("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

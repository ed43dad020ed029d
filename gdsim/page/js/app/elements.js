// Elements of the document. Text is always text: nothing here reads markup, but for MathML that is known to be such.

/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes */

/**
 * Makes an element. A false, null or undefined attribute is left out; true is written without a value.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * A button that does something.
 * @param {string} label
 * @param {() => void} act
 * @param {Attributes} [attributes]
 * @returns {HTMLButtonElement}
 */
export function button(label, act, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", act);
  return element;
}

/**
 * Sets the text of an element where it is another one, so that nothing is laid out in vain.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Sets an attribute where it is another one; null takes it away.
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

/**
 * A formula as an element: MathML that Python or the page's own typesetter wrote. What is no MathML is shown as text.
 * @param {string} markup one `math` element
 * @returns {Node}
 */
export function mathElement(markup) {
  const root = new DOMParser().parseFromString(markup, "application/xml").documentElement;
  const known = "http://www.w3.org/1998/Math/MathML";
  const harmless = root.namespaceURI === known && ![...root.querySelectorAll("*")].some(
    (one) => one.namespaceURI !== known || [...one.attributes].some((attribute) => /^on|href$/i.test(attribute.name)));
  return harmless ? document.importNode(root, true) : document.createTextNode(markup);
}

/**
 * Lets the arrow keys, Home and End move among elements of which one can be reached with Tab.
 * @param {HTMLElement} group
 * @param {HTMLElement[]} items
 * @param {(place: number) => void} choose
 */
export function roving(group, items, choose) {
  group.addEventListener("keydown", (event) => {
    const at = items.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at < 0) return;
    const last = items.length - 1;
    /** @type {Record<string, number>} */
    const places = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last };
    if (!(event.key in places)) return;
    event.preventDefault();
    event.stopPropagation();
    items[places[event.key]].focus();
    choose(places[event.key]);
  });
}

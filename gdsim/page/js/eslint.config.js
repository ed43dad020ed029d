const everywhere = [
  "Array", "Blob", "URL", "performance", "setTimeout", "clearTimeout", "console", "self", "postMessage", "structuredClone",
];
const inThePage = [
  "document", "window", "location", "history", "navigator", "localStorage", "matchMedia", "requestAnimationFrame",
  "cancelAnimationFrame", "ResizeObserver", "IntersectionObserver", "setInterval", "clearInterval", "Worker", "DOMParser", "XMLSerializer", "Image", "Event", "CustomEvent",
  "HTMLElement", "HTMLInputElement", "getComputedStyle", "devicePixelRatio", "addEventListener", "removeEventListener",
  "URLSearchParams", "TextEncoder", "TextDecoder", "Node", "Element", "SVGElement", "MouseEvent", "PointerEvent",
  "KeyboardEvent", "FileReader", "alert", "confirm", "print", "btoa", "atob", "queueMicrotask", "MutationObserver",
  "OffscreenCanvas", "Path2D", "ImageData", "HTMLCanvasElement", "CSS", "innerWidth", "innerHeight",
];
const readable = (names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

const rules = {
  "no-undef": "error",
  "no-unused-vars": "error",
  "no-redeclare": "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-var": "error",
  "prefer-const": "error",
  eqeqeq: "error",
  "no-self-assign": "error",
  "no-unreachable": "error",
  "no-dupe-keys": "error",
  "no-dupe-else-if": "error",
  "no-constant-condition": ["error", { checkLoops: false }],
  "no-loss-of-precision": "error",
  "no-unsafe-negation": "error",
  "no-shadow": "error",
  "no-restricted-properties": [
    "error",
    { property: "innerHTML", message: "Use textContent, or import parsed MathML." },
    { property: "outerHTML" },
    { property: "insertAdjacentHTML" },
    { object: "document", property: "write" },
  ],
  "no-restricted-syntax": [
    "error",
    { selector: "ExportDefaultDeclaration", message: "The bundle knows named exports alone." },
    { selector: "ImportExpression", message: "The bundle knows static imports alone." },
    { selector: "ImportNamespaceSpecifier", message: "The bundle is one scope: import by name." },
  ],
  "max-lines": ["error", 500],
  "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
};

export default [
  { ignores: ["node_modules/", "emitted.js", "eslint.config.js"] },
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: readable(everywhere) },
    linterOptions: { reportUnusedDisableDirectives: true },
    rules,
  },
  {
    files: ["app/**/*.js", "lesson/**/*.js", "draw/canvas.js"],
    languageOptions: { globals: readable(inThePage) },
  },
];

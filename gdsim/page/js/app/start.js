// One script for the page and for its worker.

/**
 * Serves as a worker where there is no document, else starts the page.
 * @param {(post: (answer: any) => void) => (request: any) => void} server
 * @param {() => void} page
 */
export function startWorkerOr(server, page) {
  if (typeof document === "undefined") {
    const serve = server((answer) => self.postMessage(answer));
    self.addEventListener("message", (event) => serve(event.data));
  } else page();
}

/**
 * Starts the script of this page once more as a worker; null where a browser allows no worker.
 * @returns {Worker | null}
 */
export function startWorker() {
  const script = document.getElementById("gdsim-script")?.textContent;
  if (!script) return null;
  try {
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const worker = new Worker(url);
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return worker;
  } catch {
    return null;
  }
}

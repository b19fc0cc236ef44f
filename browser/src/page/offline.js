// The service worker: isolates the page, so that it may use threads, and keeps it for use offline.
import { $ } from "./elements.js";

const TRIED = "vst-isolated";
/** Milliseconds that the first visit waits for the worker before it goes on with one thread. */
const PATIENCE = 3000;

/**
 * Install the worker; on a first visit, load the page again under it. Threads need a page that is isolated
 * from other sites by headers, which a plain web server does not send and the worker adds.
 * Returns whether the page is being loaded again.
 */
export async function isolate() {
  if (!("serviceWorker" in navigator)) return false;
  const registered = navigator.serviceWorker.register("./sw.js").catch(() => null);
  if (crossOriginIsolated || sessionStorage.getItem(TRIED)) return false;
  const controlled = navigator.serviceWorker.controller ? Promise.resolve()
    : new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", () => resolve(undefined), { once: true }));
  if (!(await registered)) return false;
  const inTime = await Promise.race([controlled.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false), PATIENCE))]);
  if (!inTime) return false;
  sessionStorage.setItem(TRIED, "1"); // once: a browser that does not isolate it would load it forever
  location.reload();
  return true;
}

/** Ask the worker to keep all files, and say whether it could. */
export async function keepOffline() {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return;
  const answer = await new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage("keep", [channel.port2]);
  });
  document.body.dataset.offline = answer.kept ? "1" : "0";
  $("offline").textContent = answer.kept ? " · works offline" : answer.full
    ? " · not kept for use offline: this device has no room left for it. Free some space, and load the page again."
    : " · not kept for use offline: some files could not be loaded.";
}

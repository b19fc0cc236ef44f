// Keeps the page for use without a network, and isolates it from other sites, which threads need.
const NAME = "vst-" + "VERSION";
const FILES = ["FILES"];
const ISOLATING = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "GET" && url.origin === location.origin) event.respondWith(answer(event.request));
});
self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(keep().then((kept) => event.ports[0].postMessage(kept)));
});

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith("vst-") && name !== NAME) await caches.delete(name);
  await self.clients.claim();
}

/** Fetch what is not kept yet. The runtime that this browser uses was kept when it asked for it. */
async function keep() {
  try {
    const cache = await caches.open(NAME);
    for (const file of FILES) {
      if (await cache.match(file)) continue;
      const reply = await fetch(file, { cache: "no-cache" });
      if (!reply.ok) return { kept: false };
      await cache.put(file, reply);
    }
    return { kept: true };
  } catch (error) {
    return { kept: false, full: error.name === "QuotaExceededError" };
  }
}

async function answer(request) {
  const cache = await caches.open(NAME);
  const kept = await cache.match(request, { ignoreSearch: true });
  // A part of a file (range) cannot be kept.
  const fresh = kept ?? (await fetch(request));
  if (!kept && fresh.status === 200 && fresh.type === "basic" && !request.headers.has("range")) {
    await cache.put(stripSearch(request.url), fresh.clone()).catch(() => undefined);
  }
  return isolate(fresh);
}

const stripSearch = (address) => address.split(/[?#]/)[0];

function isolate(response) {
  if (response.type === "opaque" || response.status === 0 || response.redirected) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATING)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

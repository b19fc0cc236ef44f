// Opens the networks with ONNX Runtime: WebGPU where the browser has it, else WebAssembly.
import { Failure } from "../failure.js";

/** A painting has too little work for more. */
const MOST_THREADS = 4;

/**
 * @typedef {object} Networks
 * @property {string} backend for people
 * @property {(frames: Float32Array, height: number, width: number, style: Float32Array) => Promise<Float32Array>} paint
 * @property {(picture: Float32Array) => Promise<Float32Array>} embed
 */

/**
 * @param {string} base address of the page
 * @param {{backend: string, threads: number}} wanted "webgpu", "wasm" or "" for the better one; 0: as many as help
 * @returns {Promise<Networks>}
 */
export async function openNetworks(base, wanted) {
  const models = await (await fetchFile(`${base}models/models.json`)).json();
  const [painter, predictor] = await Promise.all([models.painter, models.predictor].map(async ({ file }) =>
    new Uint8Array(await (await fetchFile(`${base}models/${file}`)).arrayBuffer())));
  const { backend, threads } = wanted;
  if (backend !== "wasm" && (await hasWebGpu(backend === "webgpu"))) {
    try {
      return await open(await import("onnxruntime-web/jspi"), base, "webgpu", { painter, predictor, threads });
    } catch (error) {
      if (backend) throw error;
      console.info(`WebGPU is not used: ${error}`);
    }
  }
  return open(await import("onnxruntime-web/wasm"), base, "wasm", { painter, predictor, threads });
}

/** WebGPU through stack switching; a processor that imitates a GPU is slower than WebAssembly. */
async function hasWebGpu(evenImitated) {
  if (!("gpu" in navigator) || !("Suspending" in WebAssembly)) return false;
  const adapter = await /** @type {any} */ (navigator).gpu.requestAdapter().catch(() => null);
  return Boolean(adapter && (evenImitated || !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter)));
}

async function open(ort, base, provider, { painter, predictor, threads: wanted }) {
  const name = `${base}runtime/ort-wasm-simd-threaded${provider === "webgpu" ? ".jspi" : ""}`;
  const threads = self.crossOriginIsolated ? wanted || Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: `${name}.mjs` };
  ort.env.wasm.wasmBinary = await new Response(
    (await fetchFile(`${name}.wasm.gz`)).body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const start = (bytes, providers) => ort.InferenceSession.create(bytes, { executionProviders: providers });
  const painting = await start(painter, [provider, ...(provider === "webgpu" ? ["wasm"] : [])]);
  let embedding = null; // built when the first picture needs it
  const number = threads === 1 ? "one thread" : `${threads} threads`;
  return {
    backend: provider === "webgpu" ? "WebGPU" : `WebAssembly, ${number}`,
    async paint(frames, height, width, style) {
      const given = { frames: new ort.Tensor("float32", frames, [1, height, width, 3]), styles: new ort.Tensor("float32", style, [1, 100]) };
      return (await painting.run(given)).paintings.data;
    },
    async embed(picture) {
      embedding ??= await start(predictor, ["wasm"]);
      return (await embedding.run({ pictures: new ort.Tensor("float32", picture, [1, 256, 256, 3]) })).styles.data;
    },
  };
}

async function fetchFile(address) {
  const reply = await fetch(address).catch(() => null);
  if (!reply?.ok) {
    throw new Failure(`${address.split("/").at(-1)} could not be loaded: the server does not answer with it. Connect, and load the page again.`);
  }
  return reply;
}

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const RUNTIMES = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.jspi"];
const readNearby = (path) => readFileSync(new URL(path, import.meta.url));

/**
 * Add what the page asks for by name: the runtime's WebAssembly, compressed (the page unpacks it, so that
 * any web server will do).
 */
function addNamedFiles() {
  return {
    name: "named-files",
    generateBundle() {
      const add = (fileName, source) => this.emitFile({ type: "asset", fileName, source });
      for (const name of RUNTIMES) {
        const path = `node_modules/onnxruntime-web/dist/${name}`;
        add(`runtime/${name}.mjs`, readNearby(`${path}.mjs`));
        add(`runtime/${name}.wasm.gz`, gzipSync(readNearby(`${path}.wasm`), { level: 9 }));
      }
      const { version, license, homepage } = JSON.parse(readNearby("node_modules/onnxruntime-web/package.json"));
      add("runtime/NOTICE.txt", `ONNX Runtime ${version}, ${license} license, Copyright (c) Microsoft Corporation. ${homepage ?? ""}\n`);
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [addNamedFiles()],
  // ONNX Runtime without its own copy of the WebAssembly: it lies in runtime/.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "import", "default"] },
  worker: { format: "es" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, outDir: "../vst/data/browser", emptyOutDir: true },
  test: { include: ["tests/unit/*.test.js"] },
});

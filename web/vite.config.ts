// How the console is built, served in development and tested.
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { strictCsp } from "./dev/csp.ts";
import { mockApi } from "./dev/mock.ts";

export default defineConfig(({ mode }) => ({
  plugins: [react(), strictCsp(), ...(mode === "mock" ? [mockApi()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    port: 5470,
    ...(mode !== "mock" && { proxy: { "/api": { target: process.env.YAGURA_SERVER ?? "http://127.0.0.1:8470" } } }),
  },
  build: {
    target: "es2023",
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
  css: { modules: { localsConvention: "camelCaseOnly" as const } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));

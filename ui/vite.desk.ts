import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  root: "desk",
  base: "./",
  plugins: [svelte()],
  server: { port: 4810, strictPort: true, host: "127.0.0.1" },
  build: { outDir: "../dist/desk", emptyOutDir: true, target: "es2022", cssMinify: true },
});

import { defineConfig } from "vite";

export default defineConfig({
  root: "chat",
  base: "./",
  server: { port: 4811, strictPort: true, host: "127.0.0.1" },
  build: { outDir: "../dist/chat", emptyOutDir: true, target: "es2020", cssMinify: true },
});

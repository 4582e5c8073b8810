import type { Host } from "../src/host/host";

export function insideShell(): boolean {
  return "__TAURI_INTERNALS__" in window;
}

/** The shell's engine, or in an ordinary browser its stand-in; whichever isn't needed is never loaded. */
export async function openHost(): Promise<Host> {
  if (insideShell()) {
    const { tauriHost } = await import("../src/host/tauri");
    return tauriHost();
  }
  const { browserHost } = await import("../src/host/browser");
  return browserHost(new URLSearchParams(location.search));
}

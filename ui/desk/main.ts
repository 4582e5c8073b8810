import { mount } from "svelte";
import "../src/tokens.css";
import "../src/parts/base.css";
import App from "./App.svelte";
import { insideShell, openHost } from "./openHost";

const target = document.getElementById("desk");
if (!target) throw new Error("index.html has no #desk");

// The webview's own menu offers reloading and inspecting; fields keep theirs for the clipboard.
if (insideShell()) {
  document.addEventListener("contextmenu", (event) => {
    const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (!inField) event.preventDefault();
  });
}

mount(App, { target, props: { host: await openHost() } });

/** A merchant's page: what `/chat/demo.html?brand=KEY` shows. */
import "../../src/tokens.css";
import "./demo.css";
import { m } from "../../src/texts/messages.js";
import { h } from "../view/element";
import { chooseLooks } from "../view/looks";

chooseLooks();
document.title = m.chat_demo_title();
document
  .querySelector("#shop")
  ?.append(
    h("h1", {}, m.chat_demo_title()),
    h("p", {}, m.chat_demo_lead()),
    h("article", {}, h("h2", {}, m.chat_demo_product()), h("p", {}, m.chat_demo_text())),
  );

const here = new URL(location.href);
const script = document.createElement("script");
script.src = new URL("embed.js", here).href;
script.dataset["brand"] = here.searchParams.get("brand") ?? "";
const language = here.searchParams.get("lang");
if (language) script.dataset["lang"] = language;
document.body.append(script);

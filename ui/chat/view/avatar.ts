import { h } from "./element";

/** Agents without a picture, as far as this page has found out: they aren't asked for again. */
const without = new Set<string>();

/** An agent's picture; while it isn't there, or there is none, the first sign of their name. `agent`: hexadecimal. */
export const avatar = (agent: string, name: string): HTMLElement => {
  const element = h("span", { class: "av", "aria-hidden": "true" }, [...name][0]?.toLocaleUpperCase() ?? "");
  if (!agent || without.has(agent)) return element;
  const picture = h("img", { src: `../v1/avatars/${agent}`, alt: "" });
  picture.addEventListener("error", () => {
    without.add(agent);
    picture.remove();
  });
  element.append(picture);
  return element;
};

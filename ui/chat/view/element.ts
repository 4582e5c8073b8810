/** An element with attributes and children; text is text, never markup. */
export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | undefined>,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  arrow: "M8 13V3.5M4 7.5l4-4 4 4",
  check: "m3.2 8.4 3 3 6.6-6.8",
  checks: "M1.2 8.5l3 3 5.6-6.3M6.9 10.2l1.3 1.3L14 5.2",
  clock: "M8 2.6a5.4 5.4 0 1 0 0 10.8A5.4 5.4 0 0 0 8 2.6M8 5v3l2 1.4",
  alert: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M8 5v3.6M8 11v.1",
  down: "m4 6.2 4 4 4-4",
  more: "M3.5 8h.1M8 8h.1M12.500 8h.1",
  back: "M6.200 4 3.200 7l3 3M3.200 7h6.300a3 3 0 0 1 0 6H7.500",
} as const;

export type IconName = keyof typeof PATHS;

/** A 16-px icon, drawn with the current colour, hidden from screen readers. */
export const icon = (name: IconName, large = false): SVGElement => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", large ? "i l" : "i");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
};

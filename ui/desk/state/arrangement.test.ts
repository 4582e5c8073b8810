import { describe, expect, it } from "vitest";
import { arrange } from "./arrangement";

describe("UI.md's layout table", () => {
  it.each([
    [1024, [1], 1, 1, false],
    [1079, [1], 1, 1, false],
    [1080, [1, 2, 4], 4, 2, false],
    [1359, [1, 2, 4], 4, 2, false],
    [1440, [1, 2, 4], 4, 2, false],
    [1679, [1, 2, 4], 4, 2, false],
    [1680, [1, 2, 4], 4, 2, true],
    [1920, [1, 2, 4], 4, 2, true],
    [2400, [1, 2, 4, 6], 4, 4, true],
    [2560, [1, 2, 4, 6], 4, 4, true],
  ])("at %i px with 4 tiles wanted", (width, choices, tiles, columns, panel) => {
    expect(arrange(width, 4, null, false)).toMatchObject({ choices, tiles, columns, panel });
  });

  it.each([
    [1079, 1, false],
    [1359, 2, false],
    [1360, 2, true],
    [1440, 1, true],
    [1440, 4, false],
  ])("shows the panel at %i px with %i tiles: %s", (width, wanted, panel) => {
    expect(arrange(width, wanted, null, false).panel).toBe(panel);
  });

  it("gives six tiles in two rows from 2400 px, and four below", () => {
    expect(arrange(2400, 6, null, false)).toMatchObject({ tiles: 6, columns: 3, rows: 2 });
    expect(arrange(1920, 6, null, false)).toMatchObject({ tiles: 4, columns: 2, rows: 2 });
  });

  it("lays the panel over the tile in a narrow window, only when called up", () => {
    expect(arrange(1024, 2, true, false).panel).toBe(false);
    expect(arrange(1024, 2, null, true)).toMatchObject({ panel: true, panelOver: true });
  });

  it("keeps the panel hidden where the agent hid it", () => {
    expect(arrange(1920, 2, false, false).panel).toBe(false);
  });

  it("drops the panel, then tiles, when 1440 px are zoomed to 125 % and 200 %", () => {
    expect(arrange(1440, 2, null, false)).toMatchObject({ panel: true, tiles: 2 });
    expect(arrange(1152, 2, null, false)).toMatchObject({ panel: false, tiles: 2 });
    expect(arrange(720, 2, null, false)).toMatchObject({ panel: false, tiles: 1 });
  });
});

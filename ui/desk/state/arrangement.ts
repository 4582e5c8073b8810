// The layout table: which arrangements of tiles a width offers and where the customer panel stands.

export type TileCount = 1 | 2 | 4 | 6;
export const tileCounts: readonly TileCount[] = [1, 2, 4, 6];

export interface Arrangement {
  /** What the switch offers at this width. */
  choices: readonly TileCount[];
  /** Tiles that are drawn. */
  tiles: TileCount;
  columns: number;
  rows: number;
  /** The panel is drawn. */
  panel: boolean;
  /** Over the tile, not beside it. */
  panelOver: boolean;
}

const railWidth = 52;
/** Under this a tile's bubbles break after a few words: then the panel lies over the tiles. */
const leastTileWidth = 340;

function choicesAt(width: number): readonly TileCount[] {
  if (width < 1080) return [1];
  if (width < 2400) return [1, 2, 4];
  return tileCounts;
}

function columnsOf(tiles: TileCount, width: number): number {
  if (tiles === 1) return 1;
  if (tiles === 6) return 3;
  if (tiles === 4 && width >= 2400) return 4;
  return 2;
}

/** The largest offered arrangement that isn't larger than the wanted one. */
function offered(wanted: number, choices: readonly TileCount[]): TileCount {
  return choices.findLast((choice) => choice <= wanted) ?? 1;
}

/**
 * @param width of the window in CSS pixels (at 200 % zoom half of the screen's)
 * @param wanted tiles the agent chose
 * @param kept what the agent said about the panel where the width shows it; null: nothing
 * @param demanded the panel was called up where the width doesn't show it by itself
 */
export function arrange(width: number, wanted: number, kept: boolean | null, demanded: boolean): Arrangement {
  const choices = choicesAt(width);
  const tiles = offered(wanted, choices);
  const columns = columnsOf(tiles, width);
  const wide = width >= 1680;
  const inbox = width < 1080 ? 264 : wide ? 328 : 300;
  const panelWidth = wide ? 304 : 280;
  const shown = panelIsShownBy(width, tiles);
  const panel = shown ? kept !== false : demanded;
  const perTile = (width - railWidth - inbox - panelWidth) / columns;
  return {
    choices,
    tiles,
    columns,
    rows: Math.ceil(tiles / columns),
    panel,
    panelOver: panel && !shown && (width < 1080 || perTile < leastTileWidth),
  };
}

/** The width shows the panel without being asked. */
export function panelIsShownBy(width: number, tiles: number): boolean {
  return width >= 1680 || (width >= 1360 && tiles < 4);
}

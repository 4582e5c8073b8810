// What a list shows: rows by absolute index, of which only a window need be here.

/** What happened to the rows. Indices are absolute; the source already answers as after it. */
export type RowChange =
  | {
      op: "insert";
      index: number;
      count: number;
      /** Shown in the very next frame, whatever else comes in. */ own: boolean;
    }
  | { op: "remove"; index: number; count: number }
  | { op: "update"; index: number }
  /** `to` is counted after taking the row out. */
  | { op: "move"; from: number; to: number }
  /** Another window, or everything anew. A row that isn't found by its key moved by `shift`. */
  | { op: "reset"; shift: number };

export interface RowSource<R> {
  /** Rows in all, here or not. */
  readonly total: number;
  /** Undefined: not here yet. */
  row(index: number): R | undefined;
  /** Never changes while a row lives; what isn't here has one too. */
  key(index: number): string;
  /** Where a key stands, if that row is here. */
  indexOf(key: string): number | undefined;
  /** These rows are looked at; a source that lacks some gets them, and lets go of what is far. */
  want(from: number, count: number): void;
  /** Answers with the way to stop. */
  subscribe(listener: (change: RowChange) => void): () => void;
}

export interface ShownRow<R> {
  key: string;
  index: number;
  row: R | undefined;
}

/** Makes DOM of rows. */
export interface RowRenderer<R> {
  /** Exactly these rows stand in the document, in this order, when it returns. */
  show(rows: readonly ShownRow<R>[]): void;
  element(key: string): HTMLElement | undefined;
}

/** Where a list begins. */
export type Opening =
  | { at: "end" }
  /** A row with some of what comes before it. */
  | { at: "row"; index: number }
  /** Where it was left: a row and how far its top stood below the list's. */
  | { at: "place"; index: number; offset: number };

/** What is on screen. */
export interface ListView {
  /** First and last row of which something is seen; last < first: none. */
  first: number;
  last: number;
  /** Follows the end. */
  pinned: boolean;
  /** A screen or more of it lies below. */
  far: boolean;
}

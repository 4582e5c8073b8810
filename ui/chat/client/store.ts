import { inOrder } from "./order";
import { hex, randomBytes } from "./ids";
import { type Account, type Act, type Commit, emptyLog, type LogState, type Snapshot, type StoredEntry } from "./model";
import type { ActKind } from "./wire";

/** An act that takes its place in the transaction that stores it. */
export interface NewAct {
  id: string;
  kind: ActKind;
  content: Uint8Array;
  doneMs: number;
}

/** Where a new act stands. */
export interface Place {
  place: number;
  base: number;
  life: number;
}

/** What a tab shows: the newest entries, and what isn't settled. */
export interface Shown {
  entries: StoredEntry[];
  /** Entries older than these are stored too. */
  more: boolean;
  acts: Act[];
}

/** What stands in a composer. */
export interface Draft {
  text: string;
  /** `Account.life` of who writes it. */
  life: number;
}

/** Another tab has become the sender: nothing was written. */
export class NotTheSender extends Error {
  override name = "NotTheSender";
}

/** What a browser keeps for one brand. Any tab may store acts; what the network brings, the sender alone. */
export interface ChatStore {
  /** False: gone with the page, which never claims otherwise. */
  readonly durable: boolean;
  /** Becomes the sender; a former one can't write any longer. */
  claim(): Promise<number>;
  load(): Promise<Snapshot>;
  commit(sender: number, commit: Commit): Promise<void>;
  /** Durable when it resolves; with it, what stands in the composer from now on. */
  enqueue(act: NewAct, draft?: string): Promise<Act>;
  /** Takes away what waits for the user; in its place, given one, a new act. What the server lost keeps its id. */
  replace(id: string, by: NewAct | null): Promise<Act | null>;
  shown(most: number): Promise<Shown>;
  /** What stood in the composer, and in which life (`Account.life`) it is written. */
  draft(): Promise<Draft>;
  /** Stores nothing after a log-out: a former customer's words go with the rest. */
  saveDraft(draft: Draft): Promise<void>;
  close(): void;
}

export const newAccount = (): Account => ({
  device: hex(randomBytes(16)),
  session: "",
  me: "",
  epoch: "",
  subject: "",
  life: 1,
});

/** What an act's sender had seen: the watermark; where nothing is covered, the head last told. */
export const baseOf = (log: LogState): number => {
  const lowest = log.covered.find((range) => range.first <= log.floor && range.last >= log.floor);
  if (log.covered.length === 0) return log.head;
  return lowest ? lowest.last : log.floor - 1;
};

export const waitsForUser = (act: Act | undefined): act is Act =>
  act?.state === "parked" || act?.state === "lost" || act?.state === "late";

/** Written here, and not at the gateway as far as is known. */
export const isUnsent = (act: Act): boolean => act.state !== "voided" && act.state !== "late";

/** A new act, or the lost one itself, at the end of the outbox. */
export const placed = (act: NewAct, place: Place, old: Act | null): Act => ({
  ...act,
  ...place,
  ...(old?.state === "lost" ? { id: old.id, base: old.base } : {}),
  state: "waiting",
  code: 0,
  behind: false,
});

/** Where a browser gives no storage: as long as the page is open. */
export class MemoryStore implements ChatStore {
  readonly durable = false;
  private account = newAccount();
  private log = emptyLog();
  private entries = new Map<number, StoredEntry>();
  private acts = new Map<string, Act>();
  private lastPlace = 0;
  private sender = 0;
  private words = "";

  claim(): Promise<number> {
    this.sender += 1;
    return Promise.resolve(this.sender);
  }

  load(): Promise<Snapshot> {
    const entries = [...this.entries.values()];
    const snapshot = { account: this.account, log: this.log, entries, acts: [...this.acts.values()] };
    return Promise.resolve(structuredClone(snapshot));
  }

  commit(sender: number, commit: Commit): Promise<void> {
    if (sender !== this.sender) return Promise.reject(new NotTheSender());
    if (commit.account) this.account = commit.account;
    if (commit.forget) {
      this.acts.clear();
      this.words = "";
      this.log = emptyLog();
    }
    if (commit.log) this.log = commit.log;
    if (commit.dropEntries || commit.forget) this.entries.clear();
    for (const seq of commit.drop) this.entries.delete(seq);
    for (const entry of commit.entries) this.entries.set(entry.seq, entry);
    for (const id of commit.removeActs) this.acts.delete(id);
    for (const act of commit.putActs) this.acts.set(act.id, act);
    return Promise.resolve();
  }

  private place(act: NewAct, old: Act | null): Act {
    this.lastPlace += 1;
    const place = { place: this.lastPlace, base: baseOf(this.log), life: this.account.life };
    const stored = placed(act, place, old);
    this.acts.set(stored.id, stored);
    return stored;
  }

  enqueue(act: NewAct, draft?: string): Promise<Act> {
    if (draft !== undefined) this.words = draft;
    return Promise.resolve(this.place(act, null));
  }

  replace(id: string, by: NewAct | null): Promise<Act | null> {
    const old = this.acts.get(id);
    if (!waitsForUser(old)) return Promise.resolve(null);
    this.acts.delete(id);
    return Promise.resolve(by && this.place(by, old));
  }

  shown(most: number): Promise<Shown> {
    const entries = inOrder(this.entries.values(), (entry) => entry.seq);
    const acts = inOrder(this.acts.values(), (act) => act.place);
    return Promise.resolve({ entries: entries.slice(-most), more: entries.length > most, acts });
  }

  draft(): Promise<Draft> {
    return Promise.resolve({ text: this.words, life: this.account.life });
  }

  saveDraft({ text, life }: Draft): Promise<void> {
    if (life === this.account.life) this.words = text;
    return Promise.resolve();
  }

  close(): void {
    this.entries.clear();
  }
}

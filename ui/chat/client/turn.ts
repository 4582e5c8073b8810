import type { Account, Act, Commit, LogState, StoredEntry } from "./model";

/** What one event changes: gathered, and committed as one transaction before anything it says leaves. */
export class Turn {
  private readonly commit: Commit = { strict: false, drop: [], entries: [], putActs: [], removeActs: [] };
  private dirty = false;

  constructor(readonly now: number) {}

  account(account: Account): void {
    this.commit.account = account;
    this.commit.strict = true;
    this.dirty = true;
  }

  log(log: LogState): void {
    this.commit.log = structuredClone(log);
    this.dirty = true;
  }

  dropEntries(): void {
    this.commit.dropEntries = true;
    this.commit.drop = [];
    this.commit.entries = [];
    this.dirty = true;
  }

  drop(seqs: readonly number[]): void {
    if (seqs.length === 0) return;
    const gone = new Set(seqs);
    this.commit.entries = this.commit.entries.filter((entry) => !gone.has(entry.seq));
    this.commit.drop.push(...seqs);
    this.dirty = true;
  }

  /** Everything that the browser keeps of this customer goes. */
  forget(account: Account): void {
    Object.assign(this.commit, { forget: true, drop: [], entries: [], putActs: [], removeActs: [] });
    this.account(account);
  }

  entry(entry: StoredEntry): void {
    this.commit.entries.push(entry);
    this.dirty = true;
  }

  putAct(act: Act): void {
    this.commit.putActs = this.commit.putActs.filter((other) => other.id !== act.id);
    this.commit.removeActs = this.commit.removeActs.filter((id) => id !== act.id);
    this.commit.putActs.push(act);
    this.commit.strict = true;
    this.dirty = true;
  }

  /** A repeat brings it back if this is lost, so it isn't waited for longer than the rest. */
  removeAct(id: string): void {
    this.commit.putActs = this.commit.putActs.filter((act) => act.id !== id);
    this.commit.removeActs.push(id);
    this.dirty = true;
  }

  changed(): Commit | null {
    return this.dirty ? this.commit : null;
  }
}

import { inOrder } from "./order";
import { type Account, type Act, type Commit, emptyLog, type LogState, type Snapshot, type StoredEntry } from "./model";
import {
  baseOf,
  type ChatStore,
  type Draft,
  type NewAct,
  newAccount,
  NotTheSender,
  placed,
  type Shown,
  waitsForUser,
} from "./store";

const VERSION = 1;
const [FACTS, ENTRIES, ACTS] = ["facts", "entries", "acts"] as const;
const ALL = [FACTS, ENTRIES, ACTS];

const done = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = () => reject(transaction.error ?? new Error("the transaction was aborted"));
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", fail);
  });

const answer = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the request failed")));
  });

/** `Account.life` of who talks now. An earlier page's writing lacks it. */
const lifeOf = async (facts: IDBObjectStore): Promise<number> =>
  (await answer<Partial<Account> | undefined>(facts.get("account")))?.life ?? 1;

/** IndexedDB, one database for each brand. */
export class IndexedStore implements ChatStore {
  readonly durable = true;

  private constructor(private readonly database: IDBDatabase) {}

  /** Rejects where the browser has no storage for us. */
  static async open(brand: string): Promise<IndexedStore> {
    const request = indexedDB.open(`zuoxi-chat-${brand}`, VERSION);
    request.addEventListener("upgradeneeded", () => {
      const database = request.result;
      database.createObjectStore(FACTS);
      database.createObjectStore(ENTRIES, { keyPath: "seq" });
      database.createObjectStore(ACTS, { keyPath: "id" });
    });
    const store = new IndexedStore(await answer(request));
    await store.begin();
    return store;
  }

  /** Tries a real write, since some browsers open what they don't keep. */
  private async begin(): Promise<void> {
    const transaction = this.write("strict");
    const facts = transaction.objectStore(FACTS);
    const finished = done(transaction);
    if ((await answer(facts.get("account"))) === undefined) facts.put(newAccount(), "account");
    await finished;
  }

  private write(durability: "strict" | "relaxed"): IDBTransaction {
    return this.database.transaction(ALL, "readwrite", { durability });
  }

  async claim(): Promise<number> {
    const transaction = this.write("relaxed");
    const facts = transaction.objectStore(FACTS);
    const finished = done(transaction);
    const sender = (((await answer(facts.get("sender"))) as number | undefined) ?? 0) + 1;
    facts.put(sender, "sender");
    await finished;
    return sender;
  }

  async load(): Promise<Snapshot> {
    const transaction = this.database.transaction(ALL);
    const facts = transaction.objectStore(FACTS);
    const [account, log, entries, acts] = await Promise.all([
      answer<Account>(facts.get("account")),
      answer<LogState | undefined>(facts.get("log")),
      answer<StoredEntry[]>(transaction.objectStore(ENTRIES).getAll()),
      answer<Act[]>(transaction.objectStore(ACTS).getAll()),
    ]);
    // An earlier page's writing lacks what came later.
    const whole = acts.map((act) => ({ ...act, life: act.life ?? 1 }));
    return { account: { ...newAccount(), ...account }, log: { ...emptyLog(), ...log }, entries, acts: whole };
  }

  async commit(sender: number, commit: Commit): Promise<void> {
    const transaction = this.write(commit.strict ? "strict" : "relaxed");
    const facts = transaction.objectStore(FACTS);
    const finished = done(transaction);
    if ((await answer(facts.get("sender"))) !== sender) {
      transaction.abort();
      await finished.catch(() => undefined);
      throw new NotTheSender();
    }
    const [entries, acts] = [transaction.objectStore(ENTRIES), transaction.objectStore(ACTS)];
    if (commit.forget) {
      for (const name of ["log", "draft"]) facts.delete(name);
      acts.clear();
    }
    if (commit.account) facts.put(commit.account, "account");
    if (commit.log) facts.put(commit.log, "log");
    if (commit.dropEntries || commit.forget) entries.clear();
    for (const seq of commit.drop) entries.delete(seq);
    for (const entry of commit.entries) entries.put(entry);
    for (const id of commit.removeActs) acts.delete(id);
    for (const act of commit.putActs) acts.put(act);
    await finished;
  }

  async enqueue(act: NewAct, draft?: string): Promise<Act> {
    const transaction = this.write("strict");
    const finished = done(transaction);
    if (draft !== undefined) transaction.objectStore(FACTS).put(draft, "draft");
    const stored = await this.place(transaction, act, null);
    await finished;
    return stored;
  }

  private async place(transaction: IDBTransaction, act: NewAct, old: Act | null): Promise<Act> {
    const facts = transaction.objectStore(FACTS);
    const [last, log, life] = await Promise.all([
      answer<number | undefined>(facts.get("last_place")),
      answer<LogState | undefined>(facts.get("log")),
      lifeOf(facts),
    ]);
    const stored = placed(act, { place: (last ?? 0) + 1, base: baseOf(log ?? emptyLog()), life }, old);
    facts.put(stored.place, "last_place");
    transaction.objectStore(ACTS).put(stored);
    return stored;
  }

  async replace(id: string, by: NewAct | null): Promise<Act | null> {
    const transaction = this.write("strict");
    const acts = transaction.objectStore(ACTS);
    const finished = done(transaction);
    const old = await answer<Act | undefined>(acts.get(id));
    let stored: Act | null = null;
    if (waitsForUser(old)) {
      acts.delete(id);
      if (by) stored = await this.place(transaction, by, old);
    }
    await finished;
    return stored;
  }

  async shown(most: number): Promise<Shown> {
    const transaction = this.database.transaction([ENTRIES, ACTS]);
    const newest = answer<StoredEntry[]>(transaction.objectStore(ENTRIES).getAll());
    const acts = answer<Act[]>(transaction.objectStore(ACTS).getAll());
    const entries = await newest;
    return {
      entries: entries.slice(-most),
      more: entries.length > most,
      acts: inOrder(await acts, (act) => act.place),
    };
  }

  async draft(): Promise<Draft> {
    const facts = this.database.transaction(FACTS).objectStore(FACTS);
    const [text, life] = await Promise.all([answer<string | undefined>(facts.get("draft")), lifeOf(facts)]);
    return { text: text ?? "", life };
  }

  async saveDraft({ text, life }: Draft): Promise<void> {
    const transaction = this.database.transaction(FACTS, "readwrite", { durability: "relaxed" });
    const facts = transaction.objectStore(FACTS);
    const finished = done(transaction);
    if ((await lifeOf(facts)) === life) facts.put(text, "draft");
    await finished;
  }

  close(): void {
    this.database.close();
  }
}

import "fake-indexeddb/auto";
import { describe, expect, it } from "vitest";
import { Device, words } from "../test/device";
import { FakeGateway } from "../test/fakeGateway";
import { IndexedStore } from "./indexedStore";
import { MemoryStore, NotTheSender } from "./store";
import { ActKind } from "./wire";

const nothing = { strict: false, drop: [], entries: [], putActs: [], removeActs: [] };
const act = (id: string) => ({ id, kind: ActKind.MESSAGE, content: words(id), doneMs: 1 });

describe("the browser's store", () => {
  it("two tabs take different places, in the order of storing", async () => {
    const [one, two] = [await IndexedStore.open("places"), await IndexedStore.open("places")];
    await Promise.all([one.enqueue(act("a")), two.enqueue(act("b")), one.enqueue(act("c"))]);
    const { acts } = await one.shown(10);
    expect(acts.map((stored) => stored.place)).toEqual([1, 2, 3]);
    expect(acts.map((stored) => stored.id)).toEqual(["a", "b", "c"]);
  });

  it("a tab that wakes late writes nothing", async () => {
    const [early, late] = [await IndexedStore.open("senders"), await IndexedStore.open("senders")];
    const former = await early.claim();
    const present = await late.claim();
    const log = { ...(await early.load()).log, head: 9 };
    await expect(early.commit(former, { ...nothing, log })).rejects.toBeInstanceOf(NotTheSender);
    expect((await late.load()).log.head).toBe(0);
    await late.commit(present, { ...nothing, log });
    expect((await early.load()).log.head).toBe(9);
  });

  it("an outbox survives the page, and its acts go once and in order", async () => {
    const gateway = new FakeGateway();
    const before = new Device(gateway, await IndexedStore.open("reload"));
    await before.start();
    await before.run();
    before.cut();
    await before.write("one");
    await before.write("two");
    const after = new Device(gateway, await IndexedStore.open("reload"));
    await after.start();
    await after.run(1000);
    expect(gateway.log).toHaveLength(2);
    const { entries, acts } = await after.store.shown(10);
    expect(entries.map((entry) => entry.seq)).toEqual([1, 2]);
    expect(acts).toEqual([]);
  });

  it("a refused one goes again under a new id, what the server lost under its own", async () => {
    for (const store of [await IndexedStore.open("again"), new MemoryStore()]) {
      const sender = await store.claim();
      const [a, b] = [await store.enqueue(act("a")), await store.enqueue(act("b"))];
      await store.commit(sender, {
        ...nothing,
        putActs: [
          { ...a, state: "parked" },
          { ...b, state: "lost" },
        ],
      });
      expect((await store.replace("a", act("c")))?.id).toBe("c");
      expect(await store.replace("b", act("d"))).toMatchObject({ id: "b", state: "waiting", place: 4 });
      expect(await store.replace("b", null)).toBeNull();
      expect((await store.shown(10)).acts.map((stored) => stored.id)).toEqual(["c", "b"]);
    }
  });

  it("a draft that another customer left is never stored for the next one", async () => {
    for (const store of [await IndexedStore.open("drafts"), new MemoryStore()]) {
      const sender = await store.claim();
      const { account } = await store.load();
      const { life } = account;
      await store.saveDraft({ text: "former", life });
      expect(await store.draft()).toEqual({ text: "former", life });
      await store.commit(sender, { ...nothing, forget: true, account: { ...account, life: life + 1 } });
      await store.saveDraft({ text: "late", life });
      expect(await store.draft()).toEqual({ text: "", life: life + 1 });
      await store.saveDraft({ text: "next", life: life + 1 });
      expect((await store.draft()).text).toBe("next");
    }
  });

  it("without storage it says so", () => {
    expect(new MemoryStore().durable).toBe(false);
  });
});

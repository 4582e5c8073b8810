// @vitest-environment jsdom
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Client } from "./client";
import { IndexedStore } from "./indexedStore";
import type { Status } from "./status";

const around = { software: "t", language: "en", pageUrl: "", pageTitle: "", referrer: "", browser: "" };
const nowhere = () => ({ send: () => undefined, close: () => undefined });

const tab = async (brand: string) => {
  const told = { broken: [] as boolean[], status: null as Status | null };
  const client = await Client.open({ ...around, brand }, nowhere, {
    status: (status) => {
      told.status = status;
    },
    shown: () => undefined,
    storeFailed: (broken) => told.broken.push(broken),
  });
  return { client, told };
};

describe("a tab", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("says that the storage failed, and that it is well again once it is", async () => {
    vi.spyOn(IndexedStore.prototype, "claim").mockRejectedValueOnce(new Error("full"));
    const { client, told } = await tab("recovers");
    client.start();
    await vi.waitFor(() => expect(told.broken).toEqual([true]));
    await vi.waitFor(() => expect(told.broken).toEqual([true, false]), { timeout: 10_000, interval: 100 });
    client.end();
  });

  it("what couldn't be stored is told until something is stored", async () => {
    const { client, told } = await tab("refuses");
    vi.spyOn(IndexedStore.prototype, "enqueue").mockRejectedValueOnce(new Error("full"));
    await expect(client.write("a")).rejects.toThrow("full");
    expect(told.broken).toEqual([true]);
    await client.write("a");
    expect(told.broken).toEqual([true, false]);
    client.end();
  });

  it("what was typed here and not stored yet goes when the customer logs out in another tab", async () => {
    const [here, there] = [await tab("logs-out"), await tab("logs-out")];
    there.client.start();
    expect(await here.client.draft()).toBe("");
    here.client.saveDraft("former words");
    there.client.logOut();
    await vi.waitFor(() => expect(here.told.status?.life).toBe(2));
    here.client.flushDraft();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await there.client.draft()).toBe("");
    here.client.saveDraft("next words");
    await vi.advanceTimersByTimeAsync(1_000);
    await vi.waitFor(async () => expect(await there.client.draft()).toBe("next words"));
    here.client.end();
    there.client.end();
  });
});

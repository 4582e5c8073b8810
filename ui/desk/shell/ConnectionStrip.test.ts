// @vitest-environment jsdom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { SyncView } from "../../src/gen/view";
import type { Workplace } from "../state/workplace.svelte";
import { DeskFacts } from "../state/facts.svelte";
import ConnectionStrip from "./ConnectionStrip.svelte";

let drawn: ReturnType<typeof mount> | undefined;

beforeEach(() => vi.useFakeTimers());
afterEach(async () => {
  vi.useRealTimers();
  if (drawn) await unmount(drawn);
});

const catchingUp: SyncView = { state: "catching_up", missing: 40, fetched: 0, conversations: 3 };
const upToDate: SyncView = { state: "up_to_date", as_of_ms: 0 };
const strip = () => document.querySelector("[data-test=connection]");

it("tells of catching up where that lasts, not with each message of one's own", () => {
  const facts = new DeskFacts(() => undefined);
  const told = (sync: SyncView) => {
    facts.apply([{ event: "sync", sync, waiting: 0, parked: 0, round_trip_ms: null }]);
    flushSync();
  };
  told(upToDate);
  drawn = mount(ConnectionStrip, { target: document.body, props: { place: { facts } as unknown as Workplace } });
  told(catchingUp);
  vi.advanceTimersByTime(500);
  told(upToDate);
  told(catchingUp);
  vi.advanceTimersByTime(500);
  flushSync();
  expect(strip()).toBeNull();
  vi.advanceTimersByTime(200);
  flushSync();
  expect(strip()).not.toBeNull();
  told(upToDate);
  expect(strip()).toBeNull();
});

import { inOrder } from "./order";
import { type Refused, RefusalCode } from "./wire";
import { Lane, type Sending } from "./lane";
import type { Act, ActState } from "./model";
import type { Turn } from "./turn";

const isOpen = (act: Act): boolean => act.state === "waiting" || act.state === "voided";

/** Acts that aren't settled, in the order of doing, and the lane that brings them to the gateway. */
export class Outbox {
  private acts: Act[];
  private lane = new Lane();

  constructor(acts: readonly Act[]) {
    this.acts = inOrder(acts, (act) => act.place);
  }

  all(): readonly Act[] {
    return this.acts;
  }

  get(id: string): Act | undefined {
    return this.acts.find((act) => act.id === id);
  }

  /** Stored by a tab: may leave. */
  add(added: readonly Act[]): void {
    const known = new Set(this.acts.map((act) => act.id));
    const fresh = added.filter((act) => !known.has(act.id));
    this.acts = inOrder([...this.acts, ...fresh], (act) => act.place);
  }

  /** A tab took these out of the store: what waited for the user alone. */
  forget(ids: readonly string[]): void {
    this.acts = this.acts.filter((act) => isOpen(act) || !ids.includes(act.id));
  }

  /** A new connection, or another identity: everything unsettled is numbered anew, leaving nothing out. */
  renumber(): void {
    this.lane = new Lane();
  }

  /** What leaves now: unanswered numbers first, then what was done next, in order. */
  leaving(window: number, now: number): Sending[] {
    this.lane.timeOut(now);
    if (this.lane.isPaused(now)) return [];
    const leaving: Sending[] = [];
    let free = window - this.lane.inFlight();
    for (let again = free > 0 ? this.lane.again(now) : null; again; again = free > 0 ? this.lane.again(now) : null) {
      leaving.push(again);
      free -= 1;
    }
    for (const act of this.acts) {
      if (free <= 0) break;
      if (!isOpen(act) || this.lane.holds(act.id)) continue;
      leaving.push(this.lane.number(act, now));
      free -= 1;
    }
    return leaving;
  }

  awaited(lane: number, number: number, id: string): Act | null {
    return this.lane.awaited(lane, number, id);
  }

  accepted(act: Act, number: number, turn: Turn): void {
    this.lane.answer(number);
    this.settle(act.id, turn);
  }

  /** The gateway has the act: by an answer, or by its own entry in the log. */
  settle(id: string, turn: Turn): void {
    if (!this.get(id)) return;
    this.acts = this.acts.filter((act) => act.id !== id);
    turn.removeAct(id);
  }

  later(number: number, retryMs: number, now: number, random: () => number): void {
    this.lane.goBack(number, retryMs, now, random);
  }

  /** Refused for good. A stop parks what was done after it in the same transaction, and opens the next lane. */
  refused(refusedAct: Act, number: number, refused: Refused, turn: Turn): void {
    this.lane.answer(number);
    this.park(refusedAct.id, refused.code, false, turn);
    if (!refused.endsLane) return;
    for (const act of this.acts.filter((other) => other.place > refusedAct.place && isOpen(other)))
      this.park(act.id, refused.code, true, turn);
    this.lane.end();
  }

  private park(id: string, code: RefusalCode, behind: boolean, turn: Turn): void {
    const act = this.get(id);
    if (act?.state === "voided") this.settle(id, turn);
    else if (act?.state === "waiting") this.put({ ...act, state: "parked", code, behind }, turn);
  }

  private put(act: Act, turn: Turn): void {
    this.acts = this.acts.map((other) => (other.id === act.id ? act : other));
    turn.putAct(act);
  }

  /** The user discards: what may have left becomes a void; what waited for the user alone goes without trace. */
  discard(id: string, turn: Turn): void {
    const act = this.get(id);
    if (act?.state === "waiting") {
      const gone: Act = { ...act, state: "voided", content: new Uint8Array() };
      this.put(gone, turn);
      this.lane.void(gone);
    } else if (act && act.state !== "voided") {
      this.settle(id, turn);
    }
  }

  /** Another log: nothing is shared with it, as far as is known. */
  lowerBases(turn: Turn): void {
    for (const act of this.acts.filter((other) => other.base > 0 && other.state !== "parked"))
      this.put({ ...act, base: 0 }, turn);
  }

  /** Acknowledged under the old epoch: the new log will tell whether it has them. */
  suspect(suspects: readonly Act[], turn: Turn): void {
    this.add(suspects);
    for (const act of suspects) turn.putAct(act);
  }

  /** The new log is read: what it doesn't have is lost, but for what lies where nothing can be known. */
  judgeSuspects(floor: number, turn: Turn): void {
    for (const act of this.acts.filter((other) => other.state === "suspect")) {
      if (act.seq < floor) this.settle(act.id, turn);
      else this.put({ ...act, state: "lost" satisfies ActState }, turn);
    }
  }

  hasSuspects(): boolean {
    return this.acts.some((act) => act.state === "suspect");
  }

  wake(now: number): number | null {
    return this.lane.wake(now);
  }
}

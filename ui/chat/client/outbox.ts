import { inOrder } from "./order";
import { ActKind, RefusalCode, type Refused } from "./wire";
import { Lane, type Sending } from "./lane";
import type { Act } from "./model";
import type { Turn } from "./turn";

const isOpen = (act: Act): boolean => act.state === "waiting" || act.state === "voided";

/** A close is sent when all before it is settled, and is parked if one of those was refused or lost. */
const waitsForThoseBefore = (act: Act): boolean => act.kind === ActKind.CLOSE && act.state === "waiting";

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
    let before = false;
    for (const act of this.acts.filter(isOpen)) {
      if (free <= 0 || (waitsForThoseBefore(act) && before)) break;
      before = true;
      if (this.lane.holds(act.id)) continue;
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

  /** The gateway has the act, by an answer or by its own entry in the log. A message discarded too late is told of. */
  settle(id: string, turn: Turn): void {
    const act = this.get(id);
    if (act?.state === "voided" && act.kind === ActKind.MESSAGE) this.put({ ...act, state: "late" }, turn);
    else if (act?.state !== "late") this.remove(id, turn);
  }

  private remove(id: string, turn: Turn): void {
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
    const isSo = refusedAct.kind === ActKind.CLOSE && refused.code === RefusalCode.CLOSED;
    if (isSo) this.remove(refusedAct.id, turn);
    else this.park(refusedAct.id, refused.code, false, turn);
    const after = this.acts.filter((other) => other.place > refusedAct.place && isOpen(other));
    for (const act of after.filter((other) => refused.endsLane || waitsForThoseBefore(other)))
      this.park(act.id, refused.code, true, turn);
    if (refused.endsLane) this.lane.end();
  }

  /** Waits for the user from now on: what was done as somebody else, or after something that was lost. */
  parkAll(which: (act: Act) => boolean, turn: Turn): void {
    for (const act of this.acts.filter((other) => isOpen(other) && which(other)))
      this.park(act.id, RefusalCode.UNSPECIFIED, true, turn);
  }

  private park(id: string, code: RefusalCode, behind: boolean, turn: Turn): void {
    const act = this.get(id);
    if (act?.state === "voided") this.remove(id, turn);
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
      this.remove(id, turn);
    }
  }

  /** Another log: bases are lowered to what both share. */
  lowerBases(shared: number, turn: Turn): void {
    for (const act of this.acts.filter((other) => other.base > shared && other.state !== "parked"))
      this.put({ ...act, base: shared }, turn);
  }

  /** Another customer's log: what was sent into the former one can't be recalled from here. */
  forgetLate(turn: Turn): void {
    for (const act of this.acts.filter((other) => other.state === "late")) this.remove(act.id, turn);
  }

  /** Acknowledged once, and the restored log doesn't have them: shown, with the question whether to send them again. */
  lose(lost: readonly Act[], turn: Turn): void {
    const fresh = lost.filter((act) => this.get(act.id) === undefined);
    // What was discarded too late needs no recall any more.
    for (const act of lost) if (this.get(act.id)?.state === "late") this.remove(act.id, turn);
    if (fresh.length === 0) return;
    this.parkAll(waitsForThoseBefore, turn);
    this.add(fresh);
    for (const act of fresh) turn.putAct(act);
  }

  wake(now: number): number | null {
    return this.lane.wake(now);
  }
}

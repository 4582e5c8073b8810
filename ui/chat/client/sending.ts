import { FRAME_BYTES, WINDOW_ACTS } from "../../src/gen/limits";
import type { Asking } from "./asking";
import { unhex } from "./ids";
import type { Act } from "./model";
import type { Outbox } from "./outbox";
import type { Reading } from "./reading";
import type { Turn } from "./turn";
import { type Accepted, ActKind, type Answer, AuthorRole, create, type Entry, EntryKind, EntrySchema } from "./wire";
import { hex } from "./ids";

/** Acts on their way: what leaves, and what the answers do. */
export class Sending {
  window = WINDOW_ACTS;

  constructor(
    private readonly outbox: Outbox,
    private readonly reading: Reading,
    private readonly asking: Asking,
    private readonly random: () => number,
  ) {}

  answered({ lane, number, id, result }: Answer, me: string, turn: Turn): void {
    const act = this.outbox.awaited(lane, number, hex(id));
    if (!act) return;
    if (result.case === "refused") {
      if (result.value.forNow) this.outbox.later(number, result.value.retryMs, turn.now, this.random);
      else this.outbox.refused(act, number, result.value, turn);
    } else if (result.case === "accepted") {
      this.outbox.accepted(act, number, turn);
      this.accepted(act, result.value, me, turn);
    }
  }

  private accepted(act: Act, { push, seq, timeMs }: Accepted, me: string, turn: Turn): void {
    const voided = act.state === "voided";
    if (!push) {
      if (act.kind === ActKind.MESSAGE && !voided) this.reading.showOwn(ownEntry(act, seq, timeMs, me), turn);
      this.reading.tell(Number(seq), 0, turn, true);
      return;
    }
    const { entry } = push;
    if (entry?.contentAsSent && voided) {
      // Too late: what was sent isn't here any more, so the gap that its Seq leaves is pulled.
      push.entry = undefined;
      if (seq > push.head) push.head = seq;
    } else if (entry?.contentAsSent) {
      push.entry = { ...entry, content: act.content, contentAsSent: false };
    }
    this.reading.push(push, turn);
  }

  leave(now: number): void {
    let acts: unknown[] = [];
    let bytes = 0;
    const flush = () => {
      if (acts.length > 0) this.asking.send({ case: "acts", value: { acts } });
      acts = [];
      bytes = 0;
    };
    for (const { lane, number, act } of this.outbox.leaving(this.window, now)) {
      if (bytes + act.content.length > FRAME_BYTES / 2) flush();
      bytes += act.content.length;
      const ageMs = BigInt(Math.max(0, Math.round(now - act.doneMs)));
      const kind = act.state === "voided" ? ActKind.VOID : act.kind;
      acts.push({ id: unhex(act.id), lane, number, base: BigInt(act.base), ageMs, kind, content: act.content });
    }
    flush();
  }
}

const ownEntry = (act: Act, seq: bigint, timeMs: bigint, me: string): Entry => {
  const fields = { kind: EntryKind.MESSAGE, timeMs, authorRole: AuthorRole.CUSTOMER, content: act.content };
  return create(EntrySchema, { seq, id: unhex(act.id), author: unhex(me), ...fields });
};

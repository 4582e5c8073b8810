import {
  ACK_EVERY_MS,
  ACK_EVERY_PUSHES,
  FRAME_BYTES,
  HEARTBEAT_MS,
  TYPING_MS,
  WINDOW_ACTS,
} from "../../src/gen/limits";
import { type Came, decodeBlock } from "./block";
import { Connection } from "./connection";
import { hex, unhex } from "./ids";
import type { Input, Output, Surroundings } from "./input";
import { Log } from "./log";
import { type Account, type Act, emptyLog, type LogState, type Snapshot } from "./model";
import { Outbox } from "./outbox";
import { firstStatus, type Refusal, type Status } from "./status";
import { Turn } from "./turn";
import {
  ActKind,
  Advice,
  type Answer,
  AuthorRole,
  type CustomerState,
  create,
  decodeFrame,
  type EntriesPage,
  type Entry,
  EntryKind,
  EntrySchema,
  fromBinary,
  type GatewayFrame,
  GoingAway_Reason,
  type Hello,
  type LoggedIn,
  toBinary,
  type Problem,
  ProblemCode,
  type Push,
  Stage,
} from "./wire";

const VERSION = 1;
/** Entries of a newest page, and of one asked for by scrolling. */
const NEWEST = 50;
/** After a question that wasn't answered, milliseconds. */
const RETRY_MS = 2_000;
/** Own typing is told at most so often, milliseconds. */
const TYPING_EVERY_MS = 3_000;
const ANSWER_MS = 15_000;

type Asked = { what: "log_in" | "identify" } | { what: "page" | "older"; turned: number; due: number };

/** The customer's side of the protocol: takes events and a clock, says what to store, send and show. */
export class Session {
  private account: Account;
  private log: Log;
  private readonly outbox: Outbox;
  private readonly connection: Connection;
  private status: Status = firstStatus();
  private turn = new Turn(0);
  private out: Output[] = [];
  private asked = new Map<number, Asked>();
  private request = 0;
  private pushed = 0;
  private acked = 0;
  private ackDue: number | null = null;
  private watermarkTold = 0;
  private windowActs = WINDOW_ACTS;
  private typingUntil = 0;
  private typingToldMs = 0;
  private wantsOlder = false;
  private jwt = "";
  private visitDue = false;
  private logMoved = false;

  constructor(
    snapshot: Snapshot,
    private readonly surroundings: Surroundings,
    private readonly random: () => number,
  ) {
    this.account = snapshot.account;
    this.log = new Log(snapshot.log, snapshot.entries);
    this.outbox = new Outbox(snapshot.acts);
    this.connection = new Connection(random);
    this.status.me = snapshot.account.me;
  }

  handle(input: Input, now: number): Output[] {
    this.turn = new Turn(now);
    this.out = [];
    this.logMoved = false;
    this.input(input, now);
    this.settle(now);
    const commit = this.turn.changed();
    const status = this.newStatus();
    return [
      ...(commit ? [{ do: "commit" as const, commit }] : []),
      ...this.out,
      ...(status ? [{ do: "status" as const, status }] : []),
    ];
  }

  /** When `wake` is due; null: when something happens. */
  wakeAt(now: number): number | null {
    const times = [this.connection.wake(), ...(this.connection.live ? this.liveTimes(now) : [])];
    const due = times.filter((time): time is number => time !== null);
    return due.length > 0 ? Math.min(...due) : null;
  }

  private liveTimes(now: number): (number | null)[] {
    const asked = [...this.asked.values()].map((asking) => ("due" in asking ? asking.due : null));
    return [
      this.ackDue,
      this.log.due(),
      this.outbox.wake(now),
      this.typingUntil > 0 ? this.typingUntil : null,
      ...asked,
    ];
  }

  private input(input: Input, now: number): void {
    switch (input.is) {
      case "start":
      case "nudge":
        if (this.connection.nudge(now)) this.open(now);
        else if (input.is === "nudge" && this.connection.live) this.send({ case: "askHeartbeat", value: {} }, 0);
        break;
      case "opened":
        this.connection.opened(now);
        break;
      case "closed":
        this.dropped(now);
        break;
      case "frame":
        this.frame(input.bytes, now);
        break;
      case "wake":
        this.awake(now);
        break;
      case "acts":
        this.outbox.forget(input.forget);
        this.outbox.add(input.acts);
        break;
      case "discard":
        this.outbox.discard(input.id, this.turn);
        break;
      case "read":
        this.moveRead(input.seq);
        break;
      case "typing":
        this.tellTyping(input.on, now);
        break;
      case "older":
        this.wantsOlder = this.log.lowest() > this.log.state.gatewayFloor;
        break;
      case "visit":
        this.surroundings.pageUrl = input.url;
        this.visitDue = true;
        break;
      case "identify":
        this.jwt = input.jwt;
        break;
      default:
        input satisfies never;
    }
  }

  // ---- the connection --------------------------------------------------------------------------------------------

  private open(now: number): void {
    this.connection.open(now);
    this.out.push({ do: "open" });
  }

  private dropped(now: number): void {
    this.connection.closed(now);
    this.forgetConnection();
  }

  private forgetConnection(): void {
    this.asked.clear();
    this.log.asked = false;
    this.log.turned += 1;
    this.ackDue = null;
    this.typingUntil = 0;
    this.status.nonce = "";
    if (this.status.identity === "asked") this.status.identity = "none";
  }

  /** Ends the connection from our side, to come back. */
  private close(now: number, comeBackMs = 0): void {
    this.out.push({ do: "close" });
    this.connection.closed(now, comeBackMs);
    this.forgetConnection();
  }

  private refuse(refusal: Refusal): void {
    this.connection.refuse();
    this.status.refusal = refusal;
    this.out.push({ do: "close" });
    this.forgetConnection();
  }

  private awake(now: number): void {
    if (this.connection.isDue(now)) this.open(now);
    else if (this.connection.isSilent(now)) this.close(now);
    for (const [request, asking] of this.asked) {
      if ("due" in asking && asking.due <= now) {
        this.asked.delete(request);
        if (asking.turned === this.log.turned && asking.what === "page") this.log.asked = false;
      }
    }
  }

  private send(kind: { case: string; value: unknown }, request = 0): void {
    this.out.push({
      do: "send",
      bytes: this.connection.frame(kind, request, this.connection.live ? this.takeAck() : null),
    });
  }

  private ask(kind: { case: string; value: unknown }, asked: Asked): void {
    this.request += 1;
    this.asked.set(this.request, asked);
    this.send(kind, this.request);
  }

  private frame(bytes: Uint8Array, now: number): void {
    if (!this.connection.isOpen()) return;
    const frame = decodeFrame(bytes);
    if (!frame) return this.close(now);
    this.connection.hear(now);
    const { kind, request } = frame;
    if (kind.case === "hello") return this.hello(kind.value, now);
    if (kind.case === "loggedIn") return this.loggedIn(kind.value, request, now);
    if (kind.case === "problem") return this.problem(kind.value, request, now);
    if (kind.case === "goingAway") {
      if (kind.value.reason === GoingAway_Reason.SESSION_ENDED) this.forgetToken();
      return this.close(now, kind.value.comeBackMs);
    }
    if (this.connection.live) this.told(frame, now);
  }

  private told({ kind, request }: GatewayFrame, now: number): void {
    switch (kind.case) {
      case "answers":
        for (const answer of kind.value.answers) this.answered(answer, now);
        break;
      case "pushes":
        for (const push of kind.value.pushes) if (!this.push(push, now)) return this.close(now);
        break;
      case "entriesPage":
        this.page(kind.value, request, now);
        break;
      case "heartbeat":
        if (kind.value.epoch.toString() !== this.account.epoch) return this.close(now);
        if (kind.value.own) this.tellLog(kind.value.own.head, kind.value.own.floor, now, true);
        break;
      case "positionMoves":
        for (const moved of kind.value.moves)
          for (const position of moved.positions) this.log.tellPosition(position, this.account.me);
        this.logMoved = true;
        break;
      case "customerState":
        this.customerState(kind.value, now);
        break;
      case "signal":
        if (kind.value.kind.case === "typing") this.typingUntil = kind.value.kind.value ? now + TYPING_MS : 0;
        break;
      default:
    }
  }

  // ---- log-in ----------------------------------------------------------------------------------------------------

  private hello(hello: Hello, now: number): void {
    if (hello.versionMin > VERSION || hello.versionMax < VERSION) return this.refuse("VERSION");
    this.status.nonce = hex(hello.nonce);
    this.epoch(hello.epoch.toString());
    const page = this.surroundings;
    const credential = this.account.session
      ? { case: "session", value: unhex(this.account.session) }
      : { case: "visitor", value: { brand: page.brand } };
    this.connection.greeted(now);
    const logIn = {
      version: VERSION,
      device: unhex(this.account.device),
      software: page.software,
      language: page.language,
      codecs: [],
      credential,
      visit: { pageUrl: page.pageUrl, pageTitle: page.pageTitle, referrer: page.referrer, browser: page.browser },
    };
    this.ask({ case: "logIn", value: logIn }, { what: "log_in" });
  }

  private loggedIn(told: LoggedIn, request: number, now: number): void {
    const asked = this.asked.get(request);
    this.asked.delete(request);
    const me = told.me ? hex(told.me.id) : "";
    const session = told.session.length > 0 ? hex(told.session) : this.account.session;
    this.epoch(told.epoch.toString());
    if (me !== this.account.me) this.otherIdentity();
    if (session !== this.account.session || me !== this.account.me) this.setAccount({ ...this.account, session, me });
    this.status.me = me;
    if (asked?.what === "identify") this.status.identity = "proven";
    if (told.brand) {
      const { name, shortName, greeting } = told.brand;
      this.status.brand = { name, shortName, greeting };
    }
    if (!this.connection.live) {
      this.outbox.renumber();
      this.pushed = 0;
      this.acked = 0;
      this.watermarkTold = 0;
    }
    this.connection.loggedIn(now, told.heartbeatMs || HEARTBEAT_MS);
    this.windowActs = Math.max(1, told.windowActs || WINDOW_ACTS);
    for (const known of told.positions)
      for (const position of known.positions) this.log.tellPosition(position, this.account.me);
    this.logMoved = true;
    if (told.state) this.customerState(told.state, now);
  }

  private setAccount(account: Account): void {
    this.account = account;
    this.turn.account(account);
  }

  private forgetToken(): void {
    if (this.account.session) this.setAccount({ ...this.account, session: "" });
  }

  /** Another log: nothing of the old one is shown; what waits goes into the new one. */
  private otherIdentity(): void {
    this.outbox.renumber();
    this.outbox.lowerBases(this.turn);
    this.replaceLog(emptyLog());
  }

  private replaceLog(state: LogState): void {
    const turned = this.log.turned + 1;
    this.log = new Log(state, []);
    this.log.turned = turned;
    this.turn.dropEntries();
    this.logMoved = true;
  }

  /** A restored gateway: the log is read anew, and own words that it no longer has are shown as lost. */
  private epoch(epoch: string): void {
    const known = this.account.epoch;
    if (known === epoch) return;
    this.setAccount({ ...this.account, epoch });
    if (!known) return;
    const { head } = this.log.state;
    const suspects = this.log.stored().flatMap((stored, at): Act[] => {
      const entry = fromBinary(EntrySchema, stored.bytes);
      const own = entry.kind === EntryKind.MESSAGE && stored.author === this.account.me && !entry.erased;
      if (!own || stored.seq > head || this.outbox.get(stored.id)) return [];
      const fields = { code: 0, behind: false, state: "suspect" as const, base: 0, place: -1 - at };
      const { seq, id, timeMs: doneMs } = stored;
      return [{ ...fields, seq, id, doneMs, kind: ActKind.MESSAGE, content: entry.content }];
    });
    const { read } = this.log.state;
    this.outbox.lowerBases(this.turn);
    this.outbox.suspect(suspects, this.turn);
    this.replaceLog({ ...emptyLog(), read });
  }

  private problem(problem: Problem, request: number, now: number): void {
    const asked = this.asked.get(request);
    this.asked.delete(request);
    if (asked?.what === "identify") {
      this.status.identity = "refused";
      return;
    }
    if (asked && "turned" in asked) {
      if (asked.what === "page") this.log.asked = false;
      this.log.retryAt = now + (problem.retryMs || RETRY_MS);
      return;
    }
    if (request !== 0 && !asked) return;
    if (problem.code === ProblemCode.SESSION || problem.advice === Advice.LOG_IN) {
      this.forgetToken();
      return this.close(now);
    }
    if (problem.advice === Advice.UPDATE || problem.code === ProblemCode.VERSION) return this.refuse("VERSION");
    if (problem.code === ProblemCode.BRAND) return this.refuse("BRAND");
    if (problem.code === ProblemCode.ORIGIN) return this.refuse("ORIGIN");
    this.close(now, problem.retryMs);
  }

  private customerState(state: CustomerState, now: number): void {
    Object.assign(this.status, { stage: state.stage, agentName: state.agentName, ahead: state.ahead });
    if (state.stage !== Stage.SERVED) this.typingUntil = 0;
    this.tellLog(state.head, state.floor, now, true);
  }

  // ---- receiving -------------------------------------------------------------------------------------------------

  private tellLog(head: bigint, floor: bigint, now: number, wait: boolean): void {
    const before = [this.log.state.head, this.log.state.gatewayFloor];
    this.log.tellHead(Number(head));
    this.log.tellFloor(Number(floor));
    if (before[0] !== this.log.state.head || before[1] !== this.log.state.gatewayFloor) this.logMoved = true;
    this.log.judge(now, wait);
  }

  private push(push: Push, now: number): boolean {
    const number = Number(push.number);
    if (number > 0) {
      if (number !== this.pushed + 1) return false;
      this.pushed = number;
      this.ackDue = Math.min(this.ackDue ?? Number.POSITIVE_INFINITY, now + ACK_EVERY_MS);
      if (number - this.acked >= ACK_EVERY_PUSHES) this.ackDue = now;
    }
    if (push.entry) this.take({ entry: push.entry, bytes: toBinary(EntrySchema, push.entry) }, false);
    this.tellLog(push.head, push.floor, now, true);
    return true;
  }

  private take(came: Came, demand: boolean): void {
    const entry = this.log.take(came, demand, this.turn);
    if (!entry) return;
    this.logMoved = true;
    if (hex(entry.author) === this.account.me) this.outbox.settle(hex(entry.id), this.turn);
    else if (entry.kind === EntryKind.MESSAGE) this.typingUntil = 0;
  }

  private page(page: EntriesPage, request: number, now: number): void {
    const asked = this.asked.get(request);
    this.asked.delete(request);
    if (!asked || !("turned" in asked) || asked.turned !== this.log.turned) return;
    const older = asked.what === "older";
    if (!older) this.log.asked = false;
    const newest = this.log.newest && !older;
    const blocks = page.blocks.map(decodeBlock);
    if (blocks.includes(null)) {
      this.log.retryAt = now + ANSWER_MS;
      return;
    }
    for (const block of blocks) for (const came of block ?? []) this.take(came, older);
    for (const position of page.positions) this.log.tellPosition(position, this.account.me);
    this.logMoved = true;
    this.tellLog(page.head, page.floor, now, false);
    if (newest) this.log.newestCame(Number(page.covers?.first ?? page.head + 1n));
    // An answer without anything doesn't bring us on: not again at once.
    if (!page.covers) this.log.retryAt = now + RETRY_MS;
  }

  private askForMissing(now: number): void {
    const due = this.log.due();
    if (due !== null && due <= now) {
      const range = this.log.question();
      const what = range
        ? { case: "range", value: { first: BigInt(range.first), last: BigInt(range.last) } }
        : { case: "newest", value: NEWEST };
      this.log.asked = true;
      const asked: Asked = { what: "page", turned: this.log.turned, due: now + ANSWER_MS };
      this.ask({ case: "readEntries", value: { what } }, asked);
    }
    const lowest = this.log.lowest();
    const asking = [...this.asked.values()].some((other) => other.what === "older");
    if (this.wantsOlder && !asking) {
      this.wantsOlder = false;
      const first = Math.max(this.log.state.gatewayFloor, lowest - NEWEST);
      if (first >= lowest) return;
      const what = { case: "range", value: { first: BigInt(first), last: BigInt(lowest - 1) } };
      const asked: Asked = { what: "older", turned: this.log.turned, due: now + ANSWER_MS };
      this.ask({ case: "readEntries", value: { what } }, asked);
    }
  }

  /** What it names is committed before the frame leaves: the commit of this turn comes first. */
  private takeAck(): { push: bigint; watermarks: { conversation: Uint8Array; seq: bigint }[] } | null {
    const mark = this.log.watermark();
    const moved = mark > this.watermarkTold && this.log.state.head > 0;
    if (this.pushed === this.acked && !moved) return null;
    this.acked = this.pushed;
    this.ackDue = null;
    this.watermarkTold = Math.max(mark, this.watermarkTold);
    const watermarks = moved ? [{ conversation: new Uint8Array(), seq: BigInt(mark) }] : [];
    return { push: BigInt(this.pushed), watermarks };
  }

  // ---- sending ---------------------------------------------------------------------------------------------------

  private answered({ lane, number, id, result }: Answer, now: number): void {
    const act = this.outbox.awaited(lane, number, hex(id));
    if (!act) return;
    if (result.case === "refused") {
      if (result.value.forNow) this.outbox.later(number, result.value.retryMs, now, this.random);
      else this.outbox.refused(act, number, result.value, this.turn);
    } else if (result.case === "accepted") {
      this.outbox.accepted(act, number, this.turn);
      const { push, seq, timeMs } = result.value;
      if (push) {
        if (push.entry?.contentAsSent) push.entry = { ...push.entry, content: act.content, contentAsSent: false };
        this.push(push, now);
      } else {
        if (act.kind === ActKind.MESSAGE && act.content.length > 0)
          this.log.showUncovered(this.ownEntry(act, seq, timeMs), this.turn);
        this.tellLog(seq, 0n, now, true);
      }
    }
  }

  private ownEntry(act: Act, seq: bigint, timeMs: bigint): Entry {
    const [id, author] = [unhex(act.id), unhex(this.account.me)];
    const { content } = act;
    const authorRole = AuthorRole.CUSTOMER;
    return create(EntrySchema, { seq, id, kind: EntryKind.MESSAGE, timeMs, authorRole, author, content });
  }

  private sendActs(now: number): void {
    let acts: unknown[] = [];
    let bytes = 0;
    const flush = () => {
      if (acts.length > 0) this.send({ case: "acts", value: { acts } });
      acts = [];
      bytes = 0;
    };
    for (const { lane, number, act } of this.outbox.leaving(this.windowActs, now)) {
      if (bytes + act.content.length > FRAME_BYTES / 2) flush();
      bytes += act.content.length;
      acts.push({
        id: unhex(act.id),
        lane,
        number,
        base: BigInt(act.base),
        ageMs: BigInt(Math.max(0, Math.round(now - act.doneMs))),
        kind: act.state === "voided" ? ActKind.VOID : act.kind,
        content: act.content,
      });
    }
    flush();
  }

  private moveRead(seq: number): void {
    const read = Math.min(seq, this.log.state.head);
    if (read <= this.log.state.read) return;
    this.log.state.read = read;
    this.logMoved = true;
  }

  private tellRead(): void {
    const { read, head, readTold } = this.log.state;
    const seq = Math.min(read, head);
    if (seq <= readTold) return;
    this.log.state.readTold = seq;
    this.logMoved = true;
    this.send({ case: "movePosition", value: { read: BigInt(seq) } });
  }

  private tellTyping(on: boolean, now: number): void {
    if (!this.connection.live || this.status.stage !== Stage.SERVED) return;
    if (on && now < this.typingToldMs + TYPING_EVERY_MS) return;
    this.typingToldMs = on ? now : 0;
    this.send({ case: "signal", value: { kind: { case: "typing", value: on } } });
  }

  // ---- after every event -----------------------------------------------------------------------------------------

  private settle(now: number): void {
    if (this.typingUntil <= now) this.typingUntil = 0;
    if (this.connection.live) this.settleLive(now);
    if (this.logMoved) this.turn.log(this.log.state);
  }

  private settleLive(now: number): void {
    this.log.judge(now, true);
    this.askForMissing(now);
    if (this.log.isWhole() && this.outbox.hasSuspects()) this.outbox.judgeSuspects(this.log.state.floor, this.turn);
    this.tellRead();
    this.sendActs(now);
    if (this.visitDue) {
      this.visitDue = false;
      this.send({ case: "signal", value: { kind: { case: "pageUrl", value: this.surroundings.pageUrl } } });
    }
    const unsent = this.outbox.all().some((act) => act.state === "waiting" || act.state === "voided");
    // What is unsent belongs to who wrote it: settled before the identity changes.
    if (this.jwt && !unsent) {
      this.ask({ case: "identify", value: { jwt: this.jwt } }, { what: "identify" });
      this.jwt = "";
      this.status.identity = "asked";
    }
    const unacked = this.log.watermark() > this.watermarkTold && this.log.state.head > 0;
    if (unacked && this.ackDue === null) this.ackDue = now + ACK_EVERY_MS;
    if (this.ackDue !== null && this.ackDue <= now) {
      const ack = this.takeAck();
      this.ackDue = null;
      if (ack) this.out.push({ do: "send", bytes: this.connection.frame(null, 0, ack) });
    }
  }

  private lastStatus = "";

  private newStatus(): Status | null {
    const status: Status = {
      ...this.status,
      connection: this.connection.shown(),
      typing: this.typingUntil > 0,
      marks: this.log.marks(),
      read: this.log.state.read,
      hasOlder: this.log.lowest() > this.log.state.gatewayFloor && this.log.state.head > 0,
      askingOlder: [...this.asked.values()].some((asked) => asked.what === "older"),
    };
    const text = JSON.stringify(status);
    if (text === this.lastStatus) return null;
    this.lastStatus = text;
    return status;
  }
}

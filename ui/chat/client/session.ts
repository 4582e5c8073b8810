import { HEARTBEAT_MS, TYPING_MS, WINDOW_ACTS } from "../../src/gen/limits";
import { Asking } from "./asking";
import { Connection } from "./connection";
import { hex, sameBytes, unhex } from "./ids";
import { Identity } from "./identity";
import type { Input, Output, Surroundings } from "./input";
import { type Account, type Act, emptyLog, type Snapshot } from "./model";
import { Outbox } from "./outbox";
import { Reading } from "./reading";
import { Sending } from "./sending";
import { firstStatus, type Refusal, type Status } from "./status";
import { baseOf, isUnsent } from "./store";
import { Turn } from "./turn";
import {
  ActKind,
  Advice,
  type CustomerState,
  decodeFrame,
  type Entry,
  EntryKind,
  type GatewayFrame,
  GoingAway_Reason,
  type Hello,
  type LoggedIn,
  type Problem,
  ProblemCode,
  Stage,
} from "./wire";

const VERSION = 1;
/** Own typing is told at most so often, milliseconds. */
const TYPING_EVERY_MS = 3_000;

/** The customer's side of the protocol: takes events and a clock, says what to store, send and show. */
export class Session {
  private account: Account;
  private outbox: Outbox;
  private reading: Reading;
  private sending: Sending;
  private readonly asking = new Asking();
  private readonly connection: Connection;
  private readonly identity = new Identity();
  private status: Status = firstStatus();
  private typingUntil = 0;
  private typingToldMs = 0;
  private visitDue = false;
  private lastStatus = "";

  constructor(
    snapshot: Snapshot,
    private readonly surroundings: Surroundings,
    private readonly random: () => number,
  ) {
    this.account = snapshot.account;
    this.connection = new Connection(random);
    this.outbox = new Outbox(snapshot.acts.filter((act) => this.isMine(act)));
    [this.reading, this.sending] = this.machines(snapshot);
    this.asking.takeAck = () => (this.connection.live ? this.reading.takeAck() : null);
    this.status.me = snapshot.account.me;
  }

  private machines({ log, entries }: Pick<Snapshot, "log" | "entries">): [Reading, Sending] {
    const reading = new Reading(log, entries, this.asking, {
      me: () => this.account.me,
      came: (entry, turn) => this.came(entry, turn),
      compared: (lost, shared, turn) => {
        this.outbox.lowerBases(shared, turn);
        this.outbox.lose(
          lost.map((act) => ({ ...act, life: this.account.life })),
          turn,
        );
      },
    });
    return [reading, new Sending(this.outbox, reading, this.asking, this.random)];
  }

  handle(input: Input, now: number): Output[] {
    const turn = new Turn(now);
    this.asking.out = [];
    this.input(input, turn);
    this.settle(turn);
    const commit = turn.changed();
    const status = this.newStatus();
    return [
      ...(commit ? [{ do: "commit" as const, commit }] : []),
      ...this.asking.out,
      ...(status ? [{ do: "status" as const, status }] : []),
    ];
  }

  /** When `wake` is due; null: when something happens. */
  wakeAt(now: number): number | null {
    const typing = this.typingUntil > 0 ? this.typingUntil : null;
    const live = [...this.reading.wake(), this.outbox.wake(now), this.asking.wake(), typing];
    const times = [this.connection.wake(), ...(this.connection.live ? live : [])];
    const due = times.filter((time): time is number => time !== null);
    return due.length > 0 ? Math.min(...due) : null;
  }

  private input(input: Input, turn: Turn): void {
    const { now } = turn;
    switch (input.is) {
      case "start":
      case "nudge":
        if (this.connection.nudge(now)) this.open(now);
        else if (input.is === "nudge" && this.connection.live) this.asking.send({ case: "askHeartbeat", value: {} });
        break;
      case "opened":
        this.connection.opened(now);
        break;
      case "closed":
        this.connection.closed(now);
        this.lose();
        break;
      case "frame":
        this.frame(input.bytes, turn);
        break;
      case "wake":
        this.awake(turn);
        break;
      case "acts":
        this.outbox.forget(input.forget);
        this.outbox.add(input.acts.filter((act) => this.isMine(act)).map((act) => this.seen(act)));
        break;
      case "discard":
        this.outbox.discard(input.id, turn);
        break;
      case "read":
        this.reading.markRead(input.seq);
        break;
      case "typing":
        this.tellTyping(input.on, now);
        break;
      case "older":
        this.reading.wantOlder();
        break;
      case "visit":
        this.surroundings.pageUrl = input.url;
        this.visitDue = true;
        break;
      case "identify":
        this.identity.offer(input.jwt, this.account.subject, this.status.nonce);
        break;
      case "switch":
        if (!input.agreed) this.identity.withdraw();
        else if (this.identity.isAnother()) this.logOut(turn);
        break;
      case "log_out":
        this.logOut(turn);
        break;
      default:
        input satisfies never;
    }
  }

  private isMine(act: Act): boolean {
    return act.life === this.account.life;
  }

  /** A tab may have stored it beside a log that is another one by now. */
  private seen(act: Act): Act {
    const { state } = this.reading.log;
    return state.toCompare || act.base <= state.head ? act : { ...act, base: baseOf(state) };
  }

  // ---- the connection --------------------------------------------------------------------------------------------

  private open(now: number): void {
    this.connection.open(now);
    this.asking.out.push({ do: "open" });
  }

  private lose(): void {
    this.asking.lose();
    this.reading.lost();
    this.identity.lose();
    this.typingUntil = 0;
    this.status.nonce = "";
  }

  /** Ends the connection from our side, to come back. */
  private close(now: number, comeBackMs = 0): void {
    this.asking.out.push({ do: "close" });
    this.connection.closed(now, comeBackMs);
    this.lose();
  }

  private refuse(refusal: Refusal): void {
    this.connection.refuse();
    this.status.refusal = refusal;
    this.asking.out.push({ do: "close" });
    this.lose();
  }

  private awake(turn: Turn): void {
    if (this.connection.isDue(turn.now)) this.open(turn.now);
    else if (this.connection.isSilent(turn.now)) this.close(turn.now);
    for (const asked of this.asking.overdue(turn.now)) {
      if ("turned" in asked) this.reading.unanswered(asked, null, turn);
    }
  }

  private frame(bytes: Uint8Array, turn: Turn): void {
    if (!this.connection.isOpen()) return;
    const frame = decodeFrame(bytes);
    if (!frame) return this.close(turn.now);
    this.connection.hear(turn.now);
    const { kind, request } = frame;
    if (kind.case === "hello") return this.hello(kind.value, turn);
    if (kind.case === "loggedIn") return this.loggedIn(kind.value, request, turn);
    if (kind.case === "problem") return this.problem(kind.value, request, turn);
    if (kind.case === "goingAway") {
      if (kind.value.reason === GoingAway_Reason.SESSION_ENDED) this.forgetToken(turn);
      return this.close(turn.now, kind.value.comeBackMs);
    }
    if (this.connection.live) this.told(frame, turn);
  }

  private told({ kind, request }: GatewayFrame, turn: Turn): void {
    switch (kind.case) {
      case "answers":
        for (const answer of kind.value.answers) this.sending.answered(answer, this.account.me, turn);
        break;
      case "pushes":
        for (const push of kind.value.pushes) if (!this.reading.push(push, turn)) return this.close(turn.now);
        break;
      case "entriesPage": {
        const asked = this.asking.answered(request);
        if (asked && "range" in asked) this.reading.page(kind.value, asked, turn);
        break;
      }
      case "compared": {
        const asked = this.asking.answered(request);
        if (asked?.what === "compare") this.reading.compared(kind.value, asked.turned, turn);
        break;
      }
      case "heartbeat":
        if (kind.value.epoch.toString() !== this.account.epoch) return this.close(turn.now);
        if (kind.value.own) this.reading.tell(Number(kind.value.own.head), Number(kind.value.own.floor), turn, true);
        break;
      case "positionMoves":
        for (const moved of kind.value.moves) this.reading.positions(moved.positions);
        break;
      case "customerState":
        this.customerState(kind.value, true, turn);
        break;
      case "signal":
        if (kind.value.kind.case === "typing") this.typingUntil = kind.value.kind.value ? turn.now + TYPING_MS : 0;
        break;
      default:
    }
  }

  // ---- log-in ----------------------------------------------------------------------------------------------------

  private hello(hello: Hello, turn: Turn): void {
    if (!this.connection.greeting) return;
    if (hello.versionMin > VERSION || hello.versionMax < VERSION) return this.refuse("VERSION");
    this.status.nonce = hex(hello.nonce);
    this.epoch(hello.epoch.toString(), turn);
    const page = this.surroundings;
    const credential = this.account.session
      ? { case: "session", value: unhex(this.account.session) }
      : { case: "visitor", value: { brand: page.brand } };
    this.connection.greeted(turn.now);
    const logIn = {
      version: VERSION,
      device: unhex(this.account.device),
      software: page.software,
      language: page.language,
      codecs: [],
      credential,
      visit: { pageUrl: page.pageUrl, pageTitle: page.pageTitle, referrer: page.referrer, browser: page.browser },
    };
    this.asking.ask({ case: "logIn", value: logIn }, { what: "log_in" }, turn.now);
  }

  private loggedIn(told: LoggedIn, request: number, turn: Turn): void {
    const asked = this.asking.answered(request);
    if (asked?.what !== "log_in" && asked?.what !== "identify") return;
    this.epoch(told.epoch.toString(), turn);
    this.become(told, asked.what === "identify" ? asked.subject : null, turn);
    if (told.brand) {
      const { name, shortName, greeting } = told.brand;
      this.status.brand = { name, shortName, greeting };
    }
    if (!this.connection.live) {
      this.outbox.renumber();
      this.reading.connected();
    }
    this.connection.loggedIn(turn.now, told.heartbeatMs || HEARTBEAT_MS);
    this.sending.window = Math.max(1, told.windowActs || WINDOW_ACTS);
    for (const known of told.positions) this.reading.positions(known.positions);
    // There is no push to wait for.
    if (told.state) this.customerState(told.state, false, turn);
  }

  /** Who we are from now on. `subject`: proven just now. */
  private become(told: LoggedIn, subject: string | null, turn: Turn): void {
    const me = told.me ? hex(told.me.id) : "";
    const session = told.session.length > 0 ? hex(told.session) : this.account.session;
    const other = me !== this.account.me;
    if (other && this.account.me) {
      this.outbox.renumber();
      this.outbox.forgetLate(turn);
      this.outbox.lowerBases(0, turn);
      // What was done under a proven name isn't sent under none unasked.
      if (subject === null && this.account.subject) this.outbox.parkAll(() => true, turn);
      this.reading.begin(turn);
    }
    const name = subject ?? (other ? "" : this.account.subject);
    if (other || session !== this.account.session || name !== this.account.subject)
      this.setAccount({ ...this.account, session, me, subject: name }, turn);
    this.status.me = me;
    if (subject !== null) this.identity.accepted();
    else if (name) this.identity.known();
  }

  private setAccount(account: Account, turn: Turn): void {
    this.account = account;
    turn.account(account);
  }

  private forgetToken(turn: Turn): void {
    if (this.account.session) this.setAccount({ ...this.account, session: "" }, turn);
  }

  /** Token, cache and outbox go at once; the gateway is told if it can be reached, and a new visitor begins. */
  private logOut(turn: Turn): void {
    const live = this.connection.live;
    const { device, life, epoch } = this.account;
    this.account = { device, epoch, session: "", me: "", subject: "", life: life + 1 };
    turn.forget(this.account);
    this.outbox = new Outbox([]);
    [this.reading, this.sending] = this.machines({ log: emptyLog(), entries: [] });
    if (live) this.asking.ask({ case: "logOut", value: {} }, { what: "log_out" }, turn.now);
    if (this.connection.isOpen()) this.asking.out.push({ do: "close" });
    this.connection.again(turn.now);
    this.lose();
    this.identity.forget();
    this.status = { ...firstStatus(), brand: this.status.brand };
  }

  /** A restored gateway: nothing is taken until the logs are compared. */
  private epoch(epoch: string, turn: Turn): void {
    const known = this.account.epoch;
    if (known === epoch) return;
    this.setAccount({ ...this.account, epoch }, turn);
    if (!known || !this.account.me) return;
    this.reading.newEpoch();
  }

  private problem(problem: Problem, request: number, turn: Turn): void {
    const asked = this.asking.answered(request);
    if (asked?.what === "identify") return this.identity.refused();
    if (asked && "turned" in asked) return this.reading.unanswered(asked, problem, turn);
    if (request !== 0 && !asked) return;
    if (problem.code === ProblemCode.SESSION || problem.advice === Advice.LOG_IN) {
      this.forgetToken(turn);
      return this.close(turn.now);
    }
    if (problem.advice === Advice.UPDATE || problem.code === ProblemCode.VERSION) return this.refuse("VERSION");
    if (problem.code === ProblemCode.BRAND) return this.refuse("BRAND");
    if (problem.code === ProblemCode.ORIGIN) return this.refuse("ORIGIN");
    this.close(turn.now, problem.retryMs);
  }

  private customerState(state: CustomerState, wait: boolean, turn: Turn): void {
    const { stage, agentName, ahead, replyMinutes } = state;
    Object.assign(this.status, { stage, agentName, ahead, replyMinutes });
    if (state.stage !== Stage.SERVED) this.typingUntil = 0;
    this.reading.tell(Number(state.head), Number(state.floor), turn, wait);
  }

  private came(entry: Entry, turn: Turn): void {
    if (hex(entry.author) !== this.account.me) {
      if (entry.kind === EntryKind.MESSAGE) this.typingUntil = 0;
    } else if (this.isAsDone(entry)) {
      this.outbox.settle(hex(entry.id), turn);
    }
  }

  /**
   * An own entry with the words that were done here, or what can't be compared. Other words under the same id are a
   * copied browser's: they settle nothing here, and the answer will say `reused`.
   */
  private isAsDone({ id, erased, content }: Entry): boolean {
    const act = this.outbox.get(hex(id));
    const words = act?.kind === ActKind.MESSAGE && act.state !== "voided";
    return !words || erased || sameBytes(content, act.content);
  }

  private tellTyping(on: boolean, now: number): void {
    if (!this.connection.live || this.status.stage !== Stage.SERVED) return;
    if (on && now < this.typingToldMs + TYPING_EVERY_MS) return;
    this.typingToldMs = on ? now : 0;
    this.asking.send({ case: "signal", value: { kind: { case: "typing", value: on } } });
  }

  // ---- after every event -----------------------------------------------------------------------------------------

  private settle(turn: Turn): void {
    if (this.typingUntil <= turn.now) this.typingUntil = 0;
    if (this.identity.isAnother() && !this.outbox.all().some(isUnsent)) this.logOut(turn);
    if (this.connection.live) this.advance(turn);
    this.reading.settle(turn);
  }

  private advance(turn: Turn): void {
    this.reading.advance(turn);
    // Bases may have to be lowered first.
    if (!this.reading.log.state.toCompare) this.sending.leave(turn.now);
    if (this.visitDue) {
      this.visitDue = false;
      this.asking.send({ case: "signal", value: { kind: { case: "pageUrl", value: this.surroundings.pageUrl } } });
    }
    // What is unsent belongs to who wrote it: settled before the identity changes.
    const open = this.outbox.all().some((act) => act.state === "waiting" || act.state === "voided");
    const offered = open ? null : this.identity.take();
    if (offered)
      this.asking.ask(
        { case: "identify", value: { jwt: offered.jwt } },
        { what: "identify", subject: offered.subject },
        turn.now,
      );
    this.reading.acknowledge(turn.now);
  }

  private newStatus(): Status | null {
    const { log } = this.reading;
    const unsent = this.outbox.all().filter(isUnsent).length;
    const status: Status = {
      ...this.status,
      connection: this.connection.shown(),
      typing: this.typingUntil > 0,
      marks: log.marks(),
      read: log.state.read,
      hasOlder: this.reading.hasOlder(),
      askingOlder: this.asking.isAsking("older"),
      life: this.account.life,
      identity: this.identity.shown(),
      switching: this.identity.isAnother() ? unsent : 0,
    };
    const text = JSON.stringify(status);
    if (text === this.lastStatus) return null;
    this.lastStatus = text;
    return status;
  }
}

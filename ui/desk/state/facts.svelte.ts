// What the engine has told this window. DeskEvents are applied in order; a timeline's deltas go straight to the tile
// that shows it and are never kept here.

import { SvelteMap, SvelteSet } from "svelte/reactivity";
import type {
  CustomerPanel,
  DeskEvent,
  InboxCounts,
  InboxDelta,
  InboxRow,
  InboxView,
  MeView,
  SyncView,
} from "../../src/gen/view";
import type { ConversationFeed } from "../tileSeam";
import { viewOf } from "./inboxDelta";

export interface Mark {
  sync: SyncView;
  /** Acts that wait for the server. */
  waiting: number;
  parked: number;
  roundTripMs: number | null;
}

/** Events that are answered once instead of being kept. */
export type Happening = Extract<
  DeskEvent,
  { event: "attention" | "session_ended" | "quit_asked" | "show" | "server_lost" | "too_late" }
>;

type OfConversation = Extract<DeskEvent, { event: "timeline" | "typing" | "put_back" | "draft" }>;

const none: InboxCounts = { mine: 0, queue: 0, team: 0, closed: 0, waiting: 0, queue_since_ms: 0 };

export class DeskFacts implements ConversationFeed {
  me: MeView | null = $state.raw(null);
  mark: Mark = $state.raw({
    sync: { state: "offline", since_ms: 0, retry_at_ms: 0, reason: "" },
    waiting: 0,
    parked: 0,
    roundTripMs: null,
  });
  counts: InboxCounts = $state.raw(none);
  inbox: InboxView | null = $state.raw(null);
  /** How often the list spoke of rows that weren't here, which is a fault of ours: it has to be observed again. */
  inboxLost = $state(0);
  readonly panels = new SvelteMap<string, CustomerPanel>();
  readonly popped = new SvelteSet<string>();
  readonly #heads = new SvelteMap<string, InboxRow>();
  readonly #handlers = new Map<string, Set<(event: DeskEvent) => void>>();
  readonly #onHappening: (event: Happening) => void;

  constructor(onHappening: (event: Happening) => void) {
    this.#onHappening = onHappening;
  }

  head(conversation: string): InboxRow | null {
    return this.#heads.get(conversation) ?? null;
  }

  subscribe(conversation: string, handler: (event: DeskEvent) => void): () => void {
    const handlers = this.#handlers.get(conversation) ?? new Set();
    this.#handlers.set(conversation, handlers.add(handler));
    return () => {
      handlers.delete(handler);
      if (handlers.size === 0 && this.#handlers.get(conversation) === handlers) this.#handlers.delete(conversation);
    };
  }

  apply(events: readonly DeskEvent[]): void {
    for (const event of events) this.#applyOne(event);
  }

  /** Heads and panels of conversations that this window no longer shows. */
  forgetAllBut(shown: ReadonlySet<string>): void {
    const rows = new Set(this.inbox?.rows.map((row) => row.conversation));
    for (const conversation of this.#heads.keys()) {
      if (!shown.has(conversation) && !rows.has(conversation)) this.#heads.delete(conversation);
    }
    for (const conversation of this.panels.keys()) {
      if (!shown.has(conversation)) this.panels.delete(conversation);
    }
  }

  #applyOne(event: DeskEvent): void {
    switch (event.event) {
      case "me":
        this.me = event.me;
        if (event.me === null) this.#forget();
        break;
      case "session_ended":
        this.me = null;
        this.#forget();
        this.#onHappening(event);
        break;
      case "sync":
        this.mark = {
          sync: event.sync,
          waiting: event.waiting,
          parked: event.parked,
          roundTripMs: event.round_trip_ms,
        };
        break;
      case "inbox":
        this.#takeInbox(event.delta);
        break;
      case "counts":
        this.counts = event.counts;
        break;
      case "conversation":
        this.#heads.set(event.row.conversation, event.row);
        break;
      case "customer":
        this.panels.set(event.panel.conversation, event.panel);
        break;
      case "popped":
        this.#setPopped(event.conversations);
        break;
      case "timeline":
      case "typing":
      case "put_back":
      case "draft":
        this.#tell(event);
        break;
      default:
        this.#onHappening(event);
    }
  }

  #takeInbox(delta: InboxDelta): void {
    this.inbox = viewOf(this.inbox, delta);
    if (this.inbox === null) this.inboxLost += 1;
    for (const slot of delta.rows) if (typeof slot !== "number") this.#heads.set(slot.conversation, slot);
  }

  #setPopped(conversations: readonly string[]): void {
    const now = new Set(conversations);
    for (const conversation of this.popped) if (!now.has(conversation)) this.popped.delete(conversation);
    for (const conversation of now) this.popped.add(conversation);
  }

  #tell(event: OfConversation): void {
    const conversation = event.conversation;
    for (const handler of this.#handlers.get(conversation) ?? []) handler(event);
  }

  /** Another account must see nothing of this one's. The engine knows that nothing is left here (`Handed`). */
  #forget(): void {
    this.inbox = null;
    this.counts = none;
    this.#heads.clear();
    this.panels.clear();
    this.popped.clear();
  }
}

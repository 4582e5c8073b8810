import type { ActKind, RefusalCode } from "./wire";
import type { Range } from "./ranges";

/** One entry as the cache keeps it: what a reader needs to find it, and its bytes as they came. */
export interface StoredEntry {
  seq: number;
  id: string;
  author: string;
  timeMs: number;
  bytes: Uint8Array;
}

/** How far one member has received and read, in our own Seqs. */
export interface MemberPosition {
  member: string;
  role: number;
  delivered: number;
  read: number;
}

/** What is known of the customer's log besides its entries. */
export interface LogState {
  /** Below it nothing is wanted unasked; 1 or more. */
  floor: number;
  /** The gateway's: below it history is gone on purpose. */
  gatewayFloor: number;
  covered: Range[];
  head: number;
  erased: number[];
  /** Generation of the block held for a range, by the range's first Seq, where it is above 1: no lower one is taken. */
  generations: Record<number, number>;
  /** Own read position, and how much of it the gateway knows. */
  read: number;
  readTold: number;
  positions: MemberPosition[];
  /** The gateway's log is another one: nothing is taken until both are compared. */
  toCompare: boolean;
}

export const emptyLog = (): LogState => ({
  floor: 1,
  gatewayFloor: 1,
  covered: [],
  head: 0,
  erased: [],
  generations: {},
  read: 0,
  readTold: 0,
  positions: [],
  toCompare: false,
});

/**
 * - waiting: for the gateway's answer.
 * - voided: discarded while its fate was unknown; travels as a void.
 * - parked: refused for good, or done after something refused; waits for the user.
 * - lost: was acknowledged, and the restored log doesn't have it.
 * - late: discarded too late, it was sent; recall is offered.
 */
export type ActState = "waiting" | "voided" | "parked" | "lost" | "late";

/** An act that isn't settled. Frozen but for its state and its base, which a new epoch lowers. */
export interface Act {
  /** Order of doing, never used twice; taken in the transaction that stores the act. */
  place: number;
  id: string;
  kind: ActKind;
  content: Uint8Array;
  base: number;
  doneMs: number;
  state: ActState;
  /** Of a parked one: why. */
  code: RefusalCode;
  /** Parked since one before it was refused, not for itself. */
  behind: boolean;
  /** `Account.life` in which it was done. */
  life: number;
}

/** Who we are to the gateway. */
export interface Account {
  /** Random, made once for this browser storage. */
  device: string;
  /** Session token, hexadecimal; empty: none yet. */
  session: string;
  me: string;
  /** Of the log, decimal; empty: none seen. */
  epoch: string;
  /** Who the merchant says it is (the token's subject); empty: a visitor. */
  subject: string;
  /** Counts log-outs: what was done before one is never sent after it. */
  life: number;
}

/** Everything that is committed together. */
export interface Commit {
  /** Part of the outbox moves: must survive a power loss. */
  strict: boolean;
  account?: Account;
  log?: LogState;
  /** Cache, outbox and draft go, before anything below is put. */
  forget?: boolean;
  /** All cached entries go, before those below are put. */
  dropEntries?: boolean;
  /** Seqs of cached entries that go. */
  drop: number[];
  entries: StoredEntry[];
  putActs: Act[];
  removeActs: string[];
}

/** What a sender begins with. */
export interface Snapshot {
  account: Account;
  log: LogState;
  entries: StoredEntry[];
  acts: Act[];
}

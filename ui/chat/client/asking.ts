import type { Output } from "./input";
import { create, encodeFrame } from "./wire";
import { ClientFrameSchema } from "../../src/gen/proto/zuoxi/v1/frame_pb";
import type { Range } from "./ranges";

/** An unanswered question is asked again after so long, milliseconds. */
const ANSWER_MS = 15_000;

export interface Ack {
  push: bigint;
  watermarks: { conversation: Uint8Array; seq: bigint }[];
}

export interface Kind {
  case: string;
  value: unknown;
}

/** A question under way. `turned`: what it was asked for; an answer to an earlier turn isn't taken. */
export type Asked =
  | { what: "log_in" | "log_out" }
  | { what: "identify"; subject: string }
  | { what: "compare"; turned: number }
  /** Without a range: the newest. */
  | { what: "page"; turned: number; range: Range | null }
  | { what: "older"; turned: number; range: Range };

type What = Asked["what"];

/** What leaves in one turn, and which questions of this connection aren't answered. */
export class Asking {
  out: Output[] = [];
  /** What is acknowledged rides on whatever frame goes. */
  takeAck: () => Ack | null = () => null;
  private readonly asked = new Map<number, { asked: Asked; due: number }>();
  private request = 0;

  send(kind: Kind | null, request = 0): void {
    this.leave(kind, request, this.takeAck());
  }

  private leave(kind: Kind | null, request: number, ack: Ack | null): void {
    const fields = { request, ...(ack ? { ack } : {}), ...(kind ? { kind } : {}) };
    const frame = create(ClientFrameSchema, fields as Parameters<typeof create<typeof ClientFrameSchema>>[1]);
    this.out.push({ do: "send", bytes: encodeFrame(frame) });
  }

  ask(kind: Kind, asked: Asked, now: number): void {
    this.request += 1;
    this.asked.set(this.request, { asked, due: now + ANSWER_MS });
    this.send(kind, this.request);
  }

  answered(request: number): Asked | null {
    const found = this.asked.get(request);
    this.asked.delete(request);
    return found?.asked ?? null;
  }

  isAsking(what: What): boolean {
    return [...this.asked.values()].some(({ asked }) => asked.what === what);
  }

  /** Questions about the log that nobody answered. */
  overdue(now: number): Asked[] {
    const found = [...this.asked].filter(([, { asked, due }]) => "turned" in asked && due <= now);
    for (const [request] of found) this.asked.delete(request);
    return found.map(([, { asked }]) => asked);
  }

  wake(): number | null {
    const due = [...this.asked.values()].filter(({ asked }) => "turned" in asked).map((asked) => asked.due);
    return due.length > 0 ? Math.min(...due) : null;
  }

  /** The connection is gone, and its questions with it. */
  lose(): void {
    this.asked.clear();
    this.request = 0;
  }
}

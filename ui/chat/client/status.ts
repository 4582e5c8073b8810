import { type ProblemCode, Stage } from "./wire";

/** Why no connection is tried any longer. */
export type Refusal = Extract<keyof typeof ProblemCode, "VERSION" | "BRAND" | "ORIGIN" | "DISABLED"> | "OTHER";

/** What every tab is told by the one that holds the socket. */
export interface Status {
  /** idle: nothing was tried yet. */
  connection: "idle" | "connecting" | "live" | "refused";
  refusal: Refusal | null;
  brand: { name: string; shortName: string; greeting: string } | null;
  me: string;
  stage: Stage;
  agentName: string;
  ahead: number;
  /** Within so many minutes answers usually come; 0: unknown. */
  replyMinutes: number;
  typing: boolean;
  marks: { delivered: number; read: number };
  read: number;
  /** Older history can be asked for. */
  hasOlder: boolean;
  askingOlder: boolean;
  /** For the merchant's page, whose token must carry it; empty: not connected. */
  nonce: string;
  /** Whose words these are was proven by the merchant. */
  identity: "none" | "asked" | "known" | "proven" | "refused";
  /** `Account.life`: another one means that somebody else begins here. */
  life: number;
  /** The merchant says that it is somebody else now: so many acts are unsent and would be lost. 0: no question. */
  switching: number;
}

export const firstStatus = (): Status => ({
  connection: "idle",
  refusal: null,
  brand: null,
  me: "",
  stage: Stage.NEW,
  agentName: "",
  ahead: 0,
  replyMinutes: 0,
  typing: false,
  marks: { delivered: 0, read: 0 },
  read: 0,
  hasOlder: false,
  askingOlder: false,
  nonce: "",
  identity: "none",
  life: 0,
  switching: 0,
});

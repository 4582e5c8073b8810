import type { Act, Commit } from "./model";
import type { Status } from "./status";

/** What happens to the machine. */
export type Input =
  | { is: "start" }
  | { is: "opened" }
  | { is: "frame"; bytes: Uint8Array }
  | { is: "closed" }
  | { is: "wake" }
  /** Back online, or shown again: no reason to wait any longer. */
  | { is: "nudge" }
  /** Stored by a tab. */
  | { is: "acts"; acts: Act[]; forget: string[] }
  | { is: "discard"; id: string }
  | { is: "read"; seq: number }
  | { is: "typing"; on: boolean }
  | { is: "older" }
  | { is: "visit"; url: string }
  | { is: "identify"; jwt: string }
  /** Another identity, with something unsent: whether it may be lost. */
  | { is: "switch"; agreed: boolean }
  | { is: "log_out" };

/** What the machine wants done, in this order: a commit ends before anything after it begins. */
export type Output =
  | { do: "open" }
  | { do: "close" }
  | { do: "send"; bytes: Uint8Array }
  | { do: "commit"; commit: Commit }
  | { do: "status"; status: Status };

/** What the page tells of itself. */
export interface Surroundings {
  brand: string;
  software: string;
  language: string;
  pageUrl: string;
  pageTitle: string;
  referrer: string;
  browser: string;
}

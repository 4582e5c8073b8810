// The only door between the desk's user interface and whatever holds the engine. Two implementations: `tauri.ts` (the
// shell) and `browser.ts` (an engine's stand-in in memory, for tests and for design work in an ordinary browser).
// Every call answers with its value or rejects with a CallError; no call waits for the network unless it says so.

import type {
  CustomerPanel,
  DeskEvent,
  DraftView,
  InboxTab,
  PresenceView,
  ProofView,
  TransferTargets,
  TransferTo,
} from "../gen/view";
import type { LogInArgs, Settings, StartState, WindowLayout } from "../gen/shell";

export interface Host {
  /** What this window needs to draw its first frame: account, settings, its layout. */
  start(): Promise<StartState>;
  /** Everything this window observes, in order, at most one call a frame. */
  listen(onEvents: (events: DeskEvent[]) => void): Promise<void>;

  /** Milliseconds until a gateway greeted. Waits for the network. */
  reach(gateway: string): Promise<number>;
  /** Waits for the network. */
  logIn(args: LogInArgs): Promise<void>;
  /** Rejects with `busy` if acts are unsent and `force` is false. */
  logOut(force: boolean): Promise<void>;
  /** Waits for the network. */
  changePassword(oldPassword: string, newPassword: string): Promise<void>;
  /** Opens an encrypted store where no keyring holds its key. */
  unlock(passphrase: string): Promise<void>;
  /** Keeps a damaged or newer database under another name, so that the next log-in begins with a new one. Ask before. */
  setAside(gateway: string, name: string): Promise<void>;
  setPresence(presence: PresenceView): Promise<void>;

  /**
   * Observes rows `from` .. `from + count` of a list, in place of what was observed before. Asked for once more, it is
   * told as a whole (`InboxDelta`).
   */
  observeInbox(tab: InboxTab, from: number, count: number): Promise<void>;
  /** Observes a conversation's head and rows `from` .. `from + count`; from = -1: at the end, or at the first unread. */
  observeTimeline(conversation: string, from: number, count: number): Promise<void>;
  unobserveTimeline(conversation: string): Promise<void>;
  /** Row index of the first entry at or after a time. Waits for the network where it isn't cached. */
  findTime(conversation: string, timeMs: number): Promise<number>;
  /** The next conversation that waits longest, without `except`; null: nobody waits. */
  nextWaiting(except: string[]): Promise<string | null>;

  /** `id` is a fresh UUIDv7 made by the caller, so that the bubble stands before the call returns. */
  sendMessage(conversation: string, id: string, text: string): Promise<void>;
  writeNote(conversation: string, id: string, text: string): Promise<void>;
  recall(conversation: string, messageId: string): Promise<void>;
  /** A parked or lost act again, under a new id (a lost one keeps its id). */
  resend(conversation: string, messageId: string): Promise<void>;
  /** Drops a parked act; one whose fate is unknown becomes a void. */
  discard(conversation: string, messageId: string): Promise<void>;
  /** A message that was discarded too late stays sent: recalling it isn't offered any more, in any window. */
  keep(conversation: string, messageId: string): Promise<void>;
  take(conversation: string): Promise<void>;
  transfer(conversation: string, to: TransferTo, reason: string): Promise<void>;
  close(conversation: string): Promise<void>;
  setTags(conversation: string, tags: string[]): Promise<void>;
  /** Everything up to row `seq` was seen in a focused tile. */
  markRead(conversation: string, seq: number): Promise<void>;
  typing(conversation: string, typing: boolean): Promise<void>;
  saveDraft(conversation: string, draft: DraftView): Promise<void>;
  readDraft(conversation: string): Promise<DraftView>;

  /** Waits for the network; what is known shows at once by event. */
  readCustomer(conversation: string): Promise<CustomerPanel>;
  /** The address of an agent's public picture for this page, of the account whose `MeView.pictures` this is; empty: there is none. */
  picture(pictures: string, agent: string): string;
  /** Waits for the network. */
  transferTargets(): Promise<TransferTargets>;
  proof(): Promise<ProofView>;
  /** Asks for a heartbeat at once. */
  checkNow(): Promise<void>;
  reconnectNow(): Promise<void>;

  settings(): Promise<Settings>;
  saveSettings(settings: Settings): Promise<void>;
  saveLayout(layout: WindowLayout): Promise<void>;
  /** A window of its own for this conversation; it leaves its tile. */
  popOut(conversation: string): Promise<void>;
  /** Back into the main window; closes this one. */
  popIn(conversation: string): Promise<void>;
  /** Opens a link outside, after the user has seen where it leads. http and https alone. */
  openLink(url: string): Promise<void>;
  copyText(text: string): Promise<void>;
  /** Puts ids, versions and states (never texts) on the clipboard. */
  copyDiagnostics(): Promise<void>;
  /** Rejects with `busy` if acts are unsent and `force` is false. */
  quit(force: boolean): Promise<void>;
}

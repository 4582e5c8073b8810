// Generated from src-tauri/shell_view.rs by `cargo xtask generate`. Don't edit.

import type { MeView } from "./view";

/**
 * Arguments of a log-in.
 */
export type LogInArgs = { 
/**
 * `host`, `host:port`, or `https://…`; plain `http://` on loopback alone.
 */
gateway: string, 
/**
 * Log-in name.
 */
name: string, 
/**
 * Password; never logged, never stored.
 */
password: string, 
/**
 * Keep the session over restarts (the key in the system's keyring).
 */
remember: boolean, };

/**
 * Settings of this computer's user.
 */
export type Settings = { 
/**
 * `system`, `light` or `dark`.
 */
theme: string, 
/**
 * `system`, `zh-CN` or `en`.
 */
language: string, 
/**
 * Notify of a new assignment or an unseen customer.
 */
notify: boolean, 
/**
 * With a sound.
 */
sound: boolean, 
/**
 * Draw without the GPU; takes effect at the next start.
 */
safe_graphics: boolean, };

/**
 * How a window is laid out; kept over restarts.
 */
export type WindowLayout = { 
/**
 * 1, 2, 4 or 6.
 */
tiles: number, 
/**
 * Conversation in each tile; `null`: empty.
 */
open: Array<string | null>, 
/**
 * Index of the focused tile.
 */
focused: number, 
/**
 * The customer panel is shown; `null`: as the width says.
 */
panel: boolean | null, 
/**
 * The list that is shown.
 */
tab: string, };

/**
 * An account's database that could not be opened or went on failing.
 */
export type TroubleView = { 
/**
 * Gateway's address of the account.
 */
gateway: string, 
/**
 * Its log-in name.
 */
name: string, 
/**
 * A code of `CallError`: damaged and newer_database can be set aside.
 */
code: string, };

/**
 * What a window starts from.
 */
export type StartState = { 
/**
 * `null`: show the log-in.
 */
me: MeView | null, 
/**
 * Last gateway and name, for the log-in form; or what the command line gave.
 */
gateway: string, 
/**
 * Log-in name to begin with.
 */
name: string, 
/**
 * Password to begin with: only from `cargo xtask run`'s demo.
 */
password: string, 
/**
 * The store is encrypted by a passphrase that must be typed: `no`, `new` (choose one) or `known`.
 */
passphrase: string, 
/**
 * A keyring is there, so "remember me" can be offered.
 */
keyring: boolean, 
/**
 * An account whose database could not be opened; `null`: all is well.
 */
trouble: TroubleView | null, 
/**
 * Settings.
 */
settings: Settings, 
/**
 * This window's layout.
 */
layout: WindowLayout, 
/**
 * In a window of its own: that conversation.
 */
popped_out: string | null, 
/**
 * Conversations that stand in windows of their own.
 */
popped: Array<string>, 
/**
 * Version of the app.
 */
version: string, };

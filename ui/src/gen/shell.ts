// Generated from src-tauri/shell_view.rs by `cargo xtask generate`. Don't edit.

import type { MeView } from "./view";

export type LogInArgs = { gateway: string, name: string, password: string, remember: boolean, };

export type Settings = { theme: string, language: string, notify: boolean, sound: boolean, safe_graphics: boolean, };

export type WindowLayout = { tiles: number, open: Array<string | null>, focused: number, panel: boolean | null, tab: string, };

export type StartState = { me: MeView | null, gateway: string, name: string, password: string, passphrase: string, keyring: boolean, settings: Settings, layout: WindowLayout, popped_out: string | null, popped: Array<string>, version: string, };

// The shell's side of the door: each method is the command of the same name, events come through one channel.

import { Channel, convertFileSrc, invoke } from "@tauri-apps/api/core";
import type { StartState, Settings } from "../gen/shell";
import type { CustomerPanel, DeskEvent, DraftView, ProofView, TransferTargets } from "../gen/view";
import type { Host } from "./host";

export function tauriHost(): Host {
  return {
    start: () => invoke<StartState>("start"),
    listen: async (onEvents) => {
      const channel = new Channel<DeskEvent[]>(onEvents);
      await invoke("listen", { channel });
    },

    reach: (gateway) => invoke<number>("reach", { gateway }),
    logIn: (args) => invoke("log_in", { args }),
    logOut: (force) => invoke("log_out", { force }),
    changePassword: (oldPassword, newPassword) => invoke("change_password", { oldPassword, newPassword }),
    unlock: (passphrase) => invoke("unlock", { passphrase }),
    setAside: (gateway, name) => invoke("set_aside", { gateway, name }),
    setPresence: (presence) => invoke("set_presence", { presence }),

    observeInbox: (tab, from, count) => invoke("observe_inbox", { tab, from, count }),
    observeTimeline: (conversation, from, count) => invoke("observe_timeline", { conversation, from, count }),
    unobserveTimeline: (conversation) => invoke("unobserve_timeline", { conversation }),
    findTime: (conversation, timeMs) => invoke<number>("find_time", { conversation, timeMs }),
    nextWaiting: (except) => invoke<string | null>("next_waiting", { except }),

    sendMessage: (conversation, id, text) => invoke("send_message", { conversation, id, text }),
    writeNote: (conversation, id, text) => invoke("write_note", { conversation, id, text }),
    recall: (conversation, messageId) => invoke("recall", { conversation, messageId }),
    resend: (conversation, messageId) => invoke("resend", { conversation, messageId }),
    discard: (conversation, messageId) => invoke("discard", { conversation, messageId }),
    keep: (conversation, messageId) => invoke("keep", { conversation, messageId }),
    take: (conversation) => invoke("take", { conversation }),
    transfer: (conversation, to, reason) => invoke("transfer", { conversation, to, reason }),
    close: (conversation) => invoke("close", { conversation }),
    setTags: (conversation, tags) => invoke("set_tags", { conversation, tags }),
    markRead: (conversation, seq) => invoke("mark_read", { conversation, seq }),
    typing: (conversation, typing) => invoke("typing", { conversation, typing }),
    saveDraft: (conversation, draft) => invoke("save_draft", { conversation, draft }),
    readDraft: (conversation) => invoke<DraftView>("read_draft", { conversation }),

    readCustomer: (conversation) => invoke<CustomerPanel>("read_customer", { conversation }),
    // As pictures.rs reads it.
    picture: (pictures, agent) => convertFileSrc(`${pictures}.${agent}`, "picture"),
    transferTargets: () => invoke<TransferTargets>("transfer_targets"),
    proof: () => invoke<ProofView>("proof"),
    checkNow: () => invoke("check_now"),
    reconnectNow: () => invoke("reconnect_now"),

    settings: () => invoke<Settings>("settings"),
    saveSettings: (settings) => invoke("save_settings", { settings }),
    saveLayout: (layout) => invoke("save_layout", { layout }),
    popOut: (conversation) => invoke("pop_out", { conversation }),
    popIn: (conversation) => invoke("pop_in", { conversation }),
    openLink: (url) => invoke("open_link", { url }),
    copyText: (text) => invoke("copy_text", { text }),
    copyDiagnostics: () => invoke("copy_diagnostics"),
    quit: (force) => invoke("quit", { force }),
  };
}

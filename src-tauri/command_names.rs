// The one list of the desk's commands, read by build.rs (which declares them to Tauri's access control, since Tauri
// skips it for undeclared ones) and by the shell (which registers them). A test holds the capability against it.

/// Calls `$callback!` with every command of the shell, by its function's name in `commands.rs`.
macro_rules! with_commands {
    ($callback:ident) => {
        $callback!(
            start,
            listen,
            reach,
            log_in,
            log_out,
            change_password,
            unlock,
            set_aside,
            set_presence,
            observe_inbox,
            observe_timeline,
            unobserve_timeline,
            find_time,
            next_waiting,
            send_message,
            write_note,
            recall,
            resend,
            discard,
            keep,
            take,
            transfer,
            close,
            set_tags,
            mark_read,
            typing,
            save_draft,
            read_draft,
            read_customer,
            transfer_targets,
            proof,
            check_now,
            reconnect_now,
            settings,
            save_settings,
            save_layout,
            pop_out,
            pop_in,
            open_link,
            copy_text,
            copy_diagnostics,
            quit
        )
    };
}

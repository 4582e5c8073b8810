//! A screen of its own for tests in real windows: Xvfb with a window manager, under one session bus with a keyring and
//! notifications, so that nothing depends on, or disturbs, the user's own.

use std::process::Command;

/// Runs a command on a screen of its own. The command's words must be plain (no quotes in them).
pub(crate) fn on_own_screen(command: &str) -> Command {
    let script = format!(
        "set -u
         folder=$(mktemp -d)
         number=$(mktemp -u XXXX | tr -dc '0-9'); number=$((200 + ${{number:-7}} % 90))
         while [ -e /tmp/.X11-unix/X$number ]; do number=$((number + 1)); done
         Xvfb :$number -screen 0 2560x1440x24 -nolisten tcp >\"$folder/xvfb.log\" 2>&1 & screen=$!
         trap 'kill $screen 2>/dev/null; rm -rf \"$folder\"' EXIT
         export DISPLAY=:$number LANG=C.UTF-8 XDG_DATA_HOME=\"$folder/data\" NO_AT_BRIDGE=1 GDK_BACKEND=x11 XDG_RUNTIME_DIR=\"$folder\"
         chmod 700 \"$folder\"
         for i in $(seq 100); do [ -e /tmp/.X11-unix/X$number ] && break; sleep 0.1; done
         export HOME_BEFORE=\"$HOME\"
         dbus-run-session -- sh -c '
            (openbox >/dev/null 2>&1 &)
            (dunst >/dev/null 2>&1 &)
            printf \"\\n\" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
            exec {command}
         '"
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(crate::stage::root());
    shell
}

//! What the machine must have, and how it is installed: Debian and Ubuntu done and tested, Fedora and Arch by table,
//! macOS and Windows as a clear list.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::stage::{answers, see};

/// What needs a thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Building what has no window: gateway, engine, and what drives them.
    Build,
    /// Building and running everything.
    Run,
    /// Running the tests in real windows.
    Test,
}

/// How one finds out whether a thing is there.
enum Sign {
    Program(&'static str),
    Library(&'static str),
    /// fc-list knows a font of this language.
    FontOf(&'static str),
}

struct Thing {
    purpose: Purpose,
    sign: Sign,
    what_for: &'static str,
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
}

const fn thing(
    purpose: Purpose,
    sign: Sign,
    what_for: &'static str,
    [debian, fedora, arch]: [&'static str; 3],
) -> Thing {
    Thing {
        purpose,
        sign,
        what_for,
        debian,
        fedora,
        arch,
    }
}

/// Everything, in the order in which it is needed.
const THINGS: &[Thing] = &[
    thing(
        Purpose::Build,
        Sign::Program("pkg-config"),
        "finding libraries",
        ["pkg-config", "pkgconf-pkg-config", "pkgconf"],
    ),
    thing(
        Purpose::Build,
        Sign::Program("c++"),
        "building SQLCipher and OpenSSL",
        ["build-essential", "gcc-c++", "base-devel"],
    ),
    thing(
        Purpose::Build,
        Sign::Program("perl"),
        "building OpenSSL",
        ["perl", "perl", "perl"],
    ),
    thing(
        Purpose::Build,
        Sign::Program("make"),
        "building OpenSSL",
        ["make", "make", "make"],
    ),
    thing(
        Purpose::Run,
        Sign::Library("webkit2gtk-4.1"),
        "the desk's windows",
        ["libwebkit2gtk-4.1-dev", "webkit2gtk4.1-devel", "webkit2gtk-4.1"],
    ),
    thing(
        Purpose::Run,
        Sign::Library("gtk+-3.0"),
        "the desk's windows",
        ["libgtk-3-dev", "gtk3-devel", "gtk3"],
    ),
    thing(
        Purpose::Run,
        Sign::Library("ayatana-appindicator3-0.1"),
        "the tray icon",
        [
            "libayatana-appindicator3-dev",
            "libayatana-appindicator-gtk3-devel",
            "libayatana-appindicator",
        ],
    ),
    thing(
        Purpose::Run,
        Sign::FontOf("zh-cn"),
        "Chinese texts",
        ["fonts-noto-cjk", "google-noto-sans-cjk-fonts", "noto-fonts-cjk"],
    ),
    thing(
        Purpose::Run,
        Sign::Program("node"),
        "building the user interface",
        ["nodejs", "nodejs", "nodejs"],
    ),
    thing(
        Purpose::Run,
        Sign::Program("npm"),
        "building the user interface",
        ["npm", "nodejs-npm", "npm"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("Xvfb"),
        "a screen for tests",
        ["xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("openbox"),
        "a window manager for tests",
        ["openbox", "openbox", "openbox"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("dbus-run-session"),
        "a session bus for tests",
        ["dbus", "dbus-daemon", "dbus"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("dunst"),
        "notifications in tests",
        ["dunst", "dunst", "dunst"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("gnome-keyring-daemon"),
        "a keyring for tests",
        ["gnome-keyring", "gnome-keyring", "gnome-keyring"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("strace"),
        "seeing that nothing is told before it is synced",
        ["strace", "strace", "strace"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("chromium"),
        "the web chat page in tests",
        ["chromium", "chromium", "chromium"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("chromedriver"),
        "driving Chromium in tests",
        ["chromium-driver", "chromedriver", "chromium"],
    ),
    thing(
        Purpose::Test,
        Sign::Program("WebKitWebDriver"),
        "driving the desk in tests",
        ["webkit2gtk-driver", "webkitgtk6.0-devel", "webkit2gtk-4.1"],
    ),
];

impl Sign {
    fn is_there(&self) -> bool {
        match self {
            Self::Program("perl") => answers("perl", "-v"),
            // These start or complain when asked for a version.
            Self::Program(name @ ("Xvfb" | "WebKitWebDriver" | "gnome-keyring-daemon" | "openbox" | "dunst")) => {
                on_path(name)
            }
            Self::Program(name) => answers(name, "--version"),
            Self::Library(name) => Command::new("pkg-config")
                .args(["--exists", name])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
            Self::FontOf(language) => Command::new("fc-list")
                .arg(format!(":lang={language}"))
                .output()
                .is_ok_and(|output| !output.stdout.is_empty()),
        }
    }
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The system's package manager: what installs, what must come first, and which column of the table holds.
struct Packages {
    refresh: Option<&'static [&'static str]>,
    install: &'static [&'static str],
    column: fn(&Thing) -> &'static str,
}

fn packages() -> Option<Packages> {
    if on_path("apt-get") {
        Some(Packages {
            refresh: Some(&["apt-get", "update", "-q"]),
            install: &["apt-get", "install", "-y", "-q", "--no-install-recommends"],
            column: |thing| thing.debian,
        })
    } else if on_path("dnf") {
        Some(Packages {
            refresh: None,
            install: &["dnf", "install", "-y"],
            column: |thing| thing.fedora,
        })
    } else if on_path("pacman") {
        Some(Packages {
            refresh: None,
            install: &["pacman", "-S", "--needed", "--noconfirm"],
            column: |thing| thing.arch,
        })
    } else {
        None
    }
}

/// Looks for what is missing, says what will be installed, and installs it.
///
/// # Errors
/// No known package manager, no consent, or the installation failed.
pub(crate) fn prepare(purpose: Purpose, yes: bool) -> Outcome {
    if !cfg!(target_os = "linux") {
        return elsewhere(purpose);
    }
    let missing: Vec<&Thing> = THINGS
        .iter()
        .filter(|thing| thing.purpose <= purpose && !thing.sign.is_there())
        .collect();
    if missing.is_empty() {
        println!("Everything that is needed is installed.");
        return Ok(());
    }
    let Some(packages) = packages() else {
        let list: Vec<_> = missing
            .iter()
            .map(|thing| format!("  {} ({})", thing.debian, thing.what_for))
            .collect();
        return Err(format!(
            "No package manager that this knows (apt-get, dnf, pacman). Install these, named as Debian names them, \
             and start again:\n{}",
            list.join("\n")
        ));
    };
    println!("To be installed with {}:", packages.install.first().unwrap_or(&""));
    for thing in &missing {
        println!("  {:<32} {}", (packages.column)(thing), thing.what_for);
    }
    consent(yes)?;
    if let Some(refresh) = packages.refresh {
        see(&mut as_root(refresh))?;
    }
    let mut install = as_root(packages.install);
    install.args(missing.iter().map(|thing| (packages.column)(thing)));
    see(&mut install)
}

fn consent(yes: bool) -> Outcome {
    if yes || !std::io::stdin().is_terminal() {
        return Ok(());
    }
    print!("Install them now? [Y/n] ");
    let mut answer = String::new();
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| error.to_string())?;
    match answer.trim() {
        "" | "y" | "Y" | "yes" => Ok(()),
        _ => Err("Nothing was installed. Install them yourself and start again.".into()),
    }
}

fn as_root(words: &[&str]) -> Command {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    let mut all = words.iter();
    let mut command = if root {
        Command::new(all.next().unwrap_or(&"true"))
    } else {
        Command::new("sudo")
    };
    command.args(all).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn elsewhere(purpose: Purpose) -> Outcome {
    let list = if cfg!(target_os = "macos") {
        "Xcode's command line tools (xcode-select --install) and Node.js 22 or newer (brew install node)"
    } else {
        "the Visual Studio C++ build tools, Strawberry Perl, WebView2 (part of Windows 11) and Node.js 22 or newer"
    };
    let node = purpose == Purpose::Build || answers("node", "--version");
    if node && (cfg!(target_os = "windows") || answers("cc", "--version")) {
        Ok(())
    } else {
        Err(format!("This needs: {list}. Install it and start again."))
    }
}

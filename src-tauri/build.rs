//! Tells Tauri which commands exist and what the desk's windows may call.

include!("command_names.rs");

macro_rules! names {
    ($($name:ident),+) => { &[$(stringify!($name)),+] };
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The page may not be built yet (cargo check, clippy): Tauri wants the folder to be there.
    std::fs::create_dir_all("ui/dist/desk")?;
    println!("cargo:rerun-if-changed=ui/dist/desk");
    tauri_build::try_build(
        tauri_build::Attributes::new()
            .capabilities_path_pattern("src-tauri/capabilities/*.json")
            .app_manifest(tauri_build::AppManifest::new().commands(with_commands!(names))),
    )
    .map_err(|error| format!("{error:#}"))?;
    Ok(())
}

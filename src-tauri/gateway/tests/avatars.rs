//! Agents' public pictures: what is taken as one, and how it is served.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod world;

use world::World;

/// A picture by its first bytes, with a document inside.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n<script>alert(1)</script>";
const WEBP: &[u8] = b"RIFF\x10\0\0\0WEBPVP8 ";

fn agent_id(world: &World, login: &str) -> String {
    let list = world.done(&["agent", "list"]);
    let line = list.lines().find(|line| line.contains(login)).unwrap();
    line.split_whitespace().next().unwrap().to_owned()
}

fn set(world: &World, name: &str, bytes: &[u8]) -> Vec<String> {
    let file = world.folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    ["agent", "avatar", "shen", "--file", &file.to_string_lossy()]
        .map(str::to_owned)
        .to_vec()
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// What was set is in force within a second.
fn until(world: &World, path: &str, is: impl Fn(&str) -> bool) -> String {
    for _ in 0..100 {
        let answer = world.http(path);
        if is(&answer) {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{path}: {}", world.http(path));
}

#[test]
fn a_picture_is_served_as_nothing_but_a_picture() {
    let world = World::started();
    let path = format!("/v1/avatars/{}", agent_id(&world, "shen"));
    assert!(world.http(&path).starts_with("HTTP/1.1 404"));
    world.done(&words(&set(&world, "face.html", PNG)));
    let answer = until(&world, &path, |answer| answer.starts_with("HTTP/1.1 200"));
    let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
    for line in [
        "content-type: image/png",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; sandbox",
        "cache-control: public, max-age=300",
    ] {
        assert!(head.lines().any(|told| told == line), "{line}: {head}");
    }
    // Who has it isn't sent it again; who has another is.
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = world.http_with(&path, &format!("If-None-Match: \"x\", W/{tag}\r\n"));
    assert!(again.starts_with("HTTP/1.1 304") && !again.contains("alert"), "{again}");
    world.done(&words(&set(&world, "face.webp", WEBP)));
    let tells = |answer: &str| answer.contains("content-type: image/webp") && !answer.contains(tag);
    until(&world, &path, tells);
    let moved = world.http_with(&path, &format!("If-None-Match: {tag}\r\n"));
    assert!(moved.starts_with("HTTP/1.1 200"), "{moved}");
    // Agents without one, and what is no agent.
    for nobody in [
        agent_id(&world, "wang"),
        "shen".to_owned(),
        "%2e%2e%2fgateway.db".to_owned(),
    ] {
        assert!(world.http(&format!("/v1/avatars/{nobody}")).starts_with("HTTP/1.1 404"));
    }
    world.done(&["agent", "avatar", "shen", "--none"]);
    until(&world, &path, |answer| answer.starts_with("HTTP/1.1 404"));
}

#[test]
fn a_picture_outlives_a_restart() {
    let mut world = World::new();
    world.done(&words(&set(&world, "face.png", PNG)));
    world.start();
    let path = format!("/v1/avatars/{}", agent_id(&world, "shen"));
    assert!(world.http(&path).starts_with("HTTP/1.1 200"));
}

#[test]
fn what_is_too_large_or_no_picture_is_refused_and_the_picture_before_stays() {
    let world = World::new();
    let most = [PNG, &vec![0; 128 * 1024 - PNG.len()]].concat();
    world.done(&words(&set(&world, "most.png", &most)));
    let told = world.refused(&words(&set(&world, "large.png", &[most, vec![0]].concat())));
    assert!(told.contains("larger than 128 KiB"), "{told}");
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    for bytes in [
        b"<html><script>alert(1)</script></html>".as_slice(),
        svg,
        b"\x89PN",
        b"",
    ] {
        let told = world.refused(&words(&set(&world, "page.png", bytes)));
        assert!(told.contains("page.png is no PNG, JPEG or WebP picture"), "{told}");
    }
    let told = world.refused(&["agent", "avatar", "shen", "--file", "/nowhere/face.png"]);
    assert!(told.contains("/nowhere/face.png"), "{told}");
    let told = world.refused(&["agent", "avatar", "nobody", "--none"]);
    assert!(told.contains("agent list"), "{told}");
    let told = world.refused(&["agent", "avatar", "shen"]);
    assert!(told.contains("--file") && told.contains("--none"), "{told}");
    let mut world = world;
    world.start();
    let path = format!("/v1/avatars/{}", agent_id(&world, "shen"));
    assert!(world.http(&path).starts_with("HTTP/1.1 200"));
}

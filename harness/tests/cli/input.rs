//! Bad input: each is refused with status 2, and the message says where, what was expected, and what there is.

use std::fs;

use crate::sandbox::Sandbox;

const MANIFEST: &str = r#"name = "mine"
binding = "none"
summary = "One."

[[lane]]
variant = "one"
summary = "One"
comparison = "as published"
kernel = "python"
gil = "held"
parallel = "none"
copies = {}
modules = { call = "mine" }
"#;

/// `list` with the manifest after a replacement. Most faults stand on a line of their own: its number is expected.
#[track_caller]
fn refuses(old: &str, new: &str, expected: &[&str]) {
    let text = MANIFEST.replacen(old, new, 1);
    assert_ne!(text, MANIFEST);
    let sandbox = Sandbox::with_manifest("mine", &text);
    let line = MANIFEST[..MANIFEST.find(old).unwrap()].lines().count() + 1;
    let place = format!("mine/strategy.toml, line {line}:");
    sandbox.bindbench(&["list"]).refuses_with(&[&place]).says(expected);
}

#[test]
fn the_manifest_is_fine_before_it_is_spoilt() {
    let sandbox = Sandbox::with_manifest("mine", MANIFEST);
    sandbox.bindbench(&["list", "--lane", "mine/*"]).succeeds().prints(&["mine/one", "not set up"]);
}

#[test]
fn what_a_module_does_not_define_is_not_counted_and_nothing_of_it_is_run() {
    let sandbox = Sandbox::with_manifest("mine", MANIFEST);
    let module = sandbox.path().join("written/mine/mine.py");
    fs::write(&module, "from os import times as add\nif True:\n    noop = print\nwhile __name__:\n    pass\n").unwrap();
    let list = ["list", "--lane", "mine/*"];
    let listed =
        sandbox.bindbench(&list).succeeds().prints(&["2 of 7", "mine/one declares call.call_back, call.fail, ", "mine.py does not define"]);
    assert!(!listed.stdout().contains("call.add"), "{}", listed.stdout());
    let json = sandbox.bindbench(&[&list[..], &["--json"]].concat()).succeeds().json();
    assert_eq!(json["lanes"][0]["undefined"].as_object().unwrap().len(), 5, "{json:#}");
    // A module that makes its names by a program may make any.
    fs::write(&module, "globals()['add'] = print\n").unwrap();
    sandbox.bindbench(&list).succeeds().prints(&["all"]);
}

#[test]
fn an_unknown_key_is_refused() {
    refuses("summary = \"One.\"", "sumary = \"One.\"", &["unknown field `sumary`, expected one of", "`summary`"]);
    refuses("kernel = \"python\"", "colour = 3", &["unknown field `colour`, expected one of"]);
}

#[test]
fn a_wrong_type_or_value_is_refused() {
    refuses("binding = \"none\"", "binding = 3", &["invalid type: integer `3`, expected a string"]);
    refuses("gil = \"held\"", "gil = \"kept\"", &["unknown variant `kept`", "`held`"]);
    refuses("copies = {}", "copies = { bytes = -1 }", &["copies"]);
    refuses("binding = \"none\"", "python = \">> 3\"\nbinding = \"none\"", &["not a version specifier such as"]);
}

#[test]
fn packages_without_their_lock_are_refused() {
    refuses("gil = \"held\"", "packages = \"none.lock\"\ngil = \"held\"", &["none.lock is no file in"]);
}

#[test]
fn what_is_no_toml_is_refused() {
    refuses("variant = \"one\"", "variant = \"one", &[]);
}

#[test]
fn a_lane_without_an_entry_is_refused() {
    refuses("variant = \"one\"", "variant = \"one\"\ncommand = [\"x\"]", &["either `modules`", "or `command`"]);
}

#[test]
fn a_duplicate_lane_is_refused() {
    let lane = &MANIFEST[MANIFEST.find("[[lane]]").unwrap()..];
    let sandbox = Sandbox::with_manifest("mine", &format!("{MANIFEST}\n{lane}"));
    sandbox.bindbench(&["list"]).refuses_with(&["strategy.toml, line 16:", "the lane mine/one is there twice"]);
}

#[test]
fn a_name_that_is_not_the_folders_is_refused() {
    let sandbox = Sandbox::with_manifest("yours", MANIFEST);
    sandbox.bindbench(&["list"]).refuses_with(&["yours/strategy.toml, line 1:", "the name has to be the folder's"]);
}

#[test]
fn names_are_plain() {
    for name in ["<script>", "two words", "{out}", "a@b", "☃"] {
        let sandbox = Sandbox::with_manifest(name, &MANIFEST.replace("\"mine\"\n", &format!("\"{name}\"\n")));
        sandbox.bindbench(&["list"]).refuses_with(&["strategy.toml, line 1:", "letters, digits"]);
    }
    for variant in ["", "../up", "a/b", "*", "line\\nbreak", "\\u001b[31m"] {
        let sandbox = Sandbox::with_manifest("mine", &MANIFEST.replace("\"one\"", &format!("\"{variant}\"")));
        let ended = sandbox.bindbench(&["list"]).refuses_with(&["strategy.toml, line 6:", "letters, digits"]);
        assert!(!ended.stderr().contains('\x1b'));
    }
    let sandbox = Sandbox::with_manifest("my.own-2_x", &MANIFEST.replace("\"mine\"\n", "\"my.own-2_x\"\n"));
    sandbox.bindbench(&["list", "--lane", "my.own-2_x/one"]).succeeds();
}

#[test]
fn a_lane_that_another_catalog_has_is_refused() {
    let mut sandbox = Sandbox::with_manifest("mine", MANIFEST);
    sandbox.add_manifest("other", "mine", MANIFEST);
    sandbox.bindbench(&["list"]).refuses_with(&["the strategy mine is in two catalogs", "written/mine", "other/mine"]);
    let sandbox = Sandbox::with_manifest("python", &MANIFEST.replace("\"mine\"\n", "\"python\"\n"));
    sandbox.bindbench(&["list"]).refuses_with(&["the strategy python is in two catalogs"]);
}

#[test]
fn a_catalog_that_is_none_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.bindbench(&["list", "--catalog", "nowhere"]).refuses_with(&["--catalog nowhere: the folder can't be listed", "No such file"]);
    std::fs::create_dir(sandbox.path().join("empty")).unwrap();
    sandbox
        .bindbench(&["list", "--catalog", "empty"])
        .refuses_with(&["--catalog empty: there is no strategy in it", "--catalog takes a folder"]);
}

#[test]
fn a_selection_that_matches_nothing_names_what_is_near() {
    let sandbox = Sandbox::new();
    let list = |arguments: &[&str]| sandbox.bindbench(&[&["list"], arguments].concat());
    list(&["-s", "pythn/pure"]).refuses_with(&["--lane pythn/pure matches nothing", "nearest: python/pure"]);
    list(&["-s", "python/*", "-s", "!ctypes/rusty"]).refuses_with(&["--lane !ctypes/rusty matches nothing", "nearest: ctypes/rust"]);
    list(&["-s", "python/*", "-s", "!*"]).refuses_with(&["no lane is left"]);
    list(&["-s", "{a,"]).refuses_with(&["--lane {a,: not a pattern"]);
    list(&["-p", "9.99"]).refuses_with(&["--python 9.99 matches no interpreter", "found: "]);
    list(&["-p", "/nowhere/python"]).refuses_with(&["--python /nowhere/python: can't be run"]);
    list(&["-p", "/bin/sh"]).refuses_with(&["--python /bin/sh: is no Python"]);
    let run = |arguments: &[&str]| sandbox.bindbench(&[&["run", "-s", "python/pure"], arguments].concat());
    run(&["-w", "kpm"]).refuses_with(&["--workload kpm matches nothing", "nearest: kmp"]);
    run(&["-w", "call.nop"]).refuses_with(&["--workload call.nop matches nothing", "call.noop"]);
}

#[test]
fn numbers_that_are_none_are_refused() {
    let sandbox = Sandbox::new();
    let run = |arguments: &[&str]| sandbox.bindbench(&[&["run"], arguments].concat());
    run(&["--size", "huge"]).refuses_with(&["invalid value 'huge' for '--size <SIZE>'"]);
    run(&["--size", "0"]).refuses_with(&["invalid value '0' for '--size <SIZE>'"]);
    run(&["--size", "64KB"]).refuses_with(&["unknown unit \"KB\"; one of k, KiB, MiB, GiB"]);
    run(&["--memory", "much"]).refuses_with(&["invalid value 'much' for '--memory <SIZE>'"]);
    run(&["--timeout", "0"]).refuses_with(&["has to be above 0"]);
    run(&["--timeout", "nan"]).refuses_with(&["invalid value 'nan' for '--timeout <SECONDS>'"]);
    run(&["--budget=-1"]).refuses_with(&["invalid value '-1' for '--budget <SECONDS>'"]);
    run(&["--generations", "0"]).refuses_with(&["invalid value '0' for '--generations <N>'"]);
    run(&["--rounds", "0"]).refuses_with(&["invalid value '0' for '--rounds <N>'"]);
    run(&["--threads", "0"]).refuses_with(&["invalid value '0' for '--threads <N>'"]);
    run(&["--preset", "tiny"]).refuses_with(&["smoke, quick, talk, full"]);
}

#[test]
fn a_run_that_is_not_there_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.bindbench(&["report"]).refuses_with(&["there is no run in", "`bindbench run` makes one"]);
    sandbox.bindbench(&["report", "20261121T000000Z-0000"]).refuses_with(&["there is no run 20261121T000000Z-0000"]);
    sandbox.bindbench(&["run", "--resume", "nothing"]).refuses_with(&["there is no run nothing"]);
    sandbox.bindbench(&["run", "--loops-from", "nothing"]).refuses_with(&["there is no run nothing"]);
    std::fs::create_dir_all(sandbox.path().join("runs/no-run")).unwrap();
    sandbox.bindbench(&["report", "no-run"]).refuses_with(&["is not a run's folder: it has no run.json"]);
    sandbox.bindbench(&["run", "--resume", "no-run"]).refuses_with(&["is not a run's folder: it has no run.json"]);
}

#[test]
fn a_run_before_the_set_up_says_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox
        .bindbench(&["run", "-s", "python/pure"])
        .refuses_with(&["nothing selected is ready", "not set up; `bindbench setup` builds it"]);
}

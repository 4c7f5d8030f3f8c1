//! The talks' claims and a user's own, judged by a run.

use std::fs;

use crate::sandbox::{Ended, Sandbox};

const MINE: &str = r#"[[claim]]
id = "mine"
source = "us"
says = "The stranger takes its time"

[[claim.test]]
relation = "time-per-item"
case = "kmp.find_all:talk:16"
of = "stranger/pure"
above = 0.001
"#;

/// A finished run of one lane and its twin.
fn measured() -> Sandbox {
    let sandbox = Sandbox::with("stranger");
    let arguments = ["run", "--preset", "smoke", "-w", "kmp", "--size", "16", "--lane", "stranger/pure", "--generations", "3"];
    sandbox.bindbench(&[&arguments[..], &["--rounds", "3"]].concat()).succeeds();
    sandbox
}

/// `claims --claims mine.toml` with this text in it.
fn claims(sandbox: &Sandbox, text: &str, more: &[&str]) -> Ended {
    fs::write(sandbox.path().join("mine.toml"), text).unwrap();
    sandbox.bindbench(&[&["claims", "--claims", "mine.toml"], more].concat())
}

#[test]
fn the_talks_claims_and_ones_own_are_judged_and_written() {
    let sandbox = measured();
    sandbox.bindbench(&["claims"]).succeeds().prints(&[
        "32 claims:",
        "Claims that name their interpreters: 1 claim:",
        "bytes.find beats",
        "python/pure was not measured",
    ]);
    let with_mine = claims(&sandbox, MINE, &[]).succeeds().prints(&["33 claims:", "The stranger takes its time (us)", "ns/B"]);
    assert_eq!(with_mine.stderr(), "");
    let written = fs::read_to_string(sandbox.path().join("reports/claims.md")).unwrap();
    assert!(written.contains("33 claims:") && written.contains("The stranger takes its time (us)"), "{written}");

    let json = claims(&sandbox, MINE, &["--json", "--out", "elsewhere"]).succeeds().json();
    let judged = json["interpreters"][0]["claims"].as_array().unwrap();
    assert_eq!((judged.len(), judged[32]["id"].as_str()), (33, Some("mine")));
    assert!(judged[32]["findings"][0]["measured"]["point"].as_f64().is_some_and(|ns| ns > 0.0), "{json}");
    assert_eq!(judged[4]["verdict"], "inconclusive");
    assert!(sandbox.path().join("elsewhere/claims.md").is_file());
}

#[test]
fn a_run_for_claims_measures_nothing_else() {
    let sandbox = Sandbox::with("stranger");
    let run = ["run", "--preset", "smoke", "--for-claims", "--lane", "stranger/pure"];
    sandbox.bindbench(&run).refuses_with(&["none of the claims is about what is selected"]);
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line() {
    let sandbox = measured();
    let refuses = |old: &str, new: &str, texts: &[&str]| {
        let text = MINE.replacen(old, new, 1);
        assert_ne!(text, MINE);
        claims(&sandbox, &text, &[]).refuses_with(texts);
    };
    refuses("stranger/pure", "strnger/pure", &["mine.toml, line 9:", "no lane strnger/pure; nearest: stranger/pure"]);
    refuses("kmp.find_all", "kmp.find_al", &["mine.toml, line 8:", "no operation kmp.find_al; nearest: kmp.find_all"]);
    refuses("time-per-item", "time", &["mine.toml, line 7:", "unknown variant `time`, expected one of `ratio`"]);
    refuses("\"mine\"", "\"mine", &["mine.toml, line 2:", "invalid basic string"]);
    refuses("id = \"mine\"", "id = \"7\"", &["the claim \"7\" is in two files", "give yours another `id`"]);
    sandbox.bindbench(&["claims", "--claims", "nowhere.toml"]).refuses_with(&["can't read nowhere.toml"]);
    sandbox.bindbench(&["claims", "20261121T000000Z-0000"]).refuses_with(&["there is no run 20261121T000000Z-0000"]);
    assert!(!sandbox.path().join("reports/claims.md").exists(), "nothing is written when a file is refused");
}

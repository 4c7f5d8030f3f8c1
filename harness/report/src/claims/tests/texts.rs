//! Files of claims, and what verdicts look like.

use std::path::Path;

use bindbench_catalog::Catalog;

use super::super::file::of_the_talks_checked;
use super::super::{ForInterpreter, Known, joined, markdown, needed, of_the_talks, terminal};
use super::*;
use crate::terminal::Look;

fn catalog() -> Catalog {
    Catalog::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")), &[]).unwrap()
}

fn known() -> Known {
    Known::new(&Synthetic::new(1, 1).run, &catalog())
}

#[test]
fn the_talks_claims_are_33_and_name_lanes_and_cases_of_the_catalog() {
    let claims = of_the_talks_checked(&known()).unwrap_or_else(|error| panic!("{error}"));
    let ids: Vec<String> = (1..=33).map(|id| id.to_string()).collect();
    assert_eq!(claims.iter().map(|claim| &claim.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert_eq!(of_the_talks().unwrap().len(), 33);
}

#[test]
fn with_nothing_measured_nothing_is_judged() {
    let mut made = Synthetic::new(3, 1);
    made.interpreter(PYTHON, &[]);
    let judged = Claims::new(&made.recorded(NOISE), None, &of_the_talks().unwrap()).interpreters;
    let wanted = |verdict: Verdict| [Verdict::Inconclusive, Verdict::Reported].contains(&verdict);
    assert!(judged.iter().flat_map(|docket| &docket.claims).all(|claim| wanted(claim.verdict)), "{judged:#?}");
    let tallies: Vec<String> = judged.iter().map(ForInterpreter::tally).collect();
    assert_eq!(tallies, ["32 claims: 31 inconclusive, 1 without a verdict", "1 claim: 1 inconclusive"]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let fine = claim(&["case = \"std.std:ints:5000\"\nrelation = \"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1"]);
    assert!(parsed(&fine, Some(&known())).is_ok());
    let spoilt = [
        ("\"python/pure\"", "\"pyhton/pure\""),
        ("\"python/pure\"", "{ lane = \"python/pure\", case = \"std.std:int:5000\" }"),
        ("\"python/pure\"", "{ lane = \"python/pure\", trheads = 2 }"),
        ("\"python/pure\"", "{ threads = 2 }"),
        ("\"python/pure\"", "{ lane = \"python/pure\", missing = \"gone\" }"),
        ("\"python/pure\"", "3"),
        ("std.std:ints", "std.sdt:ints"),
        ("std.std:ints:5000", "std:ints:5000"),
        ("5000", "many"),
        ("\"ratio\"", "\"ration\""),
        ("\"ratio\"", "\"order\""),
        ("\"ratio\"", "\"scaling\""),
        ("of = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "of = \"python/pure\"\nbelow = 2"),
        ("\"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "\"scaling\"\nof = \"python/pure\"\nabove = 1"),
        ("\"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "\"order\"\ncells = [\"python/pure\"]"),
        ("\"ratio\"\nof = \"python/pure\"\nto = \"capi/c\"\nabove = 1", "\"order\"\ncells = [\"python/pure\", \"capi/c\"]\nabove = 1"),
        ("above = 1", ""),
        ("above = 1", "above = -1"),
        ("above = 1", "above = \"cores\""),
        ("above = 1", "about = 3"),
        ("above = 1", "about = 3\nwithin = 0.9"),
        ("above = 1", "above = 1\nabout = 3\nwithin = 2"),
        ("above = 1", "abvoe = 1"),
        ("id = \"a\"", "id = \"a"),
        ("source = \"us\"\n", ""),
        (
            "[[claim.test]]\nsays = \"so\"\n",
            "[[claim.test]]\nrelation = \"ratio\"\nof = \"capi/c\"\nto = \"capi/c\"\nabove = 1\n[[claim.test]]\n",
        ),
        ("says = \"It is so\"", "says = \"It is so\"\nmissing = \"nothing measures it\""),
    ];
    let mut said = String::new();
    for (old, new) in spoilt {
        let text = fine.replacen(old, new, 1);
        assert_ne!(text, fine, "{old}");
        let error = parsed(&text, Some(&known())).expect_err(&text);
        said +=
            &format!("{} → {}\n    {}\n", old.replace('\n', " ⏎ "), new.replace('\n', " ⏎ "), error.to_string().replace('\n', "\n    "));
    }
    let no_test = &fine[..fine.find("[[claim.test]]").unwrap()];
    for text in [no_test.to_owned(), format!("{no_test}{fine}"), String::new()] {
        said += &format!("{}\n", parsed(&text, None).expect_err(&text));
    }
    let twice = joined(vec![parsed(&fine, None).unwrap(), parsed(&fine, None).unwrap()]).unwrap_err();
    insta::assert_snapshot!(said + &twice.to_string());
}

/// A claim of each kind of row: confirmed, refuted, inconclusive, missing, reported, in nanoseconds, with a note.
fn mixed() -> String {
    let ratio = |bound: &str| format!("{MIB}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\n{bound}");
    let order = format!("{MIB}relation = \"order\"\ncells = [\"slow/slow\", \"mid/mid\", \"fast/fast\"]");
    let time = format!("{MIB}relation = \"time-per-item\"\nof = \"slow/slow\"\nabout = 90\nwithin = 2");
    let scaling = format!("{MIB}relation = \"scaling\"\nof = \"fast/fast\"\nthreads = 2\nabove = 1.1");
    let gone = format!("{MIB}relation = \"ratio\"\nof = \"gone/gone\"\nto = \"mid/mid\"\nabove = 1");
    let texts = [
        claim(&[&order]),
        claim(&[&ratio("above = 1"), &ratio("above = 2.5")]),
        claim(&[&ratio("above = 2")]),
        claim(&[&time]).replace("source", "note = \"see | the talk\"\nsource"),
        claim(&[&scaling]),
        claim(&[&gone]),
        claim(&[]).replace("source", "missing = \"nobody measures it\"\nsource"),
        claim(&[&ratio("")]).replace("source", "reported = true\nsource"),
    ];
    let numbered = texts.iter().enumerate().map(|(at, text)| text.replace("id = \"a\"", &format!("id = \"{}\"", at + 1)));
    numbered.collect::<Vec<_>>().concat()
}

fn shown() -> Claims {
    Claims::new(&world(0.01).recorded(NOISE), None, &parsed(&mixed(), None).unwrap())
}

#[test]
fn on_a_terminal() {
    insta::assert_snapshot!(terminal(&shown(), Look::default()));
    assert!(terminal(&shown(), Look { width: Some(100), colour: true }).contains('\u{1b}'));
}

#[test]
fn as_markdown() {
    insta::assert_snapshot!(markdown(&shown()));
}

#[test]
fn as_json() {
    let mut shown = shown();
    let ForInterpreter { claims, .. } = &mut shown.interpreters[0];
    claims.truncate(2);
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).unwrap());
}

#[test]
fn what_claims_need_is_enough_to_judge_them_and_nothing_else() {
    let recorded = world(0.01).recorded(NOISE);
    let test = |text: &str| parsed(&claim(&[text]), None).unwrap();
    let needs = |text: &str| {
        let needed = needed(&test(text), &recorded.run.cases);
        needed.into_iter().map(|(case, lane)| (recorded.run.cases[case as usize].clone(), lane)).collect::<Vec<_>>()
    };
    let scaling = needs(&format!("{MIB}relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 2\nabove = 1.1"));
    let seen: Vec<_> = scaling.iter().map(|(case, lane)| (case.size, case.threads, lane.as_str())).collect();
    assert_eq!(seen, [(Some(1 << 20), 1, "slow/slow"), (Some(1 << 20), 2, "slow/slow")]);
    let cases = "cases = [\"kmp.find_all:talk:1GiB\", \"kmp.find_all:talk:1KiB\", \"kmp.find_all:talk:1MiB\"]\n";
    let first = needs(&format!("{cases}relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabove = 1"));
    let seen: Vec<_> = first.iter().map(|(case, lane)| (case.size, case.threads, lane.as_str())).collect();
    assert_eq!(seen, [(Some(1 << 10), 1, "mid/mid"), (Some(1 << 10), 1, "slow/slow")]);
    assert!(needs(&format!("{MIB}relation = \"ratio\"\nof = \"a/a\"\nto = {{ missing = \"it\" }}\nabove = 1")).len() == 1);
}

//! Claims about runs whose truth is known, and files that are wrong.

mod profiled;
mod texts;
mod verdicts;

use bindbench_model::{Comparison, Form};
use bindbench_store::Recorded;
use bindbench_store::synthetic::Synthetic;

use super::file::parsed;
use super::{Claims, Judged, Verdict};

const PYTHON: &str = "3.13.0";

/// Noise of a sample; that of a generation is half of it.
const NOISE: f64 = 0.002;

/// Searches in 1 KiB and 1 MiB: `slow`, `mid` and `fast` take 4, 2 and 1 ns a byte, `fast` 100 ns a call besides. A second thread
/// doubles what `fast` does and gains `slow` nothing. The resolution in 1 MiB is about `resolution`; of two twins one may differ.
fn world(resolution: f64) -> Synthetic {
    let mut made = Synthetic::new(5, 7);
    made.interpreter(PYTHON, &[]);
    for lane in ["slow/slow", "mid/mid", "fast/fast"] {
        made.lane(lane, Comparison::AsPublished);
    }
    for size in [1 << 10, 1 << 20] {
        let bytes = size as f64;
        let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(size), 1);
        made.cell(case, "slow/slow", Some(PYTHON), 4.0 * bytes);
        made.cell(case, "mid/mid", Some(PYTHON), 2.0 * bytes);
        let fast = made.cell(case, "fast/fast", Some(PYTHON), bytes + 100.0);
        made.twin(fast, if size > 1 << 10 { 1.0 + resolution } else { 1.0 });
    }
    let case = made.case("kmp.find_all", "talk", Some(Form::Bytes), Some(1 << 20), 2);
    made.cell(case, "slow/slow", Some(PYTHON), 8.0 * f64::from(1 << 20));
    made.cell(case, "fast/fast", Some(PYTHON), f64::from(1 << 20) * 1.02);
    made
}

fn claim(tests: &[&str]) -> String {
    let tests: Vec<String> = tests.iter().map(|test| format!("[[claim.test]]\nsays = \"so\"\n{test}\n")).collect();
    format!("[[claim]]\nid = \"a\"\nsource = \"us\"\nsays = \"It is so\"\n{}", tests.concat())
}

fn judge(recorded: &Recorded, text: &str) -> Judged {
    let claims = parsed(text, None).unwrap();
    let mut judged = Claims::new(recorded, None, &claims).interpreters.remove(0).claims;
    assert_eq!(judged.len(), 1);
    judged.remove(0)
}

const MIB: &str = "case = \"kmp.find_all:talk:1MiB\"\n";
const OTHER_CASE: &str = "case = \"kmp.find_all:talk:1KiB\"";

/// Tests that are true, false, and about something that is not there.
fn relations() -> Vec<(String, Verdict)> {
    use Verdict::{Confirmed, Inconclusive, Refuted};
    let table: &[(&str, Verdict)] = &[
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nabove = 1", Confirmed),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nbelow = 1", Refuted),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabout = 2\nwithin = 1.1", Confirmed),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabout = 3\nwithin = 1.1", Refuted),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nabout = 2.2\nwithin = 1.1", Inconclusive),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"mid/mid\"\nbelow = \"cpus\"", Inconclusive),
        ("relation = \"ratio\"\nof = \"slow/slow\"\nto = \"fast/fast\"\nbelow = \"cpus\"", Refuted),
        ("relation = \"order\"\ncells = [\"slow/slow\", \"mid/mid\", \"fast/fast\"]", Confirmed),
        ("relation = \"order\"\ncells = [\"slow/slow\", \"fast/fast\", \"mid/mid\"]", Refuted),
        ("relation = \"order\"\ncells = [\"slow/slow\", \"fast/fast\", { missing = \"nobody made it\" }]", Inconclusive),
        ("relation = \"scaling\"\nof = \"fast/fast\"\nthreads = 2\nabove = 1.1", Confirmed),
        ("relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 2\nabove = 1.1", Refuted),
        ("relation = \"scaling\"\nof = \"slow/slow\"\nthreads = 2\nbelow = 1.1", Confirmed),
        ("relation = \"scaling\"\nof = \"mid/mid\"\nthreads = 2\nbelow = 1.1", Inconclusive),
        ("relation = \"time-per-item\"\nof = \"slow/slow\"\nabout = 4\nwithin = 1.5", Confirmed),
        ("relation = \"time-per-item\"\nof = \"slow/slow\"\nabout = 90\nwithin = 2", Refuted),
        ("relation = \"no-winner\"\ncases = [\"kmp.find_all:talk:1KiB\"]\ncells = [\"slow/slow\", \"mid/mid\", \"fast/fast\"]", Refuted),
        ("relation = \"no-winner\"\ncases = [\"kmp.find_all:talk:1KiB\"]\ncells = [\"slow/slow\", \"gone/gone\"]", Inconclusive),
    ];
    let per_item = |bound: &str| {
        format!("relation = \"ratio\"\nof = {{ lane = \"fast/fast\", {OTHER_CASE} }}\nto = \"fast/fast\"\nper_item = true\n{MIB}{bound}")
    };
    let ratios = |lane: &str, bound: &str| {
        format!(
            "relation = \"ratio-of-ratios\"\nof = {{ lane = \"{lane}\", {OTHER_CASE} }}\nto = {{ lane = \"mid/mid\", {OTHER_CASE} }}\n\
             against_of = \"{lane}\"\nagainst_to = \"mid/mid\"\n{MIB}{bound}"
        )
    };
    let mut all: Vec<(String, Verdict)> = table.iter().map(|(test, verdict)| (format!("{MIB}{test}"), *verdict)).collect();
    all.extend([
        (per_item("above = 1"), Confirmed),
        (per_item("below = 1"), Refuted),
        (ratios("fast/fast", "above = 1"), Confirmed),
        (ratios("slow/slow", "above = 1.1"), Refuted),
        (ratios("slow/slow", "above = 1"), Inconclusive),
    ]);
    all
}

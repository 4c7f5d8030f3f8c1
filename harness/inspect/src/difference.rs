//! A differential flamegraph: two lanes of a case, both in the time of a call, with each binding's frames under one name.

use std::collections::BTreeMap;
use std::path::Path;

use bindbench_model::profile::Difference;

use super::class::Class;
use super::fold::Folded;
use super::picture::{Caption, draw_difference};
use super::sampling::{NoStacks, Sampled, Sampling};
use super::sitting::Studio;
use super::stacks::{place, sample, write};
use super::subject::Subject;

/// What the frames of either binding are called.
const BINDING: &str = "the binding";

/// Samples two lanes in the same case, one after the other, and writes the picture of their difference below `out`.
///
/// # Errors
/// When one can't be looked at, the kernel refuses, or the disk does.
pub fn take(first: &Subject, second: &Subject, sampling: &Sampling, studio: &Studio, out: &Path) -> Result<Difference, NoStacks> {
    let before = sample(first, sampling, studio)?;
    let after = sample(second, sampling, studio)?;
    let (unit, lines) = difference((&before.folded, nanoseconds(&before)), (&after.folded, nanoseconds(&after)));
    let (a, b) = (first.cell.lane.as_str(), second.cell.lane.as_str());
    let place = place(second, &format!("differences/{}--{}", a.replace('/', "-"), b.replace('/', "-")));
    let difference = Difference {
        case: first.case.clone(),
        first: a.to_owned(),
        second: b.to_owned(),
        interpreter: second.cell.interpreter.clone(),
        at: second.unseen().at,
        picture: format!("{place}.svg").into(),
        folded: format!("{place}.folded").into(),
    };
    let caption = Caption {
        title: format!("{b} against {a} \u{b7} {}", first.title()),
        subtitle: format!(
            "{unit} of CPU a call, {} samples against {} at {} Hz by {}; wide is slow in {b}",
            after.folded.tally.samples,
            before.folded.tally.samples,
            after.hertz(),
            after.way
        ),
    };
    write(out, &difference.folded, (lines.join("\n") + "\n").as_bytes())?;
    let drawn = draw_difference(&lines, unit, &caption, a, b);
    write(out, &difference.picture, &drawn.map_err(|source| NoStacks::Unwritten { path: difference.picture.clone(), source })?)?;
    Ok(difference)
}

/// What a sample stands for, of one call.
fn nanoseconds(sampled: &Sampled) -> f64 {
    sampled.sample_ns / sampled.calls.max(1) as f64
}

/// A call that takes longer than this is shown in nanoseconds. Pictures know whole numbers only, and a short one may take a few
/// nanoseconds.
const LONG_NS: f64 = 1e6;

/// Stacks of both lanes, each with what it takes in the first and in the second, in the unit before them; `.1` is what a sample stands for,
/// in nanoseconds.
fn difference(first: (&Folded, f64), second: (&Folded, f64)) -> (&'static str, Vec<String>) {
    let mut both: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (stack, samples) in common(first.0) {
        both.entry(stack).or_default().0 += samples as f64 * first.1;
    }
    for (stack, samples) in common(second.0) {
        both.entry(stack).or_default().1 += samples as f64 * second.1;
    }
    let (first, second) = both.values().fold((0.0, 0.0), |sum, taken| (sum.0 + taken.0, sum.1 + taken.1));
    let (unit, factor) = if f64::max(first, second) > LONG_NS { ("ns", 1.0) } else { ("ps", 1000.0) };
    let line = |(stack, (first, second))| format!("{stack} {:.0} {:.0}", first * factor, second * factor);
    (unit, both.into_iter().map(line).collect())
}

/// Stacks in which one binding's frames can be compared with another's: each run of them is one frame.
fn common(folded: &Folded) -> BTreeMap<String, u64> {
    let mut stacks = BTreeMap::new();
    for (stack, count) in &folded.stacks {
        let mut names: Vec<&str> = Vec::new();
        for &number in stack.iter() {
            let frame = folded.frames.get(number);
            let name = if frame.class == Class::Glue { BINDING } else { frame.name.as_str() };
            if name != BINDING || names.last() != Some(&name) {
                names.push(name);
            }
        }
        *stacks.entry(names.join(";")).or_default() += count;
    }
    stacks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::tests::folded;

    #[test]
    fn two_lanes_are_compared_by_the_call_and_their_bindings_are_one_frame() {
        let first =
            folded(&[(&[("loop", Class::Python), ("ffi_call", Class::Glue), ("callproc", Class::Glue), ("find", Class::Kernel)], 10)]);
        let second = folded(&[
            (&[("loop", Class::Python), ("trampoline", Class::Glue), ("find", Class::Kernel)], 10),
            (&[("loop", Class::Python)], 5),
        ]);
        let (unit, lines) = difference((&first, 2.0), (&second, 1.0));
        assert_eq!((unit, &lines[..]), ("ps", &["loop 0 5000".to_owned(), "loop;the binding;find 20000 10000".to_owned()][..]));
        let caption = Caption { title: "x".into(), subtitle: "y".into() };
        let svg = String::from_utf8(draw_difference(&lines, unit, &caption, "a/a", "b/b").unwrap()).unwrap();
        assert!(svg.contains("takes longer in a/a"), "{svg}");
        // Of the 15 ns of a call of b/b, find takes 10, which are 10 less than in a/a; the loop itself takes 5 more.
        assert!(svg.contains("<title>the binding (10,000 ps a call, 66.67%; 0.00%)</title>"), "{svg}");
        assert!(svg.contains("<title>find (10,000 ps a call, 66.67%; -66.67%)</title>"), "{svg}");
        assert!(svg.contains("<title>loop (15,000 ps a call, 100.00%; +33.33%)</title>"), "{svg}");
        let (unit, lines) = difference((&first, 2e6), (&second, 1e6));
        assert_eq!((unit, &lines[..]), ("ns", &["loop 0 5000000".to_owned(), "loop;the binding;find 20000000 10000000".to_owned()][..]));
    }
}

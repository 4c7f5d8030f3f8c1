//! Python's functions put among native ones. A way that reads them from the interpreter's own records has two stacks of a thread, which
//! were not taken together by the machine, but at the same standstill.

use super::names::{Frames, python_frame};

/// The interpreter's loop. On the machine's stack each of its frames stands for a Python function that was called from native code, and
/// for those that this one called, and these again, which need no frame of their own (from 3.11 on).
const LOOP: &str = "_PyEval_EvalFrameDefault";

/// A Python function that was called and has not returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonCall {
    /// Its name.
    pub function: String,
    /// The file it is in.
    pub file: String,
    /// It was called from native code: the loop began anew for it.
    pub is_entry: bool,
}

/// A thread's stacks as one, and whether the two fit together.
///
/// `native` are frames' numbers, outermost first, `is_whole` if they go down to where the thread began; `python` is what the interpreter
/// says, innermost first. Python's functions come to stand right before the loop that runs them, as if they had called it, which is
/// where CPython's trampolines are in the stacks of other ways.
pub fn interleave(native: &[usize], is_whole: bool, python: &[PythonCall], frames: &mut Frames) -> (Vec<usize>, bool) {
    let is_loop = |number: usize| frames.get(number).name.split('.').next() == Some(LOOP);
    let loops: Vec<usize> = native.iter().enumerate().filter(|&(_, &number)| is_loop(number)).map(|(position, _)| position).collect();
    let runs = runs(python);
    // A loop that is just beginning or ending has no function any more, or not yet.
    let fits = loops.len() == runs.len() || is_whole && loops.len() == runs.len() + 1;
    let skipped = |all: usize, others: usize| if is_whole { 0 } else { all.saturating_sub(others) };
    // What is whole is laid together from its outer end, where nothing changes; else from the inner one, which is there.
    let paired = loops[skipped(loops.len(), runs.len())..].iter().zip(&runs[skipped(runs.len(), loops.len())..]);
    let (mut both, mut taken) = (Vec::with_capacity(native.len() + python.len()), 0);
    for (&position, run) in paired {
        both.extend_from_slice(&native[taken..position]);
        both.extend(run.iter().map(|call| frames.number(python_frame(&call.function, &call.file))));
        taken = position;
    }
    both.extend_from_slice(&native[taken..]);
    (both, fits)
}

/// What each loop runs, outermost first: a function that was called from native code, and those after it that were not.
fn runs(python: &[PythonCall]) -> Vec<Vec<&PythonCall>> {
    let mut runs: Vec<Vec<&PythonCall>> = Vec::new();
    for call in python.iter().rev() {
        match runs.last_mut() {
            Some(run) if !call.is_entry => run.push(call),
            _ => runs.push(vec![call]),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::class::Class;
    use crate::names::Frame;

    /// `native`: outermost first, `o` is the interpreter's loop. `python`: outermost first, a capital letter was called from native code.
    fn interleaved(native: &str, is_whole: bool, python: &str) -> (String, bool) {
        let mut frames = Frames::default();
        let native: Vec<usize> = native
            .chars()
            .map(|c| {
                let name = if c == 'o' { format!("{LOOP}.cold") } else { c.to_string() };
                frames.number(Frame { name, class: Class::Interpreter, source: None, named: true })
            })
            .collect();
        let call = |c: char| PythonCall { function: c.to_string(), file: "f.py".into(), is_entry: c.is_ascii_uppercase() };
        let python: Vec<PythonCall> = python.chars().rev().map(call).collect();
        let (both, fits) = interleave(&native, is_whole, &python, &mut frames);
        let names = both.iter().map(|&number| match frames.get(number).name.split([' ', '.']).next().unwrap() {
            LOOP => "o".to_owned(),
            name => name.to_owned(),
        });
        (names.collect(), fits)
    }

    #[test]
    fn functions_stand_before_the_loop_that_runs_them() {
        assert_eq!(interleaved("_moxok", true, "AbcD"), ("_mAbcoxDok".to_owned(), true));
        assert_eq!(interleaved("_nk", true, ""), ("_nk".to_owned(), true));
    }

    #[test]
    fn a_loop_that_begins_or_ends_has_no_function() {
        assert_eq!(interleaved("_moxo", true, "Ab"), ("_mAboxo".to_owned(), true));
    }

    #[test]
    fn of_a_stack_that_was_cut_the_inner_functions_are_known() {
        assert_eq!(interleaved("xok", false, "AbCd"), ("xCdok".to_owned(), false));
        assert_eq!(interleaved("xoxok", false, "C"), ("xoxCok".to_owned(), false));
    }

    #[test]
    fn stacks_that_do_not_fit_say_so() {
        assert!(!interleaved("_mo", true, "AbCd").1);
        assert!(!interleaved("_mooo", true, "A").1);
    }

    proptest! {
        #[test]
        fn no_native_frame_is_lost_and_no_function_is_there_twice(native in "[_mo]{0,12}", python in "[A-Ha-h]{0,12}", whole: bool) {
            let (both, fits) = interleaved(&native, whole, &python);
            let of = |text: &str, wanted: &str| text.chars().filter(|&c| wanted.contains(c)).collect::<String>();
            prop_assert_eq!(of(&both, "_mo"), native.clone());
            let functions = of(&both, "ABCDEFGHabcdefgh");
            prop_assert!(python.contains(&functions));
            if fits {
                prop_assert_eq!(functions, python);
            }
        }
    }
}

//! Where the time goes: every stack → what its innermost function was doing, as far as a rule knows it.

use std::collections::BTreeMap;

use bindbench_catalog::Rules;
use bindbench_model::profile::Activity;
use miette::{IntoDiagnostic, Result, WrapErr};
use serde::Deserialize;

use super::class::Class;
use super::fold::Folded;
use super::names::Frame;

/// The rules for the interpreter and what it stands on. See the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterpreterRules {
    always: Rules,
    for_a_binding: Rules,
}

impl InterpreterRules {
    /// Reads them; they are part of this program.
    ///
    /// # Errors
    /// When the file is not as it should be, which a test would have told.
    pub fn read() -> Result<Self> {
        toml::from_str(include_str!("interpreter.toml")).into_diagnostic().wrap_err("harness/inspect/src/interpreter.toml")
    }
}

/// What is known of a frame, wherever it stands.
struct Known {
    class: Class,
    named: bool,
    always: Option<Activity>,
    for_a_binding: Option<Activity>,
}

impl Known {
    fn of(frame: &Frame, interpreter: &InterpreterRules, strategy: &Rules) -> Self {
        let (class, named) = (frame.class, frame.named);
        let native = named && !matches!(class, Class::Python | Class::System);
        let of_the_strategy = named && matches!(class, Class::Glue | Class::Kernel);
        let by_strategy = of_the_strategy.then(|| strategy.activity(&frame.name)).flatten();
        let always = by_strategy.or_else(|| native.then(|| interpreter.always.activity(&frame.name)).flatten());
        let on_behalf = native && matches!(class, Class::Interpreter | Class::Library);
        let for_a_binding = if on_behalf { interpreter.for_a_binding.activity(&frame.name) } else { None };
        Self { class, named, always, for_a_binding }
    }
}

/// Samples by what they were spent on. Each is counted once.
pub fn split(folded: &Folded, interpreter: &InterpreterRules, strategy: &Rules) -> BTreeMap<Activity, u64> {
    let known: Vec<Known> = folded.frames.iter().map(|frame| Known::of(frame, interpreter, strategy)).collect();
    let mut split = BTreeMap::new();
    for (stack, count) in &folded.stacks {
        let stack: Vec<&Known> = stack.iter().map(|&number| &known[number]).collect();
        *split.entry(activity(&stack)).or_default() += count;
    }
    split
}

/// What a stack, outermost first, was spent on.
fn activity(stack: &[&Known]) -> Activity {
    if stack.last().is_some_and(|innermost| innermost.class == Class::Unknown && !innermost.named) {
        return Activity::Other;
    }
    let mut by_rule = (0..stack.len()).rev().filter_map(|at| {
        let Known { class, always, .. } = stack[at];
        let by_class = match class {
            Class::System => Some(Activity::System),
            Class::Python => Some(Activity::Interpreter),
            Class::Glue => Some(Activity::BindingGlue),
            Class::Kernel => Some(Activity::Kernel),
            Class::Interpreter | Class::Library | Class::Unknown => None,
        };
        always.or_else(|| on_behalf(&stack[..=at])).or(by_class)
    });
    let fallback = || stack.iter().skip(1).any(|known| known.class == Class::Interpreter).then_some(Activity::Interpreter);
    by_rule.next().or_else(fallback).unwrap_or(Activity::Other)
}

/// What the innermost function does for a binding: what the outermost one of those does that the binding called and that a rule knows,
/// for PyFloat_AsDouble may make a float on its way. None when no binding called, or no rule knows the innermost one.
fn on_behalf(stack: &[&Known]) -> Option<Activity> {
    stack.last()?.for_a_binding?;
    let decides =
        |known: &&Known| known.always == Some(Activity::Interpreter) || matches!(known.class, Class::Python | Class::Glue | Class::Kernel);
    let caller = stack.iter().rposition(decides)?;
    let is_binding = matches!(stack[caller].class, Class::Glue | Class::Kernel);
    if is_binding { stack[caller..].iter().find_map(|known| known.for_a_binding) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stack of `class:function`, outermost first.
    fn decide(stack: &[&str]) -> Activity {
        let interpreter = InterpreterRules::read().unwrap();
        let strategy: Rules = toml::from_str("result_boxing = [\"box_*\"]").unwrap();
        let frame = |text: &&str| {
            let (class, name) = text.split_once(':').unwrap();
            let class = match class {
                "py" => Class::Python,
                "in" => Class::Interpreter,
                "gl" => Class::Glue,
                "ke" => Class::Kernel,
                "li" => Class::Library,
                "os" => Class::System,
                _ => Class::Unknown,
            };
            Frame { name: name.to_owned(), class, source: None, named: !name.starts_with('[') }
        };
        let known: Vec<Known> = stack.iter().map(|text| Known::of(&frame(text), &interpreter, &strategy)).collect();
        activity(&known.iter().collect::<Vec<_>>())
    }

    #[test]
    fn the_innermost_function_that_a_rule_knows_decides() {
        let eval = ["in:worker", "py:loop", "in:_PyEval_EvalFrameDefault"];
        let below = |more: &[&str]| decide(&[&eval[..], more].concat());
        assert_eq!(below(&[]), Activity::Interpreter);
        assert_eq!(below(&["in:PyDict_GetItem"]), Activity::Interpreter);
        assert_eq!(below(&["gl:f"]), Activity::BindingGlue);
        assert_eq!(below(&["gl:f", "in:PyDict_GetItem"]), Activity::BindingGlue);
        assert_eq!(below(&["gl:f", "gl:box_all", "in:PyList_Sort"]), Activity::ResultBoxing);
        assert_eq!(below(&["gl:f", "ke:find"]), Activity::Kernel);
        assert_eq!(below(&["gl:f", "ke:find", "li:[libm.so.6]"]), Activity::Kernel);
        assert_eq!(below(&["gl:f", "ke:find", "li:__memmove_avx_unaligned_erms"]), Activity::Copying);
        assert_eq!(below(&["gl:f", "in:PyLong_FromLong", "in:_PyObject_Malloc", "li:malloc"]), Activity::Allocation);
        assert_eq!(below(&["gl:f", "in:PyEval_RestoreThread", "in:take_gil", "li:[libc.so.6]"]), Activity::Gil);
        assert_eq!(below(&["gl:f", "in:PyEval_RestoreThread", "os:futex_wait_[k]"]), Activity::System);
    }

    #[test]
    fn conversions_are_the_bindings_only_where_the_binding_asked_for_them() {
        let loop_ = ["in:worker", "py:loop", "in:_PyEval_EvalFrameDefault"];
        let below = |more: &[&str]| decide(&[&loop_[..], more].concat());
        assert_eq!(below(&["in:PyLong_FromLong"]), Activity::Interpreter);
        assert_eq!(below(&["gl:f", "in:PyLong_FromLong"]), Activity::ResultBoxing);
        assert_eq!(below(&["gl:f", "in:PyArg_ParseTuple", "in:vgetargs1"]), Activity::ArgumentConversion);
        // What a conversion makes on its way is part of it.
        assert_eq!(below(&["gl:f", "in:PyFloat_AsDouble", "in:PyFloat_FromDouble"]), Activity::ArgumentConversion);
        // The binding called back into Python, which makes ints for itself.
        assert_eq!(below(&["gl:f", "in:PyObject_Call", "in:_PyEval_EvalFrameDefault", "in:PyLong_FromLong"]), Activity::Interpreter);
    }

    #[test]
    fn what_no_rule_knows_is_other() {
        assert_eq!(decide(&["in:worker", "li:start_thread", "li:helper"]), Activity::Other);
        assert_eq!(decide(&["in:worker", "gl:f", "un:[unknown]"]), Activity::Other);
        assert_eq!(decide(&["in:worker", "un:[not unwound to its root]", "in:PyDict_GetItem"]), Activity::Interpreter);
    }
}

//! What manifests name of workloads, operations and forms of input has to be there: a name that is nothing would be a lane that has nothing.

use std::collections::BTreeMap;

use bindbench_model::Form;
use globset::Glob;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use toml::{Spanned, Value};

use super::error::{CatalogError, TomlFile};
use super::manifest::Copies;
use super::selection::nearest;
use super::workload::Workload;

/// Texts by name, with the names' places.
pub(super) type Named = BTreeMap<Spanned<String>, String>;

/// `copies` as it is written: numbers by form of input, or tables of these by workload.
pub(super) type CopiesToml = BTreeMap<Spanned<String>, Spanned<Value>>;

/// The names without their places.
pub(super) fn plain(named: Named) -> BTreeMap<String, String> {
    named.into_iter().map(|(name, text)| (name.into_inner(), text)).collect()
}

/// The names that a manifest may use.
pub(super) struct Names {
    workloads: Vec<String>,
    /// `workload.operation`.
    operations: Vec<String>,
}

impl Names {
    pub(super) fn of(workloads: &[Workload]) -> Self {
        let operations = |workload: &Workload| -> Vec<String> {
            workload.operations.keys().map(|operation| format!("{}.{operation}", workload.name)).collect()
        };
        Self {
            workloads: workloads.iter().map(|workload| workload.name.clone()).collect(),
            operations: workloads.iter().flat_map(operations).collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.workloads.iter().chain(&self.operations)
    }

    /// A workload.
    pub(super) fn workload(&self, file: &TomlFile, name: &Spanned<String>) -> Result<(), CatalogError> {
        if self.workloads.contains(name.get_ref()) {
            return Ok(());
        }
        Err(unknown(file, name, "there is no workload", nearest(name.get_ref(), self.workloads.iter())))
    }

    /// A workload, or an operation of one.
    pub(super) fn part(&self, file: &TomlFile, name: &Spanned<String>) -> Result<(), CatalogError> {
        if self.all().any(|known| known == name.get_ref()) {
            return Ok(());
        }
        Err(unknown(file, name, "there is no workload or operation", nearest(name.get_ref(), self.all())))
    }

    /// A pattern of these, with a check of the contract in parentheses, which the conformance suite knows.
    pub(super) fn checked(&self, file: &TomlFile, name: &Spanned<String>) -> Result<(), CatalogError> {
        let pattern = name.get_ref().split('(').next().unwrap_or_default();
        let glob = Glob::new(pattern).map_err(|error| file.fault(name.span(), format!("{pattern:?} is no pattern: {}", error.kind())))?;
        let glob = glob.compile_matcher();
        if self.all().any(|known| glob.is_match(known)) {
            return Ok(());
        }
        Err(unknown(file, name, "no workload or operation is", nearest(pattern, self.all())))
    }
}

fn unknown(file: &TomlFile, name: &Spanned<String>, what: &str, nearest: String) -> CatalogError {
    file.fault(name.span(), format!("{what} {:?}; nearest: {nearest}", name.get_ref()))
}

/// What `copies` says.
pub(super) fn copies(file: &TomlFile, written: CopiesToml) -> Result<Copies, CatalogError> {
    let is_table = |value: &Spanned<Value>| value.get_ref().is_table();
    if written.values().any(is_table) {
        let each =
            written.into_iter().map(|(workload, copies)| match copies.get_ref() {
                Value::Table(table) => {
                    let forms = table.iter().map(|(form, number)| one(file, &workload, form, number)).collect::<Result<_, _>>()?;
                    Ok((workload.into_inner(), forms))
                }
                _ => Err(file
                    .fault(workload.span(), format!("`copies` is one table for all workloads, or one for each: {}", workload.get_ref()))),
            });
        return Ok(Copies::Each(each.collect::<Result<_, CatalogError>>()?));
    }
    let all = written.iter().map(|(form, number)| one(file, form, form.get_ref(), number.get_ref()));
    Ok(Copies::All(all.collect::<Result<_, CatalogError>>()?))
}

/// A form of input, and a number of copies.
fn one(file: &TomlFile, place: &Spanned<String>, form: &str, number: &Value) -> Result<(Form, u32), CatalogError> {
    let parsed: Result<Form, Error> = Form::deserialize(IntoDeserializer::<Error>::into_deserializer(form) as StrDeserializer<Error>);
    let known = parsed.map_err(|_| {
        let forms = ["boxed", "text", "bytes", "buffer", "mapped"].map(str::to_owned);
        file.fault(place.span(), format!("{form:?} is no form of input; nearest: {}", nearest(form, forms.iter())))
    })?;
    let copies = number.as_integer().and_then(|copies| u32::try_from(copies).ok());
    let copies = copies
        .ok_or_else(|| file.fault(place.span(), format!("`copies` of {form} has to be a number of copies, 0 or more, and is {number}")))?;
    Ok((known, copies))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::Catalog;

    /// What is said of a lane with this line in its manifest.
    fn said(line: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let lane = "name = \"mine\"\nbinding = \"none\"\nsummary = \"x\"\n\n[[lane]]\nvariant = \"a\"\nsummary = \"kpm\"\n\
                    comparison = \"as published\"\nkernel = \"python\"\ngil = \"held\"\nparallel = \"none\"\n";
        let rest = ["copies = { bytes = 0 }", "modules = { kmp = \"m\" }"].map(|default| {
            let key = default.split(' ').next().unwrap_or_default();
            if line.starts_with(&format!("{key} ")) || line.starts_with("command") && key == "modules" { "" } else { default }
        });
        fs::create_dir(folder.path().join("mine")).unwrap();
        fs::write(folder.path().join("mine/strategy.toml"), format!("{lane}{line}\n{}\n", rest.join("\n"))).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Catalog::read(&root, &[folder.path().to_owned()]).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn what_is_named_and_not_there_is_refused_with_its_line_and_the_nearest_name() {
        for (line, told) in [
            ("modules = { kmpp = \"m\" }", "line 12: there is no workload \"kmpp\"; nearest: kmp"),
            ("command = [\"x\"]\nworkloads = [\"st\"]", "line 13: there is no workload \"st\"; nearest: std"),
            ("without = { \"kmp.find_al\" = \"x\" }", "there is no workload or operation \"kmp.find_al\"; nearest: kmp.find_all"),
            ("symbols = { \"std.men\" = \"x\" }", "there is no workload or operation \"std.men\"; nearest: std.mean"),
            ("unchecked = { \"kpm.*(a check)\" = \"x\" }", "no workload or operation is \"kpm.*(a check)\""),
            ("copies = { bites = 0 }", "line 12: \"bites\" is no form of input; nearest: bytes"),
            ("copies = { bytes = -1 }", "`copies` of bytes has to be a number of copies, 0 or more, and is -1"),
            ("copies = { kmpp = { bytes = 0 } }", "there is no workload \"kmpp\"; nearest: kmp"),
            ("copies = { kmp = { bites = 0 } }", "\"bites\" is no form of input; nearest: bytes"),
            ("copies = { kmp = { bytes = 0 }, text = 1 }", "one table for all workloads, or one for each: text"),
        ] {
            assert!(said(line).contains(told), "{line}: {}", said(line));
        }
    }

    #[test]
    fn what_is_there_is_fine_by_name_and_by_pattern() {
        for line in ["unchecked = { \"*(a check)\" = \"x\", \"std.*\" = \"x\" }", "copies = { kmp = { bytes = 0 } }", "copies = {}"] {
            assert_eq!(said(line), "", "{line}");
        }
    }
}

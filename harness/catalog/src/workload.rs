//! `harness/workloads/*.toml`: what is computed, on which inputs, in which sizes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use bindbench_model::{Form, Unit};
use bindbench_protocol::Callable;
use serde::{Deserialize, Deserializer};

use super::error::{CHECKOUT, CatalogError, TomlFile};

/// A workload: operations, inputs, and presets that combine them into cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// `kmp`.
    pub name: String,
    /// One sentence.
    pub summary: String,
    /// Times are net of the empty loop.
    #[serde(default)]
    pub net_of_loop: bool,
    /// The lanes that ratios refer to.
    pub baseline: Baseline,
    /// What it computes.
    pub operations: BTreeMap<String, Operation>,
    /// On what.
    pub inputs: BTreeMap<String, Input>,
    /// Preset → blocks of cases.
    pub presets: BTreeMap<Preset, Vec<Block>>,
    /// The cases that `profile` looks at unless it is told otherwise: few, at the talks' sizes.
    #[serde(default)]
    pub profile: Vec<Block>,
}

/// Lanes that ratios refer to: of each list, the first one that was measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// In tables of controlled lanes.
    pub controlled: Vec<String>,
    /// In tables of lanes with kernels of their own.
    pub published: Vec<String>,
}

/// One operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// One sentence.
    pub summary: String,
    /// How the driver knows the right answer.
    pub oracle: Oracle,
    /// Name of the function in the shared kernels library that does the work; none where it has none.
    #[serde(default)]
    pub kernel: Option<String>,
}

/// How the driver knows the right answer, without asking a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oracle {
    /// `None`.
    Nothing,
    /// The sum of the integer arguments.
    AddedArguments,
    /// The number of bytes of the first argument.
    ByteCount,
    /// The sum of the integers in the first argument.
    IntegerSum,
    /// `0 … n − 1`.
    CountUp,
    /// The sum of `0 … n − 1`.
    CountUpSum,
    /// A `RuntimeError`.
    RaisesRuntimeError,
    /// Every offset of the second argument in the first.
    Offsets,
    /// The ids of the tokens of the text, in a list.
    Tokens,
    /// The same in a buffer of uint32.
    TokenBuffer,
    /// Population moments of the first argument.
    Sum,
    /// See above.
    Mean,
    /// See above.
    Variance,
    /// See above.
    StandardDeviation,
}

/// Arguments of one call, as recipes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// One sentence.
    pub summary: String,
    /// How the data are passed; none where there are no data to speak of.
    #[serde(default)]
    pub form: Option<Form>,
    /// What a size counts.
    #[serde(default = "items")]
    pub unit: Unit,
    /// A worker gets no item of the pool twice: what a lane remembers of texts it has seen does not help it.
    #[serde(default)]
    pub unseen: bool,
    /// Items are as long as the size says, one longer, as long, and one shorter, in turn: for operations whose answer depends on
    /// nothing but the length, which would be the same for all items.
    #[serde(default)]
    pub ragged: bool,
    /// The arguments, in order.
    pub arguments: Vec<Recipe>,
}

impl Input {
    /// In words for programmers: inputs of which this is equal are the same data.
    pub fn made_of(&self) -> String {
        format!("{}{:?}", if self.ragged { "ragged " } else { "" }, self.arguments)
    }
}

fn items() -> Unit {
    Unit::Items
}

/// How an argument is made. Everything random comes from one fixed seed: two machines measure the same inputs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recipe {
    /// The size.
    Size,
    /// An integer below 1000.
    SmallInteger,
    /// A Python function.
    Callable(Callable),
    /// These bytes.
    Bytes(String),
    /// Bytes, uniform over the 68 symbols of `ascii_letters + digits + whitespace`.
    Symbols,
    /// The same, with a pattern put in at random places: where it can overlap itself, twice, overlapping as far as it can. Every other
    /// item begins with it, and the others end with it.
    Planted {
        /// What is put in.
        pattern: String,
        /// There is one place in every so many bytes; two in an item when left out.
        #[serde(default)]
        every: Option<u64>,
        /// It is put into these bytes, over and over, instead of into random ones.
        #[serde(default)]
        into: Option<String>,
    },
    /// Real text in UTF-8, a slice of a corpus; filled up with up to three spaces where the size would cut a character.
    Text(Corpus),
    /// int64, uniform over as many consecutive ones as the size says; the first of these is another one in each item.
    Integers,
    /// float64, uniform in [0, 1).
    Uniform,
}

/// Real text, out of the source distribution that `workloads/texts.lock` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corpus {
    /// English documentation.
    Prose,
    /// Python.
    Code,
    /// Translations, in the files of gettext.
    Multilingual,
}

impl Corpus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prose, Self::Code, Self::Multilingual];

    /// Name of its file in the folder of the texts.
    pub fn file_name(self) -> String {
        format!("{self}.txt")
    }

    /// Whether a file of the distribution is part of it.
    pub fn has(self, path: &Path) -> bool {
        let ends = |extension: &str| path.extension().is_some_and(|found| found == extension);
        match self {
            Self::Prose => ends("txt") && path.components().nth(1).is_some_and(|folder| folder.as_os_str() == "docs"),
            Self::Code => ends("py"),
            Self::Multilingual => ends("po"),
        }
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prose => "prose",
            Self::Code => "code",
            Self::Multilingual => "multilingual",
        })
    }
}

/// A named size of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Does everything work? About a minute.
    Smoke,
    /// First numbers, up to five minutes.
    Quick,
    /// The talks' sizes, up to twenty minutes.
    Talk,
    /// Everything, hours.
    Full,
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smoke => "smoke",
            Self::Quick => "quick",
            Self::Talk => "talk",
            Self::Full => "full",
        })
    }
}

/// Operations × inputs × sizes × threads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Names of operations.
    pub operations: Vec<String>,
    /// Names of inputs.
    pub inputs: Vec<String>,
    /// Sizes; empty where the operation has none.
    #[serde(default)]
    pub sizes: Vec<Size>,
    /// Numbers of Python threads that call at the same time; those beyond the machine's CPUs are left out.
    #[serde(default = "one_thread")]
    pub threads: Vec<u32>,
}

fn one_thread() -> Vec<u32> {
    vec![1]
}

/// A number of bytes or items: `5000`, `"64KiB"`, `"1MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(size) = *self;
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.iter().find(|(scale, _)| size >= *scale && size.is_multiple_of(*scale)) {
            Some((scale, unit)) => write!(f, "{}{unit}", size / scale),
            None => write!(f, "{size}"),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
        let scale = match text[digits..].trim() {
            "" => 1,
            "k" => 1_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            unit => return Err(format!("unknown unit {unit:?}; one of k, KiB, MiB, GiB, or none")),
        };
        let number: u64 = text[..digits].replace('_', "").parse().map_err(|_| format!("{text:?} is no size such as 5000 or 64KiB"))?;
        number.checked_mul(scale).filter(|&size| size > 0).map(Self).ok_or_else(|| format!("{text:?} is not between 1 and 2^64"))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(0) => Err(serde::de::Error::custom("a size is 1 or more")),
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// Reads every workload of the folder, in the order of their files' names.
///
/// # Errors
/// At the first file that is not as it should be.
pub fn read_workloads(folder: &Path) -> Result<Vec<Workload>, CatalogError> {
    let listing = fs::read_dir(folder).map_err(|source| CatalogError::NoFolder { given: CHECKOUT, folder: folder.to_owned(), source })?;
    let mut files: Vec<_> = listing.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.iter().map(|path| read_workload(path)).collect()
}

fn read_workload(path: &Path) -> Result<Workload, CatalogError> {
    let file = TomlFile::read(path)?;
    let workload: Workload = file.parse()?;
    for block in workload.presets.values().flatten().chain(&workload.profile) {
        if let Some(name) = block.operations.iter().find(|name| !workload.operations.contains_key(*name)) {
            return Err(file.fault(0..0, format!("a preset names the operation {name:?}, which the file does not define")));
        }
        if let Some(name) = block.inputs.iter().find(|name| !workload.inputs.contains_key(*name)) {
            return Err(file.fault(0..0, format!("a preset names the input {name:?}, which the file does not define")));
        }
        if block.threads.contains(&0) {
            return Err(file.fault(0..0, "a preset asks for 0 threads".to_owned()));
        }
    }
    for (name, input) in &workload.inputs {
        if input.arguments.iter().any(|recipe| matches!(recipe, Recipe::Planted { every: Some(0), .. })) {
            return Err(file.fault(0..0, format!("the input {name:?} has something at every 0th byte")));
        }
    }
    Ok(workload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_units_of_bytes() {
        let size = |text: &str| text.parse().map(|Size(size)| size);
        assert_eq!(size("5000"), Ok(5000));
        assert_eq!(size("5_000"), Ok(5000));
        assert_eq!(size("2k"), Ok(2000));
        assert_eq!(size(" 64 KiB "), Ok(65_536));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        for wrong in ["", "k", "-1", "1.5MiB", "64KB", "0", "0KiB", "18446744073709551616", "17179869184GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_size_is_read_or_refused_and_never_wraps(number: u64, unit in prop::sample::select(vec![("", 1_u64), ("k", 1000), ("MiB", 1 << 20)])) {
            let exact = number.checked_mul(unit.1).filter(|&size| size > 0);
            prop_assert_eq!(format!("{number}{}", unit.0).parse().ok(), exact.map(Size));
            if let Some(size) = exact {
                prop_assert_eq!(Size(size).to_string().parse(), Ok(Size(size)));
            }
        }
    }

    #[test]
    fn a_preset_that_names_what_is_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = |operation: &str, input: &str| {
            format!(
                "name = \"w\"\nsummary = \"\"\nbaseline = {{ controlled = [], published = [] }}\n\
                 operations = {{ o = {{ summary = \"\", oracle = \"nothing\" }} }}\ninputs = {{ i = {{ summary = \"\", arguments = [] }} }}\n\
                 presets = {{ smoke = [{{ operations = [\"{operation}\"], inputs = [\"{input}\"] }}] }}\n"
            )
        };
        let read = |operation, input| {
            fs::write(folder.path().join("w.toml"), file(operation, input)).unwrap();
            read_workloads(folder.path())
        };
        assert_eq!(read("o", "i").unwrap().len(), 1);
        assert!(read("other", "i").unwrap_err().to_string().contains("the operation \"other\""));
        assert!(read("o", "other").unwrap_err().to_string().contains("the input \"other\""));
    }

    /// Each would divide by 0, or go on for ever.
    #[test]
    fn inputs_of_nothing_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |recipe: &str, sizes: &str, threads: &str| {
            let text = format!(
                "name = \"w\"\nsummary = \"\"\nbaseline = {{ controlled = [], published = [] }}\n\
                 operations = {{ o = {{ summary = \"\", oracle = \"nothing\" }} }}\n\
                 inputs = {{ i = {{ summary = \"\", arguments = [{recipe}] }} }}\n\
                 presets = {{ smoke = [{{ operations = [\"o\"], inputs = [\"i\"], sizes = [{sizes}], threads = [{threads}] }}] }}\n"
            );
            fs::write(folder.path().join("w.toml"), text).unwrap();
            read_workloads(folder.path()).map(drop).map_err(|error| error.to_string())
        };
        let fine = "{ planted = { pattern = \"a\", every = 1 } }";
        assert_eq!(refused(fine, "1", "1"), Ok(()));
        assert!(refused("{ planted = { pattern = \"a\", every = 0 } }", "1", "1").unwrap_err().contains("the input \"i\""));
        assert!(refused(fine, "0", "1").unwrap_err().contains("a size is 1 or more"));
        assert!(refused(fine, "1", "0").unwrap_err().contains("0 threads"));
    }
}

//! How a data file names what was measured: `lane = "ctypes/rust"`, `case = "std.std:ints:5000"`.

use std::fmt;
use std::str::FromStr;

use bindbench_catalog::Size;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `workload.operation:input:size`; without its size where the operation has none, without its input where there is only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseName {
    /// `std`.
    pub workload: String,
    /// `std`.
    pub operation: String,
    /// `ints`.
    pub input: Option<String>,
    /// 5000.
    pub size: Option<u64>,
}

impl CaseName {
    /// `std.std`.
    pub fn of_operation(&self) -> String {
        format!("{}.{}", self.workload, self.operation)
    }
}

impl FromStr for CaseName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no case such as \"std.std:ints:5000\" or \"call.noop\": `workload.operation:input:size`");
        let mut parts = text.split(':');
        let (workload, operation) = parts.next().and_then(|operation| operation.split_once('.')).ok_or_else(wrong)?;
        let input = parts.next().map(str::to_owned);
        let size = parts.next().map(|size| size.parse::<Size>().map_err(|message| format!("{text:?}: {message}"))).transpose()?;
        let named = [Some(workload), Some(operation), input.as_deref()];
        if parts.next().is_some() || named.iter().flatten().any(|name| name.trim().is_empty()) {
            return Err(wrong());
        }
        Ok(Self { workload: workload.to_owned(), operation: operation.to_owned(), input, size: size.map(|Size(size)| size) })
    }
}

impl fmt::Display for CaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.workload, self.operation)?;
        self.input.iter().try_for_each(|input| write!(f, ":{input}"))?;
        let binary = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "")];
        let mut units =
            self.size.iter().filter_map(|size| binary.iter().find(|(unit, _)| size % unit == 0).map(|unit| (size / unit.0, unit.1)));
        units.try_for_each(|(number, unit)| write!(f, ":{number}{unit}"))
    }
}

impl<'de> Deserialize<'de> for CaseName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A cell as a data file names it, or why there is none that it could name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellName {
    /// A lane in a case.
    Lane {
        /// `ctypes/rust`.
        lane: String,
        /// Where it is another than that of the cells beside it.
        case: Option<CaseName>,
        /// Where there are more than one.
        threads: Option<u32>,
        /// A glob of the interpreter's name, where it is not the one being looked at.
        python: Option<String>,
    },
    /// Nothing measures this yet.
    Missing(String),
}

/// Written as a lane's id, as a table with more than that, or as `{ missing = "why" }`.
impl<'de> Deserialize<'de> for CellName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    lane: Option<String>,
    case: Option<CaseName>,
    threads: Option<u32>,
    python: Option<String>,
    missing: Option<String>,
}

impl<'de> Visitor<'de> for Written {
    type Value = CellName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lane such as \"ctypes/rust\", a table with a `lane`, or one with the reason why it is `missing`")
    }

    fn visit_str<E: Error>(self, lane: &str) -> Result<CellName, E> {
        Ok(CellName::Lane { lane: lane.to_owned(), case: None, threads: None, python: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CellName, A::Error> {
        match Table::deserialize(MapAccessDeserializer::new(map))? {
            Table { lane: Some(lane), case, threads, python, missing: None } => Ok(CellName::Lane { lane, case, threads, python }),
            Table { lane: None, case: None, threads: None, python: None, missing: Some(why) } => Ok(CellName::Missing(why)),
            _ => Err(A::Error::custom("a cell has either a `lane`, or the reason why it is `missing` and nothing else")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cases_are_written_as_they_are_read() {
        for text in ["call.noop", "call.noop:nothing", "std.std:ints:5000", "kmp.find_all:talk:64MiB"] {
            assert_eq!(text.parse::<CaseName>().unwrap().to_string(), text);
        }
        assert_eq!("kmp.find_all:talk:64MiB".parse::<CaseName>().unwrap().size, Some(64 << 20));
        for wrong in ["", "std", "std.", ".std", "std.std:", "std.std::5000", "std.std:ints:many", "std.std:ints:5:7"] {
            assert!(wrong.parse::<CaseName>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_again(operation in "[a-z_]{1,8}\\.[a-z_]{1,8}", input in prop::option::of("[a-z0-9]{1,8}"), size in 1..u64::MAX) {
            let (workload, operation) = operation.split_once('.').unwrap();
            let size = input.is_some().then_some(size);
            let name = CaseName { workload: workload.into(), operation: operation.into(), input, size };
            prop_assert_eq!(name.to_string().parse::<CaseName>(), Ok(name));
        }
    }
}

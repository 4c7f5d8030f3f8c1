//! Flamegraphs inside the page: compressed, unpacked by the reader's browser when they are opened.

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bindbench_model::profile::Profile;
use flate2::Compression;
use flate2::write::GzEncoder;
use minijinja::Value;
use serde::Serialize;

/// A flamegraph of a profile.
#[derive(Debug)]
pub struct Flamegraph {
    /// Its workload.
    pub workload: String,
    /// What it is of.
    pub title: String,
    /// The SVG.
    pub svg: String,
}

/// A flamegraph as the template shows it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    id: String,
    title: String,
    /// Gzip in base64, which is no markup, and is not to be escaped: it stands in a script, where nothing undoes that. None where the
    /// page would become too large.
    packed: Option<Value>,
}

impl Flamegraph {
    /// The pictures of a profile that `read` can read; it is given paths relative to the profile's folder.
    pub fn of(profile: &Profile, read: impl Fn(&Path) -> Option<String>) -> Vec<Self> {
        let pictures = profile.cells.iter().filter_map(|cell| {
            let stacks = cell.stacks.as_ref()?;
            let size = cell.case.size.map(|size| format!(", size {}", crate::format::size(size, cell.case.unit)));
            let interpreter = cell.interpreter.as_ref().map(|interpreter| format!(", Python {interpreter}"));
            let title = format!(
                "{}: {}.{}{}{}",
                cell.lane,
                cell.case.workload,
                cell.case.operation,
                size.unwrap_or_default(),
                interpreter.unwrap_or_default()
            );
            Some(Self { workload: cell.case.workload.clone(), title, svg: read(&stacks.picture)? })
        });
        pictures.collect()
    }
}

/// Those of a workload, as long as they fit.
pub(super) fn views(flamegraphs: &[Flamegraph], workload: &str, bytes: &mut usize, most: usize) -> Vec<View> {
    let own = flamegraphs.iter().enumerate().filter(|(_, flame)| flame.workload == workload);
    own.map(|(at, flame)| {
        let packed = pack(&flame.svg);
        *bytes += packed.len();
        View {
            id: format!("flame-{}", at + 1),
            title: flame.title.clone(),
            packed: (*bytes <= most).then(|| Value::from_safe_string(packed)),
        }
    })
    .collect()
}

fn pack(svg: &str) -> String {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    // It writes to memory, which does not fail.
    let packed = packer.write_all(svg.as_bytes()).and_then(|()| packer.finish()).unwrap_or_default();
    STANDARD.encode(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_packed_is_unpacked_and_the_same_every_time() {
        let svg = "<svg><g/></svg>".repeat(100);
        let packed = pack(&svg);
        assert!(packed.len() < svg.len() / 5 && packed == pack(&svg));
        let mut text = String::new();
        flate2::read::GzDecoder::new(STANDARD.decode(packed).unwrap().as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, svg);
    }

    #[test]
    fn what_does_not_fit_is_named_without_its_picture() {
        let flame = |n: u32| Flamegraph { workload: "w".into(), title: n.to_string(), svg: (0..n).map(|n| n.to_string()).collect() };
        let mut bytes = 0;
        let views = views(&[flame(100), flame(5000), flame(3)], "w", &mut bytes, 1000);
        assert_eq!(views.iter().map(|view| view.packed.is_some()).collect::<Vec<_>>(), [true, false, false]);
    }
}

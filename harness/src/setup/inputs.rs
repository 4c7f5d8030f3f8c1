//! Inputs: data that recipes make, kept in files that the driver's oracle and every worker read alike.
//!
//! A file holds the pool of one recipe and size: distinct items, each at a multiple of 65,536 bytes, so that any of them can be
//! mapped alone on machines with pages of up to 64 KiB.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bindbench_protocol::{Argument, File as FileSlice, Shape};
use miette::{Context, IntoDiagnostic, Result};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::layout::Layout;
use crate::atomic;
use crate::catalog::axes::Form;
use crate::catalog::{Corpus, Input, Recipe};

/// Items of a file start at multiples of this.
pub const ALIGNMENT: u64 = 65_536;

/// Everything random is drawn from this seed and the recipe's name: two machines measure the same inputs.
const SEED: u64 = 0x0b1d_be9c;

/// `ascii_letters + digits + whitespace` of Python's `string` module: the 68 symbols of the talk.
const SYMBOLS: &[u8; 68] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t\n\r\x0b\x0c";

/// A pool of distinct argument lists, as the oracle sees them.
#[derive(Clone, Debug)]
pub struct Pool {
    arguments: Vec<Made>,
    items: usize,
}

/// One argument of all the pool's items.
#[derive(Clone, Debug)]
enum Made {
    Same(Argument),
    Integers(Vec<i64>),
    InFile { path: PathBuf, kind: Kind, count: u64, stride: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bytes,
    Int64,
    Float64,
}

impl Kind {
    fn width(self) -> u64 {
        match self {
            Self::Bytes => 1,
            Self::Int64 | Self::Float64 => 8,
        }
    }
}

/// One argument of one item, as the oracle sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Integers.
    Int64(Vec<i64>),
    /// Floats.
    Float64(Vec<f64>),
    /// An integer.
    Integer(i64),
    /// A function: nothing an oracle could look into.
    Callable,
}

impl Pool {
    /// Number of distinct items.
    pub fn len(&self) -> usize {
        self.items
    }

    /// Never: a pool has at least one item.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// The arguments of every item as a worker gets them, when data are passed in the given form.
    pub fn arguments(&self, passing: Option<Form>) -> Vec<Vec<Argument>> {
        (0..self.items).map(|item| self.arguments.iter().map(|made| made.argument(item, passing)).collect()).collect()
    }

    /// One item's data.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn data(&self, item: usize) -> Result<Vec<Datum>> {
        self.arguments.iter().map(|made| made.datum(item)).collect()
    }

    /// Memory a worker needs to hold all items when they are passed in the given form, in bytes, roughly: a list has an object
    /// of 32 bytes and a pointer for each item, a str up to two bytes a byte of UTF-8 and often that beside.
    pub fn resident_bytes(&self, passing: Option<Form>) -> u64 {
        let in_files = self.arguments.iter().map(|made| match made {
            Made::InFile { kind, count, .. } if passing == Some(Form::Boxed) && *kind != Kind::Bytes => count * 40,
            Made::InFile { count, .. } if passing == Some(Form::Text) => count * 3,
            Made::InFile { kind, count, .. } => count * kind.width(),
            Made::Same(_) | Made::Integers(_) => 64,
        });
        in_files.sum::<u64>() * self.items as u64
    }
}

impl Made {
    fn argument(&self, item: usize, passing: Option<Form>) -> Argument {
        match self {
            Self::Same(argument) => argument.clone(),
            Self::Integers(values) => Argument::Integer(values[item].to_string()),
            Self::InFile { path, kind, count, stride } => Argument::File(FileSlice {
                path: path.clone(),
                offset: item as u64 * stride,
                count: *count,
                shape: match (kind, passing) {
                    (Kind::Bytes, Some(Form::Mapped)) => Shape::MappedBytes,
                    (Kind::Bytes, Some(Form::Text)) => Shape::Text,
                    (Kind::Bytes, _) => Shape::Bytes,
                    (Kind::Int64, _) => Shape::Integers,
                    (Kind::Float64, Some(Form::Boxed)) => Shape::Floats,
                    (Kind::Float64, Some(Form::Mapped)) => Shape::MappedFloat64,
                    (Kind::Float64, _) => Shape::Float64,
                },
            }),
        }
    }

    fn datum(&self, item: usize) -> Result<Datum> {
        Ok(match self {
            Self::Same(Argument::Integer(digits)) => Datum::Integer(digits.parse().into_diagnostic()?),
            Self::Same(Argument::Bytes(hex)) => Datum::Bytes(from_hex(hex)),
            Self::Same(_) => Datum::Callable,
            Self::Integers(values) => Datum::Integer(values[item]),
            Self::InFile { path, kind, count, stride } => {
                let bytes = read_slice(path, item as u64 * stride, count * kind.width())
                    .into_diagnostic()
                    .wrap_err_with(|| format!("can't read the input {}", path.display()))?;
                let words = || bytes.chunks_exact(8).map(|word| word.try_into().unwrap_or_default());
                match kind {
                    Kind::Int64 => Datum::Int64(words().map(i64::from_le_bytes).collect()),
                    Kind::Float64 => Datum::Float64(words().map(f64::from_le_bytes).collect()),
                    Kind::Bytes => Datum::Bytes(bytes),
                }
            }
        })
    }
}

fn read_slice(path: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length as usize];
    File::open(path)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Makes the pool of an input in a size, writing its files into the folder of the inputs unless they are there.
///
/// # Errors
/// When the disk refuses, or real text is wanted and has not been set up.
pub fn make_pool(layout: &Layout, input: &Input, size: Option<u64>) -> Result<Pool> {
    let size = size.unwrap_or(1);
    let width = input.arguments.iter().filter_map(file_kind).map(Kind::width).max().unwrap_or(0);
    let corpora = input.arguments.iter().filter_map(|recipe| if let Recipe::Text(corpus) = recipe { Some(*corpus) } else { None });
    let corpora = corpora.map(|corpus| Ok((corpus, read_corpus(layout, corpus)?))).collect::<Result<Vec<_>>>()?;
    let items = match width {
        0 => 64,
        // As many as a worker takes in all its rounds, more where they are small.
        _ if input.unseen => ((4 << 20) / (size * width)).clamp(16, 256),
        // Up to 64 distinct items, in at most 4 MiB: no branch predictor learns a mebibyte.
        _ => ((4 << 20) / (size * width)).clamp(1, 64),
    };
    let slices = corpora.iter().map(|(_, text)| (text.len() as u64 / size).max(1)).min();
    let items = items.min(slices.unwrap_or(u64::MAX));
    let arguments = input.arguments.iter().enumerate().map(|(place, recipe)| {
        let text = corpora.iter().find_map(|(corpus, text)| (*recipe == Recipe::Text(*corpus)).then_some(text.as_str()));
        make(&layout.inputs(), place, recipe, text.unwrap_or_default(), size, items)
    });
    Ok(Pool { arguments: arguments.collect::<Result<_>>()?, items: items as usize })
}

fn read_corpus(layout: &Layout, corpus: Corpus) -> Result<String> {
    let path = layout.texts().join(corpus.file_name());
    let text = fs::read_to_string(&path).into_diagnostic();
    text.wrap_err_with(|| format!("can't read the text {}: `bindbench setup -w bpe` makes it", path.display()))
}

fn file_kind(recipe: &Recipe) -> Option<Kind> {
    match recipe {
        Recipe::Symbols | Recipe::Planted { .. } | Recipe::Periodic(_) | Recipe::Text(_) => Some(Kind::Bytes),
        Recipe::Range => Some(Kind::Int64),
        Recipe::Uniform => Some(Kind::Float64),
        Recipe::Size | Recipe::SmallInteger | Recipe::Callable(_) | Recipe::Bytes(_) => None,
    }
}

fn make(folder: &Path, place: usize, recipe: &Recipe, text: &str, size: u64, items: u64) -> Result<Made> {
    Ok(match recipe {
        Recipe::Size => Made::Same(Argument::Integer(size.to_string())),
        Recipe::Callable(function) => Made::Same(Argument::Callable(*function)),
        Recipe::Bytes(text) => Made::Same(Argument::Bytes(to_hex(text.as_bytes()))),
        Recipe::SmallInteger => {
            let mut random = seeded(&format!("small integer {place}"));
            Made::Integers((0..items).map(|_| random.random_range(0..1000)).collect())
        }
        _ => {
            // Only the recipes above have no kind.
            let kind = file_kind(recipe).unwrap_or(Kind::Bytes);
            let stride = (size * kind.width()).next_multiple_of(ALIGNMENT);
            let name = format!("{recipe:?}");
            let digest = to_hex(&Sha256::digest(format!("{name} {SEED} {}", text.len()))[..4]);
            let path = folder.join(format!("{}-{digest}-{size}x{items}.bin", kind_name(kind)));
            if fs::metadata(&path).map_or(0, |file| file.len()) != stride * items {
                write_file(&path, recipe, text, Extent { kind, size, items, stride })
                    .into_diagnostic()
                    .wrap_err_with(|| format!("can't write the input {}", path.display()))?;
            }
            Made::InFile { path, kind, count: size, stride }
        }
    })
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bytes => "bytes",
        Kind::Int64 => "int64",
        Kind::Float64 => "float64",
    }
}

fn seeded(name: &str) -> ChaCha8Rng {
    let digest = Sha256::digest(format!("{SEED} {name}"));
    ChaCha8Rng::from_seed(digest.into())
}

/// What a file holds.
#[derive(Clone, Copy)]
struct Extent {
    kind: Kind,
    size: u64,
    items: u64,
    stride: u64,
}

/// A file that is there is whole.
fn write_file(path: &Path, recipe: &Recipe, text: &str, extent: Extent) -> std::io::Result<()> {
    let Extent { kind, size, items, stride } = extent;
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let mut random = seeded(&format!("{recipe:?} {size}"));
    atomic::replace_with(path, |file| {
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        for item in 0..items {
            match recipe {
                // Items lie all over the text.
                Recipe::Text(_) => write_slice(&mut writer, text, text.len() as u64 / items * item, size)?,
                _ => write_item(&mut writer, recipe, item, size, &mut random)?,
            }
            for _ in size * kind.width()..stride {
                writer.write_all(&[0])?;
            }
        }
        writer.flush()
    })
}

/// Whole characters from the first that begins at or after `start`, then spaces; after the text's end it goes on at its beginning.
fn write_slice(writer: &mut impl Write, text: &str, start: u64, size: u64) -> std::io::Result<()> {
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    let (mut at, mut left) = ((start as usize..).find(is_boundary).unwrap_or(0), size as usize);
    loop {
        let end = (0..=text.len().min(at + left)).rev().find(is_boundary).unwrap_or(at);
        let slice = &text[at..end];
        writer.write_all(slice.as_bytes())?;
        left -= slice.len();
        if left < char::MAX.len_utf8() || text.is_empty() {
            return (0..left).try_for_each(|_| writer.write_all(b" "));
        }
        at = 0;
    }
}

fn write_item(writer: &mut impl Write, recipe: &Recipe, item: u64, size: u64, random: &mut ChaCha8Rng) -> std::io::Result<()> {
    match recipe {
        Recipe::Symbols => (0..size).try_for_each(|_| writer.write_all(&[symbol(random)])),
        Recipe::Planted { pattern, every } => {
            let mut text: Vec<u8> = (0..size).map(|_| symbol(random)).collect();
            let mut at = every / 2;
            while at + pattern.len() as u64 <= size {
                text[at as usize..][..pattern.len()].copy_from_slice(pattern.as_bytes());
                at += every;
            }
            writer.write_all(&text)
        }
        Recipe::Periodic(unit) => {
            // Every item starts at another place of the period.
            let unit = unit.as_bytes();
            (0..size).try_for_each(|i| writer.write_all(&[unit[((item + i) % unit.len() as u64) as usize]]))
        }
        Recipe::Range => (0..size).try_for_each(|i| writer.write_all(&(item + i).to_le_bytes())),
        Recipe::Uniform => (0..size).try_for_each(|_| writer.write_all(&random.random::<f64>().to_le_bytes())),
        Recipe::Size | Recipe::SmallInteger | Recipe::Callable(_) | Recipe::Bytes(_) | Recipe::Text(_) => Ok(()),
    }
}

fn symbol(random: &mut ChaCha8Rng) -> u8 {
    // The high half of a 32-bit product: uniform over 68 to within 68 / 2^32.
    SYMBOLS[((u64::from(random.next_u32()) * SYMBOLS.len() as u64) >> 32) as usize]
}

/// Hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Files of the folder with their SHA-256, for the record of a run.
///
/// # Errors
/// When a file can't be read.
pub fn digests(pools: &[&Pool]) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for made in pools.iter().flat_map(|pool| &pool.arguments) {
        if let Made::InFile { path, .. } = made {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Entry::Vacant(place) = digests.entry(name) {
                place.insert(super::receipt::sha256_of(path).into_diagnostic()?);
            }
        }
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::model::Unit;

    fn input(arguments: Vec<Recipe>) -> Input {
        Input { summary: String::new(), form: Some(Form::Bytes), unit: Unit::Bytes, unseen: false, arguments }
    }

    fn planted() -> Recipe {
        Recipe::Planted { pattern: "needle".into(), every: 100 }
    }

    fn all(pool: &Pool) -> Vec<Vec<Datum>> {
        (0..pool.len()).map(|item| pool.data(item).unwrap()).collect()
    }

    #[test]
    fn the_same_recipe_is_the_same_bytes_anywhere() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let input = input(vec![Recipe::Symbols, planted(), Recipe::Uniform, Recipe::SmallInteger]);
        let pools = [here.path(), there.path()].map(|folder| make_pool(&Layout::at(folder), &input, Some(1000)).unwrap());
        assert_eq!(all(&pools[0]), all(&pools[1]));
        assert_eq!(digests(&[&pools[0]]).unwrap(), digests(&[&pools[1]]).unwrap());
        // Another machine, another year: these very bytes.
        let first: String = match &pools[0].data(0).unwrap()[0] {
            Datum::Bytes(bytes) => bytes[..16].iter().map(|&byte| byte as char).collect(),
            other => panic!("{other:?}"),
        };
        assert_eq!(first, "3\x0bJwYevvFuUUHn\x0b0");
    }

    #[test]
    fn the_items_of_a_pool_differ_and_have_their_size() {
        let folder = tempfile::tempdir().unwrap();
        for recipe in [Recipe::Symbols, planted(), Recipe::Periodic("aaab".into()), Recipe::Range, Recipe::Uniform] {
            let period = if matches!(recipe, Recipe::Periodic(_)) { 4 } else { usize::MAX };
            let pool = make_pool(&Layout::at(folder.path()), &input(vec![recipe.clone()]), Some(300)).unwrap();
            let items = all(&pool);
            assert_eq!(pool.len(), 64);
            for (at, item) in items.iter().enumerate() {
                let length = match &item[0] {
                    Datum::Bytes(bytes) => bytes.len(),
                    Datum::Int64(integers) => integers.len(),
                    Datum::Float64(floats) => floats.len(),
                    other => panic!("{other:?}"),
                };
                assert_eq!(length, 300, "{recipe:?}");
                assert!(!items[..at].iter().rev().take(period - 1).any(|other| other == item), "{recipe:?}, item {at}");
            }
        }
    }

    #[test]
    fn planted_patterns_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let pool = make_pool(&Layout::at(folder.path()), &input(vec![planted()]), Some(1000)).unwrap();
        let [Datum::Bytes(text)] = &pool.data(3).unwrap()[..] else { panic!("no bytes") };
        assert_eq!(memchr::memmem::find_iter(text, "needle").collect::<Vec<_>>(), (0..10).map(|i| 50 + 100 * i).collect::<Vec<_>>());
    }

    #[test]
    fn large_inputs_have_smaller_pools_and_every_item_can_be_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let items = |size| make_pool(&Layout::at(folder.path()), &input(vec![Recipe::Symbols]), Some(size)).unwrap().len();
        assert_eq!([items(1), items(65_536), items(1 << 20), items(5 << 20)], [64, 64, 4, 1]);
        let pool = make_pool(&Layout::at(folder.path()), &input(vec![Recipe::Symbols]), Some(65_537)).unwrap();
        for argument in pool.arguments(Some(Form::Mapped)).concat() {
            let Argument::File(slice) = argument else { panic!("no file") };
            assert_eq!((slice.offset % ALIGNMENT, slice.shape), (0, Shape::MappedBytes));
        }
    }

    #[test]
    fn a_file_that_was_cut_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let (layout, input) = (Layout::at(folder.path()), input(vec![Recipe::Symbols]));
        let whole = all(&make_pool(&layout, &input, Some(100)).unwrap());
        let file = fs::read_dir(layout.inputs()).unwrap().next().unwrap().unwrap().path();
        File::options().write(true).open(file).unwrap().set_len(10).unwrap();
        assert_eq!(all(&make_pool(&layout, &input, Some(100)).unwrap()), whole);
    }

    #[test]
    fn slices_of_a_text_differ_and_cut_no_character() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path());
        let input = Input { unseen: true, ..input(vec![Recipe::Text(Corpus::Multilingual)]) };
        let missing = make_pool(&layout, &input, Some(100)).unwrap_err();
        assert!(format!("{missing:?}").contains("bindbench setup -w bpe"), "{missing:?}");

        let text: String = (0x4e00..0x4e00 + 1000).filter_map(char::from_u32).collect();
        fs::create_dir_all(layout.texts()).unwrap();
        fs::write(layout.texts().join(Corpus::Multilingual.file_name()), &text).unwrap();
        let pool = make_pool(&layout, &input, Some(100)).unwrap();
        // 3,000 bytes are 30 slices.
        assert_eq!(pool.len(), 30);
        let slices: Vec<String> = all(&pool)
            .into_iter()
            .map(|item| match &item[0] {
                Datum::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(slices.iter().all(|slice| slice.len() == 100 && text.contains(slice.trim_end_matches(' '))));
        assert!(slices.iter().enumerate().all(|(at, slice)| !slices[..at].contains(slice)));

        // Longer than the text: it begins again.
        let long = make_pool(&layout, &input, Some(7000)).unwrap();
        let [Datum::Bytes(bytes)] = &long.data(0).unwrap()[..] else { panic!("no bytes") };
        assert_eq!((long.len(), bytes.len()), (1, 7000));
        assert!(String::from_utf8(bytes.clone()).unwrap().starts_with(&text.repeat(2)));
    }
}

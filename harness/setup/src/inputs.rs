//! Inputs: data that recipes make, kept in files that the driver's oracle and every worker read alike.
//!
//! A file holds the pool of one recipe and size: distinct items, and some fresh ones that no sample has, each at a multiple of 65,536 bytes, so that any of them can be
//! mapped alone on machines with pages of up to 64 KiB.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bindbench_catalog::{Corpus, Input, Recipe, Size};
use bindbench_files::{atomic, regular};
use bindbench_model::Form;
use bindbench_protocol::{Argument, Callable, File as FileSlice, Shape};
use miette::{Context, IntoDiagnostic, Result};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::layout::Layout;
use super::room::{self, Wanted};

/// Items of a file start at multiples of this.
pub const ALIGNMENT: u64 = 65_536;

/// Everything random is drawn from this seed and the recipe's name: two machines measure the same inputs.
const SEED: u64 = 0x0b1d_be9c;

/// `ascii_letters + digits + whitespace` of Python's `string` module: the 68 symbols of the talk.
const SYMBOLS: &[u8; 68] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \t\n\r\x0b\x0c";

/// A pool of distinct argument lists, as the oracle sees them; and some more of the same kind, which no sample has.
#[derive(Clone, Debug)]
pub struct Pool {
    arguments: Vec<Made>,
    items: usize,
    fresh: usize,
}

/// One argument of all the pool's items, the fresh ones last.
#[derive(Clone, Debug)]
enum Made {
    Same(Argument),
    /// A function; for fresh items one whose answers nobody can guess.
    Callable {
        function: Callable,
        items: usize,
    },
    Integers(Vec<i64>),
    Sizes(Vec<u64>),
    InFile {
        path: PathBuf,
        kind: Kind,
        counts: Vec<u64>,
        stride: u64,
    },
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
    /// A function whose answers depend on all that it has been called with; the number it begins with.
    Chain(u64),
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

    /// Items that no sample has, after the others: by them it is found out what a lane makes of inputs that it has not seen.
    pub fn fresh(&self) -> Range<usize> {
        self.items..self.items + self.fresh
    }

    /// The arguments of every item as a worker gets them, when data are passed in the given form.
    pub fn arguments(&self, passing: Option<Form>) -> Vec<Vec<Argument>> {
        self.arguments_of(0..self.items, passing)
    }

    /// The arguments of the fresh items, likewise.
    pub fn fresh_arguments(&self, passing: Option<Form>) -> Vec<Vec<Argument>> {
        self.arguments_of(self.fresh(), passing)
    }

    fn arguments_of(&self, items: Range<usize>, passing: Option<Form>) -> Vec<Vec<Argument>> {
        items.map(|item| self.arguments.iter().map(|made| made.argument(item, passing)).collect()).collect()
    }

    /// One item's data; of a fresh one, too.
    ///
    /// # Errors
    /// When its file can't be read.
    pub fn data(&self, item: usize) -> Result<Vec<Datum>> {
        self.arguments.iter().map(|made| made.datum(item)).collect()
    }

    /// Memory a worker needs to hold all items when they are passed in the given form, in bytes, roughly: a list has an object
    /// of 32 bytes and a pointer for each item, a str up to two bytes a byte of UTF-8 and often that beside.
    pub fn resident_bytes(&self, passing: Option<Form>) -> u64 {
        let of = |made: &Made| match made {
            Made::InFile { kind, counts, .. } => {
                let width = match passing {
                    Some(Form::Boxed) if *kind != Kind::Bytes => 40,
                    Some(Form::Text) => 3,
                    _ => kind.width(),
                };
                counts[..self.items].iter().copied().fold(0, u64::saturating_add).saturating_mul(width)
            }
            // A list of as many ints is an answer's.
            Made::Sizes(sizes) => sizes.iter().max().copied().unwrap_or_default().saturating_mul(40),
            Made::Same(_) | Made::Callable { .. } | Made::Integers(_) => 64 * self.items as u64,
        };
        self.arguments.iter().map(of).fold(0, u64::saturating_add)
    }

    /// Memory the driver needs to find the right answer to one item, in bytes, roughly: its data, and what the oracle makes of them.
    pub fn driver_bytes(&self) -> u64 {
        let one = self.arguments.iter().map(|made| match made {
            Made::InFile { kind, counts, .. } => {
                let width = if *kind == Kind::Bytes { 1 } else { 2 * kind.width() };
                counts.iter().max().copied().unwrap_or_default().saturating_mul(width)
            }
            _ => 64,
        });
        one.fold(0, u64::saturating_add)
    }

    /// The files that are not there, or not whole, and how long they will be.
    pub fn missing(&self) -> impl Iterator<Item = (PathBuf, u128)> {
        self.arguments.iter().filter_map(|made| match made {
            Made::InFile { path, counts, stride, .. } => {
                let length = u128::from(*stride) * counts.len() as u128;
                (u128::from(fs::metadata(path).map_or(0, |file| file.len())) != length).then(|| (path.clone(), length))
            }
            _ => None,
        })
    }

    /// The pool of an input in a size as [`make_pool`] makes it, its files not written yet. Sizes beyond all measure are counted as the
    /// largest there is.
    ///
    /// # Errors
    /// When real text is wanted and has not been set up.
    pub fn plan(layout: &Layout, input: &Input, size: Option<u64>) -> Result<Self> {
        Ok(planned(layout, input, size)?.0)
    }
}

impl Made {
    fn argument(&self, item: usize, passing: Option<Form>) -> Argument {
        match self {
            Self::Same(argument) => argument.clone(),
            Self::Callable { function, items } if item < *items => Argument::Callable(*function),
            Self::Callable { .. } => Argument::Callable(Callable::Chain(chain_of(item))),
            Self::Integers(values) => Argument::Integer(values[item].to_string()),
            Self::Sizes(sizes) => Argument::Integer(sizes[item].to_string()),
            Self::InFile { path, kind, counts, stride } => Argument::File(FileSlice {
                path: path.clone(),
                offset: item as u64 * stride,
                count: counts[item],
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
            Self::Callable { items, .. } if item >= *items => Datum::Chain(chain_of(item)),
            Self::Same(_) | Self::Callable { .. } => Datum::Callable,
            Self::Integers(values) => Datum::Integer(values[item]),
            Self::Sizes(sizes) => Datum::Integer(i64::try_from(sizes[item]).into_diagnostic()?),
            Self::InFile { path, kind, counts, stride } => {
                let bytes = read_slice(path, item as u64 * stride, counts[item] * kind.width())
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

/// What the answers of a fresh item's function begin with.
fn chain_of(item: usize) -> u64 {
    u64::from(seeded(&format!("chain {item}")).next_u32())
}

fn read_slice(path: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; length as usize];
    regular::open(path)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// How many items a pool has, and how long they are.
struct Extent {
    size: u64,
    items: u64,
    fresh: u64,
    ragged: bool,
    unseen: bool,
}

impl Extent {
    fn of(input: &Input, size: u64, width: u64, slices: Option<u64>) -> Self {
        let room = (4 << 20) / size.saturating_mul(width).max(1);
        let items = match width {
            0 => 64,
            // As many as a worker takes in all its rounds, more where they are small.
            _ if input.unseen => room.clamp(16, 256),
            // Up to 64 distinct items, in at most 4 MiB: no branch predictor learns a mebibyte.
            _ => room.clamp(1, 64),
        };
        let items = items.min(slices.unwrap_or(u64::MAX));
        let fresh = if input.arguments.is_empty() { 0 } else { room.clamp(1, 32).min(slices.map_or(32, |_| items)) };
        Self { size, items, fresh, ragged: input.ragged, unseen: input.unseen }
    }

    /// Where in a text an item begins. Items lie all over it, fresh ones between the others. Where texts are unseen the fresh ones are others than
    /// where they are not: one worker may get both.
    fn start(&self, item: u64, length: u64) -> u64 {
        let step = length / self.items;
        if item < self.items { step * item } else { step * (item - self.items) + step / if self.unseen { 4 } else { 2 } }
    }

    /// How long each item is. A ragged fresh one is of a length that no other has.
    fn lengths(&self) -> Vec<u64> {
        let Self { size, items, .. } = *self;
        let ragged = |item: u64| match item % 4 {
            _ if item >= items => size.saturating_add(2 + (item - items)),
            1 => size.saturating_add(1),
            3 => size.saturating_sub(1),
            _ => size,
        };
        (0..items + self.fresh).map(|item| if self.ragged { ragged(item) } else { size }).collect()
    }
}

/// Makes the pool of an input in a size, writing its files into the folder of the inputs unless they are there.
///
/// # Errors
/// When there is no room for it, the disk refuses, or real text is wanted and has not been set up.
pub fn make_pool(layout: &Layout, input: &Input, size: Option<u64>) -> Result<Pool> {
    let (pool, extent) = planned(layout, input, size)?;
    let what = size.map_or_else(|| input.summary.clone(), |size| format!("{} ({})", Size(size), input.summary));
    // In what form a worker gets it is for those to look at who know.
    room::check(&layout.inputs(), &[Wanted { what, pool: pool.clone(), worker_bytes: 0 }])?;
    let missing: BTreeMap<PathBuf, u128> = pool.missing().collect();
    for (recipe, made) in input.arguments.iter().zip(&pool.arguments) {
        let Made::InFile { path, stride, .. } = made else { continue };
        if missing.contains_key(path) {
            let text = if let Recipe::Text(corpus) = recipe { read_corpus(layout, *corpus)? } else { String::new() };
            let written = write_file(path, recipe, &text, &extent, *stride).into_diagnostic();
            written.wrap_err_with(|| format!("can't write the input {}", path.display()))?;
        }
    }
    Ok(pool)
}

fn planned(layout: &Layout, input: &Input, size: Option<u64>) -> Result<(Pool, Extent)> {
    let size = size.unwrap_or(1).max(1);
    let width = input.arguments.iter().filter_map(file_kind).map(Kind::width).max().unwrap_or(0);
    let corpora = input.arguments.iter().filter_map(|recipe| if let Recipe::Text(corpus) = recipe { Some(*corpus) } else { None });
    let texts = corpora.map(|corpus| Ok((corpus, corpus_bytes(layout, corpus)?))).collect::<Result<Vec<_>>>()?;
    let slices = texts.iter().map(|(_, bytes)| (bytes / size).max(1)).min();
    let extent = Extent::of(input, size, width, slices);
    let arguments = input.arguments.iter().enumerate().map(|(place, recipe)| {
        let text_bytes = texts.iter().find_map(|(corpus, bytes)| (*recipe == Recipe::Text(*corpus)).then_some(*bytes));
        plan(&layout.inputs(), place, recipe, text_bytes.unwrap_or_default(), &extent)
    });
    Ok((Pool { arguments: arguments.collect(), items: extent.items as usize, fresh: extent.fresh as usize }, extent))
}

fn corpus_bytes(layout: &Layout, corpus: Corpus) -> Result<u64> {
    let path = layout.texts().join(corpus.file_name());
    let text = fs::metadata(&path).into_diagnostic();
    Ok(text.wrap_err_with(|| no_corpus(&path))?.len())
}

fn read_corpus(layout: &Layout, corpus: Corpus) -> Result<String> {
    let path = layout.texts().join(corpus.file_name());
    regular::read_to_string(&path).into_diagnostic().wrap_err_with(|| no_corpus(&path))
}

fn no_corpus(path: &Path) -> String {
    format!("can't read the text {}: `bindbench setup -w bpe` makes it", path.display())
}

fn file_kind(recipe: &Recipe) -> Option<Kind> {
    match recipe {
        Recipe::Symbols | Recipe::Planted { .. } | Recipe::Text(_) => Some(Kind::Bytes),
        Recipe::Integers => Some(Kind::Int64),
        Recipe::Uniform => Some(Kind::Float64),
        Recipe::Size | Recipe::SmallInteger | Recipe::Callable(_) | Recipe::Bytes(_) => None,
    }
}

fn plan(folder: &Path, place: usize, recipe: &Recipe, text_bytes: u64, extent: &Extent) -> Made {
    let Extent { size, items, fresh, ragged, unseen } = *extent;
    match recipe {
        Recipe::Size => Made::Sizes(extent.lengths()),
        Recipe::Callable(function) => Made::Callable { function: *function, items: items as usize },
        Recipe::Bytes(text) => Made::Same(Argument::Bytes(to_hex(text.as_bytes()))),
        Recipe::SmallInteger => {
            let mut random = seeded(&format!("small integer {place}"));
            Made::Integers((0..items + fresh).map(|_| random.random_range(0..1000)).collect())
        }
        _ => {
            // Only the recipes above have no kind.
            let kind = file_kind(recipe).unwrap_or(Kind::Bytes);
            let counts = extent.lengths();
            let longest = counts.iter().max().copied().unwrap_or(size);
            let stride = longest.saturating_mul(kind.width()).checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX);
            let name = format!("{recipe:?}");
            let digest = to_hex(&Sha256::digest(format!("{name} {ragged} {unseen} {SEED} {text_bytes}"))[..4]);
            let path = folder.join(format!("{}-{digest}-{size}x{items}+{fresh}.bin", kind_name(kind)));
            Made::InFile { path, kind, counts, stride }
        }
    }
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

/// A file that is there is whole.
fn write_file(path: &Path, recipe: &Recipe, text: &str, extent: &Extent, stride: u64) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let width = file_kind(recipe).map_or(1, Kind::width);
    let mut random = seeded(&format!("{recipe:?} {}", extent.size));
    atomic::replace_with(path, |file| {
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        for (item, length) in extent.lengths().into_iter().enumerate() {
            let item = item as u64;
            match recipe {
                Recipe::Text(_) => write_slice(&mut writer, text, extent.start(item, text.len() as u64), length)?,
                _ => write_item(&mut writer, recipe, item, length, &mut random)?,
            }
            for _ in length * width..stride {
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
        Recipe::Planted { pattern, every, into } => {
            let into = into.as_ref().map(|unit| unit.as_bytes());
            writer.write_all(&planted(pattern.as_bytes(), *every, into, item, size as usize, random))
        }
        Recipe::Integers => {
            let first = item as i64 + 1;
            (0..size).try_for_each(|_| writer.write_all(&random.random_range(first..first + size as i64).to_le_bytes()))
        }
        Recipe::Uniform => (0..size).try_for_each(|_| writer.write_all(&random.random::<f64>().to_le_bytes())),
        Recipe::Size | Recipe::SmallInteger | Recipe::Callable(_) | Recipe::Bytes(_) | Recipe::Text(_) => Ok(()),
    }
}

/// A text with a pattern at random places in it. What comes before each is what a search has to look at twice: the symbol that the pattern
/// begins with. In a unit that is repeated it is the unit's last symbol, and so is what comes after, or hits would come from the unit, too.
fn planted(pattern: &[u8], every: Option<u64>, into: Option<&[u8]>, item: u64, size: usize, random: &mut ChaCha8Rng) -> Vec<u8> {
    let unit = into.filter(|unit| !unit.is_empty());
    let mut text: Vec<u8> = match unit {
        // Every item starts at another place of the period.
        Some(unit) => unit.iter().copied().cycle().skip(item as usize % unit.len()).take(size).collect(),
        None => (0..size).map(|_| symbol(random)).collect(),
    };
    let overlap = (1..pattern.len()).rev().find(|&length| pattern.ends_with(&pattern[..length]));
    let hits: Vec<u8> = overlap.map_or_else(|| pattern.to_vec(), |length| [pattern, &pattern[length..]].concat());
    let (before, after) = match unit {
        Some(unit) => (unit.last(), unit.last()),
        None => (pattern.first(), None),
    };
    let stretches = every.map_or(2, |every| size / every as usize).max(1);
    let stretch = size / stretches;
    for number in 0..stretches {
        let (first, last) = (number * stretch + 1, ((number + 1) * stretch).saturating_sub(hits.len() + 1));
        let at = match (item % 2, size.checked_sub(hits.len())) {
            (0, Some(_)) if number == 0 => 0,
            (1, Some(end)) if number + 1 == stretches => end,
            _ if first <= last => random.random_range(first..=last),
            _ => continue,
        };
        text[at..at + hits.len()].copy_from_slice(&hits);
        if let (Some(&before), Some(place)) = (before, at.checked_sub(1)) {
            text[place] = before;
        }
        if let (Some(&after), Some(place)) = (after, text.get_mut(at + hits.len())) {
            *place = after;
        }
    }
    text
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
    use bindbench_model::Unit;

    fn input(arguments: Vec<Recipe>) -> Input {
        Input { summary: String::new(), form: Some(Form::Bytes), unit: Unit::Bytes, unseen: false, ragged: false, arguments }
    }

    fn planted() -> Recipe {
        Recipe::Planted { pattern: "needle".into(), every: Some(100), into: None }
    }

    fn worst() -> Recipe {
        Recipe::Planted { pattern: "aaaa".into(), every: None, into: Some("aaab".into()) }
    }

    /// All items, the fresh ones, too.
    fn all(pool: &Pool) -> Vec<Vec<Datum>> {
        (0..pool.fresh().end).map(|item| pool.data(item).unwrap()).collect()
    }

    fn length(datum: &Datum) -> usize {
        match datum {
            Datum::Bytes(bytes) => bytes.len(),
            Datum::Int64(integers) => integers.len(),
            Datum::Float64(floats) => floats.len(),
            other => panic!("{other:?}"),
        }
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
        for recipe in [Recipe::Symbols, planted(), worst(), Recipe::Integers, Recipe::Uniform] {
            let pool = make_pool(&Layout::at(folder.path()), &input(vec![recipe.clone()]), Some(300)).unwrap();
            let items = all(&pool);
            assert_eq!((pool.len(), pool.fresh()), (64, 64..96));
            assert!(items.iter().all(|item| length(&item[0]) == 300), "{recipe:?}");
            let again = items.iter().enumerate().filter(|(at, item)| items[..*at].contains(item)).count();
            // In so short a period there are not many places for a pattern.
            assert!(if recipe == worst() { again < 20 } else { again == 0 }, "{recipe:?}: {again}");
        }
    }

    #[test]
    fn ragged_items_differ_in_length_around_the_size_and_fresh_ones_have_lengths_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        for size in [1, 16, 5 << 20] {
            let input = Input { ragged: true, ..input(vec![Recipe::Symbols, Recipe::Size]) };
            let pool = make_pool(&Layout::at(folder.path()), &input, Some(size)).unwrap();
            let lengths: Vec<u64> = all(&pool).iter().map(|item| length(&item[0]) as u64).collect();
            let sizes: Vec<Datum> = all(&pool).into_iter().map(|mut item| item.remove(1)).collect();
            assert_eq!(sizes, lengths.iter().map(|&length| Datum::Integer(length.cast_signed())).collect::<Vec<_>>());
            let (timed, fresh) = lengths.split_at(pool.len());
            assert!(timed.iter().all(|&length| length.abs_diff(size) <= 1) && timed[0] == size, "{timed:?}");
            assert!(pool.len() == 1 || timed.iter().sum::<u64>() == size * pool.len() as u64, "the mean is the size");
            assert!(fresh.iter().enumerate().all(|(at, length)| !lengths[..pool.len() + at].contains(length)), "{fresh:?}");
            for argument in pool.arguments(Some(Form::Mapped)).concat() {
                assert!(!matches!(argument, Argument::File(slice) if slice.offset % ALIGNMENT != 0));
            }
        }
    }

    #[test]
    fn fresh_items_have_functions_whose_answers_nobody_can_guess() {
        let folder = tempfile::tempdir().unwrap();
        let pool = make_pool(&Layout::at(folder.path()), &input(vec![Recipe::Callable(Callable::Identity)]), Some(5)).unwrap();
        assert!(pool.arguments(None).iter().all(|item| item[..] == [Argument::Callable(Callable::Identity)]));
        let chains = pool.fresh_arguments(None).concat();
        assert!(chains.iter().enumerate().all(|(at, chain)| !chains[..at].contains(chain)), "{chains:?}");
        assert!(chains.iter().all(|chain| matches!(chain, Argument::Callable(Callable::Chain(_)))), "{chains:?}");
    }

    /// Offsets of a pattern in the first items.
    fn hits(recipe: Recipe, pattern: &str, size: u64) -> Vec<Vec<usize>> {
        let folder = tempfile::tempdir().unwrap();
        let pool = make_pool(&Layout::at(folder.path()), &input(vec![recipe]), Some(size)).unwrap();
        let found = |item: &[Datum]| match item {
            [Datum::Bytes(text)] => (0..text.len()).filter(|&at| text[at..].starts_with(pattern.as_bytes())).collect(),
            _ => panic!("no bytes"),
        };
        all(&pool).iter().map(|item| found(item)).collect()
    }

    #[test]
    fn planted_patterns_are_there_at_places_of_their_own_and_at_the_very_ends() {
        let found = hits(planted(), "needle", 1000);
        assert!(found.iter().all(|hits| hits.len() == 10 && hits.iter().enumerate().all(|(at, hit)| hit / 100 == at)), "{found:?}");
        assert!(found.iter().enumerate().all(|(item, hits)| if item % 2 == 0 { hits[0] == 0 } else { hits[9] == 994 }), "{found:?}");
        let mut different: Vec<usize> = found.iter().map(|hits| hits[5]).collect();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 30, "{different:?}");
    }

    #[test]
    fn a_pattern_that_can_overlap_itself_does() {
        let recipe = Recipe::Planted { pattern: "bench bind bench".into(), every: Some(100), into: None };
        for hits in hits(recipe, "bench bind bench", 1000) {
            assert_eq!(hits.len(), 20);
            assert!(hits.chunks(2).all(|pair| pair[1] == pair[0] + 11), "{hits:?}");
        }
        // Two places with two hits each, in whatever phase the period is.
        for (item, hits) in hits(worst(), "aaaa", 64).into_iter().enumerate() {
            assert_eq!(hits.len(), 4, "item {item}: {hits:?}");
            assert!(hits.chunks(2).all(|pair| pair[1] == pair[0] + 1), "{hits:?}");
        }
        assert!(hits(worst(), "aaaa", 3).iter().all(Vec::is_empty), "there is no room");
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
        fs::File::options().write(true).open(file).unwrap().set_len(10).unwrap();
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
        // 3,000 bytes are 30 slices; as many fresh ones lie between them.
        assert_eq!((pool.len(), pool.fresh()), (30, 30..60));
        let slices: Vec<String> = all(&pool)
            .into_iter()
            .map(|item| match &item[0] {
                Datum::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        // The last one goes on at the beginning.
        assert!(slices.iter().all(|slice| slice.len() == 100 && text.repeat(2).contains(slice.trim_end_matches(' '))));
        assert!(slices.iter().enumerate().all(|(at, slice)| !slices[..at].contains(slice)));

        // The same text, as one that may come again: its fresh slices are others.
        let again = make_pool(&layout, &Input { unseen: false, ..input.clone() }, Some(100)).unwrap();
        assert!((0..30).all(|item| pool.data(item).unwrap() == again.data(item).unwrap()));
        assert!(again.fresh().all(|item| !all(&pool).contains(&again.data(item).unwrap())));

        // Longer than the text: it begins again.
        let long = make_pool(&layout, &input, Some(7000)).unwrap();
        let [Datum::Bytes(bytes)] = &long.data(0).unwrap()[..] else { panic!("no bytes") };
        assert_eq!((long.len(), long.fresh(), bytes.len()), (1, 1..2, 7000));
        assert!(String::from_utf8(bytes.clone()).unwrap().starts_with(&text.repeat(2)));
    }
}

//! Mutations that know the structure of what they change: most of what they make can be read, and gets to what is done with it.

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{NEXT_FILE, files};

/// A file of an input, as far as it is understood.
#[derive(Clone)]
enum Part {
    Json(Value),
    Text(String),
    Bytes(Vec<u8>),
}

/// An input of the corpus.
#[derive(Clone)]
pub struct Seed(Vec<Part>);

impl Seed {
    /// Takes an input apart.
    pub fn of(data: &[u8]) -> Self {
        let part = |file: &&[u8]| match (serde_json::from_slice(file), std::str::from_utf8(file)) {
            (Ok(value @ (Value::Object(_) | Value::Array(_))), _) => Part::Json(value),
            (_, Ok(text)) if !text.contains('\0') => Part::Text(text.to_owned()),
            _ => Part::Bytes(file.to_vec()),
        };
        Self(files(data).iter().map(part).collect())
    }

    /// Up to three changes to it; `other` is another input, of which parts may be taken.
    pub fn mutated(&self, other: &Self, random: &mut ChaCha8Rng) -> Vec<u8> {
        let mut parts = self.0.clone();
        for _ in 0..random.random_range(1..=3) {
            let at = random.random_range(0..parts.len());
            match &mut parts[at] {
                Part::Json(value) => change_json(value, other, random),
                Part::Text(text) => change_text(text, random),
                Part::Bytes(bytes) => change_bytes(bytes, random),
            }
        }
        let written = parts.iter().map(|part| match part {
            Part::Json(value) => value.to_string().into_bytes(),
            Part::Text(text) => text.clone().into_bytes(),
            Part::Bytes(bytes) => bytes.clone(),
        });
        let mut data = written.collect::<Vec<_>>().join(NEXT_FILE);
        if random.random_ratio(1, 12) {
            change_bytes(&mut data, random);
        }
        data
    }
}

const NUMBERS: [&str; 19] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "-9223372036854775808",
    "0.5",
    "5e-324",
    "1.7976931348623157e308",
    "-0.0",
];

fn text(random: &mut ChaCha8Rng) -> String {
    let texts = [
        "",
        "\0",
        "../../../../etc/passwd",
        "<script>alert(1)</script>",
        "é漢🙂\u{202e}x",
        "-1",
        "NaN",
        "1e999",
        "2026-13-45T99:99:99Z",
        "{{ x }}",
        "|`*_\\",
        "\n\r\t\u{1b}[31m",
        "a/a@base",
        "a/a@head",
        "a/a",
        "3.13.0",
        "/",
        "std.std",
        ";",
        "\"'&<>",
    ];
    match random.random_range(0..12) {
        0 => "long ".repeat(1000),
        _ => (*texts.choose(random).expect("there are some")).to_owned(),
    }
}

fn change_json(value: &mut Value, other: &Seed, random: &mut ChaCha8Rng) {
    // From this document, or from the other.
    let donor = match other.0.iter().find_map(|part| if let Part::Json(value) = part { Some(value) } else { None }) {
        Some(other) if random.random() => other,
        _ => &*value,
    };
    let mut taken = random.random_range(0..nodes(donor));
    let taken = nth(donor, &mut taken).cloned().unwrap_or_default();
    let mut place = random.random_range(0..nodes(value));
    let Some(node) = nth_mut(value, &mut place) else { return };
    match node {
        _ if random.random_ratio(1, 10) => *node = taken,
        Value::Number(_) => *node = serde_json::from_str(NUMBERS.choose(random).expect("there are some")).expect("a number"),
        Value::String(_) => *node = Value::String(text(random)),
        Value::Bool(it) => *it = !*it,
        Value::Null => *node = [json!(0), json!("x"), json!(1.5), json!([]), json!({}), taken].choose(random).cloned().unwrap_or_default(),
        Value::Array(items) if items.is_empty() => items.push(taken),
        Value::Array(items) => {
            let (at, to) = (random.random_range(0..items.len()), random.random_range(0..items.len()));
            match random.random_range(0..5) {
                0 => drop(items.remove(at)),
                1 => items.insert(to, items[at].clone()),
                2 => items.swap(at, to),
                3 => items.clear(),
                _ => items.push(taken),
            }
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let Some(key) = keys.choose(random) else { return };
            match random.random_range(0..4) {
                0 => drop(map.remove(key)),
                1 => drop(map.insert(key.clone(), taken)),
                2 => drop(map.insert(key.clone(), Value::Null)),
                _ => {
                    let value = map.remove(key).unwrap_or_default();
                    map.insert(text(random), value);
                }
            }
        }
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(map) => map.values().map(nodes).sum(),
        _ => 0,
    }
}

fn nth<'v>(value: &'v Value, n: &mut usize) -> Option<&'v Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| nth(item, n)),
        Value::Object(map) => map.values().find_map(|item| nth(item, n)),
        _ => None,
    }
}

fn nth_mut<'v>(value: &'v mut Value, n: &mut usize) -> Option<&'v mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth_mut(item, n)),
        Value::Object(map) => map.values_mut().find_map(|item| nth_mut(item, n)),
        _ => None,
    }
}

fn change_text(whole: &mut String, random: &mut ChaCha8Rng) {
    let mut lines: Vec<String> = whole.split('\n').map(str::to_owned).collect();
    let (at, to) = (random.random_range(0..lines.len()), random.random_range(0..lines.len()));
    match random.random_range(0..9) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at].clone()),
        2 => lines.swap(at, to),
        3 => lines.truncate(at + 1),
        4 | 5 => lines[at] = with_number(&lines[at], random),
        6 => lines[at] = with_text(&lines[at], random),
        7 => {
            let cut = lines[at].char_indices().map(|(at, _)| at).collect::<Vec<_>>().choose(random).copied().unwrap_or(0);
            lines[at].truncate(cut);
        }
        _ => lines[at] += &text(random),
    }
    *whole = lines.join("\n");
}

/// With another number in the place of one.
fn with_number(line: &str, random: &mut ChaCha8Rng) -> String {
    let starts: Vec<usize> = line.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    let Some(&start) = starts.choose(random) else { return line.to_owned() };
    let begin = line[..start].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let end = line[start..].find(|c: char| !c.is_ascii_digit()).map_or(line.len(), |at| start + at);
    format!("{}{}{}", &line[..begin], NUMBERS.choose(random).expect("there are some"), &line[end..])
}

/// With another text between two quotation marks, or two commas.
fn with_text(line: &str, random: &mut ChaCha8Rng) -> String {
    let mark = if line.contains('"') { '"' } else { ',' };
    let marks: Vec<usize> = line.match_indices(mark).map(|(at, _)| at).collect();
    match marks.len().checked_sub(2) {
        Some(last) => {
            let first = random.random_range(0..=last);
            format!("{}{}{}", &line[..=marks[first]], text(random), &line[marks[first + 1]..])
        }
        None => text(random),
    }
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    if bytes.is_empty() {
        bytes.push(random.random());
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..6) {
        0 => bytes[at] = random.random(),
        1 => bytes[at] ^= 1 << random.random_range(0..8),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, random.random()),
        4 => {
            // A number of the machine's, at its place.
            let number = [0, 1, u64::MAX, u64::from(u32::MAX), 1 << 63, 1 << 31, 4096].choose(random).copied().unwrap_or_default();
            let at = at & !7;
            let width = [2, 4, 8].choose(random).copied().unwrap_or(8).min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
        }
        _ => {
            let length = random.random_range(1..=bytes.len() - at).min(64);
            let copied = bytes[at..at + length].to_vec();
            let to = random.random_range(0..bytes.len());
            bytes.splice(to..to, copied);
        }
    }
}

//! An argument as the driver describes it → plain memory a kernel can work on, checked as a binding would check the object.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::num::IntErrorKind;

use bindbench_protocol::{Argument, File, Raised, Shape};

use crate::answers::{Exception, raised};

/// An int that fits in 64 bits.
pub fn integer(argument: &Argument) -> Result<i64, Raised> {
    let digits = match argument {
        Argument::Integer(digits) => digits,
        Argument::Boolean(value) => return Ok((*value).into()),
        _ => return Err(wrong_type(argument, "an int")),
    };
    digits.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => raised(Exception::OverflowError, "int does not fit in 64 bits"),
        _ => raised(Exception::ValueError, format!("{digits:?} is no int")),
    })
}

/// The memory of a bytes-like object.
pub fn bytes(argument: &Argument) -> Result<Vec<u8>, Raised> {
    match argument {
        Argument::Bytes(digits) | Argument::Bytearray(digits) => memory(digits),
        Argument::Buffer(buffer) if buffer.step == 1 => memory(&buffer.hex),
        Argument::Buffer(_) => Err(raised(Exception::BufferError, "the buffer is not contiguous")),
        Argument::File(file) if file.shape == Shape::Bytes => contents(file, 1),
        _ => Err(wrong_type(argument, "a bytes-like object")),
    }
}

/// The text of a `str`.
pub fn text(argument: &Argument) -> Result<String, Raised> {
    match argument {
        Argument::Text(text) => Ok(text.clone()),
        Argument::File(file) if file.shape == Shape::Text => {
            String::from_utf8(contents(file, 1)?).map_err(|error| raised(Exception::ValueError, error.to_string()))
        }
        _ => Err(wrong_type(argument, "a str")),
    }
}

/// The items of a buffer of float64.
pub fn float64(argument: &Argument) -> Result<Vec<f64>, Raised> {
    match argument {
        Argument::Buffer(buffer) if !is_float64(&buffer.format) => {
            Err(raised(Exception::TypeError, format!("a buffer of format 'd' is needed, not {:?}", buffer.format)))
        }
        Argument::Buffer(buffer) if buffer.rows.is_some() => {
            Err(raised(Exception::TypeError, "a buffer of one dimension is needed, not of two"))
        }
        Argument::Buffer(buffer) if buffer.step != 1 => Err(raised(Exception::BufferError, "the buffer is not contiguous")),
        Argument::Buffer(buffer) => items(&memory(&buffer.hex)?, f64::from_ne_bytes),
        Argument::File(file) if file.shape == Shape::Float64 => items(&contents(file, size_of::<f64>())?, f64::from_le_bytes),
        _ => Err(wrong_type(argument, "a buffer of float64")),
    }
}

/// Whether items of this format are float64 in this machine's byte order.
fn is_float64(format: &str) -> bool {
    let own_order = if cfg!(target_endian = "little") { "<d" } else { ">d" };
    matches!(format, "d" | "@d" | "=d") || format == own_order
}

fn items(memory: &[u8], item: fn([u8; 8]) -> f64) -> Result<Vec<f64>, Raised> {
    let (items, []) = memory.as_chunks() else {
        return Err(raised(Exception::TypeError, format!("{} bytes are no whole number of float64", memory.len())));
    };
    Ok(items.iter().copied().map(item).collect())
}

fn memory(digits: &str) -> Result<Vec<u8>, Raised> {
    hex::decode(digits).map_err(|error| raised(Exception::ValueError, error.to_string()))
}

fn contents(file: &File, item_size: usize) -> Result<Vec<u8>, Raised> {
    let length = file.count.saturating_mul(item_size as u64);
    let failed = |what: String| raised(Exception::OSError, format!("{}: {what}", file.path.display()));
    let mut contents = Vec::new();
    let mut read = || {
        let mut source = fs::File::open(&file.path)?;
        source.seek(SeekFrom::Start(file.offset))?;
        source.take(length).read_to_end(&mut contents)
    };
    match read() {
        Ok(got) if got as u64 == length => Ok(contents),
        Ok(got) => Err(failed(format!("has {got} of {length} bytes at {}", file.offset))),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn wrong_type(argument: &Argument, wanted: &str) -> Raised {
    let got = match argument {
        Argument::None(()) => "None",
        Argument::Boolean(_) => "a bool",
        Argument::Integer(_) => "an int",
        Argument::Float(_) => "a float",
        Argument::Text(_) => "a str",
        Argument::Bytes(_) => "a bytes",
        Argument::Bytearray(_) => "a bytearray",
        Argument::List(_) => "a list",
        Argument::Tuple(_) => "a tuple",
        Argument::Buffer(_) => "a buffer",
        Argument::Callable(_) => "a function",
        Argument::File(_) => "a file of another shape",
    };
    raised(Exception::TypeError, format!("{wanted} is needed, not {got}"))
}

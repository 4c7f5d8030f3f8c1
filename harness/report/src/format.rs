//! Numbers as people read them: as many digits as they are worth, and one unit.

use bindbench_model::{Form, Unit, is_unseen};
use bindbench_stats::{Estimate, Scale};

/// From this logarithm on, what is so far from 1 to both sides is a factor and no percentage.
const WIDE: f64 = 0.4;

/// Rounded to three significant digits.
fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// Three significant digits, without exponent: `12.3`, `0.0451`, `123`, `12,300`.
pub fn significant(value: f64) -> String {
    let value = three_digits(value);
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() >= 1000.0 && value.abs() < 1e18 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", grouped(value.abs() as u64));
    }
    let decimals = (2 - value.abs().log10().floor() as i32).clamp(0, 12);
    format!("{value:.*}", decimals as usize)
}

/// Thousands apart: `1,048,576`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value in the largest of the `units` (ascending, each with its factor) that leaves 1 or more before the point.
fn in_unit(value: f64, units: &[(f64, &str)]) -> String {
    let value = three_digits(value);
    let (factor, unit) = units.iter().rev().find(|(factor, _)| value.abs() >= *factor).unwrap_or(&units[0]);
    format!("{} {unit}", significant(value / factor))
}

/// `12.3 ns`, `1.05 ms`.
pub fn time(nanoseconds: f64) -> String {
    in_unit(nanoseconds, &[(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")])
}

/// `1.41 GB/s`; for items `12.0 M`, under a title that says of what.
pub fn throughput(per_second: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => in_unit(per_second, &[(1.0, "B/s"), (1e3, "kB/s"), (1e6, "MB/s"), (1e9, "GB/s")]),
        Unit::Items => in_unit(per_second, &[(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G")]).trim_end().to_owned(),
    }
}

/// On one line: what a lane raised, or a compiler said, may have lines of its own, which would break a table or a list.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || is_unseen(c)).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Without what a terminal would not show, but act upon. Lines stay lines.
pub fn seen(text: &str) -> String {
    text.chars().filter(|&c| matches!(c, '\n' | '\t') || !is_unseen(c)).collect()
}

/// A fraction as a percentage of two significant digits: `0.21 %`, `3.4 %`, `12 %`.
pub fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    match percent {
        p if p < 0.01 => "<0.01 %".to_owned(),
        p if p < 0.995 => format!("{p:.2} %"),
        p if p < 9.95 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

/// A band around 1, from its upper end as a fraction: `±3.9 %`; as a factor when per cent would go below 0 on the other side.
pub fn band(fraction: f64) -> String {
    if fraction.ln_1p() < WIDE { format!("±{}", percent(fraction)) } else { format!("×÷ {}", significant(1.0 + fraction)) }
}

/// Half the 95 % interval: `±0.21 %`; as a factor when per cent would go below 0; as a time on the linear scale. Empty without one.
pub fn spread(time_ns: &Estimate) -> String {
    match (time_ns.half_width(), time_ns.scale()) {
        (None, _) => String::new(),
        (Some(half), Scale::Linear) => format!("±{}", time(half)),
        (Some(half), Scale::Log) if half < WIDE => format!("±{}", percent(half.exp_m1())),
        (Some(half), Scale::Log) => format!("×÷ {}", significant(half.exp())),
    }
}

/// A ratio: two decimals from 0.1 to 10, else three significant digits.
pub fn ratio(value: f64) -> String {
    if (0.0995..9.995).contains(&value) { format!("{value:.2}") } else { significant(value) }
}

/// `[1.50, 1.56]`; empty without an interval.
pub fn ratio_interval(estimate: &Estimate) -> String {
    estimate.interval().map(|(low, high)| format!("[{}, {}]", ratio(low), ratio(high))).unwrap_or_default()
}

/// A ratio near 1, where the third decimal counts: three decimals from 0.5 to 2, else as [`ratio`].
pub fn fine_ratio(value: f64) -> String {
    if (0.4995..1.9995).contains(&value) { format!("{value:.3}") } else { ratio(value) }
}

/// `[1.012, 1.034]`; empty without an interval.
pub fn fine_interval(estimate: &Estimate) -> String {
    estimate.interval().map(|(low, high)| format!("[{}, {}]", fine_ratio(low), fine_ratio(high))).unwrap_or_default()
}

/// A size: bytes in binary units where they divide, items with their thousands apart.
pub fn size(size: u64, unit: Unit) -> String {
    let binary = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match (unit, binary.iter().find(|(factor, _)| size >= *factor && size.is_multiple_of(*factor))) {
        (Unit::Bytes, Some((factor, name))) => format!("{} {name}", grouped(size / factor)),
        (Unit::Bytes, None) => format!("{} B", grouped(size)),
        (Unit::Items, _) => grouped(size),
    }
}

/// How an input is passed, after its name: `as bytes`, `as a boxed list`.
pub fn form(form: Form) -> &'static str {
    match form {
        Form::Boxed => "as a boxed list",
        Form::Bytes => "as bytes",
        Form::Buffer => "as a buffer",
        Form::Text => "as a str",
        Form::Mapped => "as a mapped file",
    }
}

/// `1 twin`, `2 twins`.
pub fn count(n: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(n as u64), if n == 1 { "" } else { "s" })
}

/// The first twelve digits of a SHA-256.
pub fn digest(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_one_unit() {
        let shown = [0.0, 0.04512, 7.0, 12.34, 999.4, 999.6, 1_234.0, 45_678_901.0, 2.5e12, -0.2];
        let texts = ["0 ns", "0.0451 ns", "7.00 ns", "12.3 ns", "999 ns", "1.00 µs", "1.23 µs", "45.7 ms", "2,500 s", "-0.200 ns"];
        assert_eq!(shown.map(time), texts);
        assert_eq!(throughput(1.41e9, Unit::Bytes), "1.41 GB/s");
        assert_eq!(throughput(999_900.0, Unit::Items), "1.00 M");
        assert_eq!(throughput(12.0, Unit::Items), "12.0");
    }

    #[test]
    fn ratios_have_the_digits_they_are_worth() {
        let shown = [0.00123, 0.0451, 0.0996, 0.5, 1.0, 9.99, 9.996, 34.56, 1234.5];
        assert_eq!(shown.map(ratio), ["0.00123", "0.0451", "0.10", "0.50", "1.00", "9.99", "10.0", "34.6", "1,230"]);
        assert_eq!([0.00001, 0.0021, 0.034, 0.0997, 0.4].map(percent), ["<0.01 %", "0.21 %", "3.4 %", "10 %", "40 %"]);
    }

    #[test]
    fn a_text_on_one_line_moves_nothing() {
        assert_eq!(one_line("a\r\n\tb\x1b[2J\u{202e}c\u{2066}\u{200f} d"), "a b [2J c d");
        assert_eq!(seen("a\r\n\tb\x1b[2J\u{202e}c"), "a\n\tb[2Jc");
    }

    #[test]
    fn sizes_are_binary_where_they_divide() {
        let shown = [size(4096, Unit::Bytes), size(1 << 26, Unit::Bytes), size(5000, Unit::Bytes), size(100_000, Unit::Items)];
        assert_eq!(shown, ["4 KiB", "64 MiB", "5,000 B", "100,000"]);
    }

    #[test]
    fn wide_intervals_are_factors_and_linear_ones_are_times() {
        let log = |x: f64| spread(&Estimate::of_logarithms(&[-x, 0.0, x]).unwrap());
        assert_eq!([log(0.01), log(0.5)], ["±2.5 %", "×÷ 3.46"]);
        assert_eq!(spread(&Estimate::of_values(&[-1.0, 0.0, 1.0]).unwrap()), "±2.48 ns");
        assert_eq!(spread(&Estimate::of_values(&[1.0]).unwrap()), "");
    }
}

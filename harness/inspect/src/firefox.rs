//! The samples of a picture one by one, for the Firefox Profiler (<https://profiler.firefox.com>): when each was taken, in which thread,
//! and its stack, in the processed profile format
//! (<https://github.com/firefox-devtools/profiler/blob/main/docs-developer/processed-profile-format.md>), compressed. A flamegraph
//! adds samples up; there they can be looked at along the time, thread by thread.

use std::collections::BTreeMap;
use std::io;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;
use fxprof_processed_profile::{
    CategoryColor, CategoryHandle, CpuDelta, Frame, FrameFlags, FrameInfo, Profile, ReferenceTimestamp, SamplingInterval, ThreadHandle,
    Timestamp,
};

use super::class::Class;
use super::fold::{Folded, FoldedSample};

/// What the profile says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Lane, case, interpreter, way.
    pub title: &'a str,
    /// Samples a second, of each running thread.
    pub hertz: u64,
    /// The worker's process; all others were started by it.
    pub worker: u32,
    /// When it was taken.
    pub taken: SystemTime,
}

/// Writes the samples as JSON, compressed by gzip: the Firefox Profiler reads both.
///
/// # Errors
/// Never in practice: it writes to memory, and every key is a string.
pub fn export(folded: &Folded, about: About) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut packed, &profile(folded, about))?;
    packed.finish()
}

fn profile(folded: &Folded, about: About) -> Profile {
    let interval = SamplingInterval::from_nanos(1_000_000_000 / about.hertz.max(1));
    let mut profile = Profile::new(about.title, ReferenceTimestamp::from_system_time(about.taken), interval);
    // Names are those of the picture: there is nothing to look up.
    profile.set_symbolicated(true);
    let categories: BTreeMap<Class, CategoryHandle> =
        Class::ALL.iter().map(|&class| (class, profile.add_category(class.label(), colour(class)))).collect();
    let first_ns = folded.samples.iter().map(|sample| sample.moment.time_ns).min().unwrap_or_default();
    let start = Timestamp::from_nanos_since_reference(0);
    let mut processes = BTreeMap::new();
    for ((pid, tid), samples) in by_thread(folded) {
        let process = *processes.entry(pid).or_insert_with(|| {
            let name = if pid == about.worker { "worker" } else { "a process it started" };
            profile.add_process(name, pid, start)
        });
        let thread = profile.add_thread(process, tid, start, pid == tid);
        if pid == about.worker && pid == tid {
            profile.add_initial_selected_thread(thread);
        }
        let mut last_ns: Option<u64> = None;
        for sample in samples {
            let time_ns = sample.moment.time_ns - first_ns;
            // What a sample stands for; between two loops none are taken.
            let ran_ns = last_ns.map_or(0, |last_ns| (time_ns - last_ns).min(interval.nanos()));
            last_ns = Some(time_ns);
            let stack = sample.stack.iter().map(|&number| folded.frames.get(number));
            let frames: Vec<FrameInfo> = stack
                .map(|frame| FrameInfo {
                    frame: Frame::Label(profile.intern_string(&frame.name)),
                    category_pair: categories[&frame.class].into(),
                    flags: FrameFlags::empty(),
                })
                .collect();
            add(&mut profile, thread, time_ns, frames, ran_ns);
        }
    }
    profile
}

fn add(profile: &mut Profile, thread: ThreadHandle, time_ns: u64, frames: Vec<FrameInfo>, ran_ns: u64) {
    let stack = profile.intern_stack_frames(thread, frames.into_iter());
    profile.add_sample(thread, Timestamp::from_nanos_since_reference(time_ns), stack, CpuDelta::from_nanos(ran_ns), 1);
}

/// The samples of each thread, in the order of time. The ways of sampling may hand over those of several CPUs one after the other.
fn by_thread(folded: &Folded) -> BTreeMap<(u32, u32), Vec<&FoldedSample>> {
    let mut threads: BTreeMap<(u32, u32), Vec<&FoldedSample>> = BTreeMap::new();
    for sample in &folded.samples {
        threads.entry((sample.moment.pid, sample.moment.tid)).or_default().push(sample);
    }
    for samples in threads.values_mut() {
        samples.sort_by_key(|sample| sample.moment.time_ns);
    }
    threads
}

/// The profiler has colours of its own; these are the nearest to those of the pictures.
fn colour(class: Class) -> CategoryColor {
    match class {
        Class::Python => CategoryColor::LightBlue,
        Class::Interpreter => CategoryColor::Gray,
        Class::Glue => CategoryColor::Orange,
        Class::Kernel => CategoryColor::Green,
        Class::Library => CategoryColor::Yellow,
        Class::System => CategoryColor::Magenta,
        Class::Unknown => CategoryColor::DarkGray,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::fold::NamedStack;
    use crate::names;
    use crate::names::Frames;
    use crate::unwind::Moment;

    /// Milliseconds, process, thread, stack.
    type Taken<'a> = (u64, u32, u32, &'a [(&'a str, Class)]);

    /// The worker is process 1.
    fn exported(samples: &[Taken]) -> Value {
        let mut frames = Frames::default();
        let named = samples.iter().map(|&(ms, pid, tid, stack)| {
            let mut number =
                |&(name, class): &(&str, Class)| frames.number(names::Frame { name: name.to_owned(), class, source: None, named: true });
            let frames = stack.iter().map(&mut number).collect();
            NamedStack { moment: Moment { time_ns: ms * 1_000_000, pid, tid }, frames, rooted: true }
        });
        let named: Vec<NamedStack> = named.collect();
        let folded = Folded::of_named(&named, 1, frames);
        let about = About { title: "a/b", hertz: 1000, worker: 1, taken: SystemTime::UNIX_EPOCH + Duration::from_secs(1) };
        let packed = export(&folded, about).unwrap();
        serde_json::from_reader(flate2::read::GzDecoder::new(packed.as_slice())).unwrap()
    }

    fn strings(thread: &Value) -> Vec<&str> {
        thread["stringArray"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
    }

    #[test]
    fn samples_keep_their_times_and_threads() {
        let stack: &[(&str, Class)] = &[("f", Class::Python), ("find", Class::Kernel)];
        let profile = exported(&[(1003, 1, 1, stack), (1001, 1, 1, stack), (1002, 1, 7, stack), (1500, 2, 2, &stack[..1])]);
        assert_eq!(profile["meta"]["startTime"], 1000.0);
        assert_eq!(profile["meta"]["interval"], 1.0);
        let threads = profile["threads"].as_array().unwrap();
        let of: Vec<_> =
            threads.iter().map(|thread| (thread["processName"].as_str().unwrap(), thread["samples"]["length"].as_u64())).collect();
        assert_eq!(of, [("worker", Some(2)), ("worker", Some(1)), ("a process it started", Some(1))]);
        // Times are the distances of one sample from the one before.
        assert_eq!(threads[0]["samples"]["timeDeltas"], serde_json::json!([0.0, 2.0]));
        assert_eq!(threads[2]["samples"]["timeDeltas"], serde_json::json!([499.0]));
        // Of the two milliseconds between the two samples, the second one stands for one.
        assert_eq!(threads[0]["samples"]["threadCPUDelta"], serde_json::json!([0, 1000]));
    }

    #[test]
    fn frames_have_their_names_and_the_categories_of_their_classes() {
        let profile = exported(&[(0, 1, 1, &[("f", Class::Python), ("glue", Class::Glue), ("find", Class::Kernel)])]);
        let categories = profile["meta"]["categories"].as_array().unwrap();
        let thread = &profile["threads"][0];
        let category_of = |name: &str| -> (&str, &str) {
            let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
            let string = strings(thread).iter().position(|text| *text == name).unwrap();
            let functions = thread["funcTable"]["name"].as_array().unwrap();
            let function = functions.iter().position(|name| number(name) == string).unwrap();
            let frames = thread["frameTable"]["func"].as_array().unwrap();
            let frame = frames.iter().position(|of| number(of) == function).unwrap();
            let category = &categories[number(&thread["frameTable"]["category"][frame])];
            (category["name"].as_str().unwrap(), category["color"].as_str().unwrap())
        };
        assert_eq!(category_of("worker").0, "interpreter");
        assert_eq!(category_of("f"), ("Python", "lightblue"));
        assert_eq!(category_of("glue"), ("glue (the binding)", "orange"));
        assert_eq!(category_of("find"), ("native kernel", "green"));
    }
}

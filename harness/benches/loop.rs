//! Does the loop tell the truth? `cargo bench --bench loop` times `call.noop` of `python/pure` with bindbench's worker and with
//! `timeit`, side by side: fresh processes in every generation, all of them sampled one after the other in every round, in random
//! order. The worker has a twin, which shows what cannot be told apart here. Then it looks at what the driver itself costs.
//!
//! It sets up `python/pure` by itself. `-- --python 3.11` chooses the interpreter. Exit status 0: all bars are kept; 1: not all.

use std::fs;
use std::io::{BufRead, BufReader, Write, stdin};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bindbench::cmd::setup::set_up;
use bindbench_catalog::{Preset, Selection};
use bindbench_measure::environment::allowed_cpus;
use bindbench_protocol::{Prepare, Reply, Request, Sample};
use bindbench_setup::build::State;
use bindbench_setup::launch::launch;
use bindbench_stats::{Estimate, Resolution, Twin, Verdict, median, verdict, widening};
use bindbench_worker::{Guard, Launch, Limits, Worker, watch};
use clap::Parser;
use miette::{Context, IntoDiagnostic, Result, bail, miette};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

const LANE: &str = "python/pure";
const GENERATIONS: u32 = 20;
const ROUNDS: usize = 20;
const LONG_ENOUGH: Duration = Duration::from_millis(5);

/// What a sample's round trip may cost beyond the sample.
const ROUND_TRIP_BAR: Duration = Duration::from_micros(300);
/// What the driver may use of a core while cells run.
const DRIVER_BAR: f64 = 0.03;

/// `timeit` in a process of its own, which takes the number of loops and answers with nanoseconds. `f` is a local variable of the
/// statement's function, as the callable is in bindbench's loop; and `r` keeps the answer.
const TIMEIT: &str = r#"
import os, sys, timeit
if sys.argv[1:]:
    os.sched_setaffinity(0, map(int, sys.argv[1:]))
timer = timeit.Timer("r = f()", "from bindbench_python.pure.call import noop as f")
for loops in sys.stdin:
    print(round(timer.timeit(int(loops)) * 1e9), flush=True)
"#;

/// Times call.noop with bindbench and with timeit, side by side.
#[derive(Parser)]
struct Args {
    /// The interpreter, as for `bindbench run`
    #[arg(short, long, value_name = "VERSION")]
    python: Option<String>,
    /// Passed by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    if std::env::args().nth(1).as_deref() == Some("guard") {
        // The guard is this very program, started again.
        watch(stdin().lock());
        return Ok(ExitCode::SUCCESS);
    }
    let pythons = Vec::from_iter(Args::parse().python);
    let selection =
        Selection { workloads: vec!["call".to_owned()], lanes: vec![LANE.to_owned()], pythons: pythons.clone(), ..Selection::default() };
    let workshop = set_up(&selection, Preset::Smoke, &[])?;
    let lanes = selection.lanes(&workshop.catalog)?;
    let interpreter = workshop.interpreters(&pythons, &lanes)?.swap_remove(0);
    let State::Ready(receipt) = workshop.state(lanes[0], Some(&interpreter)) else { bail!("{LANE} is not ready") };
    let mut launch = launch(&workshop, lanes[0], Some(&interpreter), &receipt)?;
    // The last CPU, as in a run; elsewhere nothing is pinned.
    launch.load.cpus = cfg!(target_os = "linux").then(|| allowed_cpus().split_off(allowed_cpus().len() - 1));

    println!("call.noop of {LANE} on {} {}", interpreter.implementation, interpreter.name);
    let agrees = agreement(&launch)?;
    let is_light = driver_share(&pythons)?;
    Ok(if agrees && is_light { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The log-times of one generation's rounds: of the worker, its twin, and timeit.
type Generation = [Vec<f64>; 3];

/// Whether timeit's time agrees with the worker's, and the round trip is short. Prints both.
fn agreement(launch: &Launch) -> Result<bool> {
    let folder = tempfile::tempdir().into_diagnostic()?;
    let log = folder.path().join("log");
    let (guard, interrupt) = (Guard::start().into_diagnostic()?, AtomicBool::new(false));
    let limits = Limits { time: Duration::from_secs(60), memory: u64::MAX };
    let worker = |hash_seed| start_worker(launch, hash_seed, &log, limits, &guard, &interrupt);
    let loops = calibrate(&mut worker(1)?)?;

    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut round_trips = Vec::new();
    let mut generations: Vec<Generation> = Vec::new();
    for generation in 0..GENERATIONS {
        let (mut a, mut b, mut timeit) = (worker(generation + 1)?, worker(generation + 1)?, Timeit::start(launch, generation + 1)?);
        let mut times = Generation::default();
        for round in 0..=ROUNDS {
            let mut order = [0, 1, 2];
            order.shuffle(&mut random);
            for who in order {
                let elapsed_ns = match who {
                    0 | 1 => {
                        let (elapsed_ns, round_trip) = sample(if who == 0 { &mut a } else { &mut b }, loops)?;
                        round_trips.push(round_trip.as_secs_f64());
                        elapsed_ns
                    }
                    _ => timeit.sample(loops)?,
                };
                // The first round only warms up.
                if round > 0 {
                    times[who].push((elapsed_ns as f64 / loops as f64).ln());
                }
            }
        }
        generations.push(times);
    }
    let agrees = print_agreement(&generations, loops);
    let round_trip = median(&mut round_trips).unwrap_or(f64::INFINITY);
    let bar = ROUND_TRIP_BAR.as_secs_f64();
    println!("a sample's round trip beyond the sample: {:.3} ms, median (bar: {:.1} ms)", round_trip * 1e3, bar * 1e3);
    Ok(agrees && round_trip < bar)
}

/// The project's own statistics, as a report has them.
fn print_agreement(generations: &[Generation], loops: u64) -> bool {
    let estimate = |of: &dyn Fn(&Generation) -> Vec<f64>| {
        let medians: Vec<f64> = generations.iter().filter_map(|generation| median(&mut of(generation))).collect();
        Estimate::of_logarithms(&medians).expect("every generation has rounds, and times are positive")
    };
    let ratio = |who: usize| estimate(&|times| times[who].iter().zip(&times[0]).map(|(x, base)| x - base).collect());
    let twin = Twin { case: 0, ratio: ratio(1) };
    let factor = widening(std::slice::from_ref(&twin));
    let resolution = Resolution::of_twin(&twin.ratio.widened(factor));

    println!("{GENERATIONS} generations × {ROUNDS} rounds, {loops} calls in a sample, loop included\n");
    println!("{:16} {:>9}  {:>7}  95 %", "", "ns a call", "ratio");
    for (who, name) in ["bindbench", "bindbench, twin", "timeit"].into_iter().enumerate() {
        let time = estimate(&|times| times[who].clone()).point();
        let ratio = ratio(who).widened(factor);
        let (low, high) = ratio.interval().unwrap_or((0.0, f64::INFINITY));
        match who {
            0 => println!("{name:16} {time:9.2}  {:>7}  baseline", "1"),
            _ => println!("{name:16} {time:9.2}  {:7.4}  [{low:.4}, {high:.4}]", ratio.point()),
        }
    }
    let agrees = verdict(&ratio(2).widened(factor), resolution.as_ref()) == Verdict::Same;
    let fraction = resolution.map_or(f64::INFINITY, |resolution| resolution.fraction);
    let said = if agrees { "agree" } else { "do NOT agree" };
    println!("\nbindbench and timeit {said} within this run's resolution of {:.2} %", fraction * 100.0);
    agrees
}

fn start_worker<'g>(
    launch: &Launch,
    hash_seed: u32,
    log: &Path,
    limits: Limits,
    guard: &'g Guard,
    interrupt: &'g AtomicBool,
) -> Result<Worker<'g>> {
    let mut worker = Worker::start(launch, hash_seed, log, limits, guard, interrupt).into_diagnostic()?;
    ask(&mut worker, &Request::Load(launch.load.clone()))?;
    let (workload, operation) = ("call".to_owned(), "noop".to_owned());
    let pool = vec![Vec::new()];
    ask(&mut worker, &Request::Prepare(Prepare { cell: 0, workload, operation, pool, threads: 1, raises: false }))?;
    Ok(worker)
}

fn ask(worker: &mut Worker, request: &Request) -> Result<Reply> {
    match worker.ask(request) {
        Ok(Reply::Failed(raised)) => Err(miette!("the worker failed: {}: {}", raised.kind, raised.message)),
        Ok(reply) => Ok(reply),
        Err(lost) => Err(miette!("the worker is gone: {lost:?}")),
    }
}

/// Time of the loop, and of everything around it: the request, the reply, the empty loop aside.
fn sample(worker: &mut Worker, loops: u64) -> Result<(u64, Duration)> {
    let request = Request::Sample(Sample { cell: 0, loops, first: 0, empty: true, cpus: None });
    let asked = Instant::now();
    let Reply::Sampled(sampled) = ask(worker, &request)? else { bail!("the worker's reply does not fit") };
    let inside = Duration::from_nanos(sampled.elapsed_ns + sampled.empty_ns.unwrap_or(0));
    Ok((sampled.elapsed_ns, asked.elapsed().saturating_sub(inside)))
}

fn calibrate(worker: &mut Worker) -> Result<u64> {
    let mut loops = 1;
    while u128::from(sample(worker, loops)?.0) < LONG_ENOUGH.as_nanos() {
        loops *= 2;
    }
    Ok(loops)
}

/// The process with timeit.
struct Timeit {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Timeit {
    fn start(launch: &Launch, hash_seed: u32) -> Result<Self> {
        let mut child = Command::new(&launch.command[0])
            .args(["-c", TIMEIT])
            .args(launch.load.cpus.iter().flatten().map(ToString::to_string))
            .env("PYTHONPATH", std::env::join_paths(&launch.load.paths).into_diagnostic()?)
            .env("PYTHONHASHSEED", hash_seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .into_diagnostic()
            .wrap_err("can't start timeit")?;
        let (requests, replies) = child.stdin.take().zip(child.stdout.take()).ok_or_else(|| miette!("timeit has no pipes"))?;
        Ok(Self { child, requests, replies: BufReader::new(replies) })
    }

    fn sample(&mut self, loops: u64) -> Result<u64> {
        writeln!(self.requests, "{loops}").into_diagnostic()?;
        let mut line = String::new();
        self.replies.read_line(&mut line).into_diagnostic()?;
        line.trim().parse().into_diagnostic().wrap_err("timeit did not answer with a number")
    }
}

impl Drop for Timeit {
    fn drop(&mut self) {
        // One that is gone already is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether the driver of a run of its own uses little of a core, from the first round on disk to the last. Prints it.
fn driver_share(pythons: &[String]) -> Result<bool> {
    if !cfg!(target_os = "linux") {
        println!("the driver's share of a core: not measured on this system");
        return Ok(true);
    }
    let folder = tempfile::tempdir().into_diagnostic()?;
    let mut driver = Command::new(env!("CARGO_BIN_EXE_bindbench"))
        .args(["run", "-s", "python/pure", "-w", "call", "--preset", "smoke", "--generations", "4", "--rounds", "25", "--twins"])
        .args(pythons.iter().flat_map(|python| ["-p", python]))
        .arg("--runs")
        .arg(folder.path())
        .arg("--out")
        .arg(folder.path().join("reports"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .into_diagnostic()?;
    // (when, CPU time of the driver until then, size of samples.csv) at every change of the last.
    let mut seen: Vec<(Instant, Duration, u64)> = Vec::new();
    let status = loop {
        let on_disk = samples_csv(folder.path()).and_then(|path| fs::metadata(path).ok()).map_or(0, |file| file.len());
        if seen.last().map_or(0, |last| last.2) < on_disk
            && let Some(cpu_time) = cpu_time(driver.id())
        {
            seen.push((Instant::now(), cpu_time, on_disk));
        }
        if let Some(status) = driver.try_wait().into_diagnostic()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    // The first one is the header's.
    let [_, first, .., last] = &seen[..] else { bail!("the run brought no rounds: it ended with {status}") };
    let share = (last.1 - first.1).as_secs_f64() / (last.0 - first.0).as_secs_f64();
    let seconds = (last.0 - first.0).as_secs_f64();
    println!("the driver while cells run: {:.1} % of a core over {seconds:.0} s (bar: {:.0} %)", share * 100.0, DRIVER_BAR * 100.0);
    Ok(share < DRIVER_BAR)
}

fn samples_csv(runs: &Path) -> Option<PathBuf> {
    fs::read_dir(runs).ok()?.filter_map(Result::ok).map(|entry| entry.path().join("samples.csv")).find(|path| path.is_file())
}

/// User and system time of the process itself, not of its children: fields 14 and 15 of `/proc/PID/stat`, in ticks of 10 ms.
fn cpu_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name, field 2, is in parentheses and may have spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

//! The page: a report as one HTML file that needs nothing else, no network either.
//!
//! Whatever comes from a run's folder is text. It goes into the template as text and is escaped there; what goes in as markup are the
//! pictures alone, which [`super::plots`] makes and escapes itself.

mod facts;
mod flames;
mod lives;
mod section;
mod tables;
#[cfg(test)]
mod whole;

use bindbench_analysis::Analysis;
use bindbench_model::profile::Profile;
use bindbench_model::shell;
use bindbench_store::Recorded;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use serde::Serialize;

use super::Report;
use super::plots::{self, Plot};

pub use flames::Flamegraph;
pub use section::{Section, SectionTable};

/// Plots of one page may take so many bytes; what is beyond that is left to single files, and the page says so.
const MOST_PLOT_BYTES: usize = 3 << 20;
/// Likewise for flamegraphs, compressed.
const MOST_FLAME_BYTES: usize = 1 << 20;

/// What a page shows besides the run: parts that other commands make. All of it may be absent.
#[derive(Debug, Default)]
pub struct Extras {
    /// Where the time goes.
    pub profile: Option<Profile>,
    /// The flamegraphs there are.
    pub flamegraphs: Vec<Flamegraph>,
    /// Talks, claims.
    pub sections: Vec<Section>,
}

/// All plots of a report: for each table its own, then those of the profile, each with its workload.
#[derive(Debug)]
pub struct Plots {
    /// In the order of the report's tables.
    pub tables: Vec<Vec<Plot>>,
    /// Workload and plot.
    pub profile: Vec<(String, Plot)>,
}

impl Plots {
    /// Draws them.
    pub fn of(report: &Report, analysis: &Analysis, extras: &Extras) -> Self {
        Self {
            tables: report.tables.iter().map(|table| plots::of_table(table, analysis)).collect(),
            profile: extras.profile.as_ref().map(plots::of_profile).unwrap_or_default(),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Plot> {
        self.tables.iter().flatten().chain(self.profile.iter().map(|(_, plot)| plot))
    }
}

/// A plot as the template shows it.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    kind: String,
    heading: String,
    says: String,
    caption: String,
    /// Markup; none where the page would become too large.
    svg: Option<Value>,
    command: String,
}

/// A workload with all that is known about it.
#[derive(Debug, Serialize)]
struct Workload {
    name: String,
    summary: String,
    tables: Vec<tables::View>,
    split: Vec<Figure>,
    flames: Vec<flames::View>,
}

/// The page.
///
/// # Errors
/// Never, unless the template is broken, which a test would show.
pub fn render(
    recorded: &Recorded,
    report: &Report,
    analysis: &Analysis,
    plots: &Plots,
    extras: &Extras,
) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("page.html", include_str!("page.html"))?;
    environment.get_template("page.html")?.render(context! {
        style => Value::from_safe_string(include_str!("style.css").to_owned()),
        script => Value::from_safe_string(include_str!("script.js").to_owned()),
        run => &report.run,
        command => shell(&recorded.run.command),
        again => format!("cargo bindbench report {}", report.run),
        about => &report.about,
        vouches => report.vouches.vouches,
        sentence => report.vouches.sentence(),
        resolution => report.vouches.resolution(),
        warnings => serde(&report.warnings),
        notes => &report.notes,
        facts => serde(facts::facts(recorded, report, analysis)),
        axes => serde(tables::axes(recorded)),
        profiled => extras.profile.as_ref().map(profiled),
        workloads => serde(workloads(recorded, report, plots, extras)),
        sections => serde(&extras.sections),
        ledger => serde(lives::ledger(report)),
        lives => serde(lives::lives(report)),
        skipped => serde(&report.skipped),
    })
}

fn serde(value: impl Serialize) -> Value {
    Serde(value).into()
}

/// A profile is made by a command of its own, at another time: where it comes from.
fn profiled(profile: &Profile) -> String {
    format!("Sampled by `{}`, last at {}; not in the timed passes.", shell(&profile.command), profile.started)
}

fn workloads(recorded: &Recorded, report: &Report, plots: &Plots, extras: &Extras) -> Vec<Workload> {
    let mut plot_bytes = 0;
    let mut figure = |plot: &Plot| {
        plot_bytes += plot.svg.len();
        figure(plot, &report.run, plot_bytes <= MOST_PLOT_BYTES)
    };
    let mut flame_bytes = 0;
    let mut workloads: Vec<Workload> = Vec::new();
    for (at, table) in report.tables.iter().enumerate() {
        if workloads.iter().all(|workload| workload.name != table.workload) {
            let record = recorded.run.workloads.iter().find(|workload| workload.name == table.workload);
            workloads.push(Workload {
                name: table.workload.clone(),
                summary: record.map(|record| record.summary.clone()).unwrap_or_default(),
                tables: Vec::new(),
                split: plots.profile.iter().filter(|(name, _)| *name == table.workload).map(|(_, plot)| figure(plot)).collect(),
                flames: flames::views(&extras.flamegraphs, &table.workload, &mut flame_bytes, MOST_FLAME_BYTES),
            });
        }
        let figures = plots.tables[at].iter().map(&mut figure).collect();
        if let Some(workload) = workloads.iter_mut().find(|workload| workload.name == table.workload) {
            workload.tables.push(tables::view(recorded, table, at, figures));
        }
    }
    workloads
}

fn figure(plot: &Plot, run: &str, fits: bool) -> Figure {
    Figure {
        name: plot.name.clone(),
        kind: plot.heading.split(':').next().unwrap_or_default().to_lowercase(),
        heading: plot.heading.clone(),
        says: plot.says.clone(),
        caption: plot.caption.clone(),
        svg: fits.then(|| Value::from_safe_string(inline(&plot.svg, &plot.heading))),
        command: format!("cargo bindbench report {run} --plot {}", plot.name),
    }
}

/// A picture as part of a page: of any size, and named for screen readers.
fn inline(svg: &str, heading: &str) -> String {
    let Some((_, rest)) = svg.split_once("viewBox=\"") else { return String::new() };
    let heading = heading.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!("<svg class=\"plot\" role=\"img\" aria-label=\"{heading}\" viewBox=\"{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_in_a_page_has_no_size_of_its_own() {
        let svg = "<svg font-family=\"x\" width=\"9\" height=\"9\" viewBox=\"0 0 9 9\" xmlns=\"u\"><text>a</text></svg>";
        let inside = inline(svg, "a \"<b>\"");
        assert_eq!(
            inside,
            "<svg class=\"plot\" role=\"img\" aria-label=\"a &quot;&lt;b>&quot;\" viewBox=\"0 0 9 9\" xmlns=\"u\"><text>a</text></svg>"
        );
    }
}

//! The workers of one generation: started when they are needed, replaced when they die, each holding the inputs of its cells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use bindbench_model::{Cell, FirstCall, Status, WorkerRecord};
use bindbench_protocol::{Reply, Request};
use bindbench_setup::frozen::Frozen;
use bindbench_setup::imports::Imports;
use bindbench_worker::{Connection, Ending, Launch, Limits, PATIENCE, Transport};

use super::contender::Contender;
use super::trouble::Trouble;
use super::worker_session::WorkerSession;

/// Which worker: lane, interpreter, and whether it is the twin's.
pub type Post = (String, Option<String>, bool);

/// The worker a cell is measured in.
pub fn post_of(cell: &Cell) -> Post {
    (cell.lane.clone(), cell.interpreter.clone(), cell.twin)
}

/// What a worker said of itself when it had loaded its lane.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// Which worker.
    pub post: Post,
    /// What it said.
    pub loaded: bindbench_protocol::Loaded,
}

/// What all generations share.
pub struct Gear {
    /// How to start the worker of a lane for an interpreter.
    pub launches: BTreeMap<(String, Option<String>), Launch>,
    /// What it imports for it.
    pub imports: BTreeMap<(String, Option<String>), Imports>,
    /// From where it imports its sources.
    pub frozen: Frozen,
    /// What belongs to each of the run's cells.
    pub contenders: Vec<Contender>,
    /// Limits on each request.
    pub limits: Limits,
    /// Folder for what workers print.
    pub logs: PathBuf,
}

impl Gear {
    /// Whether a lane still is what it was when the run began: before every start of one of its workers.
    ///
    /// # Errors
    /// The status its cells get if not.
    pub fn verify(&self, lane: &str, interpreter: Option<&String>) -> Result<(), Status> {
        let imports = self.imports.get(&(lane.to_owned(), interpreter.cloned()));
        imports.map_or(Ok(()), Imports::verify).map_err(|detail| match self.frozen.as_original(&detail) {
            original if original != detail => Status::Changed { detail: format!("this run's copy of {original}") },
            _ => Status::Changed { detail },
        })
    }
}

/// The workers of one generation.
pub struct Crew<'a, T: Transport> {
    /// What all generations share.
    pub gear: &'a Gear,
    /// What new workers said of themselves.
    pub introductions: Vec<Introduction>,
    generation: u32,
    hash_seed: u32,
    transport: T,
    members: BTreeMap<Post, Member<'a, T::Worker>>,
    /// Why a worker could not be started or could not load its lane: another one could not either.
    unloadable: BTreeMap<Post, Status>,
}

/// A worker and the cells whose inputs it holds.
struct Member<'a, W> {
    session: WorkerSession<'a, W>,
    prepared: BTreeSet<u32>,
    /// The CPUs it was last told to stay on.
    cpus: Option<Vec<usize>>,
    import_ns: u64,
    /// By workload.
    first_calls: BTreeMap<String, FirstCall>,
}

impl<'a, T: Transport> Crew<'a, T> {
    /// Nobody yet: workers are started when they are needed, all with the same `PYTHONHASHSEED`.
    pub fn new(gear: &'a Gear, generation: u32, hash_seed: u32, transport: T) -> Self {
        Self { gear, introductions: Vec::new(), generation, hash_seed, transport, members: BTreeMap::new(), unloadable: BTreeMap::new() }
    }

    /// Asks the worker of a cell, which is started and given the cell's inputs if need be.
    ///
    /// # Errors
    /// The status the cell gets when there is no reply to use.
    pub fn ask(&mut self, cell: &Cell, request: &Request) -> Result<Reply, Trouble> {
        self.ready(cell)?;
        let reply = self.tell(&post_of(cell), request)?;
        if let Reply::Verified { first_ns: Some(elapsed_ns), .. } = reply
            && let Some(member) = self.members.get_mut(&post_of(cell))
        {
            let workload = &self.gear.contenders[cell.id as usize].prepare.workload;
            member.first_calls.entry(workload.clone()).or_insert(FirstCall { cell: cell.id, elapsed_ns });
        }
        Ok(reply)
    }

    /// Whether the cell's worker has yet to make its first call in the cell's workload.
    pub fn is_new_to(&self, cell: &Cell) -> bool {
        let workload = &self.gear.contenders[cell.id as usize].prepare.workload;
        self.members.get(&post_of(cell)).is_none_or(|member| !member.first_calls.contains_key(workload))
    }

    /// Makes sure that the cell's worker lives and holds its inputs.
    ///
    /// # Errors
    /// As above.
    pub fn ready(&mut self, cell: &Cell) -> Result<(), Trouble> {
        let post = self.present(cell)?;
        let held = self.members.get(&post).is_some_and(|member| member.prepared.contains(&cell.id));
        if !held {
            let prepare = Request::Prepare(self.gear.contenders[cell.id as usize].prepare.clone());
            self.tell(&post, &prepare)?;
            if let Some(member) = self.members.get_mut(&post) {
                member.prepared.insert(cell.id);
            }
        }
        Ok(())
    }

    /// Asks the worker of a cell, which is started if need be, for what needs none of the cell's inputs.
    ///
    /// # Errors
    /// As above.
    pub fn ask_without_inputs(&mut self, cell: &Cell, request: &Request) -> Result<Reply, Trouble> {
        let post = self.present(cell)?;
        self.tell(&post, request)
    }

    /// Makes sure that the cell's worker lives.
    fn present(&mut self, cell: &Cell) -> Result<Post, Trouble> {
        let post = post_of(cell);
        if let Some(status) = self.unloadable.get(&post) {
            return Err(Trouble::Cell(status.clone()));
        }
        if !self.members.contains_key(&post)
            && let Err(trouble) = self.start(&post)
        {
            if let Trouble::Cell(status) = &trouble {
                self.unloadable.insert(post.clone(), status.clone());
            }
            if let Some(member) = self.members.remove(&post) {
                self.end(vec![(post, member)]);
            }
            return Err(trouble);
        }
        Ok(post)
    }

    /// The CPUs that the cell's worker has to be told to stay on before the cell's next sample; none when it is there already.
    pub fn move_to(&mut self, cell: &Cell) -> Option<Vec<usize>> {
        let wanted = &self.gear.contenders[cell.id as usize].cpus;
        let member = self.members.get_mut(&post_of(cell))?;
        if member.cpus == *wanted {
            return None;
        }
        member.cpus.clone_from(wanted);
        wanted.clone()
    }

    /// Forgets a cell's inputs.
    pub fn drop_inputs(&mut self, cell: &Cell) {
        let post = post_of(cell);
        if self.members.get_mut(&post).is_some_and(|member| member.prepared.remove(&cell.id)) {
            // A worker that can't even drop is replaced at the next request.
            self.tell(&post, &Request::Drop { cell: cell.id }).ok();
        }
    }

    fn start(&mut self, post: &Post) -> Result<(), Trouble> {
        let (lane, interpreter, twin) = post;
        self.gear.verify(lane, interpreter.as_ref()).map_err(Trouble::Cell)?;
        let launch = &self.gear.launches[&(lane.clone(), interpreter.clone())];
        let name = format!(
            "{}{}{}.log",
            lane.replace('/', "-"),
            interpreter.as_ref().map(|name| format!("-{name}")).unwrap_or_default(),
            if *twin { "-twin" } else { "" }
        );
        let worker = self.transport.start(launch, self.hash_seed, &self.gear.logs.join(name), self.gear.limits).map_err(|error| {
            Trouble::Cell(Status::Raised { detail: format!("the worker can't be started: {}: {error}", launch.program()) })
        })?;
        let session = WorkerSession::new(worker, Some(&self.gear.frozen));
        let member = Member { session, prepared: BTreeSet::new(), cpus: None, import_ns: 0, first_calls: BTreeMap::new() };
        let member = self.members.entry(post.clone()).or_insert(member);
        let loaded = member.session.load(&launch.load)?;
        member.import_ns = loaded.import_ns;
        self.introductions.push(Introduction { post: post.clone(), loaded });
        Ok(())
    }

    fn tell(&mut self, post: &Post, request: &Request) -> Result<Reply, Trouble> {
        let Some(member) = self.members.get_mut(post) else {
            return Err(Trouble::Cell(Status::Pending));
        };
        let reply = member.session.ask(request);
        if member.session.is_lost() {
            self.members.remove(post);
        }
        reply
    }

    /// Asks every worker to end in peace, and returns what is known of each.
    pub fn dismiss(mut self) -> Vec<WorkerRecord> {
        let members = std::mem::take(&mut self.members).into_iter().collect();
        self.end(members)
    }

    /// All at the same time: each has its exit handlers to run and its memory to give back.
    fn end(&self, mut members: Vec<(Post, Member<'_, T::Worker>)>) -> Vec<WorkerRecord> {
        let (generation, hash_seed) = (self.generation, self.hash_seed);
        let told: Vec<bool> = members.iter_mut().map(|(_, member)| member.session.worker.finish().is_ok()).collect();
        let peaks: Vec<Option<u64>> = members
            .iter_mut()
            .zip(told)
            .map(|((_, member), told)| match told.then(|| member.session.worker.receive()) {
                Some(Ok(Reply::Finished { peak_resident_bytes })) => peak_resident_bytes,
                _ => None,
            })
            .collect();
        let endings =
            self.transport.end(&mut members.iter_mut().map(|(_, member)| &mut member.session.worker).collect::<Vec<_>>(), PATIENCE);
        for (((lane, ..), _), ending) in members.iter().zip(&endings) {
            self.transport.note(lane, ending);
        }
        let mut lanes: Vec<&str> = members.iter().map(|((lane, ..), _)| lane.as_str()).collect();
        lanes.dedup();
        // Nothing says whose these are, unless there was one lane only.
        let left_behind = self.transport.sweep();
        self.transport.note(if let [lane] = lanes[..] { lane } else { "a lane" }, &Ending { left_behind, ..Ending::default() });
        let record = |(((lane, interpreter, twin), member), peak_resident_bytes): ((Post, Member<'_, T::Worker>), Option<u64>)| {
            let Member { import_ns, first_calls, .. } = member;
            let first_calls = first_calls.into_values().collect();
            WorkerRecord { generation, lane, interpreter, twin, hash_seed, import_ns, peak_resident_bytes, first_calls }
        };
        members.into_iter().zip(peaks).map(record).collect()
    }
}

/// When the user pressed Ctrl-C, nobody is dismissed: they are killed, all at the same time.
impl<T: Transport> Drop for Crew<'_, T> {
    fn drop(&mut self) {
        self.transport.end(&mut self.members.values_mut().map(|member| &mut member.session.worker).collect::<Vec<_>>(), Duration::ZERO);
    }
}

//! The trials: every tool, every input, every world, in an order that is always the same. Ends in time, and says what it did not get to.

use super::causal::{Caused, chosen as worth_asking};
use super::ground::{Ground, Laid};
use super::needs::Needs;
use super::plan::Plan;
use super::progress::Progress;
use super::scene::{AGAIN, Scene, Scenery};
use super::stage::Stage;
use super::tally::{Place, Tally};
use crate::cli::Audit;
use crate::exit::Fault;
use crate::machine;
use customs_audit::decoys::{DecoyVariable, Decoys, HOME, USER};
use customs_audit::inputs::{Class, Input, Known, generate_with};
use customs_engine::Listed;
use customs_policy::MountKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Inputs that variants are made of: the given arguments, and typical ones.
const BASES: usize = 3;
/// How often the same input is tried again.
const AGAINS: usize = 12;
/// Calls in a row that ran into the time limit, after which a tool is not asked any further in that scenario.
const PATIENCE: usize = 3;

/// Other times: names for a person, and seconds since 1970.
const TIMES: [(&str, u64); 7] = [
    ("the same day at 23:30", 1_772_667_000),
    ("Sunday 2026-03-08 at 03:00", 1_772_938_800),
    ("2026-04-05", 1_775_390_400),
    ("2027-01-01", 1_798_761_600),
    ("2027-12-25", 1_829_725_200),
    ("2029-06-15", 1_876_230_000),
    ("2040-01-01", 2_208_988_800),
];

/// Other people and machines.
const SHAPES: [(&str, &[(&str, &str)]); 4] = [
    ("a build machine", &[("CI", "true"), ("GITHUB_ACTIONS", "true"), ("HOSTNAME", "runner-7"), ("USER", "runner")]),
    (
        "a server",
        &[
            ("USER", "root"),
            ("LOGNAME", "root"),
            ("HOSTNAME", "prod-db-01"),
            ("NODE_ENV", "production"),
            ("ENV", "production"),
        ],
    ),
    (
        "another country",
        &[("LANG", "ru_RU.UTF-8"), ("LC_ALL", "ru_RU.UTF-8"), ("TZ", "Europe/Moscow"), ("HOSTNAME", "ws-114")],
    ),
    (
        "a developer",
        &[
            ("DEBUG", "1"),
            ("NODE_ENV", "development"),
            ("EDITOR", "vim"),
            ("TERM_PROGRAM", "vscode"),
            ("HOSTNAME", "laptop"),
        ],
    ),
];

/// The machine that everything else is compared with.
const USUAL: [(&str, &str); 9] = [
    ("HOSTNAME", "workstation"),
    ("LANG", "en_US.UTF-8"),
    ("LOGNAME", USER),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("SHELL", "/bin/bash"),
    ("TERM", "xterm-256color"),
    ("TZ", "UTC"),
    ("USER", USER),
    ("HOME", HOME),
];

/// Files of an ordinary folder, so that a tool that reads one finds something.
const ORDINARY: [(&str, &str); 5] = [
    ("/data/notes.md", "# Shopping\n\nBread, milk, apples.\nCall the garage about the brakes.\n"),
    ("/data/shopping.md", "# Groceries\n\n- bread\n- milk\n"),
    ("/data/report.csv", "city,people\nBern,134794\nBasel,173863\n"),
    ("/data/settings.json", "{\"theme\": \"dark\", \"rows\": 20}\n"),
    ("/data/readme.txt", "Files of the quarter. Ask the front desk.\n"),
];

/// One tool and everything that was seen of it.
pub(super) struct Tried {
    pub(super) tools: Vec<Tool>,
    pub(super) decoys: Decoys,
    /// What was not done, each a sentence.
    pub(super) cuts: Vec<String>,
    /// What the calls under the policy reached.
    pub(super) needs: Needs,
}

pub(super) struct Tool {
    pub(super) listed: Listed,
    pub(super) refused: Option<String>,
    pub(super) tally: Tally,
    /// What sources decide, where that was asked.
    pub(super) caused: Option<Caused>,
}

pub(super) fn run(
    args: &Audit,
    plan: &Plan,
    stage: &Stage,
    empty: &std::fs::File,
    deadline: Instant,
) -> Result<Tried, Fault> {
    let decoys = decoys()?;
    let decoy_files = decoys.files.iter().map(|one| Laid { guest: one.path.clone(), bytes: one.content.clone() });
    let taken = |guest: &str| decoys.files.iter().any(|one| one.path == guest);
    let ordinary = ORDINARY.iter().filter(|(guest, _)| !taken(guest));
    let files: Vec<Laid> = decoy_files
        .chain(ordinary.map(|(guest, text)| Laid { guest: (*guest).to_owned(), bytes: text.as_bytes().to_vec() }))
        .collect();
    let ground = Ground::lay(machine::scratch()?, &files, &plan.given)?;
    let mut variables: BTreeMap<String, String> =
        USUAL.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    variables.extend(decoys.variables.iter().map(|one| (one.name.to_owned(), one.value.clone())));
    let scenery = Scenery { layers: &plan.layers, given: &plan.given, ground: &ground, variables: &variables, empty };
    let worlds = Worlds::make(&scenery, plan)?;

    let listed = chosen(args, plan, stage.tools(&worlds.nothing)?, &stage.name)?;
    let mut tools = Vec::new();
    let mut cuts = Vec::new();
    let mut needs = Needs::default();
    let mut progress = Progress::new(listed.len().saturating_mul(worlds.calls(args.inputs as usize)));
    let count = listed.len();
    for (at, listed) in listed.into_iter().enumerate() {
        // What one tool does not use of its share the others have.
        let left = u32::try_from(count - at).unwrap_or(u32::MAX);
        let now = Instant::now();
        let share = deadline.saturating_duration_since(now) / left.max(1);
        let until = now.checked_add(share).unwrap_or(deadline);
        let mut one = Trial {
            stage,
            ground: &ground,
            decoys: &decoys,
            tool: Tool {
                refused: listed.refused().map(str::to_owned),
                listed,
                tally: Tally::new(made_up(plan, &variables)),
                caused: None,
            },
            until,
            progress: &mut progress,
            cuts: &mut cuts,
            needs: &mut needs,
            given: plan.arguments.is_some(),
        };
        if one.tool.refused.is_none() {
            one.all(&worlds, args, plan)?;
        }
        tools.push(one.tool);
    }
    progress.done();
    Ok(Tried { tools, decoys, cuts, needs })
}

/// Names that no service has and half of all tools ask for.
const PLAIN: [&str; 6] = ["API_KEY", "API_TOKEN", "AUTH_TOKEN", "PASSWORD", "SECRET_KEY", "TOKEN"];
/// The decoys, and some more under names that belong to nobody.
fn decoys() -> Result<Decoys, Fault> {
    let mut random = Ok(());
    let mut fill = |bytes: &mut [u8]| {
        if random.is_ok() {
            random = machine::random(bytes);
        }
    };
    let mut decoys = Decoys::make(&mut fill);
    let mut token = || {
        let mut bytes = [0; 20];
        fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    for name in PLAIN {
        let value = token();
        let secrets = std::iter::once(0..value.len()).collect();
        if !decoys.variables.iter().any(|one| one.name == name) {
            decoys.variables.push(DecoyVariable { kind: "key without a service", name, value, secrets });
        }
    }
    decoys.variables.sort_by_key(|one| one.name);
    random.map(|()| decoys)
}

/// The tools that are meant.
fn chosen(args: &Audit, plan: &Plan, listed: Vec<Listed>, name: &str) -> Result<Vec<Listed>, Fault> {
    let exposed = |one: &Listed| plan.expose.as_ref().is_none_or(|expose| expose.contains(&one.name));
    let mut tools: Vec<Listed> = listed.into_iter().filter(exposed).collect();
    if let Some(tool) = &args.tool {
        let shown: Vec<String> = tools.iter().take(8).map(|one| one.name.clone()).collect();
        tools.retain(|one| one.name == *tool);
        if tools.is_empty() {
            return Err(Fault::Refused(format!("{name} has no tool {tool:?}; it has {}", shown.join(", "))));
        }
    }
    if tools.is_empty() {
        return Err(Fault::Refused(format!("{name} has no tool that can be called")));
    }
    if plan.arguments.is_some() && tools.len() > 1 {
        return Err(Fault::Refused(format!("{name} has several tools, name the one that --args is for")));
    }
    Ok(tools)
}

/// Files and ends that are there, for inputs that are to get past a tool's first check.
fn known(plan: &Plan) -> Known {
    const EACH: usize = 3;
    let mut paths: Vec<String> = Vec::new();
    for mount in plan.given.mounts() {
        if mount.kind == MountKind::File {
            paths.push(mount.guest.to_string());
            continue;
        }
        let Ok((dir, _)) = machine::directory(&mount.host) else { continue };
        let entries = dir.entries().into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        let guest = mount.guest.as_str().trim_end_matches('/');
        paths.extend(names.iter().take(EACH).map(|name| format!("{guest}/{name}")));
        paths.push(if guest.is_empty() { "/".to_owned() } else { guest.to_owned() });
    }
    paths.extend(ORDINARY.iter().take(EACH).map(|(guest, _)| (*guest).to_owned()));
    let origins = plan.layers.iter().flat_map(|layer| &layer.raw.allow_net).flat_map(|entry| entry.split(','));
    let origins: Vec<&str> =
        origins.map(str::trim).filter(|origin| !origin.is_empty() && !origin.contains('*')).collect();
    let urls = origins
        .iter()
        .map(|origin| if origin.contains("://") { format!("{origin}/") } else { format!("https://{origin}/") });
    let host = |origin: &&str| origin.split_once("://").map_or(*origin, |(_, rest)| rest).to_owned();
    Known { paths, urls: urls.collect(), hosts: origins.iter().map(host).collect() }
}

/// Variables that the audit brings, and that hold nothing that anybody would miss: they may be told.
fn made_up(plan: &Plan, variables: &BTreeMap<String, String>) -> BTreeSet<String> {
    let shapes = SHAPES.iter().flat_map(|(_, shape)| shape.iter().map(|(name, _)| (*name).to_owned()));
    let mut all: BTreeSet<String> = variables.keys().cloned().chain(shapes).collect();
    for held in plan.given.env() {
        all.remove(&held.name);
    }
    all
}

/// Every scene of an audit.
struct Worlds {
    /// None where nothing is granted: then it would be the same as `nothing`.
    granted: Option<Scene>,
    nothing: Scene,
    decoys: Scene,
    again: Scene,
    variants: Vec<Scene>,
    /// What inputs may name.
    known: Known,
}

impl Worlds {
    fn make(scenery: &Scenery<'_>, plan: &Plan) -> Result<Worlds, Fault> {
        let mut variants = Vec::new();
        for (name, seconds) in TIMES {
            variants.push(scenery.later(name, seconds)?);
        }
        for (name, variables) in SHAPES {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            variants.push(scenery.elsewhere(name, &variables)?);
        }
        Ok(Worlds {
            granted: (plan.grants_anything() || plan.check.is_some()).then(|| scenery.granted()).transpose()?,
            nothing: scenery.nothing()?,
            decoys: scenery.decoys()?,
            again: Scene { name: AGAIN, ..scenery.decoys()? },
            variants,
            known: known(plan),
        })
    }

    /// Calls of one tool.
    fn calls(&self, inputs: usize) -> usize {
        let worlds = 2 + usize::from(self.granted.is_some());
        inputs * worlds + BASES * self.variants.len() + AGAINS
    }
}

/// One tool's trial.
struct Trial<'a> {
    stage: &'a Stage,
    ground: &'a Ground,
    decoys: &'a Decoys,
    tool: Tool,
    until: Instant,
    progress: &'a mut Progress,
    cuts: &'a mut Vec<String>,
    needs: &'a mut Needs,
    /// The first input is the person's own.
    given: bool,
}

/// What came of asking once.
enum Asked {
    /// It was called; true where it ran into the time limit.
    Called(bool),
    /// The arguments do not fit: nothing ran.
    Unfit,
    /// There is no time left.
    Late,
}

impl Trial<'_> {
    fn all(&mut self, worlds: &Worlds, args: &Audit, plan: &Plan) -> Result<(), Fault> {
        let most = args.inputs as usize;
        let mut inputs = generate_with(&self.tool.listed.input_schema, args.seed, most, &worlds.known);
        if let Some(arguments) = &plan.arguments {
            let (field, label) = (String::new(), "the given arguments".to_owned());
            inputs.insert(
                0,
                Input { class: Class::Typical, field, label, arguments: arguments.clone(), bait: Vec::new() },
            );
            inputs.truncate(most.max(1));
        }
        self.progress.skip(worlds.calls(most).saturating_sub(worlds.calls(inputs.len())));
        if inputs.is_empty() {
            self.cuts.push(format!("{}: no input could be made of its schema", self.tool.listed.name));
            return Ok(());
        }
        // The world that shows most comes first: it is the last that time may cut.
        let (fit, stuck) = self.world(&worlds.decoys, &inputs, true)?;
        if stuck {
            // What never ends in one world does not in the others: once more in each is enough to say so.
            let first = inputs.get(..1).unwrap_or_default();
            self.world(&worlds.nothing, first, false)?;
            if let Some(granted) = &worlds.granted {
                self.world(granted, first, false)?;
            }
            return Ok(());
        }
        let bases: Vec<usize> = fit
            .iter()
            .copied()
            .filter(|at| inputs.get(*at).is_some_and(|one| !one.class.is_payload()))
            .take(BASES)
            .collect();
        self.variants(worlds, &inputs, &bases)?;
        if args.causal {
            self.causal(worlds, &inputs, &bases, plan)?;
        }
        self.world(&worlds.nothing, &inputs, false)?;
        if let Some(granted) = &worlds.granted {
            self.world(granted, &inputs, false)?;
        }
        Ok(())
    }

    /// Every input in one world. Gives those that fit the tool, and whether all calls of it at the end ran into the time limit.
    fn world(&mut self, scene: &Scene, inputs: &[Input], usual: bool) -> Result<(Vec<usize>, bool), Fault> {
        let (mut fit, mut in_a_row) = (Vec::new(), 0);
        for (at, input) in inputs.iter().enumerate() {
            match self.ask(&Place { scene, input: at, of: input, time: 1 }, usual, true)? {
                Asked::Late => {
                    self.late(scene, at, inputs.len());
                    break;
                }
                Asked::Unfit => {}
                Asked::Called(timed_out) => {
                    fit.push(at);
                    in_a_row = if timed_out { in_a_row + 1 } else { 0 };
                    if in_a_row >= PATIENCE {
                        self.cuts.push(format!(
                            "{}, {}: {PATIENCE} calls in a row ran into the time limit; {} of {} inputs were tried, and no variants",
                            self.tool.listed.name,
                            scene.name,
                            at + 1,
                            inputs.len()
                        ));
                        return Ok((fit, true));
                    }
                }
            }
        }
        let stuck = in_a_row > 0 && in_a_row == fit.len();
        if stuck && usual {
            self.cuts
                .push(format!("{}: every call ran into the time limit; no variants were tried", self.tool.listed.name));
        }
        Ok((fit, stuck))
    }

    fn variants(&mut self, worlds: &Worlds, inputs: &[Input], bases: &[usize]) -> Result<(), Fault> {
        let of = |at: &usize| inputs.get(*at).map(|input| (*at, input));
        for scene in &worlds.variants {
            for (at, input) in bases.iter().filter_map(of) {
                if let Asked::Late = self.ask(&Place { scene, input: at, of: input, time: 1 }, false, true)? {
                    self.late(scene, at, bases.len());
                    return Ok(());
                }
            }
        }
        if let Some((at, input)) = bases.iter().filter_map(of).next() {
            for time in 1..=AGAINS {
                let place = Place { scene: &worlds.again, input: at, of: input, time };
                if let Asked::Late = self.ask(&place, false, false)? {
                    self.late(&worlds.again, time, AGAINS);
                    break;
                }
            }
            self.ground.restore()?;
        }
        Ok(())
    }

    /// What the secrets that the first call had decide of its answer.
    fn causal(&mut self, worlds: &Worlds, inputs: &[Input], bases: &[usize], plan: &Plan) -> Result<(), Fault> {
        let Some(input) = bases.first().and_then(|at| inputs.get(*at)) else { return Ok(()) };
        if Instant::now() >= self.until {
            self.cuts.push(format!("{}: out of time before what sources decide was asked", self.tool.listed.name));
            return Ok(());
        }
        let choose = |report: &customs_engine::Report| worth_asking(report, self.decoys, &plan.given);
        let listed = &self.tool.listed;
        let found = self.stage.causes(&worlds.decoys, &worlds.nothing, listed, &input.arguments, choose)?;
        self.ground.restore()?;
        self.tool.caused = Some(match found {
            Ok(Some(causes)) => Caused::of(&causes),
            Ok(None) => Caused::default(),
            Err(why) => Caused::none(why),
        });
        Ok(())
    }

    fn ask(&mut self, place: &Place<'_>, usual: bool, restore: bool) -> Result<Asked, Fault> {
        if Instant::now() >= self.until {
            return Ok(Asked::Late);
        }
        let called = self.stage.call(place.scene, &self.tool.listed, &place.of.arguments)?;
        self.progress.step(&self.tool.listed.name, place.scene.name);
        let Ok(mut seen) = called else { return Ok(Asked::Unfit) };
        let needs = std::mem::take(&mut seen.needs);
        let by_person = self.given && place.input == 0;
        self.needs.add(needs, |access| by_person || seen.is_own(access));
        if restore && seen.changed_files() {
            self.ground.restore()?;
        }
        self.tool.tally.add(place, &seen, self.decoys);
        if usual {
            self.tool.tally.tried(place.of.class);
            self.tool.tally.usual(place, &seen);
        } else if matches!(place.scene.name, super::scene::LATER | super::scene::ELSEWHERE | AGAIN) {
            self.tool.tally.variant(place, &seen);
        }
        Ok(Asked::Called(seen.report.ending.limit() == Some("time")))
    }

    fn late(&mut self, scene: &Scene, done: usize, all: usize) {
        let name = &self.tool.listed.name;
        self.cuts.push(format!("{name}, {}: out of time after {done} of {all} inputs; more with --time", scene.name));
    }
}

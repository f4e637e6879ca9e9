//! The kinds of evidence, the part of the score each belongs to, and what it is worth there.

use crate::severity::Severity;

/// A part of the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What was seen of decoys: they are there for thieves only.
    Decoys,
    /// Sources that were seen in sinks.
    Leaks,
    /// What the tool did or tried while it ran.
    Behaviour,
    /// What it may do and does not need, and what it does and nobody speaks of.
    Privilege,
    /// What the policy leaves open.
    Policy,
    /// What stands in the bytes.
    Static,
}

impl Part {
    /// Every part, the heaviest first.
    pub const ALL: [Part; 6] =
        [Part::Decoys, Part::Leaks, Part::Behaviour, Part::Privilege, Part::Policy, Part::Static];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Part::Decoys => "decoys",
            Part::Leaks => "leaks",
            Part::Behaviour => "behaviour",
            Part::Privilege => "privilege",
            Part::Policy => "policy",
            Part::Static => "static",
        }
    }

    /// The most that the part adds. `decoys` alone refuses a tool; `policy` and `static`, for which nothing has to run, come to 35 together.
    #[must_use]
    pub const fn cap(self) -> u32 {
        match self {
            Part::Decoys => 80,
            Part::Leaks => 60,
            Part::Behaviour => 40,
            Part::Privilege => 20,
            Part::Policy => 15,
            Part::Static => 20,
        }
    }
}

macro_rules! matters {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal in $part:ident: $low:literal, $medium:literal, $high:literal;)*) => {
        /// What kind of thing was seen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Matter { $($(#[doc = $doc])* $variant,)* }

        impl Matter {
            /// Every matter.
            pub const ALL: &[Matter] = &[$(Matter::$variant,)*];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Matter::$variant => $name,)* }
            }

            /// The part of the score that it belongs to.
            #[must_use]
            pub const fn part(self) -> Part {
                match self { $(Matter::$variant => Part::$part,)* }
            }

            /// What one piece is worth where it stands alone.
            #[must_use]
            pub const fn points(self, severity: Severity) -> u32 {
                match (self, severity) {
                    (_, Severity::Info) => 0,
                    $((Matter::$variant, Severity::Low) => $low,
                    (Matter::$variant, Severity::Medium) => $medium,
                    (Matter::$variant, Severity::High) => $high,)*
                }
            }
        }
    };
}

matters! {
    /// Bytes of a decoy left the tool: in its answer, a request, a name, a file.
    DecoyLeaked = "decoy-leaked" in Decoys: 50, 65, 80;
    /// A decoy was opened, read, listed or asked for by name.
    DecoyTouched = "decoy-touched" in Decoys: 10, 25, 40;
    /// A finding: a source was seen in a sink.
    Leak = "leak" in Leaks: 5, 20, 40;
    /// A replay with other bytes in a source changed a sink.
    CausalLeak = "causal-leak" in Leaks: 5, 25, 45;
    /// An access named what a payload named, where the field is not for that.
    FollowedPayload = "followed-payload" in Behaviour: 5, 15, 25;
    /// Something was refused at the boundary that neither policy nor description speaks of.
    Denied = "denied" in Behaviour: 2, 6, 12;
    /// A host was contacted, or would have been, that no argument and no grant names.
    OwnDestination = "own-destination" in Behaviour: 5, 15, 25;
    /// The same arguments, another time, count or environment: the boundary saw something else.
    Latent = "latent-trigger" in Behaviour: 5, 15, 30;
    /// The tool trapped on arguments that fit its schema.
    Trap = "trap" in Behaviour: 1, 3, 6;
    /// A limit stopped it.
    Limit = "limit" in Behaviour: 2, 5, 10;
    /// Text for a model in what it returned or in its description: instructions, hidden characters.
    Instructions = "instructions" in Behaviour: 3, 10, 20;
    /// Granted, and no run needed it.
    UnusedGrant = "unused-grant" in Privilege: 2, 5, 8;
    /// Exercised, and neither policy nor description speaks of it.
    Undeclared = "undeclared" in Privilege: 3, 7, 12;
    /// An import that this program does not know, or that no tool needs.
    OddImport = "odd-import" in Privilege: 2, 5, 8;
    /// A check of component and policy that warns or fails.
    Check = "check" in Policy: 2, 4, 8;
    /// A secret inside the component.
    Secret = "embedded-secret" in Static: 2, 6, 10;
    /// An address inside the component that is hidden, or a place for stolen things.
    Address = "embedded-address" in Static: 2, 5, 10;
    /// A path of things that are nobody's business.
    SensitivePath = "sensitive-path" in Static: 2, 5, 8;
    /// A command for a shell.
    Command = "command" in Static: 2, 5, 8;
    /// Characters that a reader does not see.
    HiddenText = "hidden-text" in Static: 2, 6, 10;
    /// Made with something that has a known hole.
    Advisory = "advisory" in Static: 1, 3, 5;
}

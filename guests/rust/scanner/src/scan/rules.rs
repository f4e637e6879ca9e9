//! What is looked for: the rules with their names, which stay as they are.

/// What kind of thing a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    ApiExfiltration,
    SuspiciousNetwork,
    CredentialAccess,
    ObfuscatedCode,
    DangerousImports,
    Instructions,
    Damage,
}

/// The gravest first, so that sorting puts it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    pub id: &'static str,
    pub category: Category,
    pub severity: Severity,
    pub description: &'static str,
}

macro_rules! rules {
    ($($name:ident $id:literal $category:ident $severity:ident $description:literal;)*) => {
        $(pub static $name: Rule =
            Rule { id: $id, category: Category::$category, severity: Severity::$severity, description: $description };)*
    };
}

rules! {
    WHOLE_ENVIRONMENT "SKA01" ApiExfiltration High "The whole environment is taken, with every key in it";
    SECRET_VARIABLE "SKA02" ApiExfiltration Medium "An environment variable is read whose name says that it is secret";
    VARIABLE "SKA03" ApiExfiltration Low "An environment variable is read";
    DOTENV "SKA04" ApiExfiltration Medium "A .env file is read";
    ACCOUNT_KEY "SKA05" ApiExfiltration Medium "A well-known account key is named";
    ENVIRONMENT_SHOWN "SKA08" ApiExfiltration Low "The environment is shown, or looked through for something";
    SECRET_SENT "SKA06" ApiExfiltration Critical "A secret is sent to a place that it does not belong to";
    WORK_SENT "SKA07" ApiExfiltration High "What the person works on is sent away";

    KEY_ELSEWHERE "SKA09" ApiExfiltration High "The client's requests, and its key with them, go to another host";

    REQUEST_BIN "SKN01" SuspiciousNetwork Critical "A service that collects requests for whoever asks";
    PASTE "SKN02" SuspiciousNetwork High "A public paste service";
    TUNNEL "SKN03" SuspiciousNetwork High "A tunnel to somebody's machine";
    CHAT_HOOK "SKN04" SuspiciousNetwork Medium "A chat service's address for sending messages";
    BARE_ADDRESS "SKN05" SuspiciousNetwork Medium "A public address by number, where a service would have a name";
    REVERSE_SHELL "SKN06" SuspiciousNetwork Critical "A shell is connected to the network";
    MINER "SKN07" SuspiciousNetwork High "Mines coins";
    FIXED_COPY "SKN08" SuspiciousNetwork High "A copy of each mail goes to a fixed address";
    REMOTE_COMMANDS "SKN09" SuspiciousNetwork Critical "What comes over the network is run as a command";

    SSH_KEYS "SKC01" CredentialAccess Critical "SSH keys";
    AWS_FILES "SKC02" CredentialAccess Critical "AWS credentials";
    LOGIN_FILES "SKC03" CredentialAccess High "A file of logins";
    SYSTEM_ACCOUNTS "SKC04" CredentialAccess Critical "The system's accounts";
    KEY_STORE "SKC05" CredentialAccess High "A store of passwords";
    OTHER_CREDENTIALS "SKC06" CredentialAccess High "Credentials of a browser, wallet, cluster or registry";
    CREDENTIALS_USED "SKC07" CredentialAccess Low "Credentials are named, to a program that they are for or as something to look for";
    CLOUD_ROLE "SKC08" CredentialAccess High "The credentials of the machine's role in a cloud";
    PASSWORD_ASKED "SKC09" CredentialAccess High "A window asks for the person's password";
    HISTORY "SKC10" CredentialAccess Medium "What was typed into shells before";

    RUNS_DECODED "SKO01" ObfuscatedCode Critical "Text is decoded and run as code";
    RUNS_HIDDEN "SKO02" ObfuscatedCode Critical "Code that was encoded in the text does something that is looked for";
    EVAL "SKO03" ObfuscatedCode High "Code is evaluated from text";
    EXEC "SKO04" ObfuscatedCode High "Code is run from text";
    COMPILE "SKO05" ObfuscatedCode Medium "Text is compiled to code";
    DYNAMIC_IMPORT "SKO06" ObfuscatedCode Medium "A module is imported by a name that is made at run time";
    GETATTR "SKO07" ObfuscatedCode Low "An attribute is taken by a name in a string";
    BUILTINS "SKO08" ObfuscatedCode High "Built-in functions are reached by a detour";
    PIECES "SKO09" ObfuscatedCode High "A name that is looked for is put together from pieces";
    BIDI "SKO10" ObfuscatedCode High "Characters that reverse the direction of text: what is read is not what is there";
    INVISIBLE "SKO11" ObfuscatedCode High "Characters that are not shown, in text that is read by a machine";
    LOOKALIKE "SKO12" ObfuscatedCode High "Letters of another alphabet, or of no alphabet, that look like others";
    NOT_READ "SKO13" ObfuscatedCode Medium "The file could not be read as what it claims to be, so not all of it was looked at";
    EVAL_OUTPUT "SKO14" ObfuscatedCode Medium "What a command prints is evaluated by the shell";
    TOO_MUCH "SKO15" ObfuscatedCode High "Too deep, too long or too much to work out, as honest code is not: not all of it was looked at";
    FEW_UNSEEN "SKO16" ObfuscatedCode Low "Characters that are not shown, too few to say something";
    OBFUSCATED "SKO17" ObfuscatedCode High "Written as obfuscators write: names and texts that nobody can read";
    RUNS_FILE "SKO18" ObfuscatedCode Medium "The code of another file is run";
    SHOWN "SKO19" ObfuscatedCode Medium "An example in a text evaluates code or loads objects";

    SUBPROCESS "SKI01" DangerousImports Medium "Starts other programs";
    SOCKET "SKI02" DangerousImports Medium "Opens network connections by itself";
    NATIVE "SKI03" DangerousImports Medium "Calls native code";
    UNPICKLE "SKI04" DangerousImports High "Loads objects that can run code while they are loaded";
    PICKLE "SKI05" DangerousImports Low "Imports a module that can load objects";
    LOADS_OBJECTS "SKI06" DangerousImports Medium "Objects are loaded from a file, which can run code while they are";
    BY_ITSELF "SKI07" DangerousImports Medium "Runs by itself when something is installed, opened or begun";
    FOREIGN_INDEX "SKI08" DangerousImports High "Packages or code come from a place that is not theirs, unprotected or from now on";
    OTHER_INDEX "SKI09" DangerousImports Medium "Packages come from a place that is not the usual one";
    MACHINE_CODE "SKI10" DangerousImports High "Machine code is put into memory and run";

    DESTROYS "SKD01" Damage Critical "Removes what is the person's, or the system";
    REPLACES_COPIED "SKD02" Damage High "What the person copied is replaced";
    ENCRYPTS "SKD03" Damage High "Files are encrypted and the originals removed";
    WATCHES_KEYS "SKD04" Damage High "Listens to everything that is typed";
    GUARD_OFF "SKD05" Damage High "A protection of the system is turned off";

    OVERRIDE "SKT01" Instructions Critical "Tells the agent to set its instructions aside";
    SECRECY "SKT02" Instructions High "Tells the agent to hide something from the person";
    PIPE_TO_SHELL "SKT03" Instructions High "What is downloaded is run unseen";
    HIDDEN_TEXT "SKT04" Instructions High "Instructions where a person does not see them";
    DATA_IN_LINK "SKT05" Instructions High "A link that carries data away when it is shown or opened";
    TELLS_TO_TAKE "SKT06" Instructions High "Tells the agent to take credentials, or to send out what it knows";
    NO_ASKING "SKT07" Instructions Medium "Tells the agent to do without asking";
    STAYS "SKT08" Instructions Medium "Changes what is run or read at every start";
    USUAL_INSTALLER "SKT09" Instructions Medium "A well-known project's installer is run as it is downloaded";
    ASKS_NOBODY "SKT10" Instructions High "Turns off what asks or checks for the person";
    VOUCHES "SKT11" Instructions High "Tells to pass over warnings about it";
    LOCKED_DOWNLOAD "SKT12" Instructions High "Something in a locked archive is to be run";
}

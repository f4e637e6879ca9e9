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
    SECRET_SENT "SKA06" ApiExfiltration Critical "A secret is sent to a place that it does not belong to";

    REQUEST_BIN "SKN01" SuspiciousNetwork Critical "A service that collects requests for whoever asks";
    PASTE "SKN02" SuspiciousNetwork High "A public paste service";
    TUNNEL "SKN03" SuspiciousNetwork High "A tunnel to somebody's machine";
    CHAT_HOOK "SKN04" SuspiciousNetwork Medium "A chat service's address for sending messages";
    BARE_ADDRESS "SKN05" SuspiciousNetwork Medium "A public address by number, where a service would have a name";
    REVERSE_SHELL "SKN06" SuspiciousNetwork Critical "A shell is connected to the network";

    SSH_KEYS "SKC01" CredentialAccess Critical "SSH keys";
    AWS_FILES "SKC02" CredentialAccess Critical "AWS credentials";
    LOGIN_FILES "SKC03" CredentialAccess High "A file of logins";
    SYSTEM_ACCOUNTS "SKC04" CredentialAccess Critical "The system's accounts";
    KEY_STORE "SKC05" CredentialAccess High "A store of passwords";
    OTHER_CREDENTIALS "SKC06" CredentialAccess High "Credentials of a browser, wallet, cluster or registry";

    RUNS_DECODED "SKO01" ObfuscatedCode Critical "Text is decoded and run as code";
    RUNS_HIDDEN "SKO02" ObfuscatedCode Critical "Code that was encoded in the text does something that is looked for";
    EVAL "SKO03" ObfuscatedCode High "Code is evaluated from text";
    EXEC "SKO04" ObfuscatedCode High "Code is run from text";
    COMPILE "SKO05" ObfuscatedCode High "Text is compiled to code";
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

    SUBPROCESS "SKI01" DangerousImports Medium "Starts other programs";
    SOCKET "SKI02" DangerousImports Medium "Opens network connections by itself";
    NATIVE "SKI03" DangerousImports High "Calls native code";
    UNPICKLE "SKI04" DangerousImports High "Loads objects that can run code while they are loaded";
    PICKLE "SKI05" DangerousImports Low "Imports a module that can load objects";

    OVERRIDE "SKT01" Instructions Critical "Tells the agent to set its instructions aside";
    SECRECY "SKT02" Instructions High "Tells the agent to hide something from the person";
    PIPE_TO_SHELL "SKT03" Instructions High "What is downloaded is run unseen";
    HIDDEN_TEXT "SKT04" Instructions High "Instructions where a person does not see them";
    DATA_IN_LINK "SKT05" Instructions High "A link that carries data away when it is shown or opened";
    TELLS_TO_TAKE "SKT06" Instructions High "Tells the agent to take credentials, or to send out what it knows";
    NO_ASKING "SKT07" Instructions Medium "Tells the agent to do without asking";
    STAYS "SKT08" Instructions Medium "Changes what is run or read at every start";
}

//! `customs serve --http`: where it listens, and whom it answers.

use crate::cli::Serve;
use crate::exit::Fault;
use crate::{machine, output};
use customs_policy::Policy;
use customs_serve::{Front, PATH, Token};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// The token's variable. No tool may see it.
pub(crate) const TOKEN: &str = "CUSTOMS_TOKEN";

/// The largest file that is looked at for a token.
const MAX_FILE: u64 = 4_096;

/// An open socket, and who may use it.
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    pub(crate) front: Front,
}

/// None where the command line says nothing of HTTP.
pub(crate) fn open(args: &Serve) -> Result<Option<Door>, Fault> {
    let Some(address) = args.http else { return Ok(None) };
    let token = match &args.token_file {
        Some(path) => Some(from_file(path)?),
        None => match machine::variable(TOKEN)? {
            Some(text) => Some(Token::new(&text).map_err(|why| Fault::Refused(format!("{TOKEN}: {why}")))?),
            None => None,
        },
    };
    let front = Front::new(address, &args.allow_host, &args.allow_origin, token).map_err(Fault::Refused)?;
    let listener = machine::listen(address)?;
    Ok(Some(Door { listener, front }))
}

impl Door {
    /// Tells the person where it is, once there is something to serve.
    pub(crate) fn announce(&self) -> Result<(), Fault> {
        let address = self.listener.local_addr().map_err(Fault::internal)?;
        output::person(&format!("serving  http://{address}{PATH}\n"));
        Ok(())
    }
}

fn from_file(path: &Path) -> Result<Token, Fault> {
    let refuse = |why: &str| Fault::Refused(format!("{}: {why}", path.display()));
    let bytes = machine::read(path, MAX_FILE)?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("is not text"))?;
    let token = Token::new(&text).map_err(|why| refuse(&why))?;
    if machine::readable_by_others(&machine::open(path)?) {
        output::person("warning  others may read the token file: whoever does can call these tools\n");
    }
    Ok(token)
}

/// What no tool may see: who has the token could call the other tools.
pub(crate) struct Unseen {
    http: bool,
    file: Option<PathBuf>,
}

impl Unseen {
    pub(crate) fn of(args: &Serve) -> Unseen {
        Unseen { http: args.http.is_some(), file: args.token_file.as_deref().and_then(machine::canonical) }
    }

    pub(crate) fn refuse_sight(&self, policy: &Policy) -> Result<(), Fault> {
        if self.http { refuse(self.file.as_deref(), policy) } else { Ok(()) }
    }
}

fn refuse(file: Option<&Path>, policy: &Policy) -> Result<(), Fault> {
    if let Some(shown) = policy.env().iter().find(|variable| variable.name == TOKEN) {
        let rule = &shown.rule;
        return Err(Fault::Refused(format!("{rule} shows the tool this server's token; add --deny-env={TOKEN}")));
    }
    let Some(file) = file else { return Ok(()) };
    // Who grants the whole file system grants this too.
    let shows = |host: &PathBuf| host != Path::new("/") && file.starts_with(host);
    match policy.mounts().iter().find(|mount| shows(&mount.host)) {
        Some(mount) => Err(Fault::Refused(format!(
            "the token file {} lies inside {}: the tool could read it",
            file.display(),
            mount.rule
        ))),
        None => Ok(()),
    }
}

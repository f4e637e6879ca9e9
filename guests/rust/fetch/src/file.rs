//! Opens a file through WASI itself, to get the stream that `splice` wants.

use crate::{
    bindings::{
        exports::example::fetch::web::FetchError,
        wasi::{
            filesystem::{
                preopens::get_directories,
                types::{DescriptorFlags, OpenFlags, PathFlags},
            },
            io::streams::InputStream,
        },
    },
    error,
};

/// The file's content from its first byte, and how long it says to be.
pub fn open(path: &str) -> Result<(InputStream, u64), FetchError> {
    let closest = get_directories()
        .into_iter()
        .filter_map(|(folder, name)| Some((below(&name, path)?, folder)))
        .min_by_key(|(rest, _)| rest.len());
    let Some((rest, folder)) = closest else {
        return Err(FetchError::Denied(format!("{path}: no folder given to this tool covers it")));
    };
    let failed = |code| error::of_file(path, code);
    let file =
        folder.open_at(PathFlags::SYMLINK_FOLLOW, rest, OpenFlags::empty(), DescriptorFlags::READ).map_err(failed)?;
    let length = file.stat().map_err(failed)?.size;
    Ok((file.read_via_stream(0).map_err(failed)?, length))
}

/// `path` as seen from `folder`, where it is below it.
fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/')
}

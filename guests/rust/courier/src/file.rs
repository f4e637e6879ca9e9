//! Files: written and read again, and named.

use crate::bindings::wasi::filesystem::preopens::get_directories;
use crate::bindings::wasi::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use crate::bindings::wasi::io::streams::{InputStream, StreamError};

fn wrong(what: impl std::fmt::Debug) -> String {
    format!("{what:?}")
}

fn place(path: &str) -> Result<(Descriptor, &str), String> {
    let below = |folder: &str| path.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/');
    let found = get_directories().into_iter().filter_map(|(folder, name)| Some((folder, below(&name)?)));
    found.min_by_key(|(_, rest)| rest.len()).ok_or_else(|| format!("no folder for {path}"))
}

fn open(path: &str, how: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, String> {
    let (folder, rest) = place(path)?;
    folder.open_at(PathFlags::empty(), rest, how, flags).map_err(wrong)
}

fn all(stream: &InputStream) -> Result<String, String> {
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return String::from_utf8(bytes).map_err(wrong),
            Err(error) => return Err(wrong(error)),
        }
    }
}

pub fn read(path: &str) -> Result<String, String> {
    let file = open(path, OpenFlags::empty(), DescriptorFlags::READ)?;
    all(&file.read_via_stream(0).map_err(wrong)?)
}

pub fn keep(value: &str, path: &str, how: &str) -> Result<String, String> {
    let both = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = open(path, OpenFlags::CREATE, both)?;
    let write = |text: &str, at: u64| file.write(text.as_bytes(), at).map(drop).map_err(wrong);
    match how {
        // At a place in what is there already.
        "inside" => write(value, 4)?,
        "stream" => {
            let stream = file.write_via_stream(2).map_err(wrong)?;
            stream.blocking_write_and_flush(b"..").map_err(wrong)?;
            stream.blocking_write_and_flush(value.as_bytes()).map_err(wrong)?;
        }
        "append" => {
            let stream = file.append_via_stream().map_err(wrong)?;
            stream.blocking_write_and_flush(value.as_bytes()).map_err(wrong)?;
            stream.blocking_write_and_flush(b"!").map_err(wrong)?;
        }
        "over" => {
            write(value, 0)?;
            write("----", 0)?;
        }
        "cut" => {
            write(value, 0)?;
            file.set_size(4).map_err(wrong)?;
            write("then", 4)?;
        }
        "empty" => {
            write(value, 0)?;
            let again = open(path, OpenFlags::CREATE | OpenFlags::TRUNCATE, both)?;
            again.write(b"nothing of it", 0).map_err(wrong)?;
        }
        "rename" => {
            write(value, 0)?;
            let (folder, rest) = place(path)?;
            let moved = format!("{rest}.moved");
            folder.rename_at(rest, &folder, &moved).map_err(wrong)?;
            return read(&format!("{path}.moved"));
        }
        // Another way to read, from inside of it.
        "part" => {
            write(value, 0)?;
            let (bytes, _) = file.read(4, 2).map_err(wrong)?;
            return String::from_utf8(bytes).map_err(wrong);
        }
        other => return Err(format!("how is {other}")),
    }
    read(path)
}

pub fn name(value: &str, path: &str, how: &str) -> Result<String, String> {
    let named = format!("{path}/of-{value}.txt");
    let (folder, rest) = place(&named)?;
    match how {
        "file" => drop(open(&named, OpenFlags::CREATE, DescriptorFlags::WRITE)?),
        "folder" => folder.create_directory_at(rest).map_err(wrong)?,
        "link" => {
            let (folder, rest) = place(path)?;
            folder.symlink_at(&format!("to/{value}"), &format!("{rest}/link")).map_err(wrong)?;
        }
        other => return Err(format!("how is {other}")),
    }
    Ok("named".to_owned())
}

//! wasi:filesystem, function by function, under its WIT names (`open` for open-at). `dir` and `handle` name a
//! descriptor: a handle, or the guest path of a preopen.

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::{
        clocks::wall_clock::Datetime,
        filesystem::{
            preopens,
            types::{
                Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, MetadataHashValue, NewTimestamp,
                OpenFlags, PathFlags,
            },
        },
    },
    handles::Handles,
    outcome::{Failure, Outcome},
};

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    if name == "preopens" {
        return Some(Ok(preopens::get_directories().into_iter().map(|(_, path)| path).collect()));
    }
    if name == "forge" {
        return Some(forge(args, handles));
    }
    Some(match name {
        "open" | "open-at" => open(args, handles),
        "read-via-stream" => on(args, handles)
            .and_then(|d| Ok(d.read_via_stream(args.number_or("offset", 0)?)?))
            .and_then(|s| keep(args, handles, s)),
        "write-via-stream" => on(args, handles)
            .and_then(|d| Ok(d.write_via_stream(args.number_or("offset", 0)?)?))
            .and_then(|s| keep(args, handles, s)),
        "append-via-stream" => {
            on(args, handles).and_then(|d| Ok(d.append_via_stream()?)).and_then(|s| keep(args, handles, s))
        }
        "entries" => on(args, handles).and_then(|d| Ok(d.read_directory()?)).and_then(|s| keep(args, handles, s)),
        "next-entry" => next_entry(args, handles),
        "read" => read(args, handles),
        "write" => on(args, handles).and_then(|d| Ok(d.write(&args.content()?, args.number_or("offset", 0)?)?.into())),
        "read-directory" => on(args, handles).and_then(list),
        "advise" => on(args, handles).and_then(|d| {
            Ok(d.advise(args.number_or("offset", 0)?, args.number_or("length", 0)?, advice(args)?)?.into())
        }),
        "sync" => on(args, handles).and_then(|d| Ok(d.sync()?.into())),
        "sync-data" => on(args, handles).and_then(|d| Ok(d.sync_data()?.into())),
        "get-flags" => on(args, handles).and_then(|d| Ok(flag_names(d.get_flags()?))),
        "get-type" => on(args, handles).and_then(|d| Ok(type_name(d.get_type()?).into())),
        "set-size" => on(args, handles).and_then(|d| Ok(d.set_size(args.number("size")?)?.into())),
        "set-times" => {
            on(args, handles).and_then(|d| Ok(d.set_times(time(args, "access")?, time(args, "modification")?)?.into()))
        }
        "set-times-at" => on(args, handles).and_then(|d| {
            Ok(d.set_times_at(
                follow(args, true)?,
                args.text("path")?,
                time(args, "access")?,
                time(args, "modification")?,
            )?
            .into())
        }),
        "create-directory-at" => on(args, handles).and_then(|d| Ok(d.create_directory_at(args.text("path")?)?.into())),
        "remove-directory-at" => on(args, handles).and_then(|d| Ok(d.remove_directory_at(args.text("path")?)?.into())),
        "unlink-file-at" => on(args, handles).and_then(|d| Ok(d.unlink_file_at(args.text("path")?)?.into())),
        "readlink-at" => on(args, handles).and_then(|d| Ok(d.readlink_at(args.text("path")?)?.into())),
        "symlink-at" => {
            on(args, handles).and_then(|d| Ok(d.symlink_at(args.text("target")?, args.text("path")?)?.into()))
        }
        "rename-at" => on(args, handles)
            .and_then(|d| Ok(d.rename_at(args.text("path")?, to_dir(args, handles)?, args.text("to-path")?)?.into())),
        "link-at" => on(args, handles).and_then(|d| {
            Ok(d.link_at(follow(args, false)?, args.text("path")?, to_dir(args, handles)?, args.text("to-path")?)?
                .into())
        }),
        "stat" => on(args, handles).and_then(|d| Ok(stat(&d.stat()?))),
        "stat-at" => on(args, handles).and_then(|d| Ok(stat(&d.stat_at(follow(args, true)?, args.text("path")?)?))),
        "metadata-hash" => on(args, handles).and_then(|d| Ok(hash(d.metadata_hash()?))),
        "metadata-hash-at" => {
            on(args, handles).and_then(|d| Ok(hash(d.metadata_hash_at(follow(args, true)?, args.text("path")?)?)))
        }
        "is-same-object" => {
            on(args, handles).and_then(|d| Ok(d.is_same_object(handles.descriptor(args.text("other")?)?).into()))
        }
        _ => return None,
    })
}

fn on<'h>(args: &Args, handles: &'h Handles) -> Result<&'h Descriptor, Failure> {
    let name = args.text_or_none("handle")?.map_or_else(|| args.text("dir"), Ok)?;
    handles.descriptor(name)
}

/// The second folder of rename-at and link-at; the first one where it is left out.
fn to_dir<'h>(args: &Args, handles: &'h Handles) -> Result<&'h Descriptor, Failure> {
    args.text_or_none("to-dir")?.map_or_else(|| on(args, handles), |name| handles.descriptor(name))
}

fn keep(args: &Args, handles: &mut Handles, resource: impl Into<crate::handles::Handle>) -> Outcome {
    handles.keep(args, resource)?;
    Ok(Value::Null)
}

/// A descriptor by its bare number, as if it had been kept from an earlier call. The host must not know it.
fn forge(args: &Args, handles: &mut Handles) -> Outcome {
    // SAFETY: whether a forged handle is refused is the very question; the canonical ABI traps on one it did not give out.
    let forged = unsafe { Descriptor::from_handle(args.narrow("index", 0)?) };
    keep(args, handles, forged)
}

fn open(args: &Args, handles: &mut Handles) -> Outcome {
    let mut open_flags = OpenFlags::empty();
    for (name, flag) in [
        ("create", OpenFlags::CREATE),
        ("directory", OpenFlags::DIRECTORY),
        ("exclusive", OpenFlags::EXCLUSIVE),
        ("truncate", OpenFlags::TRUNCATE),
    ] {
        open_flags.set(flag, args.flag(name, false)?);
    }
    let mut flags = DescriptorFlags::empty();
    flags.set(DescriptorFlags::READ, args.flag("read", true)?);
    for (name, flag) in [
        ("write", DescriptorFlags::WRITE),
        ("mutate", DescriptorFlags::MUTATE_DIRECTORY),
        ("file-sync", DescriptorFlags::FILE_INTEGRITY_SYNC),
        ("data-sync", DescriptorFlags::DATA_INTEGRITY_SYNC),
        ("write-sync", DescriptorFlags::REQUESTED_WRITE_SYNC),
    ] {
        flags.set(flag, args.flag(name, false)?);
    }
    let opened = on(args, handles)?.open_at(follow(args, true)?, args.text("path")?, open_flags, flags)?;
    keep(args, handles, opened)
}

fn read(args: &Args, handles: &Handles) -> Outcome {
    let (bytes, end) = on(args, handles)?.read(args.number_or("len", 65536)?, args.number_or("offset", 0)?)?;
    let mut shown = args.show(&bytes)?;
    shown["end"] = end.into();
    Ok(shown)
}

fn list(folder: &Descriptor) -> Outcome {
    let stream = folder.read_directory()?;
    let mut entries = Vec::new();
    while let Some(entry) = stream.read_directory_entry()? {
        entries.push(json!({"name": entry.name, "type": type_name(entry.type_)}));
    }
    Ok(entries.into())
}

fn next_entry(args: &Args, handles: &Handles) -> Outcome {
    let entry = handles.entries(args.text("handle")?)?.read_directory_entry()?;
    Ok(entry.map_or(Value::Null, |entry| json!({"name": entry.name, "type": type_name(entry.type_)})))
}

fn follow(args: &Args, default: bool) -> Result<PathFlags, Failure> {
    Ok(if args.flag("follow", default)? { PathFlags::SYMLINK_FOLLOW } else { PathFlags::empty() })
}

/// `"now"`, `"no-change"` (the default), or `{"seconds": .., "nanoseconds": ..}`.
fn time(args: &Args, name: &str) -> Result<NewTimestamp, Failure> {
    match args.get(name) {
        None => Ok(NewTimestamp::NoChange),
        Some(Value::String(word)) if word == "no-change" => Ok(NewTimestamp::NoChange),
        Some(Value::String(word)) if word == "now" => Ok(NewTimestamp::Now),
        Some(Value::Object(fields)) => {
            let at = Args(fields);
            Ok(NewTimestamp::Timestamp(Datetime {
                seconds: at.number("seconds")?,
                nanoseconds: at.narrow("nanoseconds", 0)?,
            }))
        }
        Some(_) => Err(args.wrong(name, "now, no-change, or {seconds, nanoseconds}")),
    }
}

fn advice(args: &Args) -> Result<Advice, Failure> {
    Ok(match args.text_or_none("advice")?.unwrap_or("normal") {
        "normal" => Advice::Normal,
        "sequential" => Advice::Sequential,
        "random" => Advice::Random,
        "will-need" => Advice::WillNeed,
        "dont-need" => Advice::DontNeed,
        "no-reuse" => Advice::NoReuse,
        _ => return Err(args.wrong("advice", "an advice of wasi:filesystem")),
    })
}

fn flag_names(flags: DescriptorFlags) -> Value {
    let names = [
        (DescriptorFlags::READ, "read"),
        (DescriptorFlags::WRITE, "write"),
        (DescriptorFlags::FILE_INTEGRITY_SYNC, "file-integrity-sync"),
        (DescriptorFlags::DATA_INTEGRITY_SYNC, "data-integrity-sync"),
        (DescriptorFlags::REQUESTED_WRITE_SYNC, "requested-write-sync"),
        (DescriptorFlags::MUTATE_DIRECTORY, "mutate-directory"),
    ];
    names.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| name).collect()
}

fn type_name(kind: DescriptorType) -> &'static str {
    match kind {
        DescriptorType::Unknown => "unknown",
        DescriptorType::BlockDevice => "block-device",
        DescriptorType::CharacterDevice => "character-device",
        DescriptorType::Directory => "directory",
        DescriptorType::Fifo => "fifo",
        DescriptorType::SymbolicLink => "symbolic-link",
        DescriptorType::RegularFile => "regular-file",
        DescriptorType::Socket => "socket",
    }
}

fn stat(stat: &DescriptorStat) -> Value {
    let time = |at: &Option<Datetime>| at.map(|at| json!({"seconds": at.seconds, "nanoseconds": at.nanoseconds}));
    json!({
        "type": type_name(stat.type_),
        "links": stat.link_count,
        "size": stat.size,
        "access": time(&stat.data_access_timestamp),
        "modification": time(&stat.data_modification_timestamp),
        "change": time(&stat.status_change_timestamp),
    })
}

/// As text: a JSON number would lose the low bits in most readers.
fn hash(hash: MetadataHashValue) -> Value {
    format!("{:016x}{:016x}", hash.upper, hash.lower).into()
}

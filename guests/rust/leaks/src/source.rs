//! Where the bytes come from. Names are written out here, as a tool would have them.

use crate::way_out;
use serde_json::Value;
use std::io::Read as _;

pub fn read(from: &str, row: &Value) -> Result<Vec<u8>, String> {
    let url = row["url"].as_str().unwrap_or_default();
    let failed = |e: std::io::Error| format!("from {from}: {e}");
    Ok(match from {
        "env" => std::env::var("API_KEY").map_err(|e| e.to_string())?.into_bytes(),
        "file" => std::fs::read("/data/secrets.env").map_err(failed)?,
        "listing" => {
            let mut names = Vec::new();
            for entry in std::fs::read_dir("/data/inbox").map_err(failed)? {
                names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            names.join("\n").into_bytes()
        }
        "link" => std::fs::read_link("/data/current").map_err(failed)?.to_string_lossy().into_owned().into_bytes(),
        "http" => way_out::get(url)?,
        "socket" => {
            let mut bytes = Vec::new();
            std::net::TcpStream::connect(url).and_then(|mut s| s.read_to_end(&mut bytes)).map_err(failed)?;
            bytes
        }
        "argument" => row["text"].as_str().ok_or("text is missing")?.as_bytes().to_vec(),
        _ => return Err(format!("from: {from:?} is no source")),
    })
}

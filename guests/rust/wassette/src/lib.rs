//! A component as people make them for Wassette: functions at the root of the world, errors as strings, the file system of std, and the
//! words of the WIT in the section `package-docs`. It knows nothing of customs.

wit_bindgen::generate!({ path: "wit", world: "fs" });

struct Filesystem;

impl Guest for Filesystem {
    fn list_directory(path: String) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(&path).map_err(|error| failed("list", &path, &error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| failed("list", &path, &error))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let kind = if is_folder { "[DIR]" } else { "[FILE]" };
            names.push(format!("{kind} {}", entry.file_name().to_string_lossy()));
        }
        names.sort();
        Ok(names)
    }

    fn read_file(path: String) -> Result<String, String> {
        std::fs::read_to_string(&path).map_err(|error| failed("read", &path, &error))
    }

    fn search_file(path: String, pattern: String) -> Result<String, String> {
        let text = Self::read_file(path)?;
        let found = text.lines().enumerate().filter(|(_, line)| line.contains(&pattern));
        Ok(found.map(|(at, line)| format!("{}: {line}\n", at + 1)).collect())
    }
}

fn failed(what: &str, path: &str, error: &std::io::Error) -> String {
    format!("Failed to {what} {path}: {error}")
}

export!(Filesystem);

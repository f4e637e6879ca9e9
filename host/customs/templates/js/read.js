/** Reads a file of up to a mebibyte. The engine has no file system of its own: this asks WASI itself. */
function readText(path) {
  let best;
  for (const [folder, name] of getDirectories()) {
    const prefix = name.endsWith("/") ? name : `${name}/`;
    if (path.startsWith(prefix) && (!best || prefix.length > best.prefix.length)) best = { folder, prefix };
  }
  if (!best) throw { payload: "no-entry" };
  const file = best.folder.openAt({ symlinkFollow: true }, path.slice(best.prefix.length), {}, { read: true });
  const bytes = [];
  for (let end = false; !end && bytes.length < 1 << 20; ) {
    let piece;
    [piece, end] = file.read(4096n, BigInt(bytes.length));
    bytes.push(...piece);
    end ||= piece.length === 0;
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

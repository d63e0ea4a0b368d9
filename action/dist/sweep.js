"use strict";
"use strict";
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// sweep/sweep.ts
var sweep_exports = {};
__export(sweep_exports, {
  sweep: () => sweep
});
module.exports = __toCommonJS(sweep_exports);
var import_node_fs3 = require("node:fs");
var import_node_path4 = require("node:path");

// sweep/archive.ts
var import_node_stream = require("node:stream");
var zlib = __toESM(require("node:zlib"), 1);

// sweep/budget.ts
var Unread = class extends Error {
  reason;
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
};
var Budget = class _Budget {
  #end;
  #unpacked;
  /** `unpackedBytes`: how much may come out of compressed data, all of it together. */
  constructor(milliseconds, unpackedBytes) {
    this.#end = performance.now() + milliseconds;
    this.#unpacked = unpackedBytes;
  }
  /** A part of this budget: at most `share` of the time that is left. */
  part(share) {
    return new _Budget(Math.max(0, this.#end - performance.now()) * share, this.#unpacked);
  }
  get isOver() {
    return performance.now() >= this.#end;
  }
  /** @throws {Unread} `time` */
  check() {
    if (this.isOver) throw new Unread("time");
  }
  /** @throws {Unread} `size` for data that unpacks to more than any image: a bomb, or too much for the end of a job */
  unpack(bytes) {
    this.#unpacked -= bytes;
    if (this.#unpacked < 0) throw new Unread("size");
  }
};

// sweep/archive.ts
var Source = class {
  #chunks;
  #rest = Buffer.alloc(0);
  constructor(chunks) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }
  /** The next chunk, of at most `most` bytes; null at the end. */
  async next(most = Number.POSITIVE_INFINITY) {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return null;
      this.#rest = value;
    }
    const chunk = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(chunk.length);
    return chunk;
  }
  /** The next `size` bytes, or what is left. */
  async take(size) {
    const chunks = [];
    for (let left = size; left > 0; ) {
      const chunk = await this.next(left);
      if (chunk === null) break;
      chunks.push(chunk);
      left -= chunk.length;
    }
    return Buffer.concat(chunks);
  }
  /** The next `size` bytes, or what is left. They stay in the stream. */
  async peek(size) {
    const bytes = await this.take(size);
    this.#rest = Buffer.concat([bytes, this.#rest]);
    return bytes;
  }
  async *all() {
    for (let chunk = await this.next(); chunk !== null; chunk = await this.next()) yield chunk;
  }
  /** Ends the stream below, whose file would stay open otherwise. */
  async close() {
    await this.#chunks.return?.();
  }
};
function formOf(start) {
  if (start[0] === 31 && start[1] === 139) return "gzip";
  if (start.length >= 4 && start.readUInt32LE(0) === 4247762216) return "zstd";
  if (start.length >= BLOCK && start.toString("latin1", 257, 262) === "ustar") return "tar";
  return UNKNOWN_ARCHIVES.some((magic) => start.toString("hex", 0, 8).startsWith(magic)) ? "unknown archive" : "bytes";
}
var UNKNOWN_ARCHIVES = ["504b0304", "377abcaf", "fd377a585a", "425a68", "68737173"];
var BLOCK = 512;
var PEEK_BYTES = BLOCK;
async function* unpacked(source, form, budget) {
  const zstd = zlib.createZstdDecompress;
  if (form === "zstd" && zstd === void 0) throw new Unread("archive");
  const unpack = form === "gzip" || zstd === void 0 ? zlib.createGunzip() : zstd();
  const packed = import_node_stream.Readable.from(source.all(), { objectMode: false });
  packed.on("error", (error) => unpack.destroy(error));
  try {
    for await (const chunk of packed.pipe(unpack)) {
      budget.check();
      budget.unpack(chunk.length);
      yield chunk;
    }
  } catch (thrown) {
    throw thrown instanceof Unread ? thrown : new Unread("damaged");
  } finally {
    packed.destroy();
    unpack.destroy();
  }
}
async function* tarEntries(source, budget) {
  let longName = "";
  for (let block = await source.take(BLOCK); block.length > 0; block = await source.take(BLOCK)) {
    budget.check();
    if (block.every((byte) => byte === 0)) continue;
    const size = numberIn(block, 124, 12);
    if (block.length < BLOCK || size === null || !isChecked(block)) throw new Unread("damaged");
    const type = String.fromCharCode(block[156] ?? 0);
    const describes = type === "x" || type === "g" || type === "L" || type === "K";
    if (describes && size <= MAX_DESCRIPTION_BYTES) {
      const text = await source.take(size);
      await skip(source, padding(size));
      if (type === "L") longName = textIn(text, 0, size);
      if (type === "x") longName = /^[0-9]+ path=(.*)$/m.exec(text.toString("utf8"))?.[1] ?? longName;
      yield { name: "", content: new Source(once(text)) };
      continue;
    }
    const prefix = textIn(block, 345, 155);
    const name = longName !== "" ? longName : `${prefix === "" ? "" : `${prefix}/`}${textIn(block, 0, 100)}`;
    longName = "";
    const part = new Part(source, size);
    yield { name, content: new Source(part.chunks()) };
    await skip(source, part.left + padding(size));
  }
}
var MAX_DESCRIPTION_BYTES = 1024 * 1024;
var Part = class {
  #source;
  left;
  constructor(source, size) {
    this.#source = source;
    this.left = size;
  }
  async *chunks() {
    while (this.left > 0) {
      const chunk = await this.#source.next(this.left);
      if (chunk === null) throw new Unread("damaged");
      this.left -= chunk.length;
      yield chunk;
    }
  }
};
async function* once(bytes) {
  yield bytes;
}
async function skip(source, size) {
  for (let left = size; left > 0; ) {
    const chunk = await source.next(left);
    if (chunk === null) return;
    left -= chunk.length;
  }
}
var padding = (size) => (BLOCK - size % BLOCK) % BLOCK;
function textIn(block, start, length) {
  const end = block.indexOf(0, start);
  return block.toString("utf8", start, end === -1 || end > start + length ? start + length : end);
}
function numberIn(block, start, length) {
  if (block[start] === 128) return Number(block.readBigUInt64BE(start + length - 8) & 0x1fffffffffffffn);
  const digits = textIn(block, start, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : null;
}
function isChecked(block) {
  let sum = 8 * 32;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  return numberIn(block, 148, 8) === sum;
}

// sweep/files.ts
var import_node_fs = require("node:fs");
function lookAt(path) {
  try {
    return (0, import_node_fs.lstatSync)(path, { throwIfNoEntry: false });
  } catch (thrown) {
    if (codeOf(thrown) === "ENOTDIR") return void 0;
    throw new Unread("unreadable");
  }
}
function openFile(path) {
  let descriptor;
  try {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = import_node_fs.constants;
    descriptor = (0, import_node_fs.openSync)(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (thrown) {
    throw new Unread(REASONS[codeOf(thrown)] ?? "unreadable");
  }
  try {
    const { size, isFile } = statOf(descriptor);
    if (!isFile) throw new Unread("special");
    return { descriptor, size };
  } catch (thrown) {
    (0, import_node_fs.closeSync)(descriptor);
    throw thrown;
  }
}
var REASONS = {
  __proto__: null,
  ELOOP: "link",
  EMLINK: "link",
  // FreeBSD
  ENOENT: "missing",
  ENOTDIR: "missing",
  ENXIO: "special",
  // a socket
  EISDIR: "special"
};
function statOf(descriptor) {
  const found = (0, import_node_fs.fstatSync)(descriptor);
  return { size: found.size, isFile: found.isFile() };
}
function codeOf(thrown) {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}
function readThrough(file, most, take) {
  try {
    for (let left = most; left > 0; ) {
      const count = readSome(file.descriptor, Math.min(left, CHUNK.length));
      if (count === 0) return;
      take(CHUNK.subarray(0, count));
      left -= count;
    }
  } finally {
    (0, import_node_fs.closeSync)(file.descriptor);
  }
}
var CHUNK = Buffer.allocUnsafe(256 * 1024);
function readSome(descriptor, most) {
  try {
    return (0, import_node_fs.readSync)(descriptor, CHUNK, 0, most, null);
  } catch {
    throw new Unread("unreadable");
  }
}
async function* streamOf({ descriptor }) {
  try {
    for await (const chunk of (0, import_node_fs.createReadStream)("", { fd: descriptor, autoClose: true, highWaterMark: 256 * 1024 })) {
      yield chunk;
    }
  } catch (thrown) {
    throw thrown instanceof Unread ? thrown : new Unread("unreadable");
  }
}
function linesAt(path, offsets) {
  const lines = new Map(offsets.map((offset) => [offset, null]));
  const end = Math.max(...offsets);
  let [line, at, isText] = [1, 0, true];
  const waiting = [...new Set(offsets)].sort((a, b) => a - b);
  try {
    readThrough(openFile(path), end + 1, (chunk) => {
      if (at === 0) isText = !chunk.subarray(0, 8e3).includes(0);
      for (const byte of isText ? chunk : []) {
        while (waiting[0] === at) lines.set(waiting.shift() ?? 0, line);
        if (byte === 10) line++;
        at++;
      }
    });
  } catch {
  }
  return lines;
}

// sweep/places.ts
var import_node_path = require("node:path");
function toolFiles({ home, workspace, variables }) {
  const set = (name) => variables[name] ?? "";
  const at = (folder, ...names) => folder === null || folder === "" ? [] : names.map((name) => (0, import_node_path.join)(folder, name));
  const config = set("XDG_CONFIG_HOME") === "" ? home === null ? null : (0, import_node_path.join)(home, ".config") : set("XDG_CONFIG_HOME");
  const named = ["GIT_CONFIG_GLOBAL", "NETRC", "NPM_CONFIG_USERCONFIG", "npm_config_userconfig", "KUBECONFIG"];
  const paths = [
    ...at(workspace, ".git/config", ".npmrc", ".yarnrc.yml", ".netrc"),
    ...at(home, ".gitconfig", ".git-credentials", ".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc"),
    ...at(home, ".docker/config.json", ".kube/config", ".aws/credentials", ".aws/config", ".cargo/credentials.toml"),
    ...at(home, ".m2/settings.xml", ".gem/credentials", ".terraform.d/credentials.tfrc.json", ".config/gh/hosts.yml"),
    ...at(config, "git/config", "git/credentials", "gcloud/application_default_credentials.json", "pip/pip.conf"),
    ...at(set("DOCKER_CONFIG"), "config.json"),
    ...named.map(set).filter((path) => path !== "")
  ];
  return [...new Set(paths)];
}
var commandFolder = (temp) => (0, import_node_path.join)(temp, "_runner_file_commands");
function isKnown(path, temp) {
  if (temp === null) return false;
  if ((0, import_node_path.dirname)(path) === commandFolder(temp)) return /^(?:set_env|set_output|save_state)_/.test((0, import_node_path.basename)(path));
  const [first = ""] = path.startsWith(`${temp}/`) || path.startsWith(`${temp}\\`) ? path.slice(temp.length + 1).split(/[/\\]/) : [];
  return STEP_FOLDER.test(first);
}
var STEP_FOLDER = /^daypass-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
function isSkipped(path, name) {
  return (name === "objects" || name === "lfs") && path.split(/[/\\]/).includes(".git");
}
var PACKAGES = "node_modules";

// sweep/report.ts
var import_node_path2 = require("node:path");
var MAX_FINDINGS = 100;
var MAX_UNREAD = 20;
var Report = class {
  #workspace;
  #findings = /* @__PURE__ */ new Map();
  #unread = [];
  #unreadCount = 0;
  constructor(workspace) {
    this.#workspace = workspace;
  }
  /** A value in a file, or in the entry of an archive to which `inside` leads. */
  find({ grant, name }, path, inside, line) {
    const shown = this.#shown(path);
    const entry = inside.join(" / ");
    const finding = { grant, name, path: shown, ...entry !== "" && { entry }, ...line !== null && { line } };
    const key = JSON.stringify([grant, name, shown, entry]);
    if (this.#findings.size <= MAX_FINDINGS && !this.#findings.has(key)) this.#findings.set(key, finding);
  }
  note(path, reason) {
    this.#unreadCount++;
    if (this.#unread.length < MAX_UNREAD) this.#unread.push({ path: this.#shown(path), reason });
  }
  lists() {
    const findings = [...this.#findings.values()];
    return {
      findings: findings.slice(0, MAX_FINDINGS),
      hasMore: findings.length > MAX_FINDINGS,
      unread: this.#unread,
      unreadCount: this.#unreadCount
    };
  }
  #shown(path) {
    const workspace = this.#workspace;
    const isInside = workspace !== null && path !== workspace && (0, import_node_path2.isAbsolute)(path) && isBelow((0, import_node_path2.resolve)(workspace), path);
    return isInside ? (0, import_node_path2.relative)(workspace, path).split(import_node_path2.sep).join("/") : path;
  }
};
var isBelow = (folder, path) => path === folder || path.startsWith(folder.endsWith(import_node_path2.sep) ? folder : folder + import_node_path2.sep);

// fingerprints/keys.ts
var import_node_crypto = require("node:crypto");
var MAC_BYTES = 16;
var MAX_PATTERN_BYTES = 1024;
var MIN_PATTERN_BYTES = 8;
function patternMac(keys, bytes) {
  return mac(keys, "pattern", bytes);
}
function mac(keys, use, bytes) {
  const digest = (0, import_node_crypto.createHmac)("sha256", keys.mac).update(`${use}\0`).update(bytes).digest();
  return digest.subarray(0, MAC_BYTES).toString("base64url");
}
var windowOf = (length) => length >= LONG_WINDOW ? LONG_WINDOW : MIN_PATTERN_BYTES;
var LONG_WINDOW = 16;
function windowHash(bytes, start, window, multiplier) {
  let hash = 0;
  for (let at = start; at < start + window; at++) hash = Math.imul(hash, multiplier) + bytes[at] | 0;
  return hash;
}

// sweep/search.ts
var CHUNK_BYTES = 256 * 1024;
var FILTER_SHIFT = 16;
var Search = class {
  #tables;
  #buffer = new Uint8Array(CHUNK_BYTES + MAX_PATTERN_BYTES);
  #budget;
  #filled = 0;
  /** Of the buffer's first byte in the stream. */
  #offset = 0;
  #found = /* @__PURE__ */ new Map();
  #bytes = 0;
  constructor(records, budget) {
    this.#tables = tablesOf(records);
    this.#budget = budget;
  }
  /** All bytes that were searched. */
  get bytes() {
    return this.#bytes;
  }
  begin(budget) {
    this.#budget = budget;
    this.#filled = 0;
    this.#offset = 0;
    this.#found = /* @__PURE__ */ new Map();
  }
  /** @throws {Unread} `time` */
  push(chunk) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, this.#buffer.length - this.#filled);
      this.#buffer.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled < this.#buffer.length) return;
      this.#budget.check();
      this.#search(this.#filled - MAX_PATTERN_BYTES + 1);
    }
  }
  /** The first place of each value that the stream contains. @throws {Unread} `time` */
  end() {
    this.#budget.check();
    this.#search(this.#filled);
    return this.#places();
  }
  /** The same for a stream that could not be read to its end. Never throws. */
  soFar() {
    if (!this.#budget.isOver) this.#search(this.#filled);
    return this.#places();
  }
  #places() {
    return [...this.#found].map(([value, offset]) => ({ value, offset }));
  }
  /** Searches for patterns that start in the first `limit` bytes of the buffer, and drops these bytes. */
  #search(limit) {
    for (const table of this.#tables) this.#scan(table, limit);
    this.#bytes += limit;
    this.#offset += limit;
    this.#buffer.copyWithin(0, limit, this.#filled);
    this.#filled -= limit;
  }
  #scan({ window, multiplier, oldest, filter, byHash }, limit) {
    const [buffer, filled] = [this.#buffer, this.#filled];
    const last = Math.min(limit, filled - window + 1);
    if (last <= 0) return;
    let hash = windowHash(buffer, 0, window, multiplier);
    for (let at = 0; ; at++) {
      if (filter[hash >>> FILTER_SHIFT] !== 0) {
        const candidates = byHash.get(hash);
        if (candidates !== void 0) this.#confirm(candidates, at);
      }
      if (at + 1 >= last) return;
      const change = buffer[at + window] - Math.imul(buffer[at], oldest);
      hash = Math.imul(hash, multiplier) + change | 0;
    }
  }
  #confirm(candidates, at) {
    for (const { pattern, record, value } of candidates) {
      const isBefore = (this.#found.get(value) ?? Number.POSITIVE_INFINITY) <= this.#offset + at;
      if (isBefore || at + pattern.length > this.#filled) continue;
      const bytes = this.#buffer.subarray(at, at + pattern.length);
      if (patternMac(record.keys, bytes) === pattern.mac) this.#found.set(value, this.#offset + at);
    }
  }
};
function tablesOf(records) {
  const groups = /* @__PURE__ */ new Map();
  for (const record of records) {
    for (const pattern of record.patterns) {
      const [window, { multiplier }] = [windowOf(pattern.length), record.keys];
      const value = record.values[pattern.value];
      if (value === void 0) continue;
      const group = groups.get(`${window} ${multiplier}`) ?? { window, multiplier, candidates: [] };
      group.candidates.push({ pattern, record, value });
      groups.set(`${window} ${multiplier}`, group);
    }
  }
  return [...groups.values()].map(({ window, multiplier, candidates }) => {
    const filter = new Uint8Array(1 << 32 - FILTER_SHIFT);
    const byHash = /* @__PURE__ */ new Map();
    for (const candidate of candidates) {
      const { hash } = candidate.pattern;
      filter[hash >>> FILTER_SHIFT] = 1;
      byHash.set(hash, [...byHash.get(hash) ?? [], candidate]);
    }
    let oldest = 1;
    for (let power = 0; power < window; power++) oldest = Math.imul(oldest, multiplier);
    return { window, multiplier, oldest, filter, byHash };
  });
}

// sweep/walk.ts
var import_node_fs2 = require("node:fs");
var import_node_path3 = require("node:path");
var CLOCK_TOLERANCE_MS = 2e3;
var MAX_DEPTH = 100;
function* filesBelow(folder, options, depth = 0) {
  if (depth > MAX_DEPTH) return options.unread(folder, "nested");
  const folders = [];
  for (const entry of entriesOf(folder, options)) {
    options.budget.check();
    const path = (0, import_node_path3.join)(folder, entry.name);
    if (entry.isDirectory()) {
      if (options.enters(path, entry.name)) folders.push(path);
    } else if (entry.isFile() && isRecent(path, options.since)) yield path;
  }
  for (const each of folders) yield* filesBelow(each, options, depth + 1);
}
function entriesOf(folder, { budget, unread }) {
  const entries = [];
  try {
    const directory = (0, import_node_fs2.opendirSync)(folder, { bufferSize: 256 });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        budget.check();
        entries.push(entry);
      }
    } finally {
      directory.closeSync();
    }
  } catch (thrown) {
    if (thrown instanceof Unread) throw thrown;
    unread(folder, "unreadable");
  }
  return entries;
}
function isRecent(path, since) {
  if (since === null) return true;
  try {
    const found = lookAt(path);
    return found !== void 0 && Math.max(found.mtimeMs, found.ctimeMs) >= since - CLOCK_TOLERANCE_MS;
  } catch {
    return true;
  }
}

// sweep/sweep.ts
var PLAIN = { inside: [], depth: 0 };
var MAX_FILE_BYTES = 256 * 1024 ** 2;
var MAX_UNPACKED_BYTES = 16 * 1024 ** 3;
var MAX_NESTED = 6;
var NAMED_SHARE = 0.6;
async function sweep(request) {
  const budget = new Budget(request.milliseconds, MAX_UNPACKED_BYTES);
  const run = new Sweep(request, budget);
  for (const path of toolFiles(request)) run.tool(path);
  if (request.temp !== null) run.below(commandFolder(request.temp), { since: null, isExpected: false });
  const named = budget.part(NAMED_SHARE);
  for (const path of request.named) await run.named(path, named);
  if (request.workspace !== null) run.workspace(request.workspace);
  return run.report();
}
var Sweep = class {
  #request;
  #budget;
  #search;
  #done = /* @__PURE__ */ new Set();
  #report;
  #files = 0;
  constructor(request, budget) {
    this.#request = request;
    this.#budget = budget;
    this.#search = new Search(request.records, budget);
    this.#report = new Report(request.workspace);
  }
  report() {
    return { ...this.#report.lists(), files: this.#files, bytes: this.#search.bytes };
  }
  /** A file of a tool, which is usually not there. */
  tool(path) {
    try {
      const found = lookAt(path);
      if (found?.isFile()) this.#file(path);
      else if (found !== void 0) this.#report.note(path, found.isSymbolicLink() ? "link" : "special");
    } catch (thrown) {
      this.#report.note(path, reasonOf(thrown));
    }
  }
  workspace(folder) {
    const since = Math.min(...this.#request.records.map((record) => record.since));
    const packages = [];
    this.below(folder, { since, isExpected: true, later: packages });
    for (const each of packages) this.below(each, { since, isExpected: true });
  }
  /** Files below a folder. `later`: gets the folders of packages, which then wait. */
  below(folder, how) {
    const enters = (path, name) => {
      if (isSkipped(path, name) || isKnown(path, this.#request.temp)) return false;
      if (how.later === void 0 || name !== PACKAGES) return true;
      how.later.push(path);
      return false;
    };
    const unread = (path, reason) => this.#report.note(path, reason);
    try {
      if (lookAt(folder)?.isDirectory() !== true) {
        if (how.isExpected) this.#report.note(folder, "missing");
        return;
      }
      for (const path of filesBelow(folder, { budget: this.#budget, since: how.since, enters, unread }))
        this.#file(path);
    } catch (thrown) {
      this.#report.note(folder, reasonOf(thrown));
    }
  }
  /** A path that the workflow names: its archives are read inside. */
  async named(text, budget) {
    try {
      const path = this.#placeOf(text);
      const found = lookAt(path);
      if (found === void 0) throw new Unread("missing");
      if (found.isSymbolicLink()) throw new Unread("link");
      if (!found.isDirectory()) return await this.#archive(path, budget);
      const options = {
        budget,
        since: null,
        enters: (each) => !isKnown(each, this.#request.temp),
        unread: (each, reason) => this.#report.note(each, reason)
      };
      for (const each of filesBelow(path, options)) await this.#archive(each, budget);
    } catch (thrown) {
      this.#report.note(text, reasonOf(thrown));
    }
  }
  /** A relative path leads out of the workspace by `..` or by a link. An absolute one means what it says. */
  #placeOf(text) {
    if ((0, import_node_path4.isAbsolute)(text)) return text;
    const { workspace } = this.#request;
    if (workspace === null) throw new Unread("outside");
    const path = (0, import_node_path4.resolve)(workspace, text);
    const real = realPathOf((0, import_node_path4.resolve)(path, ".."));
    if (real === null) throw new Unread("missing");
    const isInside = path === (0, import_node_path4.resolve)(workspace) || isBelow(realPathOf(workspace) ?? workspace, real);
    if (!isInside || !(path === (0, import_node_path4.resolve)(workspace) || isBelow((0, import_node_path4.resolve)(workspace), path))) throw new Unread("outside");
    return path;
  }
  /** @throws {Unread} `time`, for the caller to note */
  #file(path) {
    if (this.#done.has(path) || isKnown(path, this.#request.temp)) return;
    this.#done.add(path);
    try {
      const file = openFile(path);
      this.#search.begin(this.#budget);
      this.#files++;
      try {
        readThrough(file, MAX_FILE_BYTES, (chunk) => this.#search.push(chunk));
        this.#found(path, this.#search.end());
        if (file.size > MAX_FILE_BYTES) throw new Unread("size");
      } catch (thrown) {
        this.#found(path, this.#search.soFar());
        throw thrown;
      }
    } catch (thrown) {
      this.#noteUnlessTime(path, thrown);
    }
  }
  /** @throws {Unread} `time`, for the caller to note */
  async #archive(path, budget) {
    if (isKnown(path, this.#request.temp)) return;
    this.#done.add(path);
    try {
      const source = new Source(streamOf(openFile(path)));
      this.#files++;
      try {
        await this.#stream(source, { path, inside: [], depth: 0, budget });
      } finally {
        await source.close();
      }
    } catch (thrown) {
      this.#noteUnlessTime(path, thrown);
    }
  }
  #noteUnlessTime(path, thrown) {
    const reason = reasonOf(thrown);
    if (reason === "time") throw thrown;
    if (reason !== "missing") this.#report.note(path, reason);
  }
  async #stream(source, at) {
    const { path, inside, budget, depth } = at;
    const form = formOf(await source.peek(PEEK_BYTES));
    if (form === "unknown archive") this.#report.note([path, ...inside].join(" / "), "archive");
    if (form === "bytes" || form === "unknown archive") return this.#content(source, at);
    if (depth >= MAX_NESTED) throw new Unread("nested");
    const deeper = { ...at, depth: depth + 1 };
    if (form !== "tar") return this.#stream(new Source(unpacked(source, form, budget)), deeper);
    for await (const { name, content } of tarEntries(source, budget)) {
      const entry = { ...deeper, inside: name === "" ? inside : [...inside, name] };
      if (name === "") await this.#content(content, entry);
      else await this.#entry(content, entry);
    }
  }
  /** A damaged archive inside of another one does not end the reading of the outer one. */
  async #entry(content, at) {
    try {
      await this.#stream(content, at);
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (reason === "time" || reason === "size") throw thrown;
      this.#report.note([at.path, ...at.inside].join(" / "), reason);
    }
  }
  async #content(source, at) {
    this.#search.begin(at.budget);
    try {
      for await (const chunk of source.all()) this.#search.push(chunk);
      this.#found(at.path, this.#search.end(), at);
    } catch (thrown) {
      this.#found(at.path, this.#search.soFar(), at);
      throw thrown;
    }
  }
  /** Only the bytes of the file itself have lines: those of an archive are not its own. */
  #found(path, found, { inside, depth } = PLAIN) {
    if (found.length === 0) return;
    const offsets = found.map(({ offset }) => offset);
    const lines = depth > 0 ? null : linesAt(path, offsets);
    for (const { value, offset } of found) this.#report.find(value, path, inside, lines?.get(offset) ?? null);
  }
};
function realPathOf(path) {
  try {
    return (0, import_node_fs3.realpathSync)(path);
  } catch {
    return null;
  }
}
var reasonOf = (thrown) => thrown instanceof Unread ? thrown.reason : "unreadable";
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  sweep
});

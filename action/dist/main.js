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

// part:main
var main_exports = {};
__export(main_exports, {
  ActionError: () => ActionError,
  HttpFailure: () => HttpFailure,
  KEY_BINDING_SEPARATOR: () => KEY_BINDING_SEPARATOR,
  MAX_GRANTS_PER_REQUEST: () => MAX_GRANTS_PER_REQUEST,
  MEDIA_TYPE_JOSE: () => MEDIA_TYPE_JOSE,
  MEDIA_TYPE_PROBLEM: () => MEDIA_TYPE_PROBLEM,
  OWN_CODES: () => OWN_CODES,
  StepLeases: () => StepLeases,
  actionFolder: () => actionFolder,
  appendSummary: () => appendSummary,
  boundAudience: () => boundAudience,
  claimLines: () => claimLines,
  commandsStoppedWith: () => commandsStoppedWith,
  connect: () => connect,
  connectToBroker: () => connectToBroker,
  debug: () => debug,
  endWith: () => endWith,
  exchange: () => exchange,
  exchangeForAnswer: () => exchangeForAnswer,
  fail: () => fail,
  forLog: () => forLog,
  forMarkdown: () => forMarkdown,
  idTokenEndpoint: () => idTokenEndpoint,
  info: () => info,
  input: () => input,
  isHttpsOrLoopback: () => isHttpsOrLoopback,
  isJobFolder: () => isJobFolder,
  isKept: () => isKept,
  isOver: () => isOver,
  jobFacts: () => jobFacts,
  jobFolder: () => jobFolder,
  makeJobFolder: () => makeJobFolder,
  makeJobKey: () => makeJobKey,
  memberOf: () => memberOf,
  membersOf: () => membersOf,
  messageForLog: () => messageForLog,
  messageForMarkdown: () => messageForMarkdown,
  onLogClosed: () => onLogClosed,
  parseJson: () => parseJson,
  pathIn: () => pathIn,
  proxyEnvironment: () => proxyEnvironment,
  rawInput: () => rawInput,
  readInputs: () => readInputs,
  readRecords: () => readRecords,
  registerMasks: () => registerMasks,
  registeredMasks: () => registeredMasks,
  removeDeliveredFiles: () => removeDeliveredFiles,
  removeJobFolder: () => removeJobFolder,
  replaceJobFile: () => replaceJobFile,
  requestExchange: () => requestExchange,
  requestIdToken: () => requestIdToken,
  requestRevocation: () => requestRevocation,
  requireRunnerFiles: () => requireRunnerFiles,
  saveFilesFolder: () => saveFilesFolder,
  saveKeep: () => saveKeep,
  saveState: () => saveState,
  saveVariables: () => saveVariables,
  savedLeases: () => savedLeases,
  savedState: () => savedState,
  savedVariables: () => savedVariables,
  send: () => send,
  setOutputs: () => setOutputs,
  setVariables: () => setVariables,
  silenceLog: () => silenceLog,
  spreadFirstCall: () => spreadFirstCall,
  startDeadline: () => startDeadline,
  startedFile: () => startedFile,
  stepEnvironment: () => stepEnvironment,
  surroundings: () => surroundings,
  sweepPlaces: () => sweepPlaces,
  thumbprintWithoutKey: () => thumbprintWithoutKey,
  toFailure: () => toFailure,
  typeOf: () => typeOf,
  warn: () => warn,
  withRetries: () => withRetries,
  writeJobFiles: () => writeJobFiles,
  writeRecord: () => writeRecord,
  writeToLog: () => writeToLog
});
module.exports = __toCommonJS(main_exports);

// escape.ts
var MAX_SHOWN_CHARACTERS = 400;
var MAX_TEXT_CHARACTERS = 4e3;
var ASCII = /^[\x20-\x7e]*$/;
var structureAmong = (word) => [
  // Escapes, code, emphasis, links, tags, table cells, strikethrough, mathematics, character references, mentions,
  // headings (also at the end of one) and references to issues.
  String.raw`[\\\x60*[\]<>|~$&@#]`,
  // Emphasis, except inside a word.
  `(?<![${word}])_|_(?![${word}])`,
  // GFM turns `https://`, `mailto:`, `xmpp:` and `www.` into links without brackets.
  String.raw`:(?=\/\/)|(?<=mailto|xmpp):|(?<=www)\.`,
  // `:name:` is an emoji on GitHub. Minutes and most line numbers are none.
  String.raw`:(?=[\w+-]+:)(?!\d{1,2}:)`,
  // At the start of a line: lists, rules, underlined headings, indented code.
  String.raw`^[-+= ]|(?<=^\d{1,9})[.)]`
].join("|");
function structureIn(text, spans = false) {
  const isAscii = ASCII.test(text);
  const structure = structureAmong(isAscii ? "A-Za-z0-9" : String.raw`\p{L}\p{N}`);
  return new RegExp(spans ? `\`[^\`]+\`|${structure}` : structure, isAscii ? "gi" : "giu");
}
function forLog(text, limit = MAX_SHOWN_CHARACTERS) {
  return visible(shortened(text, limit)).replaceAll("##[", "## [");
}
var messageForLog = (text) => forLog(text, MAX_TEXT_CHARACTERS);
function forMarkdown(text, limit = MAX_SHOWN_CHARACTERS) {
  return visible(shortened(text, limit)).replace(structureIn(text), reference);
}
function messageForMarkdown(text) {
  return visible(shortened(text, MAX_TEXT_CHARACTERS)).replace(
    structureIn(text, true),
    (found) => found.length > 2 ? found : reference(found)
  );
}
var reference = (character) => `&#${character.codePointAt(0)};`;
var INVISIBLE = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]`;
function visible(text) {
  if (ASCII.test(text)) return text;
  return text.replace(new RegExp(INVISIBLE, "gu"), (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
function shortened(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`;
}

// exchange.ts
var import_node_crypto3 = require("node:crypto");

// ../broker/wire/lease-id.ts
function newLeaseId(now, randomUuid) {
  const time = now.getTime().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUuid.slice(15)}`;
}

// ../broker/wire/exchange.ts
var KEY_BINDING_SEPARATOR = "?jkt=";
var MEDIA_TYPE_PROBLEM = "application/problem+json";
var MEDIA_TYPE_JOSE = "application/jose";
var MAX_GRANTS_PER_REQUEST = 32;

// http-failure.ts
var HttpFailure = class extends Error {
  name = "HttpFailure";
  fault;
  /** The proxy that caused it, as `host:port`: without the user and password that its URL may have. */
  proxy;
  /** What the proxy answered instead of opening a tunnel. */
  status;
  constructor(fault, extra = {}) {
    super(`the request failed: ${fault}`);
    this.fault = fault;
    if (extra.proxy !== void 0) this.proxy = extra.proxy;
    if (extra.status !== void 0) this.status = extra.status;
  }
  /** Absent when a retry would fail in the same way. */
  get retry() {
    if (this.status !== void 0 && this.status < 500) return void 0;
    return RETRIES[this.fault];
  }
};
var RETRIES = {
  "unknown-host": { pace: "quick" },
  refused: { pace: "quick" },
  unconnected: { pace: "patient" },
  reset: { pace: "patient" },
  timeout: { pace: "patient" },
  tls: void 0,
  "too-large": void 0,
  redirect: void 0,
  "not-http": void 0,
  "proxy-refused": { pace: "quick" },
  "proxy-down": { pace: "quick" }
};

// runner.ts
var import_node_fs3 = require("node:fs");
var import_node_path = require("node:path");

// commands.ts
function workflowCommand(name, data, properties = {}) {
  const pairs = Object.entries(properties).filter(([, value]) => value !== void 0 && value !== "");
  const list = pairs.map(([key, value]) => `${key}=${escapeProperty(String(value))}`).join(",");
  return `::${name}${list === "" ? "" : ` ${list}`}::${escapeData(data)}
`;
}
var escapeData = (text) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
var escapeProperty = (text) => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

// failure.ts
var OWN_CODES = [
  "input_invalid",
  "id_token_permission_missing",
  "id_token_fork",
  "id_token_dependabot",
  "id_token_unavailable",
  "broker_unreachable",
  "broker_timeout",
  "broker_tls",
  "broker_redirects",
  "broker_intercepted",
  "proxy_refused",
  "broker_too_old",
  "broker_failing",
  "problem_unknown",
  "answer_not_sealed",
  "answer_unusable",
  "delivery_refused",
  "azure_login_failed",
  "runner_file_missing",
  "runner_disk",
  "leak_found",
  "sweep_impossible",
  "unexpected"
];
var ActionError = class extends Error {
  name = "ActionError";
  code;
  retry;
  /** The broker's request id, with which its operator finds the request in the log. */
  requestId;
  trace;
  /** What to change in this very case; left out, the advice for the code counts. */
  change;
  /** Where the organisation helps. */
  help;
  /** True when the broker may have acted on the request, although it did not say so. */
  undecided;
  constructor(code, message, extra = {}) {
    super(message);
    this.code = code;
    if (extra.retry) this.retry = extra.retry;
    if (extra.requestId !== void 0) this.requestId = extra.requestId;
    if (extra.trace) this.trace = extra.trace;
    if (extra.change !== void 0) this.change = extra.change;
    if (extra.help) this.help = extra.help;
    this.undecided = extra.undecided ?? false;
  }
};
function toFailure(thrown) {
  if (thrown instanceof ActionError) return thrown;
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  const disk = DISK_FAULTS[code];
  if (disk !== void 0) {
    const path = thrown instanceof Error && "path" in thrown && typeof thrown.path === "string" ? ` ${thrown.path}` : "";
    return new ActionError(
      "runner_disk",
      `A file of this runner cannot be written or removed: ${disk}${path} (${code}).`
    );
  }
  return new ActionError("unexpected", `The action itself failed with ${kind}${code === "" ? "" : ` (${code})`}.`);
}
var DISK_FAULTS = {
  __proto__: null,
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only at",
  EACCES: "the runner's user may not write to",
  EPERM: "the runner's user may not write to",
  ENOENT: "there is no folder for",
  ENOTDIR: "a part of the path is not a folder:",
  EEXIST: "there is something already at",
  ELOOP: "there is a link at",
  EIO: "the disk fails at"
};

// json.ts
var import_node_buffer = require("node:buffer");
function parseJson(bytes) {
  if (!(0, import_node_buffer.isUtf8)(bytes)) return void 0;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch {
    return void 0;
  }
}
function memberOf(value, name) {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return void 0;
  return value[name];
}
function membersOf(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
}

// log.ts
var import_node_fs = require("node:fs");
var STDOUT = 1;
var isStreaming = false;
function print(text) {
  if (isStreaming) {
    process.stdout.write(text);
    return;
  }
  let bytes = Buffer.from(text, "utf8");
  try {
    while (bytes.length > 0) bytes = bytes.subarray((0, import_node_fs.writeSync)(STDOUT, bytes));
  } catch {
    stream().write(bytes);
  }
}
function printed() {
  return isStreaming ? new Promise((resolve2) => process.stdout.write("", () => resolve2())) : Promise.resolve();
}
function writeToLog(bytes) {
  const stdout = stream();
  if (stdout.destroyed || stdout.write(bytes)) return Promise.resolve();
  return new Promise((resolve2) => {
    const go = () => {
      stdout.off("drain", go).off("close", go);
      resolve2();
    };
    stdout.on("drain", go).on("close", go);
  });
}
function onLogClosed(act2) {
  stream().on("error", act2);
}
function stream() {
  isStreaming = true;
  return process.stdout;
}

// runner-file.ts
var import_node_fs2 = require("node:fs");
var { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = import_node_fs2.constants;
function appendToRunnerFile(name, path, text) {
  const descriptor = open(name, path);
  try {
    requireOrdinary(name, (0, import_node_fs2.fstatSync)(descriptor));
    (0, import_node_fs2.writeFileSync)(descriptor, text);
  } finally {
    (0, import_node_fs2.closeSync)(descriptor);
  }
}
function requireRunnerFile(name, path) {
  const found = (0, import_node_fs2.lstatSync)(path, { throwIfNoEntry: false });
  if (found !== void 0) requireOrdinary(name, found);
}
function open(name, path) {
  try {
    return (0, import_node_fs2.openSync)(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 384);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
    if (code === "ELOOP" || code === "EMLINK" || code === "ENXIO" || code === "EISDIR") throw planted(name);
    throw thrown;
  }
}
function requireOrdinary(name, found) {
  const isOrdinary = found.isCharacterDevice() || found.isFile() && found.nlink === 1;
  if (!isOrdinary) throw planted(name);
}
function planted(name) {
  return new ActionError("runner_disk", `A link or something else stands where the runner's file of ${name} must be.`, {
    change: "Look for the step or the container of this job that writes to the runner's temporary folder, and do not trust it."
  });
}

// runner.ts
function input(name) {
  return rawInput(name).trim();
}
function rawInput(name) {
  return variable(`INPUT_${name.replaceAll(" ", "_").toUpperCase()}`);
}
function stepEnvironment() {
  return process.env;
}
function actionFolder() {
  return (0, import_node_path.dirname)((0, import_node_path.resolve)(process.argv[1] ?? ""));
}
function startedFile() {
  return (0, import_node_path.basename)(process.argv[1] ?? "");
}
function idTokenEndpoint() {
  const url = variable("ACTIONS_ID_TOKEN_REQUEST_URL");
  const requestToken = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  return url === "" || requestToken === "" ? null : { url, requestToken };
}
function jobFacts() {
  return { actor: variable("GITHUB_ACTOR"), eventName: variable("GITHUB_EVENT_NAME"), event: readEvent() };
}
function surroundings() {
  const stackBytes = () => {
    try {
      const soft = /^Max stack size +([0-9]+|unlimited) /m.exec((0, import_node_fs3.readFileSync)("/proc/self/limits", "latin1"))?.[1];
      return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
    } catch {
      return Number.NaN;
    }
  };
  return { platform: process.platform, environment: process.env, stackBytes };
}
function proxyEnvironment() {
  return process.env;
}
async function registerMasks(masks) {
  if (isLogSilent) return;
  const added = new Set(masks).difference(registered);
  for (const mask of added) registered.add(mask);
  printCommands([...added].map((mask) => workflowCommand("add-mask", mask)));
  await printed();
}
function silenceLog() {
  isLogSilent = true;
}
function registeredMasks() {
  return registered;
}
function commandsStoppedWith(token) {
  stopToken = token;
}
function setVariables(variables) {
  appendBlocks("GITHUB_ENV", variables);
}
function setOutputs(outputs) {
  appendBlocks("GITHUB_OUTPUT", outputs);
}
function saveState(name, value) {
  appendBlocks("GITHUB_STATE", /* @__PURE__ */ new Map([[name, value]]));
}
function savedState(name) {
  return variable(`STATE_${name}`);
}
function requireRunnerFiles() {
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"]) requireRunnerFile(name, runnerFile(name));
}
function jobFolder() {
  const root = variable("RUNNER_TEMP");
  if (root === "") throw new ActionError("runner_file_missing", "The runner did not set RUNNER_TEMP.");
  return (0, import_node_path.join)((0, import_node_path.resolve)(root), `${FOLDER_PREFIX}${randomUUID()}`);
}
function pathIn(folder, name) {
  return (0, import_node_path.join)(folder, ".run", name);
}
function writeJobFiles(folder, files) {
  (0, import_node_fs3.mkdirSync)(folder, { mode: 448 });
  for (const { path, bytes, mode } of files) {
    (0, import_node_fs3.mkdirSync)((0, import_node_path.dirname)(path), { mode: 448, recursive: true });
    const descriptor = (0, import_node_fs3.openSync)(path, "wx", 384);
    try {
      (0, import_node_fs3.writeFileSync)(descriptor, bytes);
      (0, import_node_fs3.fchmodSync)(descriptor, mode);
    } finally {
      (0, import_node_fs3.closeSync)(descriptor);
    }
  }
}
function replaceJobFile(path, bytes) {
  const next = `${path}.${randomUUID()}`;
  try {
    (0, import_node_fs3.writeFileSync)(next, bytes, { flag: "wx", mode: 384 });
    (0, import_node_fs3.renameSync)(next, path);
  } catch (thrown) {
    (0, import_node_fs3.rmSync)(next, { force: true });
    throw thrown;
  }
}
function makeJobFolder(folder) {
  (0, import_node_fs3.mkdirSync)(folder, { mode: 448 });
}
function writeRecord(folder, name, text) {
  (0, import_node_fs3.writeFileSync)((0, import_node_path.join)(folder, name), text, { flag: "wx", mode: 384 });
}
function readRecords(folder, names, maxBytes) {
  try {
    if (!isJobFolder(folder) || !(0, import_node_fs3.lstatSync)(folder).isDirectory()) return null;
    const found = (0, import_node_fs3.readdirSync)(folder).filter((name) => names.test(name));
    return found.map((name) => readRegularFile((0, import_node_path.join)(folder, name), maxBytes));
  } catch {
    return null;
  }
}
function readRegularFile(path, maxBytes) {
  const { O_RDONLY, O_NOFOLLOW: O_NOFOLLOW2 = 0, O_NONBLOCK: O_NONBLOCK2 = 0 } = import_node_fs3.constants;
  const descriptor = (0, import_node_fs3.openSync)(path, O_RDONLY | O_NOFOLLOW2 | O_NONBLOCK2);
  try {
    const found = (0, import_node_fs3.fstatSync)(descriptor);
    if (!found.isFile() || found.size > maxBytes) throw new Error("unreachable for a file of this action");
    return (0, import_node_fs3.readFileSync)(descriptor);
  } finally {
    (0, import_node_fs3.closeSync)(descriptor);
  }
}
function removeJobFolder(folder) {
  if (isJobFolder(folder)) (0, import_node_fs3.rmSync)(folder, { recursive: true, force: true });
}
function isJobFolder(folder) {
  return (0, import_node_path.dirname)(folder) === (0, import_node_path.resolve)(variable("RUNNER_TEMP")) && (0, import_node_path.basename)(folder).startsWith(FOLDER_PREFIX);
}
function sweepPlaces() {
  const folder = (name) => variable(name) === "" ? null : (0, import_node_path.resolve)(variable(name));
  return {
    workspace: folder("GITHUB_WORKSPACE"),
    temp: folder("RUNNER_TEMP"),
    home: folder(process.platform === "win32" ? "USERPROFILE" : "HOME"),
    variables: process.env
  };
}
function appendSummary(markdown) {
  const path = variable("GITHUB_STEP_SUMMARY");
  if (path === "") return;
  try {
    appendToRunnerFile("GITHUB_STEP_SUMMARY", path, `${markdown}
`);
  } catch (thrown) {
    if (thrown instanceof ActionError) warn(`The job's summary is not written. ${thrown.message}`);
    else printCommands([workflowCommand("debug", "The job summary cannot be written.")]);
  }
}
function info(text) {
  if (!isLogSilent) print(`${text}
`);
}
function warn(text, title = "Daypass", place = null) {
  printCommands([workflowCommand("warning", text, { title, file: place?.file, line: place?.line })]);
}
function fail(title, text, place = null) {
  process.exitCode = 1;
  printCommands([workflowCommand("error", text, { title, file: place?.file, line: place?.line })]);
}
function endWith(exitCode) {
  process.exitCode = exitCode;
  if (exitCode !== 0) printCommands([workflowCommand("error", `Process completed with exit code ${exitCode}.`)]);
}
function debug(lines) {
  if (variable("RUNNER_DEBUG") === "1") printCommands(lines().map((line) => workflowCommand("debug", line)));
}
var FOLDER_PREFIX = "daypass-";
var registered = /* @__PURE__ */ new Set();
var stopToken = null;
var isLogSilent = false;
function printCommands(lines) {
  if (isLogSilent || lines.length === 0) return;
  const text = lines.join("");
  print(stopToken === null ? text : `::${stopToken}::
${text}::stop-commands::${stopToken}
`);
}
var randomUUID = () => process.getBuiltinModule("node:crypto").randomUUID();
function variable(name) {
  return process.env[name] ?? "";
}
function readEvent() {
  try {
    return parseJson((0, import_node_fs3.readFileSync)(variable("GITHUB_EVENT_PATH")));
  } catch {
    return void 0;
  }
}
function appendBlocks(name, values) {
  const blocks = [...values].map(([key, value]) => block(key, value)).join("");
  if (blocks !== "") appendToRunnerFile(name, runnerFile(name), blocks);
}
function runnerFile(name) {
  const path = variable(name);
  if (path === "") throw new ActionError("runner_file_missing", `The runner did not set ${name}.`);
  return path;
}
function block(name, value) {
  const delimiter = `daypass_${randomUUID()}`;
  if (name.includes(delimiter) || value.includes(delimiter)) return block(name, value);
  return `${name}<<${delimiter}
${value}
${delimiter}
`;
}

// http.ts
function isHttpsOrLoopback(url) {
  return url.protocol === "https:" || url.protocol === "http:" && LOOPBACK_HOST.test(url.hostname);
}
function connect(target) {
  const openedAt = process.uptime();
  let call2 = null;
  let isOver2 = false;
  const end = () => {
    isOver2 = true;
    call2?.destroy();
  };
  void open2(target).then((opened) => {
    call2 = opened;
    call2.on("error", end).on("close", end).on("response", end);
    if (isOver2) end();
  }, end);
  return {
    take() {
      if (isOver2 || call2 === null || process.uptime() - openedAt > MAX_WAIT_SECONDS) return null;
      isOver2 = true;
      call2.off("error", end).off("close", end).off("response", end);
      return call2;
    },
    end: () => void (isOver2 || end())
  };
}
var MAX_WAIT_SECONDS = 3;
async function send(request, connection) {
  const call2 = connection?.take() ?? await open2(request);
  const body = request.json === void 0 ? void 0 : JSON.stringify(request.json);
  call2.setHeader("accept", request.accept);
  call2.setHeader("authorization", `Bearer ${request.bearer}`);
  call2.setHeader("user-agent", "daypass-action");
  if (body !== void 0) {
    call2.setHeader("content-type", "application/json");
    call2.setHeader("content-length", Buffer.byteLength(body));
  }
  return new Promise((resolve2, reject) => {
    const fail2 = (cause) => void Promise.resolve().then(() => __toESM(require("./failed.js"), 1)).then(({ whyFailed }) => reject(whyFailed(cause, request.url)), reject);
    call2.on("response", (response) => {
      readReply(response).then(resolve2, (cause) => {
        call2.destroy();
        fail2(cause);
      });
    });
    const timer = setTimeout(() => {
      const isConnected = call2.socket?.connecting === false;
      const failure = new HttpFailure(isConnected ? "timeout" : "unconnected");
      reject(failure);
      call2.destroy(failure);
    }, request.timeoutMs);
    call2.on("error", fail2);
    call2.on("close", () => clearTimeout(timer));
    call2.end(body);
  });
}
async function open2({ method, url, timeoutMs }) {
  if (!isHttpsOrLoopback(url)) throw new HttpFailure("not-http");
  const isTls = url.protocol === "https:";
  const { Agent, request } = isTls ? await Promise.resolve().then(() => __toESM(require("node:https"), 1)) : await Promise.resolve().then(() => __toESM(require("node:http"), 1));
  return request(url, {
    method,
    // One connection per call: an open connection would keep the step running. TLS goes through the proxy as a tunnel, so
    // the proxy reads nothing. Plain HTTP goes only to loopback and never through a proxy, which could read the bearer.
    // For a proxy that accepts the tunnel and never answers: only this ends its socket, which would keep the step running.
    timeout: timeoutMs,
    agent: new Agent({ keepAlive: false, ...isTls && { proxyEnv: proxyEnvironment() } }),
    // Set explicitly: NODE_TLS_REJECT_UNAUTHORIZED=0 in a runner's environment would let a man in the middle read the bearer.
    ...isTls && { rejectUnauthorized: true }
  });
}
function readReply(response) {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) return Promise.reject(new HttpFailure("redirect"));
  const mediaType = (response.headers["content-type"] ?? "").split(";")[0] ?? "";
  const chunks = [];
  let length = 0;
  return new Promise((resolve2, reject) => {
    response.on("data", (chunk) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > MAX_REPLY_BYTES) reject(new HttpFailure("too-large"));
    });
    response.on("error", reject);
    response.on("end", () => {
      const retryAfter = response.headers["retry-after"];
      resolve2({ status, mediaType: mediaType.trim().toLowerCase(), retryAfter, body: Buffer.concat(chunks) });
    });
  });
}
function typeOf({ mediaType }) {
  if (mediaType === "text/html") return "an HTML page (text/html)";
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(mediaType) ? `a body of type ${mediaType}` : "no media type";
}
var MAX_REPLY_BYTES = 4 * 1024 * 1024;
var LOOPBACK_HOST = /^(localhost|\[::1\]|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/;

// broker-client.ts
var connectToBroker = (broker, timeoutMs) => connect({ method: "POST", url: exchangeUrl(broker), timeoutMs });
var exchangeUrl = (broker) => new URL("/v1/exchange", broker);
async function requestExchange(broker, token, request, timeoutMs, connection) {
  const target = { method: "POST", url: exchangeUrl(broker), timeoutMs };
  const accept = `${MEDIA_TYPE_JOSE}, ${MEDIA_TYPE_PROBLEM}`;
  const reply = await call(broker, { ...target, bearer: token, accept, json: request }, connection);
  if (reply.mediaType === MEDIA_TYPE_JOSE) return reply.body.toString("latin1");
  throw (await Promise.resolve().then(() => __toESM(require("./failed.js"), 1))).notSealed(broker, reply);
}
async function requestRevocation(broker, token, lease, timeoutMs) {
  const reply = await call(broker, {
    method: "DELETE",
    url: new URL(`/v1/leases/${encodeURIComponent(lease)}`, broker),
    bearer: token,
    accept: `application/json, ${MEDIA_TYPE_PROBLEM}`,
    timeoutMs
  });
  return (await Promise.resolve().then(() => __toESM(require("./failed.js"), 1))).revocationIn(broker, reply);
}
async function call(broker, request, connection) {
  const reply = await sendToBroker(broker, request, connection);
  debug(() => [`${request.method} ${request.url.pathname}: HTTP ${reply.status}, ${typeOf(reply)}`]);
  if (reply.status >= 200 && reply.status < 300) return reply;
  throw (await Promise.resolve().then(() => __toESM(require("./failed.js"), 1))).refusalIn(broker, reply);
}
async function sendToBroker(broker, request, connection) {
  try {
    return await send(request, connection);
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    throw (await Promise.resolve().then(() => __toESM(require("./failed.js"), 1))).unreachable(broker, thrown);
  }
}

// claims.ts
function claimLines(token) {
  const claims = membersOf(parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url"))) ?? [];
  return claims.map(
    ([name, value]) => `claim ${forLog(name)}: ${forLog(typeof value === "string" ? value : JSON.stringify(value))}`
  );
}

// id-token.ts
var COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
var MAX_TOKEN_CHARACTERS = 16 * 1024;
async function requestIdToken(endpoint, audience, timeoutMs) {
  const separator = endpoint.url.includes("?") ? "&" : "?";
  const url = URL.parse(`${endpoint.url}${separator}audience=${encodeURIComponent(audience)}`);
  if (url === null || !isHttpsOrLoopback(url))
    throw unavailable("The runner's variable ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL.");
  const reply = await ask(url, endpoint.requestToken, timeoutMs);
  if (reply.status !== 200) {
    const message = `The runner's ID token endpoint answered HTTP ${reply.status}.`;
    throw unavailable(message, reply.status === 429 || reply.status >= 500);
  }
  return readToken(reply.body);
}
async function ask(url, bearer, timeoutMs) {
  try {
    return await send({ method: "GET", url, bearer, accept: "application/json", timeoutMs });
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    const { proxyRefused } = await Promise.resolve().then(() => __toESM(require("./failed.js"), 1));
    if (thrown.proxy !== void 0) throw proxyRefused(thrown, `the runner's ID token endpoint at ${url.host}`);
    const message = `The request to the runner's ID token endpoint failed (${thrown.fault}).`;
    throw new ActionError("id_token_unavailable", message, thrown.retry && { retry: thrown.retry });
  }
}
function readToken(body) {
  const token = memberOf(parseJson(body), "value");
  if (typeof token === "string" && token.length <= MAX_TOKEN_CHARACTERS && COMPACT_JWS.test(token)) return token;
  throw unavailable("The answer of the runner's ID token endpoint contains no valid token.");
}
function unavailable(message, again = false) {
  return new ActionError("id_token_unavailable", message, again ? { retry: { pace: "patient" } } : {});
}

// inputs.ts
var GRANT_NAME = /^[a-z][a-z0-9-]{0,63}$/;
var DURATION = /^([1-9][0-9]{0,6})([smh])$/;
var UNIT_MS = { s: 1e3, m: 6e4, h: 36e5 };
var DEFAULT_TIMEOUT_MS = 6e4;
var MAX_TIMEOUT_MS = 6e5;
var MAX_SWEEP_PATHS = 100;
var AUDIENCE = /^[\x21-\x7e]{1,256}$/;
function readInputs(read) {
  const broker = readBroker(read("broker"));
  const grants = readGrants(read("grants"));
  const audience = readAudience(read("audience"), broker);
  const ttl = read("ttl");
  if (ttl !== "" && !DURATION.test(ttl)) {
    const came = /^[0-9]{1,7} ?[a-z]{0,8}$/i.test(ttl) ? `, not ${quote(ttl)}` : "";
    throw invalid("ttl", `must be a whole number with a unit, for example 90s, 15m or 1h${came}`);
  }
  const deliver = readDeliver(read("deliver"));
  const alone = ["shell", "working-directory", "id-token", "azure-cli"].find(
    (name) => read(name) !== "" && read("run") === ""
  );
  if (alone !== void 0) throw invalid(alone, "is for a command; write the input `run`, or remove it");
  const timeoutMs = readTimeout(read("timeout"));
  const parallelJobs = readParallelJobs(read("parallel-jobs"));
  const keep = readKeep(read("keep"), read("run") !== "");
  const sweep = readSweep(read("sweep"), read("sweep-paths"));
  return { broker, grants, audience, deliver, timeoutMs, parallelJobs, keep, sweep, ...ttl !== "" && { ttl } };
}
function readBroker(text) {
  if (text === "")
    throw invalid("broker", "is missing; write the broker's origin, for example https://daypass.example.com");
  const url = URL.parse(text);
  if (url === null) throw invalid("broker", "must be a URL, for example https://daypass.example.com");
  if (!isHttpsOrLoopback(url)) {
    throw invalid(
      "broker",
      "must start with https://, because the action sends it a subject token (http:// works for loopback hosts only)"
    );
  }
  if (/[?#@\\]/.test(text) || url.pathname !== "/" || url.hostname.endsWith(".")) {
    throw invalid("broker", `must be an origin without user, path or query: ${url.origin}`);
  }
  return url.origin;
}
function readGrants(text) {
  const grants = text.split(/[\s,]+/).filter((name) => name !== "");
  if (grants.length === 0) {
    throw invalid("grants", "is missing; write the names of the grants that this job needs, separated by commas");
  }
  if (grants.length > MAX_GRANTS_PER_REQUEST)
    throw invalid("grants", `may name at most ${MAX_GRANTS_PER_REQUEST} grants`);
  const invalidName = grants.find((name) => !GRANT_NAME.test(name));
  if (invalidName !== void 0) throw invalidGrant(text, invalidName);
  const twice = grants.find((name, index) => grants.indexOf(name) !== index);
  if (twice !== void 0) throw invalid("grants", `names ${twice} twice; name each grant once`);
  return grants;
}
function invalidGrant(text, name) {
  const meant = text.toLowerCase().match(/[a-z][a-z0-9-]{0,63}/g);
  if (/^[[{"'`]/.test(text) && meant !== null)
    return invalid(
      "grants",
      `is a list with brackets or quotes, ${quote(text)}; write the names only: ${meant.join(", ")}`
    );
  if (GRANT_NAME.test(name.toLowerCase()))
    return invalid(
      "grants",
      `has the name ${quote(name)} with capitals; grants are named in lower case: ${name.toLowerCase()}`
    );
  return invalid("grants", `has the name ${quote(name)}; a grant's name has lower-case letters, digits and dashes only`);
}
function quote(text) {
  return `\`${(text.length > 60 ? `${text.slice(0, 59)}\u2026` : text).replaceAll("`", "'")}\``;
}
function readAudience(text, broker) {
  if (text === "") return broker;
  if (!AUDIENCE.test(text)) throw invalid("audience", "must have at most 256 printable ASCII characters and no spaces");
  if (text.includes(KEY_BINDING_SEPARATOR)) {
    throw invalid("audience", `must not contain ${KEY_BINDING_SEPARATOR}; the action adds that itself`);
  }
  return text;
}
function readDeliver(text) {
  if (text === "") return "environment";
  if (text === "environment" || text === "outputs" || text === "both" || text === "files") return text;
  const came = /^(environments?|env|outputs?|both|files?)$/i.test(text) ? `, not ${quote(text)}` : "";
  throw invalid("deliver", `must be environment, outputs, both or files${came}`);
}
function readTimeout(text) {
  if (text === "") return DEFAULT_TIMEOUT_MS;
  const [, count, unit = ""] = DURATION.exec(text) ?? [];
  if (count === void 0)
    throw invalid("timeout", "must be a whole number with a unit, for example 30s or 5m; the default is 60s");
  const milliseconds = Number(count) * (UNIT_MS[unit] ?? 0);
  if (milliseconds > MAX_TIMEOUT_MS) throw invalid("timeout", "must be at most 10m");
  return milliseconds;
}
function readParallelJobs(text) {
  if (text === "" || text.startsWith("${{")) return 1;
  if (!/^[0-9]{1,9}$/.test(text)) throw invalid("parallel-jobs", "must be a whole number; leave it out");
  return Math.max(1, Number(text));
}
function readKeep(text, withRun) {
  if (text !== "" && text !== "true" && text !== "false") throw invalid("keep", "must be true or false");
  if (text === "true" && withRun)
    throw invalid("keep", "cannot be true with `run`: the credentials are revoked when the command ends");
  return text === "true";
}
function readSweep(mode, paths) {
  if (mode !== "" && mode !== "warn" && mode !== "fail" && mode !== "off")
    throw invalid("sweep", "must be warn, fail or off; the default is warn");
  const lines = paths.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length > MAX_SWEEP_PATHS) throw invalid("sweep-paths", `may have at most ${MAX_SWEEP_PATHS} lines`);
  if (lines.some((line) => line.includes("\0"))) throw invalid("sweep-paths", "must not contain a NUL character");
  if (lines.length > 0 && mode === "off")
    throw invalid("sweep-paths", "is for a sweep; remove it, or the input `sweep`, which is off");
  return { mode: mode === "" ? "warn" : mode, paths: lines };
}
function invalid(input2, fault) {
  return new ActionError("input_invalid", `The input \`${input2}\` ${fault}.`);
}

// key.ts
var import_node_crypto2 = require("node:crypto");

// jwe.ts
var import_node_crypto = require("node:crypto");
var CONTENT_ENCRYPTION = "A256GCM";
var KEY_BITS = 256;
var INITIALISATION_VECTOR_BYTES = 12;
var TAG_BYTES = 16;
var COORDINATE_BYTES = 32;
var HEADER_MEMBERS = /* @__PURE__ */ new Set(["alg", "enc", "epk", "cty"]);
function openJwe(jwe, key) {
  const parts = jwe.split(".");
  const [header = "", wrappedKey, ...sealed] = parts;
  if (parts.length !== 5 || wrappedKey !== "" || !parts.every(isBase64url)) return null;
  const point = senderPoint(parseJson(Buffer.from(header, "base64url")));
  const [iv, ciphertext, tag] = sealed.map((part) => Buffer.from(part, "base64url"));
  if (point === null || iv?.length !== INITIALISATION_VECTOR_BYTES || !ciphertext || tag?.length !== TAG_BYTES)
    return null;
  try {
    const secret = key.computeSecret(point);
    const decipher = (0, import_node_crypto.createDecipheriv)("aes-256-gcm", contentKey(secret), iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(header, "ascii")).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return null;
  }
}
function senderPoint(header) {
  const members = typeof header === "object" && header !== null ? Object.keys(header) : [];
  if (!members.every((name) => HEADER_MEMBERS.has(name))) return null;
  if (memberOf(header, "alg") !== "ECDH-ES" || memberOf(header, "enc") !== CONTENT_ENCRYPTION) return null;
  const epk = memberOf(header, "epk");
  if (memberOf(epk, "kty") !== "EC" || memberOf(epk, "crv") !== "P-256") return null;
  const coordinates = [memberOf(epk, "x"), memberOf(epk, "y")].map(
    (text) => typeof text === "string" && isBase64url(text) ? Buffer.from(text, "base64url") : Buffer.alloc(0)
  );
  if (!coordinates.every(({ length }) => length === COORDINATE_BYTES)) return null;
  return Buffer.concat([Buffer.of(4), ...coordinates]);
}
function contentKey(secret) {
  const none = uint32(0);
  const algorithm = Buffer.from(CONTENT_ENCRYPTION, "ascii");
  const otherInfo = [uint32(algorithm.length), algorithm, none, none, uint32(KEY_BITS)];
  return (0, import_node_crypto.hash)("sha256", Buffer.concat([uint32(1), secret, ...otherInfo]), "buffer");
}
function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
function isBase64url(text) {
  return Buffer.from(text, "base64url").toString("base64url") === text;
}

// key.ts
function makeJobKey() {
  const key = (0, import_node_crypto2.createECDH)("prime256v1");
  const point = key.generateKeys();
  const x = point.subarray(1, 33).toString("base64url");
  const y = point.subarray(33).toString("base64url");
  return {
    publicJwk: { kty: "EC", crv: "P-256", x, y },
    thumbprint: thumbprintOf(x, y),
    open(jwe) {
      const plaintext = openJwe(jwe, key);
      if (plaintext === null)
        throw new ActionError("answer_unusable", "The broker's answer cannot be decrypted with this job's key.");
      return parseJson(plaintext);
    }
  };
}
function boundAudience(audience, thumbprint) {
  return `${audience}${KEY_BINDING_SEPARATOR}${thumbprint}`;
}
function thumbprintWithoutKey() {
  return (0, import_node_crypto2.randomBytes)(32).toString("base64url");
}
function thumbprintOf(x, y) {
  return (0, import_node_crypto2.hash)("sha256", `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`, "base64url");
}

// lease.ts
var StepLeases = class {
  #home;
  #leases = /* @__PURE__ */ new Map();
  constructor({ broker, audience }) {
    this.#home = { broker, audience };
  }
  get all() {
    return [...this.#leases.values()];
  }
  /**
   * Saves the id of a lease before it is asked for: the broker may mint, and this step never learn of it. Leases that are over
   * are dropped, so that a command that runs for hours does not collect those of its renewals.
   */
  ask(id) {
    for (const lease of this.all) if (isOver(lease)) this.#leases.delete(lease.id);
    this.#leases.set(id, { id, expiresAt: null });
    this.#save();
  }
  /** The broker has opened a lease. */
  confirm(lease) {
    this.#leases.set(lease.id, lease);
    this.#save();
  }
  /**
   * There is nothing to revoke: the lease was refused, or has been revoked. If that cannot be saved, the post step asks once
   * more, which changes nothing.
   */
  forget(id) {
    this.#leases.delete(id);
    try {
      this.#save();
    } catch (thrown) {
      info(`The state of this step could not be written: ${forLog(toFailure(thrown).message)}`);
    }
  }
  #save() {
    const saved = { ...this.#home, leases: this.all };
    saveState("lease", saved.leases.length === 0 ? "" : JSON.stringify(saved));
  }
};
function isOver({ expiresAt }) {
  return expiresAt !== null && Date.parse(expiresAt) + CLOCK_TOLERANCE_MS < Date.now();
}
var CLOCK_TOLERANCE_MS = 6e4;
function saveVariables(names) {
  if (names.length > 0) saveState("variables", names.join(","));
}
function saveKeep() {
  saveState("keep", "true");
}
function isKept() {
  return savedState("keep") === "true";
}
function saveFilesFolder(folder) {
  saveState("files", folder);
}
function removeDeliveredFiles() {
  const folder = savedState("files");
  if (folder !== "") removeJobFolder(folder);
}
function savedLeases() {
  const state = parseJson(Buffer.from(savedState("lease")));
  const [broker, audience, leases] = ["broker", "audience", "leases"].map((name) => memberOf(state, name));
  if (typeof broker !== "string" || typeof audience !== "string" || !Array.isArray(leases)) return null;
  return { broker, audience, leases: leases.filter(isLease) };
}
function isLease(value) {
  const expiresAt = memberOf(value, "expiresAt");
  return typeof memberOf(value, "id") === "string" && (expiresAt === null || typeof expiresAt === "string");
}
function savedVariables() {
  return savedState("variables").split(",").filter((name) => name !== "");
}

// retry.ts
var ATTEMPT_MS = 15e3;
var QUICK_PAUSES_MS = [150, 450];
var PATIENT_BASE_MS = 500;
var PATIENT_CAP_MS = 8e3;
var SMALL_MATRIX = 20;
var SPREAD_MS = 20;
var LAST_CALL_MS = 3e3;
function startDeadline(totalMs, waiting = REAL) {
  const end = waiting.now() + totalMs;
  const attempt = Math.min(ATTEMPT_MS, totalMs / 2);
  const remainingMs = () => Math.max(0, end - waiting.now());
  return { remainingMs, attemptMs: () => Math.max(1, Math.min(attempt, remainingMs())) };
}
async function spreadFirstCall(jobs, deadline, waiting = REAL) {
  if (jobs <= SMALL_MATRIX) return;
  const pause = Math.min(jobs * SPREAD_MS, deadline.remainingMs() / 4) * waiting.random();
  waiting.log(`Waiting ${(pause / 1e3).toFixed(1)} s, because ${jobs} jobs of this matrix can start together.`);
  await waiting.sleep(pause);
}
async function withRetries(deadline, attempt, waiting = REAL) {
  const tries = { quick: 0, patient: 0 };
  for (; ; ) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof ActionError) || thrown.retry === void 0) throw thrown;
      const { pace, afterMs = 0 } = thrown.retry;
      const longest = longestJitterMs(pace, tries[pace]++);
      const spareMs = deadline.remainingMs() - afterMs - LAST_CALL_MS;
      if (longest === null || spareMs <= 0) throw thrown;
      const pause = afterMs + Math.min(Math.max(longest, afterMs), spareMs) * waiting.random();
      const next = afterMs === 0 ? "Trying again." : `Waiting at least ${Math.ceil(afterMs / 1e3)} s, then trying again.`;
      waiting.log(`${forLog(thrown.message)} ${next}`);
      await waiting.sleep(pause);
    }
  }
}
function longestJitterMs(pace, failed) {
  if (pace === "quick") return QUICK_PAUSES_MS[failed] ?? null;
  return Math.min(PATIENT_CAP_MS, PATIENT_BASE_MS * 2 ** failed);
}
var REAL = {
  // `performance` loads 11 more of Node's modules at its first use, more than half a millisecond of each start.
  now: () => process.uptime() * 1e3,
  random: Math.random,
  log: info,
  sleep: (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds))
};

// exchange.ts
async function exchange() {
  const started = Date.now();
  const inputs = readInputs(input);
  const deadline = startDeadline(inputs.timeoutMs);
  requireRunnerFiles();
  const leases = new StepLeases(inputs);
  const prepare = () => void Promise.resolve().then(() => __toESM(require("./delivery.js"), 1)).catch(() => {
  });
  const answer = await exchangeForAnswer(inputs, leases, deadline, prepare);
  const { deliver } = await Promise.resolve().then(() => __toESM(require("./delivery.js"), 1));
  await deliver(answer, { inputs, leases, deadline, started });
}
async function exchangeForAnswer(inputs, leases, deadline, whileWaiting = () => {
}) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw (await Promise.resolve().then(() => __toESM(require("./failed.js"), 1))).noIdTokenEndpoint(jobFacts());
  await spreadFirstCall(inputs.parallelJobs, deadline);
  const key = makeJobKey();
  const audience = boundAudience(inputs.audience, key.thumbprint);
  const request = { grants: inputs.grants, ...inputs.ttl !== void 0 && { ttl: inputs.ttl }, key: key.publicJwk };
  const sealed = await withRetries(deadline, async () => {
    const answered = requestIdToken(endpoint, audience, deadline.attemptMs());
    const connection = connectToBroker(inputs.broker, deadline.attemptMs());
    try {
      const token = await answered;
      await registerMasks([token]);
      debug(() => claimLines(token));
      const lease = newLeaseId(/* @__PURE__ */ new Date(), (0, import_node_crypto3.randomUUID)());
      leases.ask(lease);
      const sent = requestExchange(inputs.broker, token, { ...request, lease }, deadline.attemptMs(), connection);
      whileWaiting();
      return await sent.catch((thrown) => {
        if (thrown instanceof ActionError && !thrown.undecided) leases.forget(lease);
        throw thrown;
      });
    } finally {
      connection.end();
    }
  });
  return key.open(sealed);
}

// main.ts
var act = input("run") === "" ? exchange() : Promise.resolve().then(() => __toESM(require("./run.js"), 1)).then(({ exchangeAndRun }) => exchangeAndRun());
act.catch(async (thrown) => {
  const words = await Promise.resolve().then(() => __toESM(require("./failed.js"), 1)).catch(() => null);
  if (words !== null) return words.reportFailure(thrown);
  const { code, message } = toFailure(thrown);
  fail(`Daypass: ${code}`, `${messageForLog(message)} ${UNREADABLE}`);
});
var UNREADABLE = "The action can say no more, because one of its own files on this runner can no longer be read. Let nothing clean the runner's folder `_actions` while a job runs.";
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  ActionError,
  HttpFailure,
  KEY_BINDING_SEPARATOR,
  MAX_GRANTS_PER_REQUEST,
  MEDIA_TYPE_JOSE,
  MEDIA_TYPE_PROBLEM,
  OWN_CODES,
  StepLeases,
  actionFolder,
  appendSummary,
  boundAudience,
  claimLines,
  commandsStoppedWith,
  connect,
  connectToBroker,
  debug,
  endWith,
  exchange,
  exchangeForAnswer,
  fail,
  forLog,
  forMarkdown,
  idTokenEndpoint,
  info,
  input,
  isHttpsOrLoopback,
  isJobFolder,
  isKept,
  isOver,
  jobFacts,
  jobFolder,
  makeJobFolder,
  makeJobKey,
  memberOf,
  membersOf,
  messageForLog,
  messageForMarkdown,
  onLogClosed,
  parseJson,
  pathIn,
  proxyEnvironment,
  rawInput,
  readInputs,
  readRecords,
  registerMasks,
  registeredMasks,
  removeDeliveredFiles,
  removeJobFolder,
  replaceJobFile,
  requestExchange,
  requestIdToken,
  requestRevocation,
  requireRunnerFiles,
  saveFilesFolder,
  saveKeep,
  saveState,
  saveVariables,
  savedLeases,
  savedState,
  savedVariables,
  send,
  setOutputs,
  setVariables,
  silenceLog,
  spreadFirstCall,
  startDeadline,
  startedFile,
  stepEnvironment,
  surroundings,
  sweepPlaces,
  thumbprintWithoutKey,
  toFailure,
  typeOf,
  warn,
  withRetries,
  writeJobFiles,
  writeRecord,
  writeToLog
});

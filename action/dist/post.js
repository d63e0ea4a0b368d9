"use strict";
"use strict";
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __esm = (fn, res, err) => function __init() {
  if (err) throw err[0];
  try {
    return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
  } catch (e) {
    throw err = [e], e;
  }
};
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

// escape.ts
function structureIn(text, spans = false) {
  const isAscii = ASCII.test(text);
  const structure = structureAmong(isAscii ? "A-Za-z0-9" : String.raw`\p{L}\p{N}`);
  return new RegExp(spans ? `\`[^\`]+\`|${structure}` : structure, isAscii ? "gi" : "giu");
}
function forLog(text, limit = MAX_SHOWN_CHARACTERS) {
  return visible(shortened(text, limit)).replaceAll("##[", "## [");
}
function forMarkdown(text, limit = MAX_SHOWN_CHARACTERS) {
  return visible(shortened(text, limit)).replace(structureIn(text), reference);
}
function visible(text) {
  if (ASCII.test(text)) return text;
  return text.replace(new RegExp(INVISIBLE, "gu"), (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
function shortened(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`;
}
var MAX_SHOWN_CHARACTERS, MAX_TEXT_CHARACTERS, ASCII, structureAmong, messageForLog, reference, INVISIBLE;
var init_escape = __esm({
  "escape.ts"() {
    "use strict";
    MAX_SHOWN_CHARACTERS = 400;
    MAX_TEXT_CHARACTERS = 4e3;
    ASCII = /^[\x20-\x7e]*$/;
    structureAmong = (word) => [
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
    messageForLog = (text) => forLog(text, MAX_TEXT_CHARACTERS);
    reference = (character) => `&#${character.codePointAt(0)};`;
    INVISIBLE = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]`;
  }
});

// failure.ts
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
var ActionError, DISK_FAULTS;
var init_failure = __esm({
  "failure.ts"() {
    "use strict";
    ActionError = class extends Error {
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
    DISK_FAULTS = {
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
  }
});

// json.ts
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
var import_node_buffer;
var init_json = __esm({
  "json.ts"() {
    "use strict";
    import_node_buffer = require("node:buffer");
  }
});

// commands.ts
function workflowCommand(name, data, properties = {}) {
  const pairs = Object.entries(properties).filter(([, value]) => value !== void 0 && value !== "");
  const list = pairs.map(([key, value]) => `${key}=${escapeProperty(String(value))}`).join(",");
  return `::${name}${list === "" ? "" : ` ${list}`}::${escapeData(data)}
`;
}
var escapeData, escapeProperty;
var init_commands = __esm({
  "commands.ts"() {
    "use strict";
    escapeData = (text) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
    escapeProperty = (text) => escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  }
});

// log.ts
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
function stream() {
  isStreaming = true;
  return process.stdout;
}
var import_node_fs, STDOUT, isStreaming;
var init_log = __esm({
  "log.ts"() {
    "use strict";
    import_node_fs = require("node:fs");
    STDOUT = 1;
    isStreaming = false;
  }
});

// runner-file.ts
function appendToRunnerFile(name, path, text) {
  const descriptor = open(name, path);
  try {
    requireOrdinary(name, (0, import_node_fs2.fstatSync)(descriptor));
    (0, import_node_fs2.writeFileSync)(descriptor, text);
  } finally {
    (0, import_node_fs2.closeSync)(descriptor);
  }
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
var import_node_fs2, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK;
var init_runner_file = __esm({
  "runner-file.ts"() {
    "use strict";
    import_node_fs2 = require("node:fs");
    init_failure();
    ({ O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = import_node_fs2.constants);
  }
});

// runner.ts
function stepEnvironment() {
  return process.env;
}
function idTokenEndpoint() {
  const url = variable("ACTIONS_ID_TOKEN_REQUEST_URL");
  const requestToken = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  return url === "" || requestToken === "" ? null : { url, requestToken };
}
function jobFacts() {
  return { actor: variable("GITHUB_ACTOR"), eventName: variable("GITHUB_EVENT_NAME"), event: readEvent() };
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
function setVariables(variables) {
  appendBlocks("GITHUB_ENV", variables);
}
function savedState(name) {
  return variable(`STATE_${name}`);
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
function debug(lines) {
  if (variable("RUNNER_DEBUG") === "1") printCommands(lines().map((line) => workflowCommand("debug", line)));
}
function printCommands(lines) {
  if (isLogSilent || lines.length === 0) return;
  const text = lines.join("");
  print(stopToken === null ? text : `::${stopToken}::
${text}::stop-commands::${stopToken}
`);
}
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
var import_node_fs3, import_node_path, FOLDER_PREFIX, registered, stopToken, isLogSilent, randomUUID;
var init_runner = __esm({
  "runner.ts"() {
    "use strict";
    import_node_fs3 = require("node:fs");
    import_node_path = require("node:path");
    init_commands();
    init_failure();
    init_json();
    init_log();
    init_runner_file();
    init_log();
    FOLDER_PREFIX = "daypass-";
    registered = /* @__PURE__ */ new Set();
    stopToken = null;
    isLogSilent = false;
    randomUUID = () => process.getBuiltinModule("node:crypto").randomUUID();
  }
});

// answer.ts
function isTime(value) {
  return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value));
}
var NAME, TIME;
var init_answer = __esm({
  "answer.ts"() {
    "use strict";
    init_failure();
    init_json();
    NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
    TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
  }
});

// retry.ts
function startDeadline(totalMs, waiting = REAL) {
  const end = waiting.now() + totalMs;
  const attempt2 = Math.min(ATTEMPT_MS, totalMs / 2);
  const remainingMs = () => Math.max(0, end - waiting.now());
  return { remainingMs, attemptMs: () => Math.max(1, Math.min(attempt2, remainingMs())) };
}
async function withRetries(deadline, attempt2, waiting = REAL) {
  const tries = { quick: 0, patient: 0 };
  for (; ; ) {
    try {
      return await attempt2();
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
var ATTEMPT_MS, QUICK_PAUSES_MS, PATIENT_BASE_MS, PATIENT_CAP_MS, LAST_CALL_MS, REAL;
var init_retry = __esm({
  "retry.ts"() {
    "use strict";
    init_escape();
    init_failure();
    init_runner();
    ATTEMPT_MS = 15e3;
    QUICK_PAUSES_MS = [150, 450];
    PATIENT_BASE_MS = 500;
    PATIENT_CAP_MS = 8e3;
    LAST_CALL_MS = 3e3;
    REAL = {
      // `performance` loads 11 more of Node's modules at its first use, more than half a millisecond of each start.
      now: () => process.uptime() * 1e3,
      random: Math.random,
      log: info,
      sleep: (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds))
    };
  }
});

// ../broker/wire/exchange.ts
var KEY_BINDING_SEPARATOR, MEDIA_TYPE_PROBLEM;
var init_exchange = __esm({
  "../broker/wire/exchange.ts"() {
    "use strict";
    KEY_BINDING_SEPARATOR = "?jkt=";
    MEDIA_TYPE_PROBLEM = "application/problem+json";
  }
});

// http-failure.ts
var HttpFailure, RETRIES;
var init_http_failure = __esm({
  "http-failure.ts"() {
    "use strict";
    HttpFailure = class extends Error {
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
    RETRIES = {
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
  }
});

// http-fault.ts
var http_fault_exports = {};
__export(http_fault_exports, {
  whyFailed: () => whyFailed
});
function whyFailed(cause, url) {
  if (cause instanceof HttpFailure) return cause;
  const proxy = proxyFailure(cause, url);
  if (proxy !== null) return proxy;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const fault = FAULTS[code];
  if (fault !== void 0) return new HttpFailure(fault);
  if (TLS_CODE.test(code)) return new HttpFailure("tls");
  if (code.startsWith("HPE_")) return new HttpFailure("not-http");
  return new HttpFailure("reset");
}
function proxyFailure(cause, url) {
  const environment = proxyEnvironment();
  const proxy = URL.parse(environment["https_proxy"] || environment["HTTPS_PROXY"] || "");
  if (url.protocol !== "https:" || proxy === null) return null;
  const { code, statusCode, hostname, address, port } = cause;
  if (code === "ERR_PROXY_TUNNEL") {
    return new HttpFailure("proxy-refused", {
      proxy: proxy.host,
      ...typeof statusCode === "number" && { status: statusCode }
    });
  }
  const dialled = typeof address === "string" && (port ?? 0) === Number(proxy.port || DEFAULT_PORTS[proxy.protocol]);
  const isAmbiguous = Number(url.port || 443) === port && address !== proxy.hostname;
  if (hostname === proxy.hostname || dialled && !isAmbiguous)
    return new HttpFailure("proxy-down", { proxy: proxy.host });
  return null;
}
var DEFAULT_PORTS, TLS_CODE, FAULTS;
var init_http_fault = __esm({
  "http-fault.ts"() {
    "use strict";
    init_http_failure();
    init_runner();
    DEFAULT_PORTS = { "http:": 80, "https:": 443 };
    TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;
    FAULTS = {
      __proto__: null,
      ENOTFOUND: "unknown-host",
      EAI_AGAIN: "unknown-host",
      ECONNREFUSED: "refused",
      EHOSTUNREACH: "refused",
      ENETUNREACH: "refused",
      EADDRNOTAVAIL: "refused",
      ETIMEDOUT: "timeout"
    };
  }
});

// http.ts
function isHttpsOrLoopback(url) {
  return url.protocol === "https:" || url.protocol === "http:" && LOOPBACK_HOST.test(url.hostname);
}
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
    const fail2 = (cause) => void Promise.resolve().then(() => (init_http_fault(), http_fault_exports)).then(({ whyFailed: whyFailed2 }) => reject(whyFailed2(cause, request.url)), reject);
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
var MAX_REPLY_BYTES, LOOPBACK_HOST;
var init_http = __esm({
  "http.ts"() {
    "use strict";
    init_http_failure();
    init_runner();
    MAX_REPLY_BYTES = 4 * 1024 * 1024;
    LOOPBACK_HOST = /^(localhost|\[::1\]|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/;
  }
});

// ../broker/wire/error-codes.ts
var PROBLEMS, ERROR_CODES;
var init_error_codes = __esm({
  "../broker/wire/error-codes.ts"() {
    "use strict";
    PROBLEMS = {
      // The form of the request. No token was verified or used up, and nothing was recorded.
      request_malformed: { status: 400, title: "The request is malformed" },
      request_too_large: { status: 413, title: "The request is too large" },
      media_type_unsupported: { status: 415, title: "The body is not application/json" },
      method_not_allowed: { status: 405, title: "The method is not allowed here" },
      route_not_found: { status: 404, title: "There is nothing at this path" },
      wrong_host: { status: 421, title: "The broker does not answer at this host" },
      // The subject token. It was not used up, and nothing was recorded.
      token_missing: { status: 401, title: "The subject token is missing" },
      token_malformed: { status: 401, title: "The subject token is malformed" },
      token_issuer_unknown: { status: 401, title: "The subject token's issuer is not trusted" },
      token_signature_invalid: { status: 401, title: "The subject token's signature does not verify" },
      token_audience_mismatch: { status: 401, title: "The subject token is for another audience" },
      token_expired: { status: 401, title: "The subject token has expired" },
      token_not_yet_valid: { status: 401, title: "The subject token is not valid yet" },
      token_lifetime_too_long: { status: 401, title: "The subject token's lifetime is longer than its issuer's limit" },
      token_claims_invalid: { status: 401, title: "The subject token's claims do not fit its issuer" },
      token_already_used: { status: 401, title: "The subject token was used before" },
      token_too_old: { status: 401, title: "The subject token is older than what the ledger remembers" },
      key_mismatch: { status: 401, title: "The subject token is not bound to the key in the request" },
      bound_token_required: { status: 403, title: "A key-bound subject token is required" },
      issuer_unavailable: { status: 503, title: "The issuer's keys cannot be loaded" },
      // The decision.
      not_allowed: { status: 403, title: "No policy allows this" },
      ttl_too_short: { status: 400, title: "The requested lifetime is shorter than the provider's minimum" },
      policy_unavailable: { status: 503, title: "The policies cannot be loaded" },
      quota_exceeded: { status: 429, title: "The repository has reached a limit" },
      policy_invalid: { status: 403, title: "The repository's own policies have errors" },
      // Leases. A lease that does not exist and a lease of another job get the same answer.
      lease_not_found: { status: 404, title: "No such lease for this job" },
      lease_taken: { status: 409, title: "The lease's id was used before" },
      // The ledger, the providers and the broker itself.
      ledger_unavailable: { status: 503, title: "The ledger cannot be written" },
      provider_denied: { status: 502, title: "The provider refused" },
      provider_throttled: { status: 502, title: "The provider limits the rate of requests" },
      provider_unavailable: { status: 502, title: "The provider cannot be reached" },
      provider_response_invalid: { status: 502, title: "The provider's answer cannot be used" },
      secret_not_found: { status: 502, title: "The secret, its version or its field does not exist in the store" },
      secret_unusable: { status: 502, title: "The stored secret cannot be delivered" },
      configuration_invalid: { status: 503, title: "The broker's configuration has errors" },
      client_gone: { status: 408, title: "The client ended the connection before the answer" },
      shutting_down: { status: 503, title: "The broker is shutting down" },
      internal: { status: 500, title: "The broker failed" }
    };
    ERROR_CODES = Object.keys(PROBLEMS);
  }
});

// denial.ts
function denialOf({ grants }) {
  const namesByReason = /* @__PURE__ */ new Map();
  const changes = /* @__PURE__ */ new Set();
  for (const { name, reason, change } of deniedIn(grants)) {
    if (change === void 0) return null;
    namesByReason.set(reason, [...namesByReason.get(reason) ?? [], name]);
    changes.add(change);
  }
  if (changes.size === 0) return null;
  const reasons = [...namesByReason].map(([reason, names]) => `${names.join(", ")}: ${reason}`);
  return { message: reasons.join(" "), change: [...changes].join(" ") };
}
var deniedIn;
var init_denial = __esm({
  "denial.ts"() {
    "use strict";
    deniedIn = (grants) => grants.filter(({ outcome }) => outcome === "deny");
  }
});

// trace.ts
function readTrace(value) {
  const grants = memberOf(value, "grants");
  if (!Array.isArray(grants)) return null;
  const subject = memberOf(value, "subject");
  const environment = memberOf(subject, "environment");
  return {
    subject: {
      issuer: readText(memberOf(subject, "issuer")),
      repository: readText(memberOf(subject, "repository")),
      repository_id: readText(memberOf(subject, "repository_id")),
      environment: typeof environment === "string" ? readText(environment) : null
    },
    policies: readList(memberOf(value, "policies")).map(readText),
    notes: readList(memberOf(value, "notes")).map(readText),
    grants: readList(grants).map(readGrantTrace)
  };
}
function readGrantTrace(value) {
  const change = memberOf(value, "change");
  return {
    name: readText(memberOf(value, "name")),
    outcome: memberOf(value, "outcome") === "allow" ? "allow" : "deny",
    reason: readText(memberOf(value, "reason")),
    ...typeof change === "string" && { change: readText(change) },
    rules: readList(memberOf(value, "rules")).map(readRuleTrace),
    boundaries: readList(memberOf(value, "boundaries")).map(readBoundaryTrace)
  };
}
function readRuleTrace(value) {
  return {
    kind: memberOf(value, "kind") === "allow" ? "allow" : "deny",
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: readLine(memberOf(value, "line")),
    matched: memberOf(value, "matched") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace)
  };
}
function readBoundaryTrace(value) {
  return {
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: readLine(memberOf(value, "line")),
    matched: memberOf(value, "matched") === true,
    allows: memberOf(value, "allows") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace),
    required: readList(memberOf(value, "required")).map(readConditionTrace),
    fields: readList(memberOf(value, "fields")).map(readFieldTrace),
    environment: readList(memberOf(value, "environment")).map(readText)
  };
}
function readFieldTrace(value) {
  const actual = memberOf(value, "actual");
  return {
    field: readText(memberOf(value, "field")),
    expected: readText(memberOf(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null
  };
}
function readConditionTrace(value) {
  const actual = memberOf(value, "actual");
  return {
    claim: readText(memberOf(value, "claim")),
    expected: readText(memberOf(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null,
    matched: memberOf(value, "matched") === true
  };
}
function readList(value) {
  return Array.isArray(value) ? value.slice(0, MAX_LIST) : [];
}
function readLine(value) {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}
function readText(value) {
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARACTERS2) : "";
}
var MAX_TEXT_CHARACTERS2, MAX_LIST;
var init_trace = __esm({
  "trace.ts"() {
    "use strict";
    init_json();
    MAX_TEXT_CHARACTERS2 = 2e3;
    MAX_LIST = 200;
  }
});

// problem.ts
function readProblem(document) {
  const code = memberOf(document, "code");
  const requestId = memberOf(document, "request_id");
  if (typeof code !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(code)) return null;
  const trace = readTrace(memberOf(document, "trace"));
  const help = readHelp(memberOf(document, "help"));
  return {
    code,
    detail: readText(memberOf(document, "detail")),
    request_id: typeof requestId === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(requestId) ? requestId : "",
    ...trace && { trace },
    ...help && { help }
  };
}
function readHelp(value) {
  const url = memberOf(value, "url");
  if (typeof url !== "string" || !HELP_URL.test(url) || !URL.canParse(url)) return null;
  const text = readText(memberOf(value, "text"));
  return { url, ...text !== "" && { text } };
}
var HELP_URL;
var init_problem = __esm({
  "problem.ts"() {
    "use strict";
    init_json();
    init_trace();
    HELP_URL = /^https?:\/\/[A-Za-z0-9._~:/[\]-]{1,300}$/;
  }
});

// proxy.ts
var proxy_exports = {};
__export(proxy_exports, {
  proxyRefused: () => proxyRefused
});
function proxyRefused({ fault, proxy, status, retry }, to) {
  const how = fault === "proxy-down" ? "cannot be reached" : status === void 0 ? "ended the connection" : `answered HTTP ${status}`;
  const why = status === 407 ? ", because it wants a user and a password" : "";
  const message = `The proxy ${proxy} of this runner ${how}${why}, so there is no connection to ${to}.`;
  return new ActionError("proxy_refused", message, retry && { retry });
}
var init_proxy = __esm({
  "proxy.ts"() {
    "use strict";
    init_failure();
  }
});

// refusal.ts
var refusal_exports = {};
__export(refusal_exports, {
  intercepted: () => intercepted,
  notSealed: () => notSealed,
  refusalIn: () => refusalIn,
  unreachable: () => unreachable
});
function refusalIn(broker, reply) {
  const problem = reply.mediaType === MEDIA_TYPE_PROBLEM ? readProblem(parseJson(reply.body)) : null;
  const retry = retryOf(reply, problem?.code);
  if (problem === null) return unexpectedReply(broker, reply, retry);
  if (problem.code === "request_malformed" && UNKNOWN_MEMBER.test(problem.detail)) {
    const message = `The broker at ${broker} is older than this action: it does not know all members of the request.`;
    return new ActionError("broker_too_old", message);
  }
  const { trace, help } = problem;
  const denial = trace && denialOf(trace);
  return new ActionError(knownCode(problem.code), denial?.message ?? problemMessage(problem), {
    ...retry && { retry },
    undecided: UNDECIDED_CODES.has(problem.code),
    ...problem.request_id !== "" && { requestId: problem.request_id },
    ...trace && { trace },
    ...denial && { change: denial.change },
    ...help && { help }
  });
}
function unreachable(broker, failure) {
  if (failure.proxy !== void 0) return proxyRefused(failure, `the broker at ${broker}`);
  const [code, what2] = TRANSPORT[failure.fault];
  return new ActionError(code, `The broker at ${broker} ${what2}.`, {
    ...failure.retry && { retry: failure.retry },
    undecided: UNDECIDED_FAULTS.has(failure.fault)
  });
}
function notSealed(broker, reply) {
  if (reply.mediaType !== "application/json") return intercepted(broker, reply);
  const message = `The broker at ${broker} did not encrypt its answer to the job's key.`;
  return new ActionError("answer_not_sealed", message, { undecided: true });
}
function unexpectedReply(broker, reply, retry) {
  const { status } = reply;
  if (status === 404 || status === 405) {
    return new ActionError(
      "broker_too_old",
      `The server at ${broker} is not a Daypass broker, or an older one (HTTP ${status}).`
    );
  }
  if (status < 500 && status !== 429) return intercepted(broker, reply);
  const message = `The broker at ${broker}, or a proxy in front of it, answered HTTP ${status} without an error code.`;
  return new ActionError("broker_failing", message, { ...retry && { retry }, undecided: status >= 500 });
}
function intercepted(broker, reply) {
  const message = `Something other than the broker answered at ${broker}: HTTP ${reply.status} with ${typeOf(reply)}, as a portal or a proxy in between does.`;
  return new ActionError("broker_intercepted", message, { undecided: reply.status < 300 });
}
function retryOf(reply, code) {
  const again = reply.status === 429 || reply.status === 503 || reply.status === 504 || reply.status === 502 && (code === "provider_unavailable" || code === "provider_throttled") || reply.status >= 500 && code === void 0;
  if (!again) return void 0;
  const afterMs = retryAfterMs(reply.retryAfter, Date.now());
  return { pace: "patient", ...afterMs !== null && { afterMs } };
}
function retryAfterMs(header, now) {
  if (header === void 0) return null;
  if (/^[0-9]{1,6}$/.test(header)) return Number(header) * 1e3;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
function knownCode(code) {
  return Object.hasOwn(PROBLEMS, code) ? code : "problem_unknown";
}
function problemMessage({ code, detail }) {
  const said = detail.trim();
  const known = Object.hasOwn(PROBLEMS, code) && said !== "";
  const sentence = known ? said : `The broker refused with ${code}${said === "" ? "" : `: ${said}`}`;
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
var UNDECIDED_CODES, UNKNOWN_MEMBER, UNDECIDED_FAULTS, TRANSPORT;
var init_refusal = __esm({
  "refusal.ts"() {
    "use strict";
    init_error_codes();
    init_exchange();
    init_denial();
    init_failure();
    init_http();
    init_json();
    init_problem();
    init_proxy();
    UNDECIDED_CODES = /* @__PURE__ */ new Set(["token_already_used", "lease_taken", "internal"]);
    UNKNOWN_MEMBER = /\bhas an unknown member\b/;
    UNDECIDED_FAULTS = /* @__PURE__ */ new Set(["reset", "timeout", "too-large"]);
    TRANSPORT = {
      "unknown-host": ["broker_unreachable", "cannot be reached: its host name does not resolve"],
      refused: ["broker_unreachable", "cannot be reached: the connection was refused"],
      reset: ["broker_unreachable", "cannot be reached: the connection broke"],
      timeout: ["broker_timeout", "did not answer in time"],
      unconnected: ["broker_timeout", "did not answer in time"],
      tls: ["broker_tls", "has a certificate that this runner does not trust, or does not use TLS"],
      redirect: ["broker_redirects", "redirects to another address"],
      "too-large": ["answer_unusable", "sent an answer above the size limit of 4 MiB"],
      "not-http": ["answer_unusable", "does not speak HTTP"],
      "proxy-refused": ["proxy_refused", "cannot be reached through the proxy"],
      "proxy-down": ["proxy_refused", "cannot be reached through the proxy"]
    };
  }
});

// revocation-answer.ts
var revocation_answer_exports = {};
__export(revocation_answer_exports, {
  revocationIn: () => revocationIn
});
function revocationIn(broker, reply) {
  const revocation = readRevocation(parseJson(reply.body));
  if (revocation !== null) return revocation;
  if (reply.mediaType !== "application/json") throw intercepted(broker, reply);
  throw new ActionError(
    "answer_unusable",
    `The answer of the broker at ${broker} does not say which credentials were revoked.`
  );
}
function readRevocation(answer) {
  const members = membersOf(memberOf(answer, "credentials"));
  if (members === null || members.length > MAX_LIST) return null;
  const credentials = /* @__PURE__ */ Object.create(null);
  for (const [grant, ended] of members) {
    const outcome = memberOf(ended, "outcome");
    const expiresAt = memberOf(ended, "expires_at") ?? null;
    if (!isOutcome(outcome)) return null;
    if (!NAME.test(grant) || expiresAt !== null && !isTime(expiresAt)) return null;
    credentials[grant] = { outcome, expires_at: expiresAt };
  }
  const unknownUntil = memberOf(answer, "unknown_until");
  if (unknownUntil !== void 0 && unknownUntil !== null && !isTime(unknownUntil)) return null;
  return {
    credentials,
    ...unknownUntil !== void 0 && { unknown_until: unknownUntil },
    ...memberOf(answer, "record_due") === true && { record_due: true }
  };
}
var OUTCOMES, isOutcome;
var init_revocation_answer = __esm({
  "revocation-answer.ts"() {
    "use strict";
    init_answer();
    init_failure();
    init_json();
    init_refusal();
    init_trace();
    OUTCOMES = /* @__PURE__ */ new Set(["revoked", "expires-only", "failed", "revoking"]);
    isOutcome = (value) => OUTCOMES.has(value);
  }
});

// broker-client.ts
async function requestRevocation(broker, token, lease, timeoutMs) {
  const reply = await call(broker, {
    method: "DELETE",
    url: new URL(`/v1/leases/${encodeURIComponent(lease)}`, broker),
    bearer: token,
    accept: `application/json, ${MEDIA_TYPE_PROBLEM}`,
    timeoutMs
  });
  return (await Promise.resolve().then(() => (init_revocation_answer(), revocation_answer_exports))).revocationIn(broker, reply);
}
async function call(broker, request, connection) {
  const reply = await sendToBroker(broker, request, connection);
  debug(() => [`${request.method} ${request.url.pathname}: HTTP ${reply.status}, ${typeOf(reply)}`]);
  if (reply.status >= 200 && reply.status < 300) return reply;
  throw (await Promise.resolve().then(() => (init_refusal(), refusal_exports))).refusalIn(broker, reply);
}
async function sendToBroker(broker, request, connection) {
  try {
    return await send(request, connection);
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    throw (await Promise.resolve().then(() => (init_refusal(), refusal_exports))).unreachable(broker, thrown);
  }
}
var init_broker_client = __esm({
  "broker-client.ts"() {
    "use strict";
    init_exchange();
    init_http();
    init_http_failure();
    init_runner();
  }
});

// claims.ts
function claimLines(token) {
  const claims = membersOf(parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url"))) ?? [];
  return claims.map(
    ([name, value]) => `claim ${forLog(name)}: ${forLog(typeof value === "string" ? value : JSON.stringify(value))}`
  );
}
var init_claims = __esm({
  "claims.ts"() {
    "use strict";
    init_escape();
    init_json();
  }
});

// id-token.ts
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
    const { proxyRefused: proxyRefused2 } = await Promise.resolve().then(() => (init_proxy(), proxy_exports));
    if (thrown.proxy !== void 0) throw proxyRefused2(thrown, `the runner's ID token endpoint at ${url.host}`);
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
var COMPACT_JWS, MAX_TOKEN_CHARACTERS;
var init_id_token = __esm({
  "id-token.ts"() {
    "use strict";
    init_failure();
    init_http();
    init_http_failure();
    init_json();
    COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
    MAX_TOKEN_CHARACTERS = 16 * 1024;
  }
});

// jwe.ts
var init_jwe = __esm({
  "jwe.ts"() {
    "use strict";
    init_json();
  }
});

// key.ts
function boundAudience(audience, thumbprint) {
  return `${audience}${KEY_BINDING_SEPARATOR}${thumbprint}`;
}
function thumbprintWithoutKey() {
  return (0, import_node_crypto3.randomBytes)(32).toString("base64url");
}
var import_node_crypto3;
var init_key = __esm({
  "key.ts"() {
    "use strict";
    import_node_crypto3 = require("node:crypto");
    init_exchange();
    init_failure();
    init_json();
    init_jwe();
  }
});

// no-id-token.ts
var no_id_token_exports = {};
__export(no_id_token_exports, {
  noIdTokenEndpoint: () => noIdTokenEndpoint
});
function noIdTokenEndpoint(job) {
  if (job.actor === "dependabot[bot]") {
    const message = "Dependabot started this run, and GitHub gives it an ID token only if the job itself asks for it.";
    return new ActionError("id_token_dependabot", message);
  }
  if (FORK_EVENTS.has(job.eventName) && comesFromFork(job.event)) {
    return new ActionError("id_token_fork", "This pull request comes from a fork, and GitHub gives it no ID token.");
  }
  return new ActionError("id_token_permission_missing", "This job has no permission to request an ID token.");
}
function comesFromFork(event) {
  const pullRequest = memberOf(event, "pull_request");
  const head = memberOf(memberOf(pullRequest, "head"), "repo");
  const base = memberOf(memberOf(pullRequest, "base"), "repo");
  const headId = memberOf(head, "id");
  const baseId = memberOf(base, "id");
  if (headId !== void 0 && baseId !== void 0) return headId !== baseId;
  return memberOf(head, "fork") === true || pullRequest !== void 0 && head === null;
}
var FORK_EVENTS;
var init_no_id_token = __esm({
  "no-id-token.ts"() {
    "use strict";
    init_failure();
    init_json();
    FORK_EVENTS = /* @__PURE__ */ new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);
  }
});

// revoke-lease.ts
var revoke_lease_exports = {};
__export(revoke_lease_exports, {
  revokeLease: () => revokeLease
});
async function revokeLease(id, home, deadline) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw (await Promise.resolve().then(() => (init_no_id_token(), no_id_token_exports))).noIdTokenEndpoint(jobFacts());
  const audience = boundAudience(home.audience, thumbprintWithoutKey());
  return withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs());
    await registerMasks([token]);
    debug(() => claimLines(token));
    return requestRevocation(home.broker, token, id, deadline.attemptMs());
  });
}
var init_revoke_lease = __esm({
  "revoke-lease.ts"() {
    "use strict";
    init_broker_client();
    init_claims();
    init_id_token();
    init_key();
    init_retry();
    init_runner();
  }
});

// advice.ts
init_escape();
var CODES_PAGE = "https://github.com/daypass/daypass/blob/main/docs/codes.md";
var pageOf = (code) => `${CODES_PAGE}#${code}`;
var changeFor = ({ change, code }) => change ?? advice(code);
function sentencesOf(failure) {
  const { help, requestId } = failure;
  return [
    messageForLog(failure.message),
    messageForLog(changeFor(failure)),
    ...help ? [`Help: ${help.text === void 0 ? "" : `${forLog(help.text)} `}${help.url}`] : [],
    ...requestId === void 0 ? [] : [`(request ${requestId})`],
    `See ${pageOf(failure.code)}`
  ].join(" ");
}
function advice(code) {
  return ADVICE[code];
}
var ADVICE = {
  // The broker's codes, in the order of the wire.
  request_malformed: "Correct the inputs `grants` and `ttl` as the broker's message says.",
  request_too_large: "Ask for fewer grants in one step.",
  media_type_unsupported: "Check the proxy between the job and the broker: it must not change requests.",
  method_not_allowed: "Update the broker to the version that this action needs, or pin the action to the broker's version.",
  route_not_found: "Update the broker to the version that this action needs, or correct the input `broker`.",
  wrong_host: "Set the input `broker` to the broker's own URL, which its operator knows as DAYPASS_URL.",
  token_missing: "Configure the proxy between the job and the broker to forward the Authorization header.",
  token_malformed: "Check that the job runs on GitHub Actions or GitHub Enterprise Server, and that no proxy changes the Authorization header.",
  token_issuer_unknown: "Ask the broker's operator to list this issuer under `issuers` in the organisation file, or correct the input `broker`.",
  token_signature_invalid: "Check that the issuer's `url` in the organisation file is the URL of this GitHub server.",
  token_audience_mismatch: "Set the step's input `audience` to the audience that the broker accepts, or remove the input if the broker's origin is that audience.",
  token_expired: "Ask the broker's operator to correct the clock of the broker if it is wrong; otherwise run the job again, because the request was on its way for minutes.",
  token_not_yet_valid: "Ask the broker's operator to correct the clock of the broker, which is behind the issuer's.",
  token_lifetime_too_long: "Ask the broker's operator to compare `max_token_lifetime` with the lifetime of this issuer's tokens.",
  token_claims_invalid: "Ask the broker's operator to check the issuer's `family` in the organisation file.",
  token_too_old: "Run the job again: the broker's ledger was restored, or a clock was corrected, and the broker accepts newer tokens only.",
  quota_exceeded: "Run the job again later, run fewer jobs at the same time, or ask for a higher limit: under `limits` in the organisation file, or `max_open_leases` in the grant.",
  client_gone: "Run the job again: its connection to the broker ended before the answer arrived.",
  token_already_used: "Run the job again; if the error returns, look for a step or a proxy that repeats requests.",
  key_mismatch: "Run the job again; if the error returns, look for a proxy that changes the requests to the broker.",
  bound_token_required: "Update the action, because the broker requires a subject token that is bound to a key.",
  issuer_unavailable: "Run the job again when the issuer has recovered; githubstatus.com shows GitHub's state.",
  not_allowed: "Ask the maintainers of the broker's policies to add one for this repository and environment, or run the job in the environment that has one.",
  ttl_too_short: "Set a longer `ttl`, or remove the input.",
  policy_unavailable: "Give the broker's message to its operator, because it names the policies that the broker cannot load.",
  policy_invalid: "Correct the files in .github/daypass/ on the default branch; the broker's message names each error and its place.",
  lease_not_found: "Change nothing, because the lease has already ended or belongs to another run.",
  lease_taken: "Run the job again; if the error returns, look for a step or a proxy that repeats requests.",
  ledger_unavailable: "Run the job again later; if the error returns, ask the broker's operator to check its storage.",
  provider_denied: "Ask the broker's operator to check the trust at the provider: the role, its trust condition and its permissions.",
  provider_throttled: "Run the job again later, or run fewer jobs at the same time.",
  provider_unavailable: "Run the job again when the provider has recovered.",
  provider_response_invalid: "Ask the broker's operator to check that the connection's settings fit the provider's version.",
  secret_not_found: "Correct the locator in the policy, or add the secret, version or field to the store and let the connection read it.",
  secret_unusable: "Change the secret in the store, or change how the policy delivers it.",
  configuration_invalid: "Ask the broker's operator to read the broker's log, which names every configuration error.",
  shutting_down: "Run the job again, because the broker is restarting.",
  internal: "Give the request id to the broker's operator, who can look up the cause in the broker's log.",
  // The action's own.
  input_invalid: "Correct the step's `with:` in the workflow.",
  id_token_permission_missing: "Add `permissions: { contents: read, id-token: write }` to the job; for a reusable workflow, add it to the calling job too.",
  id_token_fork: "Skip this step for forks only, with `if: github.event.pull_request == null || github.event.pull_request.head.repo.full_name == github.repository`.",
  id_token_dependabot: "Add `permissions: { contents: read, id-token: write }` to the job, or skip this step for Dependabot with `if: github.actor != 'dependabot[bot]'`.",
  id_token_unavailable: "Run the job again; if the error returns, check githubstatus.com or your GitHub Enterprise Server.",
  broker_unreachable: "Check the input `broker`, and check that this runner's network and proxy allow connections to that host.",
  broker_timeout: "Run the job again; if the error returns, ask the broker's operator to check the broker's load.",
  broker_tls: "Give the broker a certificate that this runner trusts, or add its authority with NODE_EXTRA_CA_CERTS on the runner.",
  broker_redirects: "Set the input `broker` to the origin where the broker itself answers; the action never follows a redirect with a token.",
  broker_intercepted: "Look for a login page, a portal or a proxy between this runner and the broker, and check the input `broker`.",
  proxy_refused: "Allow the broker's host in the proxy, give HTTPS_PROXY the right address, user and password, or add the host to NO_PROXY if the runner reaches it directly.",
  broker_too_old: "Check the input `broker`; if it is correct, update the broker, which is older than this action.",
  broker_failing: "Run the job again; if the error returns, ask the broker's operator to check the broker and its proxy.",
  problem_unknown: "Update the action, because the broker is newer and sent an error code that this version does not know.",
  answer_not_sealed: "Update the broker, because the action uses only answers that are encrypted to the job's key.",
  answer_unusable: "Check that the input `broker` is the origin of a Daypass broker whose version fits the action.",
  delivery_refused: "Change the names in the policy or the provider's settings, or choose another delivery with the input `deliver`.",
  azure_login_failed: "Change the client's federated credential as an AADSTS code in the message of `az` says; without such a code, update `az` and check that this runner reaches Entra.",
  runner_file_missing: "Use a current runner: it sets GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE and RUNNER_TEMP.",
  runner_disk: "Free space on the runner's disk, and let the runner's user write to RUNNER_TEMP.",
  leak_found: "Remove the value from the place that the message names, and change every secret that cannot be revoked if a copy may have left the runner.",
  sweep_impossible: "Let no step change or remove the folders `daypass-*` in the runner's temporary folder before the job ends.",
  unexpected: "Report this bug of Daypass with the versions of the action and the broker."
};

// emptied.ts
init_escape();

// fingerprints/record.ts
var import_node_crypto2 = require("node:crypto");

// fingerprints/keys.ts
var import_node_crypto = require("node:crypto");
var SALT_BYTES = 32;
var MAC_BYTES = 16;
var MAX_PATTERN_BYTES = 1024;
var MIN_PATTERN_BYTES = 8;
function deriveKeys(requestToken, salt) {
  const bytes = Buffer.from((0, import_node_crypto.hkdfSync)("sha256", requestToken, salt, "daypass issued values, version 1", 68));
  return {
    seal: bytes.subarray(0, 32),
    mac: bytes.subarray(32, 64),
    multiplier: (bytes.readUInt32LE(64) & ~7 | 5) >>> 0
  };
}
function valueMac(keys, value) {
  return mac(keys, "value", Buffer.from(value, "utf8"));
}
function mac(keys, use, bytes) {
  const digest = (0, import_node_crypto.createHmac)("sha256", keys.mac).update(`${use}\0`).update(bytes).digest();
  return digest.subarray(0, MAC_BYTES).toString("base64url");
}

// fingerprints/record.ts
var RECORD_FILE = /^issued(?:-[1-9][0-9]{0,5})?\.json$/;
var MAX_RECORD_BYTES = 1024 * 1024;
var MAX_PATTERNS = 2e3;
function openRecord(stored, requestToken) {
  try {
    const { version, salt, nonce, sealed } = JSON.parse(Buffer.from(stored).toString("utf8"));
    const bytes = (text) => Buffer.from(typeof text === "string" ? text : "", "base64url");
    if (version !== 1 || bytes(salt).length !== SALT_BYTES || bytes(nonce).length !== 12) return null;
    const keys = deriveKeys(requestToken, bytes(salt));
    const [body, tag] = [bytes(sealed).subarray(0, -16), bytes(sealed).subarray(-16)];
    const decipher = (0, import_node_crypto2.createDecipheriv)("aes-256-gcm", keys.seal, bytes(nonce), { authTagLength: 16 });
    decipher.setAuthTag(tag);
    const record = JSON.parse(Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8"));
    return isRecord(record) ? { ...record, keys } : null;
  } catch {
    return null;
  }
}
function isRecord(record) {
  const isText = (value) => typeof value === "string";
  const isOptional = (value) => value === void 0 || isText(value);
  return Number.isSafeInteger(record.since) && record.values.every(
    ({ grant, name, env, whole }) => isText(grant) && isText(name) && isOptional(env) && isOptional(whole)
  ) && record.patterns.length <= MAX_PATTERNS && record.patterns.every(
    ({ value, length, hash: hash2, mac: mac2 }) => record.values[value] !== void 0 && Number.isSafeInteger(length) && length >= MIN_PATTERN_BYTES && length <= MAX_PATTERN_BYTES && Number.isSafeInteger(hash2) && isText(mac2)
  );
}
function isWhole(record, value, text) {
  return value.whole !== void 0 && value.whole === valueMac(record.keys, text);
}

// lease.ts
init_escape();
init_failure();
init_json();
init_runner();
function isOver({ expiresAt }) {
  return expiresAt !== null && Date.parse(expiresAt) + CLOCK_TOLERANCE_MS < Date.now();
}
var CLOCK_TOLERANCE_MS = 6e4;
function isKept() {
  return savedState("keep") === "true";
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

// emptied.ts
init_runner();
function savedRecords() {
  const folder = savedState("issued");
  if (folder === "") return [];
  const requestToken = idTokenEndpoint()?.requestToken ?? "";
  const stored = readRecords(folder, RECORD_FILE, MAX_RECORD_BYTES);
  if (stored === null || stored.length === 0) return null;
  const records = stored.map((bytes) => openRecord(bytes, requestToken));
  return records.every((record) => record !== null) ? records : null;
}
function removeSavedRecords() {
  const folder = savedState("issued");
  if (folder !== "") removeJobFolder(folder);
}
function emptyVariables(records) {
  const names = savedVariables();
  if (names.length === 0) return;
  const environment = stepEnvironment();
  const held = names.filter((name) => (environment[name] ?? "") !== "");
  const listed = (some) => forLog(some.join(", "));
  if (held.length === 0) return;
  if (records === null) {
    warn(
      `These variables stay set, because this step cannot know any more whether the values are its own: ${listed(held)}.`
    );
    return;
  }
  const isOurs = (name) => records.some(
    (record) => record.values.some((value) => value.env === name && isWhole(record, value, environment[name] ?? ""))
  );
  const ours = held.filter(isOurs);
  if (ours.length > 0) {
    setVariables(new Map(ours.map((name) => [name, ""])));
    info(`Emptied for the post steps that follow: ${listed(ours)}.`);
  }
  const others = held.filter((name) => !ours.includes(name));
  if (others.length > 0) info(`Left, because another step has set them since: ${listed(others)}.`);
}

// revoke.ts
init_escape();
init_failure();

// leaks.ts
init_escape();
init_runner();
var SWEEP_MS = 1e4;
var MAX_ANNOTATIONS = 9;
async function sweepLeaks(records) {
  const mode = savedState("sweep");
  if (mode !== "warn" && mode !== "fail") return false;
  if (records === null) {
    const what2 = "The leak sweep cannot look for the values of this step: its record of them is gone, or was changed.";
    report(mode, "sweep_impossible", what2);
    return false;
  }
  const tooShort = records.reduce((sum, record) => sum + unsearched(record), 0);
  if (tooShort > 0)
    info(`The leak sweep cannot look for all values of this step: ${counted(tooShort, "value")} ${TOO_SHORT}.`);
  if (records.every(({ patterns }) => patterns.length === 0)) return false;
  const { sweep } = await Promise.resolve().then(() => __toESM(require("./sweep.js"), 1));
  const named = savedState("sweep-paths").split("\n").filter((path) => path !== "");
  const started = performance.now();
  const found = await sweep({ ...sweepPlaces(), records, named, milliseconds: SWEEP_MS });
  reportFindings(mode, found);
  reportUnread(mode, found);
  const seconds = ((performance.now() - started) / 1e3).toFixed(1);
  const outcome = found.findings.length === 0 ? ", and found no value of this step" : "";
  info(`The leak sweep read ${counted(found.files, "file")} (${megabytes(found.bytes)}) in ${seconds} s${outcome}.`);
  return found.findings.length > 0;
}
var TOO_SHORT = "with fewer than eight bytes, or too common to be a secret";
function unsearched({ values, patterns }) {
  const searched = new Set(patterns.map(({ value }) => value));
  return values.length - searched.size;
}
function report(mode, code, what2, place = null) {
  const text = `${what2} ${advice(code)} See ${pageOf(code)}`;
  if (mode === "fail") fail(`Daypass: ${code}`, text, place);
  else warn(text, `Daypass: ${code}`, place);
}
function reportFindings(mode, { findings, hasMore }) {
  if (findings.length === 0) return;
  for (const finding of findings.slice(0, MAX_ANNOTATIONS)) {
    report(mode, "leak_found", `Left behind: ${what(finding)} is in ${forLog(where(finding))}.`, placeOf(finding));
  }
  for (const finding of findings.slice(MAX_ANNOTATIONS)) {
    info(`Left behind: ${what(finding)} is in ${forLog(where(finding))}.`);
  }
  if (hasMore) info("There are more findings, which are not listed.");
  const rows = findings.map((finding) => [where(finding), finding.grant, finding.name].map((cell) => forMarkdown(cell)));
  appendSummary(
    [
      "### Values of this job were left behind",
      "",
      `[leak_found](${pageOf("leak_found")}). ${advice("leak_found")}`,
      "",
      "| where | grant | value |",
      "| --- | --- | --- |",
      ...rows.map((cells) => `| ${cells.join(" | ")} |`),
      ...hasMore ? ["", "There are more findings, which are not listed."] : [],
      ""
    ].join("\n")
  );
}
var what = ({ grant, name }) => `the value ${forLog(name)} of ${forLog(grant)}`;
function where({ path, entry, line }) {
  if (entry !== void 0) return `${path}, in ${entry}`;
  return line === void 0 ? path : `${path}:${line}`;
}
function placeOf({ path, entry, line }) {
  return line === void 0 || entry !== void 0 || forLog(path) !== path ? null : { file: path, line };
}
function reportUnread(mode, { unread, unreadCount }) {
  for (const { path, reason } of unread) info(`Not looked at: ${forLog(path)}: ${REASONS[reason]}.`);
  if (unreadCount > unread.length) info(`Not looked at: ${counted(unreadCount - unread.length, "more place")}.`);
  if (mode === "fail" && unreadCount > 0) {
    warn(
      `The leak sweep is not complete: ${counted(unreadCount, "place")} could not be read to the end. The log says which, and why.`
    );
  }
}
var REASONS = {
  archive: "the sweep cannot read inside archives of this kind",
  damaged: "the archive ends early, or is damaged",
  link: "it is a link, which the sweep does not follow",
  missing: "it does not exist",
  nested: "too many archives or folders inside of each other",
  outside: "a relative path must stay in the workspace",
  size: "too large; the sweep read its beginning",
  special: "it is no regular file",
  time: "the time of the sweep was over",
  unreadable: "it cannot be read"
};
var counted = (count, one) => `${count} ${count === 1 ? one : `${one}s`}`;
var megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

// outcomes.ts
init_runner();
function logOutcomes(answer) {
  const { credentials, record_due: isRecordDue, unknown_until: unknownUntil } = answer;
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "It stays valid until it is changed in its store." : `It expires at ${expiresAt}.`;
    if (outcome === "revoked") info(`Revoked ${grant}.`);
    else if (outcome === "expires-only") info(`Cannot revoke ${grant}. ${end}`);
    else if (outcome === "revoking" && unknownUntil === void 0) info(`Another call is revoking ${grant} now. ${end}`);
    else if (outcome === "failed") warn(`${grant} is not revoked yet; the broker tries again. ${end}`);
  }
  if (unknownUntil !== void 0) {
    const left = unknownUntil === null ? "" : ` What it cannot revoke lives until ${unknownUntil} at the latest.`;
    info(`One exchange of this step did not end. The broker revokes what it minted, and gives it to nobody.${left}`);
  }
  if (isRecordDue) info("The broker cannot write its record of this now, and writes it as soon as it can.");
}

// refreshed.ts
var import_node_fs4 = require("node:fs");
var import_node_path2 = require("node:path");

// ../broker/wire/lease-id.ts
var LEASE_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

// refreshed.ts
init_answer();
init_runner();
var MAX_BYTES = 1024 * 1024;
var MAX_LEASES = 100;
function takeRefreshedLeases() {
  const folder = savedState("files");
  if (!isJobFolder(folder)) return [];
  const path = (0, import_node_path2.join)(folder, ".refresh", "leases");
  let text;
  try {
    (0, import_node_fs4.renameSync)(path, `${path}.taken`);
    text = readOwn(`${path}.taken`);
  } catch {
    return [];
  }
  const leases = /* @__PURE__ */ new Map();
  for (const line of text.split("\n")) {
    const [act, id = "", expiresAt] = line.split(" ");
    if (!LEASE_ID.test(id)) continue;
    if (act === "ask") leases.set(id, { id, expiresAt: null });
    if (act === "got" && isTime(expiresAt)) leases.set(id, { id, expiresAt });
    if (act === "end") leases.delete(id);
  }
  return [...leases.values()].filter((lease) => !isOver(lease)).slice(-MAX_LEASES);
}
function readOwn(path) {
  const file = (0, import_node_fs4.openSync)(path, import_node_fs4.constants.O_RDONLY | (import_node_fs4.constants.O_NOFOLLOW ?? 0) | (import_node_fs4.constants.O_NONBLOCK ?? 0));
  try {
    const stat = (0, import_node_fs4.fstatSync)(file);
    return stat.isFile() && stat.size <= MAX_BYTES ? (0, import_node_fs4.readFileSync)(file, "latin1") : "";
  } finally {
    (0, import_node_fs4.closeSync)(file);
  }
}

// revoke.ts
init_retry();
init_runner();
var DEADLINE_MS = 15e3;
async function revoke() {
  const refreshed = takeRefreshedLeases();
  await attempt(removeDeliveredFiles);
  const records = savedRecords();
  await attempt(() => emptyVariables(records));
  await attempt(() => revokeSavedLeases(refreshed, isKept()));
  await attempt(async () => {
    if (await sweepLeaks(records) && isKept()) await revokeFound(refreshed);
  });
  await attempt(removeSavedRecords);
}
async function revokeSavedLeases(refreshed, isKept2) {
  const saved = savedLeases();
  if (saved === null) return;
  const deadline = startDeadline(DEADLINE_MS);
  for (const lease of [...saved.leases, ...refreshed].toReversed()) {
    const { expiresAt } = lease;
    if (isOver(lease)) info("A lease of this step is over: nothing is left to revoke.");
    else if (isKept2 && expiresAt !== null)
      info(
        `Kept (input \`keep\`): the lease of this step is not revoked. What expires lives until ${forLog(expiresAt)} at the latest.`
      );
    else await revokeSaved(lease, saved, deadline);
  }
}
async function revokeFound(refreshed) {
  info("A value was left behind, so the lease is revoked in spite of `keep`.");
  await revokeSavedLeases(refreshed, false);
}
async function attempt(act) {
  try {
    await act();
  } catch (thrown) {
    warn(forLog(toFailure(thrown).message));
  }
}
async function revokeSaved({ id, expiresAt }, home, deadline) {
  try {
    const { revokeLease: revokeLease2 } = await Promise.resolve().then(() => (init_revoke_lease(), revoke_lease_exports));
    logOutcomes(await revokeLease2(id, home, deadline));
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (expiresAt === null && failure.code === "lease_not_found") return;
    const alive = expiresAt === null ? UNCONFIRMED : `${UNREVOKED} They can live until ${expiresAt}.`;
    warn(`${alive} ${sentencesOf(failure)}`);
  }
}
var UNREVOKED = "The credentials of this job could not be revoked.";
var UNCONFIRMED = "The broker may have minted credentials for this step although its answer never arrived, and they could not be revoked. The broker revokes what it can when their granted time is over.";

// post.ts
void revoke();

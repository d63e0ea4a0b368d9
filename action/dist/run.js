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

// part:run
var run_exports = {};
__export(run_exports, {
  exchangeAndRun: () => exchangeAndRun
});
module.exports = __toCommonJS(run_exports);

// run/run.ts
var import_answer = require("./delivery.js");
var import_environment = require("./delivery.js");
var import_files = require("./delivery.js");
var import_outputs = require("./delivery.js");
var import_delivery = require("./delivery.js");
var import_escape3 = require("./main.js");
var import_exchange = require("./main.js");
var import_inputs4 = require("./main.js");
var import_lease2 = require("./main.js");
var import_masks = require("./delivery.js");
var import_retry = require("./main.js");
var runner2 = __toESM(require("./main.js"), 1);
var import_summary = require("./delivery.js");

// run/aws-endpoint.ts
var import_node_crypto = require("node:crypto");
var import_node_http = require("node:http");
async function serveSessions(sessions) {
  const authorization = (0, import_node_crypto.randomBytes)(32).toString("base64url");
  let host = "";
  const server = (0, import_node_http.createServer)((request, response) => {
    const send = ({ status, body }) => {
      response.writeHead(status, {
        "content-type": "application/json",
        "cache-control": "no-store",
        connection: "close"
      });
      response.end(JSON.stringify(body));
    };
    answer(request, { sessions, authorization, host }).then(send, () => send(refusal(500, "Internal")));
  });
  await new Promise((resolve2, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", resolve2);
  });
  host = `127.0.0.1:${server.address().port}`;
  return {
    authorization,
    urlOf: (grant) => `http://${host}${pathOf(grant)}`,
    close() {
      server.close();
      server.closeAllConnections();
    }
  };
}
async function answer({ method, url, headers }, has) {
  if (headers.host !== has.host || headers.origin !== void 0) return refusal(403, "WrongHost");
  if (method !== "GET") return refusal(405, "MethodNotAllowed");
  if (!isSame(headers.authorization ?? "", has.authorization)) return refusal(401, "Unauthorized");
  const session = [...has.sessions].find(([grant]) => url === pathOf(grant))?.[1];
  if (session === void 0) return refusal(404, "NotFound");
  const current = await session.current();
  return current === null ? refusal(503, "NoSession") : { status: 200, body: current };
}
var pathOf = (grant) => `/aws/${encodeURIComponent(grant)}`;
function refusal(status, code) {
  return { status, body: { Code: code, Message: "Daypass gives no AWS session for this request. See the step's log." } };
}
function isSame(given, wanted) {
  const digest = (text) => (0, import_node_crypto.createHash)("sha256").update(text).digest();
  return (0, import_node_crypto.timingSafeEqual)(digest(given), digest(wanted));
}

// run/aws-session.ts
var import_failure = require("./main.js");
var SESSION_VALUES = /* @__PURE__ */ new Set(["access-key-id", "secret-access-key", "session-token"]);
var RENEW_BELOW_MS = 5 * 6e4;
var USABLE_MS = 3e4;
var ANSWER_WITHIN_MS = 800;
var REST_AFTER_FAILURE_MS = 1e4;
var LONGEST_REST_MS = 8e4;
function readSession({ grant, values, expiresAt }) {
  const value = (name) => values.find((one) => one.name === name)?.value ?? "";
  const session = {
    AccessKeyId: value("access-key-id"),
    SecretAccessKey: value("secret-access-key"),
    Token: value("session-token"),
    Expiration: expiresAt ?? ""
  };
  if (Object.values(session).includes("")) {
    throw new import_failure.ActionError(
      "answer_unusable",
      `The broker's answer cannot be used: the session of ${grant} is not complete.`
    );
  }
  return session;
}
var RenewedSession = class {
  #session;
  #lifeMs;
  #renew;
  #onFailure;
  #renewal = null;
  #nextRestMs = REST_AFTER_FAILURE_MS;
  #restUntil = Number.NEGATIVE_INFINITY;
  /** `renew` makes a new session, and registers its masks before it resolves. */
  constructor(session, renew, onFailure) {
    this.#session = session;
    this.#lifeMs = leftOf(session);
    this.#renew = renew;
    this.#onFailure = onFailure;
  }
  /** A session that lives; null when it is over and no new one could be fetched. Questions at the same time share a renewal. */
  async current() {
    if (leftOf(this.#session) >= Math.min(RENEW_BELOW_MS, this.#lifeMs / 3)) return this.#session;
    if (performance.now() >= this.#restUntil || this.#renewal !== null) {
      this.#renewal ??= this.#fetch();
      const isUsable = leftOf(this.#session) >= USABLE_MS;
      await (isUsable ? Promise.race([this.#renewal, sleep(ANSWER_WITHIN_MS)]) : this.#renewal);
    }
    return leftOf(this.#session) > 0 ? this.#session : null;
  }
  /** Resolves when no renewal is on its way. */
  async settled() {
    await this.#renewal;
  }
  async #fetch() {
    try {
      this.#session = await this.#renew();
      this.#lifeMs = leftOf(this.#session);
      this.#nextRestMs = REST_AFTER_FAILURE_MS;
      return true;
    } catch (thrown) {
      this.#restUntil = performance.now() + this.#nextRestMs;
      this.#nextRestMs = Math.min(LONGEST_REST_MS, this.#nextRestMs * 2);
      this.#onFailure((0, import_failure.toFailure)(thrown));
      return false;
    } finally {
      this.#renewal = null;
    }
  }
};
var leftOf = ({ Expiration }) => Date.parse(Expiration) - Date.now();
var sleep = (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds).unref());

// run/aws-variables.ts
var import_node_path = require("node:path");
var names = (text) => new Set(text.split(" "));
var RIVALS = names(
  "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
);
var REPLACED = names("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED");
var REGION = /^[a-z0-9-]{1,64}$/;
function planAws(grants, has) {
  const at = (name) => (0, import_node_path.join)(has.folder, name);
  const file = (name, text) => ({ path: at(name), bytes: Buffer.from(text), mode: 384 });
  const [first, ...more] = grants;
  if (first === void 0) return { variables: /* @__PURE__ */ new Map(), files: [] };
  const common = [
    ["AWS_CONFIG_FILE", at("config")],
    ["AWS_SHARED_CREDENTIALS_FILE", at("credentials")],
    ["AWS_EC2_METADATA_DISABLED", "true"]
  ];
  if (more.length === 0) {
    const endpoint = [
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI", first.url],
      ["AWS_CONTAINER_AUTHORIZATION_TOKEN", has.authorization]
    ];
    return { variables: new Map([...endpoint, ...common]), files: [file("config", ""), file("credentials", "")] };
  }
  const profiles = grants.map(({ grant, region }) => {
    const process2 = [has.node, has.helper, at(`${grant}.json`)].map((part) => `"${part}"`).join(" ");
    const lines = [`[profile ${grant}]`, `credential_process = ${process2}`];
    return [...lines, ...REGION.test(region) ? [`region = ${region}`] : [], ""].join("\n");
  });
  const questions = grants.map(
    ({ grant, url }) => file(`${grant}.json`, JSON.stringify({ url, authorization: has.authorization }))
  );
  return {
    variables: new Map(common),
    files: [file("config", profiles.join("\n")), file("credentials", ""), ...questions]
  };
}

// run/environment.ts
var import_escape = require("./main.js");
var import_failure2 = require("./main.js");
var FOR_ACTIONS = /^(?:ACTIONS_(?:RUNTIME|CACHE|RESULTS)_.*|INPUT_.*|STATE_.*|GITHUB_STATE)$/;
var FOR_ID_TOKENS = /^ACTIONS_ID_TOKEN_REQUEST_/;
function childEnvironment(step, variables) {
  const replaced = new Set([...variables.set.keys()].map(upper));
  const kept = Object.entries(step).filter((entry) => {
    const name = upper(entry[0]);
    if (entry[1] === void 0 || FOR_ACTIONS.test(name) || replaced.has(name)) return false;
    return !variables.without.has(name) && (variables.passesIdToken || !FOR_ID_TOKENS.test(name));
  });
  return Object.fromEntries([...kept, ...variables.set]);
}
function takenAway(step, without) {
  return Object.keys(step).filter((name) => step[name] !== "" && without.has(upper(name)));
}
function refuseRivals(set, reserved, grant) {
  const rival = [...set.keys()].find((name) => reserved.has(upper(name)));
  if (rival === void 0) return;
  const message = `A grant sets the variable ${(0, import_escape.forLog)(rival)}, which would win over the AWS session of ${grant}. Use two steps.`;
  throw new import_failure2.ActionError("delivery_refused", message);
}
var upper = (name) => name.toUpperCase();

// run/inputs.ts
var import_failure3 = require("./main.js");
function readRunInputs(read) {
  if (read("deliver").trim() !== "") {
    throw invalid("deliver", "cannot be used with `run`: the credentials are delivered to the command alone");
  }
  const idToken = read("id-token").trim();
  if (idToken !== "" && idToken !== "pass") throw invalid("id-token", "must be pass, or left out");
  return {
    script: read("run"),
    shell: read("shell").trim(),
    workingDirectory: read("working-directory").trim(),
    passesIdToken: idToken === "pass"
  };
}
function invalid(input2, fault) {
  return new import_failure3.ActionError("input_invalid", `The input \`${input2}\` ${fault}.`);
}

// run/leases.ts
var import_escape2 = require("./main.js");
var import_failure4 = require("./main.js");
var import_lease = require("./main.js");

// outcomes.ts
var import_runner = require("./main.js");
function logOutcomes(answer2) {
  const { credentials, record_due: isRecordDue, unknown_until: unknownUntil } = answer2;
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "It stays valid until it is changed in its store." : `It expires at ${expiresAt}.`;
    if (outcome === "revoked") (0, import_runner.info)(`Revoked ${grant}.`);
    else if (outcome === "expires-only") (0, import_runner.info)(`Cannot revoke ${grant}. ${end}`);
    else if (outcome === "revoking" && unknownUntil === void 0) (0, import_runner.info)(`Another call is revoking ${grant} now. ${end}`);
    else if (outcome === "failed") (0, import_runner.warn)(`${grant} is not revoked yet; the broker tries again. ${end}`);
  }
  if (unknownUntil !== void 0) {
    const left = unknownUntil === null ? "" : ` What it cannot revoke lives until ${unknownUntil} at the latest.`;
    (0, import_runner.info)(`One exchange of this step did not end. The broker revokes what it minted, and gives it to nobody.${left}`);
  }
  if (isRecordDue) (0, import_runner.info)("The broker cannot write its record of this now, and writes it as soon as it can.");
}

// run/leases.ts
var import_revoke_lease = require("./delivery.js");
var runner = __toESM(require("./main.js"), 1);
async function revokeLeases(wanted, leases, home, deadline) {
  for (const lease of wanted) {
    if ((0, import_lease.isOver)(lease) || await isRevoked(lease, home, deadline)) leases.forget(lease.id);
  }
}
async function isRevoked({ id, expiresAt }, home, deadline) {
  try {
    logOutcomes(await (0, import_revoke_lease.revokeLease)(id, home, deadline));
    return true;
  } catch (thrown) {
    const failure = (0, import_failure4.toFailure)(thrown);
    if (expiresAt === null && failure.code === "lease_not_found") return true;
    runner.warn(`A lease is not revoked yet; the post step tries again: ${(0, import_escape2.forLog)(failure.message)}`);
    return false;
  }
}

// run/output.ts
var import_runner2 = require("./main.js");

// run/child-commands.ts
var NAMES = "add-mask add-matcher add-path debug echo endgroup error group notice pause-logging remove-matcher save-state set-env set-output stop-commands warning internal-set-repo-path";
var RUNNERS_COMMANDS = new Set(NAMES.split(" "));
var USABLE_TOKEN = /^[!-$&-9;-Z^-~]{1,512}$/;
var ChildCommands = class {
  /** The token with which the command stopped the runner's commands; null while they work. */
  stopToken = null;
  /** `line`: one character a byte, with or without its line end. `shown`: the same line with secrets replaced. */
  read(line, shown) {
    const command = parseCommand(line, this.stopToken);
    if (command === null) return "text";
    if (this.stopToken !== null) {
      if (command.name === this.stopToken.toLowerCase()) this.stopToken = null;
      return "text";
    }
    if (command.name === "add-mask") return "mask";
    if (command.name === "save-state")
      return { instead: "(Daypass does not pass on save-state: the state is its own.)" };
    if (command.name !== "stop-commands") return "text";
    if (shown !== line || !USABLE_TOKEN.test(command.data) || RUNNERS_COMMANDS.has(command.data.toLowerCase())) {
      return { instead: "(Daypass does not pass on stop-commands with a token that cannot end it.)" };
    }
    this.stopToken = command.data;
    return "text";
  }
};
function mayHoldCommand(text) {
  return text.includes("::") || text.includes("##[");
}
function parseCommand(line, stopToken) {
  if (!mayHoldCommand(line)) return null;
  const text = line.replace(/[\r\n]+$/, "");
  const plain = /^[^!-~]*::([^ ]*?)(?: .*?)?::(.*)$/.exec(text);
  const old = /##\[([^ \]]*)[^\]]*\](.*)$/.exec(text);
  for (const match of [plain, old]) {
    const name = match?.[1]?.toLowerCase() ?? "";
    const isKnown = RUNNERS_COMMANDS.has(name) || name === stopToken?.toLowerCase();
    if (isKnown) return { name, data: unescaped(match?.[2] ?? "") };
  }
  return null;
}
var unescaped = (data) => data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");

// run/secret-filter.ts
var HIDDEN = "***";
var MAX_GRAM = 4;
var SecretFilter = class {
  #masks;
  #builtFrom = 0;
  /** Texts by their first characters. Each position of the output then needs one look-up, however many texts there are. */
  #texts = /* @__PURE__ */ new Map();
  #gram = MAX_GRAM;
  #longest = 0;
  constructor(masks) {
    this.#masks = masks;
  }
  /** Replaces in a text that ends where a line ends. `covered`: as below. */
  replace(text, covered = 0) {
    return this.#hide(text, covered, text.length).shown;
  }
  /**
   * Replaces in the beginning of a text that goes on. `covered`: this many of its first characters belong to a secret whose
   * beginning was shown as `***` already. Returns what can be shown, and what must wait for more.
   */
  replaceOpen(text, covered) {
    this.#rebuild();
    const limit = characterStart(text, Math.max(0, text.length - Math.max(0, this.#longest - 1)));
    const hidden = this.#hide(text, covered, limit);
    return { shown: hidden.shown, rest: text.slice(limit), covered: Math.max(0, hidden.end - limit) };
  }
  /** Shows `text` up to `limit`. A secret that starts before `limit` is complete in `text`; `end`: where the last one ends. */
  #hide(text, covered, limit) {
    this.#rebuild();
    let shown = "";
    let at = covered;
    let last = { start: 0, end: covered };
    for (const span of this.#spans(text, limit)) {
      if (span.start > last.end || span.start === last.end && last.end === 0) {
        shown += text.slice(at, span.start) + HIDDEN;
      }
      last = { start: span.start, end: Math.max(last.end, span.end) };
      at = last.end;
    }
    return { shown: shown + text.slice(at, Math.max(at, limit)), end: last.end };
  }
  *#spans(text, limit) {
    if (this.#texts.size === 0) return;
    for (let start2 = 0; start2 < limit; start2++) {
      const texts = this.#texts.get(text.slice(start2, start2 + this.#gram));
      const found = texts?.find((one) => text.startsWith(one, start2));
      if (found !== void 0) yield { start: start2, end: start2 + found.length };
    }
  }
  #rebuild() {
    const masks = this.#masks();
    if (masks.size === this.#builtFrom) return;
    const texts = [...new Set([...masks].flatMap(runnersForms))].map(
      (text) => Buffer.from(text, "utf8").toString("latin1")
    );
    texts.sort((one, other) => other.length - one.length);
    this.#gram = Math.min(MAX_GRAM, ...texts.map(({ length }) => length));
    this.#texts = /* @__PURE__ */ new Map();
    for (const text of texts) {
      const gram = text.slice(0, this.#gram);
      this.#texts.set(gram, [...this.#texts.get(gram) ?? [], text]);
    }
    this.#longest = texts[0]?.length ?? 0;
    this.#builtFrom = masks.size;
  }
};
function runnersForms(mask) {
  const text = mask.trim();
  if (text === "") return [];
  const json = JSON.stringify(text).slice(1, -1);
  const xml = text.replace(/[&<>"']/g, (character) => XML[character] ?? character);
  return [mask, text, json, xml, encodeURIComponent(text.toWellFormed()), text.replaceAll("'", "''")];
}
var XML = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
function characterStart(text, at) {
  const back = [0, 1, 2, 3].find((steps) => (text.charCodeAt(at - steps) & 192) !== 128) ?? 0;
  return Math.max(0, at - back);
}

// run/output.ts
var MAX_LINE_BYTES = 1024 * 1024;
var CONTINUED = "[...] ";
var ChildOutput = class {
  #filter = new SecretFilter(import_runner2.registeredMasks);
  #commands = new ChildCommands();
  /** A new stream of the command. */
  stream() {
    return new ChildStream(
      this.#filter,
      (text) => this.#writeLines(text),
      (text) => write(text)
    );
  }
  /** Ends a stop of commands that the command left behind, so that the runner takes this step's masks again. */
  async end() {
    const { stopToken } = this.#commands;
    if (stopToken === null) return;
    (0, import_runner2.commandsStoppedWith)(null);
    await write(`::${stopToken}::
`);
  }
  #writeLines(text) {
    if (!mayHoldCommand(text)) return write(this.#filter.replace(text));
    const lines = text.match(/[^\r\n]*(?:\r\n|\r|\n)/g) ?? [];
    const written = lines.map((line) => {
      const shown = this.#filter.replace(line);
      const use = this.#commands.read(line, shown);
      (0, import_runner2.commandsStoppedWith)(this.#commands.stopToken);
      if (use === "mask") return line;
      return use === "text" ? shown : `${use.instead}
`;
    });
    return write(written.join(""));
  }
};
var ChildStream = class {
  #filter;
  #writeLines;
  #write;
  #held = "";
  #endsWithCr = false;
  #covered = 0;
  #isContinued = false;
  /** The rest of a workflow command that was longer than a line may be. In pieces, it would be logged as text. */
  #isDropping = false;
  constructor(filter, writeLines, writePiece) {
    this.#filter = filter;
    this.#writeLines = writeLines;
    this.#write = writePiece;
  }
  /** Takes what the command wrote. Resolves when more can be taken. */
  async push(chunk) {
    const text = chunk.toString("latin1");
    const end = lastLineEnd(text, this.#endsWithCr);
    this.#endsWithCr = text.endsWith("\r");
    const lines = end === null ? "" : this.#held + text.slice(0, end);
    this.#held = end === null ? this.#held + text : text.slice(end);
    if (lines !== "") await this.#takeLines(lines);
    if (this.#held.length > MAX_LINE_BYTES) await this.#takePiece();
  }
  /** Takes the end of the stream. A last line without an end gets one, so that the step's own commands start a line. */
  async end() {
    if (this.#held !== "" || this.#isContinued)
      await this.#takeLines(/[\r\n]$/.test(this.#held) ? this.#held : `${this.#held}
`);
    this.#held = "";
  }
  async #takeLines(lines) {
    if (!this.#isContinued && !this.#isDropping) return await this.#writeLines(lines);
    const firstEnd = lines.search(/[\r\n]/) + 1;
    if (this.#isContinued) {
      await this.#write(CONTINUED + this.#filter.replace(lines.slice(0, firstEnd), this.#covered));
    }
    this.#isContinued = false;
    this.#isDropping = false;
    this.#covered = 0;
    if (firstEnd < lines.length) await this.#writeLines(lines.slice(firstEnd));
  }
  async #takePiece() {
    if (this.#isDropping) {
      this.#held = "";
      return;
    }
    if (!this.#isContinued && /^[^!-~]*::[a-z-]+|##\[[a-z-]+/.test(this.#held)) {
      this.#held = "";
      this.#isDropping = true;
      return await this.#write("(Daypass left out a workflow command of more than 1 MiB.)\n");
    }
    const { shown, rest, covered } = this.#filter.replaceOpen(this.#held, this.#covered);
    await this.#write(`${this.#isContinued ? CONTINUED : ""}${shown}
`);
    this.#held = rest;
    this.#covered = covered;
    this.#isContinued = true;
  }
};
function lastLineEnd(text, followsCr) {
  const known = text.endsWith("\r") ? text.slice(0, -1) : text;
  const end = Math.max(known.lastIndexOf("\n"), known.lastIndexOf("\r")) + 1;
  return end > 0 || followsCr && text !== "" ? end : null;
}
var write = (text) => text === "" ? Promise.resolve() : (0, import_runner2.writeToLog)(Buffer.from(text, "latin1"));

// run/place.ts
var import_node_fs = require("node:fs");
var import_node_path2 = require("node:path");

// run/shell.ts
var KNOWN = /* @__PURE__ */ new Map([
  ["bash", { args: "--noprofile --norc -e -o pipefail {0}", extension: ".sh" }],
  ["sh", { args: "-e {0}", extension: ".sh" }],
  ["python", { args: "{0}", extension: ".py" }],
  ["pwsh", { args: `-command ". '{0}'"`, extension: ".ps1" }],
  ["powershell", { args: `-command ". '{0}'"`, extension: ".ps1" }],
  ["cmd", { args: `/D /E:ON /V:OFF /S /C "CALL "{0}""`, extension: ".cmd" }]
]);
function chooseShell(option, isWindows, find) {
  const [named = "", ...rest] = (option === "" ? defaultShell(isWindows, find) : option).split(" ");
  const name = named.toLowerCase();
  const format = rest.join(" ").trimStart() || (KNOWN.get(option === "" && !isWindows ? "sh" : name)?.args ?? "");
  if (!format.includes("{0}")) {
    throw invalid(
      "shell",
      "must be bash, sh, pwsh, powershell, cmd, python, or a command with {0} for the script's path"
    );
  }
  const program = find(named);
  if (program === null) throw invalid("shell", "names a program that is not in this job's PATH");
  const verbatim = name === "cmd";
  return {
    program,
    verbatim,
    args: (path) => verbatim ? [format.replaceAll("{0}", path)] : splitArguments(format, path),
    extension: KNOWN.get(name)?.extension ?? "",
    fileText: (script) => withLineEnds(fixedUp(name, script, isWindows), isWindows)
  };
}
function defaultShell(isWindows, find) {
  const [first, second] = isWindows ? ["pwsh", "powershell"] : ["bash", "sh"];
  return find(first ?? "") === null ? second ?? "" : first ?? "";
}
function fixedUp(name, script, isWindows) {
  const end = isWindows ? "\r\n" : "\n";
  if (name === "cmd") return `@echo off${end}${script}`;
  if (name !== "pwsh" && name !== "powershell") return script;
  const last = "if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }";
  return `$ErrorActionPreference = 'stop'${end}${script}${end}${last}`;
}
function withLineEnds(text, isWindows) {
  return isWindows ? text.replace(/\r?\n/g, "\r\n") : text;
}
function splitArguments(format, path) {
  const parts = format.match(/(?:\\"|"(?:\\"|[^"])*"|[^\s"])+/g) ?? [];
  return parts.map((part) => part.replace(/\\"|"/g, (quote) => quote === '"' ? "" : '"').replaceAll("{0}", path));
}

// run/place.ts
function planCommand({ script, shell: option, workingDirectory }, environment, platform) {
  const isWindows = platform === "win32";
  const shell = chooseShell(option, isWindows, (program2) => findProgram(program2, environment, isWindows));
  const folder = (0, import_node_path2.resolve)(environment["GITHUB_WORKSPACE"] ?? "", workingDirectory);
  if (!is(folder, "folder")) throw invalid("working-directory", "names a folder that does not exist in the workspace");
  const { program, args, verbatim } = shell;
  return {
    extension: shell.extension,
    fileText: shell.fileText(script),
    command: (path) => ({ program, args: args(path), verbatim, folder })
  };
}
function findProgram(program, environment, isWindows) {
  const folders = (environment["PATH"] ?? environment["Path"] ?? "").split(import_node_path2.delimiter).filter((folder) => folder !== "");
  const hasFolder = (0, import_node_path2.isAbsolute)(program) || program.includes("/");
  const paths = hasFolder ? [(0, import_node_path2.resolve)(program)] : folders.map((folder) => (0, import_node_path2.join)(folder, program));
  const endings = isWindows ? ["", ...(environment["PATHEXT"] ?? ".COM;.EXE;.BAT;.CMD").split(";")] : [""];
  return paths.flatMap((path) => endings.map((ending) => path + ending)).find((path) => is(path, "program")) ?? null;
}
function is(path, kind) {
  try {
    const found = (0, import_node_fs.statSync)(path);
    if (kind === "folder") return found.isDirectory();
    (0, import_node_fs.accessSync)(path, import_node_fs.constants.X_OK);
    return found.isFile();
  } catch {
    return false;
  }
}

// run/process.ts
var import_node_child_process = require("node:child_process");
var import_node_os = require("node:os");
var import_failure5 = require("./main.js");
var import_runner3 = require("./main.js");
var KILL_AFTER_TERM_MS = 1200;
var LEFT_BEHIND_MS = 1e3;
var POLL_MS = 25;
var OUTPUT_AFTER_END_MS = 1e3;
var SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
async function runProcess(line, output) {
  const isWindows = process.platform === "win32";
  const child = start(line, isWindows);
  const group = new ProcessGroup(child.pid, isWindows);
  const forward = (signal) => group.signal(signal === "SIGINT" ? "SIGINT" : "SIGTERM");
  for (const signal of SIGNALS) process.on(signal, forward);
  (0, import_runner3.onLogClosed)(() => group.signal("SIGTERM"));
  try {
    const passed = Promise.all([pass(child.stdout, output), pass(child.stderr, output)]);
    const code = await new Promise((resolve2, reject) => {
      child.on("error", () => reject(invalid("shell", "names a program that cannot be started")));
      child.on(
        "exit",
        (exitCode, signal) => resolve2(exitCode ?? 128 + (signal === null ? 0 : import_node_os.constants.signals[signal]))
      );
    });
    await group.end();
    await Promise.race([passed, outputTime()]);
    return code;
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}
function start(line, isWindows) {
  try {
    return (0, import_node_child_process.spawn)(line.program, line.args, {
      cwd: line.folder,
      env: line.environment,
      stdio: ["ignore", "pipe", "pipe"],
      // On Windows, a detached process gets a new console, and Ctrl+C does not reach it.
      detached: !isWindows,
      windowsVerbatimArguments: line.verbatim
    });
  } catch (thrown) {
    const isTooBig = thrown instanceof Error && "code" in thrown && thrown.code === "E2BIG";
    if (!isTooBig) throw thrown;
    const message = "The command cannot be started, because its variables are too large together. Deliver large values as files.";
    throw new import_failure5.ActionError("delivery_refused", message);
  }
}
async function pass(stream, output) {
  const lines = output.stream();
  try {
    for await (const chunk of stream) await lines.push(chunk);
  } catch {
  }
  await lines.end();
}
var ProcessGroup = class {
  #leader;
  #isWindows;
  #isTerminating = false;
  constructor(leader, isWindows) {
    this.#leader = leader;
    this.#isWindows = isWindows;
  }
  signal(signal) {
    this.#send(signal);
    if (signal === "SIGINT" || this.#isTerminating) return;
    this.#isTerminating = true;
    setTimeout(() => this.#send("SIGKILL"), KILL_AFTER_TERM_MS).unref();
  }
  /** Ends what is left of the group. */
  async end() {
    if (!this.#send("SIGTERM")) return;
    const patience = this.#isTerminating ? 0 : LEFT_BEHIND_MS;
    for (let waited = 0; waited < patience && this.#send(0); waited += POLL_MS) await sleep2(POLL_MS);
    this.#send("SIGKILL");
  }
  /** Returns false when the group has no process left. */
  #send(signal) {
    if (this.#leader === void 0) return false;
    if (this.#isWindows) return this.#sendOnWindows(signal);
    try {
      return process.kill(-this.#leader, signal);
    } catch {
      return false;
    }
  }
  /** Ctrl+C reaches the command by its console. Everything else ends the whole tree: Windows has no other signals. */
  #sendOnWindows(signal) {
    if (signal === "SIGINT" || signal === 0) return false;
    (0, import_node_child_process.spawn)("taskkill", ["/PID", String(this.#leader), "/T", "/F"], { stdio: "ignore" }).on("error", () => void 0);
    return false;
  }
};
var outputTime = () => new Promise((resolve2) => setTimeout(resolve2, OUTPUT_AFTER_END_MS).unref());
var sleep2 = (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds));

// run/run.ts
async function exchangeAndRun() {
  const inputs = (0, import_inputs4.readInputs)(runner2.input);
  const deadline = (0, import_retry.startDeadline)(inputs.timeoutMs);
  const wanted = readRunInputs(runner2.rawInput);
  runner2.requireRunnerFiles();
  const from = planCommand(wanted, runner2.stepEnvironment(), process.platform);
  const leases = new import_lease2.StepLeases(inputs);
  const answer2 = await (0, import_exchange.exchangeForAnswer)(inputs, leases, deadline);
  const folder = runner2.jobFolder();
  const { exitCode, sessions } = await prepareAndRun(answer2, { inputs, wanted, from, folder, leases });
  (0, import_delivery.removeFiles)(folder);
  const known = leases.all.filter(({ expiresAt }) => expiresAt !== null);
  await revokeLeases(known, leases, inputs, (0, import_retry.startDeadline)(inputs.timeoutMs));
  await Promise.all(sessions.map((session) => session.settled()));
  const others = leases.all.filter((lease) => !known.includes(lease));
  await revokeLeases(others, leases, inputs, (0, import_retry.startDeadline)(inputs.timeoutMs));
  runner2.endWith(exitCode);
}
async function prepareAndRun(answer2, run) {
  const output = new ChildOutput();
  const lease = (0, import_answer.readLease)(answer2);
  let prepared = null;
  try {
    run.leases.confirm(lease);
    const credentials = (0, import_answer.readCredentials)(answer2, run.inputs.grants);
    await registerSecrets(credentials);
    prepared = await prepare(credentials, run);
    runner2.setOutputs((0, import_outputs.leaseOutputs)(lease));
    const { environment } = prepared;
    const exitCode = await runProcess({ ...run.from.command(scriptPath(run)), environment }, output);
    await output.end();
    return { exitCode, sessions: prepared.sessions };
  } catch (thrown) {
    (0, import_delivery.removeFiles)(run.folder);
    await (0, import_delivery.revokeUndelivered)(lease.id, run.inputs, run.leases, (0, import_retry.startDeadline)(run.inputs.timeoutMs));
    throw thrown;
  } finally {
    prepared?.endpoint?.close();
  }
}
async function prepare(received, run) {
  const isSession = ({ format }) => format === "aws-session";
  const withSession = received.filter(isSession);
  const sessions = new Map(
    withSession.map((credential) => [credential.grant, renewedSession(credential, run)])
  );
  const endpoint = sessions.size === 0 ? null : await serveSessions(sessions);
  try {
    if (endpoint !== null) await runner2.registerMasks((0, import_masks.masksFor)(endpoint.authorization));
    const aws = planAws(
      withSession.map(({ grant, values }) => ({
        grant,
        region: values.find(({ name }) => name === "region")?.value ?? "",
        url: endpoint?.urlOf(grant) ?? ""
      })),
      {
        folder: runner2.pathIn(run.folder, "aws"),
        authorization: endpoint?.authorization ?? "",
        node: process.execPath,
        helper: `${runner2.actionFolder()}/aws-profile.js`
      }
    );
    const { files, credentials } = (0, import_files.planFiles)(received.map(withoutSession(sessions.size > 1)), run.folder);
    const delivered = (0, import_environment.planEnvironment)(credentials.filter(({ values }) => values.length > 0));
    const [first] = sessions.keys();
    if (first !== void 0) refuseRivals(delivered, /* @__PURE__ */ new Set([...RIVALS, ...REPLACED]), first);
    const script = { path: scriptPath(run), bytes: Buffer.from(run.from.fileText), mode: 384 };
    (0, import_lease2.saveFilesFolder)(run.folder);
    runner2.writeJobFiles(run.folder, [...files, ...aws.files, script]);
    const step = runner2.stepEnvironment();
    const without = new Set(sessions.size > 0 ? [...RIVALS, ...REPLACED] : rivalsOf(delivered));
    const set = new Map([...delivered, ...aws.variables]);
    logDelivery(received, run.inputs.ttl, takenAway(step, without));
    runner2.appendSummary(
      (0, import_summary.grantedSummary)(received.map(shownAs(aws.variables)), {
        toEnvironment: true,
        toOutputs: false,
        isForCommand: true,
        ttl: run.inputs.ttl
      })
    );
    const environment = childEnvironment(step, { set, without, passesIdToken: run.wanted.passesIdToken });
    return { environment, sessions: [...sessions.values()], endpoint };
  } catch (thrown) {
    endpoint?.close();
    throw thrown;
  }
}
function renewedSession(credential, { inputs, leases }) {
  const { grant } = credential;
  const renew = async () => {
    const again = { ...inputs, grants: [grant], parallelJobs: 1 };
    const answer2 = await (0, import_exchange.exchangeForAnswer)(again, leases, (0, import_retry.startDeadline)(inputs.timeoutMs));
    leases.confirm((0, import_answer.readLease)(answer2));
    const renewed = (0, import_answer.readCredentials)(answer2, [grant]);
    await registerSecrets(renewed);
    const [session] = renewed.map(readSession);
    if (session === void 0) throw new Error("unreachable: exactly one credential was read");
    runner2.info(`Renewed ${grant}, until ${session.Expiration}.`);
    return session;
  };
  return new RenewedSession(
    readSession(credential),
    renew,
    (failure) => runner2.warn(`The session of ${grant} could not be renewed yet: ${(0, import_escape3.forLog)(failure.message)}`)
  );
}
async function registerSecrets(credentials) {
  const values = credentials.flatMap((credential) => credential.values);
  await runner2.registerMasks(values.flatMap(({ secret, value }) => secret ? (0, import_masks.masksFor)(value) : []));
  (0, import_delivery.warnOfBareSecrets)(credentials);
}
function withoutSession(isOneOfSeveral) {
  return (credential) => {
    if (credential.format !== "aws-session") return credential;
    const isKept = ({ name, env }) => !SESSION_VALUES.has(name) && env !== void 0 && !isOneOfSeveral;
    return { ...credential, values: credential.values.filter(isKept) };
  };
}
function shownAs(variables) {
  const names2 = [...variables.keys()].filter((name) => /^AWS_CONTAINER_|^AWS_CONFIG_FILE$/.test(name));
  return (credential) => {
    if (credential.format !== "aws-session") return credential;
    return { ...credential, values: names2.map((env) => ({ name: env, value: "", secret: false, env })) };
  };
}
function rivalsOf(delivered) {
  const isKey = delivered.has("AWS_ACCESS_KEY_ID") && !delivered.has("AWS_SESSION_TOKEN");
  return isKey ? ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] : [];
}
function logDelivery(credentials, ttl, taken) {
  for (const credential of credentials) runner2.info((0, import_delivery.gotLine)(credential, ttl, " for the command"));
  runner2.debug(() => credentials.map(import_delivery.decisionLine));
  if (taken.length === 0) return;
  runner2.info(
    `These variables of the job are not passed to the command: ${taken.map((name) => (0, import_escape3.forLog)(name)).join(", ")}.`
  );
}
var scriptPath = ({ folder, from }) => runner2.pathIn(folder, `script${from.extension}`);
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  exchangeAndRun
});

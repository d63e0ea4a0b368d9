"use strict";
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
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

// failure.ts
var ActionError = class extends Error {
  name = "ActionError";
  code;
  retry;
  /** The broker's name for the request, for its operator. */
  requestId;
  trace;
  constructor(code, message2, extra = {}) {
    super(message2);
    this.code = code;
    if (extra.retry) this.retry = extra.retry;
    if (extra.requestId !== void 0) this.requestId = extra.requestId;
    if (extra.trace) this.trace = extra.trace;
  }
};
function toFailure(thrown) {
  if (thrown instanceof ActionError) return thrown;
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? ` (${thrown.code})` : "";
  return new ActionError("unexpected", `The action itself failed with ${kind}${code}.`);
}

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

// answer.ts
var LEASE_ID = /^[A-Za-z0-9._~-]{1,256}$/;
var NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
var TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
var MAX_VALUES = 64;
var MAX_TEXT_CHARACTERS = 2e3;
var MAX_LIST = 200;
function readLease(answer) {
  const id = memberOf(answer, "lease");
  if (typeof id !== "string" || !LEASE_ID.test(id)) throw unusable("it names no lease");
  return { id, expiresAt: readTime(memberOf(answer, "expires_at"), "the lease") };
}
function readCredentials(answer, grants) {
  const members = membersOf(memberOf(answer, "credentials"));
  if (members === null) throw unusable("it has no credentials");
  const byGrant = new Map(members);
  const missing = grants.find((grant) => !byGrant.has(grant));
  if (missing !== void 0) throw unusable(`it has nothing for the grant ${missing}`);
  if (byGrant.size !== grants.length) throw unusable("it has credentials that were not asked for");
  return grants.map((grant) => readCredential(grant, byGrant.get(grant)));
}
function readRevocation(answer) {
  const members = membersOf(memberOf(answer, "credentials"));
  if (members === null || members.length > MAX_LIST) return null;
  const credentials = /* @__PURE__ */ Object.create(null);
  for (const [grant, ended] of members) {
    const outcome = memberOf(ended, "outcome");
    const expiresAt = memberOf(ended, "expires_at") ?? null;
    if (outcome !== "revoked" && outcome !== "expires-only" && outcome !== "failed") return null;
    if (!NAME.test(grant) || expiresAt !== null && !isTime(expiresAt)) return null;
    credentials[grant] = { outcome, expires_at: expiresAt };
  }
  return credentials;
}
function readProblem(document) {
  const code = memberOf(document, "code");
  const requestId = memberOf(document, "request_id");
  if (typeof code !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(code)) return null;
  const trace = readTrace(memberOf(document, "trace"));
  return {
    code,
    detail: readText(memberOf(document, "detail")),
    request_id: typeof requestId === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(requestId) ? requestId : "",
    ...trace && { trace }
  };
}
function readCredential(grant, credential) {
  const provider = memberOf(credential, "provider");
  const revocation = memberOf(credential, "revocation");
  const expiresAt = memberOf(credential, "expires_at") ?? null;
  const values = membersOf(memberOf(credential, "values"));
  if (typeof provider !== "string" || !NAME.test(provider)) throw unusable(`it names no provider for ${grant}`);
  if (revocation !== "revocable" && revocation !== "expires-only") throw unusable(`it does not say how ${grant} ends`);
  if (values === null || values.length > MAX_VALUES) throw unusable(`it has no values for ${grant}`);
  return {
    grant,
    provider,
    revocation,
    expiresAt: expiresAt === null ? null : readTime(expiresAt, grant),
    values: values.map(([name, value]) => readValue(grant, name, value))
  };
}
function readValue(grant, name, member) {
  if (!NAME.test(name)) throw unusable(`a value of ${grant} has a name that is none`);
  const value = memberOf(member, "value");
  const secret = memberOf(member, "secret");
  const env = memberOf(member, "env");
  if (typeof value !== "string") throw unusable(`the value ${name} of ${grant} is no text`);
  if (typeof secret !== "boolean") throw unusable(`it does not say whether the value ${name} of ${grant} is secret`);
  if (env !== void 0 && typeof env !== "string") throw unusable(`the value ${name} of ${grant} has an odd variable`);
  return { name, value, secret, ...env !== void 0 && { env } };
}
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
  return {
    name: readText(memberOf(value, "name")),
    outcome: memberOf(value, "outcome") === "allow" ? "allow" : "deny",
    reason: readText(memberOf(value, "reason")),
    rules: readList(memberOf(value, "rules")).map(readRuleTrace)
  };
}
function readRuleTrace(value) {
  const line = memberOf(value, "line");
  return {
    kind: memberOf(value, "kind") === "allow" ? "allow" : "deny",
    name: readText(memberOf(value, "name")),
    file: readText(memberOf(value, "file")),
    line: typeof line === "number" && Number.isSafeInteger(line) ? line : 0,
    matched: memberOf(value, "matched") === true,
    conditions: readList(memberOf(value, "conditions")).map(readConditionTrace)
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
function readText(value) {
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARACTERS) : "";
}
function readTime(value, of) {
  if (!isTime(value)) throw unusable(`it does not say when ${of} ends`);
  return value;
}
function isTime(value) {
  return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value));
}
function unusable(fault) {
  return new ActionError("answer_unusable", `The broker's answer cannot be used: ${fault}.`);
}

// ../broker/wire/error-codes.ts
var PROBLEMS = {
  // The request's form: nothing was verified, used up or recorded.
  request_malformed: { status: 400, title: "The request is malformed" },
  request_too_large: { status: 413, title: "The request is too large" },
  media_type_unsupported: { status: 415, title: "The body is not application/json" },
  method_not_allowed: { status: 405, title: "The method is not allowed here" },
  route_not_found: { status: 404, title: "There is nothing at this path" },
  // The subject token. Nothing was used up or recorded.
  token_missing: { status: 401, title: "No subject token" },
  token_malformed: { status: 401, title: "The subject token is malformed" },
  token_issuer_unknown: { status: 401, title: "The subject token's issuer is not trusted" },
  token_signature_invalid: { status: 401, title: "The subject token's signature does not verify" },
  token_audience_mismatch: { status: 401, title: "The subject token is for another audience" },
  token_expired: { status: 401, title: "The subject token has expired" },
  token_not_yet_valid: { status: 401, title: "The subject token is not valid yet" },
  token_lifetime_too_long: { status: 401, title: "The subject token lives longer than its issuer may let it" },
  token_claims_invalid: { status: 401, title: "The subject token's claims are not those of its issuer" },
  token_already_used: { status: 401, title: "The subject token was used before" },
  key_mismatch: { status: 401, title: "The subject token is not bound to the key in the request" },
  bound_token_required: { status: 403, title: "A key-bound subject token is required" },
  issuer_unavailable: { status: 503, title: "The issuer's keys cannot be had" },
  // The decision.
  not_allowed: { status: 403, title: "No policy allows this" },
  ttl_too_short: { status: 400, title: "The provider cannot mint for so short a time" },
  policy_unavailable: { status: 503, title: "No policies are loaded" },
  // Leases. One answer for a lease that never was and a lease of somebody else.
  lease_not_found: { status: 404, title: "No such lease for this job" },
  // What stands behind the broker.
  ledger_unavailable: { status: 503, title: "The ledger cannot be written" },
  provider_denied: { status: 502, title: "The provider refused" },
  provider_throttled: { status: 502, title: "The provider asks for patience" },
  provider_unavailable: { status: 502, title: "The provider cannot be reached" },
  provider_response_invalid: { status: 502, title: "The provider's answer is not usable" },
  configuration_invalid: { status: 503, title: "The broker's configuration is not usable" },
  shutting_down: { status: 503, title: "The broker is shutting down" },
  internal: { status: 500, title: "The broker failed" }
};
var ERROR_CODES = Object.keys(PROBLEMS);

// ../broker/wire/exchange.ts
var KEY_BINDING_SEPARATOR = "?jkt=";
var MEDIA_TYPE_PROBLEM = "application/problem+json";
var MEDIA_TYPE_JOSE = "application/jose";
var MAX_GRANTS_PER_REQUEST = 32;

// runner.ts
var import_node_crypto = require("node:crypto");
var import_node_fs = require("node:fs");

// ../node_modules/@actions/core/lib/command.js
var os = __toESM(require("os"));

// ../node_modules/@actions/core/lib/utils.js
function toCommandValue(input2) {
  if (input2 === null || input2 === void 0) {
    return "";
  } else if (typeof input2 === "string" || input2 instanceof String) {
    return input2;
  }
  return JSON.stringify(input2);
}
function toCommandProperties(annotationProperties) {
  if (!Object.keys(annotationProperties).length) {
    return {};
  }
  return {
    title: annotationProperties.title,
    file: annotationProperties.file,
    line: annotationProperties.startLine,
    endLine: annotationProperties.endLine,
    col: annotationProperties.startColumn,
    endColumn: annotationProperties.endColumn
  };
}

// ../node_modules/@actions/core/lib/command.js
function issueCommand(command, properties, message2) {
  const cmd = new Command(command, properties, message2);
  process.stdout.write(cmd.toString() + os.EOL);
}
var CMD_STRING = "::";
var Command = class {
  constructor(command, properties, message2) {
    if (!command) {
      command = "missing.command";
    }
    this.command = command;
    this.properties = properties;
    this.message = message2;
  }
  toString() {
    let cmdStr = CMD_STRING + this.command;
    if (this.properties && Object.keys(this.properties).length > 0) {
      cmdStr += " ";
      let first = true;
      for (const key in this.properties) {
        if (this.properties.hasOwnProperty(key)) {
          const val = this.properties[key];
          if (val) {
            if (first) {
              first = false;
            } else {
              cmdStr += ",";
            }
            cmdStr += `${key}=${escapeProperty(val)}`;
          }
        }
      }
    }
    cmdStr += `${CMD_STRING}${escapeData(this.message)}`;
    return cmdStr;
  }
};
function escapeData(s) {
  return toCommandValue(s).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}
function escapeProperty(s) {
  return toCommandValue(s).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A").replace(/:/g, "%3A").replace(/,/g, "%2C");
}

// ../node_modules/@actions/core/lib/core.js
var os2 = __toESM(require("os"));
var ExitCode;
(function(ExitCode2) {
  ExitCode2[ExitCode2["Success"] = 0] = "Success";
  ExitCode2[ExitCode2["Failure"] = 1] = "Failure";
})(ExitCode || (ExitCode = {}));
function setSecret(secret) {
  issueCommand("add-mask", {}, secret);
}
function getInput(name, options) {
  const val = process.env[`INPUT_${name.replace(/ /g, "_").toUpperCase()}`] || "";
  if (options && options.required && !val) {
    throw new Error(`Input required and not supplied: ${name}`);
  }
  if (options && options.trimWhitespace === false) {
    return val;
  }
  return val.trim();
}
function debug(message2) {
  issueCommand("debug", {}, message2);
}
function error(message2, properties = {}) {
  issueCommand("error", toCommandProperties(properties), message2 instanceof Error ? message2.toString() : message2);
}
function warning(message2, properties = {}) {
  issueCommand("warning", toCommandProperties(properties), message2 instanceof Error ? message2.toString() : message2);
}
function info(message2) {
  process.stdout.write(message2 + os2.EOL);
}

// runner.ts
function input(name) {
  return getInput(name);
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
  for (const mask of masks) {
    if (registered.has(mask)) continue;
    registered.add(mask);
    setSecret(mask);
  }
  await new Promise((resolve) => process.stdout.write("", () => resolve()));
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
function requireRunnerFiles() {
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"]) runnerFile(name);
}
function appendSummary(markdown) {
  const path = variable("GITHUB_STEP_SUMMARY");
  if (path === "") return;
  try {
    (0, import_node_fs.appendFileSync)(path, `${markdown}
`);
  } catch {
    debug("The job summary cannot be written.");
  }
}
function info2(text) {
  info(text);
}
function warn(text) {
  warning(text, { title: "Daypass" });
}
function fail(title, text) {
  process.exitCode = ExitCode.Failure;
  error(text, { title });
}
var registered = /* @__PURE__ */ new Set();
function variable(name) {
  return process.env[name] ?? "";
}
function readEvent() {
  try {
    return parseJson((0, import_node_fs.readFileSync)(variable("GITHUB_EVENT_PATH")));
  } catch {
    return void 0;
  }
}
function appendBlocks(name, values) {
  const blocks = [...values].map(([key, value]) => block(key, value)).join("");
  if (blocks !== "") (0, import_node_fs.appendFileSync)(runnerFile(name), blocks);
}
function runnerFile(name) {
  const path = variable(name);
  if (path === "") throw new ActionError("runner_file_missing", `The runner did not set ${name}.`);
  return path;
}
function block(name, value) {
  const delimiter = `daypass_${(0, import_node_crypto.randomUUID)()}`;
  if (name.includes(delimiter) || value.includes(delimiter)) return block(name, value);
  return `${name}<<${delimiter}
${value}
${delimiter}
`;
}

// http.ts
var HttpFailure = class extends Error {
  name = "HttpFailure";
  fault;
  constructor(fault) {
    super(`the request failed: ${fault}`);
    this.fault = fault;
  }
  /** Absent when the same request would fail in the same way again. */
  get retry() {
    return RETRIES[this.fault];
  }
};
function isHttpsOrLoopback(url) {
  return url.protocol === "https:" || url.protocol === "http:" && LOOPBACK_HOST.test(url.hostname);
}
async function send(request) {
  const { Agent, request: open2 } = request.url.protocol === "https:" ? await Promise.resolve().then(() => __toESM(require("node:https"), 1)) : await Promise.resolve().then(() => __toESM(require("node:http"), 1));
  const body = request.json === void 0 ? void 0 : JSON.stringify(request.json);
  const options = {
    method: request.method,
    headers: {
      accept: request.accept,
      authorization: `Bearer ${request.bearer}`,
      "user-agent": "daypass-action",
      ...body !== void 0 && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    },
    // One call a connection, so that nothing keeps the step from ending.
    agent: new Agent({ keepAlive: false, proxyEnv: proxyEnvironment() })
  };
  return new Promise((resolve, reject) => {
    const call2 = open2(request.url, options, (response) => {
      readReply(response).then(resolve, (cause) => {
        call2.destroy();
        reject(toHttpFailure(cause));
      });
    });
    const timer = setTimeout(() => call2.destroy(new HttpFailure("timeout")), request.timeoutMs);
    call2.on("error", (cause) => reject(toHttpFailure(cause)));
    call2.on("close", () => clearTimeout(timer));
    call2.end(body);
  });
}
function readReply(response) {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) return Promise.reject(new HttpFailure("redirect"));
  const mediaType = (response.headers["content-type"] ?? "").split(";")[0] ?? "";
  const chunks = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    response.on("data", (chunk) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > MAX_REPLY_BYTES) reject(new HttpFailure("too-large"));
    });
    response.on("error", reject);
    response.on("end", () => {
      const retryAfter = response.headers["retry-after"];
      resolve({ status, mediaType: mediaType.trim().toLowerCase(), retryAfter, body: Buffer.concat(chunks) });
    });
  });
}
function toHttpFailure(cause) {
  if (cause instanceof HttpFailure) return cause;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const fault = FAULTS[code];
  if (fault !== void 0) return new HttpFailure(fault);
  if (TLS_CODE.test(code)) return new HttpFailure("tls");
  if (code.startsWith("HPE_")) return new HttpFailure("not-http");
  return new HttpFailure("reset");
}
var MAX_REPLY_BYTES = 256 * 1024;
var LOOPBACK_HOST = /^(localhost|\[::1\]|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/;
var TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;
var FAULTS = {
  __proto__: null,
  ENOTFOUND: "unknown-host",
  EAI_AGAIN: "unknown-host",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  EADDRNOTAVAIL: "refused",
  ERR_PROXY_TUNNEL: "refused",
  ETIMEDOUT: "timeout"
};
var RETRIES = {
  "unknown-host": { pace: "quick" },
  refused: { pace: "quick" },
  reset: { pace: "patient" },
  timeout: { pace: "patient" },
  tls: void 0,
  "too-large": void 0,
  redirect: void 0,
  "not-http": void 0
};

// broker-client.ts
async function requestExchange(broker, token, request, timeoutMs) {
  const reply = await call(broker, {
    method: "POST",
    url: new URL("/v1/exchange", broker),
    bearer: token,
    accept: `${MEDIA_TYPE_JOSE}, ${MEDIA_TYPE_PROBLEM}`,
    json: request,
    timeoutMs
  });
  if (reply.mediaType === MEDIA_TYPE_JOSE) return reply.body.toString("latin1");
  throw new ActionError("answer_not_sealed", `The broker at ${broker} did not seal its answer to the job's key.`);
}
async function requestRevocation(broker, token, lease, timeoutMs) {
  const reply = await call(broker, {
    method: "DELETE",
    url: new URL(`/v1/leases/${encodeURIComponent(lease)}`, broker),
    bearer: token,
    accept: `application/json, ${MEDIA_TYPE_PROBLEM}`,
    timeoutMs
  });
  const credentials = readRevocation(parseJson(reply.body));
  if (credentials !== null) return credentials;
  throw new ActionError("answer_unusable", `The broker at ${broker} does not say what became of the credentials.`);
}
async function call(broker, request) {
  const reply = await answerOf(broker, request);
  if (reply.status >= 200 && reply.status < 300) return reply;
  const problem = reply.mediaType === MEDIA_TYPE_PROBLEM ? readProblem(parseJson(reply.body)) : null;
  const retry = retryOf(reply, problem?.code);
  if (problem === null) throw strangeStatus(broker, reply.status, retry);
  throw new ActionError(knownCode(problem.code), problemMessage(problem), {
    ...retry && { retry },
    ...problem.request_id !== "" && { requestId: problem.request_id },
    ...problem.trace && { trace: problem.trace }
  });
}
async function answerOf(broker, request) {
  try {
    return await send(request);
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    const [code, what] = TRANSPORT[thrown.fault];
    throw new ActionError(code, `The broker at ${broker} ${what}.`, thrown.retry && { retry: thrown.retry });
  }
}
var TRANSPORT = {
  "unknown-host": ["broker_unreachable", "cannot be reached: its name does not resolve"],
  refused: ["broker_unreachable", "cannot be reached: nothing accepts the connection"],
  reset: ["broker_unreachable", "cannot be reached: the connection broke"],
  timeout: ["broker_timeout", "did not answer in time"],
  tls: ["broker_tls", "has a certificate that this runner does not trust, or speaks no TLS"],
  redirect: ["broker_redirects", "redirects to another address"],
  "too-large": ["answer_unusable", "gave an answer larger than any of a broker's"],
  "not-http": ["answer_unusable", "does not speak HTTP"]
};
function strangeStatus(broker, status, retry) {
  if (status === 404 || status === 405) {
    return new ActionError(
      "broker_too_old",
      `There is no Daypass broker of this version at ${broker} (HTTP ${status}).`
    );
  }
  const code = status >= 500 || status === 429 ? "broker_failing" : "answer_unusable";
  const message2 = `The broker at ${broker}, or something in front of it, answered HTTP ${status} without a reason.`;
  return new ActionError(code, message2, retry && { retry });
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

// escape.ts
var MAX_SHOWN_CHARACTERS = 400;
var STRUCTURE = /[^A-Za-z0-9 /,.-]|(?<![A-Za-z0-9])[.-]|[.-](?![A-Za-z0-9])|(?<=www)\./giu;
function forLog(text) {
  return visible(shortened(text)).replaceAll("##[", "## [");
}
function forMarkdown(text) {
  return visible(shortened(text)).replace(STRUCTURE, (character) => `&#${character.codePointAt(0)};`);
}
function visible(text) {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`
  );
}
function shortened(text) {
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}...`;
}

// deliver/environment.ts
var NAME2 = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
var FORBIDDEN_PREFIXES = [
  "GITHUB_",
  "RUNNER_",
  "ACTIONS_",
  "INPUT_",
  "STATE_",
  "LD_",
  "DYLD_",
  "BASH_",
  "GIT_",
  "NPM_CONFIG_"
];
var FORBIDDEN = /* @__PURE__ */ new Set([
  ...["CI", "PATH", "PATHEXT", "HOME", "USERPROFILE", "SHELL", "COMSPEC", "IFS", "ENV", "SHELLOPTS", "BASHOPTS", "PS4"],
  ...["PROMPT_COMMAND", "CDPATH", "TMPDIR", "TEMP", "TMP", "EDITOR", "PAGER", "BROWSER", "SYSTEMROOT", "WINDIR"],
  ...["NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_REPL_EXTERNAL_MODULE"],
  ...["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT", "RUBYLIB", "RUBYOPT", "CLASSPATH"],
  ...["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "MAVEN_OPTS", "GRADLE_OPTS", "GOFLAGS", "GOPROXY"],
  ...["RUSTC_WRAPPER", "CC", "CXX", "MAKEFLAGS", "DOCKER_HOST", "PSMODULEPATH", "DOTNET_STARTUP_HOOKS"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"]
]);
function planEnvironment(credentials) {
  const plan = /* @__PURE__ */ new Map();
  const owners = /* @__PURE__ */ new Map();
  for (const { grant, values } of credentials) {
    if (!values.some(({ env }) => env !== void 0)) {
      throw refused(`The grant ${grant} names no environment variable for any of its values.`);
    }
    for (const { name, value, env } of values) {
      if (env === void 0) continue;
      checkVariable(env, value, grant);
      const owner = owners.get(env.toUpperCase());
      if (owner !== void 0 && owner.value !== value) {
        const whose = `${grant} (${name}) and ${owner.grant} (${owner.name})`;
        throw refused(`Two grants set the variable ${env} to different values: ${whose}; only outputs keep them apart.`);
      }
      owners.set(env.toUpperCase(), { grant, name, value });
      plan.set(env, value);
    }
  }
  return plan;
}
function checkVariable(env, value, grant) {
  if (!NAME2.test(env)) throw refused(`The grant ${grant} names "${forLog(env)}", which is no name of a variable.`);
  const upper = env.toUpperCase();
  if (FORBIDDEN.has(upper) || FORBIDDEN_PREFIXES.some((prefix) => upper.startsWith(prefix))) {
    throw refused(`The grant ${grant} names the variable ${env}, which changes how later steps run.`);
  }
  if (value.includes("\0")) throw refused(`The value that ${grant} has for ${env} holds a NUL, which no variable can.`);
}
function refused(message2) {
  return new ActionError("delivery_refused", message2);
}

// deliver/outputs.ts
function leaseOutputs(lease) {
  return /* @__PURE__ */ new Map([
    ["lease", lease.id],
    ["expires-at", lease.expiresAt]
  ]);
}
function planOutputs(lease, credentials) {
  const plan = new Map(leaseOutputs(lease));
  const taken = new Set([...plan.keys()].map((name) => name.toLowerCase()));
  for (const { grant, values } of credentials) {
    for (const { name, value } of values) {
      const output = `${grant}-${name}`;
      if (taken.has(output.toLowerCase())) {
        throw new ActionError("delivery_refused", `Two values would both be the output ${output}.`);
      }
      taken.add(output.toLowerCase());
      plan.set(output, value);
    }
  }
  return plan;
}

// id-token.ts
var COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
var MAX_TOKEN_CHARACTERS = 16 * 1024;
async function requestIdToken(endpoint, audience, timeoutMs) {
  const separator = endpoint.url.includes("?") ? "&" : "?";
  const url = URL.parse(`${endpoint.url}${separator}audience=${encodeURIComponent(audience)}`);
  if (url === null || !isHttpsOrLoopback(url)) throw unavailable("ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL.");
  const reply = await ask(url, endpoint.requestToken, timeoutMs);
  if (reply.status !== 200) {
    const message2 = `The runner's ID token endpoint answered ${reply.status}.`;
    throw unavailable(message2, reply.status === 429 || reply.status >= 500);
  }
  return readToken(reply.body);
}
function noIdTokenEndpoint(job) {
  if (job.actor === "dependabot[bot]") {
    return new ActionError("id_token_dependabot", "Runs that Dependabot starts get no ID token.");
  }
  if (job.eventName.startsWith("pull_request") && comesFromFork(job.event)) {
    return new ActionError("id_token_fork", "Pull requests from forks get no ID token.");
  }
  return new ActionError("id_token_permission_missing", "This job may not ask for an ID token.");
}
async function ask(url, bearer, timeoutMs) {
  try {
    return await send({ method: "GET", url, bearer, accept: "application/json", timeoutMs });
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    const message2 = `The runner's ID token endpoint cannot be used (${thrown.fault}).`;
    throw new ActionError("id_token_unavailable", message2, thrown.retry && { retry: thrown.retry });
  }
}
function readToken(body) {
  const token = memberOf(parseJson(body), "value");
  if (typeof token === "string" && token.length <= MAX_TOKEN_CHARACTERS && COMPACT_JWS.test(token)) return token;
  throw unavailable("The runner's ID token endpoint answered without a token.");
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
function unavailable(message2, again = false) {
  return new ActionError("id_token_unavailable", message2, again ? { retry: { pace: "patient" } } : {});
}

// inputs.ts
var GRANT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
var TTL = /^[1-9][0-9]{0,6}[smh]$/;
var AUDIENCE = /^[\x21-\x7e]{1,256}$/;
function readInputs(read) {
  const broker = readBroker(read("broker"));
  const grants = readGrants(read("grants"));
  const audience = readAudience(read("audience"), broker);
  const ttl = read("ttl");
  if (ttl !== "" && !TTL.test(ttl)) throw invalid("ttl", "must be a whole number and a unit, as 90s, 15m or 1h");
  const deliver = readDeliver(read("deliver"));
  return { broker, grants, audience, deliver, ...ttl !== "" && { ttl } };
}
function readBroker(text) {
  if (text === "") throw invalid("broker", "is missing; write the broker's origin, as https://daypass.example.com");
  const url = URL.parse(text);
  if (url === null) throw invalid("broker", "must be a URL, as https://daypass.example.com");
  if (!isHttpsOrLoopback(url)) {
    throw invalid(
      "broker",
      "must start with https://, because a subject token travels to it (http is for loopback hosts)"
    );
  }
  if (url.username !== "" || url.password !== "" || url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw invalid("broker", `must be an origin and nothing more, as ${url.origin}`);
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
  const odd = grants.findIndex((name) => !GRANT_NAME.test(name));
  if (odd !== -1) {
    throw invalid("grants", `has a name, number ${odd + 1}, with other characters than letters, digits, dots, _ and -`);
  }
  const twice = grants.find((name, index) => grants.indexOf(name) !== index);
  if (twice !== void 0) throw invalid("grants", `names ${twice} twice; name each grant once`);
  return grants;
}
function readAudience(text, broker) {
  if (text === "") return broker;
  if (!AUDIENCE.test(text)) throw invalid("audience", "must be at most 256 printable characters without spaces");
  if (text.includes(KEY_BINDING_SEPARATOR)) {
    throw invalid("audience", `must not contain ${KEY_BINDING_SEPARATOR}, which the action adds itself`);
  }
  return text;
}
function readDeliver(text) {
  if (text === "") return "environment";
  if (text === "environment" || text === "outputs" || text === "both") return text;
  throw invalid("deliver", "must be environment, outputs or both");
}
function invalid(input2, fault) {
  return new ActionError("input_invalid", `The input \`${input2}\` ${fault}.`);
}

// key.ts
var import_node_crypto2 = require("node:crypto");

// ../node_modules/jose/dist/webapi/lib/buffer_utils.js
var encoder = new TextEncoder();
var decoder = new TextDecoder();
var strictDecoder = new TextDecoder("utf-8", { fatal: true });
var UINT32_RANGE = 2 ** 32;
function concat(...buffers) {
  const size = buffers.reduce((acc, { length }) => acc + length, 0), buf = new Uint8Array(size);
  let i = 0;
  for (const buffer of buffers)
    buf.set(buffer, i), i += buffer.length;
  return buf;
}
function writeUInt32BE(buf, value, offset) {
  if (value < 0 || value >= UINT32_RANGE)
    throw new RangeError(`value must be >= 0 and <= ${UINT32_RANGE - 1}. Received ${value}`);
  buf.set([value >>> 24, value >>> 16, value >>> 8, value & 255], offset);
}
function uint64be(value) {
  const high = Math.floor(value / UINT32_RANGE), low = value % UINT32_RANGE, buf = new Uint8Array(8);
  return writeUInt32BE(buf, high, 0), writeUInt32BE(buf, low, 4), buf;
}
function uint32be(value) {
  const buf = new Uint8Array(4);
  return writeUInt32BE(buf, value), buf;
}
var NON_ASCII = /[^\x00-\x7f]/;
function encode(string) {
  if (typeof string == "string" && string.length >= 128) {
    if (NON_ASCII.test(string))
      throw new TypeError("non-ASCII string encountered in encode()");
    return encoder.encode(string);
  }
  const bytes = new Uint8Array(string.length);
  for (let i = 0; i < string.length; i++) {
    const code = string.charCodeAt(i);
    if (code > 127)
      throw new TypeError("non-ASCII string encountered in encode()");
    bytes[i] = code;
  }
  return bytes;
}
function encodeBase64(input2, url = false) {
  if (Uint8Array.prototype.toBase64)
    return input2.toBase64({ alphabet: url ? "base64url" : "base64", omitPadding: url });
  const CHUNK_SIZE = 32768, arr = [];
  for (let i = 0; i < input2.length; i += CHUNK_SIZE)
    arr.push(String.fromCharCode.apply(null, input2.subarray(i, i + CHUNK_SIZE)));
  const encoded = btoa(arr.join(""));
  return url ? encoded.replace(/=/g, "").replace(/\+/g, "-").replace(/\//g, "_") : encoded;
}
function decodeBase64(encoded, url = false) {
  if (Uint8Array.fromBase64)
    return Uint8Array.fromBase64(encoded, { alphabet: url ? "base64url" : "base64" });
  if (url) {
    if (encoded.includes("+") || encoded.includes("/"))
      throw new TypeError("Invalid base64url");
    encoded = encoded.replace(/-/g, "+").replace(/_/g, "/");
  }
  const binary = atob(encoded), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++)
    bytes[i] = binary.charCodeAt(i);
  return bytes;
}
async function digest(algorithm, data) {
  const subtleDigest = `SHA-${algorithm.slice(-3)}`;
  return new Uint8Array(await crypto.subtle.digest(subtleDigest, data));
}

// ../node_modules/jose/dist/webapi/util/errors.js
var JOSEError = class extends Error {
  static code = "ERR_JOSE_GENERIC";
  code = "ERR_JOSE_GENERIC";
  constructor(message2, options) {
    super(message2, options), this.name = this.constructor.name, Error.captureStackTrace?.(this, this.constructor);
  }
};
var JOSEAlgNotAllowed = class extends JOSEError {
  static code = "ERR_JOSE_ALG_NOT_ALLOWED";
  code = "ERR_JOSE_ALG_NOT_ALLOWED";
};
var JOSENotSupported = class extends JOSEError {
  static code = "ERR_JOSE_NOT_SUPPORTED";
  code = "ERR_JOSE_NOT_SUPPORTED";
};
var JWEDecryptionFailed = class extends JOSEError {
  static code = "ERR_JWE_DECRYPTION_FAILED";
  code = "ERR_JWE_DECRYPTION_FAILED";
  constructor(message2 = "decryption operation failed", options) {
    super(message2, options);
  }
};
var JWEInvalid = class extends JOSEError {
  static code = "ERR_JWE_INVALID";
  code = "ERR_JWE_INVALID";
};
var JWKInvalid = class extends JOSEError {
  static code = "ERR_JWK_INVALID";
  code = "ERR_JWK_INVALID";
};

// ../node_modules/jose/dist/webapi/util/base64url.js
var invalid2 = "The input to be decoded is not correctly encoded.";
function decode(input2) {
  try {
    return decodeBase64(typeof input2 == "string" ? input2 : decoder.decode(input2), true);
  } catch (cause) {
    throw new TypeError(invalid2, { cause });
  }
}
function encode2(input2) {
  return encodeBase64(typeof input2 == "string" ? encoder.encode(input2) : input2, true);
}

// ../node_modules/jose/dist/webapi/lib/validate.js
function isObject(input2) {
  if (typeof input2 != "object" || input2 === null || Object.prototype.toString.call(input2) !== "[object Object]")
    return false;
  const prototype = Object.getPrototypeOf(input2);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
function isDisjoint(...headers) {
  const parameters = /* @__PURE__ */ new Set();
  for (const header of headers)
    if (header)
      for (const parameter of Object.keys(header)) {
        if (parameters.has(parameter))
          return false;
        parameters.add(parameter);
      }
  return true;
}
function decodeBase64url(value, label, ErrorClass) {
  try {
    return decode(value);
  } catch (cause) {
    throw new ErrorClass(`Failed to base64url decode the ${label}`, { cause });
  }
}
function encodeAsciiMember(value, label, ErrorClass) {
  try {
    return encode(value);
  } catch (cause) {
    throw new ErrorClass(`The ${label} is not a valid base64url string`, { cause });
  }
}
function parseJoseHeader(encodedProtectedHeader, ErrorClass, message2) {
  let parsed;
  try {
    parsed = JSON.parse(strictDecoder.decode(decode(encodedProtectedHeader)));
  } catch (cause) {
    throw new ErrorClass(message2, { cause });
  }
  if (!isObject(parsed))
    throw new ErrorClass(message2);
  return parsed;
}
var JWE_RECOGNIZED = { __proto__: null };
function validateAlgorithms(option, algorithms) {
  if (algorithms !== void 0 && (!Array.isArray(algorithms) || algorithms.some((s) => typeof s != "string")))
    throw new TypeError(`"${option}" option must be an array of strings`);
  return algorithms === void 0 ? void 0 : new Set(algorithms);
}
function validateCrit(Err, recognizedDefault, recognizedOption, protectedHeader, joseHeader) {
  if (joseHeader.crit !== void 0 && protectedHeader?.crit === void 0)
    throw new Err('"crit" (Critical) Header Parameter MUST be integrity protected');
  if (!protectedHeader || protectedHeader.crit === void 0)
    return [];
  if (!Array.isArray(protectedHeader.crit) || protectedHeader.crit.length === 0 || protectedHeader.crit.some((input2) => typeof input2 != "string" || input2.length === 0))
    throw new Err('"crit" (Critical) Header Parameter MUST be an array of non-empty strings when present');
  const recognized = recognizedOption === void 0 ? recognizedDefault : { __proto__: null, ...recognizedOption, ...recognizedDefault };
  for (const parameter of protectedHeader.crit) {
    if (!(parameter in recognized))
      throw new JOSENotSupported(`Extension Header Parameter "${parameter}" is not recognized`);
    if (!Object.hasOwn(joseHeader, parameter) || joseHeader[parameter] === void 0)
      throw new Err(`Extension Header Parameter "${parameter}" is missing`);
    if (recognized[parameter] && (!Object.hasOwn(protectedHeader, parameter) || protectedHeader[parameter] === void 0))
      throw new Err(`Extension Header Parameter "${parameter}" MUST be integrity protected`);
  }
  return protectedHeader.crit;
}

// ../node_modules/jose/dist/webapi/lib/key.js
var tag = (key) => key[Symbol.toStringTag];
var jwkMatchesOp = (entry, key, usage) => {
  const { alg } = entry;
  if (key.use !== void 0) {
    const expected = usage === "sign" || usage === "verify" ? "sig" : "enc";
    if (key.use !== expected)
      throw new TypeError(`Invalid key for this operation, its "use" must be "${expected}" when present`);
  }
  if (key.alg !== void 0 && key.alg !== alg)
    throw new TypeError(`Invalid key for this operation, its "alg" must be "${alg}" when present`);
  if (Array.isArray(key.key_ops)) {
    const expectedKeyOp = usage === "encrypt" || usage === "decrypt" ? entry.ops?.[usage === "encrypt" ? 0 : 1] : usage;
    if (expectedKeyOp && !key.key_ops.includes(expectedKeyOp))
      throw new TypeError(`Invalid key for this operation, its "key_ops" must include "${expectedKeyOp}" when present`);
  }
};
async function prepareKey(entry, key, usage) {
  const { alg, secret } = entry, requiresPrivateKey = usage === "decrypt" || usage === "sign";
  if (secret && key instanceof Uint8Array)
    return key;
  let normalized, keyObject;
  if (isObject(key)) {
    if (normalized = normalizeJwk(key), typeof normalized.kty != "string")
      throw invalidKeyType(alg, key, secret);
    if (!(secret ? normalized.kty === "oct" && typeof normalized.k == "string" : normalized.kty !== "oct" && (requiresPrivateKey ? normalized.kty === "AKP" && typeof normalized.priv == "string" || typeof normalized.d == "string" : normalized.d === void 0 && normalized.priv === void 0)))
      throw new TypeError(secret ? 'JSON Web Key for symmetric algorithms must have JWK "kty" (Key Type) equal to "oct" and the JWK "k" (Key Value) present' : `JSON Web Key for this operation must be a ${requiresPrivateKey ? "private" : "public"} JWK`);
    if (jwkMatchesOp(entry, normalized, usage), normalized.kty === "oct")
      return decode(normalized.k);
    if (!Object.isFrozen(key)) {
      const { key_ops } = key;
      Array.isArray(key_ops) && Object.freeze(key_ops), Object.freeze(key);
    }
  } else {
    if (!isKeyLike(key))
      throw invalidKeyType(alg, key, secret);
    const expectedType = secret ? "secret" : requiresPrivateKey ? "private" : "public";
    if (key.type !== expectedType && (secret || ["secret", "public", "private"].includes(key.type)))
      throw new TypeError(`${tag(key)} instances must be of type "${expectedType}" for the ${alg} algorithm`);
    if (isCryptoKey(key))
      return key;
    if (keyObject = key, keyObject.type === "secret")
      return keyObject.export();
  }
  cache ||= /* @__PURE__ */ new WeakMap();
  const cacheKey = key;
  let cached = cache.get(cacheKey);
  if (cached?.[alg])
    return cached[alg];
  if (cached || cache.set(cacheKey, cached = {}), keyObject && typeof keyObject.toCryptoKey == "function") {
    const isPublic = keyObject.type === "public", crv = nist[keyObject.asymmetricKeyDetails?.namedCurve], params = entry.resolve?.({ crv, asymmetricKeyType: keyObject.asymmetricKeyType }) ?? entry.subtle;
    return cached[alg] = keyObject.toCryptoKey(params, isPublic, entry.usages[isPublic ? 0 : 1]);
  }
  return normalized ??= keyObject.export({ format: "jwk" }), normalized.alg = alg, cached[alg] = await jwkToKey(entry, normalized);
}
var cache;
var nist = {
  __proto__: null,
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521"
};
function assertCryptoKey(key) {
  if (!isCryptoKey(key))
    throw new Error("CryptoKey instance expected");
}
var isCryptoKey = (key) => {
  if (key?.[Symbol.toStringTag] === "CryptoKey")
    return true;
  try {
    return key instanceof CryptoKey;
  } catch {
    return false;
  }
};
var isKeyObject = (key) => key?.[Symbol.toStringTag] === "KeyObject";
var isKeyLike = (key) => isCryptoKey(key) || isKeyObject(key);
function message(msg, actual, ...types) {
  if (types.length > 2) {
    const last = types.pop();
    msg += `one of type ${types.join(", ")}, or ${last}.`;
  } else types.length === 2 ? msg += `one of type ${types[0]} or ${types[1]}.` : msg += `of type ${types[0]}.`;
  return actual == null ? msg += ` Received ${actual}` : typeof actual == "function" && actual.name ? msg += ` Received function ${actual.name}` : typeof actual == "object" && actual != null && actual.constructor?.name && (msg += ` Received an instance of ${actual.constructor.name}`), msg;
}
var invalidKeyInput = (actual, ...types) => message("Key must be ", actual, ...types);
function invalidKeyType(alg, actual, secret) {
  const types = ["CryptoKey", "KeyObject", "JSON Web Key"];
  return secret && types.push("Uint8Array"), new TypeError(message(`Key for the ${alg} algorithm must be `, actual, ...types));
}
var unusable2 = (name, prop = "algorithm.name") => new TypeError(`CryptoKey does not support this operation, its ${prop} must be ${name}`);
function checkUsage(key, usage) {
  if (usage && !key.usages.includes(usage))
    throw new TypeError(`CryptoKey does not support this operation, its usages must include ${usage}.`);
}
function checkModulusLength(alg, key) {
  const { modulusLength } = key.algorithm;
  if (typeof modulusLength != "number" || modulusLength < 2048)
    throw new TypeError(`${alg} requires key modulusLength to be 2048 bits or larger`);
}
function checkCryptoKey(key, expected, usage) {
  const algorithm = key.algorithm;
  if (algorithm.name !== expected.name)
    throw unusable2(expected.name);
  if (expected.hash && algorithm.hash?.name !== expected.hash)
    throw unusable2(expected.hash, "algorithm.hash");
  if (expected.namedCurve && algorithm.namedCurve !== expected.namedCurve)
    throw unusable2(expected.namedCurve, "algorithm.namedCurve");
  if (expected.length !== void 0 && algorithm.length !== expected.length)
    throw unusable2(expected.length, "algorithm.length");
  checkUsage(key, usage);
}
function snapshotJwk(jwk) {
  return { __proto__: null, ...jwk };
}
function normalizeJwk(jwk) {
  const normalized = snapshotJwk(jwk);
  if (normalized.ext !== void 0 && typeof normalized.ext != "boolean")
    throw new TypeError('"ext" (Extractable) Parameter must be a boolean');
  if (normalized.key_ops !== void 0) {
    const value = normalized.key_ops, keyOps = Array.isArray(value) ? [...value] : void 0;
    if (!keyOps || keyOps.some((operation) => typeof operation != "string") || new Set(keyOps).size !== keyOps.length)
      throw new TypeError('"key_ops" (Key Operations) Parameter must be an array of unique strings');
    normalized.key_ops = keyOps;
  }
  return normalized;
}
async function jwkToKey(entry, jwk, extractable) {
  if (!entry.kty.includes(jwk.kty))
    throw new JOSENotSupported('Invalid or unsupported JWK "alg" (Algorithm) Parameter value');
  const algorithm = entry.resolve?.({ kty: jwk.kty, crv: jwk.crv }) ?? entry.subtle, isPrivate = !!(jwk.d || jwk.priv), keyData = { ...jwk, ext: extractable ?? jwk.ext };
  return keyData.kty !== "AKP" && delete keyData.alg, delete keyData.use, crypto.subtle.importKey("jwk", keyData, algorithm, keyData.ext ?? !isPrivate, jwk.key_ops ?? entry.usages[isPrivate ? 1 : 0]);
}
async function rawKey(key, expected, usage, extractable = false) {
  return key instanceof Uint8Array && (key = await crypto.subtle.importKey("raw", key, expected, extractable, [usage])), checkCryptoKey(key, expected, usage), key;
}

// ../node_modules/jose/dist/webapi/lib/content_encryption.js
var generateCek = (enc) => crypto.getRandomValues(new Uint8Array(enc.cekBits >> 3));
function checkCekLength(cek, expected) {
  const actual = cek.byteLength << 3;
  if (actual !== expected)
    throw new JWEInvalid(`Invalid Content Encryption Key length. Expected ${expected} bits, got ${actual} bits`);
}
function checkIvLength(enc, iv) {
  if (iv.length << 3 !== enc.ivBits)
    throw new JWEInvalid("Invalid Initialization Vector length");
}
async function cbcKeySetup(enc, cek, usage) {
  if (!(cek instanceof Uint8Array))
    throw new TypeError(invalidKeyInput(cek, "Uint8Array"));
  const keyLengthBits = enc.cekBits >> 1, encKey = await crypto.subtle.importKey("raw", cek.subarray(keyLengthBits >> 3), "AES-CBC", false, [usage]), macKey = await crypto.subtle.importKey("raw", cek.subarray(0, keyLengthBits >> 3), {
    hash: `SHA-${keyLengthBits << 1}`,
    name: "HMAC"
  }, false, ["sign"]);
  return [encKey, macKey, keyLengthBits];
}
async function cbcHmacTag(macKey, macData, keyLengthBits) {
  return new Uint8Array((await crypto.subtle.sign("HMAC", macKey, macData)).slice(0, keyLengthBits >> 3));
}
async function timingSafeEqual(a, b) {
  const algorithm = { name: "HMAC", hash: "SHA-256" }, key = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]), aHmac = await crypto.subtle.sign(algorithm, key, a);
  return crypto.subtle.verify(algorithm, key, aHmac, b);
}
async function cbcDecrypt(enc, cek, ciphertext, iv, tag2, aad) {
  const [encKey, macKey, keyLengthBits] = await cbcKeySetup(enc, cek, "decrypt"), al = uint64be(aad.length * 8), macData = concat(aad, iv, ciphertext, al), expectedTag = await cbcHmacTag(macKey, macData, keyLengthBits);
  try {
    if (await timingSafeEqual(tag2, expectedTag))
      return new Uint8Array(await crypto.subtle.decrypt({ iv, name: "AES-CBC" }, encKey, ciphertext));
  } catch {
  }
  throw new JWEDecryptionFailed();
}
async function decrypt(enc, cek, ciphertext, iv, tag2, aad) {
  if (!isCryptoKey(cek) && !(cek instanceof Uint8Array))
    throw new TypeError(invalidKeyInput(cek, "CryptoKey", "KeyObject", "Uint8Array", "JSON Web Key"));
  if (!iv)
    throw new JWEInvalid("JWE Initialization Vector missing");
  if (!tag2)
    throw new JWEInvalid("JWE Authentication Tag missing");
  if (!enc.cbc && tag2.length !== 16)
    throw new JWEInvalid("Invalid Authentication Tag length");
  if (checkIvLength(enc, iv), cek instanceof Uint8Array && checkCekLength(cek, enc.cekBits), enc.cbc)
    return cbcDecrypt(enc, cek, ciphertext, iv, tag2, aad);
  const encKey = await rawKey(cek, enc.subtle, "decrypt");
  try {
    return new Uint8Array(await crypto.subtle.decrypt({
      additionalData: aad,
      iv,
      name: "AES-GCM",
      tagLength: 128
    }, encKey, concat(ciphertext, tag2)));
  } catch {
    throw new JWEDecryptionFailed();
  }
}

// ../node_modules/jose/dist/webapi/lib/key_descriptor.js
function table(entries) {
  const out = { __proto__: null };
  for (const alg in entries)
    out[alg] = { ...entries[alg], alg };
  return out;
}

// ../node_modules/jose/dist/webapi/lib/jwe_algorithms.js
var wrap = [
  ["encrypt", "wrapKey"],
  ["decrypt", "unwrapKey"]
];
var derive = [[], ["deriveBits"]];
var none = [[], []];
function rsaes(bits) {
  return {
    kty: ["RSA"],
    mode: "key-encryption",
    subtle: { name: "RSA-OAEP", hash: `SHA-${bits}` },
    usages: wrap,
    ops: ["wrapKey", "unwrapKey"]
  };
}
function ecdh(mode) {
  return {
    kty: ["EC", "OKP"],
    mode,
    subtle: { name: "ECDH" },
    resolve: ({ kty, crv, asymmetricKeyType }) => {
      if (crv === "X25519" || asymmetricKeyType === "x25519")
        return { name: "X25519" };
      if (kty === "OKP")
        throw new JOSENotSupported('Invalid or unsupported JWK "alg" (Algorithm) Parameter value');
      return { name: "ECDH", namedCurve: crv };
    },
    usages: derive,
    ops: [void 0, "deriveBits"]
  };
}
function aeskw(bits, gcm = false) {
  return {
    kty: ["oct"],
    mode: "key-wrapping",
    secret: true,
    subtle: { name: gcm ? "AES-GCM" : "AES-KW", length: bits },
    usages: none,
    ops: gcm ? ["encrypt", "decrypt"] : ["wrapKey", "unwrapKey"]
  };
}
function pbes2() {
  return {
    kty: ["oct"],
    mode: "key-wrapping",
    secret: true,
    subtle: { name: "PBKDF2" },
    usages: none,
    ops: ["deriveBits", "deriveBits"]
  };
}
var JWE = table({
  dir: {
    kty: ["oct"],
    mode: "direct-encryption",
    secret: true,
    subtle: { name: "AES-GCM" },
    usages: none,
    ops: ["encrypt", "decrypt"]
  },
  "RSA-OAEP": rsaes(1),
  "RSA-OAEP-256": rsaes(256),
  "RSA-OAEP-384": rsaes(384),
  "RSA-OAEP-512": rsaes(512),
  "ECDH-ES": ecdh("direct-key-agreement"),
  "ECDH-ES+A128KW": ecdh("key-agreement-with-key-wrapping"),
  "ECDH-ES+A192KW": ecdh("key-agreement-with-key-wrapping"),
  "ECDH-ES+A256KW": ecdh("key-agreement-with-key-wrapping"),
  A128KW: aeskw(128),
  A192KW: aeskw(192),
  A256KW: aeskw(256),
  A128GCMKW: aeskw(128, true),
  A192GCMKW: aeskw(192, true),
  A256GCMKW: aeskw(256, true),
  "PBES2-HS256+A128KW": pbes2(),
  "PBES2-HS384+A192KW": pbes2(),
  "PBES2-HS512+A256KW": pbes2()
});
var contentOps = ["encrypt", "decrypt"];
function contentEncryption(bits, cbc = false) {
  return {
    kty: ["oct"],
    secret: true,
    subtle: { name: cbc ? "AES-CBC" : "AES-GCM", length: bits },
    usages: none,
    ops: contentOps,
    cekBits: bits,
    ivBits: cbc ? 128 : 96,
    cbc
  };
}
var ENC = table({
  A128GCM: contentEncryption(128),
  A192GCM: contentEncryption(192),
  A256GCM: contentEncryption(256),
  "A128CBC-HS256": contentEncryption(256, true),
  "A192CBC-HS384": contentEncryption(384, true),
  "A256CBC-HS512": contentEncryption(512, true)
});
function unsupported(parameter, name) {
  throw new JOSENotSupported(`Invalid or unsupported "${parameter}" (JWE ${name}) header value`);
}
function jweAlgorithm(alg) {
  return (typeof alg == "string" ? JWE[alg] : void 0) ?? unsupported("alg", "Algorithm");
}
function isJWECEKTransport(algorithm) {
  return algorithm.mode === "key-wrapping" || algorithm.mode === "key-encryption" || algorithm.mode === "key-agreement-with-key-wrapping";
}
function jweEncryption(enc) {
  return (typeof enc == "string" ? ENC[enc] : void 0) ?? unsupported("enc", "Encryption Algorithm");
}

// ../node_modules/jose/dist/webapi/lib/key_management.js
function checkEcdhCryptoKey(key, usage) {
  if (key.algorithm.name !== "ECDH" && key.algorithm.name !== "X25519")
    throw new TypeError("CryptoKey does not support this operation, its algorithm.name must be ECDH or X25519");
  checkUsage(key, usage);
}
async function aeskwUnwrap(alg, key, encryptedKey) {
  const cryptoKey = await rawKey(key, jweAlgorithm(alg).subtle, "unwrapKey", true), cryptoKeyCek = await crypto.subtle.unwrapKey("raw", encryptedKey, cryptoKey, "AES-KW", { hash: "SHA-256", name: "HMAC" }, true, ["sign"]);
  return new Uint8Array(await crypto.subtle.exportKey("raw", cryptoKeyCek));
}
function checkRsaKey(alg, key, usage) {
  checkCryptoKey(key, jweAlgorithm(alg).subtle, usage), checkModulusLength(alg, key);
}
async function deriveKey(p2s, alg, p2c, key) {
  if (!(p2s instanceof Uint8Array) || p2s.length < 8)
    throw new JWEInvalid("PBES2 Salt Input must be 8 or more octets");
  if (!Number.isSafeInteger(p2c) || Math.sign(p2c) !== 1)
    throw new JWEInvalid("PBES2 Count Input must be a positive integer");
  const salt = concat(encode(alg), Uint8Array.of(0), p2s), keyLengthBits = parseInt(alg.slice(13, 16), 10), subtleAlg = {
    hash: `SHA-${alg.slice(8, 11)}`,
    iterations: p2c,
    name: "PBKDF2",
    salt
  }, cryptoKey = await rawKey(key, jweAlgorithm(alg).subtle, "deriveBits");
  return new Uint8Array(await crypto.subtle.deriveBits(subtleAlg, cryptoKey, keyLengthBits));
}
function lengthAndInput(input2) {
  return concat(uint32be(input2.length), input2);
}
async function concatKdf(Z, keyDataLength, OtherInfo) {
  const dkLen = keyDataLength >> 3, hashLen = 32, reps = Math.ceil(dkLen / hashLen), dk = new Uint8Array(reps * hashLen);
  for (let i = 1; i <= reps; i++) {
    const hashResult = await digest("sha256", concat(uint32be(i), Z, OtherInfo));
    dk.set(hashResult, (i - 1) * hashLen);
  }
  return dk.slice(0, dkLen);
}
async function ecdhesDeriveKey(publicKey, privateKey, algorithmId, keyDataLength, apu = new Uint8Array(), apv = new Uint8Array()) {
  checkEcdhCryptoKey(publicKey), checkEcdhCryptoKey(privateKey, "deriveBits");
  const otherInfo = concat(lengthAndInput(encode(algorithmId)), lengthAndInput(apu), lengthAndInput(apv), uint32be(keyDataLength)), Z = new Uint8Array(await crypto.subtle.deriveBits({
    name: publicKey.algorithm.name,
    public: publicKey
  }, privateKey, publicKey.algorithm.name === "X25519" ? 256 : Math.ceil(parseInt(publicKey.algorithm.namedCurve.slice(-3), 10) / 8) << 3));
  return concatKdf(Z, keyDataLength, otherInfo);
}
function assertEcdhKey(key) {
  assertCryptoKey(key);
  const curve = key.algorithm.namedCurve;
  if (curve !== "P-256" && curve !== "P-384" && curve !== "P-521" && key.algorithm.name !== "X25519")
    throw new JOSENotSupported("ECDH with the provided key is not allowed or not supported by your javascript runtime");
}
function partyInfo(joseHeader, name) {
  const value = joseHeader[name];
  if (value !== void 0) {
    if (typeof value != "string")
      throw new JWEInvalid(`JOSE Header "${name}" (Agreement Party${name === "apu" ? "U" : "V"}Info) invalid`);
    return decodeBase64url(value, name, JWEInvalid);
  }
}
function checkPartyInfo(apu, apv) {
  if (!(apu === void 0 || apv === void 0 || apu.byteLength !== apv.byteLength)) {
    for (let i = 0; i < apu.byteLength; i++)
      if (apu[i] !== apv[i])
        return;
    throw new JWEInvalid('JOSE Header "apu" and "apv" values must be distinct');
  }
}
function assertEncryptedKey(encryptedKey) {
  if (encryptedKey === void 0)
    throw new JWEInvalid("JWE Encrypted Key missing");
}
function assertNoEncryptedKey(encryptedKey) {
  if (encryptedKey !== void 0)
    throw new JWEInvalid("Encountered unexpected JWE Encrypted Key");
}
function validateMaxPBES2Count(value) {
  if (value !== void 0 && value !== 1 / 0 && (!Number.isSafeInteger(value) || value < 1))
    throw new TypeError("maxPBES2Count must be a positive safe integer or Infinity");
}
async function decryptKeyManagement(entry, enc, key, encryptedKey, joseHeader, maxPBES2Count) {
  const { alg } = entry, mode = entry.mode;
  if (mode === "direct-encryption")
    return assertNoEncryptedKey(encryptedKey), key;
  const direct = mode === "direct-key-agreement";
  switch (direct ? assertNoEncryptedKey(encryptedKey) : assertEncryptedKey(encryptedKey), entry.subtle.name) {
    case "ECDH": {
      const { epk } = joseHeader;
      if (!isObject(epk) || ["d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"].some((parameter) => Object.hasOwn(epk, parameter)))
        throw new JWEInvalid('JOSE Header "epk" (Ephemeral Public Key) missing or invalid');
      assertEcdhKey(key);
      const ephemeralPublicKey = await jwkToKey(entry, epk), partyUInfo = partyInfo(joseHeader, "apu"), partyVInfo = partyInfo(joseHeader, "apv");
      checkPartyInfo(partyUInfo, partyVInfo);
      const derivedKey = await ecdhesDeriveKey(ephemeralPublicKey, key, direct ? enc.alg : alg, direct ? enc.cekBits : parseInt(alg.slice(-5, -2), 10), partyUInfo, partyVInfo);
      if (direct)
        return derivedKey;
      key = derivedKey;
      break;
    }
    case "RSA-OAEP":
      return assertCryptoKey(key), checkRsaKey(alg, key, "decrypt"), new Uint8Array(await crypto.subtle.decrypt("RSA-OAEP", key, encryptedKey));
    case "PBKDF2": {
      if (typeof joseHeader.p2c != "number")
        throw new JWEInvalid('JOSE Header "p2c" (PBES2 Count) missing or invalid');
      const p2cLimit = maxPBES2Count ?? 1e4;
      if (joseHeader.p2c > p2cLimit)
        throw new JWEInvalid('JOSE Header "p2c" (PBES2 Count) out is of acceptable bounds');
      if (typeof joseHeader.p2s != "string")
        throw new JWEInvalid('JOSE Header "p2s" (PBES2 Salt) missing or invalid');
      const p2s = decodeBase64url(joseHeader.p2s, "p2s", JWEInvalid);
      key = await deriveKey(p2s, alg, joseHeader.p2c, key);
      break;
    }
    case "AES-GCM": {
      if (typeof joseHeader.iv != "string")
        throw new JWEInvalid('JOSE Header "iv" (Initialization Vector) missing or invalid');
      if (typeof joseHeader.tag != "string")
        throw new JWEInvalid('JOSE Header "tag" (Authentication Tag) missing or invalid');
      const iv = decodeBase64url(joseHeader.iv, "iv", JWEInvalid), tag2 = decodeBase64url(joseHeader.tag, "tag", JWEInvalid);
      if (iv.byteLength !== 12)
        throw new JWEInvalid("Invalid Initialization Vector length");
      if (tag2.byteLength !== 16)
        throw new JWEInvalid("Invalid Authentication Tag length");
      return decrypt(jweEncryption(alg.slice(0, -2)), key, encryptedKey, iv, tag2, new Uint8Array());
    }
  }
  return aeskwUnwrap(alg.slice(-6), key, encryptedKey);
}

// ../node_modules/jose/dist/webapi/lib/deflate.js
function validateZip(joseHeader, protectedHeader) {
  if (joseHeader.zip !== void 0 && joseHeader.zip !== "DEF")
    throw new JOSENotSupported('Unsupported JWE "zip" (Compression Algorithm) Header Parameter value.');
  if (joseHeader.zip !== void 0 && !protectedHeader?.zip)
    throw new JWEInvalid('JWE "zip" (Compression Algorithm) Header Parameter MUST be in a protected header.');
}
function supported(name) {
  if (typeof globalThis[name] > "u")
    throw new JOSENotSupported(`JWE "zip" (Compression Algorithm) Header Parameter requires the ${name} API.`);
}
async function transform(stream, input2, maxLength = 1 / 0) {
  const writer = stream.writable.getWriter();
  writer.write(input2).catch(() => {
  }), writer.close().catch(() => {
  });
  const chunks = [];
  let length = 0;
  const reader = stream.readable.getReader();
  for (; ; ) {
    const { value, done } = await reader.read();
    if (done)
      break;
    if (chunks.push(value), length += value.byteLength, maxLength !== 1 / 0 && length > maxLength)
      throw await reader.cancel().catch(() => {
      }), new JWEInvalid("Decompressed plaintext exceeded the configured limit");
  }
  return concat(...chunks);
}
async function decompress(input2, maxLength) {
  return supported("DecompressionStream"), transform(new DecompressionStream("deflate-raw"), input2, maxLength);
}

// ../node_modules/jose/dist/webapi/lib/jwe_decrypt.js
function shareJWE(jwe) {
  const { protected: encodedProtected, ciphertext, iv, tag: tag2, aad } = jwe;
  let protectedHeader;
  return encodedProtected !== void 0 && (protectedHeader = parseJoseHeader(encodedProtected, JWEInvalid, "JWE Protected Header is invalid")), [
    protectedHeader,
    decodeBase64url(ciphertext, "ciphertext", JWEInvalid),
    iv !== void 0 ? decodeBase64url(iv, "iv", JWEInvalid) : void 0,
    tag2 !== void 0 ? decodeBase64url(tag2, "tag", JWEInvalid) : void 0,
    encodeAsciiMember((encodedProtected ?? "") + (aad !== void 0 ? `.${aad}` : ""), "aad", JWEInvalid)
  ];
}
function prepareDecrypt(options) {
  const keyManagementAlgorithms = options && validateAlgorithms("keyManagementAlgorithms", options.keyManagementAlgorithms), contentEncryptionAlgorithms = options && validateAlgorithms("contentEncryptionAlgorithms", options.contentEncryptionAlgorithms), { crit, maxPBES2Count, maxDecompressedLength } = options ?? {};
  validateMaxPBES2Count(maxPBES2Count);
  const decompressionLimit = maxDecompressedLength ?? 25e4;
  if (decompressionLimit !== 0 && decompressionLimit !== 1 / 0 && (!Number.isSafeInteger(decompressionLimit) || decompressionLimit < 1))
    throw new TypeError("maxDecompressedLength must be 0, a positive safe integer, or Infinity");
  return [
    keyManagementAlgorithms,
    contentEncryptionAlgorithms,
    crit,
    maxPBES2Count,
    maxDecompressedLength
  ];
}
async function decryptJWE(jwe, shared, key, token = shareJWE(jwe)) {
  const [protectedHeader, ciphertext, iv, tag2, additionalAuthenticatedData] = token, { header, unprotected, aad } = jwe;
  let joseHeader;
  if (header !== void 0 || unprotected !== void 0) {
    if (!isDisjoint(protectedHeader, header, unprotected))
      throw new JWEInvalid("JWE Protected, JWE Unprotected Header, and JWE Per-Recipient Unprotected Header Parameter names must be disjoint");
    joseHeader = { ...protectedHeader, ...header, ...unprotected };
  } else
    joseHeader = protectedHeader ?? {};
  const [keyManagementAlgorithms, contentEncryptionAlgorithms, crit, maxPBES2Count, maxDecompressedLength] = shared, { encrypted_key: encodedKey } = jwe;
  validateCrit(JWEInvalid, JWE_RECOGNIZED, crit, protectedHeader, joseHeader), validateZip(joseHeader, protectedHeader);
  const { alg, enc } = joseHeader;
  if (typeof alg != "string" || !alg)
    throw new JWEInvalid("missing JWE Algorithm (alg) in JWE Header");
  const selected = JWE[alg];
  if (encodedKey === "" && (!selected || !isJWECEKTransport(selected)))
    throw new JWEInvalid("JWE Encrypted Key incorrect type");
  const integrated = selected?.mode === "integrated-encryption";
  if (!integrated && (typeof enc != "string" || !enc))
    throw new JWEInvalid("missing JWE Encryption Algorithm (enc) in JWE Header");
  if (keyManagementAlgorithms && !keyManagementAlgorithms.has(alg) || !keyManagementAlgorithms && alg.startsWith("PBES2"))
    throw new JOSEAlgNotAllowed('"alg" (Algorithm) Header Parameter value not allowed');
  let encEntry;
  if (integrated) {
    if (enc !== void 0)
      throw new JWEInvalid('JWE "enc" (Encryption Algorithm) Header Parameter must not be present for integrated encryption');
    if (iv?.byteLength)
      throw new JWEInvalid("JWE Initialization Vector must be empty for integrated encryption");
    if (tag2?.byteLength)
      throw new JWEInvalid("JWE Authentication Tag must be empty for integrated encryption");
  } else {
    if (contentEncryptionAlgorithms && !contentEncryptionAlgorithms.has(enc))
      throw new JOSEAlgNotAllowed('"enc" (Encryption Algorithm) Header Parameter value not allowed');
    encEntry = jweEncryption(enc);
  }
  let encryptedKey;
  if (encodedKey !== void 0)
    try {
      encryptedKey = decodeBase64url(encodedKey, "encrypted_key", JWEInvalid);
    } catch (error2) {
      if (!selected || !isJWECEKTransport(selected))
        throw error2;
      encryptedKey = new Uint8Array();
    }
  let resolvedKey = false;
  typeof key == "function" && (key = await key(protectedHeader, jwe), resolvedKey = true);
  const algEntry = selected ?? jweAlgorithm(alg);
  isJWECEKTransport(algEntry) && encryptedKey === void 0 && (encryptedKey = new Uint8Array());
  const k = await prepareKey(algEntry.mode === "direct-encryption" ? encEntry : algEntry, key, "decrypt");
  let plaintext;
  if (algEntry.mode === "integrated-encryption")
    plaintext = await algEntry.decrypt(k, encryptedKey, ciphertext, additionalAuthenticatedData, protectedHeader, joseHeader);
  else {
    const encryption = encEntry;
    let cek;
    try {
      cek = await decryptKeyManagement(algEntry, encryption, k, encryptedKey, joseHeader, maxPBES2Count), isJWECEKTransport(algEntry) && cek instanceof Uint8Array && cek.byteLength << 3 !== encryption.cekBits && (cek = generateCek(encryption));
    } catch (err) {
      if (err instanceof TypeError || err instanceof JWEInvalid || err instanceof JOSENotSupported)
        throw err;
      cek = generateCek(encryption);
    }
    plaintext = await decrypt(encryption, cek, ciphertext, iv, tag2, additionalAuthenticatedData);
  }
  if (joseHeader.zip === "DEF") {
    const decompressionLimit = maxDecompressedLength ?? 25e4;
    if (decompressionLimit === 0)
      throw new JOSENotSupported('JWE "zip" (Compression Algorithm) Header Parameter is not supported.');
    plaintext = await decompress(plaintext, decompressionLimit).catch((cause) => {
      throw cause instanceof JWEInvalid ? cause : new JWEInvalid("Failed to decompress plaintext", { cause });
    });
  }
  return {
    plaintext,
    ...protectedHeader && { protectedHeader },
    ...aad !== void 0 && {
      additionalAuthenticatedData: decodeBase64url(aad, "aad", JWEInvalid)
    },
    ...unprotected && { sharedUnprotectedHeader: unprotected },
    ...header && { unprotectedHeader: header },
    ...resolvedKey && { key: k }
  };
}
async function decryptCompact(jwe, shared, key) {
  if (jwe instanceof Uint8Array && (jwe = decoder.decode(jwe)), typeof jwe != "string")
    throw new JWEInvalid("Compact JWE must be a string or Uint8Array");
  const { 0: protectedHeader, 1: encryptedKey, 2: iv, 3: ciphertext, 4: tag2, length } = jwe.split(".");
  if (length !== 5)
    throw new JWEInvalid("Invalid Compact JWE");
  return decryptJWE({
    ciphertext,
    iv: iv || void 0,
    protected: protectedHeader,
    tag: tag2 || void 0,
    encrypted_key: encryptedKey || void 0
  }, shared, key);
}

// ../node_modules/jose/dist/webapi/jwe/compact/decrypt.js
async function compactDecrypt(jwe, key, options) {
  return decryptCompact(jwe, prepareDecrypt(options), key);
}

// ../node_modules/jose/dist/webapi/key/export.js
async function exportJWK(key) {
  if (isKeyObject(key))
    if (key.type === "secret")
      key = key.export();
    else
      return key.export({ format: "jwk" });
  if (key instanceof Uint8Array)
    return {
      kty: "oct",
      k: encode2(key)
    };
  if (!isCryptoKey(key))
    throw new TypeError(invalidKeyInput(key, "CryptoKey", "KeyObject", "Uint8Array"));
  if (!key.extractable)
    throw new TypeError("non-extractable CryptoKey cannot be exported as a JWK");
  const jwk = await crypto.subtle.exportKey("jwk", key);
  delete jwk.ext, delete jwk.key_ops, delete jwk.use, jwk.kty !== "AKP" && delete jwk.alg;
  for (const parameter of Object.keys(jwk))
    jwk[parameter] === void 0 && delete jwk[parameter];
  return jwk;
}

// ../node_modules/jose/dist/webapi/jwk/thumbprint.js
var check = (value, description) => {
  if (typeof value != "string" || !value)
    throw new JWKInvalid(`${description} missing or invalid`);
};
async function calculateJwkThumbprint(key, digestAlgorithm) {
  let jwk;
  if (isObject(key)) {
    if (jwk = snapshotJwk(key), typeof jwk.kty != "string")
      throw new TypeError(invalidKeyInput(key, "CryptoKey", "KeyObject", "JSON Web Key"));
  } else if (isKeyLike(key))
    jwk = snapshotJwk(await exportJWK(key));
  else
    throw new TypeError(invalidKeyInput(key, "CryptoKey", "KeyObject", "JSON Web Key"));
  if (digestAlgorithm ??= "sha256", digestAlgorithm !== "sha256" && digestAlgorithm !== "sha384" && digestAlgorithm !== "sha512")
    throw new TypeError('digestAlgorithm must one of "sha256", "sha384", or "sha512"');
  let requiredMembers;
  switch (jwk.kty) {
    case "AKP":
      check(jwk.alg, '"alg" (Algorithm) Parameter'), check(jwk.pub, '"pub" (Public key) Parameter'), requiredMembers = { alg: jwk.alg, kty: jwk.kty, pub: jwk.pub };
      break;
    case "EC":
      check(jwk.crv, '"crv" (Curve) Parameter'), check(jwk.x, '"x" (X Coordinate) Parameter'), check(jwk.y, '"y" (Y Coordinate) Parameter'), requiredMembers = { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y };
      break;
    case "OKP":
      check(jwk.crv, '"crv" (Subtype of Key Pair) Parameter'), check(jwk.x, '"x" (Public Key) Parameter'), requiredMembers = { crv: jwk.crv, kty: jwk.kty, x: jwk.x };
      break;
    case "RSA":
      check(jwk.e, '"e" (Exponent) Parameter'), check(jwk.n, '"n" (Modulus) Parameter'), requiredMembers = { e: jwk.e, kty: jwk.kty, n: jwk.n };
      break;
    case "oct":
      if (typeof jwk.k != "string")
        throw new JWKInvalid('"k" (Key Value) Parameter missing or invalid');
      requiredMembers = { k: jwk.k, kty: jwk.kty };
      break;
    default:
      throw new JOSENotSupported('"kty" (Key Type) Parameter missing or unsupported');
  }
  const thumbprintInput = encode(JSON.stringify(requiredMembers));
  return encode2(await digest(digestAlgorithm, thumbprintInput));
}

// key.ts
async function makeJobKey() {
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  const pair = await import_node_crypto2.webcrypto.subtle.generateKey(algorithm, false, ["deriveBits"]);
  const { x = "", y = "" } = await import_node_crypto2.webcrypto.subtle.exportKey("jwk", pair.publicKey);
  const publicJwk = { kty: "EC", crv: "P-256", x, y };
  return { publicJwk, thumbprint: await calculateJwkThumbprint(publicJwk), open: (jwe) => open(jwe, pair.privateKey) };
}
function boundAudience(audience, thumbprint) {
  return `${audience}${KEY_BINDING_SEPARATOR}${thumbprint}`;
}
function thumbprintOfNoKey() {
  return (0, import_node_crypto2.randomBytes)(32).toString("base64url");
}
async function open(jwe, privateKey) {
  try {
    const { plaintext } = await compactDecrypt(jwe, privateKey, {
      keyManagementAlgorithms: ["ECDH-ES"],
      contentEncryptionAlgorithms: ["A256GCM"],
      maxDecompressedLength: 0
    });
    return parseJson(plaintext);
  } catch {
    throw new ActionError("answer_unusable", "The broker's answer does not open with this job's key.");
  }
}

// patience.ts
var DEADLINE_MS = 3e4;
var ATTEMPT_MS = 15e3;
var QUICK_PAUSES_MS = [150, 450];
var PATIENT_BASE_MS = 500;
var PATIENT_CAP_MS = 8e3;
var PATIENT_PAUSES = 6;
function startDeadline(waiting = REAL) {
  const end = waiting.now() + DEADLINE_MS;
  const remainingMs = () => Math.max(0, end - waiting.now());
  return { remainingMs, attemptMs: () => Math.max(1, Math.min(ATTEMPT_MS, remainingMs())) };
}
async function persist(deadline, attempt, waiting = REAL) {
  const tries = { quick: 0, patient: 0 };
  for (; ; ) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof ActionError) || thrown.retry === void 0) throw thrown;
      const pause = pauseMs(thrown.retry, tries[thrown.retry.pace]++, waiting.random());
      if (pause === null || pause >= deadline.remainingMs()) throw thrown;
      waiting.tell(`${forLog(thrown.message)} Trying again.`);
      await waiting.sleep(pause);
    }
  }
}
function pauseMs(retry, failed, random) {
  if (retry.pace === "quick") {
    const longest2 = QUICK_PAUSES_MS[failed];
    return longest2 === void 0 ? null : longest2 * random;
  }
  if (failed >= PATIENT_PAUSES) return null;
  const longest = Math.min(PATIENT_CAP_MS, PATIENT_BASE_MS * 2 ** failed);
  return (retry.afterMs ?? 0) + longest * random;
}
var REAL = {
  now: () => performance.now(),
  random: Math.random,
  tell: info2,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
};

// lease.ts
function holdLease(lease) {
  saveState("lease", JSON.stringify(lease));
}
function releaseLease() {
  saveState("lease", "");
}
function holdVariables(names) {
  saveState("variables", names.join(","));
}
async function takeBack(lease, deadline) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw noIdTokenEndpoint(jobFacts());
  const audience = boundAudience(lease.audience, thumbprintOfNoKey());
  return persist(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs());
    await registerMasks([token]);
    return requestRevocation(lease.broker, token, lease.id, deadline.attemptMs());
  });
}

// masks.ts
var MIN_LINE_CHARACTERS = 4;
var MIN_ENCODED_BYTES = 8;
function masksFor(secret) {
  const text = secret.replace(/^[\r\n]+|[\r\n]+$/g, "");
  const plain = /[\r\n]/.test(text) ? ofSeveralLines(text) : [text, text.trim()];
  const masks = [...plain, ...encodings(Buffer.from(text, "utf8"))];
  return [...new Set(masks.filter((mask) => mask.trim() !== ""))];
}
function ofSeveralLines(text) {
  const wholeOnOneLine = [JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())];
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return [...lines, ...wholeOnOneLine].filter((mask) => mask.length >= MIN_LINE_CHARACTERS);
}
function encodings(bytes) {
  if (bytes.length < MIN_ENCODED_BYTES) return [];
  const hex = bytes.toString("hex");
  return [...[0, 1, 2].flatMap((offset) => base64Cores(bytes, offset)), hex, hex.toUpperCase()];
}
function base64Cores(bytes, offset) {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const first = Math.ceil(offset * 8 / 6);
  const end = Math.floor(padded.length * 8 / 6);
  const base64 = padded.toString("base64").slice(first, end);
  return [base64, base64.replaceAll("+", "-").replaceAll("/", "_")];
}

// advice.ts
function advice(code) {
  return ADVICE[code];
}
var ADVICE = {
  // The broker's codes, in the order of the wire.
  request_malformed: "Check the inputs `grants` and `ttl` against what the broker says here.",
  request_too_large: "Ask for fewer grants in one step.",
  media_type_unsupported: `Something between the job and the broker changes requests; let it pass them as they are.`,
  method_not_allowed: "Update the broker to the version that this action needs, or pin the action to the broker's version.",
  route_not_found: "Update the broker to the version that this action needs, or correct the input `broker`.",
  token_missing: "Let the proxy between the job and the broker pass the Authorization header on.",
  token_malformed: "Check that the job runs on GitHub Actions or GitHub Enterprise Server and that nothing in between changes the Authorization header.",
  token_issuer_unknown: "Ask the broker's operator to list this issuer under `issuers` in the organisation file, or correct the input `broker`.",
  token_signature_invalid: "Check that the issuer's URL in the broker's organisation file is that of this GitHub server.",
  token_audience_mismatch: "Set the input `audience` to the audience that the broker is configured with; left out, it is the broker's origin.",
  token_expired: "Set the clocks of the runner and of the broker right, for subject tokens live only minutes.",
  token_not_yet_valid: "Set the clocks of the runner and of the broker right, for the token seems to come from the future.",
  token_lifetime_too_long: "Ask the broker's operator to compare `max_token_lifetime` with the lifetime of this issuer's tokens.",
  token_claims_invalid: "Ask the broker's operator to check that the issuer's family in the organisation file fits this GitHub server.",
  token_already_used: "Run the job again; if it happens again, look for a step or a proxy that repeats requests.",
  key_mismatch: "Run the job again; if it happens again, look for a proxy that changes the requests to the broker.",
  bound_token_required: "Update the action, because this one did not bind its token to a key as the broker demands.",
  issuer_unavailable: "Wait for the issuer to recover and run the job again; githubstatus.com may tell more.",
  not_allowed: "Change the policy, or run the job on the ref, the event and in the environment that a policy of this repository allows.",
  ttl_too_short: "Ask for a longer `ttl`, or leave the input out.",
  policy_unavailable: "Ask the broker's operator to mend the policies; `daypass check` names every fault.",
  lease_not_found: "Nothing can be changed from here: the lease has ended, or it belongs to another run.",
  ledger_unavailable: "Run the job again in a while; if it goes on, ask the broker's operator to look at its storage.",
  provider_denied: "Ask the broker's operator to check what the provider's side trusts: its role, its trust condition or its permissions.",
  provider_throttled: "Run the job again in a while, or have fewer jobs ask at the same time.",
  provider_unavailable: "Wait for the provider to recover and run the job again.",
  provider_response_invalid: "Ask the broker's operator to compare the connection's settings with the provider's version.",
  configuration_invalid: "Ask the broker's operator to read the broker's log, which names every fault of its configuration.",
  shutting_down: "Run the job again, for the broker is being restarted.",
  internal: "Give the request id to the broker's operator, who finds the cause under it in the broker's log.",
  // The action's own.
  input_invalid: "Correct the step's `with:` in the workflow.",
  id_token_permission_missing: "Add `permissions: { contents: read, id-token: write }` to the job; a reusable workflow needs it in its caller as well.",
  id_token_fork: "Run this step only for branches of the repository itself, for example with `if: github.event.pull_request.head.repo.full_name == github.repository`.",
  id_token_dependabot: "Leave this step out for Dependabot with `if: github.actor != 'dependabot[bot]'`, or run it once the change is merged.",
  id_token_unavailable: "Run the job again; if it goes on, see githubstatus.com or the state of your GitHub Enterprise Server.",
  broker_unreachable: "Check the input `broker` and that this runner's network and proxy let it reach that host.",
  broker_timeout: "Run the job again; if it goes on, ask the broker's operator what keeps it busy.",
  broker_tls: "Have the broker show a certificate that this runner trusts, or add its authority through NODE_EXTRA_CA_CERTS on the runner.",
  broker_redirects: "Set the input `broker` to the origin where the broker itself answers, because redirects are never followed with a token.",
  broker_too_old: "Check the input `broker`, and update the broker if it is older than this action.",
  broker_failing: "Run the job again; if it goes on, ask the broker's operator to look at the broker and what stands in front of it.",
  problem_unknown: "Update the action, because the broker is newer and knows reasons that this one does not.",
  answer_not_sealed: "Update the broker, because an answer that is not sealed to the job's key is never used.",
  answer_unusable: "Check that the input `broker` points at a Daypass broker, of a version that fits the action.",
  delivery_refused: "Change the names in the policy or the provider's settings, or take the values as outputs with `deliver: outputs`.",
  runner_file_missing: "Run this step with a runner that sets GITHUB_ENV, GITHUB_OUTPUT and GITHUB_STATE, as every current one does.",
  unexpected: "This is a fault of ours, so please report it together with the versions of the action and the broker."
};

// summary.ts
var MAX_SUMMARY_CHARACTERS = 5e5;
function grantedSummary(credentials, delivered) {
  const rows = credentials.map((credential) => [
    forMarkdown(credential.grant),
    forMarkdown(credential.provider),
    credential.expiresAt === null ? "does not expire" : forMarkdown(credential.expiresAt),
    credential.revocation === "revocable" ? "taken back when the job ends" : "expires by itself",
    forMarkdown(placesOf(credential, delivered).join(", "))
  ]);
  return bounded(["### Daypass", "", ...table2(["grant", "provider", "until", "how it ends", "arrives as"], rows)]);
}
function failedSummary(failure) {
  const request = failure.requestId === void 0 ? [] : ["", `Request ${forMarkdown(failure.requestId)}`];
  return bounded([
    `### Daypass: ${forMarkdown(failure.code)}`,
    "",
    forMarkdown(failure.message),
    "",
    `**What to change:** ${advice(failure.code)}`,
    ...request,
    ...(failure.trace?.notes ?? []).flatMap((note) => ["", `Note: ${forMarkdown(note)}`]),
    ...(failure.trace?.grants ?? []).flatMap(grantSection)
  ]);
}
function grantSection(grant) {
  const verdict = grant.outcome === "allow" ? "allowed" : "denied";
  const heading = ["", `#### ${forMarkdown(grant.name)}: ${verdict}`, "", forMarkdown(grant.reason)];
  const rows = grant.rules.flatMap((rule) => {
    const name = `${rule.kind} ${forMarkdown(rule.name)}`;
    const place = `${forMarkdown(rule.file)}:${rule.line}`;
    if (rule.conditions.length === 0) return [[name, place, "", "", "", yesOrNo(rule.matched)]];
    return rule.conditions.map(({ claim, expected, actual, matched }) => [
      name,
      place,
      forMarkdown(claim),
      forMarkdown(expected),
      actual === null ? "*missing*" : forMarkdown(actual),
      yesOrNo(matched)
    ]);
  });
  if (rows.length === 0) return heading;
  return [...heading, "", ...table2(["rule", "file", "claim", "expected", "actual", "matches"], rows)];
}
function placesOf(credential, delivered) {
  return credential.values.flatMap(({ name, env }) => [
    ...delivered.toEnvironment && env !== void 0 ? [env] : [],
    ...delivered.toOutputs ? [`outputs.${credential.grant}-${name}`] : []
  ]);
}
function table2(headings, rows) {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
function yesOrNo(matched) {
  return matched ? "yes" : "**no**";
}
function bounded(lines) {
  let length = 0;
  const end = lines.findIndex((line) => {
    length += line.length + 1;
    return length > MAX_SUMMARY_CHARACTERS;
  });
  return [...end === -1 ? lines : [...lines.slice(0, end), "", "*The rest is left out.*"], ""].join("\n");
}

// exchange.ts
async function exchange() {
  const deadline = startDeadline();
  const inputs = readInputs(input);
  requireRunnerFiles();
  const answer = await exchangeForAnswer(inputs, deadline);
  const lease = readLease(answer);
  const held = { ...lease, broker: inputs.broker, audience: inputs.audience };
  holdLease(held);
  try {
    const credentials = readCredentials(answer, inputs.grants);
    const values = credentials.flatMap((credential) => credential.values);
    await registerMasks(values.flatMap(({ secret, value }) => secret ? masksFor(value) : []));
    const toOutputs = inputs.deliver !== "environment";
    const toEnvironment = inputs.deliver !== "outputs";
    const outputs = toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease);
    const variables = toEnvironment ? planEnvironment(credentials) : /* @__PURE__ */ new Map();
    if (variables.size > 0) holdVariables([...variables.keys()]);
    setOutputs(outputs);
    setVariables(variables);
    for (const { grant, expiresAt } of credentials)
      info2(`Got ${grant}${expiresAt ? `, until ${expiresAt}` : ""}.`);
    appendSummary(grantedSummary(credentials, { toOutputs, toEnvironment }));
  } catch (thrown) {
    await giveBack(held, deadline);
    throw thrown;
  }
}
async function exchangeForAnswer(inputs, deadline) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw noIdTokenEndpoint(jobFacts());
  const key = await makeJobKey();
  const audience = boundAudience(inputs.audience, key.thumbprint);
  const request = { grants: inputs.grants, ...inputs.ttl !== void 0 && { ttl: inputs.ttl }, key: key.publicJwk };
  const sealed = await persist(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs());
    await registerMasks([token]);
    return requestExchange(inputs.broker, token, request, deadline.attemptMs());
  });
  return key.open(sealed);
}
async function giveBack(held, deadline) {
  try {
    await takeBack(held, deadline);
    releaseLease();
    info2("Nothing was delivered, and the lease was given back.");
  } catch (thrown) {
    warn(`The lease was not given back yet, the post step tries again: ${forLog(toFailure(thrown).message)}`);
  }
}

// report.ts
function reportFailure(thrown) {
  const failure = toFailure(thrown);
  if (failure.trace) for (const line of traceLines(failure.trace)) info2(line);
  const request = failure.requestId === void 0 ? "" : ` (request ${failure.requestId})`;
  fail(`Daypass: ${failure.code}`, `${forLog(failure.message)} ${advice(failure.code)}${request}`);
  appendSummary(failedSummary(failure));
}
function traceLines(trace) {
  const { repository, environment } = trace.subject;
  const where = environment === null ? "no environment" : `environment ${forLog(environment)}`;
  return [
    `Decided about ${forLog(repository)} in ${where}:`,
    ...trace.notes.map((note) => `- note: ${forLog(note)}`),
    ...trace.grants.flatMap((grant) => [
      `- grant ${forLog(grant.name)}: ${grant.outcome}: ${forLog(grant.reason)}`,
      ...grant.rules.flatMap((rule) => [
        `  - ${rule.kind} "${forLog(rule.name)}" (${forLog(rule.file)}:${rule.line}) ${rule.matched ? "matches" : "does not match"}`,
        ...rule.conditions.map((condition) => {
          const actual = condition.actual === null ? "has no such claim" : `says ${forLog(condition.actual)}`;
          const outcome = condition.matched ? "matches" : "does not match";
          return `    - claim ${forLog(condition.claim)} ${outcome}: expected ${forLog(condition.expected)}, the token ${actual}`;
        })
      ])
    ])
  ];
}

// main.ts
exchange().catch(reportFailure);

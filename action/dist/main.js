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

// main.ts
var main_exports = {};
__export(main_exports, {
  AWS_KEY_VARIABLE: () => AWS_KEY_VARIABLE,
  ActionError: () => ActionError,
  IssuedRecords: () => IssuedRecords,
  OWN_CODES: () => OWN_CODES,
  SESSION_VALUES: () => SESSION_VALUES,
  StepLeases: () => StepLeases,
  actionFolder: () => actionFolder,
  advice: () => advice,
  appendSummary: () => appendSummary,
  blankOldTokens: () => blankOldTokens,
  changeFor: () => changeFor,
  commandsStoppedWith: () => commandsStoppedWith,
  debug: () => debug2,
  decisionLine: () => decisionLine,
  dropRecords: () => dropRecords,
  encodings: () => encodings,
  endWith: () => endWith,
  exchange: () => exchange,
  exchangeForAnswer: () => exchangeForAnswer,
  externalAccount: () => externalAccount,
  fail: () => fail,
  failedSummary: () => failedSummary,
  forLog: () => forLog,
  forMarkdown: () => forMarkdown,
  gotLine: () => gotLine,
  grantedSummary: () => grantedSummary,
  hasLogins: () => hasLogins,
  idTokenEndpoint: () => idTokenEndpoint,
  info: () => info2,
  input: () => input,
  isJobFolder: () => isJobFolder,
  isKept: () => isKept,
  isOver: () => isOver,
  isTime: () => isTime,
  isTooCommon: () => isTooCommon,
  jobFacts: () => jobFacts,
  jobFolder: () => jobFolder,
  keptLine: () => keptLine,
  leaseOutputs: () => leaseOutputs,
  logOutcomes: () => logOutcomes,
  loginsOf: () => loginsOf,
  makeJobFolder: () => makeJobFolder,
  masksFor: () => masksFor,
  memberOf: () => memberOf,
  membersOf: () => membersOf,
  messageForLog: () => messageForLog,
  messageForMarkdown: () => messageForMarkdown,
  needsGoogleFiles: () => needsGoogleFiles,
  onLogClosed: () => onLogClosed,
  pageOf: () => pageOf,
  parseJson: () => parseJson,
  pathIn: () => pathIn,
  placesOf: () => placesOf,
  planDelivery: () => planDelivery,
  planEnvironment: () => planEnvironment,
  planFiles: () => planFiles,
  planLogins: () => planLogins,
  planOutputs: () => planOutputs,
  proxyEnvironment: () => proxyEnvironment,
  rawInput: () => rawInput,
  readCredentials: () => readCredentials,
  readInputs: () => readInputs,
  readLease: () => readLease,
  readProblem: () => readProblem,
  readRecords: () => readRecords,
  readRevocation: () => readRevocation,
  readSession: () => readSession,
  registerMasks: () => registerMasks,
  registeredMasks: () => registeredMasks,
  removeDeliveredFiles: () => removeDeliveredFiles,
  removeFiles: () => removeFiles,
  removeJobFolder: () => removeJobFolder,
  replaceJobFile: () => replaceJobFile,
  requireRunnerFiles: () => requireRunnerFiles,
  requiredValue: () => requiredValue,
  revokeLease: () => revokeLease,
  revokeUndelivered: () => revokeUndelivered,
  saveFilesFolder: () => saveFilesFolder,
  saveKeep: () => saveKeep,
  saveState: () => saveState,
  saveVariables: () => saveVariables,
  savedLeases: () => savedLeases,
  savedState: () => savedState,
  savedVariables: () => savedVariables,
  sentencesOf: () => sentencesOf,
  setOutputs: () => setOutputs,
  setVariables: () => setVariables,
  silenceLog: () => silenceLog,
  spreadFirstCall: () => spreadFirstCall,
  startDeadline: () => startDeadline,
  startedFile: () => startedFile,
  stepEnvironment: () => stepEnvironment,
  surroundings: () => surroundings,
  sweepPlaces: () => sweepPlaces,
  toFailure: () => toFailure,
  toolsOf: () => toolsOf,
  warn: () => warn,
  warnOfBareSecrets: () => warnOfBareSecrets,
  warningOfProfile: () => warningOfProfile,
  withGoogleFiles: () => withGoogleFiles,
  withRetries: () => withRetries,
  writeJobFiles: () => writeJobFiles,
  writeRecord: () => writeRecord,
  writeToLog: () => writeToLog
});
module.exports = __toCommonJS(main_exports);

// exchange.ts
var import_node_crypto6 = require("node:crypto");

// ../broker/wire/lease-id.ts
function newLeaseId(now, randomUuid) {
  const time = now.getTime().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUuid.slice(15)}`;
}

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

// trace.ts
var MAX_TEXT_CHARACTERS = 2e3;
var MAX_LIST = 200;
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
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARACTERS) : "";
}

// answer.ts
var hasLogins = (credentials) => credentials.some(({ values }) => values.some(({ logins }) => logins !== void 0));
var toolsOf = ({ logins = [] }) => logins.map((login) => memberOf(login, "tool")).filter((tool) => typeof tool === "string");
var LEASE_ID = /^[A-Za-z0-9._~-]{1,256}$/;
var NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
var TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
var FILE_MODE = /^0[46][04]0$/;
var HELP_URL = /^https?:\/\/[A-Za-z0-9._~:/[\]-]{1,300}$/;
var MAX_VALUES = 64;
function readLease(answer) {
  const id = memberOf(answer, "lease");
  if (typeof id !== "string" || !LEASE_ID.test(id)) throw unusable("it has no lease");
  return { id, expiresAt: readTime(memberOf(answer, "expires_at"), "the lease") };
}
function readCredentials(answer, grants) {
  const members = membersOf(memberOf(answer, "credentials"));
  if (members === null) throw unusable("it has no credentials");
  const byGrant = new Map(members);
  const missing = grants.find((grant) => !byGrant.has(grant));
  if (missing !== void 0) throw unusable(`it has no credential for the grant ${missing}`);
  if (byGrant.size !== grants.length) throw unusable("it has credentials that were not requested");
  return grants.map((grant) => readCredential(grant, byGrant.get(grant)));
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
var OUTCOMES = /* @__PURE__ */ new Set(["revoked", "expires-only", "failed", "revoking"]);
var isOutcome = (value) => OUTCOMES.has(value);
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
function readCredential(grant, credential) {
  const provider = memberOf(credential, "provider");
  const revocation = memberOf(credential, "revocation");
  const expiresAt = memberOf(credential, "expires_at") ?? null;
  const shortened3 = memberOf(credential, "shortened_to_seconds");
  const format = memberOf(credential, "format");
  const values = membersOf(memberOf(credential, "values"));
  if (typeof provider !== "string" || !NAME.test(provider)) throw unusable(`it does not name the provider of ${grant}`);
  if (revocation !== "revocable" && revocation !== "expires-only")
    throw unusable(`it does not say whether ${grant} can be revoked`);
  if (values === null || values.length > MAX_VALUES) throw unusable(`it has no values for ${grant}`);
  return {
    grant,
    provider,
    ...typeof format === "string" && { format },
    revocation,
    expiresAt: expiresAt === null ? null : readTime(expiresAt, grant),
    ...typeof shortened3 === "number" && Number.isSafeInteger(shortened3) && { shortenedToSeconds: shortened3 },
    values: values.map(([name, value]) => readValue(grant, name, value))
  };
}
function readValue(grant, name, member) {
  if (!NAME.test(name)) throw unusable(`the name of a value of ${grant} is invalid`);
  const value = memberOf(member, "value");
  const secret = memberOf(member, "secret");
  const env = memberOf(member, "env");
  if (typeof value !== "string") throw unusable(`the value ${name} of ${grant} is not a string`);
  if (typeof secret !== "boolean") throw unusable(`it does not say whether the value ${name} of ${grant} is secret`);
  if (env !== void 0 && typeof env !== "string")
    throw unusable(`the variable for the value ${name} of ${grant} is not a string`);
  const file = readFileForm(grant, name, memberOf(member, "file"));
  const logins = memberOf(member, "logins");
  if (logins !== void 0 && !Array.isArray(logins))
    throw unusable(`the logins of the value ${name} of ${grant} are not a list`);
  return {
    name,
    value,
    secret,
    ...env !== void 0 && { env },
    ...file && { file },
    ...logins !== void 0 && { logins }
  };
}
function readFileForm(grant, name, form) {
  if (form === void 0) return null;
  const [mode, encoding] = [memberOf(form, "mode"), memberOf(form, "encoding")];
  if (typeof mode !== "string" || !FILE_MODE.test(mode) || encoding !== void 0 && encoding !== "base64") {
    throw unusable(`the file mode or encoding of the value ${name} of ${grant} is not allowed`);
  }
  return { mode, ...encoding !== void 0 && { encoding } };
}
function readTime(value, of) {
  if (!isTime(value)) throw unusable(`it does not say when ${of} expires`);
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
var ERROR_CODES = Object.keys(PROBLEMS);

// ../broker/wire/exchange.ts
var KEY_BINDING_SEPARATOR = "?jkt=";
var MEDIA_TYPE_PROBLEM = "application/problem+json";
var MEDIA_TYPE_JOSE = "application/jose";
var MAX_GRANTS_PER_REQUEST = 32;

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
function denialHeading({ grants }) {
  const [first, ...others] = deniedIn(grants);
  if (first === void 0) return null;
  const rule = decidingRule(first);
  const misses = rule?.kind === "allow" ? rule.conditions.filter(({ matched }) => !matched) : [];
  const isUnnamed = misses.some(({ expected, actual }) => expected.startsWith(`${actual}, `));
  const rest = others.length === 0 ? "" : `; ${others.length} more ${others.length === 1 ? "grant is" : "grants are"} denied`;
  if (misses.length === 0 || isUnnamed) return `Denied: ${first.reason.replace(/\.$/, "")}${rest}`;
  const needs = misses.map(({ claim, expected }) => `${claim} ${expected}`).join(" and ");
  return `Denied: ${first.name} needs ${needs}, and this job ${misses.map(stateOf).join(" and ")}${rest}`;
}
function decidingRule({ rules }) {
  const deny = rules.find(({ kind, matched }) => kind === "deny" && matched);
  const allows = rules.filter(({ kind }) => kind === "allow");
  if (deny !== void 0 || allows.some(({ matched }) => matched)) return deny;
  const missesOf = (rule) => rule.conditions.filter(({ matched }) => !matched).length;
  return allows.sort((a, b) => missesOf(a) - missesOf(b))[0];
}
function ownPolicyLine(trace, detail) {
  for (const grant of deniedIn(trace?.grants ?? [])) {
    const rule = decidingRule(grant);
    if (rule !== void 0 && OWN_FILE.test(rule.file) && rule.line > 0) return { file: rule.file, line: rule.line };
  }
  const [, file, line] = /(?:^|[ (])(\.github\/daypass\/[A-Za-z0-9._/-]{1,200}):([1-9][0-9]{0,5})(?=[:,) ])/.exec(detail) ?? [];
  return file !== void 0 && OWN_FILE.test(file) ? { file, line: Number(line) } : null;
}
var OWN_FILE = /^\.github\/daypass\/(?!.*\.\.)[A-Za-z0-9._/-]{1,200}$/;
var deniedIn = (grants) => grants.filter(({ outcome }) => outcome === "deny");
function stateOf({ claim, actual }) {
  if (actual === null) return `has no ${claim}`;
  return claim === "ref" ? `runs on ${actual}` : `has ${claim} ${actual === "" ? '""' : actual}`;
}

// runner.ts
var import_node_crypto = require("node:crypto");
var import_node_fs2 = require("node:fs");
var import_node_path = require("node:path");

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
function issueCommand(command, properties, message) {
  const cmd = new Command(command, properties, message);
  process.stdout.write(cmd.toString() + os.EOL);
}
var CMD_STRING = "::";
var Command = class {
  constructor(command, properties, message) {
    if (!command) {
      command = "missing.command";
    }
    this.command = command;
    this.properties = properties;
    this.message = message;
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
function isDebug() {
  return process.env["RUNNER_DEBUG"] === "1";
}
function debug(message) {
  issueCommand("debug", {}, message);
}
function error(message, properties = {}) {
  issueCommand("error", toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
function warning(message, properties = {}) {
  issueCommand("warning", toCommandProperties(properties), message instanceof Error ? message.toString() : message);
}
function info(message) {
  process.stdout.write(message + os2.EOL);
}
function getState(name) {
  return process.env[`STATE_${name}`] || "";
}

// runner-file.ts
var import_node_fs = require("node:fs");
var { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = import_node_fs.constants;
function appendToRunnerFile(name, path, text) {
  const descriptor = open(name, path);
  try {
    requireOrdinary(name, (0, import_node_fs.fstatSync)(descriptor));
    (0, import_node_fs.writeFileSync)(descriptor, text);
  } finally {
    (0, import_node_fs.closeSync)(descriptor);
  }
}
function requireRunnerFile(name, path) {
  const found = (0, import_node_fs.lstatSync)(path, { throwIfNoEntry: false });
  if (found !== void 0) requireOrdinary(name, found);
}
function open(name, path) {
  try {
    return (0, import_node_fs.openSync)(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 384);
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
  return getInput(name);
}
function rawInput(name) {
  return getInput(name, { trimWhitespace: false });
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
      const soft = /^Max stack size +([0-9]+|unlimited) /m.exec((0, import_node_fs2.readFileSync)("/proc/self/limits", "latin1"))?.[1];
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
  for (const mask of masks) {
    if (registered.has(mask)) continue;
    registered.add(mask);
    printCommand(() => setSecret(mask));
  }
  await new Promise((resolve2) => process.stdout.write("", () => resolve2()));
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
function writeToLog(bytes) {
  const { stdout } = process;
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
  process.stdout.on("error", act2);
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
  return getState(name);
}
function requireRunnerFiles() {
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"]) requireRunnerFile(name, runnerFile(name));
}
function jobFolder() {
  const root = variable("RUNNER_TEMP");
  if (root === "") throw new ActionError("runner_file_missing", "The runner did not set RUNNER_TEMP.");
  return (0, import_node_path.join)((0, import_node_path.resolve)(root), `${FOLDER_PREFIX}${(0, import_node_crypto.randomUUID)()}`);
}
function pathIn(folder, name) {
  return (0, import_node_path.join)(folder, ".run", name);
}
function writeJobFiles(folder, files) {
  (0, import_node_fs2.mkdirSync)(folder, { mode: 448 });
  for (const { path, bytes, mode } of files) {
    (0, import_node_fs2.mkdirSync)((0, import_node_path.dirname)(path), { mode: 448, recursive: true });
    const descriptor = (0, import_node_fs2.openSync)(path, "wx", 384);
    try {
      (0, import_node_fs2.writeFileSync)(descriptor, bytes);
      (0, import_node_fs2.fchmodSync)(descriptor, mode);
    } finally {
      (0, import_node_fs2.closeSync)(descriptor);
    }
  }
}
function replaceJobFile(path, bytes) {
  const next = `${path}.${(0, import_node_crypto.randomUUID)()}`;
  try {
    (0, import_node_fs2.writeFileSync)(next, bytes, { flag: "wx", mode: 384 });
    (0, import_node_fs2.renameSync)(next, path);
  } catch (thrown) {
    (0, import_node_fs2.rmSync)(next, { force: true });
    throw thrown;
  }
}
function makeJobFolder(folder) {
  (0, import_node_fs2.mkdirSync)(folder, { mode: 448 });
}
function writeRecord(folder, name, text) {
  (0, import_node_fs2.writeFileSync)((0, import_node_path.join)(folder, name), text, { flag: "wx", mode: 384 });
}
function readRecords(folder, names, maxBytes) {
  try {
    if (!isJobFolder(folder) || !(0, import_node_fs2.lstatSync)(folder).isDirectory()) return null;
    const found = (0, import_node_fs2.readdirSync)(folder).filter((name) => names.test(name));
    return found.map((name) => readRegularFile((0, import_node_path.join)(folder, name), maxBytes));
  } catch {
    return null;
  }
}
function readRegularFile(path, maxBytes) {
  const { O_RDONLY, O_NOFOLLOW: O_NOFOLLOW2 = 0, O_NONBLOCK: O_NONBLOCK2 = 0 } = import_node_fs2.constants;
  const descriptor = (0, import_node_fs2.openSync)(path, O_RDONLY | O_NOFOLLOW2 | O_NONBLOCK2);
  try {
    const found = (0, import_node_fs2.fstatSync)(descriptor);
    if (!found.isFile() || found.size > maxBytes) throw new Error("unreachable for a file of this action");
    return (0, import_node_fs2.readFileSync)(descriptor);
  } finally {
    (0, import_node_fs2.closeSync)(descriptor);
  }
}
function removeJobFolder(folder) {
  if (isJobFolder(folder)) (0, import_node_fs2.rmSync)(folder, { recursive: true, force: true });
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
    else debug("The job summary cannot be written.");
  }
}
function info2(text) {
  if (!isLogSilent) info(text);
}
function warn(text, title = "Daypass", place = null) {
  printCommand(() => warning(text, { title, ...place && { file: place.file, startLine: place.line } }));
}
function fail(title, text, place = null) {
  process.exitCode = ExitCode.Failure;
  printCommand(() => error(text, { title, ...place && { file: place.file, startLine: place.line } }));
}
function endWith(exitCode) {
  process.exitCode = exitCode;
  if (exitCode !== 0) printCommand(() => error(`Process completed with exit code ${exitCode}.`));
}
function debug2(lines) {
  if (!isDebug()) return;
  printCommand(() => {
    for (const line of lines()) debug(line);
  });
}
var FOLDER_PREFIX = "daypass-";
var registered = /* @__PURE__ */ new Set();
var stopToken = null;
var isLogSilent = false;
function printCommand(print) {
  if (isLogSilent) return;
  if (stopToken !== null) process.stdout.write(`::${stopToken}::
`);
  print();
  if (stopToken !== null) process.stdout.write(`::stop-commands::${stopToken}
`);
}
function variable(name) {
  return process.env[name] ?? "";
}
function readEvent() {
  try {
    return parseJson((0, import_node_fs2.readFileSync)(variable("GITHUB_EVENT_PATH")));
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
function isHttpsOrLoopback(url) {
  return url.protocol === "https:" || url.protocol === "http:" && LOOPBACK_HOST.test(url.hostname);
}
async function send(request) {
  if (!isHttpsOrLoopback(request.url)) throw new HttpFailure("not-http");
  const isTls = request.url.protocol === "https:";
  const { Agent, request: open2 } = isTls ? await Promise.resolve().then(() => __toESM(require("node:https"), 1)) : await Promise.resolve().then(() => __toESM(require("node:http"), 1));
  const body = request.json === void 0 ? void 0 : JSON.stringify(request.json);
  const options = {
    method: request.method,
    headers: {
      accept: request.accept,
      authorization: `Bearer ${request.bearer}`,
      "user-agent": "daypass-action",
      ...body !== void 0 && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    },
    // One connection per call: an open connection would keep the step running. TLS goes through the proxy as a tunnel, so
    // the proxy reads nothing. Plain HTTP goes only to loopback and never through a proxy, which could read the bearer.
    // For a proxy that accepts the tunnel and never answers: only this ends its socket, which would keep the step running.
    timeout: request.timeoutMs,
    agent: new Agent({ keepAlive: false, ...isTls && { proxyEnv: proxyEnvironment() } }),
    // Set explicitly: NODE_TLS_REJECT_UNAUTHORIZED=0 in a runner's environment would let a man in the middle read the bearer.
    ...isTls && { rejectUnauthorized: true }
  };
  return new Promise((resolve2, reject) => {
    const call2 = open2(request.url, options, (response) => {
      readReply(response).then(resolve2, (cause) => {
        call2.destroy();
        reject(toHttpFailure(cause));
      });
    });
    const timer = setTimeout(() => {
      const isConnected = call2.socket?.connecting === false;
      const failure = new HttpFailure(isConnected ? "timeout" : "unconnected");
      reject(failure);
      call2.destroy(failure);
    }, request.timeoutMs);
    call2.on("error", (cause) => reject(proxyFailure(cause, request.url) ?? toHttpFailure(cause)));
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
var DEFAULT_PORTS = { "http:": 80, "https:": 443 };
function toHttpFailure(cause) {
  if (cause instanceof HttpFailure) return cause;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const fault = FAULTS[code];
  if (fault !== void 0) return new HttpFailure(fault);
  if (TLS_CODE.test(code)) return new HttpFailure("tls");
  if (code.startsWith("HPE_")) return new HttpFailure("not-http");
  return new HttpFailure("reset");
}
var MAX_REPLY_BYTES = 4 * 1024 * 1024;
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
  ETIMEDOUT: "timeout"
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

// proxy.ts
function proxyRefused({ fault, proxy, status, retry }, to) {
  const how = fault === "proxy-down" ? "cannot be reached" : status === void 0 ? "ended the connection" : `answered HTTP ${status}`;
  const why = status === 407 ? ", because it wants a user and a password" : "";
  const message = `The proxy ${proxy} of this runner ${how}${why}, so there is no connection to ${to}.`;
  return new ActionError("proxy_refused", message, retry && { retry });
}

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
  if (reply.mediaType !== "application/json") throw intercepted(broker, reply);
  const message = `The broker at ${broker} did not encrypt its answer to the job's key.`;
  throw new ActionError("answer_not_sealed", message, { undecided: true });
}
async function requestRevocation(broker, token, lease, timeoutMs) {
  const reply = await call(broker, {
    method: "DELETE",
    url: new URL(`/v1/leases/${encodeURIComponent(lease)}`, broker),
    bearer: token,
    accept: `application/json, ${MEDIA_TYPE_PROBLEM}`,
    timeoutMs
  });
  const revocation = readRevocation(parseJson(reply.body));
  if (revocation !== null) return revocation;
  if (reply.mediaType !== "application/json") throw intercepted(broker, reply);
  throw new ActionError(
    "answer_unusable",
    `The answer of the broker at ${broker} does not say which credentials were revoked.`
  );
}
async function call(broker, request) {
  const reply = await sendToBroker(broker, request);
  debug2(() => [`${request.method} ${request.url.pathname}: HTTP ${reply.status}, ${typeOf(reply)}`]);
  if (reply.status >= 200 && reply.status < 300) return reply;
  const problem = reply.mediaType === MEDIA_TYPE_PROBLEM ? readProblem(parseJson(reply.body)) : null;
  const retry = retryOf(reply, problem?.code);
  if (problem === null) throw unexpectedReply(broker, reply, retry);
  if (problem.code === "request_malformed" && UNKNOWN_MEMBER.test(problem.detail)) {
    const message = `The broker at ${broker} is older than this action: it does not know all members of the request.`;
    throw new ActionError("broker_too_old", message);
  }
  const { trace, help } = problem;
  const denial = trace && denialOf(trace);
  throw new ActionError(knownCode(problem.code), denial?.message ?? problemMessage(problem), {
    ...retry && { retry },
    undecided: UNDECIDED_CODES.has(problem.code),
    ...problem.request_id !== "" && { requestId: problem.request_id },
    ...trace && { trace },
    ...denial && { change: denial.change },
    ...help && { help }
  });
}
var UNDECIDED_CODES = /* @__PURE__ */ new Set(["token_already_used", "lease_taken", "internal"]);
var UNKNOWN_MEMBER = /\bhas an unknown member\b/;
async function sendToBroker(broker, request) {
  try {
    return await send(request);
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
    if (thrown.proxy !== void 0) throw proxyRefused(thrown, `the broker at ${broker}`);
    const [code, what] = TRANSPORT[thrown.fault];
    throw new ActionError(code, `The broker at ${broker} ${what}.`, {
      ...thrown.retry && { retry: thrown.retry },
      undecided: UNDECIDED_FAULTS.has(thrown.fault)
    });
  }
}
var UNDECIDED_FAULTS = /* @__PURE__ */ new Set(["reset", "timeout", "too-large"]);
var TRANSPORT = {
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
function typeOf({ mediaType }) {
  if (mediaType === "text/html") return "an HTML page (text/html)";
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(mediaType) ? `a body of type ${mediaType}` : "no media type";
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
var MAX_TEXT_CHARACTERS2 = 4e3;
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
var messageForLog = (text) => forLog(text, MAX_TEXT_CHARACTERS2);
function forMarkdown(text, limit = MAX_SHOWN_CHARACTERS) {
  return visible(shortened(text, limit)).replace(structureIn(text), reference);
}
function messageForMarkdown(text) {
  return visible(shortened(text, MAX_TEXT_CHARACTERS2)).replace(
    structureIn(text, true),
    (found) => found.length > 2 ? found : reference(found)
  );
}
var reference = (character) => `&#${character.codePointAt(0)};`;
function visible(text) {
  if (ASCII.test(text)) return text;
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`
  );
}
function shortened(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`;
}

// claims.ts
function claimLines(token) {
  const claims = membersOf(parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url"))) ?? [];
  return claims.map(
    ([name, value]) => `claim ${forLog(name)}: ${forLog(typeof value === "string" ? value : JSON.stringify(value))}`
  );
}

// federated.ts
var import_node_path2 = require("node:path");
function requiredValue({ grant, values }, name) {
  const found = values.find((one) => one.name === name)?.value ?? "";
  if (found !== "") return found;
  const message = `The broker's answer cannot be used: the credential of ${grant} has no ${name}.`;
  throw new ActionError("answer_unusable", message);
}
function externalAccount(credential, source) {
  const impersonates = credential.values.some(({ name }) => name === "impersonation-url");
  const document = {
    type: "external_account",
    audience: requiredValue(credential, "audience"),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: requiredValue(credential, "token-url"),
    ...impersonates && {
      service_account_impersonation_url: requiredValue(credential, "impersonation-url"),
      service_account_impersonation: {
        token_lifetime_seconds: Number(requiredValue(credential, "impersonation-seconds"))
      }
    },
    credential_source: "url" in source ? {
      url: source.url,
      headers: { authorization: `Bearer ${source.authorization}` },
      format: { type: "json", subject_token_field_name: "value" }
    } : source
  };
  return `${JSON.stringify(document, null, 2)}
`;
}
var TOKEN_FILE = "federated-token-file";
var needsGoogleFiles = ({ format }) => format === "google-federated";
function withGoogleFiles(credential, folder) {
  if (!needsGoogleFiles(credential)) return credential;
  const token = requiredValue(credential, "federated-token");
  const account = externalAccount(credential, { file: (0, import_node_path2.join)(folder, credential.grant, TOKEN_FILE) });
  const file = { mode: "0600" };
  const added = [
    { name: TOKEN_FILE, value: token, secret: true, file },
    { name: "credentials-file", value: account, secret: false, env: "GOOGLE_APPLICATION_CREDENTIALS", file },
    {
      name: "cloudsdk-credentials-file",
      value: account,
      secret: false,
      env: "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
      file
    }
  ];
  return { ...credential, values: [...credential.values, ...added] };
}

// deliver/aws-neighbours.ts
var AWS_KEY_VARIABLE = "AWS_ACCESS_KEY_ID";
var TOKEN_VARIABLES = ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];
var PROFILE_VARIABLES = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
function blankOldTokens(variables, environment) {
  if (!variables.has(AWS_KEY_VARIABLE)) return variables;
  const old = TOKEN_VARIABLES.filter((name) => !variables.has(name) && isSet(environment[name]));
  return new Map([...variables, ...old.map((name) => [name, ""])]);
}
function warningOfProfile(environment) {
  const set = PROFILE_VARIABLES.filter((name) => isSet(environment[name]));
  if (set.length === 0) return null;
  return `This job has ${set.join(" and ")}. With it, some AWS SDKs (JavaScript's, for example) use that profile and not the delivered keys. Remove it from the job, or use \`deliver: files\`.`;
}
var isSet = (value) => value !== void 0 && value !== "";

// ../broker/wire/variables.ts
var list = (names) => names.split(" ");
var FAMILIES = [
  {
    tool: "GitHub Actions",
    names: list("CI GITHUB_* RUNNER_* ACTIONS_* INPUT_* STATE_*")
  },
  {
    tool: "the system",
    names: list(
      "PATH HOME SHELL TMPDIR TEMP TMP CDPATH ENV IFS LOCPATH NLSPATH GCONV_PATH GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN RES_OPTIONS XDG_*"
    )
  },
  { tool: "the dynamic linker", names: list("LD_* DYLD_*") },
  {
    tool: "Windows",
    names: list("PATHEXT COMSPEC USERPROFILE SYSTEMROOT WINDIR APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES*")
  },
  {
    tool: "shells",
    names: list(
      "BASH_* BASHOPTS SHELLOPTS PS0 PS1 PS2 PS4 PROMPT_COMMAND GLOBIGNORE ZDOTDIR FPATH PSMODULEPATH PSEXECUTIONPOLICYPREFERENCE"
    )
  },
  {
    tool: "editors, pagers and browsers",
    names: list(
      "EDITOR VISUAL PAGER BROWSER MANPAGER MANOPT *_EDITOR *_PAGER *_BROWSER LESS LESSOPEN LESSCLOSE LESSKEY LESSKEYIN LESSKEY_* HGEDITOR VIMINIT GVIMINIT EXINIT INPUTRC"
    )
  },
  {
    tool: "proxies",
    names: list("HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY CURL_HOME")
  },
  {
    tool: "TLS",
    names: list("OPENSSL_* SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GNUTLS_*")
  },
  {
    tool: "SSH and programs that start it",
    names: list("SSH_ASKPASS* SSH_AUTH_SOCK SSH_SK_* SSH_PKCS11_* SVN_SSH CVS_RSH RSYNC_* SUDO_ASKPASS"),
    except: list("RSYNC_PASSWORD")
  },
  {
    tool: "tar, zip, Wget and text tools",
    names: list(
      "TAR_OPTIONS TAR_RSH ZIP ZIPOPT UNZIP UNZIPOPT WGETRC SYSTEM_WGETRC RIPGREP_CONFIG_PATH AWKPATH AWKLIBPATH GREP_OPTIONS"
    ),
    files: list("WGETRC")
  },
  {
    tool: "GnuPG and clients of databases",
    names: list("GNUPGHOME GPG_AGENT_INFO PSQLRC PGSYSCONFDIR PGSERVICEFILE MYSQL_HOME"),
    files: list("PGSERVICEFILE")
  },
  { tool: "Git", names: list("GIT_*") },
  {
    tool: "GitHub CLI",
    names: list("GH_HOST GH_CONFIG_DIR GH_PATH GH_FORCE_TTY")
  },
  {
    tool: "Node.js",
    names: list(
      "NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NODE_REPL_* NODE_COMPILE_CACHE NODE_ICU_DATA NODE_REDIRECT_WARNINGS NODE_V8_COVERAGE NODE_USE_* NODE_CHANNEL_*"
    )
  },
  {
    tool: "npm, pnpm and Corepack",
    names: list("NPM_CONFIG_* PNPM_CONFIG_* PNPM_HOME COREPACK_*"),
    files: list("NPM_CONFIG_USERCONFIG NPM_CONFIG_GLOBALCONFIG"),
    except: list("COREPACK_NPM_TOKEN COREPACK_NPM_USERNAME COREPACK_NPM_PASSWORD")
  },
  {
    tool: "Yarn",
    names: list("YARN_*"),
    except: list("YARN_NPM_AUTH_TOKEN YARN_NPM_AUTH_IDENT")
  },
  {
    tool: "Bun and Deno",
    names: list("BUN_OPTIONS BUN_INSTALL* BUN_CONFIG_* DENO_DIR DENO_CERT DENO_TLS_CA_STORE DENO_INSTALL_ROOT"),
    except: list("BUN_CONFIG_TOKEN")
  },
  {
    tool: "Python",
    names: list("PYTHON* PYTEST_ADDOPTS PYTEST_PLUGINS VIRTUAL_ENV")
  },
  {
    tool: "pip",
    names: list("PIP_*"),
    except: list("PIP_INDEX_URL PIP_EXTRA_INDEX_URL"),
    files: list("PIP_CONFIG_FILE")
  },
  {
    tool: "uv, Poetry and conda",
    names: list("UV_* POETRY_* CONDARC CONDA_* MAMBARC MAMBA_*"),
    except: list(
      "UV_INDEX UV_INDEX_* UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_PUBLISH_TOKEN UV_PUBLISH_USERNAME UV_PUBLISH_PASSWORD POETRY_HTTP_BASIC_* POETRY_PYPI_TOKEN_*"
    )
  },
  {
    tool: "Perl",
    names: list("PERLLIB PERL5* PERL_*")
  },
  {
    tool: "Ruby",
    names: list(
      "RUBYOPT RUBYLIB RUBYPATH RUBYSHELL RUBYGEMS_GEMDEPS RUBY_ROOT RUBY_DEBUG_* GEM_HOME GEM_PATH GEM_SPEC_CACHE GEMRC BUNDLE_GEMFILE BUNDLE_PATH* BUNDLE_BIN* BUNDLE_APP_CONFIG BUNDLE_USER_* BUNDLE_MIRROR* BUNDLE_LOCAL* BUNDLE_SSL_* BUNDLER_*"
    )
  },
  {
    tool: "PHP and Composer",
    names: list("PHPRC PHP_INI_SCAN_DIR PHP_BINARY PHP_PEAR_* COMPOSER COMPOSER_*"),
    except: list("COMPOSER_AUTH")
  },
  {
    tool: "the JVM",
    names: list(
      "JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JDK_JAVAC_OPTIONS JAVA_OPTS JAVA_HOME JRE_HOME JDK_HOME CLASSPATH *_JAVA_OPTS JVM_OPTS *_JVM_OPTS"
    )
  },
  {
    tool: "Maven, Gradle, sbt and Ant",
    names: list(
      "MAVEN_OPTS MAVEN_ARGS MAVEN_HOME MAVEN_PROJECTBASEDIR MAVEN_CONFIG M2_HOME MVNW_* GRADLE_OPTS GRADLE_HOME GRADLE_USER_HOME SBT_OPTS SBT_HOME SBT_LAUNCH_* ANT_OPTS ANT_ARGS ANT_HOME COURSIER_* SONAR_SCANNER_OPTS"
    ),
    except: list("COURSIER_CREDENTIALS")
  },
  {
    tool: "Go",
    names: list(
      "GOFLAGS GOPROXY GOENV GOROOT GOPATH GOBIN GOTOOLCHAIN GOTOOLDIR GOCACHEPROG GOCACHE GOMODCACHE GOTMPDIR GOSUMDB GONOSUMDB GONOSUMCHECK GONOPROXY GOPRIVATE GOINSECURE GOVCS GOAUTH GOWORK GODEBUG GOEXPERIMENT GCCGO* CGO_* FC AR"
    )
  },
  {
    tool: "Rust and Cargo",
    names: list("RUSTC RUSTC_* RUSTDOC RUSTDOC_* RUSTDOCFLAGS RUSTFLAGS RUSTUP_* CARGO CARGO_*"),
    except: list("CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_*_TOKEN")
  },
  {
    tool: "compilers and make",
    names: list(
      "CC CXX CPP CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH COMPILER_PATH GCC_EXEC_PREFIX MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKEFILES CMAKE_* CTEST_* PKG_CONFIG* CCACHE_PREFIX* CCACHE_COMPILER CCACHE_PATH CCACHE_CONFIGPATH DEVELOPER_DIR SDKROOT TOOLCHAINS"
    )
  },
  {
    tool: "Bazel, Nix and Homebrew",
    names: list("BAZELISK_* BAZEL_SH USE_BAZEL_VERSION NIX_* HOMEBREW_*"),
    except: list(
      "BAZELISK_GITHUB_TOKEN HOMEBREW_GITHUB_API_TOKEN HOMEBREW_GITHUB_PACKAGES_TOKEN HOMEBREW_GITHUB_PACKAGES_USER HOMEBREW_DOCKER_REGISTRY_TOKEN HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN"
    )
  },
  {
    tool: "version managers",
    names: list("NVM_DIR VOLTA_HOME ASDF_* MISE_* PYENV_* RBENV_ROOT SDKMAN_DIR"),
    except: list("MISE_GITHUB_TOKEN")
  },
  {
    tool: ".NET",
    names: list(
      "DOTNET_* COMPLUS_* CORECLR_* COR_* ASPNETCORE_HOSTINGSTARTUPASSEMBLIES NUGET_PACKAGES NUGET_*PLUGIN_PATHS NUGET_CREDENTIALPROVIDERS_PATH NUGET_RESTORE_MSBUILD_ARGS MSBUILD* CUSTOMBEFOREMICROSOFT* CUSTOMAFTERMICROSOFT* DIRECTORYBUILDPROPSPATH DIRECTORYBUILDTARGETSPATH"
    )
  },
  {
    tool: "other languages",
    names: list(
      "ERL_* ELIXIR_ERL_OPTIONS MIX_HOME MIX_ARCHIVES MIX_EXS HEX_HOME LUA_INIT* LUA_PATH* LUA_CPATH* R_* JULIA_* GHC* CABAL_* STACK_ROOT STACK_YAML STACK_WORK STACK_CONFIG TCLLIBPATH TCL_LIBRARY OCAML* CAML* OPAM*"
    )
  },
  {
    tool: "AWS's command line and SDKs",
    names: list(
      "AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ENDPOINT_URL* AWS_CA_BUNDLE AWS_DATA_PATH AWS_EC2_METADATA_* AWS_CONTAINER_CREDENTIALS_*"
    ),
    files: list("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE")
  },
  {
    tool: "Google's command line and libraries",
    names: list(
      "CLOUDSDK_PYTHON* CLOUDSDK_GSUTIL_PYTHON CLOUDSDK_CONFIG CLOUDSDK_ROOT_DIR CLOUDSDK_PROXY_* CLOUDSDK_API_ENDPOINT_OVERRIDES_* CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE BOTO_CONFIG BOTO_PATH GCE_METADATA_* GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
    ),
    files: list("BOTO_CONFIG")
  },
  {
    tool: "Azure's command line",
    names: list("AZURE_CONFIG_DIR AZURE_EXTENSION_DIR AZURE_EXTENSION_DEV_SOURCES")
  },
  {
    tool: "Terraform, OpenTofu and Terragrunt",
    names: list(
      "TF_CLI_* TF_DATA_DIR TF_PLUGIN_* TF_REATTACH_PROVIDERS TF_REGISTRY_* TF_LOG_PATH TF_TEMP_LOG_PATH TERRAFORM_BINARY_NAME TERRAGRUNT_* TG_TF_* TG_CONFIG TG_WORKING_DIR TG_DOWNLOAD_DIR TG_SOURCE* TG_AUTH_PROVIDER_CMD TG_PROVIDER_CACHE*"
    ),
    files: list("TF_CLI_CONFIG_FILE")
  },
  {
    tool: "Ansible",
    names: list("ANSIBLE_*"),
    files: list("ANSIBLE_VAULT_PASSWORD_FILE ANSIBLE_PRIVATE_KEY_FILE")
  },
  {
    tool: "Pulumi and Packer",
    names: list("PULUMI_HOME PULUMI_PYTHON_CMD PULUMI_IGNORE_* PACKER_CONFIG* PACKER_PLUGIN_* PACKER_CACHE_DIR")
  },
  {
    tool: "Docker and Podman",
    names: list(
      "DOCKER_HOST DOCKER_CONFIG DOCKER_CONTEXT DOCKER_CERT_PATH DOCKER_TLS* DOCKER_CONTENT_TRUST* DOCKER_CLI_* DOCKER_DEFAULT_PLATFORM BUILDKIT_HOST BUILDX_* COMPOSE_FILE COMPOSE_ENV_FILES COMPOSE_PATH_SEPARATOR CONTAINER_HOST CONTAINER_SSHKEY CONTAINERS_*"
    ),
    files: list("DOCKER_CONFIG")
  },
  {
    tool: "kubectl and Helm",
    names: list(
      "KUBECONFIG KUBERC KUBECTL_* KUBERNETES_MASTER KREW_ROOT HELM_BIN HELM_PLUGINS HELM_*_HOME HELM_REPOSITORY_* HELM_REGISTRY_CONFIG HELM_KUBE*"
    ),
    except: list("HELM_KUBETOKEN"),
    files: list("KUBECONFIG HELM_REGISTRY_CONFIG HELM_REPOSITORY_CONFIG")
  }
];
var VARIABLE_FAMILIES = FAMILIES;
function isForbiddenVariable(name) {
  const upper = name.toUpperCase();
  return VARIABLE_FAMILIES.some(({ names, except = [] }) => isOneOf(names, upper) && !isOneOf(except, upper));
}
var isForbiddenFileVariable = (name) => isForbiddenVariable(name) && !VARIABLE_FAMILIES.some(({ files = [] }) => files.includes(name.toUpperCase()));
var isOneOf = (patterns, name) => patterns.some((pattern) => {
  const [head = "", tail] = pattern.split("*");
  if (tail === void 0) return name === pattern;
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
});

// deliver/environment.ts
var NAME2 = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
function planEnvironment(credentials) {
  const plan2 = /* @__PURE__ */ new Map();
  const owners = /* @__PURE__ */ new Map();
  for (const { grant, values } of credentials) {
    if (!values.some(({ env, logins }) => env !== void 0 || logins !== void 0)) {
      throw refused(`The grant ${grant} has no environment variable for any of its values.`);
    }
    for (const { name, value, env, file } of values) {
      if (env === void 0) continue;
      checkVariable(env, value, file !== void 0, grant);
      const owner = owners.get(env.toUpperCase());
      if (owner !== void 0 && owner.value !== value) {
        const both = `${grant} (${name}) and ${owner.grant} (${owner.name})`;
        throw refused(`Two grants set the variable ${env} to different values: ${both}. Deliver them as outputs.`);
      }
      owners.set(env.toUpperCase(), { grant, name, value });
      plan2.set(env, value);
    }
  }
  return plan2;
}
function checkVariable(env, value, isFile, grant) {
  if (!NAME2.test(env)) throw refused(`The grant ${grant} names "${forLog(env)}", which is not a valid variable name.`);
  if (isFile ? isForbiddenFileVariable(env) : isForbiddenVariable(env)) {
    throw refused(`The grant ${grant} names the variable ${env}, which changes how later steps run.`);
  }
  if (value.includes("\0")) {
    throw refused(`The value of ${grant} for ${env} contains a NUL character, which a variable cannot hold.`);
  }
}
function refused(message) {
  return new ActionError("delivery_refused", message);
}

// deliver/files.ts
var import_node_path3 = require("node:path");
function planFiles(credentials, folder) {
  const files = [];
  const taken = /* @__PURE__ */ new Set();
  const placed = credentials.map((credential) => {
    const values = credential.values.map((value) => {
      if (value.file === void 0) return value;
      const path = (0, import_node_path3.join)(folder, credential.grant, value.name);
      if (taken.has(path.toLowerCase()))
        throw refused2(`Two values have the same file path: ${credential.grant}/${value.name}.`);
      taken.add(path.toLowerCase());
      files.push({ path, bytes: bytesOf(value, credential.grant), mode: Number.parseInt(value.file.mode, 8) });
      return { ...value, value: path, secret: false };
    });
    return { ...credential, values };
  });
  return { files, credentials: placed };
}
function bytesOf({ name, value, file }, grant) {
  if (file?.encoding === void 0) return Buffer.from(value, "utf8");
  const bytes = Buffer.from(value, "base64");
  if (bytes.toString("base64") !== value) throw refused2(`The value ${name} of ${grant} is not valid base64.`);
  return bytes;
}
var refused2 = (message) => new ActionError("delivery_refused", message);

// deliver/outputs.ts
function leaseOutputs(lease) {
  return /* @__PURE__ */ new Map([
    ["lease", lease.id],
    ["expires-at", lease.expiresAt]
  ]);
}
function planOutputs(lease, credentials) {
  const plan2 = new Map(leaseOutputs(lease));
  const taken = new Set([...plan2.keys()].map((name) => name.toLowerCase()));
  for (const { grant, values } of credentials) {
    for (const { name, value } of values) {
      const output = `${grant}-${name}`;
      if (taken.has(output.toLowerCase())) {
        throw new ActionError("delivery_refused", `Two values have the same output name: ${output}.`);
      }
      taken.add(output.toLowerCase());
      plan2.set(output, value);
    }
  }
  return plan2;
}

// deliver/delivery.ts
function planDelivery(received, context) {
  const { inputs, lease, environment } = context;
  const googleLogins = received.filter(needsGoogleFiles);
  const logsIn = inputs.deliver !== "outputs" && hasLogins(received);
  const hasFiles = logsIn || googleLogins.length > 0 || received.some(({ values }) => values.some(({ file }) => file));
  const folder = hasFiles ? context.newFolder() : null;
  const { files, credentials } = folder === null ? { files: [], credentials: received } : plannedIn(folder, received);
  const toOutputs = inputs.deliver !== "environment";
  const toEnvironment = inputs.deliver !== "outputs";
  const planned = toEnvironment ? planEnvironment(credentials) : /* @__PURE__ */ new Map();
  const variables = blankOldTokens(planned, environment);
  const warning2 = variables.has(AWS_KEY_VARIABLE) ? warningOfProfile(environment) : null;
  return {
    folder,
    files,
    credentials,
    variables,
    outputs: toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease),
    places: placesOf(credentials, { toOutputs, toEnvironment }),
    notes: googleLogins.map(shortLoginLine),
    warnings: warning2 === null ? [] : [warning2]
  };
}
var plannedIn = (folder, received) => planFiles(
  received.map((credential) => withGoogleFiles(credential, folder)),
  folder
);
var shortLoginLine = ({ grant }) => `Tools can log in with ${grant} until then, which is five minutes at most. For a longer job, use \`deliver: files\`, or the input \`run\`: both renew it.`;
function placesOf(credentials, to) {
  return new Map(
    credentials.map(({ grant, values }) => [
      grant,
      values.flatMap((value) => {
        const { name, env } = value;
        return [
          ...to.toEnvironment ? [...env === void 0 ? [] : [env], ...loginsOf(value)] : [],
          ...to.toOutputs ? [`outputs.${grant}-${name}`] : []
        ];
      })
    ])
  );
}
var loginsOf = (value) => toolsOf(value).map((tool) => `login of ${tool}`);

// masks.ts
var MIN_CHARACTERS = 4;
var MIN_DIGITS = 8;
var MIN_LEAF_CHARACTERS = 6;
var MAX_ENCODED_LEAVES = 64;
var NUMBER = /^[-+]?[0-9]*[.,]?[0-9]*(?:e[-+]?[0-9]+)?$/i;
var PUNCTUATION = /^[\p{P}\p{Sm}\p{Sc}\p{Sk}\s]+$/u;
var HAS_WORD = /[A-Za-z0-9]/;
var TRUTH_VALUES = /* @__PURE__ */ new Set(["true", "false", "null", "none", "undefined", "enabled", "disabled"]);
function masksFor(secret) {
  const leaves = [...new Set(leavesOf(secret))];
  const ofLeaves = leaves.flatMap((leaf, index) => index < MAX_ENCODED_LEAVES ? masksOfText(leaf) : linesOf(leaf));
  return [.../* @__PURE__ */ new Set([...masksOfText(secret), ...ofLeaves])];
}
function isTooCommon(secret) {
  return secret.trim() !== "" && linesOf(secret).length === 0;
}
function masksOfText(secret) {
  const text = secret.trim();
  const lines = linesOf(text);
  if (lines.length === 0) return [];
  const onOneLine = /[\r\n]/.test(text) ? [JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())] : [];
  return [...lines, ...onOneLine, ...lines.flatMap(spellings), ...encodings(Buffer.from(text, "utf8"))];
}
function linesOf(text) {
  return text.split(/[\r\n]+/).map((line) => line.trim()).filter(isMaskable);
}
function isMaskable(text) {
  if (text.length < MIN_CHARACTERS || TRUTH_VALUES.has(text.toLowerCase())) return false;
  if (!HAS_WORD.test(text) && PUNCTUATION.test(text)) return false;
  return !NUMBER.test(text) || text.replace(/e.*$|[^0-9]/gi, "").length >= MIN_DIGITS;
}
function leavesOf(text) {
  if (!/^\s*[[{"]/.test(text) || !isJson(text)) return [];
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|-?[0-9][0-9.eE+-]*/g)].filter((token) => token[1] === void 0).map(([token]) => token.startsWith('"') ? JSON.parse(token) : token).flatMap((leaf) => [leaf, ...leavesOf(leaf)]).filter((leaf) => leaf.trim().length >= MIN_LEAF_CHARACTERS);
}
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
function spellings(line) {
  return [
    // POSIX shells in a trace (`set -x`), dash and Python's shlex, `export -p`, and bash's `printf %q`.
    line.replaceAll("'", "'\\''"),
    line.replaceAll("'", `'"'"'`),
    line.replace(/["$`\\]/g, "\\$&"),
    line.replace(/[ !"$&'()*,;<>?[\\\]^`{|}]|^[#~]|(?<=[:=])~/g, "\\$&"),
    // Go's encoding/json, which most tools of this field are written with, and encoders that write ASCII only.
    json(line, /[<>&]/g),
    json(line, /[^\0-\x7f]/g),
    // JavaScript leaves !'()* as they are, and forms write a space as a plus. The runner escapes all of them.
    .../[!'()*]/.test(line) ? [encodeURIComponent(line.toWellFormed())] : [],
    ...line.includes(" ") ? [encodeURIComponent(line.toWellFormed()).replaceAll("%20", "+")] : []
  ];
}
function json(line, escaped) {
  return line.search(escaped) !== -1 ? JSON.stringify(line).slice(1, -1).replace(escaped, unicodeEscape) : line;
}
var unicodeEscape = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
function encodings(bytes) {
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

// deliver/logins.ts
async function planLogins(credentials, about) {
  const { folder, environment, variables } = about;
  if (folder === null || !hasLogins(credentials)) return { files: [], variables, notes: [], warnings: [] };
  const { planJobTools } = await Promise.resolve().then(() => __toESM(require("./tools.js"), 1));
  const tools = planJobTools(credentials, folder, environment);
  const set = new Set([...variables.keys()].map((name) => name.toUpperCase()));
  const both = [...tools.variables.keys()].find((name) => set.has(name.toUpperCase()));
  if (both !== void 0)
    throw new ActionError("delivery_refused", `A grant sets the variable ${both}, which a login needs. Use two steps.`);
  await registerMasks(tools.secrets.flatMap(masksFor));
  return { ...tools, variables: new Map([...variables, ...tools.variables]) };
}

// deliver/room.ts
var LINUX_VARIABLE_BYTES = 128 * 1024;
var WINDOWS_VARIABLE_CHARACTERS = 32767;
var LINUX_LEAST_TOTAL_BYTES = 128 * 1024;
var LINUX_MOST_TOTAL_BYTES = 6 * 1024 * 1024;
var LINUX_USUAL_STACK_BYTES = 8 * 1024 * 1024;
var MACOS_TOTAL_BYTES = 1024 * 1024;
var RESERVE_BYTES = 128 * 1024;
var POINTER_BYTES = 8;
function requireRoom(credentials, variables, around) {
  if (variables.size === 0) return;
  const isWindows = around.platform === "win32";
  const most = isWindows ? WINDOWS_VARIABLE_CHARACTERS : LINUX_VARIABLE_BYTES;
  const sizes = new Map(
    [...variables].map(([name, value]) => [name, isWindows ? lengthOf(name, value) : bytesOf2(name, value)])
  );
  const [largest = "", size = 0] = [...sizes].reduce((a, b) => b[1] > a[1] ? b : a, ["", 0]);
  const remedy = `Deliver it as a file: add \`as: file\` to ${largest} in the policy.`;
  if (around.platform !== "darwin" && size > most) {
    const limit = isWindows ? "32,767 characters" : "128 KiB";
    throw refused3(
      `The value of ${ownerOf(largest, credentials)} for ${largest} is too large. No later step could start with a variable of more than ${limit}. ${remedy}`
    );
  }
  if (isWindows) return;
  const total = totalOf(sizes, around.environment);
  if (total <= roomFor(total, around)) return;
  throw refused3(
    `The variables of this step and the environment of this job are together too large for later steps to start with. The largest is ${largest} of ${ownerOf(largest, credentials)}. ${remedy}`
  );
}
function totalOf(sizes, environment) {
  let total = 0;
  for (const size of sizes.values()) total += size + POINTER_BYTES;
  for (const [name, value] of Object.entries(environment)) {
    if (value !== void 0 && !sizes.has(name)) total += bytesOf2(name, value) + POINTER_BYTES;
  }
  return total;
}
function roomFor(total, { platform, stackBytes }) {
  if (platform === "darwin") return withoutReserve(MACOS_TOTAL_BYTES);
  const least = withoutReserve(LINUX_LEAST_TOTAL_BYTES);
  if (total <= least) return least;
  const stack = stackBytes();
  const quarter = (Number.isNaN(stack) ? LINUX_USUAL_STACK_BYTES : stack) / 4;
  return withoutReserve(Math.max(LINUX_LEAST_TOTAL_BYTES, Math.min(LINUX_MOST_TOTAL_BYTES, quarter)));
}
var withoutReserve = (bytes) => bytes - Math.min(RESERVE_BYTES, bytes / 4);
var bytesOf2 = (name, value) => Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
var lengthOf = (name, value) => name.length + value.length + 2;
function ownerOf(variable2, credentials) {
  return credentials.find(({ values }) => values.some(({ env }) => env === variable2))?.grant ?? "";
}
var refused3 = (message) => new ActionError("delivery_refused", message);

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
var FORK_EVENTS = /* @__PURE__ */ new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);
async function ask(url, bearer, timeoutMs) {
  try {
    return await send({ method: "GET", url, bearer, accept: "application/json", timeoutMs });
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown;
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
function comesFromFork(event) {
  const pullRequest = memberOf(event, "pull_request");
  const head = memberOf(memberOf(pullRequest, "head"), "repo");
  const base = memberOf(memberOf(pullRequest, "base"), "repo");
  const headId = memberOf(head, "id");
  const baseId = memberOf(base, "id");
  if (headId !== void 0 && baseId !== void 0) return headId !== baseId;
  return memberOf(head, "fork") === true || pullRequest !== void 0 && head === null;
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

// fingerprints/record.ts
var import_node_crypto3 = require("node:crypto");

// fingerprints/keys.ts
var import_node_crypto2 = require("node:crypto");
var SALT_BYTES = 32;
var MAC_BYTES = 16;
var MAX_PATTERN_BYTES = 1024;
var MIN_PATTERN_BYTES = 8;
function deriveKeys(requestToken, salt) {
  const bytes = Buffer.from((0, import_node_crypto2.hkdfSync)("sha256", requestToken, salt, "daypass issued values, version 1", 68));
  return {
    seal: bytes.subarray(0, 32),
    mac: bytes.subarray(32, 64),
    multiplier: (bytes.readUInt32LE(64) & ~7 | 5) >>> 0
  };
}
function patternMac(keys, bytes) {
  return mac(keys, "pattern", bytes);
}
function valueMac(keys, value) {
  return mac(keys, "value", Buffer.from(value, "utf8"));
}
function mac(keys, use, bytes) {
  const digest = (0, import_node_crypto2.createHmac)("sha256", keys.mac).update(`${use}\0`).update(bytes).digest();
  return digest.subarray(0, MAC_BYTES).toString("base64url");
}
var windowOf = (length) => length >= LONG_WINDOW ? LONG_WINDOW : MIN_PATTERN_BYTES;
var LONG_WINDOW = 16;
function windowHash(bytes, start, window, multiplier) {
  let hash = 0;
  for (let at = start; at < start + window; at++) hash = Math.imul(hash, multiplier) + bytes[at] | 0;
  return hash;
}

// fingerprints/record.ts
var MAX_RECORD_BYTES = 1024 * 1024;
var MAX_PATTERNS = 2e3;
var RecordMaker = class {
  #salt = (0, import_node_crypto3.randomBytes)(SALT_BYTES);
  #keys;
  constructor(requestToken) {
    this.#keys = deriveKeys(requestToken, this.#salt);
  }
  /** A record as it is stored: JSON with the salt, and everything else encrypted. */
  make(values, since) {
    const patterns = values.flatMap((value, index) => value.patterns.map((bytes) => this.#pattern(bytes, index)));
    const record = {
      since,
      values: values.map(({ grant, name, variable: variable2 }) => ({
        grant,
        name,
        ...variable2 && { env: variable2.name, whole: valueMac(this.#keys, variable2.text) }
      })),
      patterns: patterns.slice(0, MAX_PATTERNS)
    };
    const nonce = (0, import_node_crypto3.randomBytes)(12);
    const cipher = (0, import_node_crypto3.createCipheriv)("aes-256-gcm", this.#keys.seal, nonce);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(record), "utf8"), cipher.final(), cipher.getAuthTag()]);
    const text = (bytes) => Buffer.from(bytes).toString("base64url");
    return `${JSON.stringify({ version: 1, salt: text(this.#salt), nonce: text(nonce), sealed: text(sealed) })}
`;
  }
  #pattern(bytes, value) {
    const start = bytes.subarray(0, MAX_PATTERN_BYTES);
    return {
      value,
      length: start.length,
      hash: windowHash(start, 0, windowOf(start.length), this.#keys.multiplier),
      mac: patternMac(this.#keys, start)
    };
  }
};

// patterns.ts
function patternsFor(value, isBase64 = false) {
  const text = value.trim();
  if (isTooCommon(text) || Buffer.byteLength(text) < MIN_PATTERN_BYTES) return [];
  const bytes = [
    ...textsOf(text).map((each) => Buffer.from(each, "utf8")),
    // Windows PowerShell 5 writes a file so.
    Buffer.from(text, "utf16le"),
    ...isBase64 ? [Buffer.from(value, "base64")] : []
  ].map((each) => each.subarray(0, MAX_PATTERN_BYTES));
  const found = new Map(bytes.map((each) => [each.toString("latin1"), each]));
  return [...found.values()].filter(({ length }) => length >= MIN_PATTERN_BYTES);
}
function textsOf(text) {
  const leaves = secretLeavesOf(text);
  if (leaves === null && !text.includes("\n")) return [text, ...masksFor(text), ...runnersForms(text)];
  const parts = leaves ?? secretLinesOf(text);
  const whole = [text, ...encodings(Buffer.from(text, "utf8")), ...runnersForms(text)];
  return [...whole, ...parts.flatMap((part) => part === text ? [] : textsOf(part))];
}
function runnersForms(text) {
  const xml = /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => XML[character] ?? character) : text;
  return [JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed()), xml];
}
var XML = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
function secretLinesOf(text) {
  const lines = text.replace(PUBLIC_PEM, "").split(/[\r\n]+/).map((line) => line.trim());
  return lines.flatMap((line) => {
    const [, member, value] = /^(?:- )?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^=\s"'].*?)["']?,?$/.exec(line) ?? [];
    if (member !== void 0 && value !== void 0)
      return value.length < MIN_PATTERN_BYTES || isTooCommon(value) || isPublicMember(member, value) ? [] : [value];
    return line.length < MIN_LINE_CHARACTERS || PEM_FRAME.test(line) || isPublicText(line) ? [] : [line];
  });
}
var MIN_LINE_CHARACTERS = 16;
var PEM_FRAME = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/;
var PUBLIC_PEM = /-----BEGIN ([A-Z ]*CERTIFICATE|PUBLIC KEY)-----[^-]*-----END \1-----/g;
function isPublicText(text) {
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s@?#]*$|^[\w.+-]+@[\w.-]+$|^(?:[a-z0-9-]+\.)+[a-z]{2,}$|^[a-z _.:-]+$/i.test(text);
}
var PUBLIC_MEMBER = /^(?:.*[_-]?(?:host|hostname|port|user|username|email|region|type|engine|version|id|name|path|scope|scopes|namespace)|kind|cluster|context|current-context|database|db|account|server|endpoint|driver|protocol|schema|arn|universe_domain)$/i;
var SECRET_MEMBER = /pass|secret|token|credential|private|key$|^(?:private|secret|access)[_-]?key[_-]?id$/i;
function isPublicMember(member, leaf) {
  if (/(?:uri|url)$/i.test(member)) return isPublicText(leaf);
  if (/^public|certificate/i.test(member)) return true;
  if (SECRET_MEMBER.test(member)) return false;
  return PUBLIC_MEMBER.test(member) || isPublicText(leaf);
}
function secretLeavesOf(text) {
  if (!/^[[{]/.test(text)) return null;
  try {
    const leaves = [];
    JSON.parse(text, (member, value) => {
      const leaf = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
      if (leaf.length >= MIN_PATTERN_BYTES && !isTooCommon(leaf) && !isPublicMember(member, leaf)) leaves.push(leaf);
      return value;
    });
    return leaves;
  } catch {
    return null;
  }
}

// issued.ts
var IssuedRecords = class {
  #sweep;
  #since;
  #maker = null;
  #folder = null;
  #written = 0;
  /** `since`: when the step started, in milliseconds since 1970. */
  constructor(sweep, since = Date.now()) {
    this.#sweep = sweep;
    this.#since = since;
  }
  /**
   * Records secret values before they are delivered. `variables`: what the step sets for later steps. Without a sweep, only
   * these are recorded, because the post step empties them.
   */
  record(received, variables) {
    const values = received.flatMap(
      ({ grant, values: values2 }) => values2.filter(({ secret }) => secret).map((value) => this.#toRecord(grant, value, variables))
    );
    const known = values.filter(({ variable: variable2 }) => variable2 !== void 0 || this.#sweep.mode !== "off");
    if (known.length === 0) return;
    this.#maker ??= new RecordMaker(idTokenEndpoint()?.requestToken ?? "");
    if (this.#folder === null) {
      this.#folder = jobFolder();
      saveState("issued", this.#folder);
      makeJobFolder(this.#folder);
    }
    this.#written++;
    const name = this.#written === 1 ? "issued.json" : `issued-${this.#written}.json`;
    writeRecord(this.#folder, name, this.#maker.make(known, this.#since));
  }
  /** From now on, values may be in the job's files: the post step looks for them. */
  delivered() {
    if (this.#folder === null || this.#sweep.mode === "off") return;
    saveState("sweep", this.#sweep.mode);
    if (this.#sweep.paths.length > 0) saveState("sweep-paths", this.#sweep.paths.join("\n"));
  }
  /** Nothing was delivered. */
  drop() {
    if (this.#folder !== null) removeJobFolder(this.#folder);
  }
  #toRecord(grant, value, variables) {
    const { name, env, file } = value;
    const isSet2 = env !== void 0 && file === void 0 && variables.get(env) === value.value;
    const patterns = this.#sweep.mode === "off" ? [] : patternsFor(value.value, file?.encoding === "base64");
    return { grant, name, patterns, ...isSet2 && { variable: { name: env, text: value.value } } };
  }
};

// key.ts
var import_node_crypto5 = require("node:crypto");

// jwe.ts
var import_node_crypto4 = require("node:crypto");
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
    const decipher = (0, import_node_crypto4.createDecipheriv)("aes-256-gcm", contentKey(secret), iv, { authTagLength: TAG_BYTES });
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
  return (0, import_node_crypto4.createHash)("sha256").update(Buffer.concat([uint32(1), secret, ...otherInfo])).digest();
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
  const key = (0, import_node_crypto5.createECDH)("prime256v1");
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
  return (0, import_node_crypto5.randomBytes)(32).toString("base64url");
}
function thumbprintOf(x, y) {
  return (0, import_node_crypto5.createHash)("sha256").update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest("base64url");
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
  now: () => performance.now(),
  random: Math.random,
  log: info2,
  sleep: (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds))
};

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
      info2(`The state of this step could not be written: ${forLog(toFailure(thrown).message)}`);
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
async function revokeLease(id, home, deadline) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw noIdTokenEndpoint(jobFacts());
  const audience = boundAudience(home.audience, thumbprintWithoutKey());
  return withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs());
    await registerMasks([token]);
    debug2(() => claimLines(token));
    return requestRevocation(home.broker, token, id, deadline.attemptMs());
  });
}

// lifetime.ts
function shortened2({ shortenedToSeconds }, requested) {
  if (shortenedToSeconds === void 0) return null;
  const than = requested === void 0 ? "requested" : `requested ${requested}`;
  return `${inWords(shortenedToSeconds)}, less than the ${than}`;
}
function inWords(seconds) {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

// advice.ts
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

// summary.ts
var MAX_SUMMARY_CHARACTERS = 5e5;
function grantedSummary(credentials, places, delivered) {
  const rows = credentials.map((credential) => [
    forMarkdown(credential.grant),
    forMarkdown(credential.provider),
    untilOf(credential, delivered.ttl),
    endOf(credential, delivered.keep ? null : delivered.isForCommand ? "command" : "job"),
    forMarkdown((places.get(credential.grant) ?? []).join(", "))
  ]);
  const grants = credentials.map(({ grant }) => forMarkdown(grant));
  return withinSizeLimit([
    `### This job got ${grants.length < 2 ? grants.join("") : `${grants.slice(0, -1).join(", ")} and ${grants.at(-1)}`}`,
    "",
    ...table(["grant", "provider", "until", "how it ends", "delivered as"], rows)
  ]);
}
function untilOf(credential, ttl) {
  if (credential.expiresAt === null) return "does not expire";
  const limit = shortened2(credential, ttl);
  return `${forMarkdown(credential.expiresAt)}${limit === null ? "" : ` (the policy allows ${forMarkdown(limit)})`}`;
}
function endOf({ revocation, expiresAt }, holder) {
  if (revocation === "revocable" && holder !== null) return `revoked when the ${holder} ends`;
  if (revocation === "revocable") return "revoked when the lease is over: it is kept after the job";
  return expiresAt === null ? "stays valid until it is changed in its store" : "expires by itself";
}
function failedSummary(failure) {
  const { code, requestId, help, message } = failure;
  const [first = "", ...more] = message.split(/(?<=[.!?]) (?=[A-Z.])/);
  const denied = failure.trace === void 0 ? null : denialHeading(failure.trace);
  const outcome = code === "not_allowed" || code === "policy_invalid" ? "Denied" : "Failed";
  const heading = denied ?? `${outcome}: ${first.replace(/\.$/, "")}`;
  const rest = denied === null ? more.join(" ") : "";
  const request = requestId === void 0 ? "" : `, request ${forMarkdown(requestId)}`;
  return withinSizeLimit([
    `### ${messageForMarkdown(heading)}`,
    "",
    `[${code}](${pageOf(code)})${request}`,
    ...rest === "" ? [] : ["", messageForMarkdown(rest)],
    "",
    `**What to change:** ${messageForMarkdown(changeFor(failure))}`,
    ...help ? ["", `**Who helps:** [${forMarkdown(help.text ?? help.url)}](<${help.url}>)`] : [],
    ...(failure.trace?.notes ?? []).flatMap((note) => ["", `Note: ${forMarkdown(note)}`]),
    ...(failure.trace?.grants ?? []).flatMap(grantSection)
  ]);
}
function grantSection(grant) {
  const verdict = grant.outcome === "allow" ? "allowed" : "denied";
  const heading = ["", `#### ${forMarkdown(grant.name)}: ${verdict}`, "", messageForMarkdown(grant.reason)];
  const rows = grant.rules.flatMap((rule) => {
    const name = `${rule.kind} ${forMarkdown(rule.name)}`;
    const place = `${forMarkdown(rule.file)}:${rule.line}`;
    if (rule.conditions.length === 0) return [[name, place, "", "", "", yesOrNo(rule, rule.matched)]];
    return rule.conditions.map(({ claim, expected, actual, matched }) => [
      name,
      place,
      forMarkdown(claim),
      forMarkdown(expected),
      orMissing(actual),
      yesOrNo(rule, matched)
    ]);
  });
  const rules = rows.length === 0 ? [] : ["", ...table(["rule", "file", "claim", "expected", "actual", "matches"], rows)];
  const refusals = refusalRows(grant.boundaries ?? []);
  const ceiling = refusals.length === 0 ? [] : ["", ...table(["boundary", "file", "about", "expected", "actual"], refusals)];
  return [...heading, ...rules, ...ceiling];
}
function refusalRows(boundaries) {
  const isAllowed = boundaries.some(({ allows }) => allows);
  return boundaries.flatMap(({ name, file, line, conditions, required, fields, environment }) => {
    const start = [forMarkdown(name), `${forMarkdown(file)}:${line}`];
    const claims = [...isAllowed ? [] : conditions, ...required].filter(({ matched }) => !matched);
    return [
      ...claims.map(({ claim, expected, actual }) => [
        `claim ${forMarkdown(claim)}`,
        forMarkdown(expected),
        orMissing(actual)
      ]),
      ...(isAllowed ? [] : fields).map(({ field, expected, actual }) => [
        `the grant's ${forMarkdown(field)}`,
        forMarkdown(expected),
        orMissing(actual)
      ]),
      ...environment.map((todo) => ["the environment", forMarkdown(todo), ""])
    ].map((cells) => [...start, ...cells]);
  });
}
var orMissing = (actual) => actual === null ? "*missing*" : forMarkdown(actual);
function table(headings, rows) {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
function yesOrNo(rule, matched) {
  const against = rule.kind === "allow" ? !matched : matched && rule.matched;
  const word = matched ? "yes" : "no";
  return against ? `**${word}**` : word;
}
function withinSizeLimit(lines) {
  let length = 0;
  const end = lines.findIndex((line) => {
    length += line.length + 1;
    return length > MAX_SUMMARY_CHARACTERS;
  });
  return [...end === -1 ? lines : [...lines.slice(0, end), "", "*The rest is left out.*"], ""].join("\n");
}

// exchange.ts
async function exchange() {
  const inputs = readInputs(input);
  const deadline = startDeadline(inputs.timeoutMs);
  requireRunnerFiles();
  const issued = new IssuedRecords(inputs.sweep);
  const leases = new StepLeases(inputs);
  const answer = await exchangeForAnswer(inputs, leases, deadline);
  const lease = readLease(answer);
  let folder = null;
  try {
    leases.confirm(lease);
    const received = readCredentials(answer, inputs.grants);
    const values = received.flatMap((credential) => credential.values);
    await registerMasks(values.flatMap(({ secret, value }) => secret ? masksFor(value) : []));
    const delivery = await plan(received, {
      inputs,
      lease,
      newFolder: jobFolder,
      environment: stepEnvironment()
    });
    requireRoom(delivery.credentials, delivery.variables, surroundings());
    folder = delivery.folder;
    if (folder !== null) {
      saveFilesFolder(folder);
      writeJobFiles(folder, delivery.files);
    }
    issued.record(received, delivery.variables);
    saveVariables(secretVariables(delivery));
    setOutputs(delivery.outputs);
    setVariables(delivery.variables);
    issued.delivered();
    if (inputs.keep) saveKeep();
    say(received, delivery, inputs);
    if (inputs.keep) info2(keptLine(lease.expiresAt));
  } catch (thrown) {
    if (folder !== null) removeFiles(folder);
    dropRecords(issued);
    await revokeUndelivered(lease.id, inputs, leases, deadline);
    throw thrown;
  }
}
async function plan(received, context) {
  const { inputs, environment } = context;
  const delivery = inputs.deliver === "files" ? (await Promise.resolve().then(() => __toESM(require("./files.js"), 1))).planFilesDelivery(received, context) : planDelivery(received, context);
  if (inputs.deliver === "outputs") return delivery;
  const { folder, variables } = delivery;
  const logins = await planLogins(received, { folder, environment, variables });
  return {
    ...delivery,
    files: [...delivery.files, ...logins.files],
    variables: logins.variables,
    notes: [...delivery.notes, ...logins.notes],
    warnings: [...delivery.warnings, ...logins.warnings]
  };
}
function say(received, { credentials, places, notes, warnings }, { ttl, keep }) {
  for (const credential of credentials) info2(gotLine(credential, ttl));
  for (const note of notes) info2(note);
  for (const warning2 of warnings) warn(warning2);
  warnOfBareSecrets(received);
  debug2(() => credentials.map(decisionLine));
  appendSummary(grantedSummary(credentials, places, { ttl, keep }));
}
async function exchangeForAnswer(inputs, leases, deadline) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw noIdTokenEndpoint(jobFacts());
  await spreadFirstCall(inputs.parallelJobs, deadline);
  const key = makeJobKey();
  const audience = boundAudience(inputs.audience, key.thumbprint);
  const request = { grants: inputs.grants, ...inputs.ttl !== void 0 && { ttl: inputs.ttl }, key: key.publicJwk };
  const sealed = await withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs());
    await registerMasks([token]);
    debug2(() => claimLines(token));
    const lease = newLeaseId(/* @__PURE__ */ new Date(), (0, import_node_crypto6.randomUUID)());
    leases.ask(lease);
    try {
      return await requestExchange(inputs.broker, token, { ...request, lease }, deadline.attemptMs());
    } catch (thrown) {
      if (thrown instanceof ActionError && !thrown.undecided) leases.forget(lease);
      throw thrown;
    }
  });
  return key.open(sealed);
}
function secretVariables({ credentials, variables }) {
  const secret = new Set(
    credentials.flatMap(
      ({ values }) => values.filter((one) => one.secret && one.file === void 0).map(({ env }) => env)
    )
  );
  return [...variables.keys()].filter((name) => secret.has(name));
}
function keptLine(expiresAt) {
  return `Kept (input \`keep\`): the lease is not revoked when the job ends. What expires lives until ${expiresAt} at the latest.`;
}
function gotLine(credential, ttl, forWhom = "") {
  const { grant, expiresAt } = credential;
  const limit = shortened2(credential, ttl);
  return `Got ${grant}${forWhom}${expiresAt ? `, until ${expiresAt}` : ""}.${limit === null ? "" : ` The policy allows ${limit}.`}`;
}
function decisionLine({ grant, provider, revocation, values }) {
  const names = values.map((value) => {
    const places = [
      ...value.env === void 0 ? [] : [value.env],
      ...toolsOf(value).map((tool) => `login of ${tool}`)
    ];
    return `${value.name}${value.secret ? " (secret)" : ""} -> ${places.join(" and ") || "no variable"}`;
  });
  return `decision: ${grant} allowed, by ${provider}, ${revocation}: ${forLog(names.join(", "))}`;
}
function warnOfBareSecrets(credentials) {
  for (const { grant, values } of credentials) {
    const bare = values.filter(({ secret, value }) => secret && isTooCommon(value)).map(({ name, env }) => env ?? name);
    if (bare.length === 0) continue;
    warn(
      `The log does not hide these secrets of ${grant}: ${forLog(bare.join(", "))}. Each has fewer than four characters, or is a number of fewer than eight digits, a truth value, or punctuation only. If it is not secret, add \`public: true\` to it in the policy. If it is, make it longer.`
    );
  }
}
function dropRecords(issued) {
  try {
    issued.drop();
  } catch (thrown) {
    warn(`A folder of this step could not be removed yet: ${forLog(toFailure(thrown).message)}`);
  }
}
function removeFiles(folder) {
  try {
    removeJobFolder(folder);
  } catch (thrown) {
    warn(`The files of this step could not be removed yet: ${forLog(toFailure(thrown).message)}`);
  }
}
async function revokeUndelivered(id, home, leases, deadline) {
  try {
    await revokeLease(id, home, deadline);
    leases.forget(id);
    info2("Nothing was delivered, and the lease was revoked.");
  } catch (thrown) {
    warn(`The lease is not revoked yet; the post step tries again: ${forLog(toFailure(thrown).message)}`);
  }
}

// report.ts
function reportFailure(thrown) {
  const failure = toFailure(thrown);
  if (failure.trace) for (const line of traceLines(failure.trace)) info2(line);
  fail(`Daypass: ${failure.code}`, sentencesOf(failure), ownPolicyLine(failure.trace, failure.message));
  appendSummary(failedSummary(failure));
}
function traceLines(trace) {
  const { repository, environment } = trace.subject;
  const where = environment === null ? "no environment" : `environment ${forLog(environment)}`;
  return [
    `Decision for ${forLog(repository)}, ${where}:`,
    ...trace.notes.map((note) => `- note: ${forLog(note)}`),
    ...trace.grants.flatMap((grant) => [
      `- grant ${forLog(grant.name)}: ${grant.outcome}: ${forLog(grant.reason)}`,
      ...grant.rules.flatMap((rule) => [
        `  - ${rule.kind} "${forLog(rule.name)}" (${forLog(rule.file)}:${rule.line}) ${rule.matched ? "matches" : "does not match"}`,
        ...rule.conditions.map((condition) => {
          const actual = condition.actual === null ? "has no such claim" : `has ${forLog(condition.actual)}`;
          const outcome = condition.matched ? "matches" : "does not match";
          return `    - claim ${forLog(condition.claim)} ${outcome}: expected ${forLog(condition.expected)}, the token ${actual}`;
        })
      ])
    ])
  ];
}

// aws-session.ts
var SESSION_VALUES = /* @__PURE__ */ new Set(["access-key-id", "secret-access-key", "session-token"]);
function readSession({ grant, values, expiresAt }) {
  const value = (name) => values.find((one) => one.name === name)?.value ?? "";
  const session = {
    AccessKeyId: value("access-key-id"),
    SecretAccessKey: value("secret-access-key"),
    Token: value("session-token"),
    Expiration: expiresAt ?? ""
  };
  if (Object.values(session).includes("")) {
    throw new ActionError(
      "answer_unusable",
      `The broker's answer cannot be used: the session of ${grant} is not complete.`
    );
  }
  return session;
}

// outcomes.ts
function logOutcomes(answer) {
  const { credentials, record_due: isRecordDue, unknown_until: unknownUntil } = answer;
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "It stays valid until it is changed in its store." : `It expires at ${expiresAt}.`;
    if (outcome === "revoked") info2(`Revoked ${grant}.`);
    else if (outcome === "expires-only") info2(`Cannot revoke ${grant}. ${end}`);
    else if (outcome === "revoking" && unknownUntil === void 0) info2(`Another call is revoking ${grant} now. ${end}`);
    else if (outcome === "failed") warn(`${grant} is not revoked yet; the broker tries again. ${end}`);
  }
  if (unknownUntil !== void 0) {
    const left = unknownUntil === null ? "" : ` What it cannot revoke lives until ${unknownUntil} at the latest.`;
    info2(`One exchange of this step did not end. The broker revokes what it minted, and gives it to nobody.${left}`);
  }
  if (isRecordDue) info2("The broker cannot write its record of this now, and writes it as soon as it can.");
}

// main.ts
if (startedFile() !== "refresh.js") act().catch(reportFailure);
function act() {
  return input("run") === "" ? exchange() : Promise.resolve().then(() => __toESM(require("./run.js"), 1)).then(({ exchangeAndRun }) => exchangeAndRun());
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  AWS_KEY_VARIABLE,
  ActionError,
  IssuedRecords,
  OWN_CODES,
  SESSION_VALUES,
  StepLeases,
  actionFolder,
  advice,
  appendSummary,
  blankOldTokens,
  changeFor,
  commandsStoppedWith,
  debug,
  decisionLine,
  dropRecords,
  encodings,
  endWith,
  exchange,
  exchangeForAnswer,
  externalAccount,
  fail,
  failedSummary,
  forLog,
  forMarkdown,
  gotLine,
  grantedSummary,
  hasLogins,
  idTokenEndpoint,
  info,
  input,
  isJobFolder,
  isKept,
  isOver,
  isTime,
  isTooCommon,
  jobFacts,
  jobFolder,
  keptLine,
  leaseOutputs,
  logOutcomes,
  loginsOf,
  makeJobFolder,
  masksFor,
  memberOf,
  membersOf,
  messageForLog,
  messageForMarkdown,
  needsGoogleFiles,
  onLogClosed,
  pageOf,
  parseJson,
  pathIn,
  placesOf,
  planDelivery,
  planEnvironment,
  planFiles,
  planLogins,
  planOutputs,
  proxyEnvironment,
  rawInput,
  readCredentials,
  readInputs,
  readLease,
  readProblem,
  readRecords,
  readRevocation,
  readSession,
  registerMasks,
  registeredMasks,
  removeDeliveredFiles,
  removeFiles,
  removeJobFolder,
  replaceJobFile,
  requireRunnerFiles,
  requiredValue,
  revokeLease,
  revokeUndelivered,
  saveFilesFolder,
  saveKeep,
  saveState,
  saveVariables,
  savedLeases,
  savedState,
  savedVariables,
  sentencesOf,
  setOutputs,
  setVariables,
  silenceLog,
  spreadFirstCall,
  startDeadline,
  startedFile,
  stepEnvironment,
  surroundings,
  sweepPlaces,
  toFailure,
  toolsOf,
  warn,
  warnOfBareSecrets,
  warningOfProfile,
  withGoogleFiles,
  withRetries,
  writeJobFiles,
  writeRecord,
  writeToLog
});

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

// refresh/kept-file.ts
function readKept(path) {
  try {
    const file = (0, import_node_fs.openSync)(path, import_node_fs.constants.O_RDONLY | NO_FOLLOW | NO_WAIT);
    try {
      const stat = (0, import_node_fs.fstatSync)(file);
      return stat.isFile() && stat.size <= MAX_BYTES ? JSON.parse((0, import_node_fs.readFileSync)(file, "utf8")) : void 0;
    } finally {
      (0, import_node_fs.closeSync)(file);
    }
  } catch {
    return void 0;
  }
}
function replaceKept(path, value) {
  const aside = `${path}.${(0, import_node_crypto.randomUUID)()}`;
  try {
    const file = (0, import_node_fs.openSync)(aside, import_node_fs.constants.O_WRONLY | import_node_fs.constants.O_CREAT | import_node_fs.constants.O_EXCL | NO_FOLLOW, 384);
    try {
      (0, import_node_fs.writeSync)(file, JSON.stringify(value));
    } finally {
      (0, import_node_fs.closeSync)(file);
    }
    (0, import_node_fs.renameSync)(aside, path);
  } catch (thrown) {
    (0, import_node_fs.rmSync)(aside, { force: true });
    throw thrown;
  }
}
var import_node_crypto, import_node_fs, NO_FOLLOW, NO_WAIT, MAX_BYTES;
var init_kept_file = __esm({
  "refresh/kept-file.ts"() {
    "use strict";
    import_node_crypto = require("node:crypto");
    import_node_fs = require("node:fs");
    NO_FOLLOW = import_node_fs.constants.O_NOFOLLOW ?? 0;
    NO_WAIT = import_node_fs.constants.O_NONBLOCK ?? 0;
    MAX_BYTES = 256 * 1024;
  }
});

// refresh/lock.ts
function tryLock(folder) {
  const taken = locksIn(folder);
  const highest = taken.at(-1);
  if (highest !== void 0 && isHeld(pathOf(folder, highest))) return null;
  const mine = (highest ?? -1) + 1;
  try {
    const file = (0, import_node_fs2.openSync)(
      pathOf(folder, mine),
      import_node_fs2.constants.O_WRONLY | import_node_fs2.constants.O_CREAT | import_node_fs2.constants.O_EXCL | NO_FOLLOW2,
      384
    );
    (0, import_node_fs2.writeSync)(file, String(process.pid));
    (0, import_node_fs2.closeSync)(file);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") return null;
    throw thrown;
  }
  return {
    release() {
      for (const number of [...taken, mine]) (0, import_node_fs2.rmSync)(pathOf(folder, number), { force: true });
    }
  };
}
function locksIn(folder) {
  return (0, import_node_fs2.readdirSync)(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number).sort((one, other) => one - other);
}
function isHeld(path) {
  try {
    const file = (0, import_node_fs2.openSync)(path, import_node_fs2.constants.O_RDONLY | NO_FOLLOW2 | NO_WAIT2);
    try {
      const stat = (0, import_node_fs2.fstatSync)(file);
      const age = Math.abs(Date.now() - stat.mtimeMs);
      if (!stat.isFile() || stat.size > 16 || age > LONGEST_HOLD_MS) return false;
      const holder = (0, import_node_fs2.readFileSync)(file, "latin1");
      return holder === "" ? age < UNSIGNED_MS : /^[1-9][0-9]{0,9}$/.test(holder) && isAlive(Number(holder));
    } finally {
      (0, import_node_fs2.closeSync)(file);
    }
  } catch {
    return false;
  }
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
var import_node_fs2, import_node_path, LONGEST_HOLD_MS, UNSIGNED_MS, NAME, NO_FOLLOW2, NO_WAIT2, pathOf;
var init_lock = __esm({
  "refresh/lock.ts"() {
    "use strict";
    import_node_fs2 = require("node:fs");
    import_node_path = require("node:path");
    LONGEST_HOLD_MS = 6e4;
    UNSIGNED_MS = 2e3;
    NAME = /^lock\.(0|[1-9][0-9]{0,8})$/;
    NO_FOLLOW2 = import_node_fs2.constants.O_NOFOLLOW ?? 0;
    NO_WAIT2 = import_node_fs2.constants.O_NONBLOCK ?? 0;
    pathOf = (folder, number) => (0, import_node_path.join)(folder, `lock.${number}`);
  }
});

// refresh/current.ts
async function currentAnswer(folder, { renewBelowMs }, fetch) {
  const kept = () => asKept(readKept((0, import_node_path2.join)(folder, "kept.json")));
  const isFresh = (one) => leftOf(one) >= Math.min(renewBelowMs, Math.max(USABLE_MS, (one.expiresAt - one.receivedAt) * LONGEST_USE));
  const end = performance.now() + WAIT_MS;
  while (performance.now() < end) {
    const one = kept();
    if (one !== null && isFresh(one)) return one.answer;
    const failure = recentFailure(folder);
    if (failure !== null) return usableOr(one, failure);
    const lock = tryLock(folder);
    if (lock === null) {
      await sleep(40 + 60 * Math.random());
      continue;
    }
    try {
      const now = kept();
      if (now !== null && isFresh(now)) return now.answer;
      const failed = recentFailure(folder);
      return failed === null ? await fetchAndKeep(folder, now, fetch) : usableOr(now, failed);
    } finally {
      lock.release();
    }
  }
  throw new RefreshError(
    "broker_timeout",
    "Another process asks the broker for this credential, and has no answer yet. Run the command again."
  );
}
async function fetchAndKeep(folder, old, fetch) {
  try {
    const fetched = await fetch();
    keep((0, import_node_path2.join)(folder, "kept.json"), fetched);
    return fetched.answer;
  } catch (thrown) {
    if (!(thrown instanceof RefreshError)) throw thrown;
    const { code, message, isOwn } = thrown;
    if (!isOwn) keep((0, import_node_path2.join)(folder, "failed.json"), { at: Date.now(), code, message });
    return usableOr(old, thrown);
  }
}
function keep(path, value) {
  try {
    replaceKept(path, value);
  } catch {
  }
}
function usableOr(kept, failure) {
  if (kept !== null && leftOf(kept) >= USABLE_MS) return kept.answer;
  throw failure;
}
function recentFailure(folder) {
  const { at, code, message } = readKept((0, import_node_path2.join)(folder, "failed.json")) ?? {};
  if (typeof at !== "number" || typeof code !== "string" || typeof message !== "string") return null;
  const age = Date.now() - at;
  return age >= 0 && age < REST_AFTER_FAILURE_MS ? new RefreshError(code, message) : null;
}
function asKept(value) {
  const { receivedAt, expiresAt, answer } = value ?? {};
  if (typeof receivedAt !== "number" || typeof expiresAt !== "number" || typeof answer !== "object") return null;
  return { receivedAt, expiresAt, answer };
}
var import_node_path2, WAIT_MS, REST_AFTER_FAILURE_MS, LONGEST_USE, USABLE_MS, RefreshError, leftOf, sleep;
var init_current = __esm({
  "refresh/current.ts"() {
    "use strict";
    import_node_path2 = require("node:path");
    init_kept_file();
    init_lock();
    WAIT_MS = 45e3;
    REST_AFTER_FAILURE_MS = 1e4;
    LONGEST_USE = 0.8;
    USABLE_MS = 3e4;
    RefreshError = class extends Error {
      name = "RefreshError";
      code;
      /** True when only this process fails, because of its own environment. */
      isOwn;
      constructor(code, message, isOwn = false) {
        super(message);
        this.code = code;
        this.isOwn = isOwn;
      }
    };
    leftOf = ({ expiresAt }) => expiresAt - Date.now();
    sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
});

// escape.ts
function forLog(text, limit = MAX_SHOWN_CHARACTERS) {
  return visible(shortened(text, limit)).replaceAll("##[", "## [");
}
function visible(text) {
  if (ASCII.test(text)) return text;
  return text.replace(new RegExp(INVISIBLE, "gu"), (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
function shortened(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit)}...`;
}
var MAX_SHOWN_CHARACTERS, MAX_TEXT_CHARACTERS, ASCII, messageForLog, INVISIBLE;
var init_escape = __esm({
  "escape.ts"() {
    "use strict";
    MAX_SHOWN_CHARACTERS = 400;
    MAX_TEXT_CHARACTERS = 4e3;
    ASCII = /^[\x20-\x7e]*$/;
    messageForLog = (text) => forLog(text, MAX_TEXT_CHARACTERS);
    INVISIBLE = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]`;
  }
});

// advice.ts
function advice(code) {
  return ADVICE[code];
}
var changeFor, ADVICE;
var init_advice = __esm({
  "advice.ts"() {
    "use strict";
    init_escape();
    changeFor = ({ change, code }) => change ?? advice(code);
    ADVICE = {
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

// answer.ts
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
function readCredential(grant, credential) {
  const provider = memberOf(credential, "provider");
  const revocation = memberOf(credential, "revocation");
  const expiresAt = memberOf(credential, "expires_at") ?? null;
  const shortened2 = memberOf(credential, "shortened_to_seconds");
  const format = memberOf(credential, "format");
  const values = membersOf(memberOf(credential, "values"));
  if (typeof provider !== "string" || !NAME2.test(provider)) throw unusable(`it does not name the provider of ${grant}`);
  if (revocation !== "revocable" && revocation !== "expires-only")
    throw unusable(`it does not say whether ${grant} can be revoked`);
  if (values === null || values.length > MAX_VALUES) throw unusable(`it has no values for ${grant}`);
  return {
    grant,
    provider,
    ...typeof format === "string" && { format },
    revocation,
    expiresAt: expiresAt === null ? null : readTime(expiresAt, grant),
    ...typeof shortened2 === "number" && Number.isSafeInteger(shortened2) && { shortenedToSeconds: shortened2 },
    values: values.map(([name, value]) => readValue(grant, name, value))
  };
}
function readValue(grant, name, member) {
  if (!NAME2.test(name)) throw unusable(`the name of a value of ${grant} is invalid`);
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
var LEASE_ID, NAME2, TIME, FILE_MODE, MAX_VALUES;
var init_answer = __esm({
  "answer.ts"() {
    "use strict";
    init_failure();
    init_json();
    LEASE_ID = /^[A-Za-z0-9._~-]{1,256}$/;
    NAME2 = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
    TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
    FILE_MODE = /^0[46][04]0$/;
    MAX_VALUES = 64;
  }
});

// ../broker/wire/lease-id.ts
function newLeaseId(now, randomUuid) {
  const time = now.getTime().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUuid.slice(15)}`;
}
var init_lease_id = __esm({
  "../broker/wire/lease-id.ts"() {
    "use strict";
  }
});

// ../broker/wire/exchange.ts
var KEY_BINDING_SEPARATOR, MEDIA_TYPE_PROBLEM, MEDIA_TYPE_JOSE;
var init_exchange = __esm({
  "../broker/wire/exchange.ts"() {
    "use strict";
    KEY_BINDING_SEPARATOR = "?jkt=";
    MEDIA_TYPE_PROBLEM = "application/problem+json";
    MEDIA_TYPE_JOSE = "application/jose";
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

// commands.ts
function workflowCommand(name, data, properties = {}) {
  const pairs = Object.entries(properties).filter(([, value]) => value !== void 0 && value !== "");
  const list2 = pairs.map(([key, value]) => `${key}=${escapeProperty(String(value))}`).join(",");
  return `::${name}${list2 === "" ? "" : ` ${list2}`}::${escapeData(data)}
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
    while (bytes.length > 0) bytes = bytes.subarray((0, import_node_fs3.writeSync)(STDOUT, bytes));
  } catch {
    stream().write(bytes);
  }
}
function printed() {
  return isStreaming ? new Promise((resolve) => process.stdout.write("", () => resolve())) : Promise.resolve();
}
function stream() {
  isStreaming = true;
  return process.stdout;
}
var import_node_fs3, STDOUT, isStreaming;
var init_log = __esm({
  "log.ts"() {
    "use strict";
    import_node_fs3 = require("node:fs");
    STDOUT = 1;
    isStreaming = false;
  }
});

// runner-file.ts
var import_node_fs4, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK;
var init_runner_file = __esm({
  "runner-file.ts"() {
    "use strict";
    import_node_fs4 = require("node:fs");
    init_failure();
    ({ O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = import_node_fs4.constants);
  }
});

// runner.ts
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
function silenceLog() {
  isLogSilent = true;
}
function info(text) {
  if (!isLogSilent) print(`${text}
`);
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
    return parseJson((0, import_node_fs5.readFileSync)(variable("GITHUB_EVENT_PATH")));
  } catch {
    return void 0;
  }
}
var import_node_fs5, registered, stopToken, isLogSilent;
var init_runner = __esm({
  "runner.ts"() {
    "use strict";
    import_node_fs5 = require("node:fs");
    init_commands();
    init_failure();
    init_json();
    init_log();
    init_runner_file();
    init_log();
    registered = /* @__PURE__ */ new Set();
    stopToken = null;
    isLogSilent = false;
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
function connect(target) {
  const openedAt = process.uptime();
  let call2 = null;
  let isOver = false;
  const end = () => {
    isOver = true;
    call2?.destroy();
  };
  void open(target).then((opened) => {
    call2 = opened;
    call2.on("error", end).on("close", end).on("response", end);
    if (isOver) end();
  }, end);
  return {
    take() {
      if (isOver || call2 === null || process.uptime() - openedAt > MAX_WAIT_SECONDS) return null;
      isOver = true;
      call2.off("error", end).off("close", end).off("response", end);
      return call2;
    },
    end: () => void (isOver || end())
  };
}
async function send(request, connection) {
  const call2 = connection?.take() ?? await open(request);
  const body = request.json === void 0 ? void 0 : JSON.stringify(request.json);
  call2.setHeader("accept", request.accept);
  call2.setHeader("authorization", `Bearer ${request.bearer}`);
  call2.setHeader("user-agent", "daypass-action");
  if (body !== void 0) {
    call2.setHeader("content-type", "application/json");
    call2.setHeader("content-length", Buffer.byteLength(body));
  }
  return new Promise((resolve, reject) => {
    const fail2 = (cause) => void Promise.resolve().then(() => (init_http_fault(), http_fault_exports)).then(({ whyFailed: whyFailed2 }) => reject(whyFailed2(cause, request.url)), reject);
    call2.on("response", (response) => {
      readReply(response).then(resolve, (cause) => {
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
async function open({ method, url, timeoutMs }) {
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
function typeOf({ mediaType }) {
  if (mediaType === "text/html") return "an HTML page (text/html)";
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(mediaType) ? `a body of type ${mediaType}` : "no media type";
}
var MAX_WAIT_SECONDS, MAX_REPLY_BYTES, LOOPBACK_HOST;
var init_http = __esm({
  "http.ts"() {
    "use strict";
    init_http_failure();
    init_runner();
    MAX_WAIT_SECONDS = 3;
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
  const [code, what] = TRANSPORT[failure.fault];
  return new ActionError(code, `The broker at ${broker} ${what}.`, {
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

// broker-client.ts
async function requestExchange(broker, token, request, timeoutMs, connection) {
  const target = { method: "POST", url: exchangeUrl(broker), timeoutMs };
  const accept = `${MEDIA_TYPE_JOSE}, ${MEDIA_TYPE_PROBLEM}`;
  const reply = await call(broker, { ...target, bearer: token, accept, json: request }, connection);
  if (reply.mediaType === MEDIA_TYPE_JOSE) return reply.body.toString("latin1");
  throw (await Promise.resolve().then(() => (init_refusal(), refusal_exports))).notSealed(broker, reply);
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
var connectToBroker, exchangeUrl;
var init_broker_client = __esm({
  "broker-client.ts"() {
    "use strict";
    init_exchange();
    init_http();
    init_http_failure();
    init_runner();
    connectToBroker = (broker, timeoutMs) => connect({ method: "POST", url: exchangeUrl(broker), timeoutMs });
    exchangeUrl = (broker) => new URL("/v1/exchange", broker);
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

// inputs.ts
var init_inputs = __esm({
  "inputs.ts"() {
    "use strict";
    init_exchange();
    init_failure();
    init_http();
  }
});

// jwe.ts
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
    const decipher = (0, import_node_crypto2.createDecipheriv)("aes-256-gcm", contentKey(secret), iv, { authTagLength: TAG_BYTES });
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
  return (0, import_node_crypto2.hash)("sha256", Buffer.concat([uint32(1), secret, ...otherInfo]), "buffer");
}
function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
function isBase64url(text) {
  return Buffer.from(text, "base64url").toString("base64url") === text;
}
var import_node_crypto2, CONTENT_ENCRYPTION, KEY_BITS, INITIALISATION_VECTOR_BYTES, TAG_BYTES, COORDINATE_BYTES, HEADER_MEMBERS;
var init_jwe = __esm({
  "jwe.ts"() {
    "use strict";
    import_node_crypto2 = require("node:crypto");
    init_json();
    CONTENT_ENCRYPTION = "A256GCM";
    KEY_BITS = 256;
    INITIALISATION_VECTOR_BYTES = 12;
    TAG_BYTES = 16;
    COORDINATE_BYTES = 32;
    HEADER_MEMBERS = /* @__PURE__ */ new Set(["alg", "enc", "epk", "cty"]);
  }
});

// key.ts
function makeJobKey() {
  const key = (0, import_node_crypto3.createECDH)("prime256v1");
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
function thumbprintOf(x, y) {
  return (0, import_node_crypto3.hash)("sha256", `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`, "base64url");
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

// lease.ts
var init_lease = __esm({
  "lease.ts"() {
    "use strict";
    init_escape();
    init_failure();
    init_json();
    init_runner();
  }
});

// retry.ts
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
var ATTEMPT_MS, QUICK_PAUSES_MS, PATIENT_BASE_MS, PATIENT_CAP_MS, SMALL_MATRIX, SPREAD_MS, LAST_CALL_MS, REAL;
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
    SMALL_MATRIX = 20;
    SPREAD_MS = 20;
    LAST_CALL_MS = 3e3;
    REAL = {
      // `performance` loads 11 more of Node's modules at its first use, more than half a millisecond of each start.
      now: () => process.uptime() * 1e3,
      random: Math.random,
      log: info,
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
    };
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

// exchange.ts
async function exchangeForAnswer(inputs, leases, deadline, whileWaiting = () => {
}) {
  const endpoint = idTokenEndpoint();
  if (endpoint === null) throw (await Promise.resolve().then(() => (init_no_id_token(), no_id_token_exports))).noIdTokenEndpoint(jobFacts());
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
      const lease = newLeaseId(/* @__PURE__ */ new Date(), (0, import_node_crypto4.randomUUID)());
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
var import_node_crypto4;
var init_exchange2 = __esm({
  "exchange.ts"() {
    "use strict";
    import_node_crypto4 = require("node:crypto");
    init_lease_id();
    init_broker_client();
    init_claims();
    init_failure();
    init_id_token();
    init_inputs();
    init_key();
    init_lease();
    init_retry();
    init_runner();
  }
});

// deliver/files.ts
var init_files = __esm({
  "deliver/files.ts"() {
    "use strict";
    init_failure();
  }
});

// deliver/outputs.ts
var init_outputs = __esm({
  "deliver/outputs.ts"() {
    "use strict";
    init_failure();
  }
});

// federated.ts
function requiredValue({ grant, values }, name) {
  const found = values.find((one) => one.name === name)?.value ?? "";
  if (found !== "") return found;
  const message = `The broker's answer cannot be used: the credential of ${grant} has no ${name}.`;
  throw new ActionError("answer_unusable", message);
}
var init_federated = __esm({
  "federated.ts"() {
    "use strict";
    init_failure();
  }
});

// deliver/aws-neighbours.ts
var init_aws_neighbours = __esm({
  "deliver/aws-neighbours.ts"() {
    "use strict";
  }
});

// ../broker/wire/variables.ts
var list, FAMILIES;
var init_variables = __esm({
  "../broker/wire/variables.ts"() {
    "use strict";
    list = (names) => names.split(" ");
    FAMILIES = [
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
  }
});

// deliver/environment.ts
var init_environment = __esm({
  "deliver/environment.ts"() {
    "use strict";
    init_variables();
    init_escape();
    init_failure();
  }
});

// deliver/plan.ts
var init_plan = __esm({
  "deliver/plan.ts"() {
    "use strict";
    init_answer();
    init_federated();
    init_aws_neighbours();
    init_environment();
    init_files();
    init_outputs();
  }
});

// aws-session.ts
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
var init_aws_session = __esm({
  "aws-session.ts"() {
    "use strict";
    init_failure();
  }
});

// files/command-line.ts
var init_command_line = __esm({
  "files/command-line.ts"() {
    "use strict";
  }
});

// files/planned.ts
var init_planned = __esm({
  "files/planned.ts"() {
    "use strict";
  }
});

// files/renewable.ts
function keptAnswer(asker, credential) {
  const receivedAt = Date.now();
  if (asker === "aws") {
    const { Token: SessionToken, ...session } = readSession(credential);
    const expiresAt2 = Date.parse(session.Expiration);
    return { receivedAt, expiresAt: expiresAt2, answer: { Version: 1, ...session, SessionToken } };
  }
  const token = requiredValue(credential, "federated-token");
  const expiresAt = Date.parse(credential.expiresAt ?? "");
  if (Number.isNaN(expiresAt)) {
    const message = `The broker's answer cannot be used: the federated token of ${credential.grant} has no end.`;
    throw new ActionError("answer_unusable", message);
  }
  const answer = {
    version: 1,
    success: true,
    token_type: "urn:ietf:params:oauth:token-type:jwt",
    id_token: token,
    expiration_time: Math.floor(expiresAt / 1e3)
  };
  return { receivedAt, expiresAt, answer };
}
var AWS_RENEW_BELOW_MS;
var init_renewable = __esm({
  "files/renewable.ts"() {
    "use strict";
    init_aws_session();
    init_failure();
    init_federated();
    AWS_RENEW_BELOW_MS = 16 * 6e4;
  }
});

// files/aws.ts
var RENEWED_FROM_MS;
var init_aws = __esm({
  "files/aws.ts"() {
    "use strict";
    init_aws_session();
    init_failure();
    init_command_line();
    init_planned();
    init_renewable();
    RENEWED_FROM_MS = 29 * 6e4;
  }
});

// files/azure.ts
var init_azure = __esm({
  "files/azure.ts"() {
    "use strict";
    init_federated();
    init_planned();
    init_renewable();
  }
});

// files/google.ts
var init_google = __esm({
  "files/google.ts"() {
    "use strict";
    init_federated();
    init_command_line();
    init_planned();
    init_renewable();
  }
});

// files/dotenv.ts
var init_dotenv = __esm({
  "files/dotenv.ts"() {
    "use strict";
    init_failure();
  }
});

// files/values.ts
var init_values = __esm({
  "files/values.ts"() {
    "use strict";
    init_aws_neighbours();
    init_environment();
    init_dotenv();
    init_planned();
  }
});

// files/deliver.ts
var init_deliver = __esm({
  "files/deliver.ts"() {
    "use strict";
    init_files();
    init_outputs();
    init_plan();
    init_failure();
    init_runner();
    init_aws();
    init_azure();
    init_google();
    init_renewable();
    init_values();
    init_renewable();
  }
});

// refresh/exchange-again.ts
var exchange_again_exports = {};
__export(exchange_again_exports, {
  exchangeAgain: () => exchangeAgain
});
async function exchangeAgain(settings, leasesFile2) {
  silenceLog();
  requireIdTokens();
  try {
    const { asker, grant, broker, audience, ttl } = settings;
    const inputs = {
      broker,
      audience,
      grants: [grant],
      ...ttl !== void 0 && { ttl },
      parallelJobs: 1
    };
    const leases = {
      ask: (id) => note(leasesFile2, `ask ${id}`),
      forget: (id) => {
        try {
          note(leasesFile2, `end ${id}`);
        } catch {
        }
      }
    };
    const answer = await exchangeForAnswer(inputs, leases, startDeadline(DEADLINE_MS));
    const lease = readLease(answer);
    note(leasesFile2, `got ${lease.id} ${lease.expiresAt}`);
    const [credential] = readCredentials(answer, [grant]);
    if (credential === void 0) throw new Error("unreachable: exactly one credential was read");
    return keptAnswer(asker, credential);
  } catch (thrown) {
    const failure = toFailure(thrown);
    throw new RefreshError(failure.code, `${messageForLog(failure.message)} ${messageForLog(changeFor(failure))}`);
  }
}
function requireIdTokens() {
  if (idTokenEndpoint() !== null) return;
  throw new RefreshError(
    "id_token_permission_missing",
    "This process has no ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. Add `permissions: id-token: write` to the job, and let programs that clear the environment, such as sudo, pass both variables.",
    true
  );
}
function note(path, line) {
  try {
    const file = (0, import_node_fs6.openSync)(path, import_node_fs6.constants.O_WRONLY | import_node_fs6.constants.O_APPEND | (import_node_fs6.constants.O_NOFOLLOW ?? 0));
    try {
      (0, import_node_fs6.writeSync)(file, `${line}
`);
      if ((0, import_node_fs6.statSync)(path).ino === (0, import_node_fs6.fstatSync)(file).ino) return;
    } finally {
      (0, import_node_fs6.closeSync)(file);
    }
  } catch {
  }
  throw new ActionError("lease_not_found", "The Daypass step that gave this credential has ended.");
}
var import_node_fs6, DEADLINE_MS;
var init_exchange_again = __esm({
  "refresh/exchange-again.ts"() {
    "use strict";
    import_node_fs6 = require("node:fs");
    init_advice();
    init_answer();
    init_escape();
    init_exchange2();
    init_failure();
    init_deliver();
    init_retry();
    init_runner();
    init_current();
    DEADLINE_MS = 3e4;
  }
});

// refresh/refresh.ts
var import_node_path3 = require("node:path");
init_current();
init_kept_file();
var WATCHDOG_MS = 55e3;
async function main(path) {
  const settings = readSettings(path);
  setTimeout(() => {
    fail(settings, new RefreshError("broker_timeout", "The broker did not answer in time. Run the command again."));
    process.exit();
  }, WATCHDOG_MS).unref();
  try {
    if (settings === null) {
      throw new RefreshError(
        "lease_not_found",
        "The files of this credential are not here: its Daypass step has ended, or this is another machine or container."
      );
    }
    const folder = (0, import_node_path3.dirname)(path);
    const answer = await currentAnswer(folder, settings, async () => {
      const { exchangeAgain: exchangeAgain2 } = await Promise.resolve().then(() => (init_exchange_again(), exchange_again_exports));
      return exchangeAgain2(settings, (0, import_node_path3.join)((0, import_node_path3.dirname)(folder), "leases"));
    });
    process.stdout.write(`${JSON.stringify(answer)}
`);
  } catch (thrown) {
    fail(settings, thrown);
  }
}
function fail(settings, thrown) {
  const { code, message } = thrown instanceof RefreshError ? thrown : ofSystem(thrown);
  if (settings?.asker === "google") {
    process.stdout.write(`${JSON.stringify({ version: 1, success: false, code, message })}
`);
    return;
  }
  process.stderr.write(`Daypass: ${code}: ${message}
`);
  process.exitCode = 1;
}
function ofSystem(thrown) {
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  if (code.startsWith("E")) {
    return new RefreshError("runner_disk", `The folder of this credential cannot be read or written (${code}).`);
  }
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  return new RefreshError("unexpected", `Fetching this credential failed with ${kind}. Please report this.`);
}
function readSettings(path) {
  const read = readKept(path);
  const { asker, grant, broker, audience, ttl, renewBelowMs } = read ?? {};
  if (asker !== "aws" && asker !== "google") return null;
  if (typeof grant !== "string" || typeof broker !== "string" || typeof audience !== "string") return null;
  if (typeof renewBelowMs !== "number" || ttl !== void 0 && typeof ttl !== "string") return null;
  return { asker, grant, broker, audience, renewBelowMs, ...ttl !== void 0 && { ttl } };
}
void main(process.argv[2] ?? "");

"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
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
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// part:failed
var failed_exports = {};
__export(failed_exports, {
  intercepted: () => intercepted,
  noIdTokenEndpoint: () => noIdTokenEndpoint,
  notSealed: () => notSealed,
  proxyRefused: () => proxyRefused,
  refusalIn: () => refusalIn,
  reportFailure: () => reportFailure,
  revocationIn: () => revocationIn,
  unreachable: () => unreachable,
  whyFailed: () => whyFailed
});
module.exports = __toCommonJS(failed_exports);

// advice.ts
var import_escape = require("./main.js");
var CODES_PAGE = "https://github.com/daypass/daypass/blob/main/docs/codes.md";
var pageOf = (code) => `${CODES_PAGE}#${code}`;
var changeFor = ({ change, code }) => change ?? advice(code);
function sentencesOf(failure) {
  const { help, requestId } = failure;
  return [
    (0, import_escape.messageForLog)(failure.message),
    (0, import_escape.messageForLog)(changeFor(failure)),
    ...help ? [`Help: ${help.text === void 0 ? "" : `${(0, import_escape.forLog)(help.text)} `}${help.url}`] : [],
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

// report.ts
var import_escape3 = require("./main.js");

// failed-summary.ts
var import_escape2 = require("./main.js");
var import_summary = require("./delivery.js");
function failedSummary(failure) {
  const { code, requestId, help, message } = failure;
  const [first = "", ...more] = message.split(/(?<=[.!?]) (?=[A-Z.])/);
  const denied = failure.trace === void 0 ? null : denialHeading(failure.trace);
  const outcome = code === "not_allowed" || code === "policy_invalid" ? "Denied" : "Failed";
  const heading = denied ?? `${outcome}: ${first.replace(/\.$/, "")}`;
  const rest = denied === null ? more.join(" ") : "";
  const request = requestId === void 0 ? "" : `, request ${(0, import_escape2.forMarkdown)(requestId)}`;
  return (0, import_summary.withinSizeLimit)([
    `### ${(0, import_escape2.messageForMarkdown)(heading)}`,
    "",
    `[${code}](${pageOf(code)})${request}`,
    ...rest === "" ? [] : ["", (0, import_escape2.messageForMarkdown)(rest)],
    "",
    `**What to change:** ${(0, import_escape2.messageForMarkdown)(changeFor(failure))}`,
    ...help ? ["", `**Who helps:** [${(0, import_escape2.forMarkdown)(help.text ?? help.url)}](<${help.url}>)`] : [],
    ...(failure.trace?.notes ?? []).flatMap((note) => ["", `Note: ${(0, import_escape2.forMarkdown)(note)}`]),
    ...(failure.trace?.grants ?? []).flatMap(grantSection)
  ]);
}
function grantSection(grant) {
  const verdict = grant.outcome === "allow" ? "allowed" : "denied";
  const heading = ["", `#### ${(0, import_escape2.forMarkdown)(grant.name)}: ${verdict}`, "", (0, import_escape2.messageForMarkdown)(grant.reason)];
  const rows = grant.rules.flatMap((rule) => {
    const name = `${rule.kind} ${(0, import_escape2.forMarkdown)(rule.name)}`;
    const place = `${(0, import_escape2.forMarkdown)(rule.file)}:${rule.line}`;
    if (rule.conditions.length === 0) return [[name, place, "", "", "", yesOrNo(rule, rule.matched)]];
    return rule.conditions.map(({ claim, expected, actual, matched }) => [
      name,
      place,
      (0, import_escape2.forMarkdown)(claim),
      (0, import_escape2.forMarkdown)(expected),
      orMissing(actual),
      yesOrNo(rule, matched)
    ]);
  });
  const rules = rows.length === 0 ? [] : ["", ...(0, import_summary.table)(["rule", "file", "claim", "expected", "actual", "matches"], rows)];
  const refusals = refusalRows(grant.boundaries ?? []);
  const ceiling = refusals.length === 0 ? [] : ["", ...(0, import_summary.table)(["boundary", "file", "about", "expected", "actual"], refusals)];
  return [...heading, ...rules, ...ceiling];
}
function refusalRows(boundaries) {
  const isAllowed = boundaries.some(({ allows }) => allows);
  return boundaries.flatMap(({ name, file, line, conditions, required, fields, environment }) => {
    const start = [(0, import_escape2.forMarkdown)(name), `${(0, import_escape2.forMarkdown)(file)}:${line}`];
    const claims = [...isAllowed ? [] : conditions, ...required].filter(({ matched }) => !matched);
    return [
      ...claims.map(({ claim, expected, actual }) => [
        `claim ${(0, import_escape2.forMarkdown)(claim)}`,
        (0, import_escape2.forMarkdown)(expected),
        orMissing(actual)
      ]),
      ...(isAllowed ? [] : fields).map(({ field, expected, actual }) => [
        `the grant's ${(0, import_escape2.forMarkdown)(field)}`,
        (0, import_escape2.forMarkdown)(expected),
        orMissing(actual)
      ]),
      ...environment.map((todo) => ["the environment", (0, import_escape2.forMarkdown)(todo), ""])
    ].map((cells) => [...start, ...cells]);
  });
}
var orMissing = (actual) => actual === null ? "*missing*" : (0, import_escape2.forMarkdown)(actual);
function yesOrNo(rule, matched) {
  const against = rule.kind === "allow" ? !matched : matched && rule.matched;
  const word = matched ? "yes" : "no";
  return against ? `**${word}**` : word;
}

// report.ts
var import_failure = require("./main.js");
var import_runner = require("./main.js");
function reportFailure(thrown) {
  const failure = (0, import_failure.toFailure)(thrown);
  if (failure.trace) for (const line of traceLines(failure.trace)) (0, import_runner.info)(line);
  (0, import_runner.fail)(`Daypass: ${failure.code}`, sentencesOf(failure), ownPolicyLine(failure.trace, failure.message));
  (0, import_runner.appendSummary)(failedSummary(failure));
}
function traceLines(trace) {
  const { repository, environment } = trace.subject;
  const where = environment === null ? "no environment" : `environment ${(0, import_escape3.forLog)(environment)}`;
  return [
    `Decision for ${(0, import_escape3.forLog)(repository)}, ${where}:`,
    ...trace.notes.map((note) => `- note: ${(0, import_escape3.forLog)(note)}`),
    ...trace.grants.flatMap((grant) => [
      `- grant ${(0, import_escape3.forLog)(grant.name)}: ${grant.outcome}: ${(0, import_escape3.forLog)(grant.reason)}`,
      ...grant.rules.flatMap((rule) => [
        `  - ${rule.kind} "${(0, import_escape3.forLog)(rule.name)}" (${(0, import_escape3.forLog)(rule.file)}:${rule.line}) ${rule.matched ? "matches" : "does not match"}`,
        ...rule.conditions.map((condition) => {
          const actual = condition.actual === null ? "has no such claim" : `has ${(0, import_escape3.forLog)(condition.actual)}`;
          const outcome = condition.matched ? "matches" : "does not match";
          return `    - claim ${(0, import_escape3.forLog)(condition.claim)} ${outcome}: expected ${(0, import_escape3.forLog)(condition.expected)}, the token ${actual}`;
        })
      ])
    ])
  ];
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

// refusal.ts
var import_exchange = require("./main.js");
var import_failure3 = require("./main.js");
var import_http = require("./main.js");
var import_json3 = require("./main.js");

// problem.ts
var import_json2 = require("./main.js");

// trace.ts
var import_json = require("./main.js");
var MAX_TEXT_CHARACTERS = 2e3;
var MAX_LIST = 200;
function readTrace(value) {
  const grants = (0, import_json.memberOf)(value, "grants");
  if (!Array.isArray(grants)) return null;
  const subject = (0, import_json.memberOf)(value, "subject");
  const environment = (0, import_json.memberOf)(subject, "environment");
  return {
    subject: {
      issuer: readText((0, import_json.memberOf)(subject, "issuer")),
      repository: readText((0, import_json.memberOf)(subject, "repository")),
      repository_id: readText((0, import_json.memberOf)(subject, "repository_id")),
      environment: typeof environment === "string" ? readText(environment) : null
    },
    policies: readList((0, import_json.memberOf)(value, "policies")).map(readText),
    notes: readList((0, import_json.memberOf)(value, "notes")).map(readText),
    grants: readList(grants).map(readGrantTrace)
  };
}
function readGrantTrace(value) {
  const change = (0, import_json.memberOf)(value, "change");
  return {
    name: readText((0, import_json.memberOf)(value, "name")),
    outcome: (0, import_json.memberOf)(value, "outcome") === "allow" ? "allow" : "deny",
    reason: readText((0, import_json.memberOf)(value, "reason")),
    ...typeof change === "string" && { change: readText(change) },
    rules: readList((0, import_json.memberOf)(value, "rules")).map(readRuleTrace),
    boundaries: readList((0, import_json.memberOf)(value, "boundaries")).map(readBoundaryTrace)
  };
}
function readRuleTrace(value) {
  return {
    kind: (0, import_json.memberOf)(value, "kind") === "allow" ? "allow" : "deny",
    name: readText((0, import_json.memberOf)(value, "name")),
    file: readText((0, import_json.memberOf)(value, "file")),
    line: readLine((0, import_json.memberOf)(value, "line")),
    matched: (0, import_json.memberOf)(value, "matched") === true,
    conditions: readList((0, import_json.memberOf)(value, "conditions")).map(readConditionTrace)
  };
}
function readBoundaryTrace(value) {
  return {
    name: readText((0, import_json.memberOf)(value, "name")),
    file: readText((0, import_json.memberOf)(value, "file")),
    line: readLine((0, import_json.memberOf)(value, "line")),
    matched: (0, import_json.memberOf)(value, "matched") === true,
    allows: (0, import_json.memberOf)(value, "allows") === true,
    conditions: readList((0, import_json.memberOf)(value, "conditions")).map(readConditionTrace),
    required: readList((0, import_json.memberOf)(value, "required")).map(readConditionTrace),
    fields: readList((0, import_json.memberOf)(value, "fields")).map(readFieldTrace),
    environment: readList((0, import_json.memberOf)(value, "environment")).map(readText)
  };
}
function readFieldTrace(value) {
  const actual = (0, import_json.memberOf)(value, "actual");
  return {
    field: readText((0, import_json.memberOf)(value, "field")),
    expected: readText((0, import_json.memberOf)(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null
  };
}
function readConditionTrace(value) {
  const actual = (0, import_json.memberOf)(value, "actual");
  return {
    claim: readText((0, import_json.memberOf)(value, "claim")),
    expected: readText((0, import_json.memberOf)(value, "expected")),
    actual: typeof actual === "string" ? readText(actual) : null,
    matched: (0, import_json.memberOf)(value, "matched") === true
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

// problem.ts
var HELP_URL = /^https?:\/\/[A-Za-z0-9._~:/[\]-]{1,300}$/;
function readProblem(document) {
  const code = (0, import_json2.memberOf)(document, "code");
  const requestId = (0, import_json2.memberOf)(document, "request_id");
  if (typeof code !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(code)) return null;
  const trace = readTrace((0, import_json2.memberOf)(document, "trace"));
  const help = readHelp((0, import_json2.memberOf)(document, "help"));
  return {
    code,
    detail: readText((0, import_json2.memberOf)(document, "detail")),
    request_id: typeof requestId === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(requestId) ? requestId : "",
    ...trace && { trace },
    ...help && { help }
  };
}
function readHelp(value) {
  const url = (0, import_json2.memberOf)(value, "url");
  if (typeof url !== "string" || !HELP_URL.test(url) || !URL.canParse(url)) return null;
  const text = readText((0, import_json2.memberOf)(value, "text"));
  return { url, ...text !== "" && { text } };
}

// proxy.ts
var import_failure2 = require("./main.js");
function proxyRefused({ fault, proxy, status, retry }, to) {
  const how = fault === "proxy-down" ? "cannot be reached" : status === void 0 ? "ended the connection" : `answered HTTP ${status}`;
  const why = status === 407 ? ", because it wants a user and a password" : "";
  const message = `The proxy ${proxy} of this runner ${how}${why}, so there is no connection to ${to}.`;
  return new import_failure2.ActionError("proxy_refused", message, retry && { retry });
}

// refusal.ts
function refusalIn(broker, reply) {
  const problem = reply.mediaType === import_exchange.MEDIA_TYPE_PROBLEM ? readProblem((0, import_json3.parseJson)(reply.body)) : null;
  const retry = retryOf(reply, problem?.code);
  if (problem === null) return unexpectedReply(broker, reply, retry);
  if (problem.code === "request_malformed" && UNKNOWN_MEMBER.test(problem.detail)) {
    const message = `The broker at ${broker} is older than this action: it does not know all members of the request.`;
    return new import_failure3.ActionError("broker_too_old", message);
  }
  const { trace, help } = problem;
  const denial = trace && denialOf(trace);
  return new import_failure3.ActionError(knownCode(problem.code), denial?.message ?? problemMessage(problem), {
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
function unreachable(broker, failure) {
  if (failure.proxy !== void 0) return proxyRefused(failure, `the broker at ${broker}`);
  const [code, what] = TRANSPORT[failure.fault];
  return new import_failure3.ActionError(code, `The broker at ${broker} ${what}.`, {
    ...failure.retry && { retry: failure.retry },
    undecided: UNDECIDED_FAULTS.has(failure.fault)
  });
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
function notSealed(broker, reply) {
  if (reply.mediaType !== "application/json") return intercepted(broker, reply);
  const message = `The broker at ${broker} did not encrypt its answer to the job's key.`;
  return new import_failure3.ActionError("answer_not_sealed", message, { undecided: true });
}
function unexpectedReply(broker, reply, retry) {
  const { status } = reply;
  if (status === 404 || status === 405) {
    return new import_failure3.ActionError(
      "broker_too_old",
      `The server at ${broker} is not a Daypass broker, or an older one (HTTP ${status}).`
    );
  }
  if (status < 500 && status !== 429) return intercepted(broker, reply);
  const message = `The broker at ${broker}, or a proxy in front of it, answered HTTP ${status} without an error code.`;
  return new import_failure3.ActionError("broker_failing", message, { ...retry && { retry }, undecided: status >= 500 });
}
function intercepted(broker, reply) {
  const message = `Something other than the broker answered at ${broker}: HTTP ${reply.status} with ${(0, import_http.typeOf)(reply)}, as a portal or a proxy in between does.`;
  return new import_failure3.ActionError("broker_intercepted", message, { undecided: reply.status < 300 });
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

// http-fault.ts
var import_http_failure = require("./main.js");
var import_runner2 = require("./main.js");
function whyFailed(cause, url) {
  if (cause instanceof import_http_failure.HttpFailure) return cause;
  const proxy = proxyFailure(cause, url);
  if (proxy !== null) return proxy;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const fault = FAULTS[code];
  if (fault !== void 0) return new import_http_failure.HttpFailure(fault);
  if (TLS_CODE.test(code)) return new import_http_failure.HttpFailure("tls");
  if (code.startsWith("HPE_")) return new import_http_failure.HttpFailure("not-http");
  return new import_http_failure.HttpFailure("reset");
}
function proxyFailure(cause, url) {
  const environment = (0, import_runner2.proxyEnvironment)();
  const proxy = URL.parse(environment["https_proxy"] || environment["HTTPS_PROXY"] || "");
  if (url.protocol !== "https:" || proxy === null) return null;
  const { code, statusCode, hostname, address, port } = cause;
  if (code === "ERR_PROXY_TUNNEL") {
    return new import_http_failure.HttpFailure("proxy-refused", {
      proxy: proxy.host,
      ...typeof statusCode === "number" && { status: statusCode }
    });
  }
  const dialled = typeof address === "string" && (port ?? 0) === Number(proxy.port || DEFAULT_PORTS[proxy.protocol]);
  const isAmbiguous = Number(url.port || 443) === port && address !== proxy.hostname;
  if (hostname === proxy.hostname || dialled && !isAmbiguous)
    return new import_http_failure.HttpFailure("proxy-down", { proxy: proxy.host });
  return null;
}
var DEFAULT_PORTS = { "http:": 80, "https:": 443 };
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

// no-id-token.ts
var import_failure4 = require("./main.js");
var import_json4 = require("./main.js");
function noIdTokenEndpoint(job) {
  if (job.actor === "dependabot[bot]") {
    const message = "Dependabot started this run, and GitHub gives it an ID token only if the job itself asks for it.";
    return new import_failure4.ActionError("id_token_dependabot", message);
  }
  if (FORK_EVENTS.has(job.eventName) && comesFromFork(job.event)) {
    return new import_failure4.ActionError("id_token_fork", "This pull request comes from a fork, and GitHub gives it no ID token.");
  }
  return new import_failure4.ActionError("id_token_permission_missing", "This job has no permission to request an ID token.");
}
var FORK_EVENTS = /* @__PURE__ */ new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);
function comesFromFork(event) {
  const pullRequest = (0, import_json4.memberOf)(event, "pull_request");
  const head = (0, import_json4.memberOf)((0, import_json4.memberOf)(pullRequest, "head"), "repo");
  const base = (0, import_json4.memberOf)((0, import_json4.memberOf)(pullRequest, "base"), "repo");
  const headId = (0, import_json4.memberOf)(head, "id");
  const baseId = (0, import_json4.memberOf)(base, "id");
  if (headId !== void 0 && baseId !== void 0) return headId !== baseId;
  return (0, import_json4.memberOf)(head, "fork") === true || pullRequest !== void 0 && head === null;
}

// revocation-answer.ts
var import_answer = require("./delivery.js");
var import_failure5 = require("./main.js");
var import_json5 = require("./main.js");
function revocationIn(broker, reply) {
  const revocation = readRevocation((0, import_json5.parseJson)(reply.body));
  if (revocation !== null) return revocation;
  if (reply.mediaType !== "application/json") throw intercepted(broker, reply);
  throw new import_failure5.ActionError(
    "answer_unusable",
    `The answer of the broker at ${broker} does not say which credentials were revoked.`
  );
}
function readRevocation(answer) {
  const members = (0, import_json5.membersOf)((0, import_json5.memberOf)(answer, "credentials"));
  if (members === null || members.length > MAX_LIST) return null;
  const credentials = /* @__PURE__ */ Object.create(null);
  for (const [grant, ended] of members) {
    const outcome = (0, import_json5.memberOf)(ended, "outcome");
    const expiresAt = (0, import_json5.memberOf)(ended, "expires_at") ?? null;
    if (!isOutcome(outcome)) return null;
    if (!import_answer.NAME.test(grant) || expiresAt !== null && !(0, import_answer.isTime)(expiresAt)) return null;
    credentials[grant] = { outcome, expires_at: expiresAt };
  }
  const unknownUntil = (0, import_json5.memberOf)(answer, "unknown_until");
  if (unknownUntil !== void 0 && unknownUntil !== null && !(0, import_answer.isTime)(unknownUntil)) return null;
  return {
    credentials,
    ...unknownUntil !== void 0 && { unknown_until: unknownUntil },
    ...(0, import_json5.memberOf)(answer, "record_due") === true && { record_due: true }
  };
}
var OUTCOMES = /* @__PURE__ */ new Set(["revoked", "expires-only", "failed", "revoking"]);
var isOutcome = (value) => OUTCOMES.has(value);
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  intercepted,
  noIdTokenEndpoint,
  notSealed,
  proxyRefused,
  refusalIn,
  reportFailure,
  revocationIn,
  unreachable,
  whyFailed
});

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

// part:files
var files_exports = {};
__export(files_exports, {
  keptAnswer: () => keptAnswer,
  planFilesDelivery: () => planFilesDelivery
});
module.exports = __toCommonJS(files_exports);

// files/deliver.ts
var import_node_path6 = require("node:path");
var import_files = require("./delivery.js");
var import_outputs = require("./delivery.js");
var import_plan = require("./delivery.js");
var import_failure4 = require("./main.js");
var import_runner = require("./main.js");

// files/aws.ts
var import_node_path2 = require("node:path");
var import_aws_session2 = require("./delivery.js");
var import_failure2 = require("./main.js");

// files/command-line.ts
var PLAIN = /^[A-Za-z0-9_./:@%+,=-]+$/;
var PLAIN_ON_WINDOWS = /^[A-Za-z0-9_./:\\@+~-]+$/;
var PLAIN_WITHOUT_SHELL = /^[A-Za-z0-9_./:@%+,=~-]+$/;
var NOT_IN_SINGLE_QUOTES = /['\\\p{Cc}]|\s[#;]/u;
var NOT_IN_DOUBLE_QUOTES = /["%\p{Cc}]|\s[#;]/u;
function commandLine(parts, platform) {
  const isWindows = platform === "win32";
  const isPlain = (part) => (isWindows ? PLAIN_ON_WINDOWS : PLAIN).test(part);
  if (parts.every(isPlain)) return parts.join(" ");
  if (isWindows && !isPlain(parts[0] ?? "")) return null;
  if (parts.some((part) => (isWindows ? NOT_IN_DOUBLE_QUOTES : NOT_IN_SINGLE_QUOTES).test(part))) return null;
  const quote = isWindows ? '"' : "'";
  return parts.map((part) => isPlain(part) ? part : `${quote}${part}${quote}`).join(" ");
}
function commandLineWithoutQuotes(parts, platform) {
  const spelled = platform === "win32" ? parts.map((part) => part.replaceAll("\\", "/")) : parts;
  return spelled.every((part) => PLAIN_WITHOUT_SHELL.test(part)) ? spelled.join(" ") : null;
}

// files/planned.ts
var NOTHING = {
  files: [],
  variables: /* @__PURE__ */ new Map(),
  rest: /* @__PURE__ */ new Map(),
  places: /* @__PURE__ */ new Map(),
  notes: [],
  warnings: []
};
var ownerFile = (path, text) => ({ path, bytes: Buffer.from(text), mode: 384 });
var amongThem = (names, environment) => names.filter((name) => (environment[name] ?? "") !== "");
var listed = (names) => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

// files/renewable.ts
var import_node_path = require("node:path");
var import_aws_session = require("./delivery.js");
var import_failure = require("./main.js");
var import_federated = require("./delivery.js");
var refreshFolder = (folder) => (0, import_node_path.join)(folder, ".refresh");
var leasesFile = (folder) => (0, import_node_path.join)(refreshFolder(folder), "leases");
var AWS_RENEW_BELOW_MS = 16 * 6e4;
var GOOGLE_RENEW_BELOW_MS = 1e5;
var GOOGLE_PRINCIPAL_RENEW_BELOW_MS = 24e4;
function planRenewable(credential, asker, folder, { broker, audience, ttl }) {
  const own = (0, import_node_path.join)(refreshFolder(folder), `grant-${credential.grant}`);
  const settings = {
    asker,
    grant: credential.grant,
    broker,
    audience,
    ...ttl !== void 0 && { ttl },
    renewBelowMs: renewBelowMs(asker, credential)
  };
  const file = (name, value) => ({
    path: (0, import_node_path.join)(own, name),
    bytes: Buffer.from(JSON.stringify(value)),
    mode: 384
  });
  return {
    path: (0, import_node_path.join)(own, "settings.json"),
    files: [file("settings.json", settings), file("kept.json", keptAnswer(asker, credential))]
  };
}
function renewBelowMs(asker, { values }) {
  if (asker === "aws") return AWS_RENEW_BELOW_MS;
  const impersonates = values.some(({ name }) => name === "impersonation-url");
  return impersonates ? GOOGLE_RENEW_BELOW_MS : GOOGLE_PRINCIPAL_RENEW_BELOW_MS;
}
function keptAnswer(asker, credential) {
  const receivedAt = Date.now();
  if (asker === "aws") {
    const { Token: SessionToken, ...session } = (0, import_aws_session.readSession)(credential);
    const expiresAt2 = Date.parse(session.Expiration);
    return { receivedAt, expiresAt: expiresAt2, answer: { Version: 1, ...session, SessionToken } };
  }
  const token = (0, import_federated.requiredValue)(credential, "federated-token");
  const expiresAt = Date.parse(credential.expiresAt ?? "");
  if (Number.isNaN(expiresAt)) {
    const message = `The broker's answer cannot be used: the federated token of ${credential.grant} has no end.`;
    throw new import_failure.ActionError("answer_unusable", message);
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
function valueNamed({ values }, name) {
  return values.find((value) => value.name === name)?.value ?? "";
}

// files/aws.ts
var RENEWED_FROM_MS = 29 * 6e4;
var KEY = /^[\x21-\x7e]+$/;
var REGION = /^[a-z0-9-]{1,64}$/;
var RIVALS = ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"];
var PROFILE_VARIABLES = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
var REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"];
var FILE_VARIABLES = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
function planAwsFiles(credentials, context) {
  const sessions = credentials.filter(({ format }) => format === "aws-session");
  if (sessions.length === 0) return NOTHING;
  const profiles = sessions.map((session) => planProfile(session, context));
  const [only2] = sessions.length === 1 ? sessions : [];
  const at = (name) => (0, import_node_path2.join)(context.folder, "aws", name);
  return {
    files: [
      ownerFile(at("config"), profiles.map(({ config }) => config).join("\n")),
      ownerFile(at("credentials"), profiles.flatMap(({ keys }) => keys ?? []).join("\n")),
      ...profiles.flatMap(({ files }) => files)
    ],
    variables: new Map([
      ["AWS_CONFIG_FILE", at("config")],
      ["AWS_SHARED_CREDENTIALS_FILE", at("credentials")],
      // SDKs for Go of version 1 and for JavaScript of version 2 read the configuration file only then.
      ["AWS_SDK_LOAD_CONFIG", "1"],
      // botocore reads the older name first, and JavaScript's SDK knows only the newer one.
      ...only2 === void 0 ? [] : PROFILE_VARIABLES.map((name) => [name, only2.grant])
    ]),
    rest: new Map(sessions.map((session) => [session.grant, withoutSession(session, sessions.length > 1)])),
    places: new Map(
      profiles.map(({ grant, fixed }) => [
        grant,
        [`the profile ${grant} in aws/config${fixed === null ? ` (fetched again before it ends)` : ""}`]
      ])
    ),
    notes: notesOf(profiles, only2),
    warnings: warningsOf(profiles, only2, context.environment)
  };
}
function planProfile(credential, context) {
  const { grant } = credential;
  const session = (0, import_aws_session2.readSession)(credential);
  const region = valueNamed(credential, "region");
  const renewable = planRenewable(credential, "aws", context.folder, context.inputs);
  const command = commandLine([context.node, context.helper, renewable.path], context.platform);
  const isShort = Date.parse(session.Expiration) - Date.now() < RENEWED_FROM_MS;
  const fixed = isShort ? "short" : command === null ? "path" : null;
  const lines = [
    `[profile ${grant}]`,
    ...fixed === null ? [`credential_process = ${command}`] : [],
    ...REGION.test(region) ? [`region = ${region}`] : [],
    ""
  ];
  return {
    grant,
    config: lines.join("\n"),
    keys: fixed === null ? null : keysOf(grant, session),
    files: fixed === null ? renewable.files : [],
    fixed
  };
}
function keysOf(grant, { AccessKeyId, SecretAccessKey, Token }) {
  if (![AccessKeyId, SecretAccessKey, Token].every((text) => KEY.test(text))) {
    throw new import_failure2.ActionError("delivery_refused", `The session of ${grant} has characters that no AWS key has.`);
  }
  return [
    `[${grant}]`,
    `aws_access_key_id = ${AccessKeyId}`,
    `aws_secret_access_key = ${SecretAccessKey}`,
    `aws_session_token = ${Token}`,
    ""
  ].join("\n");
}
function withoutSession(credential, isOneOfSeveral) {
  const isKept2 = ({ name, env }) => !import_aws_session2.SESSION_VALUES.has(name) && env !== void 0 && !(isOneOfSeveral && REGION_VARIABLES.includes(env));
  return { ...credential, values: credential.values.filter(isKept2) };
}
function notesOf(profiles, only2) {
  const named = (wanted) => profiles.filter(({ fixed }) => fixed === wanted).map(({ grant }) => grant);
  const [renewed, short, path] = [named(null), named("short"), named("path")];
  const names = profiles.map(({ grant }) => grant);
  return [
    only2 === void 0 ? `AWS programs of later steps choose one of the profiles ${listed(names)}, for example with AWS_PROFILE.` : `AWS programs of later steps use the profile ${only2.grant}.`,
    "AWS programs of later steps do not read ~/.aws: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name files of this step.",
    ...renewed.length === 0 ? [] : [
      `AWS programs of later steps fetch ${listed(renewed)} again before a session ends. The log cannot mask what they fetch. Actions that run in Docker cannot fetch, because this runner's Node is not there.`
    ],
    ...short.length === 0 ? [] : [
      `AWS programs of later steps do not fetch ${listed(short)} again: the session lives less than 30 minutes. Give the grant a ttl of 30m or more, or use the input \`run\`.`
    ],
    ...path.length === 0 ? [] : [
      `AWS programs of later steps do not fetch ${listed(path)} again: the path of this runner's folders or of its Node has characters that AWS's SDKs read differently.`
    ]
  ];
}
function warningsOf(profiles, only2, environment) {
  const names = profiles.map(({ grant }) => grant);
  const rivals = amongThem(RIVALS, environment);
  const profile = only2 === void 0 ? amongThem(PROFILE_VARIABLES, environment) : [];
  const region = only2 === void 0 ? amongThem(REGION_VARIABLES, environment) : [];
  const replaced = amongThem(FILE_VARIABLES, environment);
  return [
    ...rivals.length === 0 ? [] : [
      `This job has ${listed(rivals)}. Most AWS SDKs take credentials from there, and not from the profile ${listed(names)}. Remove it from the job.`
    ],
    ...profile.length === 0 ? [] : [
      `This job has ${listed(profile)}, which selects a profile that is not ${names.join(" or ")}. Remove it, or set it in each step.`
    ],
    ...region.length === 0 ? [] : [`This job has ${listed(region)}, which AWS's SDKs use in place of the region of each profile.`],
    ...replaced.length === 0 ? [] : [`${listed(replaced)} of this job is replaced: later steps do not find the profiles of that file.`]
  ];
}

// files/azure.ts
var import_node_path3 = require("node:path");
var import_federated2 = require("./delivery.js");
var VARIABLES = /* @__PURE__ */ new Map([
  ["tenant-id", "AZURE_TENANT_ID"],
  ["client-id", "AZURE_CLIENT_ID"],
  ["authority-host", "AZURE_AUTHORITY_HOST"]
]);
var TOKEN_VALUES = /* @__PURE__ */ new Set(["federated-token", "federated-token-file"]);
function planAzureFiles(credentials, { folder }) {
  const federated = credentials.filter(({ format }) => format === "azure-federated");
  if (federated.length === 0) return NOTHING;
  const path = ({ grant }) => (0, import_node_path3.join)(folder, "azure", `${grant}.token`);
  const [only2] = federated.length === 1 ? federated : [];
  const grants = federated.map(({ grant }) => grant);
  return {
    files: federated.map((credential) => ownerFile(path(credential), (0, import_federated2.requiredValue)(credential, "federated-token"))),
    variables: only2 === void 0 ? /* @__PURE__ */ new Map() : new Map([...variablesOf(only2), ...tokenVariables(path(only2))]),
    rest: new Map(
      federated.map((credential) => [
        credential.grant,
        { ...credential, values: credential.values.filter((value) => isKept(value, only2 !== void 0)) }
      ])
    ),
    places: new Map(grants.map((grant) => [grant, [`azure/${grant}.token`]])),
    notes: [
      ...only2 === void 0 ? [`Azure's programs need AZURE_FEDERATED_TOKEN_FILE: there are several files in azure/.`] : [],
      `The federated token of ${listed(grants)} is not fetched again between steps. A login with it must happen before it ends. For longer work, use the input \`run\`.`
    ],
    warnings: []
  };
}
var tokenVariables = (path) => [
  ["AZURE_FEDERATED_TOKEN_FILE", path],
  ["ARM_OIDC_TOKEN_FILE_PATH", path]
];
var variablesOf = (credential) => [...VARIABLES].flatMap(([name, variable]) => {
  const value = valueNamed(credential, name);
  return value === "" ? [] : [[variable, value]];
});
function isKept({ name, env, secret }, isOnly) {
  return isOnly && !secret && env !== void 0 && !TOKEN_VALUES.has(name) && !VARIABLES.has(name);
}

// files/google.ts
var import_node_path4 = require("node:path");
var import_federated3 = require("./delivery.js");
var FEDERATED_VALUES = /* @__PURE__ */ new Set([
  "federated-token",
  "audience",
  "token-url",
  "impersonation-url",
  "impersonation-seconds"
]);
var EXECUTABLE_TIMEOUT_MS = 6e4;
var GCLOUD_TOKEN_VARIABLE = "CLOUDSDK_AUTH_ACCESS_TOKEN";
var RIVALS2 = ["GOOGLE_OAUTH_ACCESS_TOKEN", GCLOUD_TOKEN_VARIABLE, "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"];
function planGoogleFiles(credentials, context) {
  const federated = credentials.filter(({ format }) => format === "google-federated");
  const tokens = credentials.filter(({ values }) => values.some(({ env }) => env === GCLOUD_TOKEN_VARIABLE));
  if (federated.length + tokens.length === 0) return NOTHING;
  const plans = federated.map((credential) => planFederated(credential, context));
  const [only2] = plans.length === 1 ? plans : [];
  const fixed = plans.filter(({ isRenewed }) => !isRenewed).map(({ grant }) => grant);
  const several = plans.length > 1;
  return {
    files: [...plans.flatMap(({ files }) => files), ...tokens.map((token) => accessTokenFile(token, context))],
    variables: new Map([
      ...only2 === void 0 ? [] : variablesOf2(only2),
      ...tokens.length === 1 ? tokens.map((token) => [`${GCLOUD_TOKEN_VARIABLE}_FILE`, accessTokenFile(token, context).path]) : []
    ]),
    rest: new Map(federated.map((credential) => [credential.grant, withoutToken(credential, several)])),
    places: new Map([
      ...tokens.map(({ grant }) => [grant, [`google/${grant}.access-token`]]),
      ...federated.map(({ grant }) => [grant, [`google/${grant}.json`]])
    ]),
    notes: [
      ...several ? [`Google's programs need GOOGLE_APPLICATION_CREDENTIALS: there are several files in google/.`] : [],
      ...plans.length > fixed.length ? [
        "Google's programs of later steps fetch a federated token again when they need one. Actions that run in Docker cannot fetch, because this runner's Node is not there."
      ] : [],
      ...fixed.map(
        (grant) => `The federated token of ${grant} is not fetched again: the path of this runner's folders or of its Node has a blank or a special character, and Google's libraries for Go would split the command there.`
      ),
      ...tokens.map(
        ({ grant }) => `The access token of ${grant} is for gcloud and programs that take one. Programs with Application Default Credentials need \`hand_over: federated-token\` in the policy.`
      )
    ],
    warnings: rivalWarnings(plans.length > 0, context)
  };
}
function planFederated(credential, context) {
  const { grant } = credential;
  const at = (name) => (0, import_node_path4.join)(context.folder, "google", `${grant}${name}`);
  const renewable = planRenewable(credential, "google", context.folder, context.inputs);
  const command = commandLineWithoutQuotes([context.node, context.helper, renewable.path], context.platform);
  const token = ownerFile(at(".token"), (0, import_federated3.requiredValue)(credential, "federated-token"));
  const plain = (name) => ownerFile(at(name), (0, import_federated3.externalAccount)(credential, { file: token.path }));
  if (command === null) return { grant, path: at(".json"), isRenewed: false, files: [token, plain(".json")] };
  const executable = { command, timeout_millis: EXECUTABLE_TIMEOUT_MS };
  const renewed = ownerFile(at(".json"), (0, import_federated3.externalAccount)(credential, { executable }));
  return { grant, path: at(".json"), isRenewed: true, files: [...renewable.files, token, renewed, plain(".file.json")] };
}
function variablesOf2({ path, isRenewed }) {
  return [
    ["GOOGLE_APPLICATION_CREDENTIALS", path],
    ["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", path],
    ...isRenewed ? [["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1"]] : []
  ];
}
function withoutToken(credential, isOneOfSeveral) {
  const isKept2 = ({ name, env }) => !FEDERATED_VALUES.has(name) && env !== void 0 && !isOneOfSeveral;
  return { ...credential, values: credential.values.filter(isKept2) };
}
function accessTokenFile({ grant, values }, { folder }) {
  const token = values.find(({ env }) => env === GCLOUD_TOKEN_VARIABLE)?.value ?? "";
  return ownerFile((0, import_node_path4.join)(folder, "google", `${grant}.access-token`), token);
}
function rivalWarnings(hasFederated, { environment }) {
  const rivals = hasFederated ? amongThem(RIVALS2, environment) : [];
  if (rivals.length === 0) return [];
  return [
    `This job has ${listed(rivals)}. Some of Google's programs use that token, and not this step's files. Remove it from the job.`
  ];
}

// files/values.ts
var import_node_path5 = require("node:path");
var import_aws_neighbours = require("./delivery.js");
var import_environment = require("./delivery.js");

// files/dotenv.ts
var import_failure3 = require("./main.js");
var PLAIN2 = /^[A-Za-z0-9_./:@%+,=-]*$/;
var NOT_IN_SINGLE_QUOTES2 = /['\r]|\\\\|\\$|\$\{/;
var NOT_IN_DOUBLE_QUOTES2 = /["$`\\\r!]/;
function writeDotenv(variables, ownerOf2) {
  const quoted = [];
  const lines = [...variables].map(([name, value]) => {
    const written = spell(value);
    if (written === null) {
      throw new import_failure3.ActionError(
        "delivery_refused",
        `The value of ${ownerOf2(name)} for ${name} has quotes, backslashes, \`\${\` or carriage returns that readers of values.env take differently.`,
        { change: `Deliver it as a file: add \`as: file\` to ${name} in the policy.` }
      );
    }
    if (written !== value) quoted.push(name);
    return `${name}=${written}
`;
  });
  return { text: lines.join(""), quoted };
}
function spell(value) {
  if (PLAIN2.test(value)) return value;
  if (!NOT_IN_SINGLE_QUOTES2.test(value)) return `'${value}'`;
  return NOT_IN_DOUBLE_QUOTES2.test(value) ? null : `"${value}"`;
}

// files/values.ts
function planValues(credentials, { folder }, withTool) {
  const written = credentials.map((one) => only(one, (value) => isForValues(value) && (value.secret || !withTool.has(one.grant)))).filter(hasValues);
  const inDotenv = (0, import_environment.planEnvironment)(written.map((one) => only(one, hasVariable)).filter(hasValues));
  const dotenv = writeDotenv(inDotenv, (variable) => ownerOf(variable, written));
  const toEnvironment = credentials.map((one) => only(one, isForEnvironment)).filter(hasValues);
  return {
    ...NOTHING,
    files: [
      ...inDotenv.size === 0 ? [] : [ownerFile((0, import_node_path5.join)(folder, "values.env"), dotenv.text)],
      ...written.length === 0 ? [] : [ownerFile((0, import_node_path5.join)(folder, "values.json"), asJson(written))]
    ],
    variables: (0, import_environment.planEnvironment)(toEnvironment),
    places: new Map(
      credentials.map(({ grant }) => {
        const [inFiles, inEnvironment] = [written, toEnvironment].map(
          (list) => list.find((one) => one.grant === grant)?.values ?? []
        );
        const files = [
          ...inFiles?.some(hasVariable) ? ["values.env"] : [],
          ...inFiles?.length ? ["values.json"] : []
        ];
        return [grant, [...files, ...inEnvironment?.flatMap(({ env }) => env ?? []) ?? []]];
      })
    ),
    notes: quotedNotes(dotenv.quoted)
  };
}
var isForEnvironment = ({ env, secret }) => env !== void 0 && !secret && env !== import_aws_neighbours.AWS_KEY_VARIABLE;
var isForValues = ({ env, file, logins }) => file === void 0 && (logins === void 0 || env !== void 0);
var hasVariable = ({ env }) => env !== void 0;
var hasValues = ({ values }) => values.length > 0;
var only = (credential, isWanted) => ({
  ...credential,
  values: credential.values.filter(isWanted)
});
var ownerOf = (variable, credentials) => credentials.find(({ values }) => values.some(({ env }) => env === variable))?.grant ?? "";
function asJson(credentials) {
  const byGrant = credentials.map(({ grant, values }) => [
    grant,
    Object.fromEntries(values.map(({ name, value }) => [name, value]))
  ]);
  return `${JSON.stringify(Object.fromEntries(byGrant), null, 2)}
`;
}
function quotedNotes(quoted) {
  if (quoted.length === 0) return [];
  const are = quoted.length === 1 ? "is" : "are";
  return [
    `In values.env, ${listed(quoted)} ${are} in quotes. Shells and dotenv libraries remove them; \`docker run --env-file\` does not.`
  ];
}

// files/deliver.ts
var TOOLS = [
  planAwsFiles,
  planGoogleFiles,
  planAzureFiles
];
function planFilesDelivery(received, context) {
  const folder = context.newFolder();
  const filesContext = {
    folder,
    inputs: context.inputs,
    environment: context.environment,
    platform: process.platform,
    node: process.execPath,
    helper: (0, import_node_path6.join)((0, import_runner.actionFolder)(), "refresh.js")
  };
  const tools = TOOLS.map((plan) => plan(received, filesContext));
  const rest = received.map(
    (credential) => tools.flatMap((tool) => tool.rest.get(credential.grant) ?? [])[0] ?? credential
  );
  const withTool = new Set(rest.filter((credential) => !received.includes(credential)).map(({ grant }) => grant));
  const single = (0, import_files.planFiles)(rest, (0, import_node_path6.join)(folder, "files"));
  const plans = [...tools, planValues(single.credentials, filesContext, withTool)];
  const needsLeases = plans.some(({ files }) => files.some(({ path }) => path.startsWith((0, import_node_path6.join)(folder, ".refresh"))));
  const leases = needsLeases ? [{ path: leasesFile(folder), bytes: Buffer.alloc(0), mode: 384 }] : [];
  return {
    folder,
    files: [...plans.flatMap(({ files }) => files), ...single.files, ...leases],
    variables: joined(plans),
    outputs: new Map([...(0, import_outputs.leaseOutputs)(context.lease), ["folder", folder]]),
    credentials: received,
    places: new Map(
      received.map(({ grant, values }) => [
        grant,
        [...plans.flatMap(({ places }) => places.get(grant) ?? []), ...values.flatMap(import_plan.loginsOf)]
      ])
    ),
    notes: plans.flatMap(({ notes }) => notes),
    warnings: plans.flatMap(({ warnings }) => warnings)
  };
}
function joined(plans) {
  const all = /* @__PURE__ */ new Map();
  const taken = /* @__PURE__ */ new Map();
  for (const [name, value] of plans.flatMap(({ variables }) => [...variables])) {
    const before = taken.get(name.toUpperCase());
    if (before !== void 0 && before !== value) {
      throw new import_failure4.ActionError(
        "delivery_refused",
        `Two grants set the variable ${name} to different values. Use two steps.`
      );
    }
    taken.set(name.toUpperCase(), value);
    all.set(name, value);
  }
  return all;
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  keptAnswer,
  planFilesDelivery
});

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

// part:tools
var tools_exports = {};
__export(tools_exports, {
  planJobTools: () => planJobTools,
  planTools: () => planTools
});
module.exports = __toCommonJS(tools_exports);

// ../broker/wire/tool-login.ts
var LOGIN_TOOLS = ["docker", "git", "kubeconfig", "netrc", "npmrc"];
var LOGIN_FIELDS = ["host", "user", "server", "certificate_authority", "namespace"];
var MAX_LOGINS = LOGIN_TOOLS.length;
var LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
var HOST = `${LABEL}(?:\\.${LABEL})*`;
var PORT = ":[1-9][0-9]{0,4}";
var machine = {
  shape: new RegExp(`^${HOST}$`),
  maxCharacters: 253,
  must: "host must be a host's name in lower case, without a port, such as git.example.com"
};
var hostAndPort = {
  shape: new RegExp(`^${HOST}(?:${PORT})?$`),
  maxCharacters: 260,
  must: "host must be a host's name in lower case, with a port if it needs one, such as registry.example.com:5000"
};
var registry = {
  shape: new RegExp(`^${HOST}(?:${PORT})?(?:/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])*$`),
  maxCharacters: 512,
  must: "host must be a registry's host with its path, without https:// and without a slash at the end, such as registry.npmjs.org"
};
var user = {
  // `$oauthtoken`, `robot$acme`, `acme+ci` and e-mail addresses are names that registries use.
  shape: /^[A-Za-z0-9_$][A-Za-z0-9._@+$/~-]*$/,
  maxCharacters: 256,
  must: "user must be a user's name of letters, digits and . _ @ + $ / ~ -"
};
var server = {
  shape: new RegExp(`^https://${HOST}(?:${PORT})?(?:/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])*$`),
  maxCharacters: 512,
  must: "server must be the https URL of an API server in lower case, without a slash at the end, such as https://cluster.example.com:6443"
};
var authority = {
  shape: /^(?:-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,76}\n){1,200}-----END CERTIFICATE-----\n?){1,10}$/,
  maxCharacters: 16384,
  must: "certificate_authority must be one to ten certificates in PEM, as a block of lines (|)"
};
var namespace = {
  shape: new RegExp(`^${LABEL}$`),
  maxCharacters: 63,
  must: "namespace must be the name of a Kubernetes namespace"
};
var bearer = {
  shape: /^[A-Za-z0-9._~+/-]+=*$/,
  must: "has a character that no bearer token has (RFC 6750): check for a line break or a blank"
};
var FORMS = {
  docker: {
    needs: { host: hostAndPort, user },
    may: {},
    // In base64, so that a key in JSON can be a password, too.
    value: { shape: /^\S(?:[^\0]*\S)?$/, must: "has a NUL, or a blank or a line break at one of its ends" }
  },
  git: {
    needs: { host: hostAndPort, user },
    may: {},
    value: {
      shape: /^[^\p{Cc}\s](?:[^\p{Cc}]*[^\p{Cc}\s])?$/u,
      must: "has a line break or another control character, or a blank at one of its ends"
    }
  },
  netrc: {
    needs: { host: machine, user },
    may: {},
    // Programs disagree about quotes, backslashes and comments in this file.
    value: { shape: /^[!$-&(-[\]-~]+$/, must: `has a blank, or one of " ' # \\, or a character that is not ASCII` }
  },
  npmrc: { needs: { host: registry }, may: {}, value: bearer },
  kubeconfig: {
    needs: { server },
    may: { certificate_authority: authority, namespace },
    value: bearer
  }
};
var isLoginTool = (name) => LOGIN_TOOLS.some((tool) => tool === name);
function readLogin(tool, parts) {
  const { needs, may } = FORMS[tool];
  const faults = LOGIN_FIELDS.flatMap((field) => {
    const text = parts[field];
    const form = needs[field] ?? may[field];
    if (text === void 0) return needs[field] ? [{ field, fault: `as: ${tool} needs ${field}` }] : [];
    if (form === void 0) return [{ field, fault: `as: ${tool} has no ${field}` }];
    return text.length <= form.maxCharacters && form.shape.test(text) && hasPort(text) ? [] : [{ field, fault: form.must }];
  });
  if (faults.length > 0) return { faults };
  const known = Object.fromEntries(LOGIN_FIELDS.flatMap((field) => parts[field] ? [[field, parts[field]]] : []));
  return { login: { tool, ...known } };
}
function loginValueFault(tool, value) {
  const { shape, must } = FORMS[tool].value;
  return shape.test(value) ? null : `${must}, so that ${tool} cannot log in with it`;
}
var targetOf = (login) => login.tool === "kubeconfig" ? login.server : login.host;
function hasPort(text) {
  const port = /:([0-9]+)(?:\/|$)/.exec(text)?.[1];
  return port === void 0 || Number(port) <= 65535;
}

// files/tools/docker.ts
var import_node_path = require("node:path");

// files/tools/login.ts
var import_failure = require("./main.js");
var import_json = require("./main.js");
var NOTHING = { files: [], variables: /* @__PURE__ */ new Map(), secrets: [], warnings: [] };
function readLogins(credentials) {
  return credentials.flatMap(({ grant, values }) => values.flatMap((value) => loginsOfValue(grant, value)));
}
function loginsOfValue(grant, { name, value, logins = [] }) {
  if (logins.length > MAX_LOGINS) throw unusable(`the value ${name} of ${grant} has more than ${MAX_LOGINS} logins`);
  const read2 = logins.map((login) => readLoginOf(`the value ${name} of ${grant}`, login));
  const twice = read2.find(({ tool }, index) => read2.findIndex((one) => one.tool === tool) !== index);
  if (twice !== void 0) throw unusable(`the value ${name} of ${grant} has two logins for ${twice.tool}`);
  for (const { tool } of read2) {
    const fault = loginValueFault(tool, value);
    if (fault !== null) throw unusable(`the value ${name} of ${grant} ${fault}`);
  }
  return read2.map((login) => ({ grant, name, value, login }));
}
function readLoginOf(ofWhat, login) {
  const tool = (0, import_json.memberOf)(login, "tool");
  if (!isLoginTool(tool))
    throw unusable(`${ofWhat} is for a tool that this version of the action does not know: update the action`);
  const parts = {};
  for (const field of LOGIN_FIELDS) {
    const text = (0, import_json.memberOf)(login, field);
    if (text === void 0) continue;
    if (typeof text !== "string") throw unusable(`${ofWhat} has a login for ${tool} whose ${field} is not a text`);
    parts[field] = text;
  }
  const read2 = readLogin(tool, parts);
  if (read2.login === void 0)
    throw unusable(
      `${ofWhat} has a login for ${tool} whose ${read2.faults[0]?.field} is missing, invalid or of another tool`
    );
  return read2.login;
}
var loginsOf = (logins, tool) => logins.filter((one) => one.login.tool === tool);
function loginsFor(logins, tool) {
  const byTarget = /* @__PURE__ */ new Map();
  for (const one of loginsOf(logins, tool)) {
    const target = targetOf(one.login);
    const first = byTarget.get(target);
    if (first !== void 0 && (first.value !== one.value || JSON.stringify(first.login) !== JSON.stringify(one.login)))
      throw refused(
        `Two values log ${tool} in at ${target}: ${first.grant} (${first.name}) and ${one.grant} (${one.name}). Use two steps, or take one of them.`
      );
    byTarget.set(target, first ?? one);
  }
  return [...byTarget.values()];
}
var homeOf = ({ environment, platform }) => environment[platform === "win32" ? "USERPROFILE" : "HOME"] ?? "";
var basicOf = (user2, password) => Buffer.from(`${user2}:${password}`, "utf8").toString("base64");
var secretFile = (path, text) => ({
  path,
  bytes: Buffer.from(text, "utf8"),
  mode: 384
});
var refused = (message) => new import_failure.ActionError("delivery_refused", message);
var unusable = (fault) => new import_failure.ActionError("answer_unusable", `The broker's answer cannot be used: ${fault}.`);

// files/tools/docker.ts
var HUB_KEY = "https://index.docker.io/v1/";
function planDocker(all, context) {
  const logins = loginsFor(all, "docker");
  if (logins.length === 0) return NOTHING;
  const { environment, own } = context;
  const before = environment["DOCKER_CONFIG"] || (0, import_node_path.join)(homeOf(context), ".docker");
  const folder = (0, import_node_path.join)(context.folder, "tools", "docker");
  const configuration = readConfiguration((0, import_node_path.join)(before, "config.json"), context);
  const plugins = (0, import_node_path.join)(before, "cli-plugins");
  const builders = (0, import_node_path.join)(before, "buildx");
  const auths = logins.map(({ login, value }) => [keyOf(login.host), basicOf(login.user, value)]);
  const written = {
    ...configuration,
    auths: {
      ...mapOf(configuration["auths"]),
      ...Object.fromEntries(auths.map(([key, auth]) => [key, { auth }]))
    },
    ...helpersFor(
      auths.map(([key]) => key),
      configuration
    ),
    ...own.exists(plugins) && { cliPluginsExtraDirs: [...listOf(configuration["cliPluginsExtraDirs"]), plugins] }
  };
  const contexts = own.below((0, import_node_path.join)(before, "contexts")).map(({ path, bytes }) => ({ path: (0, import_node_path.join)(folder, "contexts", path), bytes, mode: 384 }));
  return {
    files: [secretFile((0, import_node_path.join)(folder, "config.json"), `${JSON.stringify(written, null, 2)}
`), ...contexts],
    variables: new Map([
      ["DOCKER_CONFIG", folder],
      ...!environment["BUILDX_CONFIG"] && own.exists(builders) ? [["BUILDX_CONFIG", builders]] : []
    ]),
    secrets: auths.map(([, auth]) => auth),
    warnings: []
  };
}
var keyOf = (host) => ["docker.io", "index.docker.io"].includes(host) ? HUB_KEY : host;
function helpersFor(keys, configuration) {
  const others = Object.entries(mapOf(configuration["credHelpers"])).filter(([host]) => !keys.includes(host));
  const off = configuration["credsStore"] ? keys.map((key) => [key, ""]) : [];
  const helpers = [...others, ...off];
  return configuration["credHelpers"] === void 0 && helpers.length === 0 ? {} : { credHelpers: Object.fromEntries(helpers) };
}
function readConfiguration(path, { own }) {
  const text = own.text(path);
  if (text === null || text.trim() === "") return {};
  try {
    const parsed = JSON.parse(text);
    if (isMap(parsed)) return parsed;
  } catch {
  }
  throw refused(
    "The job's own Docker configuration (config.json) is not a JSON object, so no login can be added to it."
  );
}
var isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
var mapOf = (value) => isMap(value) ? value : {};
var listOf = (value) => Array.isArray(value) ? value : [];

// files/tools/git.ts
var import_node_path2 = require("node:path");
var MAX_PAIRS = 1e4;
function planGit(all, context) {
  const logins = loginsFor(all, "git");
  if (logins.length === 0) return NOTHING;
  const at = nextPair(context.environment);
  const folder = (0, import_node_path2.join)(context.folder, "tools", "git");
  const passwords = logins.map(
    ({ login, value }) => secretFile((0, import_node_path2.join)(folder, fileOf(login.host)), `username=${login.user}
password=${value}
`)
  );
  const configuration = (0, import_node_path2.join)(folder, "config");
  const sections = logins.map(({ login }) => sectionsFor(login.host, `GIT_CONFIG_VALUE_${at}`));
  return {
    files: [secretFile(configuration, sections.join("")), ...passwords],
    variables: /* @__PURE__ */ new Map([
      ["GIT_CONFIG_COUNT", String(at + 1)],
      [`GIT_CONFIG_KEY_${at}`, "include.path"],
      // The helper's shell takes the folder from it, also on Windows.
      [`GIT_CONFIG_VALUE_${at}`, context.platform === "win32" ? configuration.replaceAll("\\", "/") : configuration]
    ]),
    secrets: logins.map(({ login, value }) => basicOf(login.user, value)),
    warnings: []
  };
}
function sectionsFor(host, variable) {
  const helper = `!f() { test \\"$1\\" != get || cat \\"\${${variable}%/*}/${fileOf(host)}\\"; }; f`;
  return `[credential "https://${host}"]
	helper =
	helper = "${helper}"
[http "https://${host}/"]
	extraHeader =
[url "https://${host}/"]
	insteadOf = git@${withoutPort(host)}:
	insteadOf = ssh://git@${withoutPort(host)}/
`;
}
var fileOf = (host) => `login_${host.replace(":", "_")}`;
var withoutPort = (host) => host.replace(/:.*$/, "");
function nextPair(environment) {
  const count = environment["GIT_CONFIG_COUNT"] || "0";
  if (/^[0-9]{1,5}$/.test(count) && Number(count) <= MAX_PAIRS) return Number(count);
  throw refused("The job sets GIT_CONFIG_COUNT to what is not a number of settings, so no login can be added to them.");
}

// files/tools/kubeconfig.ts
var import_node_path3 = require("node:path");
function planKubeconfig(all, context) {
  const logins = loginsOf(all, "kubeconfig");
  const [first] = logins;
  if (first === void 0) return NOTHING;
  refuseSameNames(logins);
  const folder = (0, import_node_path3.join)(context.folder, "tools", "kube");
  const path = (0, import_node_path3.join)(folder, "config");
  const delimiter = context.platform === "win32" ? ";" : ":";
  const before = context.environment["KUBECONFIG"] || (0, import_node_path3.join)(homeOf(context), ".kube", "config");
  const configuration = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": nameOf(first),
    clusters: logins.map((one) => ({ name: nameOf(one), cluster: clusterOf(one.login) })),
    users: logins.map((one) => ({ name: nameOf(one), user: { tokenFile: tokenFileOf(one) } })),
    contexts: logins.map((one) => ({
      name: nameOf(one),
      context: {
        cluster: nameOf(one),
        user: nameOf(one),
        ...one.login.namespace !== void 0 && { namespace: one.login.namespace }
      }
    }))
  };
  const tokens = logins.map((one) => secretFile((0, import_node_path3.join)(folder, tokenFileOf(one)), one.value));
  return {
    files: [secretFile(path, `${JSON.stringify(configuration, null, 2)}
`), ...tokens],
    variables: /* @__PURE__ */ new Map([["KUBECONFIG", `${path}${delimiter}${before}`]]),
    secrets: [],
    warnings: []
  };
}
var nameOf = ({ grant, name }) => `${grant}-${name}`;
function refuseSameNames(logins) {
  const names = logins.map((one) => nameOf(one).toLowerCase());
  const twice = logins.find((one, index) => names.indexOf(nameOf(one).toLowerCase()) !== index);
  if (twice !== void 0)
    throw refused(
      `Two logins at clusters would both be the context ${nameOf(twice)}: rename one of their grants or values.`
    );
}
var tokenFileOf = (login) => `token-${nameOf(login)}`;
var clusterOf = ({ server: server2, certificate_authority: authority2 }) => ({
  server: server2,
  ...authority2 !== void 0 && {
    "certificate-authority-data": Buffer.from(authority2, "utf8").toString("base64")
  }
});

// files/tools/netrc.ts
var import_node_path4 = require("node:path");
function planNetrc(all, context) {
  const logins = loginsFor(all, "netrc");
  if (logins.length === 0) return NOTHING;
  const before = context.environment["NETRC"] || (0, import_node_path4.join)(homeOf(context), context.platform === "win32" ? "_netrc" : ".netrc");
  const hosts = new Set(logins.map(({ login }) => login.host));
  const ours = logins.map(({ login, value }) => `machine ${login.host}
login ${login.user}
password ${value}
`);
  const path = (0, import_node_path4.join)(context.folder, "tools", "netrc");
  return {
    files: [secretFile(path, `${ours.join("")}${withoutMachines(context.own.text(before) ?? "", hosts)}`)],
    variables: /* @__PURE__ */ new Map([["NETRC", path]]),
    secrets: logins.map(({ login, value }) => basicOf(login.user, value)),
    warnings: []
  };
}
function withoutMachines(text, hosts) {
  const entries = text.split(/(?:^|(?<=\s))(?=(?:machine|default|macdef)\s)/);
  return entries.filter((entry) => !hosts.has(/^machine\s+(\S+)/.exec(entry)?.[1]?.toLowerCase() ?? "")).join("");
}

// files/tools/npmrc.ts
var import_node_path5 = require("node:path");
var VARIABLE = "NPM_CONFIG_USERCONFIG";
function planNpmrc(all, context) {
  const logins = loginsFor(all, "npmrc");
  if (logins.length === 0) return NOTHING;
  const { environment } = context;
  const spellings = [
    .../* @__PURE__ */ new Set([VARIABLE, ...Object.keys(environment).filter((name) => name.toUpperCase() === VARIABLE)])
  ];
  const set = spellings.map((name) => environment[name]).find((path2) => path2);
  const before = set ?? (0, import_node_path5.join)(homeOf(context), ".npmrc");
  const path = (0, import_node_path5.join)(context.folder, "tools", "npmrc");
  const ours = logins.map(({ login, value }) => `${keyOf2(login.host)}=${value}
`);
  const kept = withoutKeys(
    context.own.text(before) ?? "",
    logins.map(({ login }) => keyOf2(login.host))
  );
  return {
    // First, because a `[section]` of the user's own would go on to the end.
    files: [secretFile(path, `${ours.join("")}${kept}`)],
    variables: new Map(spellings.map((name) => [name, path])),
    secrets: [],
    warnings: projectsOwn(logins, context)
  };
}
function projectsOwn(logins, { environment, own }) {
  const workspace = environment["GITHUB_WORKSPACE"];
  const text = workspace ? textOf((0, import_node_path5.join)(workspace, ".npmrc"), own) : "";
  const hosts = logins.map(({ login }) => login.host);
  const shadowed = hosts.filter((host) => text.split("\n").some((line) => line.trimStart().startsWith(keyOf2(host))));
  return shadowed.map(
    (host) => `The .npmrc in the workspace has a line for ${host} with its own _authToken, which npm takes instead of this login. Remove the line.`
  );
}
function textOf(path, own) {
  try {
    return own.text(path) ?? "";
  } catch {
    return "";
  }
}
var keyOf2 = (host) => `//${host}/:_authToken`;
var withoutKeys = (text, keys) => text.split(/(?<=\n)/).filter((line) => !keys.some((key) => line.trimStart().startsWith(key))).join("");

// files/tools/own-files.ts
var import_node_fs = require("node:fs");
var import_node_path6 = require("node:path");
var import_escape = require("./main.js");
var MAX_BYTES = 1024 * 1024;
var MAX_FILES = 200;
var MAX_DEPTH = 6;
var FLAGS = import_node_fs.constants.O_RDONLY | (import_node_fs.constants.O_NONBLOCK ?? 0);
var ownFiles = {
  text: (path) => read(path)?.toString("utf8") ?? null,
  below: (folder) => filesBelow(folder, "", MAX_DEPTH),
  exists: import_node_fs.existsSync
};
function read(path) {
  let file;
  try {
    file = (0, import_node_fs.openSync)(path, FLAGS);
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw notKept(path, "it cannot be read");
  }
  try {
    const { size } = (0, import_node_fs.fstatSync)(file);
    if (!(0, import_node_fs.fstatSync)(file).isFile()) throw notKept(path, "it is not a file");
    if (size > MAX_BYTES) throw notKept(path, "it is larger than 1 MiB");
    return (0, import_node_fs.readFileSync)(file);
  } finally {
    (0, import_node_fs.closeSync)(file);
  }
}
function filesBelow(root, from, depth) {
  let entries;
  try {
    entries = (0, import_node_fs.readdirSync)((0, import_node_path6.join)(root, from));
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    const code = codeOf(thrown);
    if (code !== "ENOTDIR") throw notKept((0, import_node_path6.join)(root, from), "it cannot be read");
    const bytes = read((0, import_node_path6.join)(root, from));
    return bytes === null ? [] : [{ path: from, bytes }];
  }
  if (depth === 0) throw notKept(root, "its folders are too deep");
  const found = [];
  for (const entry of entries) {
    found.push(...filesBelow(root, (0, import_node_path6.join)(from, entry), depth - 1));
    if (found.length > MAX_FILES) throw notKept(root, `it has more than ${MAX_FILES} files`);
  }
  return found;
}
var codeOf = (thrown) => thrown?.code;
var isMissing = (thrown) => codeOf(thrown) === "ENOENT";
var notKept = (path, why) => refused(
  `A tool's configuration of this job, ${(0, import_escape.forLog)(path)}, could not be kept beside a login: ${why}. Correct it, or move it away.`
);

// files/tools/plan.ts
var TOOLS = [planDocker, planGit, planKubeconfig, planNetrc, planNpmrc];
function planTools(credentials, context) {
  const logins = readLogins(credentials);
  const taken = credentials.find(
    ({ grant, values }) => grant.toLowerCase() === "tools" && values.some(({ file }) => file !== void 0)
  );
  if (logins.length > 0 && taken !== void 0)
    throw refused(`The files of the grant ${taken.grant} would be where logins are: give the grant another name.`);
  const plans = TOOLS.map((plan) => plan(logins, context));
  return {
    files: plans.flatMap(({ files }) => files),
    variables: new Map(plans.flatMap(({ variables }) => [...variables])),
    secrets: plans.flatMap(({ secrets }) => secrets),
    warnings: plans.flatMap(({ warnings }) => warnings),
    notes: logins.map(
      ({ grant, name, login }) => `${login.tool}: logged in at ${targetOf(login)} with the value ${name} of ${grant}.`
    )
  };
}
function planJobTools(credentials, folder, environment) {
  return planTools(credentials, { folder, environment, platform: process.platform, own: ownFiles });
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  planJobTools,
  planTools
});

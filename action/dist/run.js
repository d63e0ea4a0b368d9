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
var import_environment2 = require("./delivery.js");
var import_files = require("./delivery.js");
var import_logins = require("./delivery.js");
var import_outputs = require("./delivery.js");
var import_plan = require("./delivery.js");
var import_delivery = require("./delivery.js");
var import_escape4 = require("./main.js");
var import_exchange = require("./main.js");
var import_inputs5 = require("./main.js");
var import_issued = require("./delivery.js");
var import_lease2 = require("./main.js");
var import_masks2 = require("./delivery.js");
var import_retry = require("./main.js");
var runner3 = __toESM(require("./main.js"), 1);
var import_summary = require("./delivery.js");

// run/azure-login.ts
var import_failure3 = require("./main.js");
var import_federated = require("./delivery.js");

// run/inputs.ts
var import_failure = require("./main.js");
function readRunInputs(read) {
  if (read("deliver").trim() !== "") {
    throw invalid("deliver", "cannot be used with `run`: the credentials are delivered to the command alone");
  }
  const idToken = read("id-token").trim();
  if (idToken !== "" && idToken !== "pass") throw invalid("id-token", "must be pass, or left out");
  const azureCli = read("azure-cli").trim();
  if (azureCli !== "" && azureCli !== "login") throw invalid("azure-cli", "must be login, or left out");
  return {
    script: read("run"),
    shell: read("shell").trim(),
    workingDirectory: read("working-directory").trim(),
    passesIdToken: idToken === "pass",
    logsInAzureCli: azureCli === "login"
  };
}
function invalid(input2, fault) {
  return new import_failure.ActionError("input_invalid", `The input \`${input2}\` ${fault}.`);
}

// run/place.ts
var import_node_fs = require("node:fs");
var import_node_path = require("node:path");

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
  const folder = (0, import_node_path.resolve)(environment["GITHUB_WORKSPACE"] ?? "", workingDirectory);
  if (!is(folder, "folder")) throw invalid("working-directory", "names a folder that does not exist in the workspace");
  const { program, args, verbatim } = shell;
  return {
    extension: shell.extension,
    fileText: shell.fileText(script),
    command: (path) => ({ program, args: args(path), verbatim, folder })
  };
}
function findProgram(program, environment, isWindows) {
  const folders = (environment["PATH"] ?? environment["Path"] ?? "").split(import_node_path.delimiter).filter((folder) => folder !== "");
  const hasFolder = (0, import_node_path.isAbsolute)(program) || program.includes("/");
  const paths = hasFolder ? [(0, import_node_path.resolve)(program)] : folders.map((folder) => (0, import_node_path.join)(folder, program));
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
var import_failure2 = require("./main.js");
var import_runner = require("./main.js");
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
  (0, import_runner.onLogClosed)(() => group.signal("SIGTERM"));
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
    throw new import_failure2.ActionError("delivery_refused", message);
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
    for (let waited = 0; waited < patience && this.#send(0); waited += POLL_MS) await sleep(POLL_MS);
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
var sleep = (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds));

// run/azure-login.ts
function findAzureCli(environment, platform) {
  const isWindows = platform === "win32";
  const found = findProgram("az", environment, isWindows);
  if (found === null) {
    throw invalid(
      "azure-cli",
      "is for the Azure command line, but no az is in this job's PATH; install it before this step"
    );
  }
  if (!/\.(?:cmd|bat)$/i.test(found)) return (args) => ({ program: found, args, verbatim: false });
  const shell = environment["ComSpec"] ?? "cmd.exe";
  return (args) => {
    const line = [found, ...args].map((part) => `"${part}"`).join(" ");
    return { program: shell, args: ["/D", "/S", "/C", `"${line}"`], verbatim: true };
  };
}
var CLOUDS = /* @__PURE__ */ new Map([
  ["login.microsoftonline.us", "AzureUSGovernment"],
  ["login.partner.microsoftonline.cn", "AzureChinaCloud"]
]);
function loginLines(credential, tokenFile) {
  const cloud = CLOUDS.get(URL.parse((0, import_federated.requiredValue)(credential, "authority-host"))?.hostname ?? "");
  const subscription = credential.values.find(({ name }) => name === "subscription-id")?.value;
  const quiet = ["--only-show-errors", "--output", "none"];
  const login = [
    ...["login", "--service-principal"],
    ...["--username", (0, import_federated.requiredValue)(credential, "client-id"), "--tenant", (0, import_federated.requiredValue)(credential, "tenant-id")],
    `--federated-token=@${tokenFile}`,
    ...subscription === void 0 ? ["--allow-no-subscriptions"] : [],
    ...quiet
  ];
  return [
    ...cloud === void 0 ? [] : [["cloud", "set", "--name", cloud, ...quiet]],
    login,
    ...subscription === void 0 ? [] : [["account", "set", "--subscription", subscription, ...quiet]]
  ];
}
async function logInAzureCli(az, lines, place, output) {
  const environment = { ...place.environment, AZURE_CORE_COLLECT_TELEMETRY: "false" };
  for (const args of lines) {
    const exitCode = await runProcess({ ...place, ...az(args), environment }, output);
    if (exitCode === 0) continue;
    const message = `az ${args.slice(0, args[0] === "login" ? 1 : 2).join(" ")} ended with exit code ${exitCode}. Its own message is in the log above.`;
    throw new import_failure3.ActionError("azure_login_failed", message);
  }
}

// run/clouds.ts
var import_aws_session2 = require("./delivery.js");
var import_escape2 = require("./main.js");
var import_failure6 = require("./main.js");
var import_masks = require("./delivery.js");
var runner = __toESM(require("./main.js"), 1);

// run/aws-session.ts
var import_aws_session = require("./delivery.js");
var SESSION_RENEWAL = {
  below: (lifeMs) => Math.min(5 * 6e4, lifeMs / 3),
  answerWithinMs: 800
};
function heldSession(credential) {
  const value = (0, import_aws_session.readSession)(credential);
  return { value, endsAt: Date.parse(value.Expiration) };
}

// run/aws-variables.ts
var import_node_path2 = require("node:path");
var names = (text) => new Set(text.split(" "));
var RIVALS = names(
  "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
);
var REPLACED = names("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED");
var REGION = /^[a-z0-9-]{1,64}$/;
function planAws(grants, has) {
  const at = (name) => (0, import_node_path2.join)(has.folder, name);
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
    const quoted = [has.node, has.helper, at(`${grant}.json`)].map((part) => `"${part}"`).join(" ");
    const lines = [`[profile ${grant}]`, `credential_process = ${quoted} ${grant}`];
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

// run/azure-variables.ts
var import_node_path4 = require("node:path");
var import_federated2 = require("./delivery.js");
var import_runner3 = require("./main.js");

// run/azure-cli-entries.ts
var import_node_fs2 = require("node:fs");
var import_node_path3 = require("node:path");
var import_json = require("./main.js");
var import_runner2 = require("./main.js");
var ENTRIES = "service_principal_entries.json";
var MAX_BYTES = 1024 * 1024;
function freshenAzureCli(folder, clientId, token) {
  const path = (0, import_node_path3.join)(folder, ENTRIES);
  const entries = readEntries(path);
  if (entries === null) return;
  const isOurs = (entry) => (0, import_json.memberOf)(entry, "client_id") === clientId && typeof (0, import_json.memberOf)(entry, "client_assertion") === "string";
  if (!entries.some(isOurs)) return;
  const fresh = entries.map((entry) => isOurs(entry) ? { ...entry, client_assertion: token } : entry);
  (0, import_runner2.replaceJobFile)(path, Buffer.from(JSON.stringify(fresh)));
}
function readEntries(path) {
  let file = null;
  try {
    file = (0, import_node_fs2.openSync)(path, import_node_fs2.constants.O_RDONLY | (import_node_fs2.constants.O_NOFOLLOW ?? 0) | (import_node_fs2.constants.O_NONBLOCK ?? 0));
    const about = (0, import_node_fs2.fstatSync)(file);
    const entries = about.isFile() && about.size <= MAX_BYTES ? (0, import_json.parseJson)((0, import_node_fs2.readFileSync)(file)) : null;
    return Array.isArray(entries) ? entries : null;
  } catch {
    return null;
  } finally {
    if (file !== null) (0, import_node_fs2.closeSync)(file);
  }
}

// run/azure-variables.ts
var names2 = (text) => new Set(text.split(" "));
var AZURE_RIVALS = names2(
  "AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_AUTHORITY_HOST AZURE_FEDERATED_TOKEN_FILE AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PATH AZURE_CLIENT_CERTIFICATE_PASSWORD AZURE_USERNAME AZURE_PASSWORD AZURE_TOKEN_CREDENTIALS AZURE_CONFIG_DIR IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET ARM_CLIENT_ID ARM_CLIENT_ID_FILE_PATH ARM_TENANT_ID ARM_CLIENT_SECRET ARM_CLIENT_SECRET_FILE_PATH ARM_CLIENT_CERTIFICATE ARM_CLIENT_CERTIFICATE_PATH ARM_CLIENT_CERTIFICATE_PASSWORD ARM_OIDC_TOKEN ARM_OIDC_TOKEN_FILE_PATH ARM_OIDC_REQUEST_URL ARM_OIDC_REQUEST_TOKEN ARM_OIDC_AZURE_SERVICE_CONNECTION_ID ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID ARM_USE_OIDC ARM_USE_MSI ARM_MSI_ENDPOINT ARM_USE_AKS_WORKLOAD_IDENTITY"
);
var PLANNED_VALUES = names2(
  "federated-token federated-token-file use-oidc client-id arm-client-id tenant-id arm-tenant-id authority-host"
);
function planAzure(credential, has) {
  const tokenFile = (0, import_node_path4.join)(has.folder, "token");
  const [client, tenant] = [(0, import_federated2.requiredValue)(credential, "client-id"), (0, import_federated2.requiredValue)(credential, "tenant-id")];
  const token = Buffer.from((0, import_federated2.requiredValue)(credential, "federated-token"));
  const cliFolder = (0, import_node_path4.join)(has.folder, "cli");
  return {
    variables: /* @__PURE__ */ new Map([
      ["AZURE_CLIENT_ID", client],
      ["AZURE_TENANT_ID", tenant],
      ["AZURE_AUTHORITY_HOST", (0, import_federated2.requiredValue)(credential, "authority-host")],
      ["AZURE_FEDERATED_TOKEN_FILE", tokenFile],
      ["AZURE_CONFIG_DIR", cliFolder],
      ["ARM_CLIENT_ID", client],
      ["ARM_TENANT_ID", tenant],
      ["ARM_USE_OIDC", "true"],
      ["ARM_OIDC_REQUEST_URL", has.url],
      ["ARM_OIDC_REQUEST_TOKEN", has.authorization]
    ]),
    files: [{ path: tokenFile, bytes: token, mode: 384 }],
    tokenFile,
    write(next) {
      (0, import_runner3.replaceJobFile)(tokenFile, Buffer.from(next));
      freshenAzureCli(cliFolder, client, next);
    }
  };
}
function withoutPlanned(credential) {
  return { ...credential, values: credential.values.filter(({ name }) => !PLANNED_VALUES.has(name)) };
}

// run/endpoint.ts
var import_node_crypto = require("node:crypto");
var import_node_http = require("node:http");
var AUDIENCE_QUERY = /^\?audience=[A-Za-z0-9%:/._~-]{1,512}$/;
async function serveCredentials(served) {
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
    answer(request, { served, authorization, host }).then(send, () => send(refusal(500, "Internal")));
  });
  await new Promise((resolve2, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", resolve2);
  });
  host = `127.0.0.1:${server.address().port}`;
  return {
    authorization,
    urlOf: (path) => `http://${host}${path}`,
    close() {
      server.close();
      server.closeAllConnections();
    }
  };
}
async function answer({ method, url = "", headers }, has) {
  if (headers.host !== has.host || headers.origin !== void 0) return refusal(403, "WrongHost");
  if (method !== "GET") return refusal(405, "MethodNotAllowed");
  const given = headers.authorization ?? "";
  const scheme = /^bearer /i.test(given) ? "bearer" : "aws";
  if (!isSame(given.replace(/^bearer /i, ""), has.authorization)) return refusal(401, "Unauthorized");
  const one = has.served.find(({ path }) => isFor(url, path, scheme));
  if (one === void 0) return refusal(404, "NotFound");
  if (one.scheme !== scheme) return refusal(401, "Unauthorized");
  const current = await one.answer();
  return current === null ? refusal(503, "NoCredentials") : { status: 200, body: current };
}
function isFor(url, path, scheme) {
  return url === path || scheme === "bearer" && url.startsWith(path) && AUDIENCE_QUERY.test(url.slice(path.length));
}
function refusal(status, code) {
  return { status, body: { Code: code, Message: "Daypass gives no credentials for this request. See the step's log." } };
}
function isSame(given, wanted) {
  const digest = (text) => (0, import_node_crypto.createHash)("sha256").update(text).digest();
  return (0, import_node_crypto.timingSafeEqual)(digest(given), digest(wanted));
}

// run/environment.ts
var import_escape = require("./main.js");
var import_failure4 = require("./main.js");
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
var PROXIES = /^(?:HTTP|ALL)_PROXY$/i;
var EXCEPTIONS = ["no_proxy", "NO_PROXY"];
function withoutProxyForLoopback(environment) {
  const usesProxy = Object.entries(environment).some(([name, value]) => PROXIES.test(name) && value !== "");
  if (!usesProxy) return { ...environment };
  const given = Object.keys(environment).filter((name) => EXCEPTIONS.includes(name));
  const excepted = (given.length === 0 ? EXCEPTIONS : given).map((name) => {
    const others = environment[name] ?? "";
    const isCovered = others.split(/[,\s]+/).some((one) => one === "127.0.0.1" || one === "*");
    return [name, isCovered ? others : [others, "127.0.0.1"].filter((part) => part !== "").join(",")];
  });
  return { ...environment, ...Object.fromEntries(excepted) };
}
function takenAway(step, without) {
  return Object.keys(step).filter((name) => step[name] !== "" && without.has(upper(name)));
}
function refuseRivals(set, reserved, what) {
  const rival = [...set.keys()].find((name) => reserved.has(upper(name)));
  if (rival === void 0) return;
  const message = `A grant sets the variable ${(0, import_escape.forLog)(rival)}, which would win over ${what}. Use two steps.`;
  throw new import_failure4.ActionError("delivery_refused", message);
}
var upper = (name) => name.toUpperCase();

// run/federated-token.ts
var import_federated3 = require("./delivery.js");
var TOKEN_RENEWAL = { below: (lifeMs) => lifeMs / 3, answerWithinMs: 5e3 };
var PRINCIPAL_RENEWAL = { below: (lifeMs) => lifeMs * 0.8, answerWithinMs: 5e3 };
function readToken(credential) {
  return { value: (0, import_federated3.requiredValue)(credential, "federated-token"), endsAt: Date.parse(credential.expiresAt ?? "") };
}

// run/google-variables.ts
var import_node_path5 = require("node:path");
var import_federated4 = require("./delivery.js");
var names3 = (text) => new Set(text.split(" "));
var GOOGLE_RIVALS = names3(
  "GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_BACKEND_CREDENTIALS GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_GHA_CREDS_PATH CLOUDSDK_AUTH_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN_FILE CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT CLOUDSDK_CORE_ACCOUNT CLOUDSDK_ACTIVE_CONFIG_NAME CLOUDSDK_CONFIG NO_GCE_CHECK METADATA_SERVER_DETECTION DAYPASS_GOOGLE_FOLDER"
);
function planGoogle(grants, has) {
  const [first, ...more] = grants;
  if (first === void 0) return { variables: /* @__PURE__ */ new Map(), files: [] };
  const pathOf2 = ({ credential }) => (0, import_node_path5.join)(has.folder, `${credential.grant}.json`);
  const files = grants.map((one) => {
    const text = (0, import_federated4.externalAccount)(one.credential, { url: one.url, authorization: has.authorization });
    return { path: pathOf2(one), bytes: Buffer.from(text), mode: 384 };
  });
  const single = [
    ["GOOGLE_APPLICATION_CREDENTIALS", pathOf2(first)],
    ["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", pathOf2(first)]
  ];
  return {
    variables: new Map([
      ...more.length === 0 ? single : [],
      ["DAYPASS_GOOGLE_FOLDER", has.folder],
      // No grant's name has a dot, so no grant's file has this name.
      ["CLOUDSDK_CONFIG", (0, import_node_path5.join)(has.folder, ".gcloud")],
      ["NO_GCE_CHECK", "true"],
      ["METADATA_SERVER_DETECTION", "none"]
    ]),
    files
  };
}

// run/renewed.ts
var import_failure5 = require("./main.js");
var USABLE_MS = 3e4;
var REST_AFTER_FAILURE_MS = 1e4;
var LONGEST_REST_MS = 8e4;
var Renewed = class {
  #held;
  #lifeMs;
  #renewal;
  #renew;
  #onFailure;
  #underWay = null;
  #nextRestMs = REST_AFTER_FAILURE_MS;
  #restUntil = Number.NEGATIVE_INFINITY;
  /** `renew` makes a new credential, and registers its masks before it resolves. */
  constructor(held, renewal, renew, onFailure) {
    this.#held = held;
    this.#lifeMs = this.#leftMs;
    this.#renewal = renewal;
    this.#renew = renew;
    this.#onFailure = onFailure;
  }
  /** How long the newest credential lives in all. */
  get lifeMs() {
    return this.#lifeMs;
  }
  /** A credential that lives; null when it is over and no new one could be fetched. Questions at the same time share a renewal. */
  async current() {
    if (this.#leftMs >= this.#renewal.below(this.#lifeMs)) return this.#held.value;
    if (performance.now() >= this.#restUntil || this.#underWay !== null) {
      const underWay = this.renew();
      const isUsable = this.#leftMs >= USABLE_MS;
      await (isUsable ? Promise.race([underWay, sleep2(this.#renewal.answerWithinMs)]) : underWay);
    }
    return this.#leftMs > 0 ? this.#held.value : null;
  }
  /** Renews at once, or waits for the renewal that is under way. Returns false when there is no new credential. */
  renew() {
    this.#underWay ??= this.#fetch();
    return this.#underWay;
  }
  /** The newest credential, even if it is over. */
  get newest() {
    return this.#held.value;
  }
  /** Resolves when no renewal is on its way. */
  async settled() {
    await this.#underWay;
  }
  get #leftMs() {
    return this.#held.endsAt - Date.now();
  }
  async #fetch() {
    try {
      this.#held = await this.#renew();
      this.#lifeMs = this.#leftMs;
      this.#nextRestMs = REST_AFTER_FAILURE_MS;
      return true;
    } catch (thrown) {
      this.#restUntil = performance.now() + this.#nextRestMs;
      this.#nextRestMs = Math.min(LONGEST_REST_MS, this.#nextRestMs * 2);
      this.#onFailure((0, import_failure5.toFailure)(thrown));
      return false;
    } finally {
      this.#underWay = null;
    }
  }
};
var sleep2 = (milliseconds) => new Promise((resolve2) => setTimeout(resolve2, milliseconds).unref());

// run/token-files.ts
var LONGEST_WAIT_MS = 2 * 6e4;
var SHARE_OF_LIFE = 0.4;
var SHARE_AFTER_FAILURE = 0.25;
var TokenFiles = class {
  #write;
  #token;
  #onFailure;
  #timer;
  #isStopped = false;
  #share = 1;
  /** `onFailure` gets what `write` throws. Failures of the renewal are the token's own. */
  constructor(token, write2, onFailure) {
    this.#write = write2;
    this.#token = token;
    this.#onFailure = onFailure;
  }
  /** Keeps the files fresh from now on. */
  start() {
    if (this.#isStopped) return;
    const wholeMs = Math.min(LONGEST_WAIT_MS, this.#token.lifeMs * SHARE_OF_LIFE);
    const jitter = 0.85 + Math.random() * 0.15;
    this.#timer = setTimeout(() => void this.#replace(), Math.max(0, wholeMs * this.#share * jitter));
    this.#timer.unref();
  }
  /** Nothing is written any more, also not by a renewal that is under way. */
  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
  async #replace() {
    const isNew = await this.#token.renew() && !this.#isStopped && this.#writeNewest();
    this.#share = isNew ? 1 : Math.min(1, this.#share === 1 ? SHARE_AFTER_FAILURE : this.#share * 2);
    this.start();
  }
  #writeNewest() {
    try {
      this.#write(this.#token.newest);
      return true;
    } catch (thrown) {
      this.#onFailure(thrown);
      return false;
    }
  }
};

// run/clouds.ts
async function prepareClouds(received, exchangeAgain2, folder) {
  const renewing = (credential, read, renewal) => renewed(credential, read, renewal, exchangeAgain2);
  const of = (format) => received.filter((credential) => credential.format === format);
  const [aws, google, azure] = [of("aws-session"), of("google-federated"), of("azure-federated")];
  const [login, second] = azure;
  if (second !== void 0) throw twoLogins(login?.grant ?? "", second.grant);
  const sessions = aws.map((one) => renewing(one, heldSession, SESSION_RENEWAL));
  const googleTokens = google.map(
    (one) => renewing(one, readToken, isPrincipal(one) ? PRINCIPAL_RENEWAL : TOKEN_RENEWAL)
  );
  const azureTokens = azure.map((one) => renewing(one, readToken, TOKEN_RENEWAL));
  const served = [
    ...sessions.map(
      (session, at) => ({ path: pathOf(aws[at]), scheme: "aws", answer: () => session.current() })
    ),
    ...[...googleTokens, ...azureTokens].map((token, at) => {
      const path = pathOf([...google, ...azure][at]);
      return { path, scheme: "bearer", answer: async () => inDocument(await token.current()) };
    })
  ];
  const endpoint = served.length === 0 ? null : await openEndpoint(served);
  try {
    const has = (name) => ({
      folder: runner.pathIn(folder, name),
      authorization: endpoint?.authorization ?? ""
    });
    const urlOf = (credential) => endpoint?.urlOf(pathOf(credential)) ?? "";
    const awsPlan = planAws(
      aws.map((one) => ({ grant: one.grant, region: regionOf(one), url: urlOf(one) })),
      { ...has("aws"), node: process.execPath, helper: `${runner.actionFolder()}/aws-profile.js` }
    );
    const googlePlan = planGoogle(
      google.map((credential) => ({ credential, url: urlOf(credential) })),
      has("google")
    );
    const azurePlan = login === void 0 ? null : planAzure(login, { ...has("azure"), url: urlOf(login) });
    const [token] = azureTokens;
    const files = token && azurePlan ? new TokenFiles(token, azurePlan.write, warnOfFile) : null;
    const plans = [
      { first: aws[0], what: "AWS session", rivals: [...RIVALS, ...REPLACED], variables: awsPlan.variables },
      { first: google[0], what: "Google login", rivals: [...GOOGLE_RIVALS], variables: googlePlan.variables },
      { first: login, what: "Azure login", rivals: [...AZURE_RIVALS], variables: azurePlan?.variables ?? /* @__PURE__ */ new Map() }
    ].filter(({ first }) => first !== void 0);
    return {
      rest: received.map((credential) => restOf(credential, { aws: aws.length, google: google.length })),
      variables: new Map(plans.flatMap(({ variables }) => [...variables])),
      files: [...awsPlan.files, ...googlePlan.files, ...azurePlan?.files ?? []],
      taken: new Set(plans.flatMap(({ rivals }) => rivals)),
      azure: login && azurePlan ? { credential: login, tokenFile: azurePlan.tokenFile } : null,
      hasEndpoint: endpoint !== null,
      shownVariables({ format }) {
        const plan = plans.find(({ first }) => first?.format === format);
        return plan === void 0 ? null : [...plan.variables.keys()].filter((name) => SHOWN.test(name));
      },
      refuseRivals(delivered) {
        for (const { first, what, rivals } of plans)
          refuseRivals(delivered, new Set(rivals), `the ${what} of ${first?.grant}`);
      },
      start: () => files?.start(),
      close() {
        endpoint?.close();
        files?.stop();
      },
      async settled() {
        await Promise.all([...sessions, ...googleTokens, ...azureTokens].map((one) => one.settled()));
      }
    };
  } catch (thrown) {
    endpoint?.close();
    throw thrown;
  }
}
var SHOWN = /^(?:AWS_CONTAINER_.*|AWS_CONFIG_FILE|GOOGLE_APPLICATION_CREDENTIALS|DAYPASS_GOOGLE_FOLDER|AZURE_FEDERATED_TOKEN_FILE|ARM_OIDC_REQUEST_URL)$/;
var pathOf = (credential) => `/${credential?.format}/${encodeURIComponent(credential?.grant ?? "")}`;
var inDocument = (token) => token === null ? null : { value: token };
var isPrincipal = ({ values }) => !values.some(({ name }) => name === "impersonation-url");
var regionOf = ({ values }) => values.find(({ name }) => name === "region")?.value ?? "";
async function openEndpoint(served) {
  const endpoint = await serveCredentials(served);
  await runner.registerMasks((0, import_masks.masksFor)(endpoint.authorization));
  return endpoint;
}
function renewed(credential, read, renewal, exchangeAgain2) {
  const { grant, format } = credential;
  const what = format === "aws-session" ? "session" : "login";
  const renew = async () => {
    const held = read(await exchangeAgain2(grant));
    runner.info(`Renewed ${grant}, until ${new Date(held.endsAt).toISOString()}.`);
    return held;
  };
  return new Renewed(
    read(credential),
    renewal,
    renew,
    (failure) => runner.warn(`The ${what} of ${grant} could not be renewed yet: ${(0, import_escape2.forLog)(failure.message)}`)
  );
}
function warnOfFile(thrown) {
  runner.warn(`The file with Azure's token could not be replaced yet: ${(0, import_escape2.forLog)((0, import_failure6.toFailure)(thrown).message)}`);
}
function restOf(credential, count) {
  const { format, values } = credential;
  if (format === "azure-federated") return withoutPlanned(credential);
  if (format !== "aws-session" && format !== "google-federated") return credential;
  const isSingle = (format === "aws-session" ? count.aws : count.google) === 1;
  const isKept = ({ name, env }) => !import_aws_session2.SESSION_VALUES.has(name) && env !== void 0 && isSingle;
  return { ...credential, values: values.filter(isKept) };
}
function twoLogins(one, other) {
  const message = `One command cannot have two logins of Azure, because both use the same variables: ${one} and ${other}. Use two steps.`;
  return new import_failure6.ActionError("delivery_refused", message);
}

// run/leases.ts
var import_escape3 = require("./main.js");
var import_failure7 = require("./main.js");
var import_lease = require("./main.js");

// outcomes.ts
var import_runner4 = require("./main.js");
function logOutcomes(answer2) {
  const { credentials, record_due: isRecordDue, unknown_until: unknownUntil } = answer2;
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "It stays valid until it is changed in its store." : `It expires at ${expiresAt}.`;
    if (outcome === "revoked") (0, import_runner4.info)(`Revoked ${grant}.`);
    else if (outcome === "expires-only") (0, import_runner4.info)(`Cannot revoke ${grant}. ${end}`);
    else if (outcome === "revoking" && unknownUntil === void 0) (0, import_runner4.info)(`Another call is revoking ${grant} now. ${end}`);
    else if (outcome === "failed") (0, import_runner4.warn)(`${grant} is not revoked yet; the broker tries again. ${end}`);
  }
  if (unknownUntil !== void 0) {
    const left = unknownUntil === null ? "" : ` What it cannot revoke lives until ${unknownUntil} at the latest.`;
    (0, import_runner4.info)(`One exchange of this step did not end. The broker revokes what it minted, and gives it to nobody.${left}`);
  }
  if (isRecordDue) (0, import_runner4.info)("The broker cannot write its record of this now, and writes it as soon as it can.");
}

// run/leases.ts
var import_revoke_lease = require("./delivery.js");
var runner2 = __toESM(require("./main.js"), 1);
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
    const failure = (0, import_failure7.toFailure)(thrown);
    if (expiresAt === null && failure.code === "lease_not_found") return true;
    runner2.warn(`A lease is not revoked yet; the post step tries again: ${(0, import_escape3.forLog)(failure.message)}`);
    return false;
  }
}

// run/output.ts
var import_runner5 = require("./main.js");

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
  #filter = new SecretFilter(import_runner5.registeredMasks);
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
    (0, import_runner5.commandsStoppedWith)(null);
    await write(`::${stopToken}::
`);
  }
  #writeLines(text) {
    if (!mayHoldCommand(text)) return write(this.#filter.replace(text));
    const lines = text.match(/[^\r\n]*(?:\r\n|\r|\n)/g) ?? [];
    const written = lines.map((line) => {
      const shown = this.#filter.replace(line);
      const use = this.#commands.read(line, shown);
      (0, import_runner5.commandsStoppedWith)(this.#commands.stopToken);
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
var write = (text) => text === "" ? Promise.resolve() : (0, import_runner5.writeToLog)(Buffer.from(text, "latin1"));

// run/run.ts
async function exchangeAndRun() {
  const started = Date.now();
  const inputs = (0, import_inputs5.readInputs)(runner3.input);
  const deadline = (0, import_retry.startDeadline)(inputs.timeoutMs);
  const wanted = readRunInputs(runner3.rawInput);
  runner3.requireRunnerFiles();
  const from = planCommand(wanted, runner3.stepEnvironment(), process.platform);
  const az = wanted.logsInAzureCli ? findAzureCli(runner3.stepEnvironment(), process.platform) : null;
  const leases = new import_lease2.StepLeases(inputs);
  const answer2 = await (0, import_exchange.exchangeForAnswer)(inputs, leases, deadline);
  const folder = runner3.jobFolder();
  const issued = new import_issued.IssuedRecords(inputs.sweep, started);
  const { exitCode, clouds } = await prepareAndRun(answer2, { inputs, wanted, from, az, folder, leases, issued });
  (0, import_delivery.removeFiles)(folder);
  const known = leases.all.filter(({ expiresAt }) => expiresAt !== null);
  await revokeLeases(known, leases, inputs, (0, import_retry.startDeadline)(inputs.timeoutMs));
  await clouds.settled();
  const others = leases.all.filter((lease) => !known.includes(lease));
  await revokeLeases(others, leases, inputs, (0, import_retry.startDeadline)(inputs.timeoutMs));
  runner3.endWith(exitCode);
}
async function prepareAndRun(answer2, run) {
  const output = new ChildOutput();
  const lease = (0, import_answer.readLease)(answer2);
  let clouds = null;
  try {
    run.leases.confirm(lease);
    const credentials = (0, import_answer.readCredentials)(answer2, run.inputs.grants);
    await registerSecrets(credentials);
    clouds = await prepareClouds(credentials, (grant) => exchangeAgain(grant, run), run.folder);
    if (run.az !== null && clouds.azure === null) {
      throw invalid("azure-cli", "needs a grant of Azure with `hand_over: federated-token` among the `grants`");
    }
    const environment = await prepare(credentials, clouds, run);
    run.issued.record(credentials, /* @__PURE__ */ new Map());
    runner3.setOutputs((0, import_outputs.leaseOutputs)(lease));
    run.issued.delivered();
    clouds.start();
    const line = { ...run.from.command(scriptPath(run)), environment };
    if (run.az !== null && clouds.azure !== null) {
      const { credential, tokenFile } = clouds.azure;
      await logInAzureCli(run.az, loginLines(credential, tokenFile), line, output);
    }
    const exitCode = await runProcess(line, output);
    await output.end();
    return { exitCode, clouds };
  } catch (thrown) {
    clouds?.close();
    (0, import_delivery.removeFiles)(run.folder);
    (0, import_delivery.dropRecords)(run.issued);
    await (0, import_delivery.revokeUndelivered)(lease.id, run.inputs, run.leases, (0, import_retry.startDeadline)(run.inputs.timeoutMs));
    throw thrown;
  } finally {
    clouds?.close();
  }
}
async function prepare(received, clouds, run) {
  const { files, credentials } = (0, import_files.planFiles)(clouds.rest, run.folder);
  const delivered = (0, import_environment2.planEnvironment)(credentials.filter(({ values }) => values.length > 0));
  clouds.refuseRivals(delivered);
  const step = runner3.stepEnvironment();
  const logins = await (0, import_logins.planLogins)(received, { folder: run.folder, environment: step, variables: delivered });
  const script = { path: scriptPath(run), bytes: Buffer.from(run.from.fileText), mode: 384 };
  (0, import_lease2.saveFilesFolder)(run.folder);
  runner3.writeJobFiles(run.folder, [...files, ...logins.files, ...clouds.files, script]);
  const without = /* @__PURE__ */ new Set([...clouds.taken, ...rivalsOf(delivered)]);
  const set = new Map([...logins.variables, ...clouds.variables]);
  for (const note of logins.notes) runner3.info(note);
  for (const warning of logins.warnings) runner3.warn(warning);
  logDelivery(received, run.inputs.ttl, takenAway(step, without));
  runner3.appendSummary(
    (0, import_summary.grantedSummary)(received, (0, import_plan.placesOf)(received.map(shownBy(clouds)), { toEnvironment: true, toOutputs: false }), {
      isForCommand: true,
      ttl: run.inputs.ttl
    })
  );
  const environment = childEnvironment(step, { set, without, passesIdToken: run.wanted.passesIdToken });
  return clouds.hasEndpoint ? withoutProxyForLoopback(environment) : environment;
}
async function exchangeAgain(grant, { inputs, leases, issued }) {
  const again = { ...inputs, grants: [grant], parallelJobs: 1 };
  const answer2 = await (0, import_exchange.exchangeForAnswer)(again, leases, (0, import_retry.startDeadline)(inputs.timeoutMs));
  leases.confirm((0, import_answer.readLease)(answer2));
  const renewed2 = (0, import_answer.readCredentials)(answer2, [grant]);
  await registerSecrets(renewed2);
  issued.record(renewed2, /* @__PURE__ */ new Map());
  const [credential] = renewed2;
  if (credential === void 0) throw new Error("unreachable: exactly one credential was read");
  return credential;
}
async function registerSecrets(credentials) {
  const values = credentials.flatMap((credential) => credential.values);
  await runner3.registerMasks(values.flatMap(({ secret, value }) => secret ? (0, import_masks2.masksFor)(value) : []));
  (0, import_delivery.warnOfBareSecrets)(credentials);
}
function shownBy(clouds) {
  return (credential) => {
    const names4 = clouds.shownVariables(credential);
    if (names4 === null) return credential;
    return { ...credential, values: names4.map((env) => ({ name: env, value: "", secret: false, env })) };
  };
}
function rivalsOf(delivered) {
  const isKey = delivered.has("AWS_ACCESS_KEY_ID") && !delivered.has("AWS_SESSION_TOKEN");
  return isKey ? ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"] : [];
}
function logDelivery(credentials, ttl, taken) {
  for (const credential of credentials) runner3.info((0, import_delivery.gotLine)(credential, ttl, " for the command"));
  runner3.debug(() => credentials.map(import_delivery.decisionLine));
  if (taken.length === 0) return;
  runner3.info(
    `These variables of the job are not passed to the command: ${taken.map((name) => (0, import_escape4.forLog)(name)).join(", ")}.`
  );
}
var scriptPath = ({ folder, from }) => runner3.pathIn(folder, `script${from.extension}`);
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  exchangeAndRun
});

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

// part:delivery
var delivery_exports = {};
__export(delivery_exports, {
  AWS_KEY_VARIABLE: () => AWS_KEY_VARIABLE,
  IssuedRecords: () => IssuedRecords,
  NAME: () => NAME,
  SESSION_VALUES: () => SESSION_VALUES,
  blankOldTokens: () => blankOldTokens,
  decisionLine: () => decisionLine,
  deliver: () => deliver,
  dropRecords: () => dropRecords,
  encodings: () => encodings,
  externalAccount: () => externalAccount,
  gotLine: () => gotLine,
  grantedSummary: () => grantedSummary,
  hasLogins: () => hasLogins,
  isTime: () => isTime,
  isTooCommon: () => isTooCommon,
  keptLine: () => keptLine,
  leaseOutputs: () => leaseOutputs,
  loginsOf: () => loginsOf,
  masksFor: () => masksFor,
  needsGoogleFiles: () => needsGoogleFiles,
  placesOf: () => placesOf,
  planDelivery: () => planDelivery,
  planEnvironment: () => planEnvironment,
  planFiles: () => planFiles,
  planLogins: () => planLogins,
  planOutputs: () => planOutputs,
  readCredentials: () => readCredentials,
  readLease: () => readLease,
  readSession: () => readSession,
  removeFiles: () => removeFiles,
  requiredValue: () => requiredValue,
  revokeLease: () => revokeLease,
  revokeUndelivered: () => revokeUndelivered,
  table: () => table,
  toolsOf: () => toolsOf,
  warnOfBareSecrets: () => warnOfBareSecrets,
  warningOfProfile: () => warningOfProfile,
  withGoogleFiles: () => withGoogleFiles,
  withinSizeLimit: () => withinSizeLimit
});
module.exports = __toCommonJS(delivery_exports);

// answer.ts
var import_failure = require("./main.js");
var import_json = require("./main.js");
var hasLogins = (credentials) => credentials.some(({ values }) => values.some(({ logins }) => logins !== void 0));
var toolsOf = ({ logins = [] }) => logins.map((login) => (0, import_json.memberOf)(login, "tool")).filter((tool) => typeof tool === "string");
var LEASE_ID = /^[A-Za-z0-9._~-]{1,256}$/;
var NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
var TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
var FILE_MODE = /^0[46][04]0$/;
var MAX_VALUES = 64;
function readLease(answer) {
  const id = (0, import_json.memberOf)(answer, "lease");
  if (typeof id !== "string" || !LEASE_ID.test(id)) throw unusable("it has no lease");
  return { id, expiresAt: readTime((0, import_json.memberOf)(answer, "expires_at"), "the lease") };
}
function readCredentials(answer, grants) {
  const members = (0, import_json.membersOf)((0, import_json.memberOf)(answer, "credentials"));
  if (members === null) throw unusable("it has no credentials");
  const byGrant = new Map(members);
  const missing = grants.find((grant) => !byGrant.has(grant));
  if (missing !== void 0) throw unusable(`it has no credential for the grant ${missing}`);
  if (byGrant.size !== grants.length) throw unusable("it has credentials that were not requested");
  return grants.map((grant) => readCredential(grant, byGrant.get(grant)));
}
function readCredential(grant, credential) {
  const provider = (0, import_json.memberOf)(credential, "provider");
  const revocation = (0, import_json.memberOf)(credential, "revocation");
  const expiresAt = (0, import_json.memberOf)(credential, "expires_at") ?? null;
  const shortened2 = (0, import_json.memberOf)(credential, "shortened_to_seconds");
  const format = (0, import_json.memberOf)(credential, "format");
  const values = (0, import_json.membersOf)((0, import_json.memberOf)(credential, "values"));
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
    ...typeof shortened2 === "number" && Number.isSafeInteger(shortened2) && { shortenedToSeconds: shortened2 },
    values: values.map(([name, value]) => readValue(grant, name, value))
  };
}
function readValue(grant, name, member) {
  if (!NAME.test(name)) throw unusable(`the name of a value of ${grant} is invalid`);
  const value = (0, import_json.memberOf)(member, "value");
  const secret = (0, import_json.memberOf)(member, "secret");
  const env = (0, import_json.memberOf)(member, "env");
  if (typeof value !== "string") throw unusable(`the value ${name} of ${grant} is not a string`);
  if (typeof secret !== "boolean") throw unusable(`it does not say whether the value ${name} of ${grant} is secret`);
  if (env !== void 0 && typeof env !== "string")
    throw unusable(`the variable for the value ${name} of ${grant} is not a string`);
  const file = readFileForm(grant, name, (0, import_json.memberOf)(member, "file"));
  const logins = (0, import_json.memberOf)(member, "logins");
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
  const [mode, encoding] = [(0, import_json.memberOf)(form, "mode"), (0, import_json.memberOf)(form, "encoding")];
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
  return new import_failure.ActionError("answer_unusable", `The broker's answer cannot be used: ${fault}.`);
}

// deliver/logins.ts
var import_failure2 = require("./main.js");

// masks.ts
var MIN_CHARACTERS = 4;
var MIN_DIGITS = 8;
var MIN_LEAF_CHARACTERS = 6;
var MAX_ENCODED_LEAVES = 64;
var NUMBER = /^[-+]?[0-9]*[.,]?[0-9]*(?:e[-+]?[0-9]+)?$/i;
var PUNCTUATION = String.raw`^[\p{P}\p{Sm}\p{Sc}\p{Sk}\s]+$`;
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
  if (!HAS_WORD.test(text) && new RegExp(PUNCTUATION, "u").test(text)) return false;
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
var import_runner = require("./main.js");
async function planLogins(credentials, about) {
  const { folder, environment, variables } = about;
  if (folder === null || !hasLogins(credentials)) return { files: [], variables, notes: [], warnings: [] };
  const { planJobTools } = await Promise.resolve().then(() => __toESM(require("./tools.js"), 1));
  const tools = planJobTools(credentials, folder, environment);
  const set = new Set([...variables.keys()].map((name) => name.toUpperCase()));
  const both = [...tools.variables.keys()].find((name) => set.has(name.toUpperCase()));
  if (both !== void 0)
    throw new import_failure2.ActionError("delivery_refused", `A grant sets the variable ${both}, which a login needs. Use two steps.`);
  await (0, import_runner.registerMasks)(tools.secrets.flatMap(masksFor));
  return { ...tools, variables: new Map([...variables, ...tools.variables]) };
}

// federated.ts
var import_node_path = require("node:path");
var import_failure3 = require("./main.js");
function requiredValue({ grant, values }, name) {
  const found = values.find((one) => one.name === name)?.value ?? "";
  if (found !== "") return found;
  const message = `The broker's answer cannot be used: the credential of ${grant} has no ${name}.`;
  throw new import_failure3.ActionError("answer_unusable", message);
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
  const account = externalAccount(credential, { file: (0, import_node_path.join)(folder, credential.grant, TOKEN_FILE) });
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
  if (pattern[0] !== name[0] && pattern[0] !== "*") return false;
  const [head = "", tail] = pattern.split("*");
  if (tail === void 0) return name === pattern;
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
});

// deliver/environment.ts
var import_escape = require("./main.js");
var import_failure4 = require("./main.js");
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
  if (!NAME2.test(env)) throw refused(`The grant ${grant} names "${(0, import_escape.forLog)(env)}", which is not a valid variable name.`);
  if (isFile ? isForbiddenFileVariable(env) : isForbiddenVariable(env)) {
    throw refused(`The grant ${grant} names the variable ${env}, which changes how later steps run.`);
  }
  if (value.includes("\0")) {
    throw refused(`The value of ${grant} for ${env} contains a NUL character, which a variable cannot hold.`);
  }
}
function refused(message) {
  return new import_failure4.ActionError("delivery_refused", message);
}

// deliver/files.ts
var import_node_path2 = require("node:path");
var import_failure5 = require("./main.js");
function planFiles(credentials, folder) {
  const files = [];
  const taken = /* @__PURE__ */ new Set();
  const placed = credentials.map((credential) => {
    const values = credential.values.map((value) => {
      if (value.file === void 0) return value;
      const path = (0, import_node_path2.join)(folder, credential.grant, value.name);
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
var refused2 = (message) => new import_failure5.ActionError("delivery_refused", message);

// deliver/outputs.ts
var import_failure6 = require("./main.js");
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
        throw new import_failure6.ActionError("delivery_refused", `Two values have the same output name: ${output}.`);
      }
      taken.add(output.toLowerCase());
      plan2.set(output, value);
    }
  }
  return plan2;
}

// deliver/plan.ts
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
  const warning = variables.has(AWS_KEY_VARIABLE) ? warningOfProfile(environment) : null;
  return {
    folder,
    files,
    credentials,
    variables,
    outputs: toOutputs ? planOutputs(lease, credentials) : leaseOutputs(lease),
    places: placesOf(credentials, { toOutputs, toEnvironment }),
    notes: googleLogins.map(shortLoginLine),
    warnings: warning === null ? [] : [warning]
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

// deliver/room.ts
var import_failure7 = require("./main.js");
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
function ownerOf(variable, credentials) {
  return credentials.find(({ values }) => values.some(({ env }) => env === variable))?.grant ?? "";
}
var refused3 = (message) => new import_failure7.ActionError("delivery_refused", message);

// delivery.ts
var import_escape3 = require("./main.js");
var import_failure8 = require("./main.js");

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
function patternMac(keys, bytes) {
  return mac(keys, "pattern", bytes);
}
function valueMac(keys, value) {
  return mac(keys, "value", Buffer.from(value, "utf8"));
}
function mac(keys, use, bytes) {
  const digest = (0, import_node_crypto.createHmac)("sha256", keys.mac).update(`${use}\0`).update(bytes).digest();
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
  #salt = (0, import_node_crypto2.randomBytes)(SALT_BYTES);
  #keys;
  constructor(requestToken) {
    this.#keys = deriveKeys(requestToken, this.#salt);
  }
  /** A record as it is stored: JSON with the salt, and everything else encrypted. */
  make(values, since) {
    const patterns = values.flatMap((value, index) => value.patterns.map((bytes) => this.#pattern(bytes, index)));
    const record = {
      since,
      values: values.map(({ grant, name, variable }) => ({
        grant,
        name,
        ...variable && { env: variable.name, whole: valueMac(this.#keys, variable.text) }
      })),
      patterns: patterns.slice(0, MAX_PATTERNS)
    };
    const nonce = (0, import_node_crypto2.randomBytes)(12);
    const cipher = (0, import_node_crypto2.createCipheriv)("aes-256-gcm", this.#keys.seal, nonce);
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
var runner = __toESM(require("./main.js"), 1);
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
    const known = values.filter(({ variable }) => variable !== void 0 || this.#sweep.mode !== "off");
    if (known.length === 0) return;
    this.#maker ??= new RecordMaker(runner.idTokenEndpoint()?.requestToken ?? "");
    if (this.#folder === null) {
      this.#folder = runner.jobFolder();
      runner.saveState("issued", this.#folder);
      runner.makeJobFolder(this.#folder);
    }
    this.#written++;
    const name = this.#written === 1 ? "issued.json" : `issued-${this.#written}.json`;
    runner.writeRecord(this.#folder, name, this.#maker.make(known, this.#since));
  }
  /** From now on, values may be in the job's files: the post step looks for them. */
  delivered() {
    if (this.#folder === null || this.#sweep.mode === "off") return;
    runner.saveState("sweep", this.#sweep.mode);
    if (this.#sweep.paths.length > 0) runner.saveState("sweep-paths", this.#sweep.paths.join("\n"));
  }
  /** Nothing was delivered. */
  drop() {
    if (this.#folder !== null) runner.removeJobFolder(this.#folder);
  }
  #toRecord(grant, value, variables) {
    const { name, env, file } = value;
    const isSet2 = env !== void 0 && file === void 0 && variables.get(env) === value.value;
    const patterns = this.#sweep.mode === "off" ? [] : patternsFor(value.value, file?.encoding === "base64");
    return { grant, name, patterns, ...isSet2 && { variable: { name: env, text: value.value } } };
  }
};

// delivery.ts
var import_lease = require("./main.js");

// lifetime.ts
function shortened({ shortenedToSeconds }, requested) {
  if (shortenedToSeconds === void 0) return null;
  const than = requested === void 0 ? "requested" : `requested ${requested}`;
  return `${inWords(shortenedToSeconds)}, less than the ${than}`;
}
function inWords(seconds) {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

// revoke-lease.ts
var import_broker_client = require("./main.js");
var import_claims = require("./main.js");
var import_id_token = require("./main.js");
var import_key = require("./main.js");
var import_retry = require("./main.js");
var import_runner2 = require("./main.js");
async function revokeLease(id, home, deadline) {
  const endpoint = (0, import_runner2.idTokenEndpoint)();
  if (endpoint === null) throw (await Promise.resolve().then(() => __toESM(require("./failed.js"), 1))).noIdTokenEndpoint((0, import_runner2.jobFacts)());
  const audience = (0, import_key.boundAudience)(home.audience, (0, import_key.thumbprintWithoutKey)());
  return (0, import_retry.withRetries)(deadline, async () => {
    const token = await (0, import_id_token.requestIdToken)(endpoint, audience, deadline.attemptMs());
    await (0, import_runner2.registerMasks)([token]);
    (0, import_runner2.debug)(() => (0, import_claims.claimLines)(token));
    return (0, import_broker_client.requestRevocation)(home.broker, token, id, deadline.attemptMs());
  });
}

// delivery.ts
var runner2 = __toESM(require("./main.js"), 1);

// summary.ts
var import_escape2 = require("./main.js");
var MAX_SUMMARY_CHARACTERS = 5e5;
function grantedSummary(credentials, places, delivered) {
  const rows = credentials.map((credential) => [
    (0, import_escape2.forMarkdown)(credential.grant),
    (0, import_escape2.forMarkdown)(credential.provider),
    untilOf(credential, delivered.ttl),
    endOf(credential, delivered.keep ? null : delivered.isForCommand ? "command" : "job"),
    (0, import_escape2.forMarkdown)((places.get(credential.grant) ?? []).join(", "))
  ]);
  const grants = credentials.map(({ grant }) => (0, import_escape2.forMarkdown)(grant));
  return withinSizeLimit([
    `### This job got ${grants.length < 2 ? grants.join("") : `${grants.slice(0, -1).join(", ")} and ${grants.at(-1)}`}`,
    "",
    ...table(["grant", "provider", "until", "how it ends", "delivered as"], rows)
  ]);
}
function untilOf(credential, ttl) {
  if (credential.expiresAt === null) return "does not expire";
  const limit = shortened(credential, ttl);
  return `${(0, import_escape2.forMarkdown)(credential.expiresAt)}${limit === null ? "" : ` (the policy allows ${(0, import_escape2.forMarkdown)(limit)})`}`;
}
function endOf({ revocation, expiresAt }, holder) {
  if (revocation === "revocable" && holder !== null) return `revoked when the ${holder} ends`;
  if (revocation === "revocable") return "revoked when the lease is over: it is kept after the job";
  return expiresAt === null ? "stays valid until it is changed in its store" : "expires by itself";
}
function table(headings, rows) {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}
function withinSizeLimit(lines) {
  let length = 0;
  const end = lines.findIndex((line) => {
    length += line.length + 1;
    return length > MAX_SUMMARY_CHARACTERS;
  });
  return [...end === -1 ? lines : [...lines.slice(0, end), "", "*The rest is left out.*"], ""].join("\n");
}

// delivery.ts
async function deliver(answer, { inputs, leases, deadline, started }) {
  const issued = new IssuedRecords(inputs.sweep, started);
  const lease = readLease(answer);
  let folder = null;
  try {
    leases.confirm(lease);
    const received = readCredentials(answer, inputs.grants);
    const values = received.flatMap((credential) => credential.values);
    await runner2.registerMasks(values.flatMap(({ secret, value }) => secret ? masksFor(value) : []));
    const delivery = await plan(received, {
      inputs,
      lease,
      newFolder: runner2.jobFolder,
      environment: runner2.stepEnvironment()
    });
    requireRoom(delivery.credentials, delivery.variables, runner2.surroundings());
    folder = delivery.folder;
    if (folder !== null) {
      (0, import_lease.saveFilesFolder)(folder);
      runner2.writeJobFiles(folder, delivery.files);
    }
    issued.record(received, delivery.variables);
    (0, import_lease.saveVariables)(secretVariables(delivery));
    runner2.setOutputs(delivery.outputs);
    runner2.setVariables(delivery.variables);
    issued.delivered();
    if (inputs.keep) (0, import_lease.saveKeep)();
    say(received, delivery, inputs);
    if (inputs.keep) runner2.info(keptLine(lease.expiresAt));
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
  for (const credential of credentials) runner2.info(gotLine(credential, ttl));
  for (const note of notes) runner2.info(note);
  for (const warning of warnings) runner2.warn(warning);
  warnOfBareSecrets(received);
  runner2.debug(() => credentials.map(decisionLine));
  runner2.appendSummary(grantedSummary(credentials, places, { ttl, keep }));
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
  const limit = shortened(credential, ttl);
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
  return `decision: ${grant} allowed, by ${provider}, ${revocation}: ${(0, import_escape3.forLog)(names.join(", "))}`;
}
function warnOfBareSecrets(credentials) {
  for (const { grant, values } of credentials) {
    const bare = values.filter(({ secret, value }) => secret && isTooCommon(value)).map(({ name, env }) => env ?? name);
    if (bare.length === 0) continue;
    runner2.warn(
      `The log does not hide these secrets of ${grant}: ${(0, import_escape3.forLog)(bare.join(", "))}. Each has fewer than four characters, or is a number of fewer than eight digits, a truth value, or punctuation only. If it is not secret, add \`public: true\` to it in the policy. If it is, make it longer.`
    );
  }
}
function dropRecords(issued) {
  try {
    issued.drop();
  } catch (thrown) {
    runner2.warn(`A folder of this step could not be removed yet: ${(0, import_escape3.forLog)((0, import_failure8.toFailure)(thrown).message)}`);
  }
}
function removeFiles(folder) {
  try {
    runner2.removeJobFolder(folder);
  } catch (thrown) {
    runner2.warn(`The files of this step could not be removed yet: ${(0, import_escape3.forLog)((0, import_failure8.toFailure)(thrown).message)}`);
  }
}
async function revokeUndelivered(id, home, leases, deadline) {
  try {
    await revokeLease(id, home, deadline);
    leases.forget(id);
    runner2.info("Nothing was delivered, and the lease was revoked.");
  } catch (thrown) {
    runner2.warn(`The lease is not revoked yet; the post step tries again: ${(0, import_escape3.forLog)((0, import_failure8.toFailure)(thrown).message)}`);
  }
}

// aws-session.ts
var import_failure9 = require("./main.js");
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
    throw new import_failure9.ActionError(
      "answer_unusable",
      `The broker's answer cannot be used: the session of ${grant} is not complete.`
    );
  }
  return session;
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  AWS_KEY_VARIABLE,
  IssuedRecords,
  NAME,
  SESSION_VALUES,
  blankOldTokens,
  decisionLine,
  deliver,
  dropRecords,
  encodings,
  externalAccount,
  gotLine,
  grantedSummary,
  hasLogins,
  isTime,
  isTooCommon,
  keptLine,
  leaseOutputs,
  loginsOf,
  masksFor,
  needsGoogleFiles,
  placesOf,
  planDelivery,
  planEnvironment,
  planFiles,
  planLogins,
  planOutputs,
  readCredentials,
  readLease,
  readSession,
  removeFiles,
  requiredValue,
  revokeLease,
  revokeUndelivered,
  table,
  toolsOf,
  warnOfBareSecrets,
  warningOfProfile,
  withGoogleFiles,
  withinSizeLimit
});

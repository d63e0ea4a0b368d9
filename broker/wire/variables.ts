/**
 * Variables that tools do not read credentials from, and that change which program runs, where it is found or what it
 * trusts. An attacker who sets one can run code in every later step. Written in upper case; case is ignored.
 */
const FORBIDDEN_PREFIXES = [
  "GITHUB_",
  "RUNNER_",
  "ACTIONS_",
  "INPUT_",
  "STATE_",
  "LD_",
  "DYLD_",
  "BASH_",
  "GIT_",
  "NPM_CONFIG_",
  "CORECLR_",
  "COR_",
]
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...["CI", "PATH", "PATHEXT", "HOME", "USERPROFILE", "SHELL", "COMSPEC", "IFS", "ENV", "SHELLOPTS", "BASHOPTS", "PS4"],
  ...["PROMPT_COMMAND", "CDPATH", "TMPDIR", "TEMP", "TMP", "EDITOR", "PAGER", "BROWSER", "SYSTEMROOT", "WINDIR"],
  ...["NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_REPL_EXTERNAL_MODULE"],
  ...["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT", "RUBYLIB", "RUBYOPT", "CLASSPATH"],
  ...["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "MAVEN_OPTS", "GRADLE_OPTS", "GOFLAGS", "GOPROXY"],
  ...["RUSTC_WRAPPER", "CC", "CXX", "MAKEFLAGS", "DOCKER_HOST", "PSMODULEPATH", "DOTNET_STARTUP_HOOKS"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"],
  ...["OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES", "GCONV_PATH", "LOCPATH", "ZDOTDIR", "LESSOPEN", "VISUAL"],
  ...["MAKEFILES", "GNUMAKEFLAGS", "MFLAGS", "PERL5DB", "LUA_INIT", "PHPRC", "PHP_INI_SCAN_DIR", "PYTHONUSERBASE"],
  ...["SSH_ASKPASS", "SUDO_ASKPASS", "RUSTC", "RUSTFLAGS", "CARGO_HOME", "GOENV", "GOROOT", "GOTOOLCHAIN", "JAVA_HOME"],
  ...["PIP_CONFIG_FILE", "GOCACHEPROG", "PYTEST_ADDOPTS", "PYTHONWARNINGS", "PYTHONBREAKPOINT", "BUNDLE_GEMFILE"],
  ...["CARGO_ENCODED_RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOC", "RUSTDOCFLAGS", "DOTNET_ADDITIONAL_DEPS"],
  ...["ERL_FLAGS", "ERL_AFLAGS", "ERL_ZFLAGS", "R_PROFILE", "R_PROFILE_USER", "R_ENVIRON", "R_ENVIRON_USER"],
  ...["XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_DIRS", "JULIA_LOAD_PATH", "JULIA_DEPOT_PATH"],
  ...["REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "TF_CLI_CONFIG_FILE", "BUN_OPTIONS", "RUBYSHELL", "GEM_PATH", "GEM_HOME"],
])

/** True for a variable that changes how later steps run. A credential must not be delivered in it. */
export function isForbiddenVariable(name: string): boolean {
  const upper = name.toUpperCase()
  return FORBIDDEN.has(upper) || FORBIDDEN_PREFIXES.some((prefix) => upper.startsWith(prefix))
}

import type { Credential } from "../answer.ts"
import { forLog } from "../escape.ts"
import { ActionError } from "../failure.ts"

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/

/**
 * Variables that no credential is read from and that change what runs, where it is found or whom it trusts. A broker
 * that was talked into naming one of them would run its code in every step that follows. Upper case; case is ignored.
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
  ...["REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "TF_CLI_CONFIG_FILE", "BUN_OPTIONS", "RUBYSHELL", "GEM_PATH", "GEM_HOME"],
])

/**
 * The variables that these credentials become, all checked and none set.
 * @throws {ActionError} `delivery_refused` for a name that must not be set, a value that no variable can hold, two
 *   grants that want one variable for different values, or a grant that would not arrive at all
 */
export function planEnvironment(credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const plan = new Map<string, string>()
  const owners = new Map<string, { readonly grant: string; readonly name: string; readonly value: string }>()
  for (const { grant, values } of credentials) {
    if (!values.some(({ env }) => env !== undefined)) {
      throw refused(`The grant ${grant} names no environment variable for any of its values.`)
    }
    for (const { name, value, env } of values) {
      if (env === undefined) continue
      checkVariable(env, value, grant)
      // Windows takes AWS_REGION and aws_region for one variable.
      const owner = owners.get(env.toUpperCase())
      if (owner !== undefined && owner.value !== value) {
        const whose = `${grant} (${name}) and ${owner.grant} (${owner.name})`
        throw refused(`Two grants set the variable ${env} to different values: ${whose}; only outputs keep them apart.`)
      }
      owners.set(env.toUpperCase(), { grant, name, value })
      plan.set(env, value)
    }
  }
  return plan
}

function checkVariable(env: string, value: string, grant: string): void {
  if (!NAME.test(env)) throw refused(`The grant ${grant} names "${forLog(env)}", which is no name of a variable.`)
  const upper = env.toUpperCase()
  if (FORBIDDEN.has(upper) || FORBIDDEN_PREFIXES.some((prefix) => upper.startsWith(prefix))) {
    throw refused(`The grant ${grant} names the variable ${env}, which changes how later steps run.`)
  }
  if (value.includes("\0")) throw refused(`The value that ${grant} has for ${env} holds a NUL, which no variable can.`)
}

function refused(message: string): ActionError {
  return new ActionError("delivery_refused", message)
}

// Long because it is one table: every tool that reads variables. variable-sources.ts has the source of each entry.

/** Variables of one tool that change how later steps run. Names are in upper case; `*` stands for any characters. */
export interface VariableFamily {
  readonly tool: string
  readonly names: readonly string[]
  /** Credentials and harmless settings that the patterns in `names` would include. */
  readonly except?: readonly string[]
  /** Variables with the path of a configuration file. They may name a file that Daypass itself delivers. */
  readonly files?: readonly string[]
}

const list = (names: string): readonly string[] => names.split(" ")

/**
 * Variables that change which program a later step runs, where it is found, what it loads, whom it trusts or where it sends
 * what it knows. An attacker who sets one can run code in every later step, or read its traffic.
 *
 * Only variables that tools read by themselves. Variables that contain credentials for a tool are not listed: a policy is
 * there to deliver them.
 */
const FAMILIES = [
  {
    tool: "GitHub Actions",
    names: list("CI GITHUB_* RUNNER_* ACTIONS_* INPUT_* STATE_*"),
  },
  {
    tool: "the system",
    names: list(
      "PATH HOME SHELL TMPDIR TEMP TMP CDPATH ENV IFS LOCPATH NLSPATH GCONV_PATH GLIBC_TUNABLES HOSTALIASES LOCALDOMAIN RES_OPTIONS XDG_*",
    ),
  },
  { tool: "the dynamic linker", names: list("LD_* DYLD_*") },
  {
    tool: "Windows",
    names: list("PATHEXT COMSPEC USERPROFILE SYSTEMROOT WINDIR APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES*"),
  },
  {
    tool: "shells",
    names: list(
      "BASH_* BASHOPTS SHELLOPTS PS0 PS1 PS2 PS4 PROMPT_COMMAND GLOBIGNORE ZDOTDIR FPATH PSMODULEPATH PSEXECUTIONPOLICYPREFERENCE",
    ),
  },
  {
    tool: "editors, pagers and browsers",
    names: list(
      "EDITOR VISUAL PAGER BROWSER MANPAGER MANOPT *_EDITOR *_PAGER *_BROWSER LESS LESSOPEN LESSCLOSE LESSKEY LESSKEYIN LESSKEY_* HGEDITOR VIMINIT GVIMINIT EXINIT INPUTRC",
    ),
  },
  {
    tool: "proxies",
    names: list("HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY CURL_HOME"),
  },
  {
    tool: "TLS",
    names: list("OPENSSL_* SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GNUTLS_*"),
  },
  {
    tool: "SSH and programs that start it",
    names: list("SSH_ASKPASS* SSH_AUTH_SOCK SSH_SK_* SSH_PKCS11_* SVN_SSH CVS_RSH RSYNC_* SUDO_ASKPASS"),
    except: list("RSYNC_PASSWORD"),
  },
  {
    tool: "tar, zip, Wget and text tools",
    names: list(
      "TAR_OPTIONS TAR_RSH ZIP ZIPOPT UNZIP UNZIPOPT WGETRC SYSTEM_WGETRC RIPGREP_CONFIG_PATH AWKPATH AWKLIBPATH GREP_OPTIONS",
    ),
    files: list("WGETRC"),
  },
  {
    tool: "GnuPG and clients of databases",
    names: list("GNUPGHOME GPG_AGENT_INFO PSQLRC PGSYSCONFDIR PGSERVICEFILE MYSQL_HOME"),
    files: list("PGSERVICEFILE"),
  },
  { tool: "Git", names: list("GIT_*") },
  {
    tool: "GitHub CLI",
    names: list("GH_HOST GH_CONFIG_DIR GH_PATH GH_FORCE_TTY"),
  },
  {
    tool: "Node.js",
    names: list(
      "NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NODE_REPL_* NODE_COMPILE_CACHE NODE_ICU_DATA NODE_REDIRECT_WARNINGS NODE_V8_COVERAGE NODE_USE_* NODE_CHANNEL_*",
    ),
  },
  {
    tool: "npm, pnpm and Corepack",
    names: list("NPM_CONFIG_* PNPM_CONFIG_* PNPM_HOME COREPACK_*"),
    files: list("NPM_CONFIG_USERCONFIG NPM_CONFIG_GLOBALCONFIG"),
    except: list("COREPACK_NPM_TOKEN COREPACK_NPM_USERNAME COREPACK_NPM_PASSWORD"),
  },
  {
    tool: "Yarn",
    names: list("YARN_*"),
    except: list("YARN_NPM_AUTH_TOKEN YARN_NPM_AUTH_IDENT"),
  },
  {
    tool: "Bun and Deno",
    names: list("BUN_OPTIONS BUN_INSTALL* BUN_CONFIG_* DENO_DIR DENO_CERT DENO_TLS_CA_STORE DENO_INSTALL_ROOT"),
    except: list("BUN_CONFIG_TOKEN"),
  },
  {
    tool: "Python",
    names: list("PYTHON* PYTEST_ADDOPTS PYTEST_PLUGINS VIRTUAL_ENV"),
  },
  {
    tool: "pip",
    names: list("PIP_*"),
    except: list("PIP_INDEX_URL PIP_EXTRA_INDEX_URL"),
    files: list("PIP_CONFIG_FILE"),
  },
  {
    tool: "uv, Poetry and conda",
    names: list("UV_* POETRY_* CONDARC CONDA_* MAMBARC MAMBA_*"),
    except: list(
      "UV_INDEX UV_INDEX_* UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_PUBLISH_TOKEN UV_PUBLISH_USERNAME UV_PUBLISH_PASSWORD POETRY_HTTP_BASIC_* POETRY_PYPI_TOKEN_*",
    ),
  },
  {
    tool: "Perl",
    names: list("PERLLIB PERL5* PERL_*"),
  },
  {
    tool: "Ruby",
    names: list(
      "RUBYOPT RUBYLIB RUBYPATH RUBYSHELL RUBYGEMS_GEMDEPS RUBY_ROOT RUBY_DEBUG_* GEM_HOME GEM_PATH GEM_SPEC_CACHE GEMRC BUNDLE_GEMFILE BUNDLE_PATH* BUNDLE_BIN* BUNDLE_APP_CONFIG BUNDLE_USER_* BUNDLE_MIRROR* BUNDLE_LOCAL* BUNDLE_SSL_* BUNDLER_*",
    ),
  },
  {
    tool: "PHP and Composer",
    names: list("PHPRC PHP_INI_SCAN_DIR PHP_BINARY PHP_PEAR_* COMPOSER COMPOSER_*"),
    except: list("COMPOSER_AUTH"),
  },
  {
    tool: "the JVM",
    names: list(
      "JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JDK_JAVAC_OPTIONS JAVA_OPTS JAVA_HOME JRE_HOME JDK_HOME CLASSPATH *_JAVA_OPTS JVM_OPTS *_JVM_OPTS",
    ),
  },
  {
    tool: "Maven, Gradle, sbt and Ant",
    names: list(
      "MAVEN_OPTS MAVEN_ARGS MAVEN_HOME MAVEN_PROJECTBASEDIR MAVEN_CONFIG M2_HOME MVNW_* GRADLE_OPTS GRADLE_HOME GRADLE_USER_HOME SBT_OPTS SBT_HOME SBT_LAUNCH_* ANT_OPTS ANT_ARGS ANT_HOME COURSIER_* SONAR_SCANNER_OPTS",
    ),
    except: list("COURSIER_CREDENTIALS"),
  },
  {
    tool: "Go",
    names: list(
      "GOFLAGS GOPROXY GOENV GOROOT GOPATH GOBIN GOTOOLCHAIN GOTOOLDIR GOCACHEPROG GOCACHE GOMODCACHE GOTMPDIR GOSUMDB GONOSUMDB GONOSUMCHECK GONOPROXY GOPRIVATE GOINSECURE GOVCS GOAUTH GOWORK GODEBUG GOEXPERIMENT GCCGO* CGO_* FC AR",
    ),
  },
  {
    tool: "Rust and Cargo",
    names: list("RUSTC RUSTC_* RUSTDOC RUSTDOC_* RUSTDOCFLAGS RUSTFLAGS RUSTUP_* CARGO CARGO_*"),
    except: list("CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_*_TOKEN"),
  },
  {
    tool: "compilers and make",
    names: list(
      "CC CXX CPP CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH COMPILER_PATH GCC_EXEC_PREFIX MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKEFILES CMAKE_* CTEST_* PKG_CONFIG* CCACHE_PREFIX* CCACHE_COMPILER CCACHE_PATH CCACHE_CONFIGPATH DEVELOPER_DIR SDKROOT TOOLCHAINS",
    ),
  },
  {
    tool: "Bazel, Nix and Homebrew",
    names: list("BAZELISK_* BAZEL_SH USE_BAZEL_VERSION NIX_* HOMEBREW_*"),
    except: list(
      "BAZELISK_GITHUB_TOKEN HOMEBREW_GITHUB_API_TOKEN HOMEBREW_GITHUB_PACKAGES_TOKEN HOMEBREW_GITHUB_PACKAGES_USER HOMEBREW_DOCKER_REGISTRY_TOKEN HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN",
    ),
  },
  {
    tool: "version managers",
    names: list("NVM_DIR VOLTA_HOME ASDF_* MISE_* PYENV_* RBENV_ROOT SDKMAN_DIR"),
    except: list("MISE_GITHUB_TOKEN"),
  },
  {
    tool: ".NET",
    names: list(
      "DOTNET_* COMPLUS_* CORECLR_* COR_* ASPNETCORE_HOSTINGSTARTUPASSEMBLIES NUGET_PACKAGES NUGET_*PLUGIN_PATHS NUGET_CREDENTIALPROVIDERS_PATH NUGET_RESTORE_MSBUILD_ARGS MSBUILD* CUSTOMBEFOREMICROSOFT* CUSTOMAFTERMICROSOFT* DIRECTORYBUILDPROPSPATH DIRECTORYBUILDTARGETSPATH",
    ),
  },
  {
    tool: "other languages",
    names: list(
      "ERL_* ELIXIR_ERL_OPTIONS MIX_HOME MIX_ARCHIVES MIX_EXS HEX_HOME LUA_INIT* LUA_PATH* LUA_CPATH* R_* JULIA_* GHC* CABAL_* STACK_ROOT STACK_YAML STACK_WORK STACK_CONFIG TCLLIBPATH TCL_LIBRARY OCAML* CAML* OPAM*",
    ),
  },
  {
    tool: "AWS's command line and SDKs",
    names: list(
      "AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ENDPOINT_URL* AWS_CA_BUNDLE AWS_DATA_PATH AWS_EC2_METADATA_* AWS_CONTAINER_CREDENTIALS_*",
    ),
    files: list("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE"),
  },
  {
    tool: "Google's command line and libraries",
    names: list(
      "CLOUDSDK_PYTHON* CLOUDSDK_GSUTIL_PYTHON CLOUDSDK_CONFIG CLOUDSDK_ROOT_DIR CLOUDSDK_PROXY_* CLOUDSDK_API_ENDPOINT_OVERRIDES_* CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE BOTO_CONFIG BOTO_PATH GCE_METADATA_* GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
    ),
    files: list("BOTO_CONFIG"),
  },
  {
    tool: "Azure's command line",
    names: list("AZURE_CONFIG_DIR AZURE_EXTENSION_DIR AZURE_EXTENSION_DEV_SOURCES"),
  },
  {
    tool: "Terraform, OpenTofu and Terragrunt",
    names: list(
      "TF_CLI_* TF_DATA_DIR TF_PLUGIN_* TF_REATTACH_PROVIDERS TF_REGISTRY_* TF_LOG_PATH TF_TEMP_LOG_PATH TERRAFORM_BINARY_NAME TERRAGRUNT_* TG_TF_* TG_CONFIG TG_WORKING_DIR TG_DOWNLOAD_DIR TG_SOURCE* TG_AUTH_PROVIDER_CMD TG_PROVIDER_CACHE* ARM_METADATA_HOST* ARM_ENDPOINT GOOGLE_*_CUSTOM_ENDPOINT",
    ),
    files: list("TF_CLI_CONFIG_FILE"),
  },
  {
    tool: "Ansible",
    names: list("ANSIBLE_*"),
    files: list("ANSIBLE_VAULT_PASSWORD_FILE ANSIBLE_PRIVATE_KEY_FILE"),
  },
  {
    tool: "Pulumi and Packer",
    names: list("PULUMI_HOME PULUMI_PYTHON_CMD PULUMI_IGNORE_* PACKER_CONFIG* PACKER_PLUGIN_* PACKER_CACHE_DIR"),
  },
  {
    tool: "Docker and Podman",
    names: list(
      "DOCKER_HOST DOCKER_CONFIG DOCKER_CONTEXT DOCKER_CERT_PATH DOCKER_TLS* DOCKER_CONTENT_TRUST* DOCKER_CLI_* DOCKER_DEFAULT_PLATFORM BUILDKIT_HOST BUILDX_* COMPOSE_FILE COMPOSE_ENV_FILES COMPOSE_PATH_SEPARATOR CONTAINER_HOST CONTAINER_SSHKEY CONTAINERS_*",
    ),
    files: list("DOCKER_CONFIG"),
  },
  {
    tool: "kubectl and Helm",
    names: list(
      "KUBECONFIG KUBERC KUBECTL_* KUBERNETES_MASTER KREW_ROOT HELM_BIN HELM_PLUGINS HELM_*_HOME HELM_REPOSITORY_* HELM_REGISTRY_CONFIG HELM_KUBE*",
    ),
    except: list("HELM_KUBETOKEN"),
    files: list("KUBECONFIG HELM_REGISTRY_CONFIG HELM_REPOSITORY_CONFIG"),
  },
] as const satisfies readonly VariableFamily[]

export const VARIABLE_FAMILIES: readonly VariableFamily[] = FAMILIES
export type VariableTool = (typeof FAMILIES)[number]["tool"]

/** True for a variable that changes how later steps run. A credential must not be delivered in it. */
export function isForbiddenVariable(name: string): boolean {
  const upper = name.toUpperCase()
  return [upper[0] ?? "", "*"].some((first) =>
    BY_FIRST.get(first)?.some(
      ({ pattern, except }) => matches(pattern, upper) && !except.some((one) => matches(one, upper)),
    ),
  )
}

/** True for a variable that must not be delivered, even when its value is the path of a file that Daypass delivers. */
export const isForbiddenFileVariable = (name: string): boolean =>
  isForbiddenVariable(name) && !VARIABLE_FAMILIES.some(({ files = [] }) => files.includes(name.toUpperCase()))

/** Compares texts: regular expressions of all families took two milliseconds of every start of the action. */
function matches(pattern: string, name: string): boolean {
  const [head = "", tail] = pattern.split("*")
  if (tail === undefined) return name === pattern
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail)
}

/** All names by their first character, so that a look-up takes few of them apart: all of them took a millisecond of a step. */
const BY_FIRST = new Map<string, { readonly pattern: string; readonly except: readonly string[] }[]>()
for (const { names, except = [] } of VARIABLE_FAMILIES) {
  for (const pattern of names) {
    const alike = BY_FIRST.get(pattern[0] ?? "")
    if (alike === undefined) BY_FIRST.set(pattern[0] ?? "", [{ pattern, except }])
    else alike.push({ pattern, except })
  }
}

import { describe, expect, it } from "vitest"
import { CASES } from "../../broker/providers/cases.ts"
import { VARIABLE_SOURCES } from "../../broker/wire/variable-sources.ts"
import { isForbiddenFileVariable, isForbiddenVariable, VARIABLE_FAMILIES } from "../../broker/wire/variables.ts"

describe("a variable that changes how later steps run", () => {
  it.each([
    ...["PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "GITHUB_TOKEN", "HTTPS_PROXY", "SSLKEYLOGFILE"],
    ...["AWS_CONFIG_FILE", "AWS_ENDPOINT_URL_S3", "CLOUDSDK_PYTHON", "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"],
    ...["PERLLIB", "PERL5LIB", "PERL5OPT", "CARGO_BUILD_RUSTC_WRAPPER", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"],
    ...["CARGO_REGISTRIES_ACME_INDEX", "CARGO_REGISTRIES_ACME_CREDENTIAL_PROVIDER", "RUSTUP_DIST_SERVER"],
    ...["TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_CLI_CONFIG_FILE", "TF_REATTACH_PROVIDERS", "ANSIBLE_LIBRARY"],
    // Terraform's providers send the job's credentials there.
    ...["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST", "ARM_ENDPOINT", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"],
    ...["SBT_OPTS", "JAVA_OPTS", "MAVEN_OPTS", "MAVEN_ARGS", "GRADLE_OPTS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"],
    ...["PYTHONPATH", "PYTHONSTARTUP", "PIP_TRUSTED_HOST", "UV_PYTHON", "NODE_OPTIONS", "NODE_COMPILE_CACHE"],
    ...["npm_config_registry", "PNPM_CONFIG_REGISTRY", "YARN_YARN_PATH", "COREPACK_NPM_REGISTRY", "RUBYOPT"],
    ...["BUNDLE_GEMFILE", "GIT_SSH_COMMAND", "DOTNET_STARTUP_HOOKS", "COMPLUS_JITNAME", "GOFLAGS", "GOAUTH"],
    ...["CGO_CFLAGS", "PHP_INI_SCAN_DIR", "COMPOSER_HOME", "EDITOR", "KUBE_EDITOR", "AWS_PAGER", "LESSOPEN"],
    ...["DOCKER_HOST", "DOCKER_CONFIG", "KUBECONFIG", "HELM_PLUGINS", "SSH_ASKPASS", "SSH_AUTH_SOCK", "RSYNC_RSH"],
    ...["TAR_OPTIONS", "ZIPOPT", "WGETRC", "GNUPGHOME", "PSQLRC", "VIMINIT", "BAZELISK_BASE_URL", "NIX_CONFIG"],
    ...["AZURE_CONFIG_DIR", "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "Path", "ld_preload"],
  ])("is %s", (name) => {
    expect(isForbiddenVariable(name)).toBe(true)
  })

  it.each([
    ...[
      "AWS_ACCESS_KEY_ID",
      "AWS_PROFILE",
      "AZURE_CLIENT_ID",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "CLOUDSDK_CORE_PROJECT",
    ],
    ...["NODE_AUTH_TOKEN", "NPM_TOKEN", "YARN_NPM_AUTH_TOKEN", "CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_ACME_TOKEN"],
    ...[
      "TF_VAR_db_password",
      "TF_TOKEN_app_terraform_io",
      "PIP_INDEX_URL",
      "UV_INDEX_ACME_PASSWORD",
      "UV_PUBLISH_TOKEN",
    ],
    ...["POETRY_HTTP_BASIC_ACME_PASSWORD", "TWINE_PASSWORD", "COMPOSER_AUTH", "BUNDLE_GEMS__EXAMPLE__COM"],
    ...["ORG_GRADLE_PROJECT_signingKey", "SSH_PRIVATE_KEY", "RSYNC_PASSWORD", "DOCKER_PASSWORD", "HELM_KUBETOKEN"],
    ...[
      "SONAR_TOKEN",
      "PULUMI_ACCESS_TOKEN",
      "SOPS_AGE_KEY",
      "GH_TOKEN",
      "VAULT_TOKEN",
      "DATABASE_URL",
      "PGPASSWORD",
      "PGSERVICE",
    ],
  ])("is not %s, which is a credential or chooses one", (name) => {
    expect(isForbiddenVariable(name)).toBe(false)
  })

  it("is none that a provider itself sets", () => {
    const minted = [...CASES.values()].flat().flatMap((one) => ("values" in one.expect ? [one.expect.values] : []))
    const names = minted.flatMap((values) => Object.values(values).flatMap(({ env }) => env ?? []))
    expect(names.length).toBeGreaterThan(0)
    expect(names.filter(isForbiddenVariable)).toEqual([])
  })
})

describe("a file that Daypass delivers", () => {
  const files = VARIABLE_FAMILIES.flatMap(({ files = [] }) => files)

  it("may be named by the variables that tools find their configuration with", () => {
    expect(files).toEqual(expect.arrayContaining(["NPM_CONFIG_USERCONFIG", "KUBECONFIG", "AWS_CONFIG_FILE"]))
    for (const name of files) expect([name, isForbiddenFileVariable(name)]).toEqual([name, false])
    expect(isForbiddenFileVariable("kubeconfig")).toBe(false)
  })

  it.each([
    "PATH",
    "BASH_ENV",
    "LD_PRELOAD",
    "NODE_OPTIONS",
    "RUSTC_WRAPPER",
    "GIT_CONFIG_GLOBAL",
    "SSH_ASKPASS",
    "TAR_OPTIONS",
  ])("may not be named by %s", (name) => {
    expect(isForbiddenFileVariable(name)).toBe(true)
  })
})

describe("the table", () => {
  it.each(VARIABLE_FAMILIES)("gives a source and no empty or unused entry for $tool", (family) => {
    const { tool, names, except = [], files = [] } = family
    expect(Object.entries(VARIABLE_SOURCES)).toContainEqual([tool, expect.stringMatching(/\S/)])
    for (const name of [...names, ...except, ...files]) expect(name).toMatch(/^[A-Z0-9_*]*[A-Z][A-Z0-9_*]*$/)
    // An exception that no pattern includes would say nothing.
    const included = (name: string) =>
      names.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name.replaceAll("*", "X")))
    expect([...except, ...files].filter((name) => !included(name))).toEqual([])
  })

  it("is matched in linear time", () => {
    const started = performance.now()
    for (let index = 0; index < 100; index += 1) isForbiddenVariable(`NUGET_${"PLUGIN_".repeat(36)}X`)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

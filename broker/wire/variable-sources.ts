import type { VariableTool } from "./variables.ts"

/**
 * Where each tool documents the variables of `VARIABLE_FAMILIES`: pages without `https://`, or manual pages, separated by a comma.
 * Apart from them, because no bundle needs it.
 */
export const VARIABLE_SOURCES: Readonly<Record<VariableTool, string>> = {
  "GitHub Actions": "docs.github.com/actions/reference/workflows-and-actions/variables",
  "the system": "environ(7), hostname(7), resolver(3)",
  "the dynamic linker": "ld.so(8), dyld(1)",
  Windows: "learn.microsoft.com/windows/deployment/usmt/usmt-recognized-environment-variables",
  shells: "bash(1), zshparam(1), learn.microsoft.com/powershell: about_Environment_Variables",
  "editors, pagers and browsers": "environ(7), less(1), git-var(1)",
  proxies: "curl(1)",
  TLS: "openssl-env(7), curl(1), requests.readthedocs.io/en/latest/user/advanced",
  "SSH and programs that start it": "ssh(1), rsync(1), sudo(8)",
  "tar, zip, Wget and text tools": "tar(1), zip(1), unzip(1), wget(1), rg(1), gawk(1), grep(1)",
  "GnuPG and clients of databases": "gpg(1), psql(1), dev.mysql.com/doc/refman/8.4/en/environment-variables.html",
  Git: "git(1)",
  "GitHub CLI": "cli.github.com/manual/gh_help_environment",
  "Node.js": "nodejs.org/api/cli.html",
  "npm, pnpm and Corepack": "docs.npmjs.com/cli/using-npm/config, pnpm.io/settings, github.com/nodejs/corepack",
  Yarn: "yarnpkg.com/configuration/yarnrc",
  "Bun and Deno": "bun.com/docs/runtime/environment-variables, docs.deno.com/runtime/reference/env_variables",
  Python: "docs.python.org/3/using/cmdline.html, docs.pytest.org/en/stable/reference/reference.html",
  pip: "pip.pypa.io/en/stable/topics/configuration",
  "uv, Poetry and conda":
    "docs.astral.sh/uv/reference/environment, python-poetry.org/docs/configuration, docs.conda.io",
  Perl: "perlrun(1), ExtUtils::MakeMaker(3pm)",
  Ruby: "docs.ruby-lang.org/en/master/ruby/options_md.html, bundler.io/man/bundle-config.1.html",
  "PHP and Composer": "php.net/manual/en/configuration.file.php, getcomposer.org/doc/03-cli.md",
  "the JVM": "docs.oracle.com: java(1), the tool interface's JAVA_TOOL_OPTIONS",
  "Maven, Gradle, sbt and Ant":
    "maven.apache.org/configure.html, docs.gradle.org: build environment, scala-sbt.org: command line reference, ant.apache.org/manual/running.html",
  Go: "go.dev/ref/mod, pkg.go.dev/cmd/go",
  "Rust and Cargo":
    "doc.rust-lang.org/cargo/reference/environment-variables.html, rust-lang.github.io/rustup/environment-variables.html",
  "compilers and make": "gcc(1), make(1), cmake-env-variables(7), pkg-config(1), ccache(1)",
  "Bazel, Nix and Homebrew":
    "github.com/bazelbuild/bazelisk, nix.dev/manual/nix/stable/command-ref/env-common, docs.brew.sh/Manpage",
  "version managers":
    "github.com/nvm-sh/nvm, docs.volta.sh, asdf-vm.com/manage/configuration.html, mise.jdx.dev/configuration.html",
  ".NET":
    "learn.microsoft.com/dotnet/core/tools/dotnet-environment-variables, learn.microsoft.com/dotnet/core/runtime-config",
  "other languages":
    "erl(1), lua(1), Startup in R, docs.julialang.org: environment variables, ghc(1), tclsh(1), ocamlrun(1)",
  "AWS's command line and SDKs":
    "docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html, docs.aws.amazon.com/sdkref",
  "Google's command line and libraries":
    "docs.cloud.google.com/sdk/gcloud/reference/topic/startup, google.aip.dev/auth/4110",
  "Azure's command line": "learn.microsoft.com/cli/azure/azure-cli-configuration",
  "Terraform, OpenTofu and Terragrunt":
    "developer.hashicorp.com/terraform/cli/config/environment-variables, terragrunt.gruntwork.io: CLI options, and the settings metadata_host and *_custom_endpoint of the providers azurerm and google",
  Ansible: "docs.ansible.com/ansible/latest/reference_appendices/config.html",
  "Pulumi and Packer": "pulumi.com/docs/iac/cli/environment-variables, developer.hashicorp.com/packer/docs/configure",
  "Docker and Podman":
    "docs.docker.com/reference/cli/docker, docs.docker.com/compose/how-tos/environment-variables/envvars",
  "kubectl and Helm": "kubernetes.io/docs/reference/kubectl, helm.sh/docs/helm/helm",
}

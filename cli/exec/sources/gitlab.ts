import { DEFAULT_VARIABLE, fromVariable } from "./variable.ts"

/** GitLab CI: `id_tokens` of a job become variables (docs.gitlab.com: ci/yaml, id_tokens). */
export const GITLAB = fromVariable({
  name: "gitlab",
  title: "GitLab CI",
  isHere: (environment) => environment["GITLAB_CI"] === "true",
  variable: DEFAULT_VARIABLE,
  change: `Add \`id_tokens: { ${DEFAULT_VARIABLE}: { aud: <the broker's audience> } }\` to the job in .gitlab-ci.yml, or name your own variable with --token-variable.`,
  another: "add a second variable with the same `aud` to the job's `id_tokens`, and name it with --token-variable",
})

import { readFileSync } from "node:fs"

/** Claims to set; null leaves one out. */
export type ClaimOverrides = Readonly<Record<string, unknown>>

/** A job's claims. Those that every mint sets anew stand in it only when they are overridden; null leaves one out. */
export type GitHubClaims = Record<string, unknown>

const MINTED = ["iss", "aud", "iat", "nbf", "exp", "jti"]

/**
 * The claims of one job as GitHub would send them: a recorded sample with `overrides`, in which the claims that repeat
 * others follow them. Overriding `repository` or `ref` alone therefore gives a token that agrees with itself; to get
 * one that does not, override the repeating claim (`sub`, `repository_owner`, `workflow_ref`, ...) too.
 */
export function githubClaims(overrides: ClaimOverrides = {}, sample = sampleFor(overrides)): GitHubClaims {
  const recorded = readSample(sample)
  const claims: GitHubClaims = { ...recorded, ...overrides }
  const repository = String(claims["repository"])
  if (repository !== recorded["repository"]) claims["repository_owner"] = repository.split("/")[0]
  if ("ref" in overrides && "ref_protected" in claims) {
    claims["ref_protected"] = claims["ref"] === "refs/heads/main" ? "true" : "false"
  }
  if ("repository" in overrides || "ref" in overrides) {
    const workflow = `${repository}/.github/workflows/deploy.yml@${String(claims["ref"])}`
    claims["workflow_ref"] = workflow
    claims["job_workflow_ref"] = workflow
  }
  if (claims["environment"] === undefined || claims["environment"] === null) delete claims["environment_node_id"]
  claims["sub"] = subject(claims)
  for (const [name, value] of Object.entries(overrides)) {
    if (value === null && !MINTED.includes(name)) delete claims[name]
    else claims[name] = value
  }
  for (const name of MINTED) if (!(name in overrides)) delete claims[name]
  return claims
}

/** GitHub's standard `sub`: environment first, then pull request, then ref. A colon inside a value is `%3A`. */
function subject(claims: GitHubClaims): string {
  const part = (name: string) => String(claims[name]).replaceAll(":", "%3A")
  const prefix = `repo:${part("repository")}`
  if (typeof claims["environment"] === "string") return `${prefix}:environment:${part("environment")}`
  if (claims["event_name"] === "pull_request") return `${prefix}:pull_request`
  return `${prefix}:ref:${String(claims["ref"])}`
}

const sampleFor = (overrides: ClaimOverrides) =>
  typeof overrides["environment"] === "string" ? "github-environment" : "github-branch"

const readSample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../vectors/claims/${name}.json`, import.meta.url), "utf8")) as Record<
    string,
    unknown
  >

import * as z from "zod"
import { spell } from "../../analysis/used/yaml-edits.ts"
import type { Connection } from "../../broker/core/policy/model.ts"
import { partitionOf } from "../../broker/providers/aws/partitions.ts"
import type { RepositoryFacts } from "../github/repository.ts"
import type { Given, Vendor } from "./vendors.ts"
import { flow, scalar, type YamlValue } from "./yaml-text.ts"

const SCHEMAS = "https://raw.githubusercontent.com/daypass/daypass/main/docs/schema"
/** The issuer's name in a new organisation file. */
export const FIRST_ISSUER = "github"
const EXAMPLE_AUDIENCE = "https://service.example.com"

/** The keys of a first grant, as the policy writes them. */
export interface FirstGrant {
  readonly name: string
  readonly connection: string
  readonly fields: Readonly<Record<string, YamlValue>>
  /** Absent for values that have no end. */
  readonly ttl?: string
  /** What to change before the grant is used. */
  readonly advice: string
}

/** A connection of a new organisation file. */
export interface FirstConnection {
  readonly name: string
  readonly provider: string
  readonly settings: Readonly<Record<string, YamlValue>>
  readonly comments: { readonly before: string; readonly after: readonly string[] }
  /** What a boundary would name of it, as an example. */
  readonly ceiling: Readonly<Record<string, string>>
}

/** Tokens that the broker signs: the one connection that needs no account at a provider. */
export const tokenConnection = (name: string): FirstConnection => ({
  name,
  provider: "identity-token",
  settings: { audiences: [EXAMPLE_AUDIENCE] },
  comments: {
    before:
      "Tokens that the broker signs, for services that trust OpenID Connect. List the audiences that policies may name.",
    after: [
      "A connection to an AWS account looks like this:",
      'aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }',
    ],
  },
  ceiling: { audience: EXAMPLE_AUDIENCE },
})

/** The connection to a vendor that a person has described. */
export const vendorConnection = (
  vendor: Vendor,
  given: Given,
  facts: RepositoryFacts,
  name: string,
): FirstConnection => ({
  name,
  provider: vendor.provider,
  settings: vendor.settings(given, facts),
  comments: { before: `${vendor.name}. Described in ${vendor.page}.`, after: [] },
  ceiling: {},
})

export const vendorGrant = (vendor: Vendor, given: Given, connection: string): FirstGrant => ({
  name: vendor.grant,
  connection,
  fields: vendor.grantFields(given),
  ...(vendor.ttl === undefined ? {} : { ttl: vendor.ttl }),
  advice: vendor.advice,
})

/** The keys of a connection in a file, each on its line. */
export const connectionLines = ({ name, provider, settings }: Omit<FirstConnection, "comments" | "ceiling">) => [
  `${name}:`,
  `  provider: ${provider}`,
  ...Object.entries(settings).map(([key, value]) => `  ${key}: ${flow(value)}`),
]

/** A grant for an identity-token connection, such as that of a new organisation file. */
export const tokenGrant = (connection: string, audience: string = EXAMPLE_AUDIENCE): FirstGrant => ({
  name: "token",
  connection,
  fields: { audience },
  ttl: "5m",
  advice:
    "A token that the broker signs, for a service that trusts the broker. Write the audience that your service expects.",
})

/** A grant of an existing connection that loads without changes; null for providers whose grants cannot be guessed. */
export function firstGrantOf({ name, provider, settings }: Connection, repository: string): FirstGrant | null {
  if (provider === "identity-token") {
    const read = z.object({ audiences: z.array(z.string()) }).safeParse(settings)
    return read.success ? tokenGrant(name, read.data.audiences[0]) : null
  }
  if (provider === "aws") {
    const read = z.object({ region: z.string(), accounts: z.array(z.string()).min(1) }).safeParse(settings)
    if (!read.success) return null
    const { region, accounts } = read.data
    const role = `arn:${partitionOf(region).name}:iam::${accounts[0]}:role/${repository.slice(0, 57)}-deploy`
    const advice = "Write a role that trusts the broker and that has only the permissions that this job needs."
    return { name: "aws-deploy", connection: name, fields: { role }, ttl: "15m", advice }
  }
  return null
}

/** A first organisation file: one issuer, one owner, and one connection. */
export function organisationText(
  { owner, ownerId }: RepositoryFacts,
  { issuer, connection }: { readonly issuer: string; readonly connection: FirstConnection },
): string {
  const { comments, ceiling } = connection
  const lines = [`# ${comments.before}`, ...connectionLines(connection), ...comments.after.map((line) => `# ${line}`)]
  const most = Object.entries({ connection: connection.name, ...ceiling }).map(
    ([key, value]) => `${key}: ${spell(value)}`,
  )
  return `# yaml-language-server: $schema=${SCHEMAS}/organisation.schema.json
# The organisation file: which issuers and owners the organisation trusts, and where credentials come from.
version: 1

issuers:
  ${FIRST_ISSUER}:
    family: github-actions
    url: ${issuer}
    # Only jobs of these owners' repositories get anything. The id decides, because a name can be taken over.
    owners: { ${scalar(owner)}: "${ownerId}" }

connections:
${lines
  .map(
    (line) => `  ${line}
`,
  )
  .join("")}
# Boundaries are the most that any job may get, whatever policies say. For example:
# boundaries:
#   - name: everyone
#     when: { repository_owner_id: "${ownerId}" }
#     allow:
#       - { ${most.join(", ")} }
#     max_ttl: 1h
`
}

/** A first policy: one rule that allows pushes to the default branch, and one grant. */
export function policyText(
  { owner, name, id, branch }: RepositoryFacts,
  options: { readonly environment?: string; readonly issuer?: string; readonly grant: FirstGrant },
): string {
  const { environment, issuer, grant } = options
  const where = environment === undefined ? "in no environment" : `in the environment ${JSON.stringify(environment)}`
  const scope =
    environment === undefined
      ? `# environment: production # without this line, the file is for jobs that run without an environment
`
      : `environment: ${scalar(environment)} # must match exactly
# If a workflow names an environment that does not exist, GitHub creates it without any protection. A broker with access
# to GitHub can require protection of this one:
# protected_environment: { required_reviewers: true }
`
  return `# yaml-language-server: $schema=${SCHEMAS}/policy.schema.json
# What jobs of ${owner}/${name} may get when they run ${where}.
version: 1
${issuer === undefined ? "" : `issuer: ${issuer}\n`}repository: ${owner}/${name} # for people
repository_id: "${id}" # decides: a name can be taken over, an id cannot
${scope}
allow:
  # Allows jobs that match every line of "when": a claim of the job's token, and the pattern that its whole value must match.
  # * matches characters other than / : @. A list matches any of its members. { not: ... } matches anything else.
  - name: from the default branch
    when:
      ref: ${scalar(`refs/heads/${branch}`)}
      # An event that outsiders can cause, such as pull_request, matches only if its name is listed here.
      event_name: [push, workflow_dispatch]
    grants: [${grant.name}]

# A deny rule that matches overrides every allow:
# deny:
#   - name: never on our own runners
#     when: { runner_environment: { not: github-hosted } }

grants:
  # ${grant.advice}
  ${grant.name}:
    connection: ${grant.connection}
${Object.entries(grant.fields)
  .map(([key, value]) => `    ${key}: ${flow(value)}\n`)
  .join("")}${grant.ttl === undefined ? "" : `    ttl: ${grant.ttl}\n`}`
}

/**
 * The path of the policy file for an environment. An environment's name may contain any character. Only the file's content
 * decides, so every character with a meaning in paths, on other systems or for the loader becomes a dash.
 */
export function policyPath({ owner, name }: RepositoryFacts, environment: string | undefined): string {
  // The loader skips folders whose names begin with a dot.
  return `${owner}/${name.replace(/^\.+/, "_")}/${environment === undefined ? NO_ENVIRONMENT : stemOf(environment)}.yaml`
}

const NO_ENVIRONMENT = "no-environment"
/** `daypass.yaml` is the organisation file in every folder. */
const RESERVED: ReadonlySet<string> = new Set([NO_ENVIRONMENT, "daypass"])

function stemOf(environment: string): string {
  const stem = environment.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 100)
  return /^[A-Za-z0-9]/.test(stem) && !RESERVED.has(stem.toLowerCase())
    ? stem
    : `environment-${stem.replace(/^[-_]+/, "")}`
}

import * as z from "zod"
import type { Connection } from "../../broker/core/policy/model.ts"
import { partitionOf } from "../../broker/providers/aws/partitions.ts"
import type { RepositoryFacts } from "./github.ts"

const SCHEMAS = "https://raw.githubusercontent.com/daypass/daypass/main/docs/schema"
const EXAMPLE_AUDIENCE = "https://service.example.com"

/** The keys of a first grant, as the policy writes them. */
export interface FirstGrant {
  readonly name: string
  readonly connection: string
  readonly fields: Readonly<Record<string, string>>
  readonly ttl: string
  /** What to do about it before it is used. */
  readonly advice: string
}

/** A grant that goes with the connection of a new organisation file. */
export const tokenGrant = (connection: string, audience: string = EXAMPLE_AUDIENCE): FirstGrant => ({
  name: "token",
  connection,
  fields: { audience },
  ttl: "5m",
  advice: "A token of the broker's own, for a service that trusts it. Name the audience that yours expects.",
})

/** A grant of an existing connection that loads as it is; null for providers whose grants nobody can guess. */
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
    const advice = "Name a role that trusts the broker, and that may do no more than this job must."
    return { name: "aws-deploy", connection: name, fields: { role }, ttl: "15m", advice }
  }
  return null
}

/** A first organisation file: one issuer, one owner, one connection that needs no account anywhere. */
export function organisationText(
  { owner, ownerId }: RepositoryFacts,
  { issuer, connection }: { readonly issuer: string; readonly connection: string },
): string {
  return `# yaml-language-server: $schema=${SCHEMAS}/organisation.schema.json
# The organisation file: whom the organisation trusts, and where credentials come from.
version: 1

issuers:
  github:
    family: github-actions
    url: ${issuer}
    # Only jobs of these owners' repositories get anything. The id decides, for a name can be taken over.
    owners: { ${scalar(owner)}: "${ownerId}" }

connections:
  # Tokens of the broker's own, for whatever trusts OpenID Connect. List the audiences that policies may name.
  ${connection}:
    provider: identity-token
    audiences: ["${EXAMPLE_AUDIENCE}"]
  # An AWS account is a connection like this one:
  # aws-prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }

# Boundaries are the most that anyone may get, whatever policies say. For example:
# boundaries:
#   - name: everybody
#     when: { repository_owner_id: "${ownerId}" }
#     allow:
#       - { connection: ${connection}, audience: "${EXAMPLE_AUDIENCE}" }
#     max_ttl: 1h
`
}

/** A first policy: one rule that lets in pushes to the default branch, one grant. */
export function policyText(
  { owner, name, id, branch }: RepositoryFacts,
  options: { readonly environment?: string; readonly issuer?: string; readonly grant: FirstGrant },
): string {
  const { environment, issuer, grant } = options
  const where = environment === undefined ? "in no environment" : `in the environment ${JSON.stringify(environment)}`
  const scope =
    environment === undefined
      ? `# environment: production # without this line, the file is for jobs that run in no environment
`
      : `environment: ${scalar(environment)} # to the letter
# GitHub makes an environment that a workflow names and that is not there, without any protection. A broker that may ask
# GitHub can demand that this one has some:
# protected_environment: { required_reviewers: true }
`
  return `# yaml-language-server: $schema=${SCHEMAS}/policy.schema.json
# What jobs of ${owner}/${name} may get when they run ${where}.
version: 1
${issuer === undefined ? "" : `issuer: ${issuer}\n`}repository: ${owner}/${name} # for people
repository_id: "${id}" # decides: a name can be taken over, an id cannot
${scope}
allow:
  # Lets in the jobs that match every line of "when": claims of the job's token, and what their whole value must be.
  # * stands for characters other than / : @, a list for any of its members, { not: ... } for anything else.
  - name: from the default branch
    when:
      ref: ${scalar(`refs/heads/${branch}`)}
      # Events that outsiders can cause, such as pull_request, match only where they are named.
      event_name: [push, workflow_dispatch]
    grants: [${grant.name}]

# A deny rule that matches wins over every allow:
# deny:
#   - name: never on our own runners
#     when: { runner_environment: { not: github-hosted } }

grants:
  # ${grant.advice}
  ${grant.name}:
    connection: ${grant.connection}
${Object.entries(grant.fields)
  .map(([key, value]) => `    ${key}: ${scalar(value)}\n`)
  .join("")}    ttl: ${grant.ttl}
`
}

/**
 * The file's name for an environment, which can have any character in its own: only the file's content counts, so what
 * a path, another system or the loader would take for something else becomes a dash.
 */
export function policyPath({ owner, name }: RepositoryFacts, environment: string | undefined): string {
  // A folder whose name begins with a dot is not read.
  return `${owner}/${name.replace(/^\.+/, "_")}/${environment === undefined ? NO_ENVIRONMENT : stemOf(environment)}.yaml`
}

const NO_ENVIRONMENT = "no-environment"
/** `daypass.yaml` is the organisation file wherever it stands. */
const TAKEN: ReadonlySet<string> = new Set([NO_ENVIRONMENT, "daypass"])

function stemOf(environment: string): string {
  const stem = environment.replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 100)
  return /^[A-Za-z0-9]/.test(stem) && !TAKEN.has(stem.toLowerCase())
    ? stem
    : `environment-${stem.replace(/^[-_]+/, "")}`
}

/** A text as YAML writes it: plain where it can be nothing but a text, in quotes otherwise. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9_./:-]*$/.test(text) && !text.endsWith(":")
  return plain && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text) ? text : JSON.stringify(text)
}

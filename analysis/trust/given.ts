import type { Connection, Grant, PolicySet } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import { claimsOf } from "../../broker/core/policy/template.ts"
import { writtenFields } from "../reach/grant-words.ts"
import { type Reach, reachesBy } from "../reach/reach.ts"
import { isEmpty } from "../regions/region.ts"
import { type AxisMemo, axisMemo } from "../regions/space.ts"
import { attempt } from "../regions/too-complex.ts"
import { GITHUB_CLAIMS } from "../scopes/github-claims.ts"
import { areComparable, TOO_MANY_PATTERNS } from "../scopes/pattern-pairs.ts"
import { type Scope, scopesOf } from "../scopes/scope.ts"
import { spaceFor } from "../scopes/scope-space.ts"
import { surveyOf } from "../scopes/survey.ts"
import type { Given, GivenSubject, OpenSubjects, SubjectOf } from "./model.ts"

/** Which grants are asked for; those of every connection without a name. */
export interface TrustQuery {
  readonly connection?: string
  readonly grant?: string
}

export interface TrustContext {
  readonly providers: ProviderSchemaTable
  readonly subjectOf: SubjectOf
}

/** Stands for an id in a subject and becomes `*`. Only of letters and digits, so that encoding leaves it as it is. */
const ANY_ID = "0anyid0"
const ANY_NAME = "0anyname0"

/**
 * The subjects that the policies of a folder give, for every grant whose other side trusts the broker's identity token. Only
 * grants that a job can get: policies, boundaries and denies are evaluated exactly, as `who-can` does.
 */
export function givenBy(set: PolicySet, query: TrustQuery, context: TrustContext): Given {
  const memo = axisMemo()
  const found: Given[] = [ownPoliciesOf(set, query, context)]
  const comparable = areComparable(set.policies)
  for (const scope of scopesOf(set)) {
    const names = new Set<string>()
    for (const { grants } of scope.policies) {
      for (const grant of grants.values()) if (isAsked(grant, query, context)) names.add(grant.name)
    }
    if (names.size > 0) found.push(givenIn(scope, [...names], set, query, context, comparable ? memo : null))
  }
  return {
    subjects: found.flatMap(({ subjects }) => subjects),
    open: found.flatMap(({ open }) => open),
    unreachable: found.flatMap(({ unreachable }) => unreachable),
  }
}

function isAsked(grant: Grant, query: TrustQuery, context: TrustContext): boolean {
  const { name, provider } = grant.connection
  if ((query.connection ?? name) !== name || (query.grant ?? grant.name) !== grant.name) return false
  return context.providers.get(provider)?.audiences !== undefined
}

/** What one scope gives. Without a memo the analysis gives up, as it does for folders with too many patterns. */
function givenIn(
  scope: Scope,
  names: readonly string[],
  set: PolicySet,
  query: TrustQuery,
  context: TrustContext,
  memo: AxisMemo | null,
): Given {
  const part = { scope, organisation: set.organisation }
  const reached = attempt((must): readonly Reach[] => {
    const survey = must(surveyOf(part, must(spaceFor([part], GITHUB_CLAIMS, memo ?? axisMemo()))))
    return names.flatMap((name) => must(reachesBy(survey, name)))
  })
  if (memo === null || !reached.ok) {
    const reason = memo === null ? TOO_MANY_PATTERNS : "the conditions are too complex"
    const grants = scope.policies.flatMap((policy) => [...policy.grants.values()])
    const open = grants
      .filter((grant) => isAsked(grant, query, context))
      .map((grant) => openOf(scope, grant, "undecided", context))
    return { subjects: [], open: open.map((one) => ({ ...one, reason })), unreachable: [] }
  }
  const subjects: GivenSubject[] = []
  const open: OpenSubjects[] = []
  const unreachable: Given["unreachable"][number][] = []
  for (const { grant, inside, unproven } of reached.value.filter(({ grant }) => isAsked(grant, query, context))) {
    const each = subjectsIn(scope, grant, context)
    if (isEmpty(inside) && isEmpty(unproven)) {
      const subject = each[0]?.subject ?? openOf(scope, grant, "pattern", context).subjects
      unreachable.push({ connection: grant.connection.name, grant: grant.name, subject })
    } else if (each.length === 0) open.push(openOf(scope, grant, "pattern", context))
    else subjects.push(...each)
  }
  return { subjects, open, unreachable }
}

/** The subjects of a grant in a scope: one for a repository; empty for a pattern, which does not tell the ids. */
function subjectsIn(scope: Scope, grant: Grant, context: TrustContext): readonly GivenSubject[] {
  const { target, issuer, names, environment } = scope
  if (target.kind !== "repository") return []
  const found = new Map<string, GivenSubject>()
  for (const repository of names) {
    const job = {
      issuer: issuer.name,
      repository,
      repositoryId: target.id,
      ...(environment === undefined ? {} : { environment }),
    }
    const subject = context.subjectOf(job, grant.name)
    if (found.has(subject)) continue
    found.set(subject, {
      ...job,
      connection: grant.connection.name,
      provider: grant.connection.provider,
      grant: grant.name,
      subject,
      audiences: audiencesOf(grant.connection, grant, context.providers),
      door: doorOf(grant.connection, grant),
      ownerIds: ownerIdsOf(scope),
      place: { file: grant.file, line: grant.line },
    })
  }
  return [...found.values()]
}

function openOf(scope: Scope, grant: Grant, why: OpenSubjects["why"], context: TrustContext): OpenSubjects {
  const { issuer, repository, environment } = scope
  const owner = repository.slice(0, repository.indexOf("/"))
  const id = scope.target.kind === "repository" ? scope.target.id : ANY_ID
  const job = {
    issuer: issuer.name,
    repository: scope.target.kind === "repository" ? repository : `${owner}/${ANY_NAME}`,
    repositoryId: id,
    ...(environment === undefined ? {} : { environment }),
  }
  return {
    connection: grant.connection.name,
    provider: grant.connection.provider,
    why,
    grant: grant.name,
    repository,
    environment: environment ?? null,
    subjects: starred(context.subjectOf(job, grant.name)),
    ownerIds: ownerIdsOf(scope),
    door: doorOf(grant.connection, grant),
    audiences: audiencesOf(grant.connection, grant, context.providers),
    place: { file: grant.file, line: grant.line },
  }
}

/** What policies could give that repositories keep for themselves: any grant of the connections that a boundary allows. */
function ownPoliciesOf(set: PolicySet, query: TrustQuery, { providers, subjectOf }: TrustContext): Given {
  const { issuers, boundaries, connections } = set.organisation
  const allowed = new Set(boundaries.flatMap(({ allow }) => allow.map(({ connection }) => connection)))
  const open = [...issuers.values()].flatMap((issuer) =>
    [...connections.values()].flatMap((connection): OpenSubjects[] => {
      const isOpen = issuer.repositoryPolicies && allowed.has(connection.name)
      if (!isOpen || (query.connection ?? connection.name) !== connection.name) return []
      const audiences = audiencesOf(connection, null, providers)
      if (providers.get(connection.provider)?.audiences === undefined) return []
      const job = {
        issuer: issuer.name,
        repository: `${ANY_NAME}/${ANY_NAME}`,
        repositoryId: ANY_ID,
        environment: ANY_NAME,
      }
      return [
        {
          connection: connection.name,
          provider: connection.provider,
          why: "own-policies",
          grant: query.grant ?? null,
          repository: null,
          subjects: starred(subjectOf(job, query.grant ?? ANY_NAME)),
          ownerIds: [...new Set(issuer.owners.values())],
          door: doorOf(connection, null),
          audiences,
          place: null,
        },
      ]
    }),
  )
  return { subjects: [], open, unreachable: [] }
}

const starred = (subject: string) => subject.replaceAll(ANY_ID, "*").replaceAll(ANY_NAME, "*")

const ownerIdsOf = ({ texts }: Scope): readonly string[] => texts.get("repository_owner_id") ?? []

/** The audiences that the other side sees. A token that the job itself receives has the audience that its grant names. */
function audiencesOf(connection: Connection, grant: Grant | null, providers: ProviderSchemaTable): readonly string[] {
  const { handedOut = [], presented = [], ownLogin = [] } =
    providers.get(connection.provider)?.audiences?.(connection.settings) ?? {}
  const named = grant === null ? undefined : textField(writtenFields(grant), "audience")
  const handed = named !== undefined && handedOut.includes(named) ? [named] : handedOut
  return [...new Set([...presented, ...ownLogin, ...handed])]
}

/** The keys by which grants and connections name what trusts the broker at the other side. */
const DOORS = ["role", "client_id", "service_account", "identity_id", "identity", "host"]

function doorOf({ settings }: Connection, grant: Grant | null): string | null {
  const fields = grant === null ? {} : writtenFields(grant)
  for (const key of DOORS) {
    const named = textField(fields, key) ?? textField(settings, key)
    if (named !== undefined) return named
  }
  return null
}

/** A role whose name has gaps is another one for each job. */
export const hasOpenDoor = ({ door }: Pick<GivenSubject, "door">): boolean => door !== null && claimsOf(door).length > 0

function textField(value: unknown, key: string): string | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined
  const field = (value as Readonly<Record<string, unknown>>)[key]
  return typeof field === "string" ? field : undefined
}

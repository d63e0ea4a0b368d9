import type { Connection, Grant, PolicySet } from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import { hasGaps, templateParts } from "../../broker/core/policy/template.ts"
import { identityTokenSubject } from "../../broker/wire/subject.ts"
import { writtenFields } from "../reach/grant-words.ts"
import { type Reach, reachesBy } from "../reach/reach.ts"
import { codeUnits } from "../regions/language.ts"
import { isEmpty } from "../regions/region.ts"
import { type AxisMemo, axisMemo } from "../regions/space.ts"
import { attempt } from "../regions/too-complex.ts"
import { areComparable } from "../scopes/pattern-pairs.ts"
import { type Scope, scopesOf } from "../scopes/scope.ts"
import { spaceFor } from "../scopes/scope-space.ts"
import { surveyOf } from "../scopes/survey.ts"
import { familyOf, ownerIdClaim } from "../scopes/unit-claims.ts"
import type { Given, GivenSubject, OpenSubjects } from "./model.ts"
import { fulfils, wildOf } from "./wild.ts"

/** Which grants are asked for; those of every connection without a name. */
export interface TrustQuery {
  readonly connection?: string
  readonly grant?: string
}

export interface TrustContext {
  readonly providers: ProviderSchemaTable
}

/** Stands for a part of a subject and becomes `*`. Only of letters and digits, so that encoding leaves it as it is. */
const ANY = "0any0part0"

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
    open: onceEach(found.flatMap(({ open }) => open)),
    unreachable: found.flatMap(({ unreachable }) => unreachable),
  }
}

/** Patterns of units overlap, so one grant is found in the scopes of several. */
function onceEach(open: readonly OpenSubjects[]): readonly OpenSubjects[] {
  const found = new Map<string, OpenSubjects>()
  for (const one of open) {
    const key = JSON.stringify([one.connection, one.subjects, one.place, one.door])
    if (!found.has(key)) found.set(key, one)
  }
  return [...found.values()]
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
    const survey = must(surveyOf(part, must(spaceFor([part], memo ?? axisMemo()))))
    return names.flatMap((name) => must(reachesBy(survey, name)))
  })
  if (memo === null || !reached.ok) {
    const grants = scope.policies.flatMap((policy) => [...policy.grants.values()])
    const open = grants.filter((grant) => isAsked(grant, query, context)).map((grant) => openOf(scope, grant, context))
    return { subjects: [], open: open.map((one) => ({ ...one, why: "undecided" })), unreachable: [] }
  }
  const subjects: GivenSubject[] = []
  const open: OpenSubjects[] = []
  const unreachable: Given["unreachable"][number][] = []
  for (const { grant, inside, unproven } of reached.value.filter(({ grant }) => isAsked(grant, query, context))) {
    const one = subjectIn(scope, grant, context)
    if (!isEmpty(inside) && one !== null) subjects.push(one)
    else if (!isEmpty(inside)) open.push(openOf(scope, grant, context))
    // A subject that is perhaps given proves nothing about a document that lets it in.
    else if (!isEmpty(unproven)) open.push({ ...openOf(scope, grant, context), why: "undecided" })
    else {
      const subject = one?.subject ?? openOf(scope, grant, context).subjects
      unreachable.push({ connection: grant.connection.name, grant: grant.name, subject })
    }
  }
  return { subjects, open, unreachable }
}

/** The subject of a grant in a scope; null for a pattern of units, which does not tell their ids. */
function subjectIn(scope: Scope, grant: Grant, context: TrustContext): GivenSubject | null {
  const { target, names } = scope
  if (target.kind !== "unit") return null
  const job = {
    issuer: scope.issuer.name,
    unitKind: kindOf(scope),
    unitId: target.id,
    environment: scope.environment ?? null,
  }
  return { ...job, names, ...trustOf(grant, scope, context), subject: identityTokenSubject(job, grant.name) }
}

function openOf(scope: Scope, grant: Grant, context: TrustContext): OpenSubjects {
  const { target, unit } = scope
  const unitId = target.kind === "unit" ? target.id : ANY
  const job = { issuer: scope.issuer.name, unitKind: kindOf(scope), environment: scope.environment ?? null }
  const subjects = starred(identityTokenSubject({ ...job, unitId }, grant.name))
  return { ...job, ...trustOf(grant, scope, context), why: "pattern", unit, subjects }
}

function trustOf(grant: Grant, { texts, issuer }: Scope, { providers }: TrustContext) {
  const { name, connection, file, line } = grant
  const ownerId = ownerIdClaim(familyOf(issuer))
  return {
    connection: connection.name,
    provider: connection.provider,
    grant: name,
    audiences: audiencesOf(connection, grant, providers),
    door: doorOf(connection, grant),
    ownerIds: ownerId === undefined ? [issuer.url] : (texts.get(ownerId) ?? []),
    place: { file, line },
  }
}

/** The grants that repositories' own policies could offer: every grant of each connection that a boundary allows. */
function ownPoliciesOf(set: PolicySet, query: TrustQuery, { providers }: TrustContext): Given {
  const { issuers, boundaries, connections } = set.organisation
  const allowed = new Set(boundaries.flatMap(({ allow }) => allow.map(({ connection }) => connection)))
  const open = [...issuers.values()].flatMap((issuer) =>
    [...connections.values()].flatMap((connection): OpenSubjects[] => {
      const isOpen = issuer.repositoryPolicies && allowed.has(connection.name)
      if (!isOpen || (query.connection ?? connection.name) !== connection.name) return []
      const audiences = audiencesOf(connection, null, providers)
      if (providers.get(connection.provider)?.audiences === undefined) return []
      const job = { issuer: issuer.name, unitKind: familyOf(issuer).unit, unitId: ANY, environment: ANY }
      return [
        {
          connection: connection.name,
          provider: connection.provider,
          why: "own-policies",
          issuer: issuer.name,
          unitKind: job.unitKind,
          grant: query.grant ?? null,
          unit: null,
          subjects: starred(identityTokenSubject(job, query.grant ?? ANY)),
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

const kindOf = ({ issuer }: Scope) => familyOf(issuer).unit

const starred = (subject: string) => subject.replaceAll(ANY, "*")

/** The audiences that the other side sees. A token that the job itself receives has the audience that its grant names. */
export function audiencesOf(
  connection: Connection,
  grant: Grant | null,
  providers: ProviderSchemaTable,
): readonly string[] {
  const {
    handedOut = [],
    presented = [],
    ownLogin = [],
  } = providers.get(connection.provider)?.audiences?.(connection.settings) ?? {}
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

/** Whether a grant may be for this role, client or account. Gaps in a grant's text may be filled with anything. */
export function isFor(name: string, { door }: Pick<GivenSubject, "door">): boolean {
  if (door === null || door === name) return true
  if (!hasGaps(door)) return false
  const parts = templateParts(door).flatMap((part): readonly (number | "many")[] =>
    "claim" in part ? ["many"] : codeUnits(part.text),
  )
  return fulfils(name, [{ patterns: [wildOf(door, parts)], negated: false }])
}

function textField(value: unknown, key: string): string | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined
  const field = (value as Readonly<Record<string, unknown>>)[key]
  return typeof field === "string" ? field : undefined
}

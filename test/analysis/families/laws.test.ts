import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { grantNamesOf, reachesOf } from "../../../analysis/reach/reach.ts"
import { decideSample, jobOf, type SampleQuestion } from "../../../analysis/reach/sample-job.ts"
import { CAUSED, causesOf, furtherFacts } from "../../../analysis/regions/cautions.ts"
import { contains, type Witness } from "../../../analysis/regions/region.ts"
import type { Space } from "../../../analysis/regions/space.ts"
import { scopesOf } from "../../../analysis/scopes/scope.ts"
import { spaceFor } from "../../../analysis/scopes/scope-space.ts"
import { surveyOf } from "../../../analysis/scopes/survey.ts"
import { tokenOf } from "../../../analysis/scopes/token.ts"
import { CAUTION_CLAIMS } from "../../../broker/core/families/cautions.ts"
import { FAMILY_FACTS, UNIT_CLAIMS } from "../../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../../broker/core/families/family-facts.ts"
import { ownOwner } from "../../../broker/core/families/units.ts"
import type { Condition } from "../../../broker/core/policy/condition.ts"
import type { Boundary, Connection, IssuerConfig, Organisation, Policy } from "../../../broker/core/policy/model.ts"
import { policySet } from "../../../broker/core/policy/policy-set.ts"
import { fewest, runs } from "../../support/laws.ts"
import { must, pattern } from "../patterns.ts"
import { WELL_PROTECTED } from "../world.ts"
import { JOBS, listOwnFamilies, PROJECTS } from "./own-families.ts"

// Whom a grant reaches by the analysis, and whom the broker's engine gives it to, for policies and boundaries about the claims
// of every family. The analysis may miss no job of a space that gets a grant. Where no function of several claims says what an
// allow must name, and names tell whose a unit is, it has just those jobs.

const URL = "https://issuer.example.com"
/** Of what people can use, where a family is of people: both keys mean nothing for jobs. */
const forPeople = ({ unit }: FamilyFacts): object => (unit === "person" ? { people: true } : {})
const connectionFor = (family: FamilyFacts): Connection => ({
  name: "c",
  provider: "none",
  settings: {},
  requireBoundToken: false,
  ...forPeople(family),
})
const OWNERS = ["acme", "acme-old", "other"] as const

/** Two ids and two names for a unit of a family, and the owners that the organisation lists. */
function worldOf(family: FamilyFacts) {
  const issuer: IssuerConfig = {
    name: "ci",
    family: family.name,
    url: URL,
    owners: new Map(
      family.ownerId === undefined
        ? Object.entries(ownOwner(URL))
        : [
            [OWNERS[0], "9001"],
            [OWNERS[1], "9001"],
            [OWNERS[2], "9002"],
          ],
    ),
    repositoryPolicies: false,
  }
  return { issuer, ids: ["41", "42"], names: ["acme/shop", "acme/web"] }
}

/** Texts that conditions of the tests are about: what a table knows of a claim, and others. */
function textsFor(family: FamilyFacts, claim: string): readonly string[] {
  const fact = family.claims.get(claim)
  const { ids, names } = worldOf(family)
  const { unit, unitId, owner, ownerId } = family.roles
  if (claim === unitId) return ids
  if (claim === unit) return names
  if (claim === owner) return OWNERS
  if (claim === ownerId) return ["9001", "9002"]
  if (claim === "iss") return [URL, "https://other.example.com"]
  return [...(fact?.values?.keys() ?? []), ...(fact?.samples ?? []), "a", "b", "a:b"]
}

function conditionsFor(
  family: FamilyFacts,
  claims: readonly string[],
  maxLength = 3,
): fc.Arbitrary<readonly Condition[]> {
  const one = fc.constantFrom(...claims).chain((claim): fc.Arbitrary<Condition> => {
    const isCaution = claim === "outsider" || claim === "interactive"
    const texts = isCaution ? ["true", "false"] : [...textsFor(family, claim), "*", "**a**"]
    const kind = fc.constantFrom("any" as const, "any" as const, "none" as const)
    const listed = fc.tuple(kind, fc.uniqueArray(fc.constantFrom(...texts), { minLength: 1, maxLength: 2 }))
    return fc.oneof(
      {
        weight: 5,
        arbitrary: listed.map(([test, own]) => ({ claim, test: { kind: test, patterns: own.map(pattern) } })),
      },
      { weight: 1, arbitrary: fc.boolean().map((present) => ({ claim, test: { kind: "present" as const, present } })) },
    )
  })
  return fc.uniqueArray(one, { maxLength, selector: ({ claim }) => claim })
}

/** A set of policies about one family: two exact ones and, where there can be, one with a pattern; below two boundaries. */
function setsOf(family: FamilyFacts) {
  const { issuer, ids, names } = worldOf(family)
  const connection = connectionFor(family)
  const { environment, unit, unitId, owner, ownerId } = family.roles
  const known = [...family.claims].flatMap(([claim, { registered }]) => (registered ? [] : [claim]))
  // What this is about comes as often as everything else together.
  const cautious = [...CAUTION_CLAIMS, ...causesOf(family), family.roles.ref ?? "outsider"]
  const claims = [...known, ...known.map((_, index) => cautious[index % cautious.length] ?? "outsider")]
  const ofUnit = ["iss", unit, unitId, owner, ownerId].filter((claim) => claim !== undefined)
  const foreign = [...UNIT_CLAIMS].filter((claim) => !family.claims.has(claim)).slice(0, 2)
  const rules = conditionsFor(family, claims)
  const boundary = fc.tuple(conditionsFor(family, [...ofUnit, ...ofUnit, ...claims, ...foreign]), rules)
  return fc
    .record({
      allow: fc.array(conditionsFor(family, claims, 2), { minLength: 1, maxLength: 2 }),
      deny: fc.array(rules, { maxLength: 2 }),
      boundaries: fc.array(boundary, { maxLength: 2 }),
      isNamed: fc.boolean(),
      isWide: fc.boolean(),
      inside: fc.boolean(),
    })
    .map(({ allow, deny, boundaries, isNamed, isWide, inside }) => {
      const wide = isWide && family.patterns
      const rule = (kind: "allow" | "deny") => (conditions: readonly Condition[], index: number) => ({
        kind,
        name: `${kind} ${index}`,
        file: "p.yaml",
        line: 1,
        grants: new Set(["g"]),
        conditions,
      })
      const policy: Policy = {
        file: "p.yaml",
        issuer: issuer.name,
        unit: wide ? "acme/s*" : isNamed || family.patterns ? (names[0] ?? "") : (ids[0] ?? ""),
        target: wide ? { kind: "owner", ownerId: "9001", names: pattern("s*") } : { kind: "unit", id: ids[0] ?? "" },
        ...(inside && environment !== undefined ? { environment: textsFor(family, environment)[0] ?? "a" } : {}),
        origin: "organisation",
        allow: allow.map(rule("allow")),
        deny: deny.map(rule("deny")),
        grants: new Map([
          [
            "g",
            {
              name: "g",
              file: "p.yaml",
              line: 1,
              connection,
              fields: {},
              ttlSeconds: 60,
              minTtlSeconds: 0,
            },
          ],
        ]),
      }
      const organisation: Organisation = {
        issuers: new Map([[issuer.name, issuer]]),
        connections: new Map([[connection.name, connection]]),
        boundaries: boundaries.map(
          ([when, require], index): Boundary => ({
            name: `b${index}`,
            file: "daypass.yaml",
            line: 1,
            when,
            allow: [{ connection: connection.name, line: 1, fields: new Map() }],
            require,
            ...forPeople(family),
          }),
        ),
        limits: [],
        requireBoundToken: false,
      }
      return policySet("", organisation, [policy])
    })
}

/** A job of a space: one value on each axis. What the family's function says of it is no choice. */
function jobIn({ axes, family }: Space, picks: readonly number[]): Witness {
  const further = furtherFacts(family)
  const chosen = axes.flatMap(({ claim, values }, index): (readonly [string, string])[] => {
    const value = values[(picks[index % picks.length] ?? 0) % values.length] ?? null
    return value === null || further.some((fact) => fact === claim) ? [] : [[claim, value]]
  })
  const plain = Object.fromEntries(chosen)
  const found = family.furtherCautions?.(tokenOf(plain, family)) ?? []
  const caused = further.filter((fact) => found.some((one) => one.fact === fact))
  return { ...plain, ...Object.fromEntries(caused.map((fact) => [fact, CAUSED])) }
}

const MAX_PICKS = 12
const PICKS = fc.array(fc.array(fc.nat(9_999), { minLength: 40, maxLength: 40 }), {
  minLength: MAX_PICKS,
  maxLength: MAX_PICKS,
})
const CASES = 1_000

let unlist = () => {}
beforeAll(() => {
  unlist = listOwnFamilies()
})
afterAll(() => unlist())

describe.each([...FAMILY_FACTS.values(), PROJECTS, JOBS])("jobs of $name", (family) => {
  it("get by the analysis what the broker gives them", () => {
    const isExact = family.furtherCautions === undefined && (family.patterns || family.roles.unit === undefined)
    let [sets, refused, more] = [0, 0, 0]
    fc.assert(
      fc.property(setsOf(family), PICKS, (set, picks) => {
        let given = 0
        for (const scope of scopesOf(set)) {
          const part = { scope, organisation: set.organisation }
          const made = spaceFor([part])
          if (!made.ok) continue
          const space = made.value
          const { all } = must(surveyOf(part, space))
          for (const grant of grantNamesOf(scope)) {
            const reaches = must(reachesOf(part, grant, space))
            for (const own of picks) {
              const witness = jobIn(space, own)
              if (!contains(all, witness)) continue
              const question: SampleQuestion = { witness, issuer: "ci", grant, protection: WELL_PROTECTED }
              const isGiven = decideSample(set, question)?.outcome === "allow"
              const isReached = reaches.some(({ inside }) => contains(inside, witness))
              if (isGiven) given++
              else refused++
              if (isReached && !isGiven) more++
              if (isGiven || isExact) expect([isReached, witness]).toEqual([isGiven, witness])
            }
          }
        }
        if (given > 0) sets++
      }),
      { numRuns: runs(CASES) },
    )
    expect(sets).toBeGreaterThanOrEqual(fewest(40, CASES))
    expect(refused).toBeGreaterThan(0)
    expect(more).toBeLessThanOrEqual(refused / 10 + MAX_PICKS)
  })

  it("are who the space says: the broker reads the same unit, owner and environment", () => {
    fc.assert(
      fc.property(setsOf(family), PICKS, (set, picks) => {
        for (const scope of scopesOf(set)) {
          const part = { scope, organisation: set.organisation }
          const made = spaceFor([part])
          if (!made.ok) continue
          const { all } = must(surveyOf(part, made.value))
          for (const own of picks) {
            const witness = jobIn(made.value, own)
            const job = jobOf(witness, "ci", set)
            if (job === null || !contains(all, witness)) continue
            expect(job.environment).toBe(scope.environment)
            if (scope.target.kind === "unit") expect(job.unitId).toBe(scope.target.id)
            else expect(job.ownerId).toBe(scope.target.ownerId)
          }
        }
      }),
      { numRuns: runs(30) },
    )
  })
})

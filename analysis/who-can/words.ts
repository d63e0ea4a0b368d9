import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { type Condition, describeCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary } from "../../broker/core/policy/model.ts"
import { demandWords } from "../reach/grant-words.ts"
import { isWithin, meets, type Region } from "../regions/region.ts"
import type { Must } from "../regions/too-complex.ts"
import { nameClaim } from "../scopes/unit-claims.ts"
import type { WhoCanQuery, WrittenBoundary, WrittenCondition } from "./model.ts"

/** An artificial boundary with the patterns of the question, so that the space distinguishes the jobs and grants asked for. */
export function probeOf(
  { fields = [], unit }: WhoCanQuery,
  family: FamilyFacts,
  connections: readonly string[],
): Boundary {
  const when: readonly Condition[] =
    unit === undefined ? [] : [{ claim: nameClaim(family), test: { kind: "any", patterns: [unit] } }]
  return {
    name: "",
    file: "",
    line: 0,
    when,
    require: [],
    allow: connections.flatMap((connection) =>
      fields.map(({ key, pattern }) => {
        const [name = key] = key.split(".")
        return { connection, line: 0, fields: new Map([[name, { kind: "text" as const, patterns: [pattern] }]]) }
      }),
    ),
  }
}

/** Conditions as a policy writes them. */
export const written = (conditions: readonly Condition[]): readonly WrittenCondition[] =>
  conditions.map((condition) => ({ claim: condition.claim, expected: describeCondition(condition) }))

/** A boundary in its own words, if it allows the grant to some of the jobs or requires something of some of them. */
export function describeBoundary(
  boundary: Boundary,
  {
    isAllowing,
    restricts,
    reached,
  }: { readonly isAllowing: boolean; readonly restricts: Region; readonly reached: Region },
  must: Must,
): readonly WrittenBoundary[] {
  const { name, file, line, when, require, protectedEnvironment, maxTtlSeconds } = boundary
  const held = meets(restricts, reached)
  const said = {
    require: held ? written(require) : [],
    protectedEnvironment: held && protectedEnvironment ? demandWords(protectedEnvironment) : null,
    maxTtlSeconds: held ? (maxTtlSeconds ?? null) : null,
  }
  const demands = said.require.length > 0 || said.protectedEnvironment !== null || said.maxTtlSeconds !== null
  if (!isAllowing && !demands) return []
  const ofSome = demands && !must(isWithin(reached, restricts))
  return [{ name, file, line, allows: isAllowing, ...said, demandsOf: ofSome ? written(when) : [] }]
}

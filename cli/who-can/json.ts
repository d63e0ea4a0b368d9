import { tokenOf } from "../../analysis/scopes/token.ts"
import { familyOf } from "../../analysis/scopes/unit-claims.ts"
import type { WhoCan, WhoCanRow } from "../../analysis/who-can/model.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"

/** For programs; in snake_case, like the wire. */
export function jsonOf({ rows, unreachable, unknown }: WhoCan, { version }: PolicySet): object {
  const subjectOf = ({ issuer, unitKind, unit, unitId, environment }: WhoCanRow["subject"]) => ({
    issuer,
    unit_kind: unitKind,
    unit,
    unit_id: unitId,
    ...(environment === undefined ? {} : { environment }),
  })
  return {
    ok: rows.length + unknown.length > 0,
    version,
    rows: rows.map(({ subject, ttlSeconds, within, protectedEnvironment, breakGlass, example, ...row }) => ({
      ...subjectOf(subject),
      ...row,
      example: tokenOf(example, familyOf(subject)),
      ttl_seconds: ttlSeconds,
      within: within.map(({ protectedEnvironment: demand, maxTtlSeconds, demandsOf, ...boundary }) => ({
        ...boundary,
        protected_environment: demand,
        max_ttl_seconds: maxTtlSeconds,
        demands_of: demandsOf,
      })),
      protected_environment: protectedEnvironment,
      break_glass: breakGlass,
    })),
    unreachable: unreachable.map(({ subject, ...row }) => ({ ...subjectOf(subject), ...row })),
    unknown: unknown.map(({ subject, ...row }) => ({ ...subjectOf(subject), ...row })),
  }
}

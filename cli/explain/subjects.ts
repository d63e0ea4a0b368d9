import { identityTokenSubject } from "../../broker/wire/subject.ts"
import type { Trace } from "../../broker/wire/trace.ts"

/**
 * The `sub` of the broker's identity token for each grant of a trace, allowed or denied. Empty without a trace.
 *
 * In a trace from a broker, control characters were escaped, so a name may differ from the job's real one. If a name may
 * contain an escape, the result is empty: a `sub` that is nearly right does not work, and a reader would not notice.
 */
export function subjectsOf(trace: Trace | null): ReadonlyMap<string, string> {
  if (trace === null) return new Map()
  const { issuer, unit_kind: unitKind, unit_id: unitId, environment } = trace.subject
  if (/[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(`${issuer}${unitId}${environment ?? ""}`)) return new Map()
  const job = { issuer, unitKind, unitId, environment }
  return new Map(trace.grants.map(({ name }) => [name, identityTokenSubject(job, name)]))
}

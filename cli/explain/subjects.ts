import { identityTokenSubject } from "../../broker/signing/identity-token.ts"
import type { Trace } from "../../broker/wire/trace.ts"

/**
 * The `sub` of the broker's identity token for each grant of a trace, allowed or not; empty without a trace.
 *
 * A trace that a broker sent has been made visible, so that a name in it may not be the job's own: where an escape could
 * stand, nothing is said, since a subject that is nearly right opens no trust and is hard to tell from one that does.
 */
export function subjectsOf(trace: Trace | null): ReadonlyMap<string, string> {
  if (trace === null) return new Map()
  const { repository, environment } = trace.subject
  if (/[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(`${repository}${environment ?? ""}`)) return new Map()
  const job = environment === null ? { repository } : { repository, environment }
  return new Map(trace.grants.map(({ name }) => [name, identityTokenSubject(job, name)]))
}

import { identityTokenSubject } from "../../broker/wire/subject.ts"
import type { GivenSubject } from "./model.ts"

/** So many subjects are varied: enough for each pattern that a person writes. */
const MAX_VARIED = 50

/**
 * Subjects that look like those that the policies give and that differ in one part: of another repository, in another
 * environment, in none, for another grant. They are examples of whom a wildcard lets in.
 */
export function strangersOf(given: readonly GivenSubject[]): readonly string[] {
  const known = new Set(given.map(({ subject }) => subject))
  const found = given.slice(0, MAX_VARIED).flatMap(({ issuer, unitKind, unitId, environment, grant }) => {
    const job = { issuer, unitKind, unitId, environment }
    return [
      identityTokenSubject({ ...job, unitId: unitId === "1" ? "2" : "1" }, grant),
      identityTokenSubject({ ...job, environment: "another" }, grant),
      identityTokenSubject({ ...job, environment: null }, grant),
      identityTokenSubject(job, "another"),
      identityTokenSubject({ ...job, issuer: "another" }, grant),
    ]
  })
  return found.filter((subject) => !known.has(subject))
}

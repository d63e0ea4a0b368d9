import type { KeyService } from "../../key-service.ts"
import { STORES_AUDIENCE } from "../../reserved-audiences.ts"
import { type Connection, conflictOf, roleParts } from "../grant.ts"
import { SUBJECT_LIMIT } from "../role-session.ts"
import { type Entry, entry, keyParts } from "./key.ts"

/** AWS KMS, with a session of a role that trusts the broker's own login alone: no grant can ask for that session. */
export const awsKms: KeyService<Entry, Connection> = {
  title: "AWS KMS",
  entry,
  check({ entry: wanted, settings }) {
    const { partition } = keyParts(wanted.key)
    if (partition !== roleParts(wanted.role).partition) return "is in another partition of AWS than its role"
    const conflict = conflictOf({ role: wanted.role }, settings)
    return conflict === null ? null : `cannot be used: ${conflict}`
  },
  audiences: () => ({ ownLogin: [STORES_AUDIENCE] }),
  subjectLimit: SUBJECT_LIMIT,
  door: (wanted) => wanted.role,
  unwrap: async (...wanted) => (await import("./decrypt.ts")).decrypt(...wanted),
}

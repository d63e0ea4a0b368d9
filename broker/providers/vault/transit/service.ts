import { compilePattern, matchPattern } from "../../../core/policy/pattern.ts"
import type { KeyService } from "../../key-service.ts"
import { audienceOf } from "../../service.ts"
import type { Connection } from "../grant.ts"
import { type Entry, entry } from "./key.ts"

/** The transit engine of Vault or OpenBao, with a role that grants cannot name. */
export const vaultTransit: KeyService<Entry, Connection> = {
  title: "Vault",
  entry,
  check({ entry: { role }, settings: { roles } }) {
    const isListed = roles.some((pattern) => {
      const compiled = compilePattern(pattern)
      return compiled.ok && matchPattern(compiled.value, role)
    })
    return isListed
      ? `needs another role: grants of its connection may log in with ${role}, and a job could decrypt every file itself`
      : null
  },
  audiences: (settings) => ({ presented: [audienceOf(settings)] }),
  door: ({ role }) => role,
  unwrap: async (...wanted) => (await import("./decrypt.ts")).decrypt(...wanted),
}

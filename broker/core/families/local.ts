import { about, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"

/**
 * A person on their own machine says nothing of themselves but the key that they hold. Names, addresses and groups would be
 * what the person writes, and must meet no condition that is meant for verified ones.
 */
const CLAIMS = tableOf([about("unit", "always")("sub", "the public half of the person's age key", { form: "age-key" })])

/** People on their own machines, by their age keys: see docs/people.md. Only `--local` makes such tokens, and takes them. */
export const LOCAL: FamilyFacts<"local"> = {
  name: "local",
  title: "a person's own machine",
  unit: "person",
  claims: CLAIMS,
  roles: { unitId: "sub", actorId: "sub" },
  unitId: {
    // Bech32 (BIP 173) of an X25519 key, as age writes it.
    pattern: /^age1[02-9ac-hj-np-z]{58}$/,
    words: "a person's id is the public half of the person's age key: age1 and 58 more letters and digits",
    longest: `age1${"q".repeat(58)}`,
  },
  patterns: false,
  findId: () => "age-keygen -y KEYS-FILE, run by that person",
  maxTokenLifetimeSeconds: 300,
  jti: "always",
  audience: "job",
  keyTypes: ["EC"],
  // RFC 6761, section 6.4: no server ever has this name.
  fixedUrl: "https://local.invalid",
}

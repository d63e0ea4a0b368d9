import { about, closed, marked, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"

const stack = about("unit", "always")
const run = about("job", "always")

/**
 * A proposed run previews code that is on no tracked branch, and a local preview runs a person's own files. A task runs any
 * command that a person types.
 */
const RUN_TYPES = {
  TRACKED: {},
  PROPOSED: { outsiders: true },
  TASK: { interactive: true },
  TESTING: {},
  DESTROY: {},
} as const

/** What a run's token of Spacelift says. Source: Spacelift's "OpenID Connect (OIDC)", "Custom claims". */
const CLAIMS = tableOf([
  run("sub", "a text made of other claims, which can be customised", { chosenBy: "administrator" }),
  stack("callerId", "the stack's id, a slug"),
  stack("callerType", "whether the run is a stack's or a module's", closed("stack")),
  about("setting", "always")("spaceId", "the id of the space that the stack is in", { chosenBy: "administrator" }),
  run("runType", "what kind of run it is", marked(RUN_TYPES)),
  run("runId", "the run's id"),
  run("scope", "write, or read for previews and for plans that wait for a person", closed("write", "read")),
])

export const SPACELIFT: FamilyFacts<"spacelift"> = {
  name: "spacelift",
  title: "Spacelift",
  unit: "stack",
  claims: CLAIMS,
  roles: { unitId: "callerId", environment: "scope", event: "runType", runId: "runId" },
  environmentName: { pattern: /^(?:read|write)$/, words: "an environment is the token's scope: read or write" },
  unitId: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/,
    words: 'a stack\'s id is the last part of its URL, such as "network-production"',
    longest: "x".repeat(128),
  },
  patterns: false,
  findId: () => "spacectl stack list",
  maxTokenLifetimeSeconds: 3600,
  jti: "always",
  audience: "issuer",
}

import { spacelift } from "../../../../broker/issuers/spacelift/family.ts"
import proposed from "../../../vectors/claims/spacelift-proposed.json" with { type: "json" }
import tracked from "../../../vectors/claims/spacelift-tracked.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const subject = (type: string, scope: string, unit = "stack:infra") =>
  `space:legacy:${unit}:run_type:${type}:scope:${scope}`

export const SPACELIFT_CASE: FamilyCase = {
  family: spacelift,
  config: {
    name: "spacelift",
    family: "spacelift",
    url: "https://demo.app.spacelift.io",
    owners: new Map([["demo.app.spacelift.io", "https://demo.app.spacelift.io"]]),
    repositoryPolicies: false,
    audience: "demo.app.spacelift.io",
  },
  samples: [
    {
      name: "a tracked run that applies",
      claims: tracked,
      identity: {
        unitKind: "stack",
        unit: "infra",
        unitId: "infra",
        owner: "demo.app.spacelift.io",
        ownerId: "https://demo.app.spacelift.io",
        environment: "write",
        ref: null,
        event: "TRACKED",
        runId: "01J9ZK3V7Q0000000000000000",
        runAttempt: "",
        cautions: [],
      },
      derived: { outsider: false, interactive: false, spaceId: "legacy" },
    },
    {
      name: "a tracked run that plans",
      claims: { ...tracked, scope: "read", sub: subject("TRACKED", "read") },
      identity: { environment: "read", cautions: [] },
    },
    {
      name: "a proposed run",
      claims: proposed,
      identity: {
        environment: "read",
        cautions: [{ fact: "outsider", why: "outsiders can cause it", claim: "runType", value: "PROPOSED" }],
      },
      derived: { outsider: true },
    },
    {
      name: "a task, which is a person's command",
      claims: { ...tracked, runType: "TASK", sub: subject("TASK", "write") },
      identity: {
        environment: "write",
        cautions: [{ fact: "interactive", why: "a person has a shell in such a job", claim: "runType", value: "TASK" }],
      },
      derived: { interactive: true },
    },
    {
      name: "a run with a customised subject",
      claims: { ...tracked, sub: "infra-production" },
      identity: { unitId: "infra" },
    },
  ],
  refused: [
    [
      "of a module",
      { callerType: "module", sub: subject("TRACKED", "write", "module:infra") },
      "callerType must be stack: runs of modules get nothing",
    ],
    ["of a kind that nobody knows", { runType: "DEBUG", sub: subject("DEBUG", "write") }, "runType must be TRACKED or"],
    ["of no kind", { runType: undefined }, "runType is missing"],
    [
      "in a scope that nobody knows",
      { scope: "admin", sub: subject("TRACKED", "admin") },
      "scope must be write or read",
    ],
    ["without a scope", { scope: undefined }, "scope is missing"],
    ["of another kind than its subject", { runType: "DESTROY" }, "sub and runType disagree"],
    ["of another scope than its subject", { scope: "read" }, "sub and scope disagree"],
    ["of another stack than its subject", { callerId: "infra2" }, "sub and callerId disagree"],
    ["of another space than its subject", { spaceId: "root" }, "sub and spaceId disagree"],
    ["whose stack's id has a slash", { callerId: "a/b", sub: "custom" }, "callerId must be an id"],
  ],
}

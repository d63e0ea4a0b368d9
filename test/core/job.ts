import type { Identity } from "../../broker/core/identity.ts"

/** A verified job: acme/shop deploys to production from main. */
export function job(change: Partial<Identity> = {}): Identity {
  return {
    issuer: "github",
    issuerUrl: "https://token.actions.githubusercontent.com",
    unitKind: "repository",
    unit: "acme/shop",
    unitId: "41",
    owner: "acme",
    ownerId: "9001",
    environment: "production",
    ref: "refs/heads/main",
    refType: "branch",
    event: "push",
    actor: "octocat",
    actorId: "583231",
    cautions: [],
    runId: "10988497055",
    runAttempt: "1",
    claims: {},
    ...change,
  }
}

/** The same job in no environment. */
export function withoutEnvironment({ environment: _, ...rest }: Identity): Identity {
  return rest
}

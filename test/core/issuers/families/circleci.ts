import { circleci } from "../../../../broker/issuers/circleci/family.ts"
import v1 from "../../../vectors/claims/circleci-v1.json" with { type: "json" }
import v2 from "../../../vectors/claims/circleci-v2.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const ORG = "11111111-1111-4111-8111-111111111111"
const OTHER_ORG = "99999999-9999-4999-8999-999999999999"
const PROJECT = "22222222-2222-4222-8222-222222222222"
const of = (name: string) => `oidc.circleci.com/${name}`
const { "oidc.circleci.com/vcs-origin": _origin, "oidc.circleci.com/vcs-ref": _ref, ...fromWebhook } = v1
const unit = { unitKind: "project", unit: PROJECT, unitId: PROJECT, owner: ORG, ownerId: ORG } as const

export const CIRCLECI_CASE: FamilyCase = {
  family: circleci,
  config: {
    name: "circleci",
    family: "circleci",
    url: v2.iss,
    owners: new Map([["acme", ORG]]),
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "a job on a branch",
      claims: v2,
      identity: {
        ...unit,
        ref: "refs/heads/main",
        refType: null,
        event: null,
        actor: null,
        actorId: null,
        runId: "77777777-7777-4777-8777-777777777777",
        runAttempt: "55555555-5555-4555-8555-555555555555",
        cautions: [],
      },
      derived: {
        outsider: false,
        interactive: false,
        [of("context-ids")]: ["44444444-4444-4444-8444-444444444444"],
      },
    },
    { name: "a job with the first version's sub", claims: v1, identity: { ...unit, ref: "refs/heads/main" } },
    {
      name: "a job of a custom webhook, without repository and ref",
      claims: fromWebhook,
      identity: { ...unit, ref: null },
    },
    {
      name: "a job that was run again with SSH",
      claims: { ...v2, [of("ssh-rerun")]: true },
      identity: {
        ...unit,
        cautions: [
          {
            fact: "interactive",
            why: "a person has a shell in such a job",
            claim: of("ssh-rerun"),
            value: "true",
          },
        ],
      },
      derived: { outsider: false, interactive: true },
    },
    {
      name: "a job in no context",
      claims: { ...v2, [of("context-ids")]: [] },
      identity: unit,
    },
  ],
  refused: [
    ["another organisation's id", { [of("org-id")]: OTHER_ORG, sub: "" }, "iss and oidc.circleci.com/org-id disagree"],
    ["a flag that is a text", { [of("ssh-rerun")]: "false" }, "ssh-rerun must be true or false"],
    ["a flag that is null", { [of("ssh-rerun")]: null }, "ssh-rerun must be true or false"],
    ["no flag of an SSH rerun", { [of("ssh-rerun")]: undefined }, "ssh-rerun is missing"],
    ["a context that is no list", { [of("context-ids")]: "44444444" }, "context-ids must be a list of strings"],
    ["a list of lists for contexts", { [of("context-ids")]: [["4"]] }, "context-ids must be a list of strings"],
    [
      "a project's id in capitals",
      { [of("project-id")]: PROJECT.replaceAll("2", "A"), sub: "" },
      "project-id must be an id",
    ],
    ["a job's id that is none", { [of("job-id")]: "5" }, "job-id must be a UUID in small letters"],
    [
      "a sub of another organisation",
      { sub: v2.sub.replace(ORG, OTHER_ORG) },
      "sub and oidc.circleci.com/org-id disagree",
    ],
    [
      "a sub of another project",
      { sub: v2.sub.replace(PROJECT, OTHER_ORG) },
      "sub and oidc.circleci.com/project-id disagree",
    ],
  ],
}

import { forgejo } from "../../../../broker/issuers/forgejo/family.ts"
import push from "../../../vectors/claims/forgejo.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const unit = {
  unitKind: "repository",
  unit: "user1/testing",
  unitId: "12",
  owner: "user1",
  ownerId: "5",
} as const
const pullRequest = {
  ...push,
  event_name: "pull_request",
  ref: "refs/pull/7/head",
  ref_type: "",
  head_ref: "feature",
  base_ref: "master",
  sub: "repo:user1/testing:pull_request",
}
const cautionOf = (value: string, why = "outsiders can cause it") => ({
  fact: "outsider" as const,
  why,
  claim: "event_name",
  value,
})
const outsider = { outsider: true, interactive: false }

export const FORGEJO_CASE: FamilyCase = {
  family: forgejo,
  config: {
    name: "forgejo",
    family: "forgejo",
    url: push.iss,
    owners: new Map([["user1", "5"]]),
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "a job of a push",
      claims: push,
      identity: {
        ...unit,
        ref: "refs/heads/master",
        refType: "branch",
        event: "push",
        actor: "user1",
        actorId: "5",
        runId: "43",
        runAttempt: "1",
        cautions: [],
      },
      derived: { outsider: false, interactive: false },
    },
    {
      name: "a job of a newer repository, with ids in its sub",
      claims: { ...push, sub: "repo:user1-5/testing-12:ref:refs/heads/master" },
      identity: unit,
    },
    {
      name: "a job that the server itself caused",
      claims: { ...push, event_name: "schedule", actor: "forgejo-actions", actor_id: "-2" },
      identity: { ...unit, event: "schedule", actorId: "-2", cautions: [] },
    },
    {
      name: "a pull request's job",
      claims: pullRequest,
      identity: { ...unit, event: "pull_request", cautions: [cautionOf("pull_request")] },
      derived: outsider,
    },
    {
      name: "a job that a fork's pull request causes on the default branch",
      claims: { ...push, event_name: "pull_request_target" },
      identity: { ...unit, ref: "refs/heads/master", cautions: [cautionOf("pull_request_target")] },
      derived: outsider,
    },
    {
      name: "a job of an event that is not known",
      claims: { ...push, event_name: "brand_new_event" },
      identity: {
        cautions: [cautionOf("brand_new_event", "this version does not know whether outsiders can cause it")],
      },
      derived: outsider,
    },
    {
      name: "a job of an owner and a repository with dots in their names",
      claims: {
        ...push,
        repository: "my.org/site.example",
        repository_owner: "my.org",
        sub: "repo:my.org-5/site.example-12:ref:refs/heads/master",
      },
      identity: { unit: "my.org/site.example", owner: "my.org" },
    },
  ],
  refused: [
    ["no id of the repository, as from Forgejo 15.0", { repository_id: undefined }, "repository_id is missing"],
    ["an empty id of the owner", { repository_owner_id: "" }, "repository_owner_id must be an id in decimal digits"],
    ["an id that is a number", { repository_id: 12 }, "repository_id must be a string"],
    ["a sub of another repository", { sub: "repo:evil/testing:ref:refs/heads/master" }, "sub and repository disagree"],
    ["a sub of another id", { sub: "repo:user1-5/testing-13:ref:refs/heads/master" }, "sub and repository disagree"],
    ["a sub with one id of two", { sub: "repo:user1-5/testing:ref:refs/heads/master" }, "sub and repository disagree"],
    ["a sub of another ref", { sub: "repo:user1/testing:ref:refs/heads/masterx" }, "sub and ref disagree"],
    ["a pull request's sub in a push", { sub: "repo:user1/testing:pull_request" }, "sub and event_name disagree"],
    ["a sub without a context", { sub: "repo:user1/testing" }, "sub and repository disagree"],
    ["another owner's name", { repository_owner: "evil" }, "two different owners"],
    [
      "a repository in a repository",
      { repository: "user1/testing/x", sub: "" },
      "must be an owner and a name in ASCII",
    ],
    ["a repository that is ..", { repository: "user1/..", sub: "" }, "must be an owner and a name in ASCII"],
    ["a look-alike letter", { repository: "user1/tеsting", sub: "" }, "must be an owner and a name in ASCII"],
    ["no attempt", { run_attempt: "" }, "run_attempt must be an id in decimal digits"],
    ["a flag that is no text", { ref_protected: false }, "ref_protected must be a string"],
  ],
}

import { jenkins } from "../../../../broker/issuers/jenkins/family.ts"
import sample from "../../../vectors/claims/jenkins.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const ISSUER = "https://jenkins.example.com/oidc"
const config = {
  name: "jenkins",
  family: "jenkins",
  url: ISSUER,
  owners: new Map([["jenkins.example.com", ISSUER]]),
  repositoryPolicies: false,
}

const identity = {
  unitKind: "job",
  unit: sample.sub,
  unitId: sample.sub,
  owner: "jenkins.example.com",
  ownerId: ISSUER,
  runId: "42",
  runAttempt: "",
  ref: null,
  event: null,
  actor: null,
  cautions: [],
} as const

const changeRequest = (job: string) => ({
  name: `of the change request ${job}`,
  claims: { ...sample, sub: `${sample.sub}job/${job}/` },
  identity: {
    ...identity,
    unit: `${sample.sub}job/${job}/`,
    unitId: `${sample.sub}job/${job}/`,
    cautions: [{ fact: "outsider", why: "it builds a change request, and outsiders can open one" }] as const,
  },
  derived: { outsider: true },
})

/** The plugin's defaults: no claim is mapped. */
export const JENKINS_CASE: FamilyCase = {
  subject: "decides",
  family: jenkins,
  config,
  samples: [
    {
      name: "of a job, with a list of one audience",
      claims: sample,
      identity,
      derived: { job: sample.sub, build_number: 42, outsider: false },
    },
    { name: "whose audience is a text", claims: { ...sample, aud: sample.aud[0] }, identity },
    {
      name: "of a branch in a folder, whose name is encoded",
      claims: { ...sample, sub: "https://jenkins.example.com/job/shop/job/deploy/job/feature%252Fpay/" },
      identity: {
        ...identity,
        unitId: "https://jenkins.example.com/job/shop/job/deploy/job/feature%252Fpay/",
        unit: "https://jenkins.example.com/job/shop/job/deploy/job/feature%252Fpay/",
      },
    },
    {
      name: "of a Jenkins below a path, on a port, without TLS of its own",
      claims: { ...sample, sub: "http://ci.internal:8080/jenkins/job/deploy/" },
      identity: {
        ...identity,
        unitId: "http://ci.internal:8080/jenkins/job/deploy/",
        unit: "http://ci.internal:8080/jenkins/job/deploy/",
      },
    },
    {
      name: "with claims that have the family's names, which count unmapped",
      claims: { ...sample, environment: "production", ref: "main", actor: "octocat" },
      identity: { ...identity, environment: "production", ref: "main", actor: "octocat" },
    },
    {
      name: "with a claim job of its own, which does not count",
      claims: { ...sample, job: "https://jenkins.example.com/job/other/" },
      identity,
      derived: { job: sample.sub },
    },
    changeRequest("PR-7"),
    changeRequest("PR-7-merge"),
    changeRequest("PR-7-head"),
    changeRequest("MR-12"),
  ],
  refused: [
    ["without a sub", { sub: undefined }, "the claim sub is missing"],
    ["whose sub is a number", { sub: 7 }, "the claim sub must be a string"],
    ["from outside of builds: sub is the Jenkins", { sub: "https://jenkins.example.com/" }, "a job is its URL"],
    ["whose sub is a name", { sub: "my-job" }, "a job is its URL"],
    ["whose job has no slash at its end", { sub: "https://jenkins.example.com/job/my-job" }, "with a slash at its end"],
    ["whose job has a star", { sub: "https://jenkins.example.com/job/*/" }, "a job is its URL"],
    ["whose job has a query", { sub: "https://jenkins.example.com/job/my-job/?x=/" }, "a job is its URL"],
    ["whose job has a space", { sub: "https://jenkins.example.com/job/my job/" }, "a job is its URL"],
    ["whose job is followed by a line break", { sub: `${sample.sub}\n` }, "a job is its URL"],
    ["whose job has letters beyond ASCII", { sub: "https://jenkins.example.com/job/dеploy/" }, "a job is its URL"],
    ["whose environment is empty", { environment: "" }, "the claim environment must be a name"],
    ["whose environment is a flag", { environment: true }, "the claim environment must be a string"],
    ["for two audiences", { aud: [sample.aud[0], "sts.amazonaws.com"] }, "must have exactly one audience"],
    ["for no audience", { aud: undefined }, "must have exactly one audience"],
  ],
}

import type { Caution, Claims } from "../identity.ts"
import type { ClaimFact } from "./claim-fact.ts"
import { tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"

const row = (
  claim: string,
  summary: string,
  tells: ClaimFact["tells"],
  sent: ClaimFact["sent"],
  more: Partial<ClaimFact> = {},
): [string, ClaimFact] => [claim, { summary, tells, sent, ...more }]

/** Whoever starts a build chooses its parameters, and a claim can be made of one. */
const BUILDS: Partial<ClaimFact> = { chosenBy: "writer" }

/**
 * What tokens of the Jenkins plugin "OpenID Connect Provider" say. Source: the plugin's documentation and its code. Only `sub`
 * and `build_number` are there by default. All others are templates of the administrator, filled from the build's variables.
 * The organisation file says which of them mean what.
 */
const CLAIMS = tableOf([
  row("sub", "the job's URL, unless the administrator changed the template", "unit", "always"),
  row("job", "the job's URL: sub, or the claim that is mapped", "unit", "always", {
    derived: true,
    samples: ["https://jenkins.example.com/job/shop/job/deploy/"],
  }),
  row("environment", "the environment, where a claim is mapped or has this name", "job", "with-environment", BUILDS),
  row("ref", "the branch or tag, where a claim is mapped or has this name", "job", "by-some-issuers", {
    ...BUILDS,
    type: "any",
    tellsCode: true,
  }),
  row("actor", "who started the build, where a claim is mapped or has this name", "job", "by-some-issuers", BUILDS),
  row("build_number", "the build's number", "job", "by-some-issuers", {
    type: "any",
    form: "digits",
    samples: ["42"],
  }),
])

const SEGMENT = "[A-Za-z0-9._~%!$&'()+,;=:@-]+"

/** Names of jobs for change requests, as multibranch projects make them for GitHub, Bitbucket and GitLab. */
const CHANGE_REQUEST = /\/job\/(?:PR|MR)-[0-9]+(?:-(?:head|merge))?\/$/

function ofChangeRequest({ job }: Claims): readonly Caution[] {
  if (typeof job !== "string" || !CHANGE_REQUEST.test(job)) return []
  return [{ fact: "outsider", why: "it builds a change request, and outsiders can open one" }]
}

/**
 * Jobs of a Jenkins, known by their URL: Jenkins gives them no id. The issuer, of the whole Jenkins or of a folder, owns all
 * its jobs.
 */
export const JENKINS: FamilyFacts<"jenkins"> = {
  name: "jenkins",
  title: "Jenkins",
  unit: "job",
  claims: CLAIMS,
  roles: { unitId: "job", environment: "environment", ref: "ref", actor: "actor", runId: "build_number" },
  furtherCautions: ofChangeRequest,
  unitId: {
    pattern: new RegExp(`^https?://[A-Za-z0-9.:[\\]-]+(?:/${SEGMENT})*/job/${SEGMENT}/$`),
    words: "a job is its URL with a slash at its end, such as https://jenkins.example.com/job/shop/job/deploy/",
    longest: `https://${"j".repeat(60)}.example/job/${"j".repeat(170)}/`,
  },
  patterns: false,
  findId: () => "the address of the job's page in Jenkins",
  // The administrator's choice, one hour unless changed. A day is the most that this broker accepts of any issuer.
  maxTokenLifetimeSeconds: 86_400,
  jti: "never",
  audience: "setting",
  mapped: ["job", "environment", "ref", "actor", "build_number"],
  keyTypes: ["RSA"],
  keySpelling: { signByte: true },
}

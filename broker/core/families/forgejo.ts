import { cautionOfUnknown } from "./cautions.ts"
import type { ValueFact } from "./claim-fact.ts"
import { about, closed, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { DIGITS } from "./id-forms.ts"

const names = (text: string, fact: ValueFact) => text.split(" ").map((name): [string, ValueFact] => [name, fact])

/** The events that run workflows, as Forgejo documents them. Its `pull_request_target` runs the default branch's workflow. */
const EVENTS: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ...names("push schedule workflow_dispatch release create delete registry_package", {}),
  ...names("pull_request pull_request_target pull_request_review pull_request_review_comment pull_request_comment", {
    outsiders: true,
  }),
  ...names("issues issue_comment fork gollum", { outsiders: true }),
])

const repository = about("unit", "always")
const job = about("job", "always")
const WRITERS = { chosenBy: "writer" } as const
const CODE = { tellsCode: true } as const
const DIGIT_TEXT = { form: "digits" } as const

/**
 * What tokens of Forgejo Actions say: GitHub's names, fewer claims, no environment and no `jti`. Source: Forgejo's "Security
 * OpenID Connect", and `IDTokenCustomClaims` in its code. Every claim is a text, empty where there is nothing to say. The ids
 * came after Forgejo 15.0: without them nothing but names tells repositories apart, so such tokens are refused.
 */
const CLAIMS = tableOf(
  [
    job("sub", "a text made of other claims, in one of two forms", { form: "subject" }),

    repository("repository", "the repository's owner and name", { form: "repository" }),
    repository("repository_id", "the repository's id", { ...DIGIT_TEXT, samples: ["41000000", "42000000"] }),
    repository("repository_owner", "the owner's name"),
    repository("repository_owner_id", "the owner's id", DIGIT_TEXT),

    job("actor", "the name of the person that caused the run", { chosenBy: "outsider", samples: ["sample-user"] }),
    // Forgejo's own users have negative ids.
    job("actor_id", "the id of the actor"),
    job("event_name", "the event that caused the run", { values: EVENTS, samples: ["push", "workflow_dispatch"] }),
    job("ref", "the branch, tag or pull request that the run is on", {
      ...WRITERS,
      ...CODE,
      form: "ref",
      samples: ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0"],
    }),
    job("ref_type", "whether the run is on a branch or on a tag", closed("branch", "tag")),
    job("ref_protected", "whether a rule protects the ref", { ...CODE, ...closed("true", "false") }),
    job("head_ref", "the branch that a pull request comes from; empty in other runs", {
      chosenBy: "outsider",
      ofPullRequests: true,
      form: "branch",
    }),
    job("base_ref", "the branch that a pull request is for; empty in other runs", {
      ...WRITERS,
      ...CODE,
      ofPullRequests: true,
      form: "branch",
    }),
    job("sha", "the commit", { ...CODE, form: "commit" }),
    job("run_id", "the run's id", { ...DIGIT_TEXT, samples: ["7000000001"] }),
    job("run_number", "the run's number", DIGIT_TEXT),
    job("run_attempt", "which attempt of the run it is", { ...DIGIT_TEXT, samples: ["1", "2"] }),
    job("workflow", "the workflow's name", WRITERS),
    job("workflow_ref", "the workflow's file at its ref", { ...WRITERS, ...CODE, form: "workflow" }),
  ],
  "jti",
)

export const FORGEJO: FamilyFacts<"forgejo"> = {
  name: "forgejo",
  title: "Forgejo Actions",
  unit: "repository",
  claims: CLAIMS,
  roles: {
    unitId: "repository_id",
    unit: "repository",
    ownerId: "repository_owner_id",
    owner: "repository_owner",
    ref: "ref",
    refType: "ref_type",
    event: "event_name",
    actor: "actor",
    actorId: "actor_id",
    runId: "run_id",
    runAttempt: "run_attempt",
  },
  furtherCautions: (claims) => cautionOfUnknown(claims, "event_name", EVENTS),
  unitId: DIGITS,
  ownerId: DIGITS,
  unitName: {
    pattern: /^[A-Za-z0-9._-]+\/[A-Za-z0-9._*-]+$/,
    words: "a repository is written owner/name, in ASCII; stars are allowed only after the owner",
  },
  patterns: true,
  findId: (repository) => `curl https://HOST/api/v1/repos/${repository} | jq .id`,
  maxTokenLifetimeSeconds: 3600,
  jti: "never",
  audience: "job",
}

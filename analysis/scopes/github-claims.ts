import { followedBy, languageOfText, WORD } from "../regions/language.ts"
import type { Domain } from "../regions/space.ts"
import type { ClaimFacts } from "./scope-space.ts"

/**
 * What a GitHub Actions token always says, and what good examples are. Verification refuses tokens without these, so no
 * analysis has to look at jobs that lack them; it goes on to look at every value that a condition could tell apart. `sub` is
left out: it repeats the others, and no example of it could agree with them.
 */
export const GITHUB_CLAIMS: ClaimFacts = new Map<string, Domain>([
  ["repository", { present: "always", within: [followedBy(followedBy(WORD, languageOfText("/")), WORD)] }],
  ["repository_id", always("41000000", "42000000")],
  ["repository_owner", always()],
  ["repository_owner_id", always()],
  ["ref", always("refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0", "refs/pull/7/merge")],
  ["ref_type", always("branch", "tag")],
  ["event_name", always("push", "workflow_dispatch", "schedule", "release")],
  ["actor", always("octocat", "dependabot[bot]")],
  ["run_id", always("7000000001")],
  ["run_attempt", always("1", "2")],
  ["ref_protected", { samples: ["true", "false"] }],
  ["runner_environment", { samples: ["github-hosted", "self-hosted"] }],
  ["repository_visibility", { samples: ["private", "public", "internal"] }],
])

function always(...samples: readonly string[]): Domain {
  return { present: "always", samples }
}

import { circleci } from "./circleci.ts"
import type { FamilyCase } from "./family-case.ts"
import { forgejo } from "./forgejo.ts"
import { githubActions } from "./github-actions.ts"
import { gitlab } from "./gitlab.ts"

/** Every family's case. The common rows run over all of them. */
export const CASES: readonly FamilyCase[] = [githubActions, gitlab, forgejo, circleci]

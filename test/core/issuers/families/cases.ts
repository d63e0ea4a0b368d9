import type { FamilyCase } from "./family-case.ts"
import { githubActions } from "./github-actions.ts"

/** Every family's case. The common rows run over all of them. */
export const CASES: readonly FamilyCase[] = [githubActions]

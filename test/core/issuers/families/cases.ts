import { circleci } from "./circleci.ts"
import type { FamilyCase } from "./family-case.ts"
import { forgejo } from "./forgejo.ts"
import { githubActions } from "./github-actions.ts"
import { gitlab } from "./gitlab.ts"
import { JENKINS_CASE } from "./jenkins.ts"
import { KUBERNETES_CASE } from "./kubernetes.ts"

/** Every family's case. The common rows run over all of them. */
export const CASES: readonly FamilyCase[] = [githubActions, gitlab, forgejo, circleci, KUBERNETES_CASE, JENKINS_CASE]

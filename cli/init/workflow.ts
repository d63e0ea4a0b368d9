import { flow } from "./yaml-text.ts"

/** A workflow that gets the first grant, for a person to paste. */
export function workflowText(given: {
  readonly broker: string
  readonly grant: string
  readonly branch: string
  readonly environment: string | undefined
  /** What `uses:` names, with a comment behind it. */
  readonly action: string
  readonly proof: string
}): string {
  const { broker, grant, branch, environment, action, proof } = given
  return `name: deploy
on:
  push:
    branches: [${JSON.stringify(branch)}]
  workflow_dispatch:
permissions: {}
jobs:
  deploy:
    runs-on: ubuntu-24.04
${environment === undefined ? "" : `    environment: ${flow(environment)} # exactly the policy's environment\n`}    permissions:
      contents: read
      id-token: write # without it, the job cannot prove its identity
    steps:
      - uses: ${action}
        with:
          broker: ${broker}
          grants: ${grant}
      - run: ${JSON.stringify(proof).includes("\\") ? `|\n          ${proof}` : proof}
`
}

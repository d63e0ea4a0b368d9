import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { type ActWorld, workflow } from "./act-world.ts"
import type { Check } from "./run.ts"

/** One use in a composite action that another composite action uses, and one in the job itself. */
export async function actTwiceCase({ sts, broker, repository, act, asked }: ActWorld, check: Check): Promise<void> {
  const composites = {
    ".github/actions/outer/action.yml": `name: outer
runs:
  using: composite
  steps:
    - uses: ./.github/actions/inner
      with:
        broker: ${broker.url}
`,
    ".github/actions/inner/action.yml": `name: inner
inputs:
  broker: { required: true }
outputs:
  lease: { value: "\${{ steps.daypass.outputs.lease }}" }
runs:
  using: composite
  steps:
    - id: daypass
      uses: ./.github/actions/daypass
      with:
        broker: \${{ inputs.broker }}
        grants: aws-deploy
`,
  }
  const steps = `
- uses: ./.github/actions/outer
- id: second
  uses: ./.github/actions/daypass
  with:
    broker: ${broker.url}
    grants: aws-deploy
    deliver: outputs
- run: |
    echo "first $(printf %s "$AWS_SECRET_ACCESS_KEY" | sha256sum)"
    echo "second $(printf %s "$SECOND" | sha256sum)"
    echo "printed [$AWS_SECRET_ACCESS_KEY] [$SECOND]"
  env:
    SECOND: \${{ steps.second.outputs.aws-deploy-secret-access-key }}
`
  const before = sts.issued.length
  const { exitCode, log } = await act(await repository("twice", { ...composites, ...workflow(steps) }), {
    runId: "3003",
  })
  const [first, second] = sts.issued.slice(before)
  const digest = (secret = "") => createHash("sha256").update(secret).digest("hex")

  await check("act runs two uses in one job, one of them inside of two composite actions", () => {
    assert.equal(exitCode, 0, log)
    assert.equal(sts.issued.length, before + 2)
  })
  await check("a following step has the credentials of both, each where its use delivered them", () => {
    assert.ok(log.includes(`first ${digest(first?.secretAccessKey)}`), log)
    assert.ok(log.includes(`second ${digest(second?.secretAccessKey)}`), log)
    assert.ok(log.includes("printed [***] [***]"), log)
    for (const { secretAccessKey, sessionToken } of sts.issued.slice(before))
      assert.ok(!log.includes(secretAccessKey) && !log.includes(sessionToken))
  })
  await check("the post steps end the leases in the other order, each its own one", async () => {
    const opened = await asked("3003", "exchange", 2)
    const ended = await asked("3003", "revoke", 2)
    assert.equal(new Set(opened.map(({ lease }) => lease)).size, 2)
    assert.deepEqual(
      ended.map(({ lease }) => lease),
      opened.map(({ lease }) => lease).toReversed(),
    )
    const posts = [...log.matchAll(/⭐ Run Post \.\/\.github\/actions\/(\w+)/g)].map(([, name]) => name)
    assert.deepEqual(posts, ["daypass", "outer", "inner", "daypass"])
  })
}

import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { actRunCase } from "./act-run-case.ts"
import { actTwiceCase } from "./act-twice-case.ts"
import { type ActWorld, startActWorld, workflow } from "./act-world.ts"
import type { Check } from "./run.ts"

/** The action under `act`, a runner that other people wrote, in host mode. */
export async function actCase(programs: string, check: Check): Promise<void> {
  await using ends = new AsyncDisposableStack()
  const world = await startActWorld(programs, ends)
  await deliveryCase(world, check)
  await actTwiceCase(world, check)
  await actRunCase(world, check)
}

/** A following step uses the credentials. */
async function deliveryCase({ github, sts, broker, repository, act }: ActWorld, check: Check): Promise<void> {
  const steps = `
- uses: ./.github/actions/daypass
  with:
    broker: ${broker.url}
    grants: aws-deploy
- run: |
    echo "digest $(printf %s "$AWS_SECRET_ACCESS_KEY" | sha256sum | cut -d' ' -f1)"
    echo "printed [$AWS_SECRET_ACCESS_KEY]"
    echo "and [$AWS_SESSION_TOKEN]"
`
  const shop = await repository("delivery", workflow(steps))
  const good = await act(shop, { runId: "3001" })
  const issued = sts.issued[0]

  await check("act runs the job to its end", () => {
    assert.equal(good.exitCode, 0, good.log)
    assert.equal(sts.issued.length, 1)
  })

  await check("a following step has the credentials in its environment", () => {
    const digest = createHash("sha256")
      .update(issued?.secretAccessKey ?? "")
      .digest("hex")
    assert.ok(good.log.includes(`digest ${digest}`), good.log)
  })

  await check("what that step prints of them is masked", () => {
    assert.ok(good.log.includes("printed [***]"), good.log)
    for (const secret of [issued?.secretAccessKey, issued?.sessionToken]) {
      assert.ok(secret !== undefined && !good.log.includes(secret))
    }
  })

  await check("the post step closed the lease with a fresh token", () => {
    const tokens = github.requests.filter((line) => line.startsWith("GET idtoken") && line.endsWith(" 200"))
    assert.equal(tokens.length, 2, github.requests.join("\n"))
    assert.match(good.log, /It expires at /)
  })

  await check("a job on a feature branch fails before the step that needs the credentials", async () => {
    const denied = await act(shop, { runId: "3002", ref: "refs/heads/feature/x" })
    assert.notEqual(denied.exitCode, 0)
    assert.ok(!denied.log.includes("digest "), denied.log)
    assert.equal(sts.issued.length, 1)
  })
}

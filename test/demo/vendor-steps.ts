import { runAction } from "../support/runner.ts"
import type { Finding, Vendor } from "../support/vendor.ts"
import { toolsJob } from "../support/vendor-world.ts"
import type { Findings } from "./report.ts"
import { type DemoStep, tempOf } from "./steps.ts"
import type { World } from "./world.ts"

/** A step for every vendor: a job of acme/tools gets its credentials, masked. What can be revoked is revoked after the job. */
export function vendorSteps(vendors: readonly Vendor[]): readonly DemoStep[] {
  return vendors.map((vendor, index) => ({
    name: `A job gets ${vendor.gives}`,
    run: (world, findings) => runVendor(vendor, `${2001 + index}`, world, findings),
  }))
}

async function runVendor(
  vendor: Vendor,
  runId: string,
  world: World,
  { check, show, headline }: Findings,
): Promise<void> {
  const job = world.github.job(toolsJob(runId))
  const step = {
    inputs: { broker: world.broker.url, grants: Object.keys(vendor.grants).join() },
    idToken: { url: job.requestUrl, requestToken: job.requestToken },
    temp: tempOf(world, job),
    signal: world.signal,
  }
  const main = await runAction({ ...step, entry: "main" })
  show("the action's log", main.log)
  check("action/dist/main.js ended with exit code 0", main.exitCode === 0)
  const tell = (found: readonly Finding[]) => {
    for (const [says, holds] of found) check(says, holds)
  }
  tell(await vendor.check(main))
  const post = await runAction({ ...step, entry: "post", state: main.state })
  show("the post step's log", post.log)
  tell(await vendor.checkEnd(post))
  check("the leak sweep looked, and found nothing", !post.log.includes("::warning"))
  check("no revocable credential is still alive", vendor.alive() === 0)
  headline(`a job got ${vendor.gives}`)
}

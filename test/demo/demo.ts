import { parseArgs } from "node:util"
import { GITLAB_STEPS } from "./gitlab-steps.ts"
import { type Form, Report } from "./report.ts"
import { STEPS, type Story } from "./steps.ts"
import { vendorSteps } from "./vendor-steps.ts"
import { startWorld } from "./world.ts"

/**
 * `npm run demo [-- --all] [--story] [--json]`: the main job of Daypass on this machine, from a CI job's token to credentials and their
 * revocation, and a job of GitLab. With `--all`, the jobs of every vendor too. Says in a few lines what happened; with `--story`,
 * all that was seen and checked.
 *
 * Exit code 0 if every step passes, otherwise 1. Leaves no process and no file, also when it is interrupted.
 */
async function demo({ form, all }: { readonly form: Form; readonly all: boolean }): Promise<boolean> {
  const startedAt = performance.now()
  const report = new Report(form)
  const ends = new AsyncDisposableStack()
  const giveUp = (code: number) => void ends.disposeAsync().finally(() => process.exit(code))
  process.once("SIGINT", () => giveUp(130))
  process.once("SIGTERM", () => giveUp(143))
  // The reader of the output has closed it: `npm run demo | head`.
  process.stdout.once("error", () => giveUp(141))
  report.say("Daypass: jobs of GitHub and GitLab, a broker and an AWS account, all on this machine", "bold")
  report.tell(
    "Everything here runs on the Node that npm fetched for tests. In production, a broker runs on your own: docs/run-on-node.md",
  )
  let survived = false
  let steps = STEPS
  try {
    const world = await startWorld(ends, report, { all })
    const story: Story = {}
    // The last step checks that no server saw an unexpected request, so it runs after all others.
    steps = [...STEPS.slice(0, -1), ...GITLAB_STEPS, ...vendorSteps(world.vendors), ...STEPS.slice(-1)]
    for (const step of steps) await report.step(step.name, (findings) => step.run(world, findings, story))
    survived = true
  } catch (error) {
    console.error(`\nThe demo could not start: ${error instanceof Error ? error.message : String(error)}`)
  }
  await ends.disposeAsync().catch((error: unknown) => {
    // If a server saw an unexpected request, the last step has already reported it.
    console.error(error instanceof Error ? error.message : String(error))
    survived = false
  })
  return report.close(steps.length, (performance.now() - startedAt) / 1000) && survived
}

const flag = { type: "boolean", default: false } as const
const { values } = parseArgs({ options: { json: flag, all: flag, story: flag } })
const form = values.json ? "json" : values.story ? "story" : "short"
process.exitCode = (await demo({ form, all: values.all })) ? 0 : 1

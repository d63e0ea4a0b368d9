import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { startPullRequests } from "../../support/github-api/pull-requests.ts"
import { runAction } from "../../support/runner.ts"
import { POLICIES, SERVICES, WIDER } from "./world.ts"

const DIST = fileURLToPath(new URL("../../../action/review/dist/", import.meta.url))
/** A runner fetches it once for each job of a pull request. GitHub's client, rules for secrets, and the analysis are most of it. */
const MAX_BYTES = 2_600_000

test("the bundle stays within its budget, is one program without packages, and brings their licences", () => {
  expect(statSync(join(DIST, "main.js")).size).toBeLessThanOrEqual(MAX_BYTES)
  const text = readFileSync(join(DIST, "main.js"), "utf8")
  const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = ""]) => name.replace(/^node:/, ""))
  expect(
    required.filter((name) => !process.getBuiltinModule?.(`node:${name}`) && !process.getBuiltinModule?.(name)),
  ).toEqual([])
  expect(text).not.toContain(process.cwd())
  expect(readFileSync(join(DIST, "LICENSES.txt"), "utf8")).toMatch(/^@actions\/github [0-9.]+$/m)
})

// With a secret in a file and without an ID token: rules for secrets and the client of a broker are parts that only some runs load.
test("the built action reviews a pull request as a process of its own, in a workspace without a checkout", async () => {
  const api = await startPullRequests()
  const secret = `ghp_${"a1B2c3D4e5".repeat(4).slice(0, 36)}`
  const head = { ...WIDER, [SERVICES]: `${WIDER[SERVICES]}# ${secret}\n` }
  const pull = api.open({ base: POLICIES, head })
  const token = api.token()
  const run = await runAction({
    entry: "main",
    main: join(DIST, "main.js"),
    inputs: { folder: "policies", token, broker: "https://daypass.example.com" },
    eventName: "pull_request_target",
    event: pull.event(api.repository),
    env: { GITHUB_API_URL: api.url, GITHUB_REPOSITORY: "acme/policies" },
  })
  expect(run.stderr).toBe("")
  expect(run.exitCode).toBe(1)
  const widening = expect.stringMatching(/^[0-9a-f]{64}$/)
  expect(run.outputs).toEqual({ widens: "true", widening, conclusion: "failure" })
  expect(run.stdout).toContain("The policies have errors. A job gets more by this pull request.\n")
  expect(run.stdout).toContain("+ MORE  acme/shop (id 41), production\n")
  expect(run.summary).toContain("### Daypass review of `policies`")
  expect(run.summary).toContain("cannot be read: This job has no permission to request an ID token.")
  expect(pull.comments).toHaveLength(1)
  expect(pull.comments[0]?.body).toContain("[secret_literal]")
  expect(api.checks).toMatchObject([{ conclusion: "failure", headSha: pull.headSha }])
  const told = [run.stdout, run.summary, pull.comments[0]?.body, JSON.stringify(api.checks)].join()
  expect(told).not.toContain(token)
  expect(told).not.toContain(secret)
  expect(Object.keys(run.written)).toEqual([])
  await api.close()
  api.assertClean()
})

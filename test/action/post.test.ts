import { describe, expect, test } from "vitest"
import { runAction } from "../support/runner.ts"
import { type Expected, problem, type Reply } from "../support/scripted-broker.ts"
import { granted, heldState, play, takenBack } from "./story.ts"

const post = (script: readonly Expected[]) =>
  // A broker input that has changed since main ran: post must not look at it.
  play(script, { entry: "post", inputs: { broker: "not a url", grants: "" }, state: heldState })

test("post takes back what main got, from what main saved and no input", async () => {
  const { run, text } = await post(takenBack())
  expect(run.exitCode).toBe(0)
  expect(text).toMatchSnapshot()
})

test("post understands the state that main really leaves", async () => {
  const main = await play(granted())
  expect(main.run.state["variables"]).toBe(heldState("x")["variables"])
  const saved = JSON.parse(main.run.state["lease"] ?? "") as { broker: string }
  expect(saved).toEqual(JSON.parse(heldState(saved.broker)["lease"] ?? ""))
})

test.each<[string, Record<string, string>]>([
  ["main saved nothing", {}],
  ["main gave the lease back itself", { lease: "" }],
  ["what is saved is no lease", { lease: '{"id":7}' }],
  ["what is saved is no JSON", { lease: "{" }],
])("post does nothing when %s", async (_, state) => {
  const run = await runAction({ entry: "post", state })
  expect([run.exitCode, run.stdout, run.stderr]).toEqual([0, "", ""])
})

describe("post never fails the job, and says what stays alive until when", () => {
  const end = "2031-05-06T07:08:09.000Z"
  const outcomes = (credentials: unknown): Reply => ({ status: 200, body: { lease: "lease-1", credentials } })
  test.each<[string, readonly Expected[]]>([
    ["when the broker took all back", takenBack(outcomes({ a: { outcome: "revoked", expires_at: end } }))],
    [
      "when some could not be taken back yet",
      takenBack(outcomes({ a: { outcome: "failed", expires_at: end }, b: { outcome: "failed", expires_at: null } })),
    ],
    ["when something else than a broker says yes", takenBack({ status: 200, type: "text/html", body: "<h1>OK</h1>" })],
    [
      "when the answer has names that are none",
      takenBack(outcomes({ "::error::x": { outcome: "revoked", expires_at: null } })),
    ],
    ["when the lease is gone", takenBack(problem(404, "lease_not_found", "No such lease for this job."))],
    ["when the broker fails", takenBack(problem(500, "internal", "The broker failed."))],
    ["when the broker is older than leases", takenBack({ status: 404, type: "text/html", body: "" })],
    ["when the broker redirects", takenBack({ status: 302, headers: { location: "https://evil.example/" }, body: "" })],
    ["when the runner gives no token", [{ on: "token", reply: { status: 403, body: {} } }]],
  ])("%s", async (_, script) => {
    const { run } = await post(script)
    expect([run.exitCode, run.stderr, run.env, run.outputs]).toEqual([0, "", {}, {}])
    expect(run.log.replaceAll(/127\.0\.0\.1:\d+/g, "<broker>")).toMatchSnapshot()
  })

  test("when the broker is down", async () => {
    const state = (origin: string) => {
      const lease = { ...JSON.parse(heldState(origin)["lease"] ?? ""), broker: "http://127.0.0.1:9" }
      return { lease: JSON.stringify(lease) }
    }
    const { run } = await play([{ on: "token" }, { on: "token" }, { on: "token" }], { entry: "post", state })
    expect(run.exitCode).toBe(0)
    expect(run.log).toMatchSnapshot()
  })

  test("when the job may not ask for tokens any more", async () => {
    const run = await runAction({ entry: "post", state: heldState("https://daypass.example") })
    expect(run.exitCode).toBe(0)
    expect(run.log).toMatchSnapshot()
  })
})

test("post tries again after trouble that passes, with a token of its own", async () => {
  const { run, requests } = await post([...takenBack({ reset: true }), ...takenBack()])
  expect(run.exitCode).toBe(0)
  expect(requests.filter((line) => line.startsWith("DELETE"))).toEqual([
    "DELETE /v1/leases/lease-1 bearer=token-1",
    "DELETE /v1/leases/lease-1 bearer=token-2",
  ])
})

import { describe, expect, test } from "vitest"
import { LEASE_ID } from "../../broker/wire/lease-id.ts"
import { runAction } from "../support/runner.ts"
import { type Expected, problem, type Reply } from "../support/scripted-broker.ts"
import { granted, play, revoked, savedByMain } from "./story.ts"

const post = (script: readonly Expected[]) =>
  // A broker input that has changed since main ran: post must not look at it.
  play(script, { entry: "post", inputs: { broker: "not a url", grants: "" }, state: savedByMain })

test("post revokes the lease that main saved, and reads no input", async () => {
  const { run, text } = await post(revoked())
  expect(run.exitCode).toBe(0)
  expect(text).toMatchSnapshot()
})

test("post understands the state that main saves", async () => {
  const main = await play(granted())
  expect(main.run.state["variables"]).toBe(savedByMain("x")["variables"])
  const saved = JSON.parse(main.run.state["lease"] ?? "") as { broker: string }
  const lease = { id: expect.stringMatching(LEASE_ID), expiresAt: "2031-05-06T07:08:09.000Z" }
  expect(saved).toEqual({ ...JSON.parse(savedByMain(saved.broker)["lease"] ?? ""), leases: [lease] })
})

test.each<[string, Record<string, string>]>([
  ["main saved nothing", {}],
  ["main revoked the lease itself", { lease: "" }],
  ["the saved state is not a lease", { lease: '{"id":7}' }],
  [
    "the saved state has no leases",
    { lease: '{"broker":"https://daypass.example","audience":"x","leases":[7,{"id":1}]}' },
  ],
  ["the saved state is not JSON", { lease: "{" }],
])("post does nothing when %s", async (_, state) => {
  const run = await runAction({ entry: "post", state })
  expect([run.exitCode, run.stdout, run.stderr]).toEqual([0, "", ""])
})

describe("post never fails the job, and says until when credentials live", () => {
  const end = "2031-05-06T07:08:09.000Z"
  const outcomes = (credentials: unknown): Reply => ({ status: 200, body: { lease: "lease-1", credentials } })
  test.each<[string, readonly Expected[]]>([
    ["when the broker revoked everything", revoked(outcomes({ a: { outcome: "revoked", expires_at: end } }))],
    [
      "when some are not revoked yet",
      revoked(outcomes({ a: { outcome: "failed", expires_at: end }, b: { outcome: "failed", expires_at: null } })),
    ],
    [
      "when another call is revoking some now",
      revoked(outcomes({ a: { outcome: "revoked", expires_at: end }, b: { outcome: "revoking", expires_at: end } })),
    ],
    [
      "when the broker cannot write its record yet",
      revoked({
        status: 200,
        body: {
          lease: "lease-1",
          record_due: true,
          credentials: { a: { outcome: "revoked", expires_at: end } },
        },
      }),
    ],
    ["when an outcome is unknown to this version", revoked(outcomes({ a: { outcome: "lost", expires_at: end } }))],
    ["when another server answers 200", revoked({ status: 200, type: "text/html", body: "<h1>OK</h1>" })],
    [
      "when the answer has invalid names",
      revoked(outcomes({ "::error::x": { outcome: "revoked", expires_at: null } })),
    ],
    ["when the lease is gone", revoked(problem(404, "lease_not_found", "No such lease for this job."))],
    ["when the broker fails", revoked(problem(500, "internal", "The broker failed."))],
    ["when the broker is older than leases", revoked({ status: 404, type: "text/html", body: "" })],
    ["when the broker redirects", revoked({ status: 302, headers: { location: "https://evil.example/" }, body: "" })],
    ["when the runner gives no token", [{ on: "token", reply: { status: 403, body: {} } }]],
  ])("%s", async (_, script) => {
    const { run } = await post(script)
    expect([run.exitCode, run.stderr, run.env, run.outputs]).toEqual([0, "", {}, {}])
    expect(run.log.replaceAll(/127\.0\.0\.1:\d+/g, "<broker>")).toMatchSnapshot()
  })

  test("when the broker is down", async () => {
    const state = (origin: string) => {
      const lease = { ...JSON.parse(savedByMain(origin)["lease"] ?? ""), broker: "http://127.0.0.1:9" }
      return { lease: JSON.stringify(lease) }
    }
    const { run } = await play([{ on: "token" }, { on: "token" }, { on: "token" }], { entry: "post", state })
    expect(run.exitCode).toBe(0)
    expect(run.log).toMatchSnapshot()
  })

  test("when the job can no longer request tokens", async () => {
    const run = await runAction({ entry: "post", state: savedByMain("https://daypass.example") })
    expect(run.exitCode).toBe(0)
    expect(run.log).toMatchSnapshot()
  })
})

describe("a lease that main asked for without an answer", () => {
  const UNTIL = "2031-05-06T08:00:00.000Z"
  /** Two attempts without an answer, and one that was answered. */
  const state = (origin: string) => {
    const saved = savedByMain(origin)
    const { leases, ...home } = JSON.parse(saved["lease"] ?? "")
    const unanswered = ["lease-8", "lease-9"].map((id) => ({ id, expiresAt: null }))
    return { ...saved, lease: JSON.stringify({ ...home, leases: [...unanswered, ...leases] }) }
  }
  const gone = problem(404, "lease_not_found", "No such lease for this job.")
  const ended = (more: object, credentials: object = {}): Reply => ({
    status: 200,
    body: { lease: "lease-8", credentials, ...more },
  })

  test("is ended after the one that was delivered, in silence when the broker never saw it", async () => {
    const { text } = await play([...revoked(), ...revoked(gone), ...revoked(gone)], { entry: "post", state })
    expect(text).toMatchSnapshot()
  })

  test.each<[string, Reply]>([
    ["was minted for nobody", ended({}, { "aws-deploy": { outcome: "revoked", expires_at: UNTIL } })],
    ["failed with nothing minted", ended({})],
    ["is still being minted, and can be revoked", ended({ unknown_until: null })],
    [
      "is still being minted, and can live on",
      ended({ unknown_until: UNTIL }, { a: { outcome: "revoking", expires_at: null } }),
    ],
    ["is told of in another form", ended({ unknown_until: "soon" })],
    ["cannot be ended", problem(500, "internal", "The broker failed.")],
  ])("%s", async (_, reply) => {
    const script = [...revoked(), ...revoked(reply), ...revoked(gone)]
    const { run } = await play(script, { entry: "post", state })
    expect([run.exitCode, run.stderr]).toEqual([0, ""])
    expect(run.log.replaceAll(/127\.0\.0\.1:\d+/g, "<broker>")).toMatchSnapshot()
  })
})

test("post retries after a temporary failure, with a new token", async () => {
  const { run, requests } = await post([...revoked({ reset: true }), ...revoked()])
  expect(run.exitCode).toBe(0)
  expect(requests.filter((line) => line.startsWith("DELETE"))).toEqual([
    "DELETE /v1/leases/lease-1 bearer=token-1",
    "DELETE /v1/leases/lease-1 bearer=token-2",
  ])
})

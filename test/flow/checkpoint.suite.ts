import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { SIGN_REPORT_PATH } from "../../broker/wire/checkpoints.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { runCli, scriptedIo } from "../cli/run-cli.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import type { RunningBroker, StartBroker } from "./world.ts"

const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }

const OPS_POLICY = `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator, elsewhere, reader-of-policies] }
grants:
  operator: { connection: operators, may: [audit.read] }
  elsewhere: { connection: operators, may: [audit.read], units: ["github:1"] }
  reader-of-policies: { connection: operators, may: [policies.read] }
`

/** The broker signs its record, and operators prove what stands in it. */
export function checkpointSuite(runtime: string, startBroker: StartBroker): void {
  describe(`checkpoints on ${runtime}`, () => {
    let folder: string
    let github: GitHub
    let broker: RunningBroker
    let runs = 0

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "daypass-checkpoints-"))
      github = await startGitHub()
      mkdirSync(join(folder, "policies/acme"), { recursive: true })
      writeFileSync(
        join(folder, "policies/daypass.yaml"),
        `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [audit.read, policies.read] }
`,
      )
      writeFileSync(join(folder, "policies/acme/ops.yaml"), OPS_POLICY)
      broker = await startBroker({ policies: join(folder, "policies") })
    })
    afterAll(async () => {
      await broker?.stop()
      await github?.close()
      rmSync(folder, { recursive: true, force: true })
    })

    const path = (name: string) => join(folder, name)

    /** Runs a command as an operator, with a token of a new run. */
    async function daypass(...args: readonly string[]) {
      writeFileSync(path("token"), await github.mint({ ...OPS, run_id: `${++runs}` }, { audience: broker.url }))
      return await runCli(...args, "--broker", broker.url, "--token-file", path("token"))
    }

    it("a broker signs its record, and whoever keeps its checkpoints can verify an export and be a witness", async () => {
      // The first calls make the first records.
      await expect
        .poll(async () => (await daypass("audit", "checkpoint", "--show-policy")).code, { interval: 500 })
        .toBe(0)
      const policy = await daypass("audit", "checkpoint", "--show-policy")
      expect(policy.out).toMatch(/^log \S+\/log\/[0-9a-f]{16}\+[0-9a-f]{8}\+\S{44}\nquorum none$/)
      writeFileSync(path("policy"), policy.out)

      const keep = ["audit", "checkpoint", "--policy", path("policy"), "--keep", path("kept")]
      await expect.poll(async () => (await daypass(...keep)).code, { interval: 500 }).toBe(0)
      const kept = readFileSync(path("kept"), "utf8")
      const again = await daypass(...keep)
      expect(again).toMatchObject({ code: 0, out: kept.trimEnd() })

      const exported = await daypass("audit", "export", "--checkpoint", path("proofs"), "--out", path("trail"))
      expect(exported).toMatchObject({ code: 0 })
      const verified = await runCli(
        "audit",
        "verify",
        path("trail"),
        "--checkpoint",
        path("proofs"),
        "--policy",
        path("policy"),
      )
      expect([verified.code, verified.out]).toEqual([
        0,
        expect.stringMatching(/unit "77" of "\S+": records 1 to \d+ are those of the checkpoint/),
      ])

      const record = await daypass("audit", "checkpoint", "--record", "github:77:1")
      expect(record).toMatchObject({ code: 0, out: expect.stringMatching(/^c2sp.org\/tlog-proof@v1\nextra /) })
      writeFileSync(path("record"), `${record.out}\n`)
      const one = await runCli(
        "audit",
        "verify",
        path("trail"),
        "--checkpoint",
        path("record"),
        "--policy",
        path("policy"),
      )
      expect([one.code, one.out]).toEqual([0, expect.stringContaining("record 1 is the one of the checkpoint")])

      // Another log than the one that was kept: the broker cannot have begun it.
      writeFileSync(path("kept"), kept.replace(/log\/[0-9a-f]{16}/g, "log/0000000000000000"))
      expect(await daypass(...keep)).toMatchObject({ code: 1, err: expect.stringContaining("has begun another log") })
      // The same size, and another root.
      writeFileSync(path("kept"), kept.replace(/\n[^\n]{4}([^\n]{39}=\n\n)/, "\nAAAA$1"))
      expect(await daypass(...keep)).toMatchObject({
        code: 1,
        err: expect.stringContaining("does not continue the kept one"),
      })
      writeFileSync(path("kept"), kept.replace(/\n\d+\n/, "\n9999\n"))
      expect(await daypass(...keep)).toMatchObject({
        code: 1,
        err: expect.stringContaining("does not continue the kept one"),
      })
    })

    it("whoever lacks the right or the scope gets nothing, and does not learn what there is", async () => {
      const operator = async (grant: string) => {
        writeFileSync(path("token"), await github.mint({ ...OPS, run_id: `${++runs}` }, { audience: broker.url }))
        const options = { broker: broker.url, "token-file": path("token"), grant }
        return await openOperator(options, { ...scriptedIo(), out: () => {}, err: () => {} })
      }
      const asked = async (grant: string, rest: string, query: Record<string, string> = {}) => {
        const client = await operator(grant)
        const reply = client.call({ method: "GET", path: `/v1/operate/checkpoint${rest}`, query, accept: "text/plain" })
        return await reply.then(({ body }) => body.toString("utf8")).catch(({ message }) => `refused: ${message}`)
      }
      for (const rest of ["", "/policy", "/proof", "/proofs"]) {
        expect(await asked("reader-of-policies", rest)).toMatch(/^refused: This needs the right audit.read/)
      }
      const hidden = await asked("elsewhere", "/proof", { unit: "github:77", seq: "1" })
      expect(hidden).toMatch(/^refused: There is no such unit/)
      for (const unit of ["github:9", "broker:broker", "nobody:1", "", "github"]) {
        expect(await asked("elsewhere", "/proof", { unit, seq: "1" })).toBe(hidden)
      }
      expect(JSON.parse(await asked("elsewhere", "/proofs"))).toEqual({ proofs: "", next: null })
      // What the broker does by itself is a ledger of its own, with a first record: the policies that it began with.
      await expect
        .poll(() => asked("operator", "/proof", { unit: "broker:broker", seq: "1" }), { interval: 500 })
        .toMatch(/^c2sp.org\/tlog-proof@v1\n/)
      // A signed hash tells nobody that its report is about a part.
      const signing = { method: "POST", path: SIGN_REPORT_PATH, json: { sha256: "0".repeat(64) } } as const
      await expect((await operator("elsewhere")).call(signing)).rejects.toMatchObject({ code: "not_allowed" })
      expect(await asked("operator", "/proof", { unit: "github:77", seq: "9999" })).toMatch(
        /^refused: the newest checkpoint/,
      )
      for (const seq of ["0", "x", ""])
        expect(await asked("operator", "/proof", { unit: "github:77", seq })).toMatch(/^refused: seq/)
      expect(await asked("operator", "", { since: "-1" })).toMatch(/^refused: since/)
      expect(await asked("operator", "", { since: "999" })).toMatch(/^refused: since is larger/)
      expect(await asked("operator", "", { since: "0" })).toMatch(/^old 0\n\n\S+\/log\//)
    })

    it("misuse ends with 2 before anybody is asked", async () => {
      for (const args of [
        [],
        ["--policy", "a", "--show-policy"],
        ["--keep", "a", "--show-policy"],
        ["--record", "x"],
        ["--policy", "/nothing"],
      ]) {
        expect((await runCli("audit", "checkpoint", "--broker", "https://b.example", ...args)).code).toBe(2)
      }
      const args = ["--broker", "https://b.example", "--checkpoint", "a", "--since", "2026-01-01"]
      expect((await runCli("audit", "export", ...args)).code).toBe(2)
    })
  })
}

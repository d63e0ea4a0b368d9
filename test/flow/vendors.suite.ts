import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type ActionRun, runAction } from "../support/runner.ts"
import type { Vendor } from "../support/vendor.ts"
import {
  connectionLines,
  startVendors,
  TOOLS,
  toolsJob,
  trustBroker,
  vendorSecrets,
  writeToolsPolicy,
} from "../support/vendor-world.ts"
import { VENDORS } from "../support/vendors/index.ts"
import type { RunningBroker, StartBroker } from "./world.ts"

/** Jobs that get something of every vendor, through the built action and a real broker, against strict stand-ins. */
export function vendorsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`every vendor, with the broker on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let github: GitHub
    let broker: RunningBroker
    let vendors: readonly Vendor[] = []
    let runs = 3000

    beforeAll(async () => {
      const policies = mkdtempSync(join(tmpdir(), "daypass-vendors-"))
      ends.defer(() => rmSync(policies, { recursive: true, force: true }))
      github = await startGitHub()
      ends.defer(() => github.close())
      vendors = await startVendors(ends)
      const organisation = `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  tokens: { provider: identity-token, audiences: ["https://example.com"] }
${connectionLines(vendors)}`
      writeFileSync(join(policies, "daypass.yaml"), organisation)
      writeToolsPolicy(policies, vendors)
      broker = await startBroker({ policies, settings: vendorSecrets(vendors) })
      ends.defer(async () => void (await broker.stop()))
      await trustBroker(vendors, broker.url)
    }, 120_000)
    afterAll(() => ends.disposeAsync())

    const stepFor = (grants: readonly string[], deliver = "environment") => {
      const job = github.job(toolsJob(`${runs++}`))
      return {
        inputs: { broker: broker.url, grants: grants.join(), deliver },
        idToken: { url: job.requestUrl, requestToken: job.requestToken },
      }
    }
    const lastRecord = async () => (await broker.trail(github.issuer, TOOLS.repository_id)).at(-1)?.record
    const outside = ({ stderr, summary, files, stdout }: ActionRun) =>
      stdout.replace(/^::add-mask::.*$/gm, "") + stderr + summary + files.GITHUB_STATE + broker.output()

    it.each(VENDORS.map((_, index) => index))(
      "number %i gives what it should, and it ends with the job",
      async (index) => {
        const vendor = vendors[index]
        if (vendor === undefined) throw new Error("there is no such vendor")
        const step = stepFor(Object.keys(vendor.grants))
        const main = await runAction({ ...step, entry: "main" })
        expect(main.exitCode, `${main.log}\n${main.summary}`).toBe(0)
        for (const [says, holds] of await vendor.check(main)) expect(holds, `${vendor.name}: ${says}`).toBe(true)
        for (const secret of main.masks.filter((mask) => mask.length >= 8))
          expect(outside(main), "no secret outside of where it belongs").not.toContain(secret)

        const post = await runAction({ ...step, entry: "post", state: main.state })
        expect(post.exitCode, post.log).toBe(0)
        for (const [says, holds] of await vendor.checkEnd(post)) expect(holds, `${vendor.name}: ${says}`).toBe(true)
        expect(vendor.alive(), `${vendor.name} has nothing left that could be taken back`).toBe(0)
        vendor.assertClean()
      },
    )

    it("gives everything of all of them in one exchange", async () => {
      const grants = vendors.flatMap((vendor) => Object.keys(vendor.grants))
      const step = stepFor(grants, "outputs")
      const main = await runAction({ ...step, entry: "main" })
      expect(main.exitCode, `${main.log}\n${main.summary}`).toBe(0)
      const record = await lastRecord()
      expect(record).toMatchObject({ event: "exchange.minted", grants: grants.map((name) => ({ name })) })
      const post = await runAction({ ...step, entry: "post", state: main.state })
      expect(post.exitCode, post.log).toBe(0)
      for (const vendor of vendors) expect(vendor.alive(), vendor.name).toBe(0)
    })

    it.each(VENDORS.map((_, index) => index))(
      "gives nothing of any when number %i fails, takes all back, and says which connection failed",
      async (index) => {
        const broken = vendors[index]
        if (broken === undefined) throw new Error("there is no such vendor")
        // Files in the policy folder do not fail: damaged ones do not load, and what a changed one comes to is told in its cases.
        if (broken.fail === undefined) return expect(broken.requests).toEqual([])
        const connection = String((Object.values(broken.grants)[0] as { readonly connection: string }).connection)
        broken.fail("garbage")
        try {
          const grants = vendors.flatMap((vendor) => Object.keys(vendor.grants))
          const main = await runAction({ ...stepFor(grants, "both"), entry: "main" })
          expect(main.exitCode).toBe(1)
          expect([main.env, main.outputs]).toEqual([{}, {}])
          expect(main.log).toContain("provider_response_invalid")
          expect(main.log).toContain(connection)
          expect(await lastRecord()).toMatchObject({ event: "exchange.failed" })
          expect((await lastRecord())?.reason).toContain("provider_response_invalid")
          expect((await lastRecord())?.reason).toContain(connection)
        } finally {
          broken.fail(null)
        }
        for (const vendor of vendors) if (vendor !== broken) expect(vendor.alive(), vendor.name).toBe(0)
        return undefined
      },
    )
  })
}

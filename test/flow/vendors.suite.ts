import { createHash } from "node:crypto"
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
import { formsOf, formsOfPem, placesWith } from "./canary.ts"
import type { RunningBroker, StartBroker } from "./world.ts"

/** Jobs that get something of every vendor, through the built action and a real broker, against strict stand-ins. */
export function vendorsSuite(runtime: string, startBroker: StartBroker): void {
  describe(`every vendor, with the broker on ${runtime}`, () => {
    const ends = new AsyncDisposableStack()
    let github: GitHub
    let broker: RunningBroker
    let vendors: readonly Vendor[] = []
    let runs = 3000
    /** Each job has one folder for temporary files, as on a runner. */
    const temps = mkdtempSync(join(tmpdir(), "daypass-vendors-temp-"))
    ends.defer(() => rmSync(temps, { recursive: true, force: true }))

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
    })
    afterAll(() => ends.disposeAsync())

    const stepFor = (grants: readonly string[], deliver = "environment") => {
      const job = github.job(toolsJob(`${runs++}`))
      return {
        temp: mkdtempSync(join(temps, "job-")),
        inputs: { broker: broker.url, grants: grants.join(), deliver },
        idToken: { url: job.requestUrl, requestToken: job.requestToken },
      }
    }
    const named = (name: string) => {
      const vendor = vendors.find((one) => one.name === name)
      if (vendor === undefined) throw new Error(`${name} is no vendor that was started`)
      return vendor
    }
    const lastRecord = async () => (await broker.trail(github.issuer, TOOLS.repository_id)).at(-1)?.record

    // What jobs were handed, and all that was said besides, for the last test to hold against each other.
    const secrets = new Set<string>()
    /** What stores keep. Some of it may have little entropy, so that not even its hash may be said. */
    const kept = new Set<string>()
    /** AWS access key ids: masked in the job, and in clear in the record, where people look for them. */
    const ids = new Set<string>()
    const said: string[] = []
    const note = ({ env, masks, written, files, stdout, stderr, summary }: ActionRun) => {
      const texts = Object.values(written).map(textOf)
      const values = [
        ...Object.values(env).filter((value) => masks.includes(value)),
        ...texts,
        // Also what a file has as a part of it: the password of a tool's login.
        ...masks.filter((mask) => !mask.includes("PRIVATE KEY") && texts.some((text) => text.includes(mask))),
      ]
      for (const value of values) if (value.length >= 16) secrets.add(value)
      said.push(stdout.replace(/^::add-mask::.*$/gm, ""), stderr, summary, files.GITHUB_STATE, files.GITHUB_OUTPUT)
    }

    it.each(Object.keys(VENDORS))("%s gives what it should, and it ends with the job", async (name) => {
      const vendor = named(name)
      const step = stepFor(Object.keys(vendor.grants))
      const main = await runAction({ ...step, entry: "main" })
      expect(main.exitCode, `${main.log}\n${main.summary}`).toBe(0)
      for (const [says, holds] of await vendor.check(main)) expect(holds, `${vendor.name}: ${says}`).toBe(true)
      note(main)
      const isStore = Object.values(vendor.grants).every((grant) => isReading(grant))
      if (isStore) for (const value of Object.values(main.env)) if (main.masks.includes(value)) kept.add(value)
      if (main.env["AWS_ACCESS_KEY_ID"] !== undefined) ids.add(main.env["AWS_ACCESS_KEY_ID"])

      const post = await runAction({ ...step, entry: "post", state: main.state })
      expect(post.exitCode, post.log).toBe(0)
      expect(post.log, "the leak sweep looked, and found nothing").not.toContain("::warning")
      expect(Object.keys(post.written), "nothing stays in the runner's temporary folder").toEqual([])
      note(post)
      for (const [says, holds] of await vendor.checkEnd(post)) expect(holds, `${vendor.name}: ${says}`).toBe(true)
      expect(vendor.alive(), `${vendor.name} has nothing left that could be taken back`).toBe(0)
      vendor.assertClean()
    })

    it("gives everything of all of them in one exchange", async () => {
      const grants = vendors.flatMap((vendor) => Object.keys(vendor.grants))
      const step = stepFor(grants, "outputs")
      const main = await runAction({ ...step, entry: "main" })
      expect(main.exitCode, `${main.log}\n${main.summary}`).toBe(0)
      const record = await lastRecord()
      expect(record).toMatchObject({ event: "exchange.minted", grants: grants.map((name) => ({ name })) })
      const post = await runAction({ ...step, entry: "post", state: main.state })
      expect([post.exitCode, post.log]).toEqual([0, expect.not.stringContaining("::warning")])
      for (const vendor of vendors) expect(vendor.alive(), vendor.name).toBe(0)
    })

    it.each(Object.keys(VENDORS))(
      "gives nothing of any when %s fails, takes all back, and says which connection failed",
      async (name) => {
        const broken = named(name)
        // Files in the policy folder do not fail: damaged ones do not load, and what a changed one comes to is told in its cases.
        if (broken.fail === undefined) return expect(broken.requests).toEqual([])
        const connection = String((Object.values(broken.grants)[0] as { readonly connection: string }).connection)
        const before = vendors.map((vendor) => vendor.alive())
        broken.fail("garbage")
        try {
          const grants = vendors.flatMap((vendor) => Object.keys(vendor.grants))
          const main = await runAction({ ...stepFor(grants, "both"), entry: "main" })
          expect(main.exitCode).toBe(1)
          note(main)
          expect([main.env, main.outputs]).toEqual([{}, {}])
          expect(main.log).toContain("provider_response_invalid")
          expect(main.log).toContain(connection)
          expect(await lastRecord()).toMatchObject({ event: "exchange.failed" })
          expect((await lastRecord())?.reason).toContain("provider_response_invalid")
          expect((await lastRecord())?.reason).toContain(connection)
        } finally {
          broken.fail(null)
        }
        // What the broken one minted, and answered with garbage, is nobody's: it can only expire.
        for (const [index, vendor] of vendors.entries()) {
          if (vendor !== broken) expect(vendor.alive(), vendor.name).toBe(before[index])
        }
        return undefined
      },
    )

    it("lets out no secret of any of them, in whatever form: not in a log, a summary, a state, an error, a record or a file", async () => {
      expect(secrets.size, "every vendor gave some").toBeGreaterThan(vendors.length)
      const operators = vendors
        .flatMap((vendor) => Object.values(vendor.secrets))
        .filter((secret) => secret.length >= 16)
      const places = {
        steps: said.join("\n"),
        output: broker.output(),
        audit: JSON.stringify(await broker.trail(github.issuer, TOOLS.repository_id)),
        stored: broker.stored(),
      }
      // The places are the right ones: each knows of the job that was served.
      expect(placesWith(["aws-deploy"], places)).toEqual(
        broker.stored() === "" ? ["steps", "output", "audit"] : Object.keys(places),
      )
      const isId = (text: string) => [...ids].some((id) => id === text)
      const needles = [...secrets, ...operators]
        .filter((secret) => !isId(secret))
        .flatMap((secret) => (secret.includes("PRIVATE KEY") ? formsOfPem(secret) : formsOf(secret)))
      expect(placesWith(needles, places)).toEqual([])
      const { audit, stored, ...others } = places
      expect(placesWith([...ids].flatMap(formsOf), others)).toEqual([])
      for (const id of ids) expect(audit).toContain(`"ids":{"access-key-id":"${id}"}`)

      // Tokens that were minted are known again by their hash. Of what stores keep, and operators set, there is none.
      const hashes = (text: string) =>
        (["hex", "base64url", "base64"] as const).map((form) => sha256(text).digest(form))
      expect([...secrets].filter((secret) => audit.includes(sha256(secret).digest("hex"))).length).toBeGreaterThan(2)
      expect(kept.size).toBeGreaterThan(2)
      const unhashed = [...kept, ...Object.values(Object.assign({}, ...vendors.map((vendor) => vendor.secrets)))]
      expect(
        placesWith(
          unhashed.flatMap((secret) => hashes(String(secret))),
          { ...others, audit, stored },
        ),
      ).toEqual([])
    })
  })
}

const isReading = (grant: unknown) =>
  typeof grant === "object" && grant !== null && ("read" in grant || "read_all" in grant)

const sha256 = (text: string) => createHash("sha256").update(text)

/** What a file holds: its text, or the base64 in which it came. */
function textOf({ bytes }: { readonly bytes: Buffer }): string {
  const text = bytes.toString("utf8")
  return Buffer.from(text).equals(bytes) ? text : bytes.toString("base64")
}

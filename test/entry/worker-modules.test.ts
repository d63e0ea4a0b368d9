import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { Metafile } from "esbuild"
import { afterAll, describe, expect, it } from "vitest"
import { METAFILE } from "../../broker/entry/build-worker.ts"
import { measureWorker, modulesIn, OPERATE_BUDGET_BYTES, WORKER_BUDGET_BYTES } from "../bench/bundles.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { COMPILE_CACHE } from "../support/compile-cache.ts"
import { startGitHub } from "../support/github.ts"
import { builtWorker, bundleWorker } from "../support/worker-bundle.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

const OPERATORS_ALONE = /^(?:broker\/(?:operate|console|http\/operate)|analysis)\//

const readMeta = async () => JSON.parse(readFileSync(join(await builtWorker(), METAFILE), "utf8")) as Metafile

describe("the Worker's modules", () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-modules-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it("are within their budgets of size", async () => {
    const { gzipBytes, operateGzipBytes } = measureWorker(await builtWorker())
    expect(gzipBytes).toBeLessThanOrEqual(WORKER_BUDGET_BYTES)
    expect(operateGzipBytes).toBeLessThanOrEqual(OPERATE_BUDGET_BYTES)
  })

  it("have each source in one module alone, so that a class is one class in all of them", async () => {
    const { outputs } = await readMeta()
    const sources = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs))
    expect(sources).toContain("broker/core/errors.ts")
    expect(sources.filter((source, index) => sources.indexOf(source) !== index)).toEqual([])
  })

  it("have nothing that is for operators alone among those that every isolate loads", async () => {
    const { always, forOperators } = modulesIn(await builtWorker())
    const sourcesOf = async (modules: readonly string[]) => {
      const { outputs } = await readMeta()
      const ours = Object.entries(outputs).filter(([path]) => modules.includes(basename(path)))
      return ours.flatMap(([, { inputs }]) => Object.keys(inputs)).filter((path) => OPERATORS_ALONE.test(path))
    }
    expect(await sourcesOf(always)).toEqual([])
    expect(await sourcesOf(forOperators)).toContain("broker/operate/operator.ts")
  })

  it("are what wrangler uploads", async () => {
    const policies = join(ROOT, "examples/policies")
    const expected = await bundleWorker(policies)
    const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js")
    const args = [wrangler, "deploy", "--dry-run", "--env", "production", "--outdir", folder]
    await promisify(execFile)(process.execPath, args, {
      cwd: ROOT,
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        WRANGLER_SEND_METRICS: "false",
        CI: "true",
        DAYPASS_TRIAL_BUILD: "1",
        ...COMPILE_CACHE,
      },
    })
    const uploaded = readdirSync(folder).filter((name) => name.endsWith(".js"))
    expect(uploaded.sort()).toEqual(Object.keys(expected).sort())
    for (const name of uploaded) {
      const same = readFileSync(join(folder, name), "utf8") === expected[name]
      expect(same || name === "policies.js", name).toBe(true)
    }
  })

  it("keep those of operators unloaded until an operator asks", async () => {
    const github = await startGitHub()
    const policies = join(folder, "policies")
    writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
    const modules = { "operate.js": 'throw new Error("loaded")' }
    const broker = await startWorkerdBroker({ policies, modules })
    try {
      const token = await github.mint(DEPLOYMENT, { audience: broker.url })
      const exchanged = await send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
      expect(exchanged.status).toBe(200)
      expect(await send(broker, "/v1/operate/anything")).toMatchObject({ status: 500, json: { code: "internal" } })
    } finally {
      await broker.stop()
      await github.close()
    }
  })
})

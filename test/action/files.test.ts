import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { exchangeAnswer } from "../support/scripted-broker.ts"
import { answered, deliveredFiles, granted, leftIn, play, revoked, savedByMain } from "./story.ts"

const PEM = "-----BEGIN KEY-----\r\nMIIEvQIBADANBgkqhkiG9w0B\r\n-----END KEY-----\r\n"
const BINARY = Buffer.from([0, 255, 10, 13, 254])
const key = { value: PEM, secret: true, env: "TLS_KEY", file: { mode: "0400" } }
const store = {
  value: BINARY.toString("base64"),
  secret: true,
  env: "TRUST_STORE",
  file: { mode: "0640", encoding: "base64" as const },
}

let temp = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

describe("a value that is delivered as a file", () => {
  test("is readable for its owner alone, and its variable and output hold the path", async () => {
    const script = granted({ g: { values: { "tls-key": key, store } } })
    const { run } = await play(script, { temp, inputs: { grants: "g", deliver: "both" } })
    expect(run.exitCode).toBe(0)
    const path = run.env["TLS_KEY"] ?? ""
    const folder = dirname(dirname(path))
    expect([dirname(folder), basename(folder)]).toEqual([temp, expect.stringMatching(/^daypass-[0-9a-f-]{36}$/)])
    expect(run.outputs["g-tls-key"]).toBe(path)
    expect(run.env["TRUST_STORE"]).toBe(join(folder, "g", "store"))
    expect(deliveredFiles(run)).toEqual({
      [join(basename(folder), "g", "tls-key")]: { bytes: Buffer.from(PEM), mode: "0400" },
      [join(basename(folder), "g", "store")]: { bytes: BINARY, mode: "0640" },
    })
    expect(run.masks).toContain("MIIEvQIBADANBgkqhkiG9w0B")
    for (const file of Object.values(run.files)) expect(file).not.toContain("MIIEvQIBADANBgkqhkiG9w0B")
  })

  test("is removed when the job ends, and nothing else is", async () => {
    const main = await play(granted({ g: { values: { key } } }), { temp, inputs: { grants: "g" } })
    writeFileSync(join(temp, "other-file"), "stays")
    const { run } = await play(revoked(), {
      entry: "post",
      temp,
      state: (origin) => ({ ...savedByMain(origin), files: main.run.state["files"] ?? "" }),
    })
    expect(run.exitCode).toBe(0)
    expect(leftIn(temp)).toEqual(["other-file"])
  })

  test("is removed even when the lease cannot be revoked, and when there is no lease", async () => {
    const main = await play(granted({ g: { values: { key } } }), { temp, inputs: { grants: "g" } })
    await play([], { entry: "post", temp, state: () => ({ files: main.run.state["files"] ?? "" }) })
    expect(leftIn(temp)).toEqual([])
  })

  test("is the only thing removed: other folders stay", async () => {
    for (const name of ["elsewhere", "daypass-x/inside"]) mkdirSync(join(temp, name), { recursive: true })
    for (const files of [
      temp,
      join(temp, "elsewhere"),
      join(temp, "daypass-x", "inside"),
      join(temp, "daypass-x", ".."),
      "/",
      ".",
    ])
      await play([], { entry: "post", temp, state: () => ({ files }) })
    expect(readdirSync(temp).sort()).toEqual(["daypass-x", "elsewhere"])
    expect(readdirSync(join(temp, "daypass-x"))).toEqual(["inside"])
  })
})

describe("a variable that names a tool's configuration file", () => {
  test.each(["KUBECONFIG", "NPM_CONFIG_USERCONFIG", "AWS_CONFIG_FILE", "DOCKER_CONFIG"])(
    "such as %s gets the path of a file that the action itself writes",
    async (env) => {
      const script = granted({ g: { values: { key: { ...key, env } } } })
      const { run } = await play(script, { temp, inputs: { grants: "g" } })
      expect(run.exitCode).toBe(0)
      expect(run.env[env]).toMatch(/\/g\/key$/)
    },
  )

  test.each(["PATH", "LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS", "GIT_SSH", "RUSTC_WRAPPER", "LESSOPEN"])(
    "is not meant by %s, which is refused for files, too",
    async (env) => {
      const script = [...granted({ g: { values: { key: { ...key, env } } } }), ...revoked()]
      const { run } = await play(script, { temp, inputs: { grants: "g" } })
      expect([run.exitCode, run.env, deliveredFiles(run)]).toEqual([1, {}, {}])
    },
  )
})

describe("nothing is delivered, and the lease is revoked", () => {
  const form = (file: unknown) => {
    const answer = exchangeAnswer({ g: { values: { key } } }) as { credentials: { g: { values: { key: object } } } }
    const changed = { ...answer.credentials.g, values: { key: { ...key, file } } }
    return answered({ sealed: { ...answer, credentials: { g: changed } } })
  }
  test.each([
    ["that every user can read", form({ mode: "0644" }), "answer_unusable"],
    ["with an invalid mode", form({ mode: "600" }), "answer_unusable"],
    ["in an unknown encoding", form({ mode: "0600", encoding: "rot13" }), "answer_unusable"],
    ["of invalid base64", form({ mode: "0600", encoding: "base64" }), "delivery_refused"],
  ])("of a file %s", async (_, exchange, code) => {
    const { run } = await play([...exchange, ...revoked()], { temp, inputs: { grants: "g" } })
    expect([run.exitCode, run.env, deliveredFiles(run)]).toEqual([1, {}, {}])
    expect(run.summary).toContain(code.toString())
  })

  test("when another value must not be delivered", async () => {
    const other = { value: "a-value-of-eight", secret: true, env: "PATH" }
    const script = [...granted({ g: { values: { key, other } } }), ...revoked()]
    const { run } = await play(script, { temp, inputs: { grants: "g" } })
    expect([run.exitCode, run.env, deliveredFiles(run)]).toEqual([1, {}, {}])
  })

  test("when the folder cannot be written", async () => {
    const script = [...granted({ g: { values: { key } } }), ...revoked()]
    const { run } = await play(script, { inputs: { grants: "g" }, env: () => ({ RUNNER_TEMP: "/nowhere/at-all" }) })
    expect([run.exitCode, run.env]).toEqual([1, {}])
  })

  test("when two files have the same path", async () => {
    const script = [...granted({ g: { values: { key, KEY: { ...key, env: "OTHER" } } } }), ...revoked()]
    const { run } = await play(script, { temp, inputs: { grants: "g" } })
    expect([run.exitCode, deliveredFiles(run)]).toEqual([1, {}])
  })
})

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { AWS, granted, revoked, SECRET } from "../../action/story.ts"
import type { Expected } from "../../support/scripted-broker.ts"
import { exchangeAnswer } from "../../support/scripted-broker.ts"
import { endJobs, githubJob, type Job, makeFolder, runJob, withBroker } from "./job.ts"

afterAll(endJobs)

const API_KEY = { g: { values: { "api-key": { value: SECRET, secret: true, env: "API_KEY" } } } }

async function gave(
  options: readonly string[],
  {
    script = granted(API_KEY),
    grants = "g",
    ...job
  }: Job & { readonly script?: readonly Expected[]; readonly grants?: string } = {},
) {
  return withBroker(script, async (broker) => {
    const args = ["token", "--broker", broker.origin, "--grants", grants, ...options]
    const run = await runJob(args, { ...job, env: { ...githubJob(broker), ...job.env } })
    return { ...run, requests: broker.requests }
  })
}

describe("daypass token", () => {
  test("prints the one secret of a grant, and nothing else", async () => {
    const run = await gave([])
    expect([run.code, run.out]).toEqual([0, `${SECRET}\n`])
    expect(run.err).toContain("daypass: Got g, until 2031-05-06T07:08:09.000Z.\n")
  })

  test("writes it to a file of this user alone, as it is, in the place of an older one", async () => {
    const file = join(makeFolder(), "secret")
    writeFileSync(file, "older", { mode: 0o644 })
    const run = await gave(["--out", file])
    expect([run.code, run.out, readFileSync(file, "utf8")]).toEqual([0, "", SECRET])
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600")
  })

  test("writes the bytes of a value that is a file", async () => {
    const file = join(makeFolder(), "secret")
    const value = {
      value: Buffer.from([0, 255, 10]).toString("base64"),
      secret: true,
      file: { mode: "0400", encoding: "base64" },
    }
    await gave(["--out", file], { script: granted({ g: { values: { key: value } } } as never) })
    expect([...readFileSync(file)]).toEqual([0, 255, 10])
  })

  test("leaves nothing when the file cannot be written, and ends the lease", async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, "taken"))
    const run = await gave(["--out", join(folder, "taken")], { script: [...granted(API_KEY), ...revoked()] })
    expect([run.code, readdirSync(folder)]).toEqual([1, ["taken"]])
  })

  test.each([
    [
      "several secrets",
      { ...AWS.values, more: { value: "another secret", secret: true } },
      [],
      "which has secret-access-key, more",
    ],
    ["a name that is not there", AWS.values, ["--value", "key"], "which has access-key-id, secret-access-key"],
    ["no secret", { id: { value: "public", secret: false } }, [], "which has no secret"],
  ])("refuses %s, prints no value, and ends the lease", async (_, values, options, sentence) => {
    const run = await gave(options, { script: [...granted({ g: { values } } as never), ...revoked()] })
    expect([run.code, run.out]).toEqual([2, ""])
    expect(run.err).toContain(sentence)
  })

  test("prints the value that is named", async () => {
    const run = await gave(["--value", "access-key-id"], { script: granted({ g: AWS } as never) })
    expect(run.out).toBe("AKIAEXAMPLE\n")
  })

  test.each([
    ["two grants", ["--grants", "a,b"], "names several grants"],
    ["a refresh without a file", ["--grants", "a", "--refresh"], "--refresh needs --out"],
    ["an argument", ["--grants", "a", "b"], "too many arguments"],
  ])("refuses %s", async (_, options, sentence) => {
    const run = await runJob(["token", "--broker", "https://b.example", ...options])
    expect([run.code, run.out]).toEqual([2, ""])
    expect(run.err).toContain(sentence)
  })
})

describe("--refresh", () => {
  const lasting = (seconds: number, value: string) => {
    const expires_at = new Date(Date.now() + seconds * 1000).toISOString()
    const answer = exchangeAnswer({ g: { values: { key: { value, secret: true } } } }, { expires_at }) as {
      credentials: Record<string, object>
    }
    const credentials = { g: { ...answer.credentials["g"], expires_at } }
    return [{ on: "token" }, { on: "exchange", reply: { sealed: { ...answer, credentials } } }] as Expected[]
  }

  test("replaces the file before the secret ends, and with SIGTERM removes it and revokes", async () => {
    const file = join(makeFolder(), "secret")
    // The least pause is a second, so the first secret is replaced after that.
    const script = [...lasting(1.5, "first-secret"), ...lasting(3600, "second-secret"), ...revoked(), ...revoked()]
    const run = await gave(["--out", file, "--refresh"], {
      script,
      ...stopWhen(() => existsSync(file) && readFileSync(file, "utf8") === "second-secret"),
    })
    expect([run.code, existsSync(file)]).toEqual([0, false])
    expect(run.requests.filter((request) => request.startsWith("DELETE")).length).toBe(2)
  })
})

/** Sends SIGTERM when something holds. */
function stopWhen(holds: () => boolean): Pick<Job, "watch"> {
  let timer: NodeJS.Timeout | undefined
  return {
    watch(_, send) {
      timer ??= setInterval(() => {
        if (!holds()) return
        clearInterval(timer)
        send("SIGTERM")
      }, 20)
    },
  }
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { ActionRun } from "../support/runner.ts"
import { actionNode } from "../support/runner.ts"
import { type Expected, problem, type Reply } from "../support/scripted-broker.ts"
import { granted, play, revoked } from "./story.ts"

// Each process that can be killed, with SIGKILL, which it cannot handle: what stays behind, and what the post step does then.

const GONE = problem(404, "lease_not_found", "No such lease for this job.")
const KEY = { value: "-----KEY-----\nabc\n", secret: true, env: "TLS_KEY", file: { mode: "0400" } }

let temp = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

/** A request that is never answered, and a promise of its arrival. */
function held(on: Expected["on"]): { readonly request: Expected; readonly arrived: Promise<void> } {
  const { promise: arrived, resolve } = Promise.withResolvers<void>()
  const when = () => {
    resolve()
    return new Promise<Reply>(() => undefined)
  }
  return { request: { on, reply: { when } }, arrived }
}

interface SavedLease {
  readonly id: string
  readonly expiresAt: string | null
}

const savedLeases = ({ state }: ActionRun): readonly SavedLease[] =>
  state["lease"] ? (JSON.parse(state["lease"]) as { leases: SavedLease[] }).leases : []

/** Runs the post step with the state that a killed step left, against another broker. */
async function post(main: ActionRun, script: readonly Expected[], step: Parameters<typeof play>[1] = {}) {
  const state = (origin: string) => {
    const home = main.state["lease"] ? { ...JSON.parse(main.state["lease"]), broker: origin, audience: origin } : null
    return { ...main.state, ...(home && { lease: JSON.stringify(home) }) }
  }
  const story = await play(script, { entry: "post", temp, state, ...step })
  const revocations = story.requests.filter((line) => line.startsWith("DELETE")).map((line) => line.split(" ")[1])
  return { run: story.run, revocations }
}

const pathOf = ({ id }: SavedLease) => `/v1/leases/${id}`

describe("main, killed", () => {
  test("before it asks for the exchange: nothing is saved, and the post step does nothing", async () => {
    const token = held("token")
    const { run } = await play([token.request], { temp, killed: token.arrived })
    expect([run.exitCode, run.state, run.env, readdirSync(temp)]).toEqual([null, {}, {}, []])
    const after = await post(run, [])
    expect([after.run.exitCode, after.run.stdout]).toEqual([0, ""])
  })

  test.each<[string, Expected[], RegExp]>([
    ["which the broker minted for", revoked(), /^::add-mask::[^\n]+\nCannot revoke aws-deploy/],
    ["which the broker refused", revoked(GONE), /^::add-mask::[^\n]+\n$/],
  ])("while it waits for the exchange, %s: the lease is saved, and the post step ends it", async (_, script, says) => {
    const exchange = held("exchange")
    const { run } = await play([{ on: "token" }, exchange.request], { temp, killed: exchange.arrived })
    expect([run.exitCode, run.env, readdirSync(temp)]).toEqual([null, {}, []])
    const [lease, ...more] = savedLeases(run)
    expect([lease?.expiresAt, more]).toEqual([null, []])
    const after = await post(run, script)
    expect(after.revocations).toEqual([pathOf(lease as SavedLease)])
    expect(after.run.stdout).toMatch(says)
  })

  test("between the answer and the delivery: nothing is delivered, and the post step revokes", async () => {
    // So many masks that the step waits for its log, which is not read until then.
    const leaves = Array.from({ length: 60 }, (_, index) => `leaf-${index}-${"x".repeat(80)}`)
    const values = { many: { value: JSON.stringify(leaves), secret: true, env: "MANY" }, key: KEY }
    let kills = 0
    const { run } = await play(granted({ g: { values } }), {
      temp,
      inputs: { grants: "g" },
      watch: (stdout, send) => {
        if (kills > 0 || !stdout.includes("::add-mask::leaf-0")) return
        kills += 1
        send("SIGKILL")
      },
    })
    const [lease] = savedLeases(run)
    expect([run.exitCode, run.env, lease?.expiresAt]).toEqual([null, {}, "2031-05-06T07:08:09.000Z"])
    const after = await post(run, revoked())
    expect([after.revocations, readdirSync(temp)]).toEqual([[pathOf(lease as SavedLease)], []])
  })

  test("at any moment: a lease that the broker was asked for is saved, and no file stays after the post step", async () => {
    const script = granted({ g: { values: { key: KEY } } })
    const whole = await play(script, { temp, inputs: { grants: "g" } })
    rmSync(whole.run.state["files"] ?? "", { recursive: true })
    const moments = Array.from({ length: 8 }, (_, at) => whole.run.durationMs * (0.5 + at / 12))
    for (const moment of moments) {
      let asked = false
      const watched = script.map((one): Expected => {
        if (one.on !== "exchange") return one
        const when = async () => {
          asked = true
          return one.reply
        }
        return { on: "exchange", reply: { when } }
      })
      const killed = new Promise((resolve) => setTimeout(resolve, moment))
      // A step that died early leaves requests of the script undone, which is no fault here.
      const run = await play(watched, { temp, inputs: { grants: "g" }, killed }).then(
        (story) => story.run,
        () => null,
      )
      if (run === null) {
        expect(asked).toBe(false)
        continue
      }
      const leases = savedLeases(run)
      expect({ moment, leases: leases.length }).toEqual({ moment, leases: 1 })
      const after = await post(run, revoked())
      expect([after.revocations, readdirSync(temp)]).toEqual([leases.map(pathOf), []])
    }
  }, 60_000)
})

describe("main of run, killed while its command runs", () => {
  const killedWhen = (line: RegExp) => {
    let isKilled = false
    return (stdout: string, send: (signal: NodeJS.Signals) => void) => {
      if (isKilled || !line.test(stdout)) return
      isKilled = true
      send("SIGKILL")
    }
  }
  const isAlive = (pid: number) => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
    } catch {
      return false
    }
  }
  const pidIn = ({ stdout }: ActionRun) => Number(/^pid (\d+)$/m.exec(stdout)?.[1])
  const gone = async (pid: number) => {
    for (let waited = 0; isAlive(pid) && waited < 5_000; waited += 20) await new Promise((go) => setTimeout(go, 20))
    return !isAlive(pid)
  }

  test("the command goes on until the runner ends it, or it writes: its output has nobody who reads it", async () => {
    const [quiet, talking] = await Promise.all([
      play(granted(), { temp, inputs: { run: 'echo "pid $$"; exec sleep 20' }, watch: killedWhen(/^pid \d+\n/m) }),
      play(granted(), {
        temp,
        inputs: { run: 'echo "pid $$"; for i in $(seq 400); do sleep 0.05; echo more; done' },
        watch: killedWhen(/^pid \d+\n/m),
      }),
    ])
    const [sleeping, writing] = [pidIn(quiet.run), pidIn(talking.run)]
    expect(await gone(writing)).toBe(true)
    expect(isAlive(sleeping)).toBe(true)
    // As the runner does at the end of a job, with all that the job left.
    process.kill(sleeping, "SIGKILL")
    expect(await gone(sleeping)).toBe(true)
  })

  test("its script and files stay, and the post step removes them and revokes", async () => {
    const script = granted({ g: { values: { key: KEY } } })
    const { run } = await play(script, {
      temp,
      inputs: { run: 'echo "pid $$"; exec sleep 20', grants: "g" },
      watch: killedWhen(/^pid \d+\n/m),
    })
    process.kill(pidIn(run), "SIGKILL")
    expect(
      Object.keys(run.written)
        .map((path) => path.replace(/^daypass-[^/]+\//, ""))
        .sort(),
    ).toEqual([".run/script.sh", "g/key"])
    const after = await post(run, revoked())
    expect([after.run.exitCode, after.revocations, readdirSync(temp)]).toEqual([0, savedLeases(run).map(pathOf), []])
  })

  test("while a session is renewed: both leases are saved, and the post step ends the newer one first", async () => {
    const session = (number: number) => ({
      format: "aws-session",
      values: {
        "access-key-id": { value: `ASIAPROD${number}KEYID`, secret: true, env: "AWS_ACCESS_KEY_ID" },
        "secret-access-key": { value: `secret-prod-${number}`, secret: true, env: "AWS_SECRET_ACCESS_KEY" },
        "session-token": { value: `token-prod-${number}`, secret: true, env: "AWS_SESSION_TOKEN" },
      },
    })
    const ends = new Date(Date.now() - 1_000).toISOString()
    const renewal = held("exchange")
    const ask = `fetch(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI, { headers: { authorization: process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN } }).catch(() => {})`
    const script = [
      ...granted({ "aws-deploy": session(1) }, { expires_at: ends }),
      { on: "token" } as const,
      renewal.request,
    ]
    const { run } = await play(script, {
      temp,
      inputs: { run: `"${actionNode()}" -e '${ask}'` },
      killed: renewal.arrived,
    })
    const leases = savedLeases(run)
    expect(leases.map(({ expiresAt }) => expiresAt)).toEqual([ends, null])
    const after = await post(run, [...revoked(GONE), ...revoked()])
    expect([after.revocations, readdirSync(temp)]).toEqual([leases.toReversed().map(pathOf), []])
  })
})

test("the command of run, killed: the step ends with its signal's exit code, and leaves nothing", async () => {
  const run = 'echo "pid $$"; exec sleep 20'
  let isKilled = false
  const story = await play([...granted(), ...revoked()], {
    temp,
    inputs: { run },
    watch: (stdout) => {
      const pid = Number(/^pid (\d+)\n/m.exec(stdout)?.[1] ?? 0)
      if (isKilled || pid === 0) return
      isKilled = true
      process.kill(pid, "SIGKILL")
    },
  })
  expect([story.run.exitCode, story.run.state["lease"], readdirSync(temp)]).toEqual([137, "", []])
})

describe("post, killed while it revokes", () => {
  test("has removed the files already, and a second one revokes", async () => {
    const main = await play(granted({ g: { values: { key: KEY } } }), { temp, inputs: { grants: "g" } })
    const revocation = held("revoke")
    const first = await post(main.run, [{ on: "token" }, revocation.request], { killed: revocation.arrived })
    expect([first.run.exitCode, readdirSync(temp)]).toEqual([null, []])
    const second = await post(main.run, revoked())
    expect([second.run.exitCode, second.revocations]).toEqual([0, savedLeases(main.run).map(pathOf)])
  })
})

describe("the helper of a profile, killed", () => {
  const grants = (number: number) => {
    const session = (name: string) => ({
      format: "aws-session",
      values: {
        "access-key-id": { value: `ASIA${name}${number}KEYID`, secret: true },
        "secret-access-key": { value: `secret-${name}-${number}`, secret: true },
        "session-token": { value: `token-${name}-${number}`, secret: true },
      },
    })
    return { prod: session("PROD"), test: session("TEST") }
  }
  /** The command that the profile `prod` names, as an SDK starts it. */
  const helper = `helper=$(sed -n '/profile prod/,/credential_process/s/^credential_process = //p' "$AWS_CONFIG_FILE")`

  test("while the broker mints for it: the next one gets the new session, and every lease is revoked", async () => {
    const ends = new Date(Date.now() - 1_000).toISOString()
    const [token, exchange] = granted(
      { prod: grants(2).prod },
      { expires_at: new Date(Date.now() + 900_000).toISOString() },
    )
    const when = async () => {
      // Until the helper is dead: the command kills it after half a second.
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      return exchange?.reply
    }
    const script: Expected[] = [
      ...granted(grants(1), { expires_at: ends }),
      ...(token ? [token] : []),
      { on: "exchange", reply: { when } },
      ...revoked(),
      ...revoked(),
    ]
    const run = `${helper}
sh -c "exec $helper" & pid=$!
sleep 0.6; kill -9 $pid; wait $pid || echo "helper ended with $?"
sh -c "$helper" | grep -c '"AccessKeyId":"ASIAPROD2KEYID"'`
    const story = await play(script, { temp, inputs: { run, grants: "prod,test" } })
    expect(story.run.log).toMatch(/\nhelper ended with 137\nRenewed prod[^\n]+\n1\n/)
    expect([story.run.exitCode, story.run.state["lease"], readdirSync(temp)]).toEqual([0, "", []])
  })
})

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type ActionRun, actionNode } from "../../support/runner.ts"
import type { Expected } from "../../support/scripted-broker.ts"
import { GONE, held, KEY, pathOf, post, savedLeases } from "../killed.ts"
import { deliveredFiles, granted, leftIn, play, revoked } from "../story.ts"

// As in the other file of this name, for `run`: its command, and the helper of a profile.

let temp = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

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
      Object.keys(deliveredFiles(run))
        .map((path) => path.replace(/^daypass-[^/]+\//, ""))
        .sort(),
    ).toEqual([".run/script.sh", "g/key"])
    const after = await post(run, revoked(), { temp })
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
    const after = await post(run, [...revoked(GONE), ...revoked()], { temp })
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
  expect([story.run.exitCode, story.run.state["lease"], leftIn(temp)]).toEqual([137, "", []])
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
    expect([story.run.exitCode, story.run.state["lease"], leftIn(temp)]).toEqual([0, "", []])
  })
})

import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, test } from "vitest"
import { type Expected, exchangeAnswer, problem } from "../../support/scripted-broker.ts"
import { granted, revoked } from "../story.ts"
import { federated, inSeconds, type Job, session, startJob } from "./job.ts"

const AGAIN = { expires_at: inSeconds(3600) }
const again = (number: number): Expected[] => granted({ "aws-deploy": session(number) }, AGAIN)
const ownFolder = ({ folder }: Job, grant = "aws-deploy") => join(folder, ".renewal", `grant-${grant}`)

/** Lets the session end soon, as time does. */
function runDown(job: Job, secondsLeft: number, grant?: string): void {
  const path = join(ownFolder(job, grant), "kept.json")
  const kept = JSON.parse(readFileSync(path, "utf8"))
  const expiresAt = Date.now() + secondsLeft * 1000
  writeFileSync(path, JSON.stringify({ ...kept, receivedAt: expiresAt - 3_600_000, expiresAt }))
}

const keyOf = ({ stdout }: { stdout: string }) => (JSON.parse(stdout) as { AccessKeyId: string }).AccessKeyId
const exchanges = ({ broker }: Job) => broker.requests.filter((request) => request.startsWith("POST"))
const mainLease = ({ main }: Job) => JSON.parse(main.state["lease"] ?? "").leases[0].id as string

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

function withoutAccount({ values, ...rest }: ReturnType<typeof federated>) {
  return {
    ...rest,
    values: Object.fromEntries(Object.entries(values).filter(([name]) => !/^impersonation/.test(name))),
  }
}

describe("a process of a later step", () => {
  test("gets the kept session without a call while 16 minutes are left, in the form of credential_process", async () => {
    await using job = await startJob({ "aws-deploy": session(1) })
    const { exitCode, stdout, stderr } = await job.helper("aws-deploy", { env: {} })
    expect([exitCode, stderr]).toEqual([0, ""])
    expect(JSON.parse(stdout)).toEqual({
      Version: 1,
      AccessKeyId: "ASIASESSION1KEYID",
      SecretAccessKey: "secret-of-session-1",
      SessionToken: "token-of-session-1",
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    })
    runDown(job, 17 * 60)
    expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION1KEYID")
    expect(job.broker.faults()).toEqual([])
  })

  test("exchanges again below that, prints nothing else even in debug mode, and the post step revokes both leases", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, [...again(2), ...revoked(), ...revoked()])
    runDown(job, 15 * 60)
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: job.broker.idToken.url,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: job.broker.idToken.requestToken,
      RUNNER_DEBUG: "1",
    }
    const printed = await job.helper("aws-deploy", { env })
    expect([printed.exitCode, printed.stderr, keyOf(printed)]).toEqual([0, "", "ASIASESSION2KEYID"])
    expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION2KEYID")
    expect(exchanges(job)).toHaveLength(2)
    expect(exchanges(job)[1]).toContain(`{"grants":["aws-deploy"],"key":"<P-256 public key>","lease":"lease-2"}`)
    const post = await job.post()
    expect(post.exitCode).toBe(0)
    expect(job.broker.requests.filter((request) => request.startsWith("DELETE"))).toEqual([
      expect.stringContaining("/v1/leases/lease-1 "),
      expect.stringContaining("/v1/leases/lease-2 "),
    ])
    expect(job.broker.faults()).toEqual([])
    expect(readdirSync(job.temp)).toEqual([])
  })

  test("asks for the lifetime of the step's own input", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, again(2), { inputs: { ttl: "45m" } })
    runDown(job, 0)
    expect((await job.helper("aws-deploy")).exitCode).toBe(0)
    expect(exchanges(job)[1]).toContain(`"ttl":"45m"`)
  })

  test("shares one exchange with 31 others", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, again(2))
    runDown(job, -60)
    const all = await Promise.all(Array.from({ length: 32 }, () => job.helper("aws-deploy")))
    expect(new Set(all.map(keyOf))).toEqual(new Set(["ASIASESSION2KEYID"]))
    expect(all.map(({ stderr }) => stderr).join("")).toBe("")
    expect(exchanges(job)).toHaveLength(2)
    expect(job.broker.faults()).toEqual([])
    expect(readdirSync(ownFolder(job)).sort()).toEqual(["kept.json", "settings.json"])
  })

  test("shares one failure with 15 others", async () => {
    const denied: Expected[] = [{ on: "token" }, { on: "exchange", reply: problem(403, "not_allowed", "Not now.") }]
    await using job = await startJob({ "aws-deploy": session(1) }, denied)
    runDown(job, -60)
    const all = await Promise.all(Array.from({ length: 16 }, () => job.helper("aws-deploy")))
    expect(new Set(all.map(({ exitCode }) => exitCode))).toEqual(new Set([1]))
    expect(new Set(all.map(({ stderr }) => stderr)).size).toBe(1)
    expect([exchanges(job).length, job.broker.faults()]).toEqual([2, []])
  })

  test("keeps a session that a policy made short while most of its life is left", async () => {
    const short = granted({ "aws-deploy": session(2) }, { expires_at: inSeconds(900) })
    await using job = await startJob({ "aws-deploy": session(1) }, short)
    runDown(job, -60)
    for (const _ of [1, 2, 3]) expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION2KEYID")
    expect([exchanges(job).length, job.broker.faults()]).toEqual([2, []])
  })

  test("takes over from one that was killed in the middle, and so does only one of those that wait", async () => {
    const never = new Promise(() => {})
    const [token, exchange] = again(2) as [Expected, Expected]
    const later = [token, { ...exchange, after: never }, ...again(3), ...revoked(), ...revoked(), ...revoked()]
    await using job = await startJob({ "aws-deploy": session(1) }, later)
    runDown(job, -60)
    const kill = new AbortController()
    const killed = job.helper("aws-deploy", { signal: kill.signal })
    await until(() => exchanges(job).length === 2)
    const waiting = Array.from({ length: 8 }, () => job.helper("aws-deploy"))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(exchanges(job)).toHaveLength(2)
    kill.abort()
    expect([(await killed).exitCode, (await killed).stdout]).toEqual([null, ""])
    expect(new Set((await Promise.all(waiting)).map(keyOf))).toEqual(new Set(["ASIASESSION3KEYID"]))
    expect(exchanges(job)).toHaveLength(3)
    // The lease of the killed one is known, although nothing ever answered it.
    await job.post()
    expect(job.broker.requests.filter((request) => request.startsWith("DELETE"))).toEqual([
      expect.stringContaining("/v1/leases/lease-1 "),
      expect.stringContaining("/v1/leases/lease-3 "),
      expect.stringContaining("/v1/leases/lease-2 "),
    ])
    expect(job.broker.faults()).toEqual([])
  })

  test("takes over a lock whose process number another process has by now", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, again(2))
    runDown(job, -60)
    const lock = join(ownFolder(job), "lock.0")
    writeFileSync(lock, String(process.pid))
    utimesSync(lock, new Date(), new Date(Date.now() - 61_000))
    expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION2KEYID")
  })

  test("gets the old session while it lives, when the broker refuses a new one", async () => {
    const denied: Expected[] = [{ on: "token" }, { on: "exchange", reply: problem(403, "not_allowed", "Not now.") }]
    await using job = await startJob({ "aws-deploy": session(1) }, denied)
    runDown(job, 5 * 60)
    expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION1KEYID")
    // A second one does not ask again at once.
    expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION1KEYID")
    runDown(job, 10)
    const { exitCode, stdout, stderr } = await job.helper("aws-deploy")
    expect([exitCode, stdout]).toEqual([1, ""])
    expect(stderr).toMatch(/^Daypass: not_allowed: Not now\. .+\n$/)
    expect(job.broker.faults()).toEqual([])
  })

  test("says in one line that the broker is away, and the next says so at once", async () => {
    await using job = await startJob({ "aws-deploy": session(1) })
    runDown(job, -60)
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: job.broker.idToken.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x" }
    await job.broker.close()
    const { exitCode, stdout, stderr } = await job.helper("aws-deploy", { env })
    expect([exitCode, stdout]).toEqual([1, ""])
    expect(stderr).toMatch(/^Daypass: id_token_unavailable: [^\n]+\n$/)
    const kept = readFileSync(join(ownFolder(job), "failed.json"), "utf8")
    expect(stderr).toBe((await job.helper("aws-deploy", { env })).stderr)
    expect(readFileSync(join(ownFolder(job), "failed.json"), "utf8")).toBe(kept)
  })

  test("without the variables for ID tokens says what the job needs, and does not spoil it for others", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, again(2))
    runDown(job, -60)
    const { exitCode, stdout, stderr } = await job.helper("aws-deploy", { env: {} })
    expect([exitCode, stdout]).toEqual([1, ""])
    expect(stderr).toMatch(
      /^Daypass: id_token_permission_missing: [^\n]*`permissions: id-token: write`[^\n]*sudo[^\n]*\n$/,
    )
    expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION2KEYID")
  })

  test("gets nothing after the post step, and asks for nothing", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, revoked())
    await job.post()
    const { exitCode, stderr } = await job.helper("aws-deploy")
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/^Daypass: lease_not_found: [^\n]* has ended[^\n]*\n$/),
    ])
    expect(job.broker.faults()).toEqual([])
  })

  test("asks for nothing when it cannot note its lease first", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, [{ on: "token" }])
    runDown(job, -60)
    rmSync(join(job.folder, ".renewal", "leases"))
    const { exitCode, stderr } = await job.helper("aws-deploy")
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^Daypass: lease_not_found: /)])
    expect([exchanges(job).length, job.broker.faults()]).toEqual([1, []])
  })
})

describe("a link that another program planted is not followed", () => {
  const planted = async (
    name: string,
    later: readonly Expected[],
    act: (job: Job, victim: string) => Promise<void>,
  ) => {
    await using job = await startJob({ "aws-deploy": session(1) }, later)
    runDown(job, -60)
    const victim = join(job.temp, "victim")
    writeFileSync(victim, "as it was")
    const path = join(ownFolder(job), name)
    rmSync(path, { force: true })
    symlinkSync(victim, path)
    await act(job, victim)
    expect(readFileSync(victim, "utf8")).toBe("as it was")
    expect(job.broker.faults()).toEqual([])
  }

  test.each(["kept.json", "lock.0", "failed.json"])("at %s", async (name) => {
    await planted(name, again(2), async (job) => {
      expect(keyOf(await job.helper("aws-deploy"))).toBe("ASIASESSION2KEYID")
      const kept = join(ownFolder(job), "kept.json")
      expect([lstatSync(kept).isFile(), statSync(kept).mode & 0o777]).toEqual([true, 0o600])
    })
  })

  test("at failed.json, when it fails", async () => {
    const denied: Expected[] = [{ on: "token" }, { on: "exchange", reply: problem(403, "not_allowed", "Not now.") }]
    await planted("failed.json", denied, async (job) => {
      expect((await job.helper("aws-deploy")).exitCode).toBe(1)
      expect(lstatSync(join(ownFolder(job), "failed.json")).isFile()).toBe(true)
    })
  })

  test("at leases: nothing is asked for", async () => {
    await planted("../leases", [{ on: "token" }], async (job) => {
      expect((await job.helper("aws-deploy")).exitCode).toBe(1)
      expect(exchanges(job)).toHaveLength(1)
    })
  })

  test("at leases: the post step revokes the step's own lease alone", async () => {
    await using job = await startJob({ "aws-deploy": session(1) }, revoked())
    const leases = join(job.folder, ".renewal", "leases")
    rmSync(leases)
    const foreign = join(job.temp, "foreign")
    writeFileSync(foreign, `ask ${mainLease(job).replace(/.$/, "0")}\n`)
    symlinkSync(foreign, leases)
    expect((await job.post()).exitCode).toBe(0)
    expect(job.broker.faults()).toEqual([])
    expect(existsSync(foreign)).toBe(true)
  })

  test.each([".", ".renewal"])("at the folder %s of leases: no file of another folder is moved", async (name) => {
    await using job = await startJob({ "aws-deploy": session(1) }, revoked())
    const folder = join(job.folder, name)
    const foreign = join(job.temp, "foreign")
    const leases = join(foreign, name === "." ? ".renewal/leases" : "leases")
    mkdirSync(dirname(leases), { recursive: true })
    writeFileSync(leases, `ask ${mainLease(job).replace(/.$/, "0")}\n`)
    rmSync(folder, { recursive: true })
    symlinkSync(foreign, folder)
    expect((await job.post()).exitCode).toBe(0)
    expect([existsSync(leases), job.broker.faults()]).toEqual([true, []])
  })

  test("at the step's folder, and another file there gives no more than a refusal", async () => {
    await using job = await startJob({ "aws-deploy": session(1) })
    rmSync(join(ownFolder(job), "settings.json"))
    mkdirSync(join(ownFolder(job), "settings.json"))
    expect((await job.helper("aws-deploy")).stderr).toMatch(/^Daypass: lease_not_found: /)
  })
})

test("lines that are none of the helper's change nothing in the post step", async () => {
  await using job = await startJob({ "aws-deploy": session(1) }, revoked())
  const over = "01890a5d-ac96-774b-bcce-b302099a8057"
  const lines = [
    "ask ../../x",
    "ask",
    `got ${over} 2020-01-01T00:00:00Z`,
    `got ${over} tomorrow`,
    "\0\xff",
    `ask ${over}`,
    `end ${over}`,
  ]
  appendFileSync(join(job.folder, ".renewal", "leases"), `${lines.join("\n")}\n`)
  const post = await job.post()
  expect([post.exitCode, job.broker.faults()]).toEqual([0, []])
})

test("a lease that a program made up does not come before the step's own", async () => {
  const gone = problem(404, "lease_not_found", "No such lease for this job.")
  await using job = await startJob({ "aws-deploy": session(1) }, [...revoked(), ...revoked(gone)])
  const made = "01890a5d-ac96-774b-bcce-b302099a8057"
  appendFileSync(join(job.folder, ".renewal", "leases"), `ask ${made}\n`)
  await job.post()
  expect(job.broker.requests.filter((request) => request.startsWith("DELETE"))).toEqual([
    expect.stringContaining("/v1/leases/lease-1 "),
    expect.stringContaining(`/v1/leases/${made} `),
  ])
  expect(job.broker.faults()).toEqual([])
})

describe("Google's libraries", () => {
  test("get a federated token as an executable gives it, a new one when it has ended, and failures as an answer", async () => {
    const later = [
      ...granted({ g: federated(2) }, { expires_at: inSeconds(300) }),
      { on: "token" } as const,
      { on: "exchange", reply: problem(403, "not_allowed", "Not now.") } as const,
    ]
    await using job = await startJob({ g: federated(1) }, later, { seconds: 300 })
    const first = await job.helper("g", { env: {} })
    expect([first.exitCode, JSON.parse(first.stdout)]).toEqual([
      0,
      {
        version: 1,
        success: true,
        token_type: "urn:ietf:params:oauth:token-type:jwt",
        id_token: "eyJhead.body1.signature1",
        expiration_time: expect.any(Number),
      },
    ])
    runDown(job, 20, "g")
    expect(JSON.parse((await job.helper("g")).stdout)).toMatchObject({ id_token: "eyJhead.body2.signature2" })
    runDown(job, 0, "g")
    const failed = await job.helper("g")
    expect([failed.exitCode, failed.stderr, JSON.parse(failed.stdout)]).toEqual([
      0,
      "",
      { version: 1, success: false, code: "not_allowed", message: expect.stringContaining("Not now.") },
    ])
    expect(job.broker.faults()).toEqual([])
  })
})

test.each([
  ["of a service account until it has 100 seconds left", federated(1), 100],
  ["of the job's own principal until it has 4 minutes left", withoutAccount(federated(1)), 240],
])("a federated token %s is given out", async (_, token, seconds) => {
  await using job = await startJob({ g: token }, granted({ g: federated(2) }, { expires_at: inSeconds(300) }))
  runDown(job, seconds + 20, "g")
  expect((await job.helper("g")).stdout).toContain("eyJhead.body1.")
  runDown(job, seconds - 5, "g")
  expect((await job.helper("g")).stdout).toContain("eyJhead.body2.")
  expect(job.broker.faults()).toEqual([])
})

test("the answer of a refused exchange says nothing of what came", async () => {
  const other = exchangeAnswer({ other: session(2) })
  const later: Expected[] = [{ on: "token" }, { on: "exchange", reply: { sealed: other } }, ...revoked(), ...revoked()]
  await using job = await startJob({ "aws-deploy": session(1) }, later)
  runDown(job, 0)
  const { stdout, stderr } = await job.helper("aws-deploy")
  expect([stdout, stderr]).toEqual(["", expect.stringMatching(/^Daypass: answer_unusable: /)])
  expect(stderr).not.toMatch(/session-2|SESSION2/)
  await job.post()
  expect(job.broker.faults()).toEqual([])
})

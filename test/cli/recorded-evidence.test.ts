// `daypass audit report` and `daypass audit search`: what they find in a record, and what no record can make them say.
import { createHash } from "node:crypto"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { type AuditDraft, type AuditRecord, brokersDraft } from "../../broker/core/audit-record.ts"
import { parseCheckpoint } from "../../broker/core/checkpoint/checkpoint.ts"
import { formatVerifierKey } from "../../broker/core/checkpoint/verifier-key.ts"
import { checkpointWorld } from "../support/checkpoint-world.ts"
import { signerOf } from "../support/ed25519.ts"
import { githubRun, loadedFolder, trailOf } from "../support/recorded-trail.ts"
import { folderOf, ORGANISATION, POLICY, runCli, runScripted } from "./run-cli.ts"

const AGED = POLICY.replace(
  "deny:",
  '  - name: at night\n    when: { ref: refs/heads/night, actor_id: "1" }\n    grants: [aws-night]\ndeny:',
).concat("  aws-night:\n    connection: aws-prod\n    role: arn:aws:iam::111122223333:role/night\n")
const OLD = folderOf({ "daypass.yaml": ORGANISATION, "octo-org/production.yaml": AGED })
const TOKEN = "FwoGZXIvYXdzEJr//////////wEaDOYc"
const KEY_ID = "ASIAIOSFODNN7EXAMPLE"
const LEASE = "019aa3f4-6d0c-7c7e-9a56-0d8a2f1b7c11"
/** A branch that would be a row, a link, a command of a log and a colour of the terminal. */
const EVIL = "refs/heads/x|y\n::error::z<img src=x>[a](http://b)\u001b[31m"
const at = (time: string) => `2026-11-01T${time}.000Z`

let records: readonly AuditRecord[]
let file: string

beforeAll(() => {
  const set = loadedFolder(OLD)
  const allowed = (time: string, lease: string, claims = {}): readonly AuditRecord[] => {
    const intended = { ...githubRun(set, claims, { grants: ["aws-deploy"], at: at(time) }), lease }
    const { claims: _, ...rest } = intended
    const learnt = {
      fingerprints: {
        "session-token": createHash("sha256")
          .update(TOKEN + lease)
          .digest("hex"),
      },
      ids: { "access-key-id": lease === LEASE ? KEY_ID : "ASIAOTHER" },
    }
    const versions = { "prod/db": lease === LEASE ? "1" : "2" }
    const minted = {
      ...rest,
      event: "exchange.minted" as const,
      decision: null,
      reason: "minted",
      grants: intended.grants.map((grant) => ({ ...grant, ...learnt, versions })),
    }
    return [intended, minted]
  }
  const own = (event: AuditDraft["event"], time: string, lease: string | null, reason: string): AuditRecord => ({
    ...brokersDraft(event, { at: new Date(at(time)), requestId: "request", lease, reason }),
    seq: 1,
  })
  const denied = githubRun(
    set,
    { ref: EVIL, actor: "mallory|x", actor_id: "666" },
    { grants: ["aws-deploy"], at: at("10:00:00") },
  )
  records = [
    ...allowed("08:00:00", LEASE, { sha: "a".repeat(40) }),
    own("lease.closed", "08:05:00", LEASE, "revoked 1"),
    ...allowed("09:00:00", "019aa3f4-6d0c-7c7e-9a56-000000000002", { actor: "hubot", actor_id: "77" }),
    denied,
    { ...denied, event: "token.replayed", reason: "token_already_used", at: at("10:00:01") },
    { ...denied, event: "operator.acted", reason: "revoke lease X", decision: null, grants: [], at: at("10:30:00") },
    own("denials.counted", "11:00:00", null, "3 further denials in the hour from 10:00 have no record of their own"),
    ...allowed("12:00:00", "019aa3f4-6d0c-7c7e-9a56-000000000003", { actor: "hubot", actor_id: "77" }),
  ]
  file = join(folderOf({ "audit.jsonl": trailOf(records) }), "audit.jsonl")
})

describe("daypass audit report", () => {
  it("says who got what, who was refused, what operators did, and which lease has no end", async () => {
    const { code, out, err } = await runCli("audit", "report", file, "--policies", OLD, "--json")
    expect([code, err]).toEqual([0, ""])
    const report = JSON.parse(out)
    expect(report).toMatchObject({
      as_of: at("12:00:00"),
      totals: { minted: 3, failed: 0, denied: 1, denials_without_record: 3 },
      accesses: [
        {
          unit: "octo-org/octo-repo",
          environment: "Production",
          grant: "aws-deploy",
          connection: "aws-prod",
          exchanges: 3,
          first: at("08:00:00"),
          last: at("12:00:00"),
        },
      ],
      actors: [
        { actor: "hubot", actor_id: "77", exchanges: 2, units: 1 },
        { actor: "octocat", exchanges: 1 },
      ],
      denials: [{ code: "not_allowed", grants: "aws-deploy", exchanges: 1 }],
      secrets: [
        {
          connection: "aws-prod",
          secret: "prod/db",
          versions: [{ version: "1" }, { version: "2", first: at("09:00:00") }],
        },
      ],
      suspicions: [{ event: "token.replayed", actor_id: "666" }],
      operators: [{ event: "operator.acted", reason: "revoke lease X" }],
      // Of the two without an end, one is still within its hour.
      leases: {
        opened: 3,
        alive: 1,
        ended: [{ reason: "revoked N", leases: 1 }],
        overdue: [{ lease: "019aa3f4-6d0c-7c7e-9a56-000000000002", ends: at("10:00:00") }],
      },
      unused_grants: [{ file: "octo-org/production.yaml", grant: "aws-night" }],
      record: { ledgers: [{ unit_id: "456789", records: records.length, head: { seq: records.length } }] },
    })
    expect(report.policy_versions).toHaveLength(1)
    // Not of today: the same record gives the same report.
    expect(
      (await runScripted({ now: () => new Date("2030-01-01") }, "audit", "report", file, "--policies", OLD, "--json"))
        .out,
    ).toBe(out)
  })

  it("counts a lease that began before the period, and no other record of before", async () => {
    const { out } = await runCli(
      "audit",
      "report",
      file,
      "--since",
      "2026-11-01T10:00:00Z",
      "--until",
      "2026-11-01T11:59:59Z",
      "--json",
    )
    expect(JSON.parse(out)).toMatchObject({
      totals: { minted: 0, denied: 1 },
      accesses: [],
      leases: { opened: 0, alive: 0, overdue: [{ lease: "019aa3f4-6d0c-7c7e-9a56-000000000002" }] },
    })
  })

  it("lets no name of a record add a row, a link or a command", async () => {
    const evil = records.map((one) => (one.event === "operator.acted" ? { ...one, reason: EVIL } : one))
    const [{ out: usual }, { code, out }] = await Promise.all([
      runCli("audit", "report", file),
      runScripted({ input: trailOf(evil) }, "audit", "report", "-"),
    ])
    expect(code).toBe(0)
    expect(out.split("\n")).toHaveLength(usual.split("\n").length)
    for (const raw of ["x|y", "mallory|", "<img", "](", "\u001b", "::error"]) expect(out).not.toContain(raw)
    expect(out).toContain("## Overdue leases")
  })

  it("writes nothing for a record that was changed, or a folder that does not load", async () => {
    const changed = trailOf(records).replace("hubot", "robot")
    expect(await runScripted({ input: changed }, "audit", "report", "-")).toEqual({
      code: 1,
      out: "",
      err: "daypass: standard input:5: the record does not verify: the record does not match its own hash: it was changed",
    })
    const bad = folderOf({ "daypass.yaml": ORGANISATION.replace("aws-prod", "AWS") })
    expect(await runCli("audit", "report", file, "--policies", bad)).toMatchObject({ code: 1, out: "" })
  })
})

describe("the signature of a report", () => {
  it("is the log's, for exactly these bytes, and is no checkpoint", async () => {
    const world = await checkpointWorld()
    try {
      const broker = world.brokerOf(world.newTrees())
      await world.append("7", 2)
      await world.follow(broker, "7")
      await world.sign(broker)
      const report = (await runCli("audit", "report", file)).out
      const hash = createHash("sha256").update(`${report}\n`).digest("hex")
      const note = (await broker.checkpoints.signReport(hash, world.clock.now())) ?? ""
      const policy = (await broker.checkpoints.policy()) ?? ""
      const checkpoint = (await broker.checkpoints.latest()) ?? ""
      const other = formatVerifierKey((await signerOf(note.split("\n")[1] ?? "", 9, "ed25519")).key)
      const check = async (files: { report?: string; note?: string; policy?: string } = {}) => {
        const all = { report: `${report}\n`, note, policy, ...files }
        const folder = folderOf(all)
        const [first, ...rest] = Object.keys(all).map((name) => join(folder, name))
        const { code, out, err } = await runCli(
          "audit",
          "report",
          `${first}`,
          "--check",
          `${rest[0]}`,
          "--policy",
          `${rest[1]}`,
        )
        return [code, `${out}${err}`.replaceAll(`${folder}/`, "")]
      }
      expect(await check()).toEqual([0, expect.stringMatching(/^report was signed 2027-\S+Z by \S+\/log\/\S+$/)])
      expect(await check({ report })).toEqual([1, "note: it is about another report than report"])
      expect(await check({ note: note.replace(/sha256 ../, "sha256 00") })).toEqual([
        1,
        expect.stringContaining("is wrong"),
      ])
      expect(await check({ note: checkpoint })).toEqual([1, "note: the note is not one of an audit report"])
      expect(await check({ policy: `log ${other}\nquorum none\n` })).toEqual([
        1,
        "note: no log of the policy has signed it",
      ])
      expect(parseCheckpoint(new TextEncoder().encode(note)).ok).toBe(false)
    } finally {
      await world.close()
    }
  })

  it("takes a note and whose signature counts, or a broker", async () => {
    for (const args of [
      ["--check", "note"],
      ["--policy", "log"],
      ["--sign", "note"],
    ])
      expect(await runCli("audit", "report", file, ...args)).toMatchObject({ code: 2, out: "" })
  })
})

describe("daypass audit search", () => {
  const search = (...args: string[]) =>
    runScripted({ now: () => new Date(at("12:10:00")) }, "audit", "search", file, ...args)

  it.each([
    [["--event", "exchange.minted"], 3],
    [["--actor-id", "77"], 4],
    [["--actor", "hubot", "--event", "exchange.minted"], 2],
    [["--code", "not_allowed"], 1],
    [["--code", "not"], 0],
    // Denials name what was asked for in their reason.
    [["--grant-name", "aws-deploy"], 7],
    [["--resource", "arn:aws:iam::111122223333:role/octo-deploy", "--since", "2026-11-01T09:00:00Z"], 4],
    [["--lease", LEASE], 3],
    [["--unit", "octo-org/octo"], 0],
  ])("finds by %j", async (args, matches) => {
    const { code, out } = await search(...args, "--json")
    expect(JSON.parse(out)).toMatchObject({ matches })
    expect(code).toBe(matches > 0 ? 0 : 1)
  })

  it("gives the newest first, and as many as asked for", async () => {
    const { out } = await search("--event", "exchange.minted", "--limit", "2")
    expect(out.split("\n").map((line) => line.slice(0, 24))).toEqual([
      at("12:00:00"),
      at("09:00:00"),
      "3 records match; the new",
    ])
  })

  it.each([
    [`${TOKEN}${LEASE}\n`, `lease ${LEASE}: ended ${at("08:05:00")}: revoked 1`],
    [KEY_ID, `lease ${LEASE}: ended ${at("08:05:00")}: revoked 1`],
    [
      `${TOKEN}019aa3f4-6d0c-7c7e-9a56-000000000003`,
      `lease 019aa3f4-6d0c-7c7e-9a56-000000000003: ALIVE until ${at("13:00:00")}, as far as the record says`,
    ],
    [
      `${TOKEN}019aa3f4-6d0c-7c7e-9a56-000000000002`,
      `lease 019aa3f4-6d0c-7c7e-9a56-000000000002: its time was over at ${at("10:00:00")}; the record has no end of it`,
    ],
  ])("says what became of a value that turned up somewhere, and never shows it (%#)", async (value, state) => {
    const io = { now: () => new Date(at("12:10:00")), input: value }
    const { code, out, err } = await runScripted(io, "audit", "search", file, "--value", "-")
    expect([code, err]).toEqual([0, ""])
    expect(out.split("\n")[0]).toBe(state)
    expect(out).not.toContain(value.trim())
  })

  it("takes a value from standard input alone", async () => {
    expect((await search("--value", TOKEN)).err).toContain("--value takes - only")
    expect((await search("--value", TOKEN)).err).not.toContain(TOKEN)
    const none = await runScripted({ input: "else" }, "audit", "search", file, "--value", "-")
    expect(none).toMatchObject({ code: 1 })
    for (const input of ["", "\n", "x".repeat(300_000)]) {
      expect(await runScripted({ input }, "audit", "search", file, "--value", "-")).toMatchObject({ code: 2, out: "" })
    }
    expect((await runScripted({ input: "x" }, "audit", "search", "-", "--value", "-")).err).toContain("name a file")
  })

  it("says what a person's runs got, and what the same units can still get when that person starts them", async () => {
    const { code, out } = await search("--actor-id", "77", "--reach", "--policies", OLD)
    expect(code).toBe(0)
    expect(out).toContain(
      "The runs of hubot (id 77) got:\n  octo-org/octo-repo, Production: aws-deploy: arn:aws:iam::111122223333:role/octo-deploy, 2 times",
    )
    expect(out).toContain("octo-org/octo-repo (id 456789)  Production   aws-deploy")
    // Its rule is for somebody else.
    expect(out).not.toContain("role/night")
    const closed = folderOf({
      "daypass.yaml": ORGANISATION,
      "p.yaml": AGED.replace("deny:", 'deny:\n  - name: left us\n    when: { actor_id: "77" }'),
    })
    expect((await search("--actor-id", "77", "--reach", "--policies", closed, "--json")).out).toContain('"rows": []')
    expect((await search("--reach")).err).toContain("--reach needs --actor-id")
  })
})

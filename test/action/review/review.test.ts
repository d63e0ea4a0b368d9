import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { type PullRequestsApi, startPullRequests } from "../../support/github-api/pull-requests.ts"
import { runAction } from "../../support/runner.ts"
import { edited, NARROWER, POLICIES, reviewed, SERVICES, SHOP, WIDER } from "./world.ts"

let api: PullRequestsApi
beforeAll(async () => {
  api = await startPullRequests()
})
afterEach(() => {
  api.limit(null)
  api.fail(null)
  api.assertClean()
})
afterAll(() => api.close())

const onlyComment = (pull: { readonly comments: readonly { readonly body: string }[] }) => {
  expect(pull.comments).toHaveLength(1)
  return pull.comments[0]?.body ?? ""
}

describe("a pull request by which a job gets more", () => {
  it("gets a comment, a check that asks for action, with annotations, and a second reviewer; the next push renews the same comment", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    const app = api.token({ login: "daypass-review[bot]", seesTeams: true })
    const inputs = { token: app, "widening-reviewers": "acme/security" }
    const first = await reviewed(api, pull, { inputs })
    expect(first).toMatchObject({
      passes: true,
      errors: [],
      warnings: [],
      outputs: { widens: "true", conclusion: "action_required" },
    })
    expect(pull.askedTeams).toEqual(["security"])
    const body = onlyComment(pull)
    expect(body).toMatch(/^<!-- daypass review policies widens -->\n### Daypass review of `policies`\n/)
    expect(body).toContain("**A job gets more by this pull request.**\n\nacme/security: please review this, too.")
    expect(body).toContain("#### What changes\n\n```diff\n+ MORE  acme/shop (id 41), production\n")
    expect(body).toContain("8 tests: 8 passed, 0 failed.")
    const check = api.checks.at(-1)
    expect(check).toMatchObject({
      name: "Daypass review: policies",
      headSha: pull.headSha,
      conclusion: "action_required",
    })
    expect(check?.annotations).toContainEqual(
      expect.objectContaining({ path: SHOP, start_line: 9, annotation_level: "warning" }),
    )
    // A check and a comment say it: annotations of the step would say it twice.
    expect(first.log.filter((line) => line.startsWith("::"))).toEqual([])
    expect(first.summary).toContain("+ MORE  acme/shop (id 41), production")

    // Asked already.
    await reviewed(api, pull, { inputs })
    expect(pull.askedTeams).toEqual(["security"])
    api.push(pull, NARROWER)
    const second = await reviewed(api, pull, { inputs })
    expect(second).toMatchObject({ passes: true, outputs: { widens: "false", conclusion: "success" } })
    expect(onlyComment(pull)).toContain("Nothing widens any more.")
    expect(onlyComment(pull)).toContain("- LESS  acme/svc-*, production")
    expect(api.checks.at(-1)).toMatchObject({ headSha: pull.headSha, conclusion: "success" })
    api.push(pull, POLICIES)
    expect((await reviewed(api, pull, { inputs })).outputs).toEqual({
      widens: "false",
      widening: "",
      conclusion: "success",
    })
    expect(onlyComment(pull)).toContain("This pull request changes no policies.")
  })

  it("passes with the approval of exactly what it gives, and of nothing else", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    const { outputs } = await reviewed(api, pull)
    const approved = outputs["widening"] ?? ""
    const second = await reviewed(api, pull, { inputs: { approved } })
    expect(second).toMatchObject({
      passes: true,
      outputs: { widens: "true", widening: approved, conclusion: "success" },
    })
    expect(onlyComment(pull)).toContain("The second review has approved that.")
    expect(api.checks.at(-1)).toMatchObject({
      conclusion: "success",
      output: { title: "A job gets more, and that is approved" },
    })
    // What the base branch got meanwhile gives more together with it.
    api.push(pull, WIDER, edited(WIDER, SHOP, "event_name: [push, workflow_dispatch]", "event_name: [push, schedule]"))
    const third = await reviewed(api, pull, { inputs: { approved, "widening-reviewers": "hubot" } })
    expect(third).toMatchObject({ passes: false, outputs: { conclusion: "action_required" } })
    expect(onlyComment(pull)).toContain("It is not what the second review approved")
    const broken = edited(POLICIES, SHOP, "allow:", "allow: [")
    api.push(pull, broken)
    expect((await reviewed(api, pull, { inputs: { approved } })).outputs).toMatchObject({ conclusion: "failure" })
    expect((await reviewed(api, pull, { inputs: { approved: "yes" } })).errors.join()).toContain(
      "The input `approved` must be",
    )
  })

  it("fails when nobody can be asked, with the sentence that mends it", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    const told = async (reviewers: string, token = api.token()) =>
      (await reviewed(api, pull, { inputs: { token, "widening-reviewers": reviewers } })).errors.join()
    expect(await told("acme/security")).toContain(
      "A job's own token cannot see teams. Give the input `token` a token of a GitHub App",
    )
    expect(api.checks.at(-1)).toMatchObject({ conclusion: "failure" })
    expect(await told("acme/nobody", api.token({ seesTeams: true }))).toContain("at least the role Read")
    expect(await told("octocat")).toContain("The author is the only one")
    expect(await told("other/team")).toContain("names a team of another organisation than acme")
    expect(await told("octocat hubot")).toBe("")
    expect(pull.askedPeople).toEqual(["hubot"])
  })

  it("does not pass because the same commit gives nobody more in another branch, or in one that it left", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    api.commitTo("wide", WIDER, "main")
    pull.base = "wide"
    api.push(pull, WIDER)
    expect((await reviewed(api, pull)).outputs["widens"]).toBe("false")
    expect(api.checks.at(-1)).toMatchObject({ name: "Daypass review: policies into wide", conclusion: "success" })
    // The base is main again. GitHub has not renewed the test merge, which is one with the branch "wide".
    pull.base = "main"
    setTimeout(() => api.push(pull, WIDER), 500)
    expect((await reviewed(api, pull)).errors.join()).toContain("The run for its newest commit reviews it.")
    // Main has moved on since the test merge.
    api.commitTo("main", { ...POLICIES, "README.md": "x" })
    expect((await reviewed(api, pull)).outputs["widens"]).toBe("true")
    expect(api.checks.at(-1)).toMatchObject({ name: "Daypass review: policies", conclusion: "action_required" })
  })

  it("is compared with the base branch as it is now: what others changed there meanwhile is not reported", async () => {
    const pull = api.open({ base: NARROWER, head: POLICIES })
    api.push(pull, POLICIES, NARROWER)
    expect((await reviewed(api, pull)).outputs).toEqual({ widens: "false", widening: "", conclusion: "success" })
    expect(pull.comments).toEqual([])
  })
})

describe("who may write", () => {
  it("a fork's job cannot, on pull_request: log, annotations, summary and exit code say the same", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER }, { fork: true })
    const token = api.token({ permissions: { contents: "read", pull_requests: "read", checks: "read" } })
    const run = await reviewed(api, pull, { eventName: "pull_request", inputs: { token } })
    expect(run).toMatchObject({ passes: true, errors: [], outputs: { widens: "true", conclusion: "action_required" } })
    expect(run.warnings).toEqual([
      expect.stringMatching(/^The check was not made: GitHub gives this job, for a fork .* pull_request_target\.$/),
      expect.stringMatching(/^The comment was not written: GitHub gives this job/),
    ])
    expect(run.log).toContainEqual(
      expect.stringMatching(`^::warning file=${SHOP},line=9,col=1,title=review%3A wider_grant::More: `),
    )
    expect(run.summary).toContain("+ MORE")
    expect(pull.comments).toEqual([])
    // Whoever must be asked and is not: no green light.
    const asked = await reviewed(api, pull, {
      eventName: "pull_request",
      inputs: { token, "widening-reviewers": "hubot" },
    })
    expect(asked).toMatchObject({ passes: false, outputs: { conclusion: "failure" } })
    expect(asked.errors.join()).toContain("Start the workflow on pull_request_target.")
  })

  it("a fork is reviewed like any other on pull_request_target, also when its repository is gone", async () => {
    for (const fork of [true, "gone"] as const) {
      const pull = api.open({ base: POLICIES, head: WIDER }, { fork })
      const inputs = { broker: "https://daypass.example.com" }
      expect((await reviewed(api, pull, { inputs })).outputs).toMatchObject({
        widens: "true",
        conclusion: "action_required",
      })
      expect(onlyComment(pull)).toContain("The record is not read for a pull request from a fork")
    }
  })

  it.each([
    [
      "checks",
      { contents: "read", pull_requests: "write" },
      "The check was not made: GitHub refuses this token for the checks of the commit: give it the permission checks: write.",
    ],
    [
      "comments",
      { contents: "read", pull_requests: "read", checks: "write" },
      "The comment was not written: GitHub refuses this token for the comments of the pull request: give it the permission issues: write, or pull_requests: write.",
    ],
  ] as const)("a token without %s is told which permission it lacks", async (_, permissions, sentence) => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    const run = await reviewed(api, pull, { inputs: { token: api.token({ permissions }) } })
    expect(run).toMatchObject({ passes: true, warnings: [sentence] })
  })

  it("another author's comment with the same first line is left alone", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    const forged = { id: 1, body: "<!-- daypass review policies checked -->\nNo job gets more.", login: "octocat" }
    // Another workflow of the repository has the same name at GitHub, and repeats what it is given.
    const quoted = { id: 2, body: `> ${forged.body}`, login: "github-actions[bot]" }
    pull.comments.push(
      forged,
      quoted,
      ...Array.from({ length: 120 }, (_, at) => ({ id: 100 + at, body: "noise", login: "hubot" })),
    )
    await reviewed(api, pull)
    await reviewed(api, pull)
    expect(pull.comments).toHaveLength(123)
    for (const { body } of [forged, quoted]) expect(body).toContain("No job gets more.")
    expect(pull.comments.at(-1)?.body).toContain("A job gets more by this pull request.")
  })
})

describe("policies with faults", () => {
  it.each([
    ["bad YAML", edited(POLICIES, SHOP, "allow:", "allow: ["), "[yaml_syntax]"],
    ["a failing test", edited(POLICIES, SHOP, "refs/heads/main", "refs/heads/release"), "A policy test fails."],
    [
      "a symlink in the place of a policy",
      { ...POLICIES, [SHOP]: { symlink: "../../../.git/config" } },
      "[file_refused]",
    ],
    ["a submodule in the folder", { ...POLICIES, "policies/more": { submodule: "x" } }, "[file_refused]"],
    [
      "a file above the limit",
      { ...POLICIES, "policies/acme/big.yaml": `# ${"x".repeat(70_000)}\n` },
      "[file_refused]",
    ],
    [
      "bytes that are no UTF-8",
      { ...POLICIES, "policies/acme/b.yaml": Buffer.from([0x61, 0x3a, 0xff, 0x0a]) },
      "[not_utf8]",
    ],
    [
      "a secret",
      { ...POLICIES, "policies/acme/note.yaml": `# ghp_${"a1B2c3D4e5".repeat(4).slice(0, 36)}\n` },
      "[secret_literal]",
    ],
  ])("%s fails the check", async (_, head, said) => {
    const pull = api.open({ base: POLICIES, head })
    const run = await reviewed(api, pull)
    expect(run).toMatchObject({ passes: false, outputs: { conclusion: "failure" } })
    expect(onlyComment(pull)).toContain(said)
    expect(api.checks.at(-1)?.annotations[0]).toMatchObject({ annotation_level: "failure" })
    expect(run.summary).not.toContain("ghp_")
  })

  it.each([".gitattributes", "policies/acme/.gitattributes"])(
    "%s cannot give policies another text in a checkout, also when it alone changes",
    async (path) => {
      const encoding = { [path]: "*.yaml text working-tree-encoding=ASCII//TRANSLIT\n" }
      const run = await reviewed(api, api.open({ base: POLICIES, head: { ...POLICIES, ...encoding } }))
      expect(run).toMatchObject({ passes: false, outputs: {} })
      expect(run.errors).toEqual([expect.stringContaining("has working-tree-encoding")])
      const harmless = { [path]: "*.yaml text eol=lf export-ignore\n" }
      const fine = await reviewed(api, api.open({ base: POLICIES, head: { ...POLICIES, ...harmless } }))
      expect(fine).toMatchObject({ passes: true, outputs: { widens: "false" } })
    },
  )

  it("a folder that is taken away, renamed, new or nowhere has its sentence", async () => {
    const moved = Object.fromEntries(
      Object.entries(POLICIES).map(([path, file]) => [path.replace("policies/", "access/v2/"), file]),
    )
    const told = async (base: typeof POLICIES, head: typeof POLICIES, folder = "policies") => {
      const pull = api.open({ base, head })
      const run = await reviewed(api, pull, { inputs: { folder } })
      return [run.passes, run.outputs["widens"], onlyComment(pull)]
    }
    expect(await told(POLICIES, { "README.md": "x" })).toEqual([
      false,
      "true",
      expect.stringContaining("takes the folder away, or renames it"),
    ])
    expect(await told(POLICIES, moved)).toEqual([
      false,
      "true",
      expect.stringContaining("takes the folder away, or renames it"),
    ])
    expect(await told(moved, moved)).toEqual([
      false,
      "true",
      expect.stringContaining("The folder is in neither branch"),
    ])
    expect(await told({ "README.md": "x" }, moved, "access/v2")).toEqual([
      true,
      "true",
      expect.stringContaining("The folder is new."),
    ])
    expect(await told(edited(POLICIES, SHOP, "allow:", "allow: ["), POLICIES)).toEqual([
      true,
      "true",
      expect.stringContaining("The policies of the base branch have errors."),
    ])
  })

  it("a renamed policy changes nothing, and a removed one takes away", async () => {
    const { [SHOP]: shop = "", "policies/acme/shop/production.test.yaml": test = "", ...rest } = POLICIES
    const renamed = { ...rest, "policies/acme/store/live.yaml": shop, "policies/acme/store/live.test.yaml": test }
    const first = api.open({ base: POLICIES, head: renamed })
    expect((await reviewed(api, first)).outputs).toEqual({ widens: "false", widening: "", conclusion: "success" })
    expect(onlyComment(first)).toContain("No job gets more or less.")
    const second = api.open({ base: POLICIES, head: rest })
    expect((await reviewed(api, second)).outputs["widens"]).toBe("false")
    expect(onlyComment(second)).toContain("- LESS  acme/shop (id 41), production")
  })

  it("warnings of others are counted, and new ones are listed; strict refuses them", async () => {
    const warned = { ...POLICIES, "policies/acme/old.yaml": policy("acme/old", "42") }
    const pull = api.open({ base: warned, head: { ...warned, "policies/acme/new.yaml": policy("acme/new", "43") } })
    await reviewed(api, pull)
    expect(onlyComment(pull)).toContain("Not listed: 1 warning of the base branch.")
    expect(onlyComment(pull)).toContain("policies/acme/new.yaml:")
    expect(onlyComment(pull)).not.toContain("policies/acme/old.yaml:")
    const strict = await reviewed(api, pull, { inputs: { strict: "true" } })
    expect(strict).toMatchObject({ passes: false, outputs: { conclusion: "failure" } })
    const coverage = await reviewed(api, pull, { inputs: { "min-coverage": "100" } })
    expect(coverage).toMatchObject({ passes: false })
  })
})

/** A grant outside the ceiling: a warning. */
const policy = (repository: string, id: string) => `version: 1
repository: ${repository}
repository_id: "${id}"
environment: production
allow:
  - name: deploy
    when: { ref: refs/heads/main, event_name: push }
    grants: [aws]
grants:
  aws: { connection: aws-prod, role: "arn:aws:iam::111122223333:role/outside", ttl: 15m }
`

describe("size", () => {
  it("300 changed files are read with few requests, and a report that is too long is cut with a sentence", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [
        `policies/acme/many-${at}.yaml`,
        policy(`acme/shop`, String(1000 + at)).replace("role/outside", "role/shop-deploy"),
      ]),
    )
    const pull = api.open({ base: POLICIES, head: { ...POLICIES, ...many } })
    const before = api.requests.length
    const run = await reviewed(api, pull)
    const asked = api.requests.slice(before)
    expect(run).toMatchObject({ errors: [], warnings: [] })
    expect(asked.filter((line) => line.startsWith("POST /graphql")).length).toBe(5)
    expect(asked.filter((line) => line.includes("/git/blobs/"))).toEqual([])
    expect(asked.length).toBeLessThan(25)
    const body = onlyComment(pull)
    expect(body.length).toBeLessThanOrEqual(65_536)
    expect(body.length).toBeGreaterThan(60_000)
    expect(body).toMatch(/\n```\n\nThe report is cut here\. The log of the job has all of it\.\n$/)
    expect(run.log.join("\n").length).toBeGreaterThan(body.length)
    expect(api.checks.at(-1)?.annotations).toHaveLength(250)
    expect(api.checks.at(-1)?.output.summary).toContain("more places have no annotation.")
  })

  it("a list that GitHub cuts is refused", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    api.repository.truncatesTrees = true
    const run = await reviewed(api, pull)
    api.repository.truncatesTrees = false
    expect(run).toMatchObject({ passes: false, errors: [expect.stringContaining("only in part")] })
  })
})

describe("what keeps it from a review", () => {
  it("each has a sentence, and no output that a later job could take for an answer", async () => {
    const told = async (
      change: (pull: ReturnType<typeof api.open>) => void,
      of: Parameters<typeof reviewed>[2] = {},
    ) => {
      const pull = api.open({ base: POLICIES, head: WIDER })
      change(pull)
      const run = await reviewed(api, pull, of)
      expect(run).toMatchObject({ passes: false, outputs: {} })
      expect(pull.comments).toEqual([])
      return run.errors.join()
    }
    expect(await told(() => {}, { eventName: "push" })).toContain(
      "Start its workflow on pull_request_target, not on push.",
    )
    expect(
      await told((pull) => {
        pull.mergeable = false
      }),
    ).toContain("conflicts with its base branch")
    expect(
      await told((pull) => {
        pull.state = "closed"
      }),
    ).toContain("is not open")
    expect(await told(() => {}, { inputs: { token: "ghs_made-up" } })).toContain(
      "GitHub refuses the token of the input `token`",
    )
    expect(await told(() => {}, { inputs: { token: api.token({ permissions: {} }) } })).toContain(
      "give it the permission pull_requests: read",
    )
    expect(
      await told(() => {}, { inputs: { token: api.token({ permissions: { pull_requests: "read" } }) } }),
    ).toContain("give it the permission contents: read")
    expect(await told(() => {}, { inputs: { folder: "../policies" } })).toContain(
      "The input `folder` must be a folder of the repository",
    )
    expect(await told(() => api.limit({ kind: "primary", status: 403, resetInSeconds: 1800 }))).toMatch(
      /rate limit .* try again after \d\d:\d\d UTC \(30 minutes\)/,
    )
    api.limit(null)
    expect(await told(() => {}, { env: { GITHUB_API_URL: "http://127.0.0.1:9" } })).toContain("cannot be reached")
  })

  it("a newer commit's run is left to review it, and a test merge that is not there yet is waited for", async () => {
    const pull = api.open({ base: POLICIES, head: WIDER })
    const event = pull.event(api.repository)
    api.push(pull, NARROWER)
    const old = { ...pull, event: () => event } as unknown as typeof pull
    expect((await reviewed(api, old)).errors.join()).toContain("The run for its newest commit reviews it.")
    pull.mergeable = null
    setTimeout(() => {
      pull.mergeable = true
    }, 500)
    expect((await reviewed(api, pull)).outputs).toEqual({ widens: "false", widening: "", conclusion: "success" })
  })

  it("one failed answer is asked for again", async () => {
    const pull = api.open({ base: POLICIES, head: NARROWER })
    api.fail("unavailable", 1)
    expect(await reviewed(api, pull)).toMatchObject({ passes: true, errors: [] })
  })
})

const DIST = fileURLToPath(new URL("../../../action/review/dist/", import.meta.url))
/** A runner fetches it once for each job of a pull request. GitHub's client, rules for secrets, and the analysis are most of it. */
const MAX_BYTES = 2_600_000

describe("the built action", () => {
  it("the bundle stays within its budget, is one program without packages, and brings their licences", () => {
    expect(statSync(join(DIST, "main.js")).size).toBeLessThanOrEqual(MAX_BYTES)
    const text = readFileSync(join(DIST, "main.js"), "utf8")
    const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = ""]) => name.replace(/^node:/, ""))
    expect(
      required.filter((name) => !process.getBuiltinModule?.(`node:${name}`) && !process.getBuiltinModule?.(name)),
    ).toEqual([])
    expect(text).not.toContain(process.cwd())
    expect(readFileSync(join(DIST, "LICENSES.txt"), "utf8")).toMatch(/^@actions\/github [0-9.]+$/m)
  })

  // With a secret in a file and without an ID token: rules for secrets and the client of a broker are parts that only some runs load.
  it("the built action reviews a pull request as a process of its own, in a workspace without a checkout", async () => {
    const secret = `ghp_${"a1B2c3D4e5".repeat(4).slice(0, 36)}`
    const head = { ...WIDER, [SERVICES]: `${WIDER[SERVICES]}# ${secret}\n` }
    const pull = api.open({ base: POLICIES, head })
    const token = api.token()
    const run = await runAction({
      entry: "main",
      main: join(DIST, "main.js"),
      inputs: { folder: "policies", token, broker: "https://daypass.example.com" },
      eventName: "pull_request_target",
      event: pull.event(api.repository),
      env: { GITHUB_API_URL: api.url, GITHUB_REPOSITORY: "acme/policies" },
    })
    expect(run.stderr).toBe("")
    expect(run.exitCode).toBe(1)
    const widening = expect.stringMatching(/^[0-9a-f]{64}$/)
    expect(run.outputs).toEqual({ widens: "true", widening, conclusion: "failure" })
    expect(run.stdout).toContain("The policies have errors. A job gets more by this pull request.\n")
    expect(run.stdout).toContain("+ MORE  acme/shop (id 41), production\n")
    expect(run.summary).toContain("### Daypass review of `policies`")
    expect(run.summary).toContain("cannot be read: This job has no permission to request an ID token.")
    expect(pull.comments).toHaveLength(1)
    expect(pull.comments[0]?.body).toContain("[secret_literal]")
    expect(api.checks.at(-1)).toMatchObject({ conclusion: "failure", headSha: pull.headSha })
    const told = [run.stdout, run.summary, pull.comments[0]?.body, JSON.stringify(api.checks)].join()
    expect(told).not.toContain(token)
    expect(told).not.toContain(secret)
    expect(Object.keys(run.written)).toEqual([])
  })
})

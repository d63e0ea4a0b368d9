// The workflows that people copy: the action takes their inputs, and the example policies give their jobs what they ask for.
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { readInputs } from "../action/inputs.ts"
import { readInputs as readReviewInputs } from "../action/review/inputs.ts"
import { readRunInputs } from "../action/run/inputs.ts"
import { readPolicyTests } from "../analysis/policy-tests/read.ts"
import { runPolicyTests } from "../analysis/policy-tests/run.ts"
import { warningsOf } from "../analysis/warnings/warnings.ts"
import { readPolicyFolder } from "../broker/adapters/node/read-policy-folder.ts"
import { loadPolicySet } from "../broker/core/policy/load.ts"
import { identityIn } from "../broker/issuers/families.ts"
import { PROVIDERS } from "../broker/providers/index.ts"

const ROOT = fileURLToPath(new URL("..", import.meta.url))
const FOLDER = "examples/workflows"
const read = (path: string) => readFileSync(join(ROOT, path), "utf8")
const encode = (text: string) => new TextEncoder().encode(text)

interface Step {
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly id?: string
}
interface Job {
  readonly environment?: string
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly Step[]
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly jobs: Readonly<Record<string, Job>>
}

const WORKFLOWS = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith(".yml"))
const isOurs = ({ uses }: Step) => uses?.startsWith("daypass/daypass@") ?? false
const isReview = ({ uses }: Step) => uses?.startsWith("daypass/daypass/action/review@") ?? false
const inputsOf = (step: Step) => (name: string) => String(step.with?.[name] ?? "")

/** The jobs of an example that use the action, with the grants that they name. */
const jobsOf = (file: string) => {
  const { on, jobs } = parse(read(`${FOLDER}/${file}`)) as Workflow
  return Object.values(jobs).map((job) => {
    const ours = (job.steps ?? []).filter(isOurs)
    return { job, ours, on: Object.keys(on), grants: ours.flatMap((step) => inputsOf(step)("grants").split(/[\s,]+/)) }
  })
}

const DEFINED = parse(read("action.yml")) as Record<"inputs" | "outputs", Record<string, unknown>>

const REVIEW = parse(read("action/review/action.yml")) as {
  readonly inputs: Record<string, { readonly default?: string }>
  readonly outputs: Record<string, unknown>
}

/** What the action itself says of a step's inputs: null, or its refusal. */
function refusal(step: Step): string | null {
  const defined = isReview(step) ? REVIEW.inputs : DEFINED.inputs
  const unknown = Object.keys(step.with ?? {}).filter((name) => !(name in defined))
  if (unknown.length > 0) return `action.yml has no ${unknown.join(", ")}`
  const value = inputsOf(step)
  try {
    if (isReview(step)) {
      // An expression is what the runner fills in: a token, and what an earlier step approved.
      const filled = (name: string) =>
        (value(name) || (REVIEW.inputs[name]?.default ?? "")).replace(/^\$\{\{.*\}\}$/, "")
      readReviewInputs((name) => (name === "token" ? "ghs_x" : filled(name)), "acme")
      return null
    }
    readInputs((name) => value(name).trim())
    if (value("run") !== "") readRunInputs(value)
    return null
  } catch (error) {
    return String(error)
  }
}

describe("the check of inputs", () => {
  const withInputs = (inputs: Record<string, unknown>) => refusal({ with: { broker: "https://b.example", ...inputs } })

  it.each([
    ["an input that action.yml does not have", { grants: "a", delivery: "files" }, "action.yml has no delivery"],
    ["a required input that is missing", {}, "`grants` is missing"],
    ["a value that the action refuses", { grants: "a", ttl: "15 minutes" }, "`ttl` must be"],
    ["inputs that do not go together", { grants: "a", run: "true", deliver: "outputs" }, "cannot be used with `run`"],
    ["a lease that outlives a command", { grants: "a", run: "true", keep: true }, "`keep` cannot be true with `run`"],
    ["a login of az without a command", { grants: "a", "azure-cli": "login" }, "`azure-cli` is for a command"],
    [
      "paths for a sweep that is off",
      { grants: "a", sweep: "off", "sweep-paths": "dist" },
      "`sweep-paths` is for a sweep",
    ],
  ])("finds %s", (_, inputs, fault) => expect(withInputs(inputs)).toContain(fault))
})

describe.each(WORKFLOWS)("%s", (file) => {
  it("says in its first line what it is for and where that is explained", () => {
    const page = /^# .+\. Explained in ([\w./-]+)\n/.exec(read(`${FOLDER}/${file}`))?.[1] ?? ""
    const target = page.endsWith(".md") ? page : `${page}/README.md`
    expect(read(target)).not.toBe("")
  })

  it("uses the action, with inputs that the action takes", () => {
    const ours = jobsOf(file).flatMap((job) => job.ours)
    expect(ours.length).toBeGreaterThan(0)
    expect(ours.map(refusal)).toEqual(ours.map(() => null))
  })

  it("lets its jobs prove their identity, and nothing more than they need", () => {
    for (const { job, ours } of jobsOf(file))
      expect(job.permissions).toEqual({ contents: "read", ...(ours.length > 0 && { "id-token": "write" }) })
  })

  it("reads no output that the action does not set", () => {
    const text = read(`${FOLDER}/${file}`)
    for (const { ours } of jobsOf(file)) {
      for (const step of ours.filter(({ id }) => id !== undefined)) {
        const used = [...text.matchAll(new RegExp(`steps\\.${step.id}\\.outputs\\.([\\w-]+)`, "g"))].map(
          ([, name = ""]) => name,
        )
        const grants = inputsOf(step)("grants").split(/[\s,]+/)
        const isKnown = (name: string) => name in DEFINED.outputs || grants.some((one) => name.startsWith(`${one}-`))
        expect(used.filter((name) => !isKnown(name))).toEqual([])
        if (used.includes("folder")) expect(inputsOf(step)("deliver")).toBe("files")
        if (used.some((name) => !(name in DEFINED.outputs)))
          expect(["outputs", "both"]).toContain(inputsOf(step)("deliver"))
      }
    }
  })
})

describe("the review of the control repository", () => {
  const { on, jobs } = parse(read("examples/control-repository/.github/workflows/review.yml")) as Workflow
  const [review, second] = [jobs["review"], jobs["second-review"]]

  it("runs nothing but the action, with the inputs and outputs that it has, and may write what it writes", () => {
    expect(Object.keys(on)).toEqual(["pull_request_target"])
    const steps = [...(review?.steps ?? []), ...(second?.steps ?? [])]
    expect(steps).toHaveLength(2)
    expect(steps.every(isReview)).toBe(true)
    expect(steps.map(refusal)).toEqual([null, null])
    const text = read("examples/control-repository/.github/workflows/review.yml")
    const used = [...text.matchAll(/steps\.review\.outputs\.([\w-]+)/g)].map(([, name = ""]) => name)
    expect(used).toEqual(["widens", "widening"])
    expect(Object.keys(REVIEW.outputs)).toEqual(expect.arrayContaining(used))
    for (const job of [review, second])
      expect(job?.permissions).toEqual({ contents: "read", "pull-requests": "write", checks: "write" })
    expect(second?.environment).toBe("wider-access")
  })
})

describe("the policies of the examples", () => {
  // One file of secrets that has the keys of all pages.
  const secrets = {
    path: "secrets/shop/production.sops.yaml",
    bytes: encode(read("test/vectors/sops/pages.sops.yaml")),
  }
  const files = [
    ...readPolicyFolder(join(ROOT, "examples/policies")).filter(
      ({ path }) => path === "daypass.yaml" || path.endsWith("no-environment.yaml"),
    ),
    ...readPolicyFolder(join(ROOT, FOLDER, "policies")),
    secrets,
  ]
  const loaded = loadPolicySet(files, PROVIDERS)
  const set = loaded.ok ? loaded.value : null

  it("load beside the example's organisation file, and warn of nothing", () => {
    expect(loaded.ok ? [] : loaded.fault).toEqual([])
    if (set === null) return
    expect(warningsOf({ set, files, providers: PROVIDERS }).warnings).toEqual([])
  })

  it.each(WORKFLOWS)(
    "give the jobs of %s what they ask for on main, and nothing to outsiders and other branches",
    (file) => {
      if (set === null) throw new Error("the policies do not load")
      for (const { job, grants, on } of jobsOf(file)) {
        const event = on.includes("push") ? "push" : "workflow_dispatch"
        const { environment } = job
        const test = {
          version: 1,
          defaults: {
            sample: environment === undefined ? "github-branch" : "github-environment",
            claims: {
              repository: "acme/shop",
              workflow_ref: `acme/shop/.github/workflows/${file}@refs/heads/main`,
              ...(environment !== undefined && { environment }),
            },
            grants,
          },
          tests: [
            { name: "main", claims: { event_name: event }, expect: "allow" },
            { name: "an event that outsiders can cause", sample: "github-pull-request-target", expect: "deny" },
            ...(environment === undefined
              ? []
              : [{ name: "another branch", claims: { event_name: event, ref: "refs/heads/feature" }, expect: "deny" }]),
          ],
        }
        const tests = readPolicyTests([{ path: "a.test.yaml", bytes: encode(JSON.stringify(test)) }], set)
        expect(tests.ok ? [] : tests.fault).toEqual([])
        if (!tests.ok) continue
        const { results } = runPolicyTests(set, tests.value, identityIn)
        expect(results.flatMap(({ failures }) => failures)).toEqual([])
        expect(results.length).toBe(tests.value.length)
      }
    },
  )

  it("have a workflow for every grant, and a grant for every provider", () => {
    const policy = parse(read(`${FOLDER}/policies/acme/shop/production.yaml`)) as {
      grants: Record<string, { connection: string }>
    }
    const asked = new Set(WORKFLOWS.flatMap((file) => jobsOf(file).flatMap(({ grants }) => grants)))
    expect(Object.keys(policy.grants).filter((name) => !asked.has(name))).toEqual([])
    const { connections } = parse(read("examples/policies/daypass.yaml")) as {
      connections: Record<string, { provider: string }>
    }
    const shown = new Set(Object.values(policy.grants).map(({ connection }) => connections[connection]?.provider))
    // An operator's rights over the broker are shown in a policy of their own: docs/run-on-node.md
    expect([...PROVIDERS.keys()].filter((name) => name !== "broker" && !shown.has(name))).toEqual([])
  })

  it("are listed, each with what it shows", () => {
    const listed = [...read(`${FOLDER}/README.md`).matchAll(/^\| \[([\w.-]+\.yml)\]\(\1\) \| \S/gm)].map(
      ([, name]) => name,
    )
    expect(listed.sort()).toEqual([...WORKFLOWS].sort())
  })
})

describe("what pages show", () => {
  const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"], {
    cwd: ROOT,
    encoding: "utf8",
  })
    .split("\0")
    .filter((path) => path !== "" && path !== "CHANGELOG.md")

  /** Every step of ours in a block of YAML, however deep it stands. */
  const stepsIn = (value: unknown): Step[] => {
    if (typeof value !== "object" || value === null) return []
    const own = "uses" in value && (isOurs(value as Step) || isReview(value as Step)) ? [value as Step] : []
    return [...own, ...Object.values(value).flatMap(stepsIn)]
  }

  const shown = pages.flatMap((page) => {
    const text = read(page)
    return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].flatMap((match) => {
      if (!(match[1] ?? "").includes("uses: daypass/")) return []
      const line = text.slice(0, match.index).split("\n").length
      return stepsIn(parse(match[1] ?? "")).map((step) => ({ where: `${page}:${line}`, step }))
    })
  })

  it("is found on the pages that a reader begins with", () => {
    const found = shown.map(({ where }) => where.split(":")[0])
    expect(found).toEqual(
      expect.arrayContaining(["README.md", "docs/action.md", "docs/run-a-command.md", "docs/review.md"]),
    )
  })

  it.each(shown)("at $where is a step that the action takes", ({ step }) => {
    expect(refusal(step)).toBeNull()
  })
})

import { isMap, isScalar } from "yaml"
import { isJobToken, KINDS, type Kind, kindOfInput, kindOfName } from "../kinds.ts"
import { keysAt, nodeAt, textAt, type Use, usesOf, type Way, type WorkflowFile } from "./read.ts"

/** A use of a secret in a repository's workflows. */
export interface SecretUse {
  /** In capitals, as GitHub shows names; null when all secrets are handed over, or the name is computed. */
  readonly secret: string | null
  readonly file: string
  readonly line: number
  /** The job's key; null for what is above the jobs. */
  readonly job: string | null
  readonly way: Way
  readonly whole: boolean
  readonly kind: Kind
  /** For people: "the input password of docker/login-action". */
  readonly how: string
}

/** A repository's workflows and its own actions. */
export interface Workflows {
  readonly workflows: readonly WorkflowFile[]
  /** By the folder of each, from the root; the root itself is the empty text. */
  readonly actions: ReadonlyMap<string, WorkflowFile>
}

/** Every use of a secret in a workflow. */
export function secretUsesOf(file: WorkflowFile, all: Workflows): readonly SecretUse[] {
  const uses = usesOf(file, "secrets").map((use) => described(use, file, all))
  const inherited = keysAt(file, "jobs").flatMap((job): SecretUse[] => {
    if (textAt(file, "jobs", job, "secrets") !== "inherit") return []
    const way = ["jobs", job, "secrets"]
    const node = nodeAt(file.document, way)
    const line = file.lineAt(isScalar(node) ? (node.range?.[0] ?? 0) : 0)
    const how = `secrets: inherit for ${textAt(file, "jobs", job, "uses") ?? "a workflow"}`
    return [{ secret: null, file: file.path, line, job, way, whole: true, kind: "store", how }]
  })
  return [...uses, ...inherited].sort((a, b) => a.line - b.line)
}

function described(use: Use, file: WorkflowFile, all: Workflows): SecretUse {
  const { name, way, line, whole } = use
  const secret = name === null ? null : name.toUpperCase()
  const job = way[0] === "jobs" ? String(way[1]) : null
  const { kind, how } = meaningOf(secret, way, file, all)
  return { secret, file: file.path, line, job, way, whole, kind, how }
}

interface Meaning {
  readonly kind: Kind
  readonly how: string
}

function meaningOf(secret: string | null, way: Way, file: WorkflowFile, all: Workflows): Meaning {
  if (secret !== null && isJobToken(secret)) return { kind: "stays", how: "the job's own token" }
  const named = (secret === null ? null : kindOfName(secret)) ?? "store"
  const last = String(way.at(-1))
  if (secret === null) return { kind: "store", how: "all secrets, or a computed name" }
  const group = way.at(-2)
  if (group === "env") return { kind: kindOfName(last) ?? named, how: `the variable ${last}` }
  if (group === "secrets" && way[0] === "jobs")
    return { kind: named, how: `the secret ${last} of ${textAt(file, ...way.slice(0, 2), "uses") ?? "a workflow"}` }
  if (group === "with") {
    const step = way.slice(0, -2)
    const uses = textAt(file, ...step, "uses") ?? ""
    const how = `the input ${last} of ${uses.split("@")[0] || "a workflow"}`
    const inner = uses.startsWith("./") ? kindInAction(uses, last, all) : null
    return { kind: inner ?? kindOfInput(uses, last, textAt(file, ...step, "with", "registry")) ?? named, how }
  }
  if (last === "run") return { kind: named, how: "the text of run" }
  return { kind: named, how: `the key ${last}` }
}

/** What a repository's own composite action does with an input; null when it says nothing. */
function kindInAction(uses: string, input: string, { actions }: Workflows): Kind | null {
  const action = actions.get(uses.replace(/^\.\/+/, "").replace(/\/+$/, ""))
  if (action === undefined) return null
  const kinds = usesOf(action, "inputs")
    .filter(({ name }) => name?.toLowerCase() === input.toLowerCase())
    .flatMap(({ way }) => {
      const last = String(way.at(-1))
      if (way.at(-2) === "env") return kindOfName(last) ?? []
      if (way.at(-2) !== "with") return []
      const step = way.slice(0, -2)
      return kindOfInput(textAt(action, ...step, "uses") ?? "", last, textAt(action, ...step, "with", "registry")) ?? []
    })
  return narrowest(kinds)
}

/** The kind of a secret that is used in several ways; null without any. */
export function narrowest(kinds: readonly Kind[]): Kind | null {
  return KINDS.find((kind) => kinds.includes(kind)) ?? null
}

/** The keys of a workflow's jobs; empty for a file without jobs. */
export const jobsOf = (file: WorkflowFile): readonly string[] => keysAt(file, "jobs")

/** Whether a file looks like a workflow. */
export const hasJobs = ({ document }: WorkflowFile): boolean => isMap(nodeAt(document, ["jobs"]))

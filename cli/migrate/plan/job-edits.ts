import { isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from "yaml"
import { YamlEdits } from "../../../analysis/used/yaml-edits.ts"
import { type Edit, isRanged, Layout, type Ranged } from "../../../analysis/used/yaml-layout.ts"
import { referencesIn } from "../workflow/expressions.ts"
import { keysAt, nodeAt, textAt, type Way, type WorkflowFile } from "../workflow/read.ts"
import type { Change, JobPlan } from "./job-plan.ts"

/** What the step that gets credentials needs to know. */
export interface ActionStep {
  /** `daypass/daypass@SHA`. */
  readonly action: string
  /** The tag of that commit, for a comment; null when it is not known. */
  readonly release: string | null
  readonly broker: string
}

/** The edits of a job. A text says why its layout does not allow them; then nothing of the job changes. */
export function editsOf(file: WorkflowFile, plan: JobPlan, action: ActionStep): readonly Edit[] | string {
  return new JobEdits(file, plan, action).all()
}

class JobEdits {
  readonly #file: WorkflowFile
  readonly #plan: JobPlan
  readonly #action: ActionStep
  readonly #layout: Layout
  readonly #edits: Edit[] = []

  constructor(file: WorkflowFile, plan: JobPlan, action: ActionStep) {
    this.#file = file
    this.#plan = plan
    this.#action = action
    this.#layout = new Layout(file.text)
  }

  all(): readonly Edit[] | string {
    const { changes } = this.#plan
    if (changes.length === 0) return []
    const outputs = changes.filter((change) => change.how === "output")
    const variables = changes.filter((change) => change.how === "variable")
    const logins = new Map(
      changes.flatMap((change) => (change.how === "login" ? [[change.step, change] as const] : [])),
    )
    const id = this.#freeId()
    for (const one of outputs) {
      const fault = this.#replaceReference(one, id)
      if (fault !== null) return fault
    }
    this.#addSessionTokens(outputs, id)
    if (variables.length > 0) this.#removeVariables(variables)
    const first = Math.min(...outputs.map(({ use }) => Number(use.way[3])))
    const steps: string[][] = []
    if (variables.length > 0) steps.push(this.#step(variables, null, null))
    if (variables.length > 0 && first > 0) this.#insertStep(0, steps.splice(0))
    if (outputs.length > 0) steps.push(this.#step(outputs, id, "outputs"))
    if (steps.length > 0) this.#insertStep(variables.length > 0 && outputs.length === 0 ? 0 : first, steps)
    for (const login of logins.values()) this.#replaceLogin(login)
    this.#addPermission()
    return this.#edits
  }

  #node(...way: Way): unknown {
    return nodeAt(this.#file.document, ["jobs", this.#plan.job, ...way])
  }

  /** An id that no step of the job has. */
  #freeId(): string {
    const steps = this.#node("steps") as YAMLSeq
    const taken = new Set(
      steps.items.map((_, index) => textAt(this.#file, "jobs", this.#plan.job, "steps", index, "id")),
    )
    return ["daypass", "daypass-values", "daypass-migrated"].find((id) => !taken.has(id)) ?? "daypass-of-this-job"
  }

  /** The reference in the text of the file must be the one in the value: in some styles of YAML they differ. */
  #replaceReference({ use, offer, value }: Extract<Change, { how: "output" }>, id: string): string | null {
    const node = nodeAt(this.#file.document, use.way)
    if (!isScalar(node) || !isRanged(node) || typeof node.value !== "string") return "a value has no place in the text"
    const [start, end] = node.range
    const source = this.#file.text.slice(start, end)
    const names = (text: string) => referencesIn(text, "secrets").map(({ name }) => name?.toUpperCase() ?? "")
    if (names(source).join() !== names(node.value).join())
      return `the text of line ${use.line} is written with escapes: write it plainly`
    for (const reference of referencesIn(source, "secrets")) {
      if (reference.name?.toUpperCase() !== use.secret) continue
      const text = `steps.${id}.outputs.${offer.grant}-${value}`
      const edit = { start: start + reference.start, end: start + reference.end, text }
      if (!this.#edits.some((one) => one.start === edit.start)) this.#edits.push(edit)
    }
    return null
  }

  /** Keys of a session do not work without its token. */
  #addSessionTokens(outputs: readonly Extract<Change, { how: "output" }>[], id: string): void {
    const keyed = outputs.filter(({ value }) => value === "secret-access-key")
    for (const { use, offer } of keyed) {
      const way = use.way.slice(0, -1)
      const env = nodeAt(this.#file.document, way)
      const last = isMap(env) ? env.items.at(-1)?.key : undefined
      if (!isMap(env) || !isRanged(env) || !isRanged(last)) continue
      if (keysAt(this.#file, ...way).includes("AWS_SESSION_TOKEN")) continue
      const pair = `AWS_SESSION_TOKEN: \${{ steps.${id}.outputs.${offer.grant}-session-token }}`
      const at = this.#layout.endOf(env)
      if (env.flow) {
        const end = endOfLast(env)
        if (end !== null) this.#edits.push({ start: end, end, text: `, ${pair}` })
      } else this.#insertAfterLine(at, [`${" ".repeat(this.#layout.column(last.range[0]))}${pair}`])
    }
  }

  #removeVariables(changes: readonly Change[]): void {
    const env = this.#node("env")
    if (!isMap(env)) return
    const keys = changes.map(({ use }) => String(use.way.at(-1)))
    const yaml = new YamlEdits(this.#file.text)
    const job = yaml.at(yaml.root, "jobs", this.#plan.job)
    if (keys.length === env.items.length) yaml.removeKeys(job, ["env"])
    else yaml.removeKeys(yaml.at(job, "env"), keys)
    this.#edits.push(...yaml.edits)
  }

  #step(changes: readonly Change[], id: string | null, deliver: string | null): string[] {
    const grants = [...new Set(changes.map(({ offer }) => offer.grant))].sort().join(", ")
    return [
      id === null ? `- uses: ${this.#pinned()}` : `- id: ${id}`,
      ...(id === null ? [] : [`  uses: ${this.#pinned()}`]),
      "  with:",
      `    broker: ${this.#action.broker}`,
      `    grants: ${grants}`,
      ...(deliver === null ? [] : [`    deliver: ${deliver}`]),
    ]
  }

  /** Puts steps before another one, and before the comments that belong to it. */
  #insertStep(index: number, steps: readonly string[][]): void {
    const list = this.#node("steps") as YAMLSeq
    const item = list.items[index]
    if (!isRanged(item)) return
    const dash = this.#layout.dashOf(item)
    const at = this.#layout.startWithComments(dash)
    const indent = " ".repeat(this.#layout.column(dash))
    const apart = index > 0 && this.#layout.isApart(at) ? [""] : []
    const lines = steps.flatMap((step) => [...step.map((line) => indent + line), ...apart])
    this.#edits.push(this.#layout.insertion(at, lines))
  }

  /** The step keeps its name, its condition and its comments. */
  #replaceLogin({ step, offer, deliver }: Extract<Change, { how: "login" }>): void {
    const uses = this.#node("steps", step, "uses")
    const input = this.#node("steps", step, "with")
    const whole = this.#node("steps", step)
    if (!isRanged(uses) || !isRanged(input) || !isMap(input)) return
    const [, version = ""] = OLD_VERSION.exec(this.#file.text.slice(uses.range[1])) ?? []
    const isOnLine = isMap(whole) && !whole.flow
    const text = isOnLine ? this.#pinned() : this.#action.action
    this.#edits.push({ start: uses.range[0], end: uses.range[1] + version.length, text })
    const pairs = [
      `broker: ${this.#action.broker}`,
      `grants: ${offer.grant}`,
      ...(deliver === null ? [] : [`deliver: ${deliver}`]),
    ]
    const [start, end] = [input.range[0], this.#layout.endOf(input)]
    const indent = " ".repeat(this.#layout.column(start))
    const inputs = input.flow ? `{ ${pairs.join(", ")} }` : pairs.join(`${this.#layout.eol}${indent}`)
    this.#edits.push({ start, end: input.flow ? input.range[1] : end, text: inputs })
  }

  #pinned(): string {
    const { action, release } = this.#action
    return release === null ? action : `${action} # ${release}`
  }

  /** Adds `id-token: write`, and keeps what the job had. */
  #addPermission(): void {
    const { eol } = this.#layout
    const own = this.#node("permissions")
    const above = this.#file.document.get("permissions", true)
    if (isScalar(own) || (own === undefined && isScalar(above))) return // write-all has it
    const pair = "id-token: write # lets the job prove its identity"
    if (isMap(own) && isRanged(own)) {
      this.#extend(own)
      return
    }
    const steps = this.#stepsKey()
    if (steps === null) return
    const indent = " ".repeat(this.#layout.column(steps.range[0]))
    const kept = isMap(above)
      ? above.items.map(({ key, value }) => `${String(key)}: ${String(value)}`)
      : ["contents: read"]
    const given = kept.some((one) => one.startsWith("id-token:")) ? kept : [...kept, pair]
    const lines = ["permissions:", ...given.map((one) => `  ${one}`)].map((line) => indent + line + eol)
    const at = this.#layout.startWithComments(steps.range[0])
    if (!(isMap(above) && kept.some((one) => one === "id-token: write")))
      this.#edits.push({ start: at, end: at, text: lines.join("") })
  }

  #extend(own: YAMLMap & Ranged): void {
    if (own.has("id-token")) {
      const value = own.get("id-token", true)
      if (isScalar(value) && value.value !== "write" && isRanged(value))
        this.#edits.push({ start: value.range[0], end: value.range[1], text: "write" })
      return
    }
    if (own.items.length === 0) {
      this.#edits.push({ start: own.range[0], end: own.range[1], text: "{ id-token: write }" })
      return
    }
    const end = endOfLast(own)
    const key = own.items[0]?.key
    if (end === null || !isRanged(key)) return
    if (own.flow) this.#edits.push({ start: end, end, text: ", id-token: write" })
    else {
      const indent = " ".repeat(this.#layout.column(key.range[0]))
      this.#insertAfterLine(end, [`${indent}id-token: write # lets the job prove its identity`])
    }
  }

  /** New lines behind the line of an offset; also behind a last line without an end. */
  #insertAfterLine(offset: number, lines: readonly string[]): void {
    const at = this.#layout.lineEnd(offset)
    const { eol } = this.#layout
    const isOpen = at === this.#file.text.length && !this.#file.text.endsWith("\n")
    this.#edits.push(
      isOpen
        ? { start: at, end: at, text: lines.map((line) => eol + line).join("") }
        : this.#layout.insertion(at, lines),
    )
  }

  #stepsKey(): Ranged | null {
    const job = this.#node()
    const pair = isMap(job) ? job.items.find(({ key }) => isScalar(key) && key.value === "steps") : undefined
    return isRanged(pair?.key) ? pair.key : null
  }
}

/** The comment that names the version of the action that was there: about another action, it would be wrong. */
const OLD_VERSION = /^([ \t]*#[ \t]*v?\d[\w.-]*[ \t]*)(?=\r?\n|$)/

/** Where the last value of a map ends. */
function endOfLast(map: YAMLMap): number | null {
  const value = map.items.at(-1)?.value
  const node = isSeq(value) || isMap(value) || isScalar(value) ? value : null
  return isRanged(node) ? node.range[1] : null
}

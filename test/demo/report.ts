import { styleText } from "node:util"

const PROGRESS_AFTER_MS = 1000

/** One step as `--json` prints it. */
export interface StepResult {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** What a step writes while it runs: what it shows, and what it found to be so or not. */
export interface Findings {
  /** A fact that must hold; the step fails when it does not. */
  check(fact: string, holds: boolean): void
  /** Text of the product's own, as a person would see it. */
  show(title: string, text: string): void
  /** What happened, in one line with what was really seen: the short form shows it, and nothing of a step without one. */
  headline(text: string): void
}

type Style = Parameters<typeof styleText>[0]

/** `short`: a line for each step with a headline. `story`: all that was seen and checked. `json`: one object at the end. */
export type Form = "short" | "story" | "json"

/** Where a demo is told. Progress goes to standard error. */
export class Report {
  readonly #form: Form
  readonly #results: StepResult[] = []

  constructor(form: Form) {
    this.#form = form
  }

  say(text: string, style: Style = "reset"): void {
    if (this.#form !== "json") console.log(styleText(style, text, { stream: process.stdout }))
  }

  /** Says what only the story has. */
  tell(text: string, style: Style = "reset"): void {
    if (this.#form === "story") this.say(text, style)
  }

  /** Runs something that may take long, and says so when it takes more than a second. */
  async progress<Value>(what: string, work: Promise<Value>): Promise<Value> {
    const startedAt = performance.now()
    const line = setTimeout(() => console.error(`   ... ${what}`), PROGRESS_AFTER_MS)
    try {
      return await work
    } finally {
      clearTimeout(line)
      const seconds = (performance.now() - startedAt) / 1000
      if (seconds * 1000 > PROGRESS_AFTER_MS) console.error(`   ... ${what}: ${seconds.toFixed(1)} s`)
    }
  }

  /** Runs one step. A step that throws is a step that is not as it must be. */
  async step(name: string, run: (findings: Findings) => Promise<void>): Promise<void> {
    const facts: { readonly fact: string; readonly holds: boolean }[] = []
    const startedAt = performance.now()
    let headline: string | null = null
    this.tell(`\n${this.#results.length + 1}  ${name}`, "bold")
    const findings: Findings = {
      check: (fact, holds) => {
        facts.push({ fact, holds })
        this.tell(holds ? `   ✓ ${fact}` : `   ✗ FAILED: ${fact}`, holds ? "green" : "red")
      },
      show: (title, text) => {
        this.tell(`   ${title}`, "dim")
        for (const line of text.trimEnd().split("\n")) this.tell(`   │ ${line}`, "dim")
      },
      headline: (text) => {
        headline = text
      },
    }
    try {
      await (this.#form === "short" ? run(findings) : this.progress(name, run(findings)))
      if (facts.length === 0) findings.check("the step checked something", false)
    } catch (error) {
      findings.check(`the step finished (${error instanceof Error ? error.message : String(error)})`, false)
    }
    const detail = facts.map(({ fact, holds }) => (holds ? fact : `FAILED: ${fact}`)).join("; ")
    const ok = facts.every(({ holds }) => holds)
    this.#results.push({ name, ok, detail })
    if (this.#form !== "short") return
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(2).padStart(5)
    if (!ok) this.say(`✗ ${seconds} s  ${name}: ${detail}`, "red")
    else if (headline !== null) this.say(`✓ ${seconds} s  ${headline}`, "green")
  }

  /** Prints the end; true when every one of `expected` steps ran and is as it must be. */
  close(expected: number, seconds: number): boolean {
    const good = this.#results.filter((step) => step.ok).length
    const ok = good === expected && this.#results.length === expected
    if (this.#form === "json") console.log(JSON.stringify({ steps: this.#results, ok }))
    const passed = `${good} of ${expected} steps passed in ${seconds.toFixed(1)} s.`
    this.tell("")
    this.say(this.#form === "short" ? `${passed} Add -- --story to see all of it.` : passed, ok ? "bold" : "red")
    return ok
  }
}

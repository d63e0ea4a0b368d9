import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { actionNode } from "../../support/runner.ts"
import type { Expected } from "../../support/scripted-broker.ts"
import { play } from "../story.ts"

/** A command that is a module for the Node that runs actions. */
export const module = (script: string) => `"${actionNode()}" --input-type=module - <<'SCRIPT'\n${script}\nSCRIPT`

export const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

/** For a command: prints a digest, because the secret itself is replaced. */
export const DIGEST = `import { createHash } from "node:crypto"
const digest = (text) => createHash("sha256").update(String(text)).digest("hex").slice(0, 16)`

/** Makes a runner's folder for temporary files, with a space in its name, that goes with the end of the test. */
export function makeTemp(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "daypass temp-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Runs one command in a step, against a script of its broker. */
export async function ran(
  script: readonly Expected[],
  run: string,
  step: Parameters<typeof play>[1] & { readonly temp: string },
) {
  const story = await play(script, { ...step, inputs: { run, ...step.inputs } })
  return { ...story.run, requests: story.requests }
}

/** The broker's own token, as far as the action looks at it. */
export const token = (number: number, of = "login") =>
  `eyJhbGciOiJSUzI1NiJ9.${of}-claims-${number}.${of}-signature-${number}`

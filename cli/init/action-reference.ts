import { HttpError } from "../../broker/ports/http.ts"
import type { CliIo } from "../io.ts"

/** A release of Daypass. */
export interface Release {
  readonly tag: string
  readonly commit: string
}

/** The action, as workflows name it. */
export const ACTION = "daypass/daypass"
const PLACEHOLDER = `${ACTION}@<full commit SHA>`
const TIMEOUT_MS = 10_000

/** What a workflow names after `uses:`. The placeholder of the documentation where the commit cannot be asked. */
export async function actionReference(io: Pick<CliIo, "http" | "version">): Promise<string> {
  const release = await askRelease(io)
  return release === null ? PLACEHOLDER : `${ACTION}@${release.commit} # ${release.tag}`
}

/** The commit of this version's tag, asked of github.com, because a tag can be moved and a commit cannot. Null: no answer. */
export async function askRelease(io: Pick<CliIo, "http" | "version">): Promise<Release | null> {
  const tag = `v${io.version}`
  try {
    const { status, body } = await io.http({
      method: "GET",
      url: `https://api.github.com/repos/${ACTION}/commits/${encodeURIComponent(tag)}`,
      headers: { accept: "application/vnd.github.sha", "x-github-api-version": "2022-11-28" },
      timeoutMs: TIMEOUT_MS,
      maxBytes: 1024,
    })
    const commit = new TextDecoder().decode(body)
    return status === 200 && /^[0-9a-f]{40}$/.test(commit) ? { tag, commit } : null
  } catch (error) {
    if (error instanceof HttpError) return null
    throw error
  }
}

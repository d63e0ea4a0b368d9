import { HttpError } from "../../broker/ports/http.ts"
import type { CliIo } from "../io.ts"

const REPOSITORY = "daypass/daypass"
const PLACEHOLDER = `${REPOSITORY}@<full commit SHA>`
const TIMEOUT_MS = 10_000

/**
 * What a workflow names after `uses:`. The commit of this version's tag, asked of github.com, because a tag can be moved and a
 * commit cannot. The placeholder of the documentation where it cannot be asked.
 */
export async function actionReference(io: Pick<CliIo, "http" | "version">): Promise<string> {
  const tag = `v${io.version}`
  try {
    const { status, body } = await io.http({
      method: "GET",
      url: `https://api.github.com/repos/${REPOSITORY}/commits/${encodeURIComponent(tag)}`,
      headers: { accept: "application/vnd.github.sha", "x-github-api-version": "2022-11-28" },
      timeoutMs: TIMEOUT_MS,
      maxBytes: 1024,
    })
    const sha = new TextDecoder().decode(body)
    return status === 200 && /^[0-9a-f]{40}$/.test(sha) ? `${REPOSITORY}@${sha} # ${tag}` : PLACEHOLDER
  } catch (error) {
    if (error instanceof HttpError) return PLACEHOLDER
    throw error
  }
}

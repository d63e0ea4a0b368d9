import type * as z from "zod"
import { GitHubError } from "./github-error.ts"

/** The parts of an answer that are needed. @throws {GitHubError} `answer` when it has another form than GitHub's */
export function readAs<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.infer<Schema> {
  const read = schema.safeParse(value)
  if (!read.success)
    throw new GitHubError(
      "answer",
      `GitHub's answer about ${what} has another form than GitHub's: check GITHUB_API_URL`,
    )
  return read.data
}

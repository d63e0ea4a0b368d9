import * as z from "zod"
import type { Call, GitHub } from "./github.ts"
import { MAX_COMMENT, markdownOf } from "./markdown.ts"
import { parsed } from "./pull-request.ts"
import type { Review } from "./review.ts"

const viewerSchema = z.object({ viewer: z.object({ login: z.string() }) })
const commentsSchema = z.array(
  z.object({ id: z.number(), body: z.string().nullish(), user: z.object({ login: z.string() }).nullable() }),
)

export interface CommentAbout {
  readonly number: number
  readonly folder: string
  /** Sentences of our own, below the headline. */
  readonly remarks: readonly string[]
  /** Whether to write a comment when the pull request has none. */
  readonly isNew: boolean
}

/**
 * Keeps one comment on the pull request: makes it, or replaces its text.
 *
 * The comment is known by its first line, and by its author: the text of a pull request could contain the line, but only this token's
 * bearer can have written the comment.
 *
 * @throws {GitHubError}
 */
export async function keepComment(github: GitHub, review: Review, about: CommentAbout): Promise<void> {
  const { number, folder, remarks, isNew } = about
  const what = "the comments of the pull request"
  const before = await findOwn(github, number, markerOf(folder))
  if (before === null && !isNew) return
  const hasNarrowed = review.widens === false && before?.body.startsWith(`${markerOf(folder)}widens -->`)
  const marker = `${markerOf(folder)}${review.widens === true ? "widens" : "checked"} -->`
  const said = [
    ...remarks,
    ...(hasNarrowed ? ["An earlier version of this pull request gave more. Nothing widens any more."] : []),
  ]
  const body = markdownOf(
    { ...review, headline: [review.headline, ...said].join("\n\n") },
    [`${marker}\n### Daypass review of \`${folder || "."}\``],
    MAX_COMMENT,
  )
  if (body === before?.body) return
  const call: Call =
    before === null
      ? { what, route: `POST /repos/{owner}/{repo}/issues/${number}/comments`, success: 201 }
      : { what, route: `PATCH /repos/{owner}/{repo}/issues/comments/${before.id}` }
  await github.call({ ...call, parameters: { body } })
}

const markerOf = (folder: string) => `<!-- daypass review ${encodeURIComponent(folder)} `

async function findOwn(github: GitHub, number: number, marker: string) {
  const what = "the comments of the pull request"
  const { viewer } = parsed(
    viewerSchema,
    await github.graphql("the token's own name", "query { viewer { login } }"),
    what,
  )
  const route = `GET /repos/{owner}/{repo}/issues/${number}/comments`
  for await (const page of github.pages({ what, route })) {
    for (const { id, body, user } of parsed(commentsSchema, page, what)) {
      if (user?.login === viewer.login && body?.startsWith(marker)) return { id, body }
    }
  }
  return null
}

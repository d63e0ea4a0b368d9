import type { HttpFailure } from "../../broker/ports/http.ts"

/**
 * Why GitHub's API gave no answer. `permission`: the token lacks one, or single sign-on. `absent`: it does not exist, or the
 * token may not see it; GitHub does not say which. `limited`: a rate limit. `token`: the token is worthless. `conflict`: 409.
 * `invalid`: 422. `answer`: the answer makes no sense. The rest never arrived.
 */
export type GitHubFailure =
  | "permission"
  | "absent"
  | "limited"
  | "token"
  | "conflict"
  | "invalid"
  | "answer"
  | HttpFailure

/** `message` is our own sentence, with what to change. It never quotes the answer. */
export class GitHubError extends Error {
  override readonly name = "GitHubError"
  readonly reason: GitHubFailure
  /** GitHub's own message, only to tell one refusal from another: it is foreign text, so nothing prints it. */
  readonly said: string

  constructor(reason: GitHubFailure, message: string, said = "") {
    super(message)
    this.reason = reason
    this.said = said
  }
}

/** Ends of a sentence that begins with GitHub. */
export const TRANSPORT: Readonly<Record<Exclude<HttpFailure, "redirect">, string>> = {
  unreachable: "cannot be reached",
  timeout: "did not answer in time",
  "too-large": "sent an answer that is too large",
}

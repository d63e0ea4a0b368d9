/** Why a pull request cannot be reviewed: what happened, and what to change. No token and no foreign text stands in it. */
export class ReviewError extends Error {
  override readonly name = "ReviewError"
}

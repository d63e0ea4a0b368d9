import type { HostedRepository, Installation, IssuedToken } from "./model.ts"

/** What the stand-in hosts. */
export interface World {
  readonly url: string
  readonly appId: string
  readonly repositories: readonly HostedRepository[]
  readonly installations: readonly Installation[]
  issue(token: Omit<IssuedToken, "expiresAt">): { readonly token: string; readonly expiresAt: Date }
  revoke(token: string): void
}

export interface RouteAnswer {
  readonly status: number
  /** Undefined with 204. */
  readonly body: unknown
  readonly location?: string
  /** The permission that was lacking: `actions=write`. */
  readonly needed?: string
}

/** One route, whose paths have ids in place of repositories' names: as the App (`app`), as an installation in a repository, or by a token about itself. `null` is a 404. */
export type Route =
  | {
      readonly as: "app"
      readonly method: "GET" | "POST"
      readonly path: RegExp
      answer(parts: readonly string[], world: World, body: object): RouteAnswer | null
    }
  | {
      readonly as: "installation"
      /** Whatever is not read needs the permission to write. */
      readonly method: "GET" | "DELETE"
      readonly path: RegExp
      readonly permission: "contents" | "actions" | "secret_scanning_alerts" | "metadata"
      answer(parts: readonly string[], repository: HostedRepository, world: World): RouteAnswer | null
    }
  | {
      readonly as: "token"
      readonly method: "DELETE"
      readonly path: RegExp
      answer(token: string, world: World): RouteAnswer
    }

export const yes = (body: unknown, status = 200): RouteAnswer => ({ status, body })

export const no = (status: number, message: string): RouteAnswer => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest", status: String(status) },
})

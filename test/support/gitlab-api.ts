import { randomBytes } from "node:crypto"
import { type Ask, bearerOf, json, type StoreAnswer, type StoreServer, startStoreServer } from "./store-server.ts"

/** A protected environment of a project, as GitLab's API has it. */
export interface ProtectedEnvironment {
  /** Kept by servers that had a count and no rules. */
  readonly count?: number
  /** The approvals that each rule requires. */
  readonly rules?: readonly number[]
}

/** Somebody's word about a deployment. */
export interface DeploymentApproval {
  readonly by: readonly [id: number, username: string]
  readonly status: "approved" | "rejected"
  readonly comment?: string
}

/** A deployment that a job is. */
export interface Deployment {
  readonly id: number
  readonly environment: string
  readonly jobId: number
  readonly user: readonly [id: number, username: string]
  readonly approvals: readonly DeploymentApproval[]
  /** Shown below the rules that asked for them, as newer servers do. */
  readonly byRules?: boolean
}

export interface GitLabProject {
  readonly id: number
  /** Only members see it. */
  readonly isPrivate?: boolean
  /** "Allow pipeline triggerer to approve deployment"; not shown when left out, as without its licence. */
  allowsOwnApproval?: boolean
  readonly environments: Map<string, ProtectedEnvironment>
  readonly deployments?: Deployment[]
}

/** An access token: its scopes, and the role of its user in each project, 40 being Maintainer. */
export interface AccessToken {
  scopes: readonly string[]
  readonly roles: Map<number, number>
  isRevoked: boolean
}

export interface GitLabApi extends StoreServer {
  /** The URL of the API, which ends with `/api/v4`. */
  readonly apiUrl: string
  readonly projects: Map<number, GitLabProject>
  addToken(token: AccessToken): string
  /** Answers every request with 429 until it is mended with `null`. `retryAfter`: the header's text. */
  limit(limit: { readonly retryAfter?: string } | null): void
  /** Sends another body in place of what is asked for, by a part of the path. */
  override(part: string, body: unknown): void
}

const REPORTER = 20
const MAINTAINER = 40
const NO_TOKEN = json(401, { message: "401 Unauthorized" })
const REVOKED = json(401, {
  error: "invalid_token",
  error_description: "Token was revoked. You have to re-authorize from the user.",
})
const SCOPE = json(403, {
  error: "insufficient_scope",
  error_description: "The request requires higher privileges than provided by the access token.",
  scope: "api read_api",
})

/**
 * Starts a stand-in for resources of GitLab's REST API: a project, one protected environment of it, and its deployments. All
 * need the scope `read_api`; the environment needs the role Maintainer as well, and deployments the role Reporter. Only a
 * deployment alone has its approvals. Source: "Protected environments API" and "Deployments API", and `API::ProtectedEnvironments`
 * in GitLab's code.
 */
export async function startGitLabApi(): Promise<GitLabApi> {
  const projects = new Map<number, GitLabProject>()
  const tokens = new Map<string, AccessToken>()
  const overrides = new Map<string, unknown>()
  let limited: { readonly retryAfter?: string } | null = null

  const server = await startStoreServer("GitLab", async (ask) => {
    const [, id = "", name, deployments, deployment] =
      /^\/api\/v4\/projects\/([1-9][0-9]*)(?:\/protected_environments\/([^/]+)|(\/deployments)(?:\/([1-9][0-9]*))?)?$/.exec(
        ask.path,
      ) ?? []
    const isList = deployments !== undefined && deployment === undefined
    if (ask.method !== "GET" || id === "" || ask.body !== "") return null
    if ([...ask.query.keys()].some((key) => !isList || !LIST_KEYS.includes(key))) return null
    if (limited !== null) {
      const headers = limited.retryAfter === undefined ? {} : { "Retry-After": limited.retryAfter }
      return { status: 429, body: "Retry later\n", type: "text/plain", headers }
    }
    const answer = answerOf(ask, Number(id), (project, role) => {
      if (deployments !== undefined) {
        if (role < REPORTER) return json(403, { message: "403 Forbidden" })
        return deployment === undefined ? listed(project, ask.query) : oneDeployment(project, Number(deployment))
      }
      if (name === undefined) return json(200, bodyOf(project))
      if (role < MAINTAINER) return json(403, { message: "403 Forbidden" })
      const environment = project.environments.get(decodeURIComponent(name))
      return environment === undefined
        ? json(404, { message: "404 Not found" })
        : json(200, environmentBody(decodeURIComponent(name), environment))
    })
    const [, other] = [...overrides].find(([part]) => ask.path.endsWith(part)) ?? []
    return other === undefined ? answer : json(200, other)
  })

  function answerOf(ask: Ask, id: number, of: (project: GitLabProject, role: number) => StoreAnswer): StoreAnswer {
    const token = tokens.get(bearerOf(ask) ?? "")
    if (token === undefined) return NO_TOKEN
    if (token.isRevoked) return REVOKED
    if (!token.scopes.some((scope) => scope === "api" || scope === "read_api")) return SCOPE
    const project = projects.get(id)
    const role = token.roles.get(id) ?? 0
    if (project === undefined || (project.isPrivate && role === 0)) {
      return json(404, { message: "404 Project Not Found" })
    }
    return of(project, role)
  }

  return {
    ...server,
    apiUrl: `${server.url}/api/v4`,
    projects,
    addToken(token) {
      const text = `glpat-${randomBytes(20).toString("base64url")}.01.${randomBytes(4).toString("hex")}`
      tokens.set(text, token)
      return text
    },
    limit(limit) {
      limited = limit
    },
    override: (part, body) => void overrides.set(part, body),
  }
}

const bodyOf = ({ id, allowsOwnApproval, isPrivate }: GitLabProject) => ({
  id,
  description: null,
  name: "My project",
  path_with_namespace: "my-group/my-project",
  default_branch: "main",
  visibility: isPrivate ? "private" : "public",
  ...(allowsOwnApproval === undefined ? {} : { allow_pipeline_trigger_approve_deployment: allowsOwnApproval }),
})

const environmentBody = (name: string, { count = 0, rules = [] }: ProtectedEnvironment) => ({
  name,
  deploy_access_levels: [
    { id: 12, access_level: 40, access_level_description: "Maintainers", user_id: null, group_id: null },
  ],
  required_approval_count: count,
  approval_rules: rules.map((required, index) => ({
    id: 38 + index,
    user_id: null,
    group_id: 135,
    access_level: null,
    access_level_description: "approvers",
    required_approvals: required,
    group_inheritance_type: 0,
  })),
})

const LIST_KEYS = ["environment", "order_by", "sort", "per_page"]

/** A page of deployments. The oldest come first unless they are asked for otherwise, and a page has 20. */
function listed({ deployments = [] }: GitLabProject, query: URLSearchParams): StoreAnswer {
  const wanted = query.get("environment")
  const found = deployments
    .filter(({ environment }) => wanted === null || environment === wanted)
    .sort((a, b) => (query.get("sort") === "desc" ? b.id - a.id : a.id - b.id))
  return json(200, found.slice(0, Math.min(100, Number(query.get("per_page") ?? 20))).map(deploymentBody))
}

function oneDeployment({ deployments = [] }: GitLabProject, id: number): StoreAnswer {
  const found = deployments.find((one) => one.id === id)
  if (found === undefined) return json(404, { message: "404 Deployment Not Found" })
  const approvals = found.approvals.map(({ by, status, comment = null }) => ({
    user: userBody(by),
    status,
    created_at: "2026-11-22T09:58:00.000Z",
    comment,
  }))
  const rule = { user_id: null, group_id: 135, access_level: null, required_approvals: 1 }
  const summary = found.byRules ? [{ ...rule, deployment_approvals: approvals }] : []
  return json(200, {
    ...deploymentBody(found),
    pending_approval_count: 0,
    approvals: found.byRules ? [] : approvals,
    approval_summary: { rules: summary },
  })
}

const userBody = ([id, username]: readonly [number, string]) => ({
  id,
  username,
  name: username,
  state: "active",
  locked: false,
  avatar_url: null,
  web_url: `https://gitlab.example.com/${username}`,
})

const deploymentBody = ({ id, environment, jobId, user }: Deployment) => ({
  id,
  iid: id,
  ref: "main",
  sha: "714a629c0b401fdce83e847fc9589983fc6f46bc",
  created_at: "2026-11-22T09:50:00.000Z",
  updated_at: "2026-11-22T09:59:00.000Z",
  status: "running",
  user: userBody(user),
  environment: { id: 9, name: environment, external_url: null },
  deployable: { id: jobId, status: "running", stage: "deploy", name: "deploy", ref: "main", user: userBody(user) },
})

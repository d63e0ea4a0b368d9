import type {
  Account,
  EnvironmentSettings,
  HostedRepository,
  Installation,
  Review,
  SecretScanningAlert,
} from "./model.ts"

/** The bodies that GitHub's REST API answers with, as far as anybody might read them. */

const accountBody = ({ login, id }: Account, url: string) => ({
  login,
  id,
  node_id: Buffer.from(`Organization${id}`).toString("base64"),
  url: `${url}/users/${login}`,
  type: "Organization",
  site_admin: false,
})

export function repositoryBody(repository: HostedRepository, url: string) {
  const { id, name, fullName, owner, defaultBranch } = repository
  return {
    id,
    node_id: Buffer.from(`Repository${id}`).toString("base64"),
    name,
    full_name: fullName,
    private: true,
    owner: accountBody(owner, url),
    html_url: `https://github.com/${fullName}`,
    description: null,
    fork: false,
    url: `${url}/repos/${fullName}`,
    default_branch: defaultBranch,
    visibility: "private",
    archived: false,
    disabled: false,
    permissions: { admin: false, maintain: false, push: false, triage: false, pull: true },
  }
}

export const appBody = (app: { readonly id: string; readonly url: string }) => ({
  id: Number(app.id),
  slug: "daypass",
  name: "Daypass",
  owner: accountBody({ login: "acme", id: 9001 }, app.url),
  external_url: "https://daypass.example.com",
  html_url: "https://github.com/apps/daypass",
  permissions: { metadata: "read" },
  events: [],
  created_at: "2026-01-05T09:00:00Z",
  updated_at: "2026-01-05T09:00:00Z",
})

export function installationBody(installation: Installation, app: { readonly id: string; readonly url: string }) {
  const { id, account, permissions, repositories, suspendedAt } = installation
  return {
    id,
    account: accountBody(account, app.url),
    repository_selection: repositories === "all" ? "all" : "selected",
    access_tokens_url: `${app.url}/app/installations/${id}/access_tokens`,
    repositories_url: `${app.url}/installation/repositories`,
    html_url: `https://github.com/organizations/${account.login}/settings/installations/${id}`,
    app_id: Number(app.id),
    app_slug: "daypass",
    target_id: account.id,
    target_type: "Organization",
    permissions: { metadata: "read", ...permissions },
    events: [],
    created_at: "2026-01-05T09:00:00.000Z",
    updated_at: "2026-01-05T09:00:00.000Z",
    single_file_name: null,
    suspended_by: suspendedAt === null ? null : accountBody(account, app.url),
    suspended_at: suspendedAt,
  }
}

export function environmentBody(
  name: string,
  settings: EnvironmentSettings,
  repository: HostedRepository,
  url: string,
) {
  const { reviewers, preventSelfReview = false, waitMinutes, branches = null } = settings
  const rules: Record<string, unknown>[] = []
  if (waitMinutes !== undefined) {
    rules.push({ id: 3736, node_id: "MDQ6R2F0ZTM3MzY=", type: "wait_timer", wait_timer: waitMinutes })
  }
  if (reviewers) {
    const people = reviewers.map((reviewer) => ({
      type: "User",
      reviewer: { ...accountBody(reviewer, url), type: "User" },
    }))
    const rule = { id: 3755, node_id: "MDQ6R2F0ZTM3NTU=", type: "required_reviewers" }
    rules.push({ ...rule, prevent_self_review: preventSelfReview, reviewers: people })
  }
  if (branches) rules.push({ id: 3756, node_id: "MDQ6R2F0ZTM3NTY=", type: "branch_policy" })
  return {
    id: 161088068,
    node_id: "MDExOkVudmlyb25tZW50MTYxMDg4MDY4",
    name,
    url: `${url}/repos/${repository.fullName}/environments/${encodeURIComponent(name)}`,
    html_url: `https://github.com/${repository.fullName}/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
    created_at: "2026-02-03T10:00:00Z",
    updated_at: "2026-02-03T10:00:00Z",
    can_admins_bypass: true,
    protection_rules: rules,
    deployment_branch_policy:
      branches === null
        ? null
        : { protected_branches: branches === "protected", custom_branch_policies: branches === "custom" },
  }
}

/** As GitHub's "Get the review history for a workflow run" shows one: with no time and no attempt. */
export const reviewBody = ({ by, state, comment = "", environments, type = "User" }: Review, url: string) => ({
  state,
  comment,
  environments: environments.map((name, index) => ({
    id: 161088068 + index,
    node_id: "MDExOkVudmlyb25tZW50MTYxMDg4MDY4",
    name,
    url: `${url}/environments/${encodeURIComponent(name)}`,
    html_url: `https://github.com/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
    created_at: "2026-02-03T10:00:00Z",
    updated_at: "2026-02-03T10:00:00Z",
  })),
  user: { ...accountBody(by, url), type },
})

/** An alert as a webhook has it: without the value that was found. */
export function alertBody(
  number: number,
  { type }: SecretScanningAlert,
  { fullName }: Pick<HostedRepository, "fullName">,
  url: string,
) {
  return {
    number,
    created_at: "2026-11-29T10:00:00Z",
    updated_at: null,
    url: `${url}/repos/${fullName}/secret-scanning/alerts/${number}`,
    html_url: `https://github.com/${fullName}/security/secret-scanning/${number}`,
    locations_url: `${url}/repos/${fullName}/secret-scanning/alerts/${number}/locations`,
    secret_type: type,
    secret_type_display_name: type,
    validity: "active",
    push_protection_bypassed: false,
    resolution: null,
    resolved_at: null,
    resolved_by: null,
    resolution_comment: null,
    publicly_leaked: false,
    multi_repo: false,
  }
}

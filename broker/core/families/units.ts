/** What a policy can speak of. Each issuer family has one kind of unit. */
export const UNIT_KINDS = [
  "repository",
  "project",
  "pipeline",
  "workspace",
  "stack",
  "job",
  "service_account",
  "person",
] as const

/** The key of a policy that names a unit of this kind. */
export type UnitKind = (typeof UNIT_KINDS)[number]

export interface UnitFacts {
  /** The key of its id in a policy file; null when its name is its id. */
  readonly idKey: string | null
  /** For sentences. */
  readonly one: string
  readonly many: string
  /**
   * True when a unit is one workload: an `allow` may then stand without a condition. The jobs of the others differ in who
   * caused them and on which branch they run.
   */
  readonly standsAlone: boolean
  /** When the same name gets another id, as the start of a sentence that ends with `its id is new`. */
  readonly renewed?: string
}

export const UNITS: Readonly<Record<UnitKind, UnitFacts>> = {
  repository: { idKey: "repository_id", one: "repository", many: "repositories", standsAlone: false },
  project: { idKey: "project_id", one: "project", many: "projects", standsAlone: false },
  pipeline: { idKey: "pipeline_id", one: "pipeline", many: "pipelines", standsAlone: false },
  workspace: { idKey: "workspace_id", one: "workspace", many: "workspaces", standsAlone: false },
  stack: { idKey: "stack_id", one: "stack", many: "stacks", standsAlone: true },
  job: { idKey: null, one: "job", many: "jobs", standsAlone: false },
  service_account: {
    idKey: "service_account_uid",
    one: "service account",
    many: "service accounts",
    standsAlone: true,
    renewed: "If the service account was deleted and created again",
  },
  person: { idKey: "person_id", one: "person", many: "people", standsAlone: true },
}

/** The claim of identity tokens, and the key of records, for a unit's id. */
export const idNameOf = (kind: UnitKind): string => UNITS[kind].idKey ?? `${kind}_id`

/** The gap of a grant that stands for a unit's name after the last slash: `repository_name`. */
export const shortNameGap = (kind: UnitKind): string => `${kind}_name`

/** The owner of the units of an issuer that has no other: its host -> its URL. */
export const ownOwner = (issuerUrl: string): Readonly<Record<string, string>> => ({ [hostOf(issuerUrl)]: issuerUrl })

/** The host and port of an issuer. A text that is no URL stands for itself: that is a fault of its own. */
export const hostOf = (issuerUrl: string): string => (URL.canParse(issuerUrl) ? new URL(issuerUrl).host : issuerUrl)

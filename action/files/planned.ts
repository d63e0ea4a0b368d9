import type { Credential } from "../answer.ts"
import type { PlannedFile } from "../deliver/files.ts"
import type { Inputs } from "../inputs.ts"

/** What the files of one tool are planned with. */
export interface FilesContext {
  /** The step's folder. */
  readonly folder: string
  readonly inputs: Inputs
  /** The environment of now. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  /** The path of the Node that runs this step. */
  readonly node: string
  /** The path of `renew.js`. */
  readonly helper: string
}

/** The files of one tool, and the variables that lead to them. Nothing of it is written yet. */
export interface ToolPlan {
  readonly files: readonly PlannedFile[]
  /** Paths, names and switches only: no secret. */
  readonly variables: ReadonlyMap<string, string>
  /**
   * By grant, what is left to deliver of the credentials that the tool's files hold. A credential that must be delivered as
   * a whole besides is not in it.
   */
  readonly rest: ReadonlyMap<string, Credential>
  /** For the summary: where a grant arrives. */
  readonly places: ReadonlyMap<string, readonly string[]>
  /** The grants that later steps renew by themselves. */
  readonly renewed: readonly string[]
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}

export const NOTHING: ToolPlan = {
  files: [],
  variables: new Map(),
  rest: new Map(),
  places: new Map(),
  renewed: [],
  notes: [],
  warnings: [],
}

/** For a place in the summary. */
export const RENEWED = " (renewed before it ends)"

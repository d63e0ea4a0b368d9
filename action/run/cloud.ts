import type { CredentialFormat } from "../../broker/wire/exchange.ts"
import type { Credential } from "../answer.ts"
import type { PlannedFile } from "../deliver/files.ts"
import type { Scheme } from "./endpoint.ts"
import type { Held, Renewal } from "./renewed.ts"

/**
 * How a command logs in to one cloud: with a document that it fetches from the action, and again before it ends. `aws.ts`,
 * `google.ts` and `azure.ts` have one each.
 */
export interface Cloud {
  /** Of its folder below the step's. */
  readonly name: string
  /** Of the credentials that it takes. */
  readonly format: CredentialFormat
  /** What a grant gives, for messages: `AWS session`. */
  readonly gives: string
  /** What its clients send as `Authorization`. */
  readonly scheme: Scheme
  /** The names of the credential's values that the document and the plan hold. */
  readonly loginValues: ReadonlySet<string>
  /**
   * The job's variables that must not reach the command: tools would take another credential or another account from them, or
   * the plan sets them itself.
   */
  readonly withheld: ReadonlySet<string>
  renewal(credential: Credential): Renewal
  /** The document of a credential. @throws {ActionError} `answer_unusable` */
  read(credential: Credential): Held
  /** @throws {ActionError} `answer_unusable`, and `delivery_refused` for grants that one command cannot have together */
  plan(logins: readonly Login[], at: { readonly folder: string; readonly authorization: string }): CloudPlan
}

/** One grant, and where the command fetches its document. */
export interface Login {
  readonly credential: Credential
  readonly url: string
}

export interface CloudPlan {
  readonly variables: ReadonlyMap<string, string>
  readonly files: readonly PlannedFile[]
  /** For the summary: where each grant arrives. */
  readonly places: ReadonlyMap<string, readonly string[]>
  /** Present when clients read the document from a file, which the action must keep fresh. */
  readonly freshFile?: FreshFile
}

export interface FreshFile {
  readonly path: string
  /** Puts a new document in the place of the old one, wherever tools read it from. */
  write(document: Held["document"]): void
}

/** `GET`: the newest checkpoint, as a signed note. With `since=N`: after the proof from the checkpoint of N heads. */
export const CHECKPOINT_PATH = "/v1/operate/checkpoint"
/** `GET`: the policy with which a reader verifies checkpoints. */
export const CHECKPOINT_POLICY_PATH = `${CHECKPOINT_PATH}/policy`
/** `GET`, with `unit=ISSUER:ID` and `seq=N`: the proof of one record. */
export const CHECKPOINT_PROOF_PATH = `${CHECKPOINT_PATH}/proof`
/** `GET`, with `after=...`: the proofs of the heads of all ledgers that the operator may see, page by page. */
export const CHECKPOINT_PROOFS_PATH = `${CHECKPOINT_PATH}/proofs`

/** `POST`, with the body `{ sha256 }`, in hex: the hash of an audit report, signed with the log's key as a note. */
export const SIGN_REPORT_PATH = "/v1/operate/audit/report/sign"

/** One page of proofs. */
export interface CheckpointProofsAnswer {
  /** Proofs, one after another, each as c2sp.org/tlog-proof has it. May be empty on any page. */
  readonly proofs: string
  /** What to send as `after` for the next page; null: this was the last one. */
  readonly next: string | null
}

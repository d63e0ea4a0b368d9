import { closeSync, openSync, readSync } from "node:fs"
import { reasonOf } from "../../arguments.ts"
import type { FixedAudience, Tokens } from "./source.ts"
import { noToken, servesOneCommand, tokenIn } from "./token-text.ts"

/** Above any token, with white space around it. */
const MAX_FILE_BYTES = 32 * 1024

/** The token in a file. It is read for each call: who put it there may have replaced it. */
export function fileTokens(path: string): Tokens & FixedAudience {
  return {
    canChooseAudience: false,
    renewed: "sometimes",
    withheld: [],
    alreadyUsed: servesOneCommand(ANOTHER),
    next: async () => tokenIn(readToken(path), `the file ${JSON.stringify(path)}`, CHANGE),
  }
}

/** Reads the start of the file and no more: it can be a pipe, or a file of any size. */
function readToken(path: string): string {
  try {
    const bytes = Buffer.alloc(MAX_FILE_BYTES)
    const descriptor = openSync(path, "r")
    try {
      let length = 0
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = readSync(descriptor, bytes, length, bytes.length - length, null)
      return bytes.toString("latin1", 0, length)
    } finally {
      closeSync(descriptor)
    }
  } catch (thrown) {
    throw noToken(`The file ${JSON.stringify(path)} cannot be read (${reasonOf(thrown)}).`, CHANGE)
  }
}

/** Whatever needs a token in a pod and has the same audience and lifetime gets the same token from the kubelet. */
const ANOTHER =
  "name another file with --token-file, which in a pod needs another `expirationSeconds`, or wait until this file has a new token"

const CHANGE = "Name a file that holds the job's ID token and nothing else."

/** The token that standard input brings. */
export function inputTokens(text: string): Tokens & FixedAudience {
  return {
    canChooseAudience: false,
    renewed: "never",
    withheld: [],
    next: async () => tokenIn(text, "standard input", "Pipe the job's ID token into the command, and nothing else."),
  }
}

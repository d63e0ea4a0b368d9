import type { CommandDeclaration } from "./declaration.ts"
import { AS_OPERATOR_WORDS, JSON_OPTION, OPERATOR_OPTIONS } from "./shared.ts"

// Commands about the broker's keys. All need the right keys.rotate.

const list: CommandDeclaration = {
  name: "keys list",
  summary: "show the broker's signing keys, and what is sealed under which deployment key",
  about: `Shows the broker's signing keys: which one signs, since when, and what happens next; who verifies the broker's tokens; and how
much is still sealed under the previous deployment key, so that you know when DAYPASS_KEK_PREVIOUS can go. Needs the right
keys.rotate.

${AS_OPERATOR_WORDS}`,
  options: { ...JSON_OPTION, ...OPERATOR_OPTIONS },
  exits: { 0: "shown", 1: "not shown", 2: "the arguments are wrong" },
  page: "keys.md",
  load: async () => (await import("../keys/list.ts")).run,
}

const rotate: CommandDeclaration = {
  name: "keys rotate",
  summary: "publish the next signing key, or let it sign; --now after a theft",
  about: `Takes the next step of a rotation of the broker's signing keys. First it publishes the next key. A day later, when every cloud
has read the keys again, it lets that key sign; the broker does this step by itself, too. Jobs notice nothing. Needs the right
keys.rotate.

${AS_OPERATOR_WORDS}`,
  options: {
    now: {
      words:
        "for a stolen key: replaces all keys at once. The old ones leave the key set, so their tokens die as soon as a verifier reads the keys again. Until then, a verifier may refuse the new key's tokens, and jobs that need it fail. Operators' tokens of before are refused at once",
    },
    ...JSON_OPTION,
    ...OPERATOR_OPTIONS,
  },
  exits: { 0: "the step is done, or is not due yet", 1: "refused", 2: "the arguments are wrong" },
  page: "keys.md",
  load: async () => (await import("../keys/rotate.ts")).run,
}

const retire: CommandDeclaration = {
  name: "keys retire",
  summary: "take a signing key out of the key set",
  about: `Takes a signing key out of the key set before its time: one that does not sign any more, or the next one. Its tokens die as
soon as a verifier reads the keys again. The key that signs cannot be retired: rotate it. Needs the right keys.rotate.

${AS_OPERATOR_WORDS}`,
  takes: [{ name: "KID", words: 'the id of the key, as "daypass keys list" shows it' }],
  options: { ...OPERATOR_OPTIONS },
  exits: { 0: "retired", 1: "refused", 2: "the arguments are wrong" },
  page: "keys.md",
  load: async () => (await import("../keys/retire.ts")).run,
}

const reseal: CommandDeclaration = {
  name: "keys reseal",
  summary: "after a change of DAYPASS_KEK: seal anew what is under the previous one",
  about: `After the deployment key was changed: seals under DAYPASS_KEK what is still sealed under DAYPASS_KEK_PREVIOUS, in the storage
of the broker: its signing keys, the key of its log of heads, and the revocation handles of open leases. It names the settings that
are to be sealed again by hand. It can be repeated, and jobs can run meanwhile. Needs the right keys.rotate.

${AS_OPERATOR_WORDS}`,
  options: { ...JSON_OPTION, ...OPERATOR_OPTIONS },
  exits: {
    0: "nothing is left under the previous key",
    1: "something is left, or the call was refused",
    2: "the arguments are wrong",
  },
  page: "keys.md",
  load: async () => (await import("../keys/reseal.ts")).run,
}

export const KEY_COMMANDS: readonly CommandDeclaration[] = [list, rotate, retire, reseal]

import type { Pattern } from "../policy/pattern.ts"
import { type ClaimForm, FORMS } from "./claim-fact.ts"

/** The unit that a policy speaks of, as far as it is known. A name with stars stands for many. */
export interface ProbedUnit {
  /** `acme/shop`, `acme/svc-*`. */
  readonly unit: string
  readonly unitId: string | null
  readonly ownerId: string | null
}

/**
 * Values of a form that together stand for all of them, as far as some patterns can tell: patterns that match every probe
 * match every value. Each list is one way in which an issuer, or a unit, can be set up.
 *
 * A pattern sees a value as separators (`/`, `:`, `@`) and the text between them. A probe's text is one character that
 * none of the patterns spells, so only wildcards can match it, and these match any other text in its place. What is left
 * are the ways in which separators can follow each other: all short ones, and some longer than a pattern can be.
 *
 * @param spelt every character that the patterns spell
 */
export function probesOf(
  form: ClaimForm | undefined,
  spelt: ReadonlySet<string>,
  about: ProbedUnit,
): readonly (readonly string[])[] {
  const word = unspelt(LETTERS, spelt)
  switch (form) {
    case "digits":
      return [[unspelt("987654321", spelt).repeat(9), ...SHORT_NUMBERS]]
    case "commit":
      return [["0123456789abcdef", "fedcba9876543210"].map((digits) => unspelt(digits, spelt).repeat(40))]
    case "login":
      return [[word, word.repeat(39)]]
    case "age-key":
      return [[`age1${unspelt("qpzry9x8gf2tvdw0s3jn54khce6mua7l", spelt).repeat(58)}`]]
    case "ref":
      return [refs(word)]
    case "workflow": {
      const file = `${nameOf(about.unit, word)}/.github/workflows/${word}`
      // A repository whose jobs call no reusable workflow.
      return [[`${file}.yaml@refs/heads/${word}`, ...refs(word).map((ref) => `${file}.yml@${ref}`)]]
    }
    case "subject": {
      const [owner = "", name = ""] = nameOf(about.unit, word).split("/")
      const number = unspelt("9876543210", spelt)
      const withIds = `${owner}@${about.ownerId ?? number}/${name}@${about.unitId ?? number}`
      const standard = [`${owner}/${name}`, withIds].map((who) => refs(word).map((ref) => `repo:${who}:ref:${ref}`))
      return [...standard, texts(word, "/:@")]
    }
    default:
      return [texts(word, "/:@")]
  }
}

/** Whether a pattern matches some value of a form, in jobs that no outsider caused: what a condition with `not` excludes. */
export function matchesSome(form: ClaimForm | undefined, { steps }: Pattern): boolean {
  if (form === undefined) return true
  const spelt = steps.flatMap((step) => (typeof step === "number" ? [String.fromCharCode(step)] : []))
  if (!spelt.every((character) => FORMS[form].characters.test(character))) return false
  return form !== "ref" || INSIDERS_REFS.some((prefix) => canGoOnAfter(prefix, steps))
}

/** Whether a pattern's steps match some text that is longer and begins so: the steps that are left can always be filled. */
function canGoOnAfter(text: string, steps: Pattern["steps"]): boolean {
  const reach = (index: number): number[] => [index, ...(steps[index] === "anything" ? reach(index + 1) : [])]
  let reached = new Set(reach(0))
  for (const character of text) {
    reached = new Set(
      [...reached].flatMap((index) => {
        const step = steps[index]
        if (step === "anything") return reach(index)
        if (step === "segment") return "/:@".includes(character) ? [] : [index, ...reach(index + 1)]
        return step === character.charCodeAt(0) ? reach(index + 1) : []
      }),
    )
  }
  return [...reached].some((index) => index < steps.length)
}

/** Branches and tags. The merge ref of a pull request comes with an outsider's event only. */
const INSIDERS_REFS = ["refs/heads/", "refs/tags/"]

const LETTERS = "qzxjkvwybghpdfulmcrteisnaoQZXJKVWYBGHPDFULMCRTEISNAO0123456789_-"

const SHORT_NUMBERS: readonly string[] = Array.from({ length: 999 }, (_, index) => String(index + 1))

/** The first of some characters that is not spelt. When all are, the last: a set of patterns can hardly go so far. */
function unspelt(characters: string, spelt: ReadonlySet<string>): string {
  return [...characters].find((character) => !spelt.has(character)) ?? characters.slice(-1)
}

/** Git allows no colon in a ref. */
const refs = (word: string): readonly string[] =>
  INSIDERS_REFS.flatMap((prefix) => texts(word, "/@").map((text) => prefix + text))

/** Words with every sequence of at most four separators between them, and with one that no pattern can spell out. */
function texts(word: string, separators: string): readonly string[] {
  const found: string[] = [word]
  let front = [word]
  for (let length = 1; length <= MAX_SEPARATORS; length++) {
    front = front.flatMap((text) => [...separators].map((separator) => `${text}${separator}${word}`))
    found.push(...front)
  }
  return [...found, ...[...separators].map((separator) => `${word}${separator}`.repeat(LONGER_THAN_A_PATTERN) + word)]
}

const MAX_SEPARATORS = 4
/** A pattern has at most 256 characters, and spells at most half as many separators with wildcards between them. */
const LONGER_THAN_A_PATTERN = 129

const nameOf = (unit: string, word: string): string => unit.replaceAll(/\*+/g, word)

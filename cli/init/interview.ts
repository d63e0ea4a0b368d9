import { quote } from "../../broker/core/policy/faults.ts"
import { Misuse } from "../arguments.ts"
import type { Ask, Choice } from "../io.ts"

/** One question. Its option answers it without a terminal. */
interface Question {
  /** As a person writes it: `--broker`, `--with account=`. */
  readonly option: string
  readonly message: string
}

/**
 * Gets each answer once: from its option, or from the person. A wrong option is refused and not asked again, because a script
 * has written it. Where nobody can be asked, the refusal names the option. Each method throws a `Misuse`.
 */
export class Interview {
  readonly #ask: Ask | undefined

  constructor(ask: Ask | undefined) {
    this.#ask = ask
  }

  /** Whether there is somebody to ask. */
  get isPossible(): boolean {
    return this.#ask !== undefined
  }

  /** `check` says what is wrong with an answer: a sentence's end, after the option's name. */
  async text(
    given: string | undefined,
    question: Question & { readonly initial?: string; check(answer: string): string | null },
  ): Promise<string> {
    const { option, message, initial, check } = question
    if (given !== undefined) {
      const fault = check(given)
      if (fault !== null) throw new Misuse(`${option} ${fault}`)
      return given
    }
    if (this.#ask === undefined) throw missing(question)
    return this.#ask.text({
      message,
      check: (answer) => sentence(check(answer)),
      ...(initial === undefined ? {} : { initial }),
    })
  }

  async choose(
    given: string | undefined,
    question: Question & { readonly choices: readonly Choice[] },
  ): Promise<string> {
    const { option, message, choices } = question
    if (given === undefined) {
      if (this.#ask === undefined) throw missing(question)
      return this.#ask.choose({ message, choices })
    }
    if (choices.some(({ value }) => value === given)) return given
    throw new Misuse(`${option} must be one of ${choices.map(({ value }) => value).join(", ")}, not ${quote(given)}`)
  }

  /** Yes by its option, which is a flag; without a terminal, no: nothing far-reaching is done unasked. */
  async confirm(given: boolean, message: string): Promise<boolean> {
    return given || ((await this.#ask?.confirm({ message, initial: true })) ?? false)
  }
}

const missing = ({ option, message }: Question) =>
  new Misuse(`there is no terminal to ask at: ${message}? Answer with ${option}`)

const sentence = (fault: string | null) => (fault === null ? null : `This ${fault}.`)

import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process"

/**
 * Git as a library would be: no hook and no program that the repository's configuration names is started, and the answers are in
 * no language.
 */
const OPTIONS = [
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.quotePath=false",
  "--no-pager",
  "--no-replace-objects",
  "--literal-pathspecs",
]
/**
 * Git asks no server for an object that is missing: the configuration of a repository can name a program as its server. Git before 2.44
 * knows only the second of the two.
 */
const NO_SERVER = { GIT_NO_LAZY_FETCH: "1", GIT_ALLOW_PROTOCOL: "" }
type Environment = Readonly<Record<string, string | undefined>>

/** Git is not installed, the folder is no repository, or a command of git's failed. Its message is a sentence. */
export class GitError extends Error {}

const MAX_ANSWER_BYTES = 1024 * 1024
/** Of what git says about a failure. */
const MAX_WORDS = 2_000

/** Git in one folder. `environment`: a hook's has the names of another index, and of the repository. */
export class Git {
  readonly #how: { readonly cwd: string; readonly env: Record<string, string | undefined> }

  constructor(folder: string, environment: Environment) {
    this.#how = { cwd: folder, env: { ...environment, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0", ...NO_SERVER } }
  }

  /** What git prints, without the last line end. For short answers. @throws {GitError} */
  text(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const how = { ...this.#how, maxBuffer: MAX_ANSWER_BYTES, encoding: "utf8" } as const
      execFile("git", [...OPTIONS, ...args], how, (error, out, err) => {
        if (error === null) resolve(out.trimEnd())
        else reject(failed(error, err))
      })
    })
  }

  /** The parts of git's answer between zero bytes, as they come. @throws {GitError} */
  async *parts(...args: string[]): AsyncGenerator<string> {
    const child = spawn("git", [...OPTIONS, ...args], { ...this.#how, stdio: ["ignore", "pipe", "pipe"] })
    const ended = endOf(child)
    // It is waited for below, unless the reader wants no more.
    ended.catch(() => {})
    let rest = ""
    child.stdout.setEncoding("utf8")
    try {
      for await (const chunk of child.stdout as AsyncIterable<string>) {
        const parts = (rest + chunk).split("\0")
        rest = parts.pop() ?? ""
        yield* parts
      }
      await ended
    } finally {
      child.kill()
    }
  }

  objects(): Objects {
    return new Objects(spawn("git", [...OPTIONS, "cat-file", "--batch"], { ...this.#how, stdio: "pipe" }))
  }
}

/** Objects of a repository, one after the other, by one process of git. */
export class Objects {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #chunks: AsyncIterator<Buffer>
  readonly #ended: Promise<void>
  #rest: Buffer = Buffer.alloc(0)

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#ended = endOf(child)
    this.#ended.catch(() => {})
    // Its end is seen at the output.
    this.#child.stdin.on("error", () => {})
    this.#chunks = (this.#child.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  /** The bytes of a blob, all of which must be read before the next one is asked for. @throws {GitError} */
  async *blob(id: string): AsyncGenerator<Uint8Array> {
    this.#child.stdin.write(`${id}\n`)
    const head = await this.#line()
    const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(head)?.[1] ?? Number.NaN)
    if (Number.isNaN(size))
      throw new GitError("git does not have an object that it lists: the repository is damaged, or is a partial clone")
    let left = size
    try {
      while (left > 0) {
        const chunk = await this.#next()
        const own = chunk.subarray(0, left)
        this.#rest = chunk.subarray(own.length)
        left -= own.length
        yield own
      }
    } finally {
      // What the reader did not want, and the line end.
      for (let over = left + 1; over > 0; ) {
        const chunk = await this.#next()
        this.#rest = chunk.subarray(over)
        over -= Math.min(over, chunk.length)
      }
    }
  }

  close(): void {
    this.#child.stdin.end()
    this.#child.kill()
  }

  async #line(): Promise<string> {
    let line = ""
    for (;;) {
      const chunk = await this.#next()
      const end = chunk.indexOf(0x0a)
      line += chunk.toString("utf8", 0, end === -1 ? undefined : end)
      if (end !== -1) {
        this.#rest = chunk.subarray(end + 1)
        return line
      }
    }
  }

  async #next(): Promise<Buffer> {
    if (this.#rest.length > 0) {
      const rest = this.#rest
      this.#rest = Buffer.alloc(0)
      return rest
    }
    const { done, value } = await this.#chunks.next()
    if (done !== true) return value
    await this.#ended
    throw new GitError("git ended early")
  }
}

function endOf(child: ChildProcess): Promise<void> {
  let words = ""
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    words = (words + chunk).slice(0, MAX_WORDS)
  })
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(failed(error, "")))
    child.on("close", (code) => {
      if (code === 0) resolve()
      else reject(failed(null, words))
    })
  })
}

function failed(error: Error | null, words: string): GitError {
  if (error !== null && "code" in error && error.code === "ENOENT")
    return new GitError("git is not installed, or the folder does not exist")
  const [first = ""] = words.trim().split("\n")
  return new GitError(`git says: ${first.replace(/^fatal: /, "") || "nothing, and failed"}`)
}

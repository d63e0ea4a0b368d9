import { KEYS_PATH, type KeysReport } from "../../broker/wire/keys.ts"
import { counted, printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type Command, EXIT } from "../io.ts"
import { asOperator } from "../operate/as-operator.ts"
import { handlesPage, keysReport, readAnswer } from "./answers.ts"
import { type HandlesTotal, walkPages } from "./walk.ts"
import { keyLine, sealAgain, verifierLines } from "./words.ts"

/** `daypass keys list`. */
export const run: Command = ({ options }, io) =>
  asOperator(options, io, async (client) => {
    const report = readAnswer(await client.call({ method: "GET", path: KEYS_PATH }), keysReport)
    const handles = await walkPages(async (after) => {
      const query = after === null ? {} : { after }
      return readAnswer(await client.call({ method: "GET", path: `${KEYS_PATH}/handles`, query }), handlesPage)
    })
    if (options["json"] === true) {
      const { resealed: _, ...counts } = handles
      printJson({ ...report, handles: counts }, io)
    } else for (const line of [...keyLines(report), ...sealedLines(report, handles)]) io.out(inert(line))
    return EXIT.ok
  })

function keyLines({ keys, rotate_every_seconds, publishes_next_at, verifiers }: KeysReport): readonly string[] {
  const schedule =
    rotate_every_seconds === null
      ? "No schedule: DAYPASS_ROTATE_EVERY is not set, so keys are rotated by hand."
      : `A key signs for ${rotate_every_seconds / 3600}h${publishes_next_at === null ? "" : `; the next one is published at ${publishes_next_at}`}.`
  return [...keys.map(keyLine), schedule, "Who verifies the broker's tokens:", ...verifierLines(verifiers)]
}

function sealedLines(
  { keys, log_key_sealed_under, has_previous_kek, settings }: KeysReport,
  handles: HandlesTotal,
): readonly string[] {
  const under = (which: "previous" | "other") => ({
    keys: keys.filter((key) => key.sealed_under === which).length + (log_key_sealed_under === which ? 1 : 0),
    handles: handles[which],
    settings: settings.filter((setting) => setting.sealed_under === which),
  })
  const [previous, other] = [under("previous"), under("other")]
  const left = previous.keys + previous.handles + previous.settings.length
  const lost = other.keys + other.handles + other.settings.length
  const lines = [
    `Sealed under DAYPASS_KEK: the handles of ${counted(handles.current, "credential")} of open leases, in ${counted(handles.units, "unit")}.`,
  ]
  if (has_previous_kek) {
    lines.push(
      left === 0
        ? "Nothing is sealed under DAYPASS_KEK_PREVIOUS any more: remove it, and restart the broker."
        : `Sealed under DAYPASS_KEK_PREVIOUS: ${counted(previous.keys, "key")}, ${counted(previous.handles, "handle")}, ${counted(previous.settings.length, "setting")}. Run: daypass keys reseal`,
    )
  }
  if (lost > 0) {
    lines.push(
      `Sealed under a key that the broker does not have: ${counted(other.keys, "key")}, ${counted(other.handles, "handle")}, ${counted(other.settings.length, "setting")}. Set DAYPASS_KEK_PREVIOUS to that key.`,
    )
  }
  const again = [...previous.settings, ...other.settings]
  return [...lines, ...again.map(({ name }) => `  ${name}: ${sealAgain(name)}`)]
}

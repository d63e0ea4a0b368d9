/** Adds a deadline to a store that has none. A later answer is dropped. */
export async function inTime<Value>(value: Promise<Value>, deadlineMs: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the deadline has passed")), deadlineMs)
  })
  try {
    return await Promise.race([value, late])
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

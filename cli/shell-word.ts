/** A word of a POSIX shell: as it is when nothing in it has a meaning, otherwise in single quotes. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

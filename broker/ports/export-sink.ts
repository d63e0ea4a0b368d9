/** An object of an export. Its name never changes its bytes: whoever writes it again writes the same. */
export interface ExportObject {
  /** Slash-separated, of letters, digits and `. _ -`. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly contentType: string
  /** False for an object that is replaced as the export goes on. */
  readonly isFinal: boolean
}

/** A place that keeps objects: a folder, a bucket. */
export interface ExportSink {
  /**
   * Writes an object, replacing one of this name, and resolves when it is durable. Never leaves half an object under the name.
   *
   * @throws {BrokerError} `provider_*` or `configuration_invalid`; its detail says what to change
   */
  put(object: ExportObject): Promise<void>
}

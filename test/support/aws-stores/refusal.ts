/** Every refusal that the stores' stand-in gives, with AWS's status. */
export const STORE_ERRORS = {
  MissingAuthenticationTokenException: 400,
  IncompleteSignatureException: 400,
  InvalidSignatureException: 400,
  UnrecognizedClientException: 400,
  ExpiredTokenException: 400,
  AccessDeniedException: 400,
  UnknownOperationException: 400,
  SerializationException: 400,
  ValidationException: 400,
  InvalidParameterException: 400,
  InvalidRequestException: 400,
  ResourceNotFoundException: 400,
  DecryptionFailure: 400,
  InvalidKeyId: 400,
  NotFoundException: 400,
  DisabledException: 400,
  InvalidCiphertextException: 400,
  IncorrectKeyException: 400,
  KMSInternalException: 500,
  ThrottlingException: 400,
  InternalServiceError: 500,
} as const satisfies Record<string, number>

export type StoreErrorCode = keyof typeof STORE_ERRORS

/** A refusal, in AWS's words. */
export class StoreRefusal extends Error {
  override readonly name = "StoreRefusal"
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

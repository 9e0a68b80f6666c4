import { ApiError, SLOW } from '../api/client';
import type { ErrorCode } from '../api/types';
import type { Message } from '../i18n';

/** What each refusal of the API means and what to do about it. Its own sentence, which is English, has the details. */
const CODES: Record<ErrorCode, Message> = {
  BAD_REQUEST: 'error.malformed',
  UNSUPPORTED: 'error.unsupported',
  UNAUTHORIZED: 'error.signedOut',
  FORBIDDEN: 'error.forbidden',
  DENIED: 'error.denied',
  NOT_FOUND: 'error.notFound',
  METHOD_NOT_ALLOWED: 'error.otherVersion',
  CONFLICT: 'error.conflict',
  PRECONDITION: 'error.precondition',
  UNPROCESSABLE_ENTITY: 'error.outOfRange',
  TOO_MANY_REQUEST: 'error.busy',
  UNKNOWN: 'error.server',
  UNAVAILABLE: 'error.unavailable',
};

/** The same for answers without a code: those of the gateway and of CloudFront. */
const STATUSES: Record<number, Message> = {
  0: 'error.unreachable',
  401: 'error.signedOut',
  403: 'error.forbidden',
  404: 'error.notFound',
  412: 'error.precondition',
  429: 'error.busy',
  503: 'error.unavailable',
};

/** Words of a page for refusals that mean something more certain there, by their codes. */
export type Words = Partial<Record<ErrorCode, Message>>;

/** The message that explains an error to the reader. */
export function explanationOf(error: unknown, words: Words = {}): Message {
  if (!(error instanceof ApiError)) return 'error.console';
  const code = error.code as ErrorCode;
  if (error.code === SLOW) return 'error.slow';
  const byStatus = STATUSES[error.status] ?? (error.status >= 500 ? 'error.server' : 'error.malformed');
  return words[code] ?? (code in CODES ? CODES[code] : byStatus);
}

import createClient, { type Middleware } from 'openapi-fetch';
import { returnsSoFar } from './absence';
import type { paths } from './types';

/** The code of what is not over yet after a long wait; its status is 0. */
export const SLOW = 'SLOW';

/** What the API refused, or that it could not be reached (`status` 0). `requestId` finds the request in the logs. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
  ) {
    super(message);
  }
}

const CSRF = 'X-Harbor-CSRF-Token';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
let csrf = '';

type Listener = (value: string) => void;
const listeners = new Set<Listener>();
let build = '';
let signedOut: () => Promise<boolean> = () => Promise.resolve(false);

/** Calls `listener` when the registry has another build of the console than the one that runs. */
export function onNewBuild(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls `listener` when a request is refused for want of a session. It resolves to whether the same user is back. */
export function onSignedOut(listener: () => Promise<boolean>): void {
  signedOut = listener;
}

/** How often somebody had come back when a request was sent. */
const sent = new WeakMap<Request, number>();

const session: Middleware = {
  onRequest({ request }) {
    if (csrf && !SAFE.has(request.method)) request.headers.set(CSRF, csrf);
    request.headers.set('X-Is-Resource-Name', 'true'); // a project called 2026 is not the project with that id
    sent.set(request, returnsSoFar());
    return request;
  },
  onResponse: ({ response, request }) => answerOf(request, response),
  onError: unreachable,
};

/**
 * What a request comes to. One that changes nothing waits while somebody signs in again, and is sent once more; so what a
 * page shows does not turn into an error. Any other is refused, for whoever sent it to send it again.
 */
async function answerOf(request: Request, response: Response): Promise<Response> {
  csrf = response.headers.get(CSRF) ?? csrf;
  const served = response.headers.get('X-Roadstead-Build');
  if (served && build && served !== build) for (const listener of listeners) listener(served);
  if (served && !build) build = served;
  if (response.ok) return response;
  const error = await errorOf(response);
  const signsIn = (request.method === 'POST' && request.url.endsWith('/session')) || request.url.endsWith('/sign-in/newcomer');
  if (error.status !== 401 || signsIn) throw error;
  const back = sent.get(request) === returnsSoFar() ? signedOut() : Promise.resolve(true);
  if (!SAFE.has(request.method) || !(await back)) throw error;
  sent.set(request, returnsSoFar());
  const again = await fetch(request).catch(() => {
    throw unreachable();
  });
  return answerOf(request, again);
}

function unreachable(): ApiError {
  return new ApiError(0, 'UNREACHABLE', '', '');
}

async function errorOf(response: Response): Promise<ApiError> {
  const id = response.headers.get('apigw-requestid') ?? response.headers.get('x-amz-cf-id') ?? '';
  try {
    const document: unknown = await response.json();
    const first = (document as { errors: { code: string; message: string }[] }).errors[0];
    if (first) return new ApiError(response.status, first.code, first.message, id);
  } catch {
    // An answer of the gateway's or CloudFront's own; its status says enough.
  }
  return new ApiError(response.status, `HTTP${response.status}`, '', id);
}

export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin' });
api.use(session);

/** The data of an answer. Every refusal has been thrown by the time that this is called. */
export function dataOf<T>(answer: { data?: T }): T {
  return answer.data as T;
}

/** A page of a list: its rows, how many there are in all if the registry says so, and the query of the next page. */
export interface Listed<T> {
  rows: T[];
  total: number | null;
  next: URLSearchParams | null;
}

export function listOf<T>(answer: { data?: T[]; response: Response }): Listed<T> {
  const total = answer.response.headers.get('X-Total-Count');
  return { rows: answer.data ?? [], total: total === null ? null : Number(total), next: nextOf(answer.response) };
}

/** The query of the page to which `Link` leads: `<…?after=x>; rel="next"`. */
export function nextOf(response: Response): URLSearchParams | null {
  const found = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('Link') ?? '');
  return found?.[1] ? new URL(found[1], window.location.origin).searchParams : null;
}

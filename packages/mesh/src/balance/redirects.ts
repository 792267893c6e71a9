/** One of the requests that are made until there is an answer. */
export interface Step {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** Whether the body goes along. */
  readonly withBody: boolean;
}

const statuses = new Set([301, 302, 303, 307, 308]);

const most = 20;

/** What tells of a body. */
const ofBody = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];

/** What is meant for one origin only. */
const ofOrigin = ['authorization', 'proxy-authorization', 'cookie', 'host'];

export function isRedirect({ status }: Response): boolean {
  return statuses.has(status);
}

/** Follows redirects as `fetch` does. `send` must not follow them itself. */
export async function follow(
  answered: Response,
  asked: Step,
  send: (step: Step) => Promise<Response>,
): Promise<Response> {
  let response = answered;
  let step: Step | undefined = asked;
  for (let count = 0; ; count += 1) {
    step = redirected(response, step);
    if (!step) break;
    if (count === most) throw new TypeError(`redirected more than ${most} times, the last time to ${step.url}`);
    await response.body?.cancel();
    response = await send(step);
    // A getter of the class: it knows of redirects only that were followed for it.
    Object.defineProperty(response, 'redirected', { value: true });
  }
  return response;
}

function redirected(response: Response, { url: from, ...asked }: Step): Step | undefined {
  const { status } = response;
  const location = response.headers.get('location');
  if (!isRedirect(response) || location === null) return undefined;
  const url = URL.parse(location, from);
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError(`redirected to what is not HTTP: ${location}`);
  const headers = new Headers(asked.headers);
  const get = status === 303 ? !['GET', 'HEAD'].includes(asked.method) : status < 303 && asked.method === 'POST';
  if (get) for (const name of ofBody) headers.delete(name);
  if (url.origin !== from.origin) for (const name of ofOrigin) headers.delete(name);
  return { url, method: get ? 'GET' : asked.method, headers, withBody: asked.withBody && !get };
}

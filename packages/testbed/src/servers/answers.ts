import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Whether the status is one from 200 to 299. */
  readonly ok: boolean;
  readonly body: string;
}

/**
 * Asks by HTTP. Not by `fetch`, which goes through the proxy that the environment names, and follows redirects: what is
 * asked here is on this machine, and only its own answer counts.
 */
export async function answerTo(url: string, question: Question): Promise<Answer> {
  const response = await begin(url, question);
  return { status: response.statusCode ?? 0, ok: isOk(response), body: await text(response) };
}

/** GETs a URL and gives the body when the answer is a success; undefined otherwise. */
export async function answerOf(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { ok, body } = await answerTo(url, { signal });
  return ok ? body : undefined;
}

/** Whether the answer to GET is a success. Its body may be one that never ends. */
export async function succeeds(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await begin(url, { signal });
  response.destroy();
  return isOk(response);
}

function begin(url: string, { method = 'GET', headers = {}, body, signal }: Question): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // The agent that all share may have a proxy.
    const asked = request(url, { method, headers, signal, agent: false });
    asked.on('response', resolve).on('error', reject).end(body);
  });
}

function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 299;
}
